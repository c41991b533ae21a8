"""CKAN portals by their action API: every package once, by pages in order of id. DKAN by its lists, as it has no search."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Generator, Iterator
from itertools import zip_longest
from typing import Any

from ckanapi import RemoteCKAN
from ckanapi import errors as ckan

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
    PeriodOfTime,
    Relationship,
    Resource,
    Text,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, looks_like_html
from catalogue.source import HarvestSource, Option, SourceRecord
from harvesters import read
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
        Option("organisation-details", "yes: ask once for each organisation's title and e-mail", "no"),
    )

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        portal = Portal(source, client)
        for package in portal.packages():
            if isinstance(package, Problem):
                yield package
            elif portal.shows(package):
                yield portal.record(package)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:  # noqa: ARG002  no option changes it
        try:
            package = json.loads(record.content)
        except (ValueError, RecursionError):
            package = None
        if not isinstance(package, dict):
            raise RecordRejected(_unreadable("The record is not a package in JSON.", record.where).about(record.identifier))
        said = folded(gathered(package))
        iri = web_address(said.get("uri")) or web_address(said.get("guid"))
        noun = DatasetSeries if said.get("type") == "dataset_series" else Dataset
        yield describe(noun, said, PACKAGE, iri=iri, apart=OF_PACKAGES | ({"uri"} if iri else set()))


# -- Fetching -----------------------------------------------------------------------------------------------------------
# Portals change while they are read, so each page begins with the last dataset of the page before. When that one is not
# there, datasets were taken away and others have moved up unseen: we go back until we know again where we are.

PASSES = 2
PATIENCE = 20
NOT_DATASETS = {"harvest", "showcase"}
"""Packages in which extensions keep what is theirs: the portal's own harvest sources, its showcases."""


class NoSuchAction(Exception):
    """The portal does not have this action, or not the thing that was asked for."""


class TooMuch(Exception):
    """The answer is larger, or nested deeper, than can be read."""


