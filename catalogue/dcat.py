"""The nouns of DCAT 3 and its profiles; each property is stated once: name, type, predicate, cardinality.

Everything else follows from these lines: both directions of RDF (`catalogue.rdf`), the JSON-LD context and the feeds.
To add a property, add a line. A field's annotation is what may stand there: `frozenset[…]` where a property repeats,
a union where sources differ (words or a concept, an IRI or a described thing). What a source says in any other form, and
everything we have no property for, stays in `rest` and comes out again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, TypeVar, Union, cast, dataclass_transform, get_args, get_origin, get_type_hints

from vocab.namespaces import (
    ADMS,
    DCAT,
    DCATAP,
    DCT,
    DPV,
    DQV,
    FOAF,
    LOCN,
    ODRL,
    ORG,
    OWL,
    PROV,
    RDFS,
    SKOS,
    SPDX,
    TIME,
    UKMEM,
    VCARD,
)

K = TypeVar("K")
V = TypeVar("V")
N = TypeVar("N", bound="Node")

PLAIN = "http://www.w3.org/2001/XMLSchema#string"


class IRI(str):
    """An address that names something."""

    __slots__ = ()


class Identifier(str):
    """What a source calls one of its records: unique within the source, not beyond."""

    __slots__ = ()


class Slug(str):
    """A short name that is safe in an address: lower case letters, digits and hyphens."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Words and their language (BCP 47, lower case); "" where the source does not say."""

    value: str
    lang: str = ""


@dataclass(frozen=True, slots=True)
class Literal:
    """A typed value, kept as it was written."""

    value: str
    datatype: IRI


@dataclass(frozen=True, slots=True)
class When(Literal):
    """A date as it was said: xsd:gYear, gYearMonth, date or dateTime."""


@dataclass(frozen=True, slots=True)
class Number(Literal):
    """A number as it was said."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
def noun(class_: type[K]) -> type[K]:
    """A frozen dataclass whose things hold only what they say: to set sixty properties that they do not say takes its time."""
    return dataclass(frozen=True, kw_only=True, init=False, eq=False)(class_)


@noun
class Node:
    """Something with properties. Without an IRI it is a blank node, known by its content alone.

    `vars(node)` is what it says, in any order. What it does not say is looked up in its class, and empty there.
    """

    TYPE: ClassVar[str] = ""

    iri: IRI | None = None
    types: frozenset[IRI] = frozenset()
    rest: frozenset[Statement] = frozenset()

    def __init__(self, **said: Any) -> None:
        if not said.keys() <= self.__dataclass_fields__.keys():
            raise TypeError(f"{type(self).__name__} has no {min(said.keys() - self.__dataclass_fields__.keys())}")
        vars(self).update({name: value for name, value in said.items() if value})

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(frozenset(vars(self).items()))


@noun
class Thing(Node):
    """A described thing for which we have no noun: a licence document, a policy, a concept with its labels."""


Value = IRI | Text | Literal | Node
Concept = IRI | Text | Thing
Address = IRI | Text | Literal | Thing
Link = IRI | Text | Thing
Date = When | Text
Measure = Number | Literal | Text


@dataclass(frozen=True, slots=True)
class Statement:
    """Something a source said of a node for which that node has no property."""

    predicate: IRI
    object: Value


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a noun: how it is called here, in RDF and in JSON, and what may stand there."""

    name: str
    predicate: IRI
    also: tuple[IRI, ...]
    json: str
    many: bool
    kinds: tuple[type, ...]


def many(predicate: str, *, json: str = "", also: tuple[str, ...] = ()) -> frozenset[Any]:
    """State a property that repeats. `json` names it where the predicate's last word is taken; `also` are older predicates."""
    return cast("frozenset[Any]", _term(predicate, json, also, frozenset()))


def one(predicate: str, *, json: str = "", also: tuple[str, ...] = ()) -> Any:
    """State a property of which there is at most one; further values stay in `rest`."""
    return _term(predicate, json, also, None)


