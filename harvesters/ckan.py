"""CKAN and DKAN portals. Fields and extras are read alike, by the names of ckanext-dcat, -spatial, -fluent and data.gov.uk."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

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
    Location,
    PeriodOfTime,
    Relationship,
    Resource,
    Text,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.http import Client
from catalogue.source import FIRST, Fetched, HarvestSource, Option, PageEnd, SourceRecord, Visit
from harvesters import read
from harvesters.ckan_portal import Portal, unreadable
from harvesters.read import Row, describe, flat, nodes, rows, web_address

Said = dict[str, Any]


class Ckan:
    """Each package is a record: what the API says of it, its keys in order."""

    name = "ckan"
    title = "CKAN or DKAN portal (action API)"
    sample = "https://data.example.gov.uk"
    options = (
        Option("organisation", "only what these organisations publish: their names in CKAN, with commas between"),
        Option("groups", "only what is in one of these groups: their names in CKAN, with commas between"),
        Option("rows", "how many datasets to ask for at once; many portals give 1,000 at most", "500"),
        Option("api", "where the action API is, below the portal's address", "api/3/action"),
        Option("changes", "no: ask for everything every time, not only for what changed", "yes"),
        Option("organisation-details", "yes: ask once for each organisation's title and e-mail", "no"),
    )

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        portal = Portal(source, client, visit)
        for package in portal.packages():
            if isinstance(package, Problem | PageEnd):
                yield package
            elif portal.shows(package):
                yield portal.record(package)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:  # noqa: ARG002  no option changes it
        try:
            package = json.loads(record.content)
        except (ValueError, RecursionError):
            package = None
        if not isinstance(package, dict):
            raise RecordRejected(
                unreadable("The record is not a package in JSON.", record.where).about(record.identifier)
            )
        said = folded(gathered(package))
        iri = web_address(said.get("uri")) or web_address(said.get("guid"))
        noun = DatasetSeries if said.get("type") == "dataset_series" else Dataset
        yield describe(noun, said, PACKAGE, iri=iri, apart=OF_PACKAGES | ({"uri"} if iri else set()))


def gathered(fields: Said) -> Said:
    """What is said by key: extras beside the fields, lists out of their JSON text, translations beside the plain words."""
    said = {key: _opened(value) for key, value in (*_extras(fields.get("extras")), *fields.items()) if _any(value)}
    said.pop("extras", None)
    for key in [key for key in said if key.endswith("_translated")]:
        plain = "keywords" if key == "tags_translated" else key.removesuffix("_translated")
        said[plain] = [said.get(plain), said.pop(key)]
    if str(said.get("license_id")).lower() == "notspecified":  # CKAN's word for saying nothing
        said = {key: value for key, value in said.items() if not key.startswith("license_")}
    return said


def _extras(extras: Any) -> Iterator[tuple[str, Any]]:
    """A list of keys and values; in old versions an object. ckanext-dcat's old names begin with dcat_."""
    listed = [one for one in flat(extras) if isinstance(one, dict)]
    for one in listed:
        for key, value in [(one["key"], one.get("value"))] if "key" in one else one.items():
            yield key if key == "dcat_type" else str(key).removeprefix("dcat_"), value


def _any(value: Any) -> bool:
    return next(flat(value), None) is not None


def _opened(value: Any) -> Any:
    """JSON written as text, as extras hold lists. A shape stays as it was written."""
    if not isinstance(value, str) or not re.match(r'\s*(?:\[\s*["{\]]|\{\s*")', value):
        return value
    try:
        opened = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if isinstance(opened, dict) and "type" in opened else opened


def folded(said: Said) -> Said:
    """What a package says in several fields (publisher_name, publisher_email), as one object."""
    people = {part: _person(said, part) for part in PEOPLE}
    said = {**said, **people}
    roles = [{"agent": said.pop("foi"), "role": "FOI"}]
    body = said.pop("organization", None)
    if isinstance(body, dict):
        holder = {
            "title": _label(body),
            "identifier": body.get("name"),
            **{key: body.get(key) for key in OF_ORGANISATION},
        }
        if said["publisher"] and holder["title"] not in [one.get("name") for one in said["publisher"]]:
            roles.append({"agent": holder, "role": "organisation"})
        said["publisher"] = said["publisher"] or holder
    said["qualified_attribution"] = [said.get("qualified_attribution"), [role for role in roles if role["agent"]]]
    for start, end in PERIODS:
        both = zip_longest(flat(said.pop(start, None)), flat(said.pop(end, None)))
        said["temporal_coverage"] = [
            said.get("temporal_coverage"),
            [{"start": first, "end": last} for first, last in both],
        ]
    if any(key in said for key in PLACE):
        place = {meaning: said.pop(key) for key, meaning in (*PLACE.items(), ("spatial", "geom")) if key in said}
        said["spatial_coverage"] = [said.get("spatial_coverage"), place]
    return said