class Portal:
    """One portal, asked for its packages."""

    def __init__(self, source: HarvestSource, client: Client) -> None:
        self.address = re.sub(r"/*(?:/api(?:/.*)?|/dataset/?)?$", "", source.url.partition("?")[0])
        said = source.option("rows")
        self.rows = max(2, int(said)) if said.isdecimal() else 500
        filters = {"organization": source.option("organisation"), "groups": source.option("groups")}
        self.only = {field: set(re.findall(r"[^\s,]+", names)) for field, names in filters.items() if names}
        self.details: dict[str, Said] | None = {} if source.option("organisation-details") == "yes" else None
        self.searches = True
        self._remotes = [
            RemoteCKAN(self.address, user_agent=client.agent, session=client.session, get_only=get) for get in (True, False)
        ]
        for remote in self._remotes:
            remote.base_url = source.option("api").strip("/") + "/"

    def packages(self) -> Iterator[Said | Problem]:
        """Every package once. A second pass finds what slipped by while the portal changed."""
        seen, count = set[str](), 0
        try:
            for _ in range(PASSES):
                count = yield from self.searched(seen)
                if len(seen) >= count:
                    return
        except NoSuchAction:
            if seen:
                raise self.incomplete("stopped answering package_search") from None
            self.searches = False
            yield from self.listed()
        else:
            raise self.incomplete(f"says that it has {count} datasets, and gave {len(seen)}")

    def searched(self, seen: set[str]) -> Generator[Said | Problem, None, int]:
        """Those not seen before, page by page. Returns how many the portal says it has."""
        passed, before, start, rows, overlap, troubles = set[str](), list[str](), 0, self.rows, False, 0
        while troubles <= PATIENCE:
            try:
                count, page = self.page(start, rows)
            except TooMuch:
                if rows == 1:
                    yield _unreadable("One dataset is too large or nested too deep to be read.", f"start={start}")
                    start, overlap, troubles = start + 1, False, troubles + 1
                rows = max(1, rows // 2)
                continue
            keys = [_key(package) or f"#{place}" for place, package in enumerate(page, start)]
            if overlap and keys == before:
                raise self.incomplete(f"gives the same page again for start={start}")
            if overlap and (not keys or keys[0] not in passed):
                start, before, troubles = max(0, start - rows), [], troubles + 1
                overlap = start > 0
                continue
            for key, package in zip(keys, page, strict=True):
                if key not in seen:
                    yield package if isinstance(package, dict) else _unreadable("A dataset is not a JSON object.", key)
                seen.add(key)
            passed.update(keys)
            if not keys or start + len(keys) >= count:
                return count
            overlap = len(keys) > 1
            start, before, rows = start + len(keys) - overlap, keys, min(self.rows, rows * 2)
        raise self.incomplete("changes faster than it can be read, or has too much that cannot be")

    def page(self, start: int, rows: int) -> tuple[int, list[Any]]:
        query = " ".join(f"{field}:({' OR '.join(sorted(names))})" for field, names in self.only.items())
        query = query if " OR " in query else query.replace("(", "").replace(")", "")
        answer = self.ask("package_search", sort="id asc", rows=rows, start=start, **({"fq": query} if query else {}))
        count, page = (answer.get("count"), answer.get("results")) if isinstance(answer, dict) else (None, None)
        if not isinstance(count, int) or not isinstance(page, list):
            raise self.unavailable("answered package_search with something other than datasets")
        return count, page

    def listed(self) -> Iterator[Said | Problem]:
        """What the portal lists: in bulk where it can, one by one where it must."""
        try:
            names = {name for name in flat(self.ask("package_list")) if isinstance(name, str)}
        except (NoSuchAction, TooMuch):
            names = set()
        seen: set[str] = set()
        try:
            yield from self.bulk(names, seen)
        except (NoSuchAction, TooMuch, SourceUnavailable):
            if not names:
                raise self.unavailable("has no action API that could be read", ELSEWHERE) from None
        for name in sorted(names - seen):
            try:
                shown = next(flat(self.ask("package_show", id=name)), None)  # a list in DKAN
            except NoSuchAction:  # it went while we read
                continue
            except TooMuch:
                shown = None
            yield shown if isinstance(shown, dict) else _unreadable(f"The dataset {name} cannot be read.", name).about(name)

    def bulk(self, names: set[str], seen: set[str]) -> Iterator[Said]:
        """Many at once; `seen` learns their ids and names."""
        offset, fresh = 0, True
        while fresh and not (names and names <= seen):
            answer = self.ask("current_package_list_with_resources", limit=self.rows, offset=offset)
            page = [package for package in flat(answer) if isinstance(package, dict)]  # a list in a list in DKAN
            new = [package for package in page if _key(package) not in seen]
            yield from new
            seen.update(str(package[field]) for package in new for field in ("id", "name") if package.get(field))
            offset, fresh = offset + len(page), bool(new)

    def ask(self, action: str, **parameters: Any) -> Any:
        """What the action gives. By POST where the portal refuses GET."""
        try:
            return self._remotes[0].call_action(action, parameters)
        except ckan.NotFound:
            raise NoSuchAction from None
        except RecursionError:
            raise TooMuch from None
        except SourceUnavailable as error:
            if error.rule == "answer-too-large":
                raise TooMuch from None
            raise
        except REFUSALS as error:
            fix = "Check the source's options; ask the portal's owner what visitors may ask for."
            raise self.unavailable(f"refused {action}: {str(error)[:200]}", fix) from None
        except (ckan.CKANAPIError, ckan.ServerIncompatibleError, KeyError) as error:
            status, body = _answered(error)
        if status == 405 and len(self._remotes) > 1:
            del self._remotes[0]
            return self.ask(action, **parameters)
        if status in (400, 404):
            raise NoSuchAction
        what = "a web page" if looks_like_html(body[:4096].encode("utf-8", "replace")) else "something else"
        raise self.unavailable(f"answered {action} with {what} instead of CKAN's JSON (status {status or 200})", ELSEWHERE)

    def unavailable(self, what: str, fix: str = "", rule: str = "source-unavailable") -> SourceUnavailable:
        return SourceUnavailable(f"{self.address} {what}.", fix=fix, address=self.address, rule=rule)

    def incomplete(self, what: str) -> SourceUnavailable:
        return self.unavailable(f"{what}, so some may be missing", rule="source-incomplete")

    def shows(self, package: Said) -> bool:
        """Whether visitors see it as a dataset. What DKAN lists it also calls private; and its lists know no filter."""
        state, kind = (str(package.get(key) or "").lower() for key in ("state", "type"))
        if self.searches:
            wanted = str(package.get("private")).lower() != "true"
        else:
            wanted = all(names & set(map(_name, flat(package.get(field)))) for field, names in self.only.items())
        return wanted and state in ("", "active") and kind not in NOT_DATASETS

    def record(self, package: Said) -> SourceRecord | Problem:
        identifier = _key(package)
        name = str(package.get("name") or identifier)
        if not identifier:
            return _unreadable("A dataset has neither id nor name.", str(package.get("title")))
        try:
            content = json.dumps(self.completed(package), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        except RecursionError:
            return _unreadable(f"The dataset {name} is nested too deep to be read.", name).about(identifier)
        address = f"{self.address}/dataset/{name}"
        return SourceRecord(Identifier(identifier), content.encode("utf-8", "replace"), "application/json", address, name)

    def completed(self, package: Said) -> Said:
        """With what its organisation says of itself, where the source's owner wants that."""
        body = package.get("organization")
        if self.details is None or not isinstance(body, dict) or (body.get("email") and body.get("title")):
            return package
        name = str(body.get("id") or body.get("name"))
        if name not in self.details:
            try:
                shown = self.ask("organization_show", id=name, include_datasets=False)
            except (NoSuchAction, TooMuch, SourceUnavailable):  # a courtesy: without it the dataset is still a dataset
                shown = {}
            self.details[name] = {key: shown[key] for key in ("title", *OF_ORGANISATION) if shown.get(key)}
        return {**package, "organization": {**self.details[name], **{key: value for key, value in body.items() if value}}}


ELSEWHERE = "Give the portal's home address; if its API is somewhere else, say where in the option 'api'."
REFUSALS = (ckan.NotAuthorized, ckan.ValidationError, ckan.SearchQueryError, ckan.SearchError, ckan.SearchIndexError)


def _answered(error: Exception) -> tuple[int, str]:
    """Status and body of an answer that ckanapi could make nothing of: it keeps them written as a list."""
    try:
        _, status, body = literal_eval(str(error))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return 0, ""
    return int(status), str(body)


def _key(package: Any) -> str:
    return str(package.get("id") or package.get("name") or "") if isinstance(package, dict) else ""


def _name(said: Any) -> str:
    return str(said.get("name") if isinstance(said, dict) else said)


def _unreadable(message: str, where: str) -> Problem:
    fix = "Ask the portal's owner to look at this dataset; its edit form shows which field is at fault."
    return Problem(rule="package-unreadable", message=message, fix=fix, where=where)


# -- Mapping ------------------------------------------------------------------------------------------------------------
# Fields and extras are read alike, by the names that ckanext-dcat, ckanext-spatial, ckanext-fluent and data.gov.uk use.


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
        holder = {"title": _label(body), "identifier": body.get("name"), **{key: body.get(key) for key in OF_ORGANISATION}}
        if said["publisher"] and holder["title"] not in [one.get("name") for one in said["publisher"]]:
            roles.append({"agent": holder, "role": "organisation"})
        said["publisher"] = said["publisher"] or holder
    said["qualified_attribution"] = [said.get("qualified_attribution"), [role for role in roles if role["agent"]]]
    for start, end in PERIODS:
        both = zip_longest(flat(said.pop(start, None)), flat(said.pop(end, None)))
        said["temporal_coverage"] = [said.get("temporal_coverage"), [{"start": first, "end": last} for first, last in both]]
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
    *rows(read.concepts, identifiers="identifier", kinds="type", phones="phone telephone", homepages="url web website homepage"),
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
