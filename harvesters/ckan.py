"""CKAN portals by their action API: every package once, by pages in order of id. DKAN by its lists, as it has no search."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Collection, Generator, Iterator
from itertools import zip_longest
from typing import Any, ClassVar

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
    Value,
    words,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, looks_like_html
from catalogue.source import HarvestSource, Option, SourceRecord
from harvesters import (
    Row,
    concepts,
    dates,
    describe,
    durations,
    emails,
    flat,
    hexes,
    numbers,
    places,
    rows,
    shapes,
    sizes,
    texts,
    web_address,
)

Said = dict[str, Any]
Pairs = Iterator[tuple[str, Value]]


class Ckan:
    """Reads CKAN and DKAN portals."""

    name: ClassVar[str] = "ckan"
    title: ClassVar[str] = "CKAN portal (action API)"
    sample: ClassVar[str] = "https://data.example.gov.uk"
    options: ClassVar[tuple[Option, ...]] = (
        Option("organisation", "Only what these organisations publish: their names in CKAN, with commas between."),
        Option("groups", "Only what is in one of these groups: their names in CKAN, with commas between."),
        Option("rows", "How many datasets to ask for at once; many portals give 1,000 at most.", "500"),
        Option("api", "Where the action API is, below the portal's address.", "api/3/action"),
        Option("organisation-details", "yes: ask for the e-mail and title of each organisation, once.", "no"),
    )

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        portal = Portal(source, client)
        for package in portal.packages():
            if isinstance(package, Problem):
                yield package
            elif portal.shows(package):
                yield portal.record(package)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:  # noqa: ARG002 - the protocol's
        try:
            package = json.loads(record.content)
        except (ValueError, RecursionError):
            package = None
        if not isinstance(package, dict):
            raise RecordRejected(_unreadable("The record is not a package in JSON.", record.where).about(record.identifier))
        said = gathered(package)
        iri = web_address(said.get("uri")) or web_address(said.get("guid"))
        noun = DatasetSeries if said.get("type") == "dataset_series" else Dataset
        more = [pair for part in PARTS for pair in part(said)]
        yield describe(noun, said, PACKAGE, iri=iri, more=more, apart=APART | ({"uri"} if iri else set()))


# Fetching. Portals change while they are read, so each page begins with the last dataset of the page before: when that
# one is not there, datasets were taken away, others have moved up, and we go back until we know where we are.

PASSES = 2
PATIENCE = 20
NOT_DATASETS = {"harvest", "showcase"}
"""Packages in which extensions keep what is theirs: the portal's own harvest sources, its showcases."""


class NoSuchAction(Exception):
    """The portal does not have this action, or not what was asked of it."""


class TooMuch(Exception):
    """The answer is larger, or nested deeper, than can be read."""