def _person(said: Said, part: str) -> list[Said]:
    beside = {end: said.pop(key) for end in BESIDE for key in (f"{part}-{end}", f"{part}_{end}") if key in said}
    named = [one if isinstance(one, dict) else {"name": one} for one in flat(said.pop(part, None))]
    return [{**named[0], **beside}] if len(named) == 1 else [*named, beside] if beside else named


PEOPLE = ("publisher", "creator", "author", "contact", "maintainer", "foi")
BESIDE = ("uri", "name", "email", "phone", "telephone", "url", "web", "type", "identifier")
PERIODS = (
    ("temporal_start", "temporal_end"), ("temporal_coverage-from", "temporal_coverage-to"),
    ("temporal_coverage_from", "temporal_coverage_to"),
)  # fmt: skip
PLACE = {"spatial_uri": "uri", "spatial_text": "text", "spatial_bbox": "bbox", "spatial_centroid": "centroid"}


def listed(said: Any) -> Iterator[IRI | Text]:
    """Concepts; "en,cy" is two."""
    for item in flat(said):
        parts = [part.strip() for part in item.split(",")] if isinstance(item, str) else [item]
        apart = all(map(web_address, parts)) or not (web_address(item) or any(" " in str(part) for part in parts))
        yield from read.concepts(parts if apart else item)


def labels(said: Any) -> Iterator[Text]:
    """What tags and groups are called."""
    for one in flat(said):
        yield from read.texts(_label(one) if isinstance(one, dict) else one)


def _label(said: Said) -> Any:
    return next((said[key] for key in ("title", "display_name", "name") if _any(said.get(key))), None)


def resources(said: Any) -> Iterator[Distribution]:
    """Files and services. What CKAN keeps itself, and what is called a file, can be downloaded from its address."""
    for fields in flat(said):
        if not isinstance(fields, dict) or str(fields.get("state") or "active").lower() != "active":
            continue
        one = gathered(fields)
        url = one.pop("url", None)
        if url not in (one.get("access_url"), one.get("download_url")):
            one["access_url"] = [one.get("access_url"), url]
        if one.get("url_type") == "upload" or str(one.get("resource_type")).startswith("file"):
            one["download_url"] = [one.get("download_url"), url]
        one["checksum"] = {key: one.pop(key, None) for key in ("hash", "hash_algorithm")}
        iri = web_address(one.get("uri"))
        yield describe(Distribution, one, RESOURCE, iri=iri, apart=OF_RESOURCES | ({"uri"} if iri else set()))


OF_ORGANISATION = ("email", "contact_email", "url", "website")
OF_PACKAGES = {
    "id", "name", "type", "state", "private", "isopen", "owner_org", "creator_user_id", "revision_id", "revision_timestamp",
    "num_resources", "num_tags", "metadata_created", "metadata_modified", "tracking_summary", "harvest_object_id",
}  # fmt: skip
OF_RESOURCES = {
    "id", "url_type", "state", "position", "package_id", "revision_id", "revision_timestamp", "created", "last_modified",
    "metadata_modified", "mimetype_inner", "cache_url", "cache_last_updated", "webstore_url", "webstore_last_updated",
    "datastore_active", "resource_group_id",
}  # fmt: skip
"""CKAN's own bookkeeping, which describes no data."""