def _term(predicate: str, json: str, also: tuple[str, ...], default: Any) -> Any:
    last_word = predicate.replace("#", "/").rsplit("/", 1)[-1]
    facts = {"predicate": IRI(predicate), "json": json or last_word, "also": tuple(map(IRI, also))}
    return field(default=default, metadata=facts)


@noun
class Agent(Node):
    """Who publishes, creates, owns or looks after."""

    TYPE = FOAF.Agent

    names: frozenset[Text] = many(FOAF.name)
    kinds: frozenset[Concept] = many(DCT.type)
    identifiers: frozenset[Text | IRI | Literal] = many(DCT.identifier)
    mailboxes: frozenset[Link] = many(FOAF.mbox)
    phones: frozenset[Link] = many(FOAF.phone)
    homepages: frozenset[Link] = many(FOAF.homepage)
    parent: Agent | None = one(ORG.subOrganizationOf)


@noun
class ContactPoint(Node):
    """Whom to write to."""

    TYPE = VCARD.Kind

    names: frozenset[Text] = many(VCARD.fn)
    emails: frozenset[Link] = many(VCARD.hasEmail, also=(VCARD.email,))
    telephones: frozenset[Address] = many(VCARD.hasTelephone)
    pages: frozenset[Link] = many(VCARD.hasURL)
    organisation_names: frozenset[Text] = many(VCARD["organization-name"])
    units: frozenset[Text] = many(VCARD["organization-unit"])
    addresses: frozenset[Address] = many(VCARD.hasAddress)
    identifiers: frozenset[Link] = many(VCARD.hasUID)


@noun
class PeriodOfTime(Node):
    """The time that the data cover; either end may be open."""

    TYPE = DCT.PeriodOfTime

    start: Date | None = one(DCAT.startDate, also=("http://schema.org/startDate", "https://schema.org/startDate"))
    end: Date | None = one(DCAT.endDate, also=("http://schema.org/endDate", "https://schema.org/endDate"))
    beginnings: frozenset[IRI | Thing] = many(TIME.hasBeginning)
    endings: frozenset[IRI | Thing] = many(TIME.hasEnd)
    labels: frozenset[Text] = many(RDFS.label)


@noun
class Location(Node):
    """The place that the data cover: a name, a shape, a box or a point."""

    TYPE = DCT.Location

    labels: frozenset[Text] = many(SKOS.prefLabel, also=(RDFS.label,))
    names: frozenset[Text] = many(LOCN.geographicName)
    identifiers: frozenset[Text | IRI | Literal] = many(DCT.identifier)
    geometries: frozenset[Literal | Text | Thing] = many(LOCN.geometry)
    boxes: frozenset[Literal | Text] = many(DCAT.bbox)
    centroids: frozenset[Literal | Text] = many(DCAT.centroid)


@noun
class Checksum(Node):
    """A fingerprint of a file, and how it was taken."""

    TYPE = SPDX.Checksum

    algorithm: Link | None = one(SPDX.algorithm)
    value: Literal | Text | None = one(SPDX.checksumValue)


@noun
class Relationship(Node):
    """How one resource stands to another."""

    TYPE = DCAT.Relationship

    relations: frozenset[IRI | Thing] = many(DCT.relation)
    roles: frozenset[Concept] = many(DCAT.hadRole)


@noun
class Attribution(Node):
    """Who had which part in a resource: owner, steward, custodian."""

    TYPE = PROV.Attribution

    agents: frozenset[Agent] = many(PROV.agent)
    roles: frozenset[Concept] = many(DCAT.hadRole)