class Portal:
    """One portal, asked for its packages."""

    def __init__(self, source: HarvestSource, client: Client) -> None:
        self.address = re.sub(r"/*(?:/api(?:/.*)?|/dataset/?)?$", "", source.url.partition("?")[0])
        rows = source.option("rows")
        self.rows = int(rows) if rows.isdecimal() and int(rows) else 500
        self.only = {
            field: names
            for field, option in (("organization", "organisation"), ("groups", "groups"))
            if (names := {name.strip() for name in source.option(option).split(",") if name.strip()})
        }
        self.details: dict[str, Said] | None = {} if source.option("organisation-details") == "yes" else None
        self.searches = True
        self._remotes = [
            RemoteCKAN(self.address, user_agent=client.agent, session=client.session, get_only=get) for get in (True, False)
        ]
        for remote in self._remotes:
            remote.base_url = source.option("api").strip("/") + "/"

    def packages(self) -> Iterator[Said | Problem]:
        """Every package once. A second pass finds what slipped by while the portal changed."""
        seen: set[str] = set()
        try:
            for _ in range(PASSES):
                count = yield from self.one_pass(seen)
                if len(seen) >= count:
                    return
        except NoSuchAction:
            if seen:
                raise self.incomplete("stopped answering package_search") from None
            self.searches = False
            yield from self.listed()
            return
        raise self.incomplete(f"says that it has {count} datasets, and gave {len(seen)}")

    def one_pass(self, seen: set[str]) -> Generator[Said | Problem, None, int]:
        """Those not seen before, page by page. Returns how many the portal says it has."""
        passed, before, start, rows, overlap, troubles = set[str](), list[str](), 0, self.rows, False, 0
        while True:
            try:
                count, page = self.page(start, rows)
            except TooMuch:
                if rows == 1:
                    yield _unreadable("One dataset is too large or nested too deep to be read.", f"start={start}")
                    start, overlap, troubles = start + 1, False, self.trouble(troubles)
                rows = max(1, rows // 2)
                continue
            keys = [_key(package, start + place) for place, package in enumerate(page)]
            if overlap and keys == before:
                raise self.incomplete(f"gives the same page again for start={start}")
            if overlap and (not keys or keys[0] not in passed):
                start, before, troubles = max(0, start - rows), [], self.trouble(troubles)
                overlap = start > 0
                continue
            for key, package in zip(keys, page, strict=True):
                if key not in seen:
                    seen.add(key)
                    yield package if isinstance(package, dict) else _unreadable(
                        "A dataset in the answer is not a JSON object.", f"start={start}"
                    )
            passed.update(keys)
            if not keys or start + len(keys) >= count:
                return count
            overlap = len(keys) > 1
            start, before, rows = start + len(keys) - overlap, keys, min(self.rows, rows * 2)

    def trouble(self, troubles: int) -> int:
        if troubles >= PATIENCE:
            raise self.incomplete("changes faster than it can be read, or has too much that cannot be")
        return troubles + 1

    def page(self, start: int, rows: int) -> tuple[int, list[Any]]:
        query = " ".join(f"{field}:({' OR '.join(sorted(names))})" for field, names in self.only.items())
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
                shown = next(flat(self.ask("package_show", id=name)), None)
            except NoSuchAction:  # it went while we read
                continue
            except TooMuch:
                shown = None
            yield shown if isinstance(shown, dict) else _unreadable(f"The dataset {name} cannot be read.", name).about(name)

    def bulk(self, names: set[str], seen: set[str]) -> Iterator[Said]:
        """Many at once; `seen` learns their ids and names."""
        offset = 0
        while True:
            answer = self.ask("current_package_list_with_resources", limit=self.rows, offset=offset)
            page = [package for package in flat(answer) if isinstance(package, dict)]  # DKAN puts a list in the list
            fresh = [package for package in page if _key(package, offset) not in seen]
            yield from fresh
            for package in fresh:
                seen.update(str(package[field]) for field in ("id", "name") if package.get(field))
            if not fresh or (names and names <= seen):
                return
            offset += len(page)

    def ask(self, action: str, **parameters: Any) -> Any:
        """What the action gives. By POST where the portal refuses GET."""
        remote = self._remotes[0]
        try:
            return remote.call_action(action, parameters)
        except ckan.NotFound:
            raise NoSuchAction from None
        except RecursionError:
            raise TooMuch from None
        except SourceUnavailable as error:
            if error.rule == "answer-too-large":
                raise TooMuch from None
            raise
        except (ckan.CKANAPIError, ckan.ServerIncompatibleError, KeyError) as error:
            status, body = _answered(error)
            if status == 405 and len(self._remotes) > 1:
                del self._remotes[0]
                return self.ask(action, **parameters)
            if status in (400, 404):
                raise NoSuchAction from None
            raise self.refused(action, error, status, body) from None

    def refused(self, action: str, error: Exception, status: int, body: str) -> SourceUnavailable:
        said = next((said for kinds, said in REFUSALS if isinstance(error, kinds)), "")
        if said:
            return self.unavailable(f"{said} {action}: {str(error)[:200]}", "Check the source's options, and ask its owner.")
        if looks_like_html(body.encode()):
            return self.unavailable(f"answered {action} with a web page instead of CKAN's JSON ({status})", ELSEWHERE)
        return self.unavailable(f"answered {action} with something other than CKAN's JSON ({status or 'no result'})", ELSEWHERE)

    def unavailable(self, what: str, fix: str = "", rule: str = "source-unavailable") -> SourceUnavailable:
        return SourceUnavailable(f"{self.address} {what}.", fix=fix, address=self.address, rule=rule)

    def incomplete(self, what: str) -> SourceUnavailable:
        return self.unavailable(f"{what}, so some may be missing", rule="source-incomplete")

    def shows(self, package: Said) -> bool:
        """Whether visitors see it as a dataset. DKAN calls private what it shows to all."""
        state, kind = str(package.get("state") or "active").lower(), str(package.get("type") or "dataset").lower()
        private = self.searches and str(package.get("private")).lower() == "true"
        wanted = self.searches or all(names & _names(package.get(field)) for field, names in self.only.items())
        return state == "active" and kind not in NOT_DATASETS and not private and wanted

    def record(self, package: Said) -> SourceRecord | Problem:
        identifier = str(package.get("id") or package.get("name") or "")
        name = str(package.get("name") or identifier)
        if not identifier:
            return _unreadable("A dataset has neither id nor name.", words(texts(package.get("title"))))
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
                known = self.ask("organization_show", id=name, include_datasets=False)
            except (NoSuchAction, TooMuch, SourceUnavailable):  # a courtesy: without it the dataset is still a dataset
                known = {}
            self.details[name] = {key: known[key] for key in ORGANISATION_DETAILS if known.get(key)}
        return {**package, "organization": {**self.details[name], **{k: v for k, v in body.items() if v}}}


ELSEWHERE = "Give the portal's home address; if its API is somewhere else, say where in the option 'api'."
ORGANISATION_DETAILS = ("title", "display_name", "email", "contact_email", "url", "website")
REFUSALS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((ckan.NotAuthorized,), "does not let visitors use"),
    ((ckan.SearchQueryError, ckan.SearchError, ckan.SearchIndexError, ckan.ValidationError), "could not answer"),
)