AGENT: tuple[Row, ...] = (
    *rows(read.texts, names="title name"),
    *rows(read.emails, mailboxes="email contact_email"),
    *rows(
        read.concepts,
        identifiers="identifier",
        kinds="type",
        phones="phone telephone",
        homepages="url web website homepage",
    ),
)
CONTACT: tuple[Row, ...] = (
    *rows(read.texts, names="name"),
    *rows(read.emails, emails="email"),
    *rows(read.concepts, identifiers="identifier", telephones="phone telephone", pages="url web homepage"),
)
ATTRIBUTION = (*rows(nodes(Agent, AGENT), agents="agent"), *rows(read.concepts, roles="role"))
RELATION = rows(read.concepts, relations="relation", roles="role")
PERIOD = rows(read.dates, start="start", end="end")
LOCATION = (*rows(read.texts, labels="text"), *rows(read.shapes, geometries="geom", boxes="bbox", centroids="centroid"))
CHECKSUM = (*rows(read.hexes, value="hash"), *rows(read.concepts, algorithm="hash_algorithm"))
SERVICE: tuple[Row, ...] = (
    *rows(read.texts, titles="title", descriptions="description"),
    *rows(listed, endpoint_urls="endpoint_url", serves_datasets="serves_dataset", pages="documentation"),
    *rows(
        read.concepts, endpoint_descriptions="endpoint_description", access_rights="access_rights", licences="license licence"
    ),
)  # fmt: skip
RESOURCE: tuple[Row, ...] = (
    *rows(read.texts, titles="name title", descriptions="description", identifiers="identifier"),
    *rows(read.dates, issued="issued created", modified="modified last_modified metadata_modified"),
    *rows(
        read.concepts, access_urls="access_url", download_urls="download_url", formats="format", status="status",
        media_types="mimetype media_type", compress_format="compress_format", package_format="package_format",
        availability="availability", licences="license license_url license_title license_id", rights="rights",
        access_rights="access_rights access_level", conforms_to="conforms_to, schema_url",
        applicable_legislation="applicable_legislation",
    ),
    *rows(listed, languages="language", pages="documentation"),
    *rows(nodes(DataService, SERVICE), access_services="access_services"),
    *rows(nodes(Checksum, CHECKSUM), checksum="checksum"),
    *rows(read.sizes, byte_size="size byte_size"),
    *rows(read.numbers, spatial_resolution="spatial_resolution_in_meters"),
    *rows(read.durations, temporal_resolution="temporal_resolution"),
)  # fmt: skip
PACKAGE: tuple[Row, ...] = (
    *rows(
        read.texts, titles="title", alternative_titles="alternative_title alternate_title", summaries="summary",
        descriptions="notes description", identifiers="identifier guid id", keywords="keywords, tag_string",
        version="version", version_notes="version_notes",
    ),
    *rows(labels, keywords="tags", themes="groups"),
    *rows(
        read.dates, issued="issued date_released metadata_created", modified="modified date_updated metadata_modified",
        created="created",
    ),
    *rows(
        listed, themes="theme, theme-primary, theme-secondary", high_value_categories="hvd_category", languages="language",
        pages="documentation", relations="related_resource", referenced_by="is_referenced_by", samples="sample",
        in_series="in_series", versions="has_version", version_of="is_version_of",
    ),
    *rows(
        read.concepts, other_identifiers="alternate_identifier", landing_pages="url landing_page", kinds="dcat_type",
        frequency="frequency update_frequency frequency-of-update update_freq", status="status",
        access_rights="access_rights access access_level", security_classification="security_classification",
        licences="license_url license_title license_id, licence", rights="rights, access_constraints, use_constraints",
        applicable_legislation="applicable_legislation", legal_bases="legal_basis, mandate", purposes="purpose",
        personal_data="personal_data", conforms_to="conforms_to", provenance="provenance", sources="source",
    ),
    *rows(nodes(Agent, AGENT), publisher="publisher", creators="creator, author"),
    *rows(nodes(ContactPoint, CONTACT), contact_points="contact, contact_points, maintainer"),
    *rows(nodes(Attribution, ATTRIBUTION), qualified_attributions="qualified_attribution"),
    *rows(nodes(Relationship, RELATION), qualified_relations="qualified_relation"),
    *rows(nodes(PeriodOfTime, PERIOD), temporal="temporal_coverage"),
    *rows(nodes(Location, LOCATION), spatial="spatial_coverage"),
    *rows(read.places, spatial="spatial, geographic_coverage"),
    *rows(read.numbers, spatial_resolution="spatial_resolution_in_meters"),
    *rows(read.durations, temporal_resolution="temporal_resolution"),
    *rows(resources, distributions="resources"),
)  # fmt: skip