@noun
class Resource(Node):
    """What people search for: the properties that datasets, series and services share."""

    TYPE = DCAT.Resource

    titles: frozenset[Text] = many(DCT.title)
    alternative_titles: frozenset[Text] = many(DCT.alternative)
    summaries: frozenset[Text] = many(RDFS.comment, json="summary")
    descriptions: frozenset[Text] = many(DCT.description)
    identifiers: frozenset[Text | IRI | Literal] = many(DCT.identifier)
    other_identifiers: frozenset[Address] = many(ADMS.identifier, json="otherIdentifier")
    publisher: Agent | Text | None = one(DCT.publisher)
    creators: frozenset[Agent | Text] = many(DCT.creator)
    rights_holders: frozenset[Agent | Text] = many(DCT.rightsHolder)
    contact_points: frozenset[ContactPoint | Text] = many(DCAT.contactPoint)
    qualified_attributions: frozenset[Attribution] = many(PROV.qualifiedAttribution)
    access_rights: Concept | None = one(DCT.accessRights)
    security_classification: Concept | None = one(
        UKMEM.securityClassification,
        also=("https://w3id.org/co-cddo/uk-cross-government-metadata-exchange-model/securityClassification",),
    )
    licences: frozenset[Concept] = many(DCT.license)
    rights: frozenset[Concept] = many(DCT.rights)
    policies: frozenset[IRI | Thing] = many(ODRL.hasPolicy)
    applicable_legislation: frozenset[IRI | Thing] = many(DCATAP.applicableLegislation)
    legal_bases: frozenset[Concept] = many(DPV.hasLegalBasis)
    high_value_categories: frozenset[Concept] = many(DCATAP.hvdCategory)
    keywords: frozenset[Text] = many(DCAT.keyword)
    themes: frozenset[Concept] = many(DCAT.theme)
    subjects: frozenset[Concept] = many(DCT.subject)
    kinds: frozenset[Concept] = many(DCT.type)
    languages: frozenset[Concept] = many(DCT.language)
    issued: Date | None = one(DCT.issued)
    modified: Date | None = one(DCT.modified)
    created: Date | None = one(DCT.created)
    version: Text | Literal | None = one(DCAT.version, also=(OWL.versionInfo, "http://purl.org/pav/version"))
    version_notes: frozenset[Text] = many(ADMS.versionNotes)
    status: Concept | None = one(ADMS.status, also=("https://www.w3.org/ns/adms#status",))
    landing_pages: frozenset[Address] = many(DCAT.landingPage)
    pages: frozenset[Address] = many(FOAF.page)
    conforms_to: frozenset[Address] = many(DCT.conformsTo)
    sources: frozenset[Address] = many(DCT.source)
    relations: frozenset[Address] = many(DCT.relation)
    qualified_relations: frozenset[Relationship] = many(DCAT.qualifiedRelation)
    referenced_by: frozenset[Address] = many(DCT.isReferencedBy)
    parts: frozenset[IRI | Thing] = many(DCT.hasPart)
    part_of: frozenset[IRI | Thing] = many(DCT.isPartOf)
    replaces: frozenset[IRI | Thing] = many(DCT.replaces)
    replaced_by: frozenset[IRI | Thing] = many(DCT.isReplacedBy)
    versions: frozenset[IRI | Thing] = many(DCAT.hasVersion)
    version_of: frozenset[IRI | Thing] = many(DCAT.isVersionOf)
    current_version: IRI | Thing | None = one(DCAT.hasCurrentVersion)
    previous_version: IRI | Thing | None = one(DCAT.previousVersion)
    next_versions: frozenset[IRI | Thing] = many(DCAT.nextVersion)
    in_catalogs: frozenset[IRI | Thing] = many(DCAT.inCatalog)
    samples: frozenset[Address] = many(ADMS.sample)
    quality_measurements: frozenset[IRI | Thing] = many(DQV.hasQualityMeasurement)


@noun
class DataService(Resource):
    """An interface through which data can be asked for."""

    TYPE = DCAT.DataService

    endpoint_urls: frozenset[Address] = many(DCAT.endpointURL)
    endpoint_descriptions: frozenset[Address] = many(DCAT.endpointDescription)
    serves_datasets: frozenset[IRI | Thing] = many(DCAT.servesDataset)
    formats: frozenset[Concept] = many(DCT.format)