def _answered(error: Exception) -> tuple[int, str]:
    """Status and body of an answer that ckanapi could make nothing of: it keeps them written as a list."""
    try:
        _, status, body = literal_eval(str(error))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return 0, ""
    return int(status), str(body)


def _key(package: Any, place: int) -> str:
    return str((isinstance(package, dict) and (package.get("id") or package.get("name"))) or f"#{place}")


def _names(said: Any) -> set[str]:
    return {str(item.get("name") if isinstance(item, dict) else item) for item in flat(said)}


def _unreadable(message: str, where: str) -> Problem:
    fix = "Ask the portal's owner to look at this dataset; its edit form shows which field is at fault."
    return Problem(rule="package-unreadable", message=message, fix=fix, where=where)


# Mapping. What a package says of itself and what its extras say is read alike; names of ckanext-dcat and of data.gov.uk.


def gathered(package: Said) -> Said:
    """What is said by key: extras beside the fields, lists out of their JSON text, translations beside the plain words."""
    found: Said = {}
    for key, value in (*_extras(package.get("extras")), *package.items()):
        if key != "extras" and any(True for _ in flat(value)):
            found[key] = _opened(value)
    for key in [key for key in found if key.endswith("_translated")]:
        plain = key.removesuffix("_translated")
        plain = "keywords" if plain == "tags" else plain
        found[plain] = [found.get(plain), found.pop(key)]
    if str(found.get("license_id")).lower() in UNSPECIFIED:
        found = {key: value for key, value in found.items() if not key.startswith("license_")}
    return found


UNSPECIFIED = {"notspecified", "not-specified"}


def _extras(extras: Any) -> Iterator[tuple[str, Any]]:
    """CKAN writes a list of key and value, its older versions an object."""
    pairs = extras.items() if isinstance(extras, dict) else [
        (str(extra.get("key")), extra.get("value")) for extra in flat(extras) if isinstance(extra, dict)
    ]
    for key, value in pairs:
        yield key if key == "dcat_type" else key.removeprefix("dcat_"), value


def _opened(value: Any) -> Any:
    if not isinstance(value, str) or value.strip()[:2] not in ('["', '[{', "[]", '{"'):
        return value
    try:
        opened = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if isinstance(opened, dict) and "type" in opened else opened  # GeoJSON stays as it was written


def listed(said: Any) -> Iterator[IRI | Text]:
    """Concepts; "en,cy" is two."""
    for item in flat(said):
        parts = [part.strip() for part in item.split(",")] if isinstance(item, str) else [item]
        apart = all(map(web_address, parts)) or not (web_address(item) or any(" " in str(part) for part in parts))
        yield from concepts(parts if apart else item)


PACKAGE: tuple[Row, ...] = (
    *rows(
        texts, titles="title", alternative_titles="alternative_title alternate_title", summaries="summary",
        descriptions="notes description", identifiers="identifier guid id", keywords="keywords, tag_string",
        version="version", version_notes="version_notes",
    ),
    *rows(
        dates, issued="issued date_released metadata_created", modified="modified date_updated metadata_modified",
        created="created",
    ),
    *rows(
        listed, themes="theme, theme-primary, theme-secondary", high_value_categories="hvd_category", languages="language",
        pages="documentation", relations="related_resource", referenced_by="is_referenced_by", samples="sample",
        in_series="in_series", versions="has_version", version_of="is_version_of",
    ),
    *rows(
        concepts, other_identifiers="alternate_identifier", landing_pages="url landing_page", kinds="dcat_type",
        frequency="frequency update_frequency frequency-of-update update_freq", status="status",
        access_rights="access_rights access access_level", security_classification="security_classification",
        licences="license_url license_title license_id, licence", rights="rights, access_constraints, use_constraints",
        applicable_legislation="applicable_legislation", legal_bases="legal_basis, mandate", purposes="purpose",
        personal_data="personal_data", conforms_to="conforms_to", provenance="provenance", sources="source",
    ),
    *rows(places, spatial="geographic_coverage"),
    *rows(numbers, spatial_resolution="spatial_resolution_in_meters"),
    *rows(durations, temporal_resolution="temporal_resolution"),
)  # fmt: skip

