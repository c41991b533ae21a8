"""data.json: DCAT-US 1.1 and the JSON of 3.0, and what data.gov.uk takes for it. Every element of its lists is a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from catalogue.dcat import (
    IRI,
    Agent,
    Attribution,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    DatasetSeries,
    Distribution,
    Identifier,
    Location,
    Node,
    PeriodOfTime,
    Relationship,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.http import Client
from catalogue.source import FIRST, Fetched, HarvestSource, Option, PageEnd, SourceRecord, Visit, is_name, page_end
from harvesters import read
from harvesters.json_elements import Element, Lists, broken, decoded, elements, parsed
from harvesters.read import Reader, Row, describe, flat, rows, web_address
from vocab.namespaces import ADMS, DCAT, DCATUS, DCT, DQV, FEDCAT, FOAF, ORG, PREFIXES, PROV, RDFS, SCHEMA, SKOS

Said = dict[str, Any]


class DataJson:
    """Each dataset, series and service is a record: its bytes, as they stand in the file."""

    name = "data-json"
    title = "data.json (DCAT-US 1.1 and 3.0)"
    sample = "https://www.example.gov.uk/data.json"
    options: tuple[Option, ...] = ()

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        answer = visit.get(client, source.url, accept="application/json, */*;q=0.1")
        if isinstance(answer, PageEnd):
            yield answer
            return
        seen: dict[Identifier, str] = {}
        for element in elements(answer, LISTS):
            if isinstance(element, Problem):
                yield element
                continue
            identifier = identified(element.said)
            if not identifier:
                yield _unnamed(element)
            elif identifier not in seen:
                seen[identifier] = element.where
                yield SourceRecord(identifier, element.content, "application/json", answer.url, element.where)
                yield from misencoded(element, identifier)
            elif MEMBER not in element.where + seen[identifier]:  # a member of a series may stand in the list as well
                yield _repeated(identifier, seen[identifier], element.where)
        yield page_end(answer)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:  # noqa: ARG002  no option changes it
        said = parsed(record.content)
        if not isinstance(said, dict):
            raise RecordRejected(broken(record.where, "This is not a JSON object.").about(record.identifier))
        if "seriesMember" in said:  # they are records of their own
            members = [one for one in flat(said["seriesMember"]) if isinstance(one, dict)]
            said = {**said, "seriesMember": [_name(one.get("@id")) or _name(one.get("identifier")) for one in members]}
        noun, table = KINDS[_kind(said, record.where)]
        yield node(noun, table, said, web_address(said.get("@id")) or web_address(_name(said.get("identifier"))))


# -- Fetching -----------------------------------------------------------------------------------------------------------

LISTS = Lists(
    records=frozenset({"dataset", "datasets", "service", "datasetSeries"}),
    members=frozenset({"seriesMember"}),
    nested=frozenset({"catalog"}),
    alone=frozenset({"distribution", "accessLevel"}),
)
MEMBER = ".seriesMember["


def misencoded(element: Element, identifier: Identifier) -> Iterator[Problem]:
    try:
        element.content.decode()
    except UnicodeDecodeError as error:
        found = decoded(element.content[max(0, error.start - 20) : error.start + 20])
        message = "Its text is not UTF-8 throughout; it was read as well as could be guessed."
        fix = "Save data.json as UTF-8."
        yield Problem(
            rule="encoding",
            message=message,
            fix=fix,
            where=element.where,
            found=found,
            record=identifier,
            severity="warning",
        )


REDACTED = re.compile(r"\s*\[\[REDACTED.*\]\]\s*", re.DOTALL | re.IGNORECASE)


def identified(said: Said) -> Identifier | None:
    """What the source calls the record, if that is a name."""
    for name in (_name(said.get("identifier")), _name(said.get("@id"))):
        if is_name(name) and name not in ("", "0") and not REDACTED.fullmatch(name) and not name.startswith("_:"):
            return Identifier(name)
    return None


def _name(said: Any) -> str:
    """An identifier: words, a number, or an object that holds one."""
    first = next(flat(said), "")
    if isinstance(first, dict):
        first = first.get("@id") or first.get("notation") or ""
    return read.written(first).strip()


def _unnamed(element: Element) -> Problem:
    found = read.written(element.said.get("identifier") or "")
    message = f"'{found[:100]}' cannot tell it from others." if found else "This has no identifier."
    fix = "Give it an identifier that no other dataset of yours has, and never change it."
    return Problem(rule="identifier-missing", message=message, fix=fix, where=element.where, found=found[:100])


def _repeated(identifier: Identifier, first: str, second: str) -> Problem:
    message = f"{first} and {second} have one identifier, so only the first is taken."
    fix = "Give each dataset an identifier of its own."
    return Problem(
        rule="identifier-repeated", message=message, fix=fix, where=second, found=identifier, record=identifier
    )


# -- Mapping ------------------------------------------------------------------------------------------------------------

N = TypeVar("N", bound=Node)


def node(noun: type[N], table: Iterable[Row], said: Said, iri: IRI | None = None) -> N:
    """A noun by its table. What is kept from readers ("[[REDACTED-EX B6]]") is no value, but is not forgotten."""
    shown, hidden = Said(), set[Statement]()
    for key, value in said.items():
        plain = key.removesuffix("Map") if isinstance(value, dict) else key
        items = list(flat(value))
        redacted = [item for item in items if isinstance(item, str) and REDACTED.fullmatch(item)]
        hidden |= {Statement(IRI(FEDCAT["redacted-" + re.sub(r"\W", "-", plain)]), Text(item)) for item in redacted}
        shown[plain] = [*shown.get(plain, ()), *(item for item in items if item not in redacted)]
    types = [type_ for name in flat(said.get("@type")) if (type_ := _class(str(name)))]
    iri = iri or web_address(said.get("@id"))
    return describe(
        noun, shown, table, iri=iri, types=types, rest=hidden, apart=KEYWORDS, predicate=term, reader=things
    )


KEYWORDS = ("@id", "@type", "@context")


def _class(name: str) -> str:
    prefix, _, last = name.rpartition(":")
    return name if web_address(name) else PREFIXES[prefix] + last if prefix in PREFIXES else CLASSES.get(last, "")


def term(key: str) -> str:
    return TERMS.get(key) or read.own(key)


def objects(noun: type[N], table: tuple[Row, ...]) -> Reader:
    """A reader of objects as nouns; an address alone names one, words stay words."""

    def reader(said: Any) -> Iterator[Value]:
        for one in flat(said):
            if not isinstance(one, dict):
                iri = web_address(one)
                yield noun(iri=iri) if iri else Text(read.written(one))
            elif (found := node(noun, table, one)) != noun():
                yield found

    return reader


def things(said: Any) -> Iterator[Value]:
    """Addresses, words, and what is described in place."""
    for one in flat(said):
        if not isinstance(one, dict) or all(read.LANGUAGE.fullmatch(key) for key in one):
            yield from read.concepts(one)
            continue
        url = None if web_address(one.get("@id")) else web_address(one.get("url"))
        found = node(Thing, (), {key: value for key, value in one.items() if not url or key != "url"}, url)
        if found != Thing():
            yield found.iri if found == Thing(iri=found.iri) and found.iri else found


def names(said: Any) -> Iterator[Text]:
    yield from (Text(name) for one in flat(said) if (name := _name(one)))


def agents(said: Any) -> Iterator[Value]:
    return iter(objects(Agent, AGENT)(said))


def locations(said: Any) -> Iterator[Value]:
    for one in flat(said):
        described = isinstance(one, dict) and one.keys() & {
            "@id",
            "prefLabel",
            "altLabel",
            "geometry",
            "bbox",
            "centroid",
        }
        yield from objects(Location, LOCATION)(one) if described and one.get("type") != "Feature" else read.places(one)


def periods(said: Any) -> Iterator[Value]:
    """Objects, or "2015-01-01/2015-12-31"."""
    for one in flat(said):
        ends = [end.strip() for end in one.split("/")] if isinstance(one, str) else []
        dates = [next(read.dates("" if end == ".." else end), None) for end in ends]
        if len(dates) == 2 and any(dates) and not any(isinstance(date, Text) for date in dates):
            yield PeriodOfTime(start=dates[0], end=dates[1])
        else:
            yield from objects(PeriodOfTime, PERIOD)(one)


CHECKSUM = (*rows(read.hexes, value="checksumValue"), *rows(things, algorithm="algorithm"))
PERIOD = rows(read.dates, start="startDate start", end="endDate end")
LOCATION = (
    *rows(read.texts, labels="prefLabel label"),
    *rows(names, identifiers="identifier"),
    *rows(read.shapes, geometries="geometry", boxes="bbox", centroids="centroid"),
)
AGENT: tuple[Row, ...] = (
    *rows(read.texts, names="name prefLabel fn"),
    *rows(names, identifiers="identifier"),
    *rows(read.emails, mailboxes="mbox hasEmail email"),
    *rows(things, kinds="category", homepages="homepage url", phones="phone tel"),
    *rows(agents, parent="subOrganizationOf"),
)
CONTACT: tuple[Row, ...] = (
    *rows(read.texts, names="fn name", organisation_names="organization-name", units="organization-unit"),
    *rows(read.emails, emails="hasEmail email mbox"),
    *rows(things, telephones="hasTelephone tel telephone phone", pages="hasURL url", addresses="hasAddress address"),
)
RELATIONSHIP = rows(things, relations="relation", roles="hadRole")
ATTRIBUTION = (*rows(agents, agents="agent"), *rows(things, roles="hadRole"))
RESOURCE: tuple[Row, ...] = (
    *rows(
        read.texts, titles="title", alternative_titles="alternative", summaries="summary", descriptions="description",
        keywords="keyword", version="version", version_notes="versionNotes",
    ),
    *rows(names, identifiers="identifier @id"),
    *rows(read.dates, issued="issued", modified="modified", created="created"),
    *rows(
        things, other_identifiers="otherIdentifier", themes="theme", subjects="subject", kinds="category", languages="language",
        access_rights="accessRights accessLevel", security_classification="securityClassification", status="status",
        licences="license licence", rights="rights", policies="hasPolicy", applicable_legislation="applicableLegislation",
        landing_pages="landingPage", pages="page, references", conforms_to="conformsTo", sources="source", samples="sample",
        relations="relation", referenced_by="isReferencedBy", parts="hasPart", replaces="replaces", replaced_by="isReplacedBy",
        versions="hasVersion", version_of="isVersionOf", current_version="hasCurrentVersion",
        previous_version="previousVersion", quality_measurements="hasQualityMeasurement",
    ),
    *rows(agents, publisher="publisher", creators="creator", rights_holders="rightsHolder"),
    *rows(objects(ContactPoint, CONTACT), contact_points="contactPoint"),
    *rows(objects(Relationship, RELATIONSHIP), qualified_relations="qualifiedRelation"),
    *rows(objects(Attribution, ATTRIBUTION), qualified_attributions="qualifiedAttribution"),
)  # fmt: skip
SERVICE: tuple[Row, ...] = (
    *RESOURCE,
    *rows(
        things, endpoint_urls="endpointURL", endpoint_descriptions="endpointDescription", serves_datasets="servesDataset",
        formats="format",
    ),
)  # fmt: skip
RESOLUTIONS: tuple[Row, ...] = (
    *rows(read.numbers, spatial_resolution="spatialResolutionInMeters"),
    *rows(read.durations, temporal_resolution="temporalResolution"),
)
DISTRIBUTION: tuple[Row, ...] = (
    *RESOLUTIONS,
    *rows(read.texts, titles="title", descriptions="description"),
    *rows(names, identifiers="identifier"),
    *rows(read.dates, issued="issued", modified="modified"),
    *rows(read.sizes, byte_size="byteSize size"),
    *rows(
        things, access_urls="accessURL", download_urls="downloadURL", formats="format", media_types="mediaType",
        compress_format="compressFormat", package_format="packageFormat", languages="language", licences="license licence",
        rights="rights", access_rights="accessRights accessLevel", policies="hasPolicy", availability="availability",
        status="status", pages="page", conforms_to="conformsTo", applicable_legislation="applicableLegislation",
    ),
    *rows(objects(DataService, SERVICE), access_services="accessService"),
    *rows(objects(Checksum, CHECKSUM), checksum="checksum"),
)  # fmt: skip
DATASET: tuple[Row, ...] = (
    *RESOURCE,
    *RESOLUTIONS,
    *rows(objects(Distribution, DISTRIBUTION), distributions="distribution"),
    *rows(locations, spatial="spatial"),
    *rows(periods, temporal="temporal"),
    *rows(
        things, frequency="accrualPeriodicity frequency", in_series="inSeries, isPartOf", previous="prev",
        provenance="provenance", generated_by="wasGeneratedBy",
    ),
)  # fmt: skip
SERIES: tuple[Row, ...] = (*DATASET, *rows(things, first="first", last="last", members="seriesMember"))

KINDS: dict[str, tuple[type[Resource], tuple[Row, ...]]] = {
    "dataset": (Dataset, DATASET), "series": (DatasetSeries, SERIES), "service": (DataService, SERVICE),
}  # fmt: skip
TYPES = {"Dataset": "dataset", "DatasetSeries": "series", "DataService": "service"}
HOLDS = {"datasetSeries": "series", "service": "service"}


def _kind(said: Said, where: str) -> str:
    """What the record says that it is, else what the list is for."""
    said_types = (TYPES.get(str(name).rpartition(":")[2]) for name in flat(said.get("@type")))
    lists = re.findall(r"\.(\w+)\[", where)
    return next(filter(None, said_types), HOLDS.get(lists[-1] if lists else "", "dataset"))


TERMS = {
    name: space[name]
    for space, said in (
        (ADMS, "notation schemaAgency supportedSchema representationTechnique"),
        (DCAT, "seriesMember accessURL downloadURL mediaType first bbox"),
        (DCATUS, "describedBy metadataDistribution liabilityStatement purpose geographicBoundingBox accessRestriction"
                 " useRestriction cuiRestriction restrictionStatus restrictionNote specificRestriction cuiBannerMarking"
                 " designationIndicator requiredIndicatorPerAuthority"),
        (DCT, "title description identifier issued modified created contributor rightsHolder spatial temporal creator publisher"
              " language abstract bibliographicCitation conformsTo format"),
        (DQV, "hasQualityMeasurement isMeasurementOf value"),
        (FOAF, "name homepage"),
        (PROV, "wasAttributedTo wasUsedBy"),
        (RDFS, "label"),
        (SCHEMA, "image"),
        (SKOS, "scopeNote prefLabel altLabel notation definition inScheme"),
    )
    for name in said.split()
} | {"category": DCT.type}  # fmt: skip
CLASSES = {
    name: space[name]
    for space, said in (
        (ADMS, "Identifier"),
        (DCAT, "Dataset DatasetSeries DataService Distribution Relationship"),
        (DCATUS, "AccessRestriction UseRestriction CUIRestriction GeographicBoundingBox LiabilityStatement"),
        (DCT, "LicenseDocument Location MediaType PeriodOfTime ProvenanceStatement RightsStatement Standard"),
        (DQV, "Metric QualityMeasurement"),
        (FOAF, "Agent Document Person"),
        (ORG, "Organization"),
        (PROV, "Activity Attribution"),
        (SKOS, "Concept ConceptScheme"),
    )
    for name in said.split()
}