@noun
class Distribution(Node):
    """A form in which a dataset can be had: a file, a page, a service."""

    TYPE = DCAT.Distribution

    titles: frozenset[Text] = many(DCT.title)
    descriptions: frozenset[Text] = many(DCT.description)
    identifiers: frozenset[Text | IRI | Literal] = many(DCT.identifier)
    access_urls: frozenset[Address] = many(DCAT.accessURL)
    download_urls: frozenset[Address] = many(DCAT.downloadURL)
    access_services: frozenset[DataService] = many(DCAT.accessService)
    formats: frozenset[Concept] = many(DCT.format)
    media_types: frozenset[Concept] = many(DCAT.mediaType)
    compress_format: Concept | None = one(DCAT.compressFormat)
    package_format: Concept | None = one(DCAT.packageFormat)
    byte_size: Measure | None = one(DCAT.byteSize)
    checksum: Checksum | None = one(SPDX.checksum)
    issued: Date | None = one(DCT.issued)
    modified: Date | None = one(DCT.modified)
    languages: frozenset[Concept] = many(DCT.language)
    licences: frozenset[Concept] = many(DCT.license)
    rights: frozenset[Concept] = many(DCT.rights)
    access_rights: Concept | None = one(DCT.accessRights)
    policies: frozenset[IRI | Thing] = many(ODRL.hasPolicy)
    applicable_legislation: frozenset[IRI | Thing] = many(DCATAP.applicableLegislation)
    availability: Concept | None = one(DCATAP.availability)
    status: Concept | None = one(ADMS.status)
    pages: frozenset[Address] = many(FOAF.page)
    conforms_to: frozenset[Address] = many(DCT.conformsTo)
    spatial_resolution: frozenset[Number | Literal | Text] = many(DCAT.spatialResolutionInMeters)
    temporal_resolution: Measure | None = one(DCAT.temporalResolution)
    distribution_of: frozenset[IRI | Thing] = many(DCAT.isDistributionOf)
    quality_measurements: frozenset[IRI | Thing] = many(DQV.hasQualityMeasurement)


@noun
class Dataset(Resource):
    """A collection of data, published or held by one body."""

    TYPE = DCAT.Dataset

    distributions: frozenset[Distribution] = many(DCAT.distribution)
    frequency: Concept | None = one(DCT.accrualPeriodicity)
    spatial: frozenset[Location | Text] = many(DCT.spatial)
    temporal: frozenset[PeriodOfTime | Text] = many(DCT.temporal)
    spatial_resolution: frozenset[Number | Literal | Text] = many(DCAT.spatialResolutionInMeters)
    temporal_resolution: Measure | None = one(DCAT.temporalResolution)
    in_series: frozenset[IRI | Thing] = many(DCAT.inSeries)
    previous: IRI | Thing | None = one(DCAT.prev)
    following: frozenset[IRI | Thing] = many(DCAT.next)
    provenance: frozenset[Address] = many(DCT.provenance)
    generated_by: frozenset[IRI | Thing] = many(PROV.wasGeneratedBy)
    purposes: frozenset[Concept] = many(DPV.hasPurpose)
    personal_data: frozenset[Concept] = many(DPV.hasPersonalData)


@noun
class DatasetSeries(Dataset):
    """Datasets that belong together, published one after the other."""

    TYPE = DCAT.DatasetSeries

    first: IRI | Thing | None = one(DCAT.first)
    last: IRI | Thing | None = one(DCAT.last)
    members: frozenset[IRI | Thing] = many(DCAT.seriesMember)