RESOURCE: tuple[Row, ...] = (
    *rows(texts, titles="name title", descriptions="description", identifiers="identifier"),
    *rows(dates, issued="issued created", modified="modified last_modified metadata_modified"),
    *rows(sizes, byte_size="size byte_size"),
    *rows(
        concepts, access_urls="access_url", download_urls="download_url", formats="format", media_types="mimetype media_type",
        compress_format="compress_format", package_format="package_format", availability="availability", status="status",
        licences="license license_url license_title license_id", rights="rights", access_rights="access_rights access_level",
        conforms_to="conforms_to, schema_url", applicable_legislation="applicable_legislation",
    ),
    *rows(listed, languages="language", pages="documentation"),
    *rows(numbers, spatial_resolution="spatial_resolution_in_meters"),
    *rows(durations, temporal_resolution="temporal_resolution"),
)  # fmt: skip

SERVICE: tuple[Row, ...] = (
    *rows(texts, titles="title", descriptions="description"),
    *rows(listed, endpoint_urls="endpoint_url", serves_datasets="serves_dataset", pages="documentation"),
    *rows(
        concepts, endpoint_descriptions="endpoint_description", access_rights="access_rights", licences="license licence"
    ),
)  # fmt: skip

AGENT: tuple[Row, ...] = (
    *rows(texts, names="title display_name name"),
    *rows(emails, mailboxes="email contact_email"),
    *rows(concepts, identifiers="identifier", kinds="type", phones="phone telephone", homepages="url web website homepage"),
)

CONTACT: tuple[Row, ...] = (
    *rows(texts, names="name"),
    *rows(emails, emails="email"),
    *rows(concepts, identifiers="identifier", telephones="phone telephone", pages="url web homepage"),
)

LOCATION: tuple[Row, ...] = (*rows(texts, labels="text"), *rows(shapes, geometries="geom", boxes="bbox", centroids="centroid"))
PERIOD = rows(dates, start="start", end="end")
CHECKSUM = (*rows(hexes, value="hash"), *rows(concepts, algorithm="hash_algorithm"))
RELATION = rows(concepts, relations="relation", roles="role")

# Who is said in a field of its own ("publisher"), and beside it ("publisher_email", "contact-phone").
BESIDE = ("uri", "name", "email", "phone", "telephone", "url", "web", "type", "identifier")


def party(said: Said, part: str) -> Iterator[Said]:
    """Everybody named in one part: as objects, as names, and by fields such as `part_email`."""
    named = list(flat(said.get(part)))
    yield from (one for one in named if isinstance(one, dict))
    names = [one for one in named if not isinstance(one, dict)]
    yield from ({"name": name} for name in names[1:])
    beside = {end: said[key] for end in BESIDE for key in (f"{part}-{end}", f"{part}_{end}") if key in said}
    if beside or names:
        yield {**({"name": names[0]} if names else {}), **beside}


def agents(said: Said, *parts: str) -> Iterator[Agent]:
    for one in (one for part in parts for one in party(said, part)):
        yield describe(Agent, one, AGENT, iri=web_address(one.get("uri")), apart=("uri",))


def who(said: Said) -> Pairs:
    """Publisher, creators, contacts, others with a part. The CKAN organisation publishes where no publisher is named."""
    body = said.get("organization")
    holder = describe(Agent, {key: body.get(key) for key in OF_ORGANISATION}, AGENT) if isinstance(body, dict) else None
    publishers = list(agents(said, "publisher"))
    yield from (("publisher", one) for one in publishers or ([holder] if holder else []))
    if holder and publishers and not any(holder.names <= one.names for one in publishers):
        yield "qualified_attributions", Attribution(agents=frozenset({holder}), roles=frozenset({Text("organisation")}))
    yield from (("creators", one) for one in agents(said, "creator", "author"))
    for one in (one for part in CONTACTS for one in party(said, part)):
        yield "contact_points", describe(ContactPoint, one, CONTACT, iri=web_address(one.get("uri")), apart=("uri",))
    for one in agents(said, "foi"):
        yield "qualified_attributions", Attribution(agents=frozenset({one}), roles=frozenset({Text("FOI")}))
    for one in flat(said.get("qualified_attribution")):
        if isinstance(one, dict):
            had = (("agents", agent) for agent in agents(one, "agent"))
            yield "qualified_attributions", describe(Attribution, one, rows(concepts, roles="role"), more=had, apart=("agent",))


