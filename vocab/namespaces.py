"""Namespaces of the standards we speak: `DCAT.title` is the whole IRI as a string."""

from __future__ import annotations


class Namespace:
    """A vocabulary's address. Attributes are its terms; indexing serves names Python reserves or refuses."""

    def __init__(self, prefix: str, address: str) -> None:
        self._prefix = prefix
        self._address = address

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._address + name

    def __getitem__(self, name: str) -> str:
        return self._address + name

    def __str__(self) -> str:
        return self._address

    @property
    def _pair(self) -> tuple[str, str]:
        return self._prefix, self._address


ADMS = Namespace("adms", "http://www.w3.org/ns/adms#")
DCAT = Namespace("dcat", "http://www.w3.org/ns/dcat#")
DCATAP = Namespace("dcatap", "http://data.europa.eu/r5r/")
DCATUS = Namespace("dcat-us", "http://data.resources.gov/ontology/dcat-us#")
DCT = Namespace("dct", "http://purl.org/dc/terms/")
DQV = Namespace("dqv", "http://www.w3.org/ns/dqv#")
DPV = Namespace("dpv", "https://w3id.org/dpv#")
ELI = Namespace("eli", "http://data.europa.eu/eli/ontology#")
FEDCAT = Namespace("fedcat", "https://w3id.org/fedcat/ns#")
FOAF = Namespace("foaf", "http://xmlns.com/foaf/0.1/")
FREQ = Namespace("freq", "http://purl.org/cld/freq/")
GEODCATAP = Namespace("geodcatap", "http://data.europa.eu/930/")
GSP = Namespace("gsp", "http://www.opengis.net/ont/geosparql#")
HYDRA = Namespace("hydra", "http://www.w3.org/ns/hydra/core#")
LOCN = Namespace("locn", "http://www.w3.org/ns/locn#")
ODRL = Namespace("odrl", "http://www.w3.org/ns/odrl/2/")
ORG = Namespace("org", "http://www.w3.org/ns/org#")
OWL = Namespace("owl", "http://www.w3.org/2002/07/owl#")
PROV = Namespace("prov", "http://www.w3.org/ns/prov#")
RDF = Namespace("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#")
RDFS = Namespace("rdfs", "http://www.w3.org/2000/01/rdf-schema#")
SCHEMA = Namespace("schema", "https://schema.org/")
SH = Namespace("sh", "http://www.w3.org/ns/shacl#")
SKOS = Namespace("skos", "http://www.w3.org/2004/02/skos/core#")
SPDX = Namespace("spdx", "http://spdx.org/rdf/terms#")
TIME = Namespace("time", "http://www.w3.org/2006/time#")
UKMEM = Namespace("ukgov", "https://w3id.org/co-cddo/ukgov-metadata-exchange-model/")
VCARD = Namespace("vcard", "http://www.w3.org/2006/vcard/ns#")
XSD = Namespace("xsd", "http://www.w3.org/2001/XMLSchema#")

PREFIXES: dict[str, str] = dict(
    space._pair
    for space in (
        ADMS, DCAT, DCATAP, DCATUS, DCT, DPV, DQV, ELI, FEDCAT, FOAF, FREQ, GEODCATAP, GSP, HYDRA, LOCN, ODRL, ORG, OWL,
        PROV, RDF, RDFS, SCHEMA, SKOS, SPDX, TIME, UKMEM, VCARD, XSD,
    )
)  # fmt: skip
"""Prefix → address, as our Turtle, RDF/XML and JSON-LD write them."""