@noun
class CatalogRecord(Node):
    """One catalogue's word on one resource: where it came from and when."""

    TYPE = DCAT.CatalogRecord

    titles: frozenset[Text] = many(DCT.title)
    descriptions: frozenset[Text] = many(DCT.description)
    primary_topic: IRI | None = one(FOAF.primaryTopic)
    issued: Date | None = one(DCT.issued)
    modified: Date | None = one(DCT.modified)
    conforms_to: frozenset[Address] = many(DCT.conformsTo)
    languages: frozenset[Concept] = many(DCT.language)
    source: IRI | Thing | None = one(DCT.source)
    status: Concept | None = one(ADMS.status)
    generated_by: frozenset[IRI | Thing] = many(PROV.wasGeneratedBy)
    derived_from: frozenset[IRI | Thing] = many(PROV.wasDerivedFrom)


@noun
class Catalog(Dataset):
    """A list of resources: what a source offers, what we offer."""

    TYPE = DCAT.Catalog

    homepage: Link | None = one(FOAF.homepage)
    theme_taxonomies: frozenset[IRI | Thing] = many(DCAT.themeTaxonomy)
    catalogs: frozenset[IRI | Thing] = many(DCAT.catalog)
    datasets: frozenset[IRI] = many(DCAT.dataset)
    services: frozenset[IRI] = many(DCAT.service)
    records: frozenset[IRI] = many(DCAT.record)
    resources: frozenset[IRI] = many(DCAT.resource)


KINDS: dict[str, type[Resource]] = {"dataset": Dataset, "series": DatasetSeries, "service": DataService}
"""What the catalogue holds, as addresses and tables call it."""

NOUNS: tuple[type[Node], ...] = (
    Catalog, CatalogRecord, Dataset, DatasetSeries, DataService, Distribution, Agent, ContactPoint, PeriodOfTime,
    Location, Checksum, Relationship, Attribution,
)  # fmt: skip


def kind_of(resource: Resource) -> str:
    """Which of KINDS a resource is."""
    return next(kind for kind, noun_ in reversed(KINDS.items()) if isinstance(resource, noun_))


def replace(node: N, **said: Any) -> N:
    """The same with this said instead, as `dataclasses.replace` has it; what neither says is not looked at."""
    return type(node)(**{**vars(node), **said})


def once(function: Callable[[K], V]) -> Callable[[K], V]:
    """Work something out once for each argument."""
    return cast(Callable[[K], V], cache(function))


@once
def properties(noun_: type[Node]) -> tuple[Property, ...]:
    """Every property of a noun, in the order they are stated."""
    hints = get_type_hints(noun_)
    return tuple(
        Property(f.name, f.metadata["predicate"], f.metadata["also"], f.metadata["json"], *_shape(hints[f.name]))
        for f in fields(noun_)
        if "predicate" in f.metadata
    )


def _shape(hint: Any) -> tuple[bool, tuple[type, ...]]:
    """Whether an annotation repeats, and which classes it lets in."""
    if get_origin(hint) is frozenset:
        return True, _members(get_args(hint)[0])
    return False, _members(hint)


def _members(hint: Any) -> tuple[type, ...]:
    if get_origin(hint) in (Union, UnionType):
        return tuple(member for member in get_args(hint) if member is not NoneType)
    return (hint,)


def values(node: Node) -> Iterator[tuple[Property, Value]]:
    """Each value that a node states in a property, in stated order of properties; sets come in any order."""
    for prop in properties(type(node)):
        held = getattr(node, prop.name)
        if held is None:
            continue
        if prop.many:
            for value in held:
                yield prop, value
        else:
            yield prop, held


def words(texts: Iterable[Any], lang: str = "en") -> str:
    """The best words for a reader of `lang`: in theirs, else in none, else in any. "" when nothing was said."""
    said = sorted((t for t in texts if isinstance(t, Text)), key=lambda t: (_rank(t.lang, lang), t.lang, t.value))
    return said[0].value if said else ""


def _rank(said: str, wanted: str) -> int:
    return 0 if said.split("-")[0] == wanted else 1 if not said else 2