OF_ORGANISATION = ("title", "display_name", "name", "email", "contact_email", "url", "website")
CONTACTS = ("contact", "contact_points", "maintainer")


def covers(said: Said) -> Pairs:
    """The times and places that the data are about."""
    for one in flat(said.get("temporal_coverage")):
        yield "temporal", describe(PeriodOfTime, one, PERIOD) if isinstance(one, dict) else Text(str(one))
    for start, end in PERIODS:
        for one in zip_longest(flat(said.get(start)), flat(said.get(end))):
            yield "temporal", describe(PeriodOfTime, dict(zip(("start", "end"), one, strict=True)), PERIOD)
    place = {end: said[key] for key, end in PLACE.items() if key in said}
    if place.keys() == {"geom"}:
        yield from (("spatial", one) for one in places(place["geom"]))
        place = {}
    for one in (place, *flat(said.get("spatial_coverage"))):
        if isinstance(one, dict) and one:
            yield "spatial", describe(Location, one, LOCATION, iri=web_address(one.get("uri")), apart=("uri",))
        elif one:
            yield from (("spatial", text) for text in places(one))


PERIODS = tuple(
    (f"{start}{mark}{begin}", f"{start}{mark}{end}")
    for start, begin, end in (("temporal", "start", "end"), ("temporal_coverage", "from", "to"))
    for mark in "_-"
)
PLACE = {"spatial": "geom", "spatial_uri": "uri", "spatial_text": "text", "spatial_bbox": "bbox", "spatial_centroid": "centroid"}


def has(said: Said) -> Pairs:
    """Keywords and themes, files and relations: what CKAN keeps in lists of objects."""
    for tag in flat(said.get("tags")):
        yield from (("keywords", text) for text in texts(_label(tag)))
    for group in flat(said.get("groups")):
        yield from (("themes", text) for text in texts(_label(group)))
    for one in flat(said.get("qualified_relation")):
        if isinstance(one, dict):
            yield "qualified_relations", describe(Relationship, one, RELATION, iri=web_address(one.get("uri")), apart=("uri",))
    for one in flat(said.get("resources")):
        if isinstance(one, dict) and str(one.get("state") or "active").lower() == "active":
            yield "distributions", distribution(gathered(one))


def _label(said: Any) -> Any:
    return (said.get("title") or said.get("display_name") or said.get("name")) if isinstance(said, dict) else said


def distribution(said: Said) -> Distribution:
    """A resource. What CKAN keeps itself, and what is called a file, can be downloaded from its address."""
    more: list[tuple[str, Value]] = []
    is_file = said.get("url_type") == "upload" or str(said.get("resource_type")).startswith("file")
    for one in concepts(said.get("url")):
        if said.get("url") not in (said.get("access_url"), said.get("download_url")):
            more.append(("access_urls", one))
        if is_file:
            more.append(("download_urls", one))
    for one in flat(said.get("access_services")):
        service = one if isinstance(one, dict) else {"uri": one}
        more.append(("access_services", describe(DataService, service, SERVICE, iri=web_address(service.get("uri")))))
    if "hash" in said:
        more.append(("checksum", describe(Checksum, {key: said.get(key) for key in ("hash", "hash_algorithm")}, CHECKSUM)))
    more = [pair for pair in more if pair[1] != type(pair[1])()]
    iri = web_address(said.get("uri"))
    return describe(Distribution, said, RESOURCE, iri=iri, more=more, apart=APART_OF_RESOURCE | ({"uri"} if iri else set()))


PARTS = (who, covers, has)
BOOKKEEPING = set(
    "id name type state private isopen owner_org creator_user_id revision_id revision_timestamp num_resources num_tags"
    " metadata_created metadata_modified tracking_summary harvest_object_id".split()
)
APART = (
    BOOKKEEPING
    | {"organization", "tags", "groups", "resources", "temporal_coverage", "spatial_coverage", "qualified_relation"}
    | {"qualified_attribution", *PLACE, *(key for pair in PERIODS for key in pair)}
    | {part + end for part in ("publisher", "creator", "author", "foi", *CONTACTS) for end in
       ("", *(mark + end for mark in "_-" for end in BESIDE))}
)
APART_OF_RESOURCE = set(
    "id url url_type state position package_id revision_id revision_timestamp created last_modified metadata_modified"
    " mimetype_inner cache_url cache_last_updated webstore_url webstore_last_updated datastore_active resource_group_id"
    " access_services hash hash_algorithm".split()
)
