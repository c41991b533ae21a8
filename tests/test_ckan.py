"""The CKAN harvester against recorded and misbehaving portals: nothing missed, nothing invented, nothing lost in silence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Answers, Hostile, RecordedCkan, numbered_packages
from shared import shared_files

from catalogue.dcat import IRI, Dataset, DatasetSeries, Distribution, Resource, Slug, Statement, Text, When
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Limits
from catalogue.source import HarvestSource, SourceRecord
from harvesters.ckan import Ckan
from vocab.namespaces import DCAT, FEDCAT, XSD

HARVESTER = Ckan()
QUICK = Limits(connect=2, read=2, total=20, retries=0)
OWN_EXAMPLES = Path(__file__).parent / "harvesters" / "ckan" / "response.json"
JSON = {"Content-Type": "application/json;charset=utf-8"}


def source(url: str, **options: str) -> HarvestSource:
    return HarvestSource(name=Slug("portal"), type="ckan", url=url, options={k.replace("_", "-"): v for k, v in options.items()})


def fetched(url: str, **options: str) -> list[SourceRecord | Problem]:
    with Client(QUICK, allow_private=True) as client:
        return list(HARVESTER.fetch(source(url, **options), client))


def until_it_breaks_off(url: str, **options: str) -> tuple[list[SourceRecord | Problem], SourceUnavailable]:
    found: list[SourceRecord | Problem] = []
    with Client(QUICK, allow_private=True) as client, pytest.raises(SourceUnavailable) as ended:
        found.extend(HARVESTER.fetch(source(url, **options), client))
    return found, ended.value


def identifiers(found: list[SourceRecord | Problem]) -> list[str]:
    return [one.identifier for one in found if isinstance(one, SourceRecord)]


def described(package: dict[str, Any]) -> Resource:
    content = json.dumps({"id": "p-1", "name": "p-1", "title": "P"} | package).encode()
    record = SourceRecord(package.get("id", "p-1"), content, "application/json", "https://ckan.example.gov.uk/dataset/p-1")
    [resource] = HARVESTER.map(record, source("https://ckan.example.gov.uk"))
    return resource


def distribution(**fields: Any) -> Distribution:
    resource = described({"resources": [{"id": "r-1", **fields}]})
    assert isinstance(resource, Dataset)
    [found] = resource.distributions
    return found


def envelope(result: Any) -> bytes:
    return json.dumps({"help": "", "success": True, "result": result}).encode()


# -- Fetching


def test_every_package_comes_once_in_order_of_id_whatever_the_cap():
    with RecordedCkan(numbered_packages(23)[::-1], cap=5) as server:
        found = fetched(server.url)
        assert identifiers(found) == [f"id-{n:05d}" for n in range(23)]
        assert len(server.requests) == 6  # pages of five that overlap by one


def test_a_record_is_the_package_with_its_keys_in_order():
    [package] = numbered_packages(1)
    with RecordedCkan([package]) as server:
        [record] = fetched(server.url)
    assert isinstance(record, SourceRecord)
    assert json.loads(record.content) == package
    assert record.content == json.dumps(package, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert record.media_type == "application/json"
    assert record.address.endswith("/dataset/pkg-00000")


@pytest.mark.parametrize("below", ["", "/", "/api/3", "/api/3/action/package_search?q=x", "/dataset", "/dataset/"])
def test_the_portal_is_found_from_any_address_of_it(below):
    with RecordedCkan(numbered_packages(2)) as server:
        assert len(fetched(server.url + below)) == 2


def test_filters_and_rows_and_the_place_of_the_api_are_options():
    with RecordedCkan(numbered_packages(9)) as server:
        assert identifiers(fetched(server.url, organisation="org-1", rows="2")) == ["id-00001", "id-00004", "id-00007"]
        assert identifiers(fetched(server.url, groups="none")) == []
        assert len(fetched(server.url, api="/api/action/")) == 9
        assert {r.path.split("?")[0] for r in server.requests[-1:]} == {"/api/action/package_search"}


def test_an_empty_portal_has_no_records():
    with RecordedCkan([]) as server:
        assert fetched(server.url) == []


CHANGES: dict[str, Callable[[int, list[dict[str, Any]]], None]] = {
    "the first is removed after each page": lambda n, packages: packages.__delitem__(0),
    "the first is removed and another added": lambda n, packages: packages.__setitem__(slice(1), [late(n)]),
    "ten are removed at once": lambda n, packages: packages.__delitem__(slice(0, 10 if n == 2 else 0)),
    "one is added before all": lambda n, packages: packages.insert(0, {**late(n), "id": f"aa-{n}"}),
    "all are modified": lambda n, packages: packages.__setitem__(slice(40), [p | {"title": f"Now {n}"} for p in packages]),
}


def late(n: int) -> dict[str, Any]:
    return {**numbered_packages(1)[0], "id": f"zz-{n}", "name": f"late-{n}"}


@pytest.mark.parametrize("change", CHANGES)
def test_no_package_is_missed_while_the_portal_changes(change):
    packages = numbered_packages(40)
    with RecordedCkan(packages, cap=7, mutate=CHANGES[change]) as server:
        found = identifiers(fetched(server.url))
        assert {p["id"] for p in server.packages if p["id"].startswith("id-")} <= set(found)
        assert len(found) == len(set(found))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=4), max_size=12), st.integers(2, 9))
def test_whatever_changes_what_was_there_all_along_is_found_or_the_run_is_incomplete(changes, cap):
    def change(n: int, packages: list[dict[str, Any]]) -> None:
        for number, (adds, place) in enumerate(changes[n - 1] if n <= len(changes) else []):
            if adds:
                packages.append({**late(n), "id": f"id-{place:05d}-{n}-{number}"})
            elif packages:
                del packages[place % len(packages)]

    with RecordedCkan(numbered_packages(30), cap=cap, mutate=change) as server:
        try:
            found = set(identifiers(fetched(server.url)))
        except SourceUnavailable:
            return
        stayed = {package["id"] for package in server.packages} & {f"id-{n:05d}" for n in range(30)}
        assert stayed <= found


def test_what_comes_while_we_read_is_found_by_a_second_look():
    def one_more(n: int, packages: list[dict[str, Any]]) -> None:
        packages.extend([{**late(n), "id": "aa-early"}] if n == 2 else [])

    with RecordedCkan(numbered_packages(30), cap=9, mutate=one_more) as server:
        assert "aa-early" in identifiers(fetched(server.url))


def test_a_portal_that_ignores_paging_is_incomplete():
    with RecordedCkan(numbered_packages(20), cap=8, ignore_paging=True) as server:
        found, ended = until_it_breaks_off(server.url)
        assert len(found) == 8
        assert server.url in str(ended)
        assert "same page again" in str(ended)
        assert ended.rule == "source-incomplete"


def test_a_portal_that_counts_more_than_it_gives_is_incomplete():
    packages = numbered_packages(6)

    def page(asked: Any) -> bytes:
        start = int(asked.path.split("start=")[1].split("&")[0])
        return envelope({"count": 9, "results": packages[start : start + 4]})

    with Answers({"/api/3/action/package_search": (200, JSON, page)}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert len(found) == 6
        assert "says that it has 9 datasets, and gave 6" in str(ended)


def test_a_portal_that_fails_half_way_keeps_what_came_before():
    with RecordedCkan(numbered_packages(20), cap=8, fail_at={7: 503}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert (len(found), "503" in str(ended)) == (8, True)


def test_a_portal_that_refuses_get_is_asked_by_post():
    with RecordedCkan(numbered_packages(3), cap=2) as behind:

        class Posting(Answers):
            def reply(self, asked, body):
                return behind.reply(asked, body) if asked.method == "POST" else super().reply(asked, body)

        refusal = (405, {"Content-Type": "text/html"}, "<h1>Method Not Allowed</h1>")
        with Posting({"/api/3/action/package_search": refusal}) as server:
            assert len(fetched(server.url)) == 3
            assert [asked.method for asked in server.requests] == ["GET", "POST", "POST"]


NOT_CKAN = {
    "a web page": (200, {"Content-Type": "text/html"}, "<!doctype html><title>Log in</title>"),
    "a list": (200, JSON, "[]"),
    "an object": (200, JSON, '{"dataset": []}'),
    "no JSON": (200, JSON, '{"success": tru'),
    "nothing": (200, JSON, ""),
    "no result": (200, JSON, '{"success": true}'),
    "another result": (200, JSON, '{"success": true, "result": {"count": "many", "results": {}}}'),
    "a login page": (403, {"Content-Type": "text/html"}, "<html><h1>Forbidden</h1></html>"),
    "a refusal": (403, JSON, '{"success": false, "error": {"__type": "Authorization Error", "message": "No"}}'),
    "a search error": (409, JSON, '{"success": false, "error": {"__type": "Search Error", "message": "fq: No"}}'),
    "an error without type": (400, JSON, '{"success": false, "error": "odd"}'),
    "nothing there": (404, {"Content-Type": "text/html"}, "<html><h1>404</h1></html>"),
    "down": (500, {"Content-Type": "text/html"}, "<html><h1>500</h1></html>"),
}


@pytest.mark.parametrize("answer", NOT_CKAN)
def test_what_is_no_ckan_ends_the_run_in_a_sentence(answer):
    paths = ("package_search", "package_list", "current_package_list_with_resources")
    with Answers({f"/api/3/action/{path}": NOT_CKAN[answer] for path in paths}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert found == []
        assert server.url in str(ended)
        assert str(ended).endswith(".")
        assert ended.fix


@pytest.mark.parametrize("kind", ["html", "empty", "redirect-loop", "silent"])
def test_a_hostile_server_ends_the_run(kind):
    limits = Limits(connect=0.5, read=0.5, total=1, retries=0)
    with Hostile(kind) as server, Client(limits, allow_private=True) as client, pytest.raises(SourceUnavailable):
        list(HARVESTER.fetch(source(server.url), client))


def test_what_visitors_do_not_see_and_what_is_no_dataset_is_left_out():
    one, two, three, four, five = numbered_packages(5)
    hidden = [one | {"private": True}, two | {"state": "draft"}, three | {"state": "deleted"}, four | {"type": "harvest"}]
    with Answers({"/api/3/action/package_search": (200, JSON, envelope({"count": 5, "results": [*hidden, five]}))}) as server:
        assert identifiers(fetched(server.url)) == [five["id"]]


def test_a_package_nested_without_end_costs_only_itself():
    packages = numbered_packages(9)
    packages[4]["deep"] = "DEEP"

    def page(asked: Any) -> str:
        start, rows = (int(asked.path.split(f"{name}=")[1].split("&")[0]) for name in ("start", "rows"))
        said = envelope({"count": 9, "results": packages[start : start + rows]}).decode()
        return said.replace('"DEEP"', "[" * 10_000 + "]" * 10_000)

    with Answers({"/api/3/action/package_search": (200, JSON, page)}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert len(identifiers(found)) == 8
        problems = {one.where for one in found if isinstance(one, Problem)}
        assert problems == {"start=4"}
        assert "gave 8" in str(ended)  # so that nothing is withdrawn: which one it is, nobody can say


def test_a_portal_of_which_nothing_can_be_read_is_given_up():
    deep = '{"success": true, "result": ' + "[" * 10_000 + "]" * 10_000 + "}"
    with Answers({"/api/3/action/package_search": (200, JSON, deep)}) as server:
        _, ended = until_it_breaks_off(server.url)
        assert "too much that cannot be" in str(ended)


@pytest.mark.parametrize("odd", [None, [], "x", {"title": "Neither id nor name"}])
def test_an_odd_package_is_one_problem(odd):
    results = [*numbered_packages(2), odd]
    with Answers({"/api/3/action/package_search": (200, JSON, envelope({"count": 3, "results": results}))}) as server:
        found = fetched(server.url)
        assert [type(one) for one in found] == [SourceRecord, SourceRecord, Problem]


def test_details_of_organisations_are_asked_for_once_when_wanted():
    packages = numbered_packages(6)
    with RecordedCkan(packages) as server:
        bodies = [package["organization"] for package in packages]
        server.organisations = lambda: [{**body, "email": f"{body['name']}@example.org"} for body in bodies]
        found = fetched(server.url, organisation_details="yes")
        assert len(server.requests) == 1 + 3
        record = found[4]
        assert isinstance(record, SourceRecord)
        [resource] = HARVESTER.map(record, source(server.url))
        assert resource.publisher.mailboxes == {Text("org-1@example.org")}


# -- DKAN, which has no search


def dkan(packages: list[dict[str, Any]], bulk: bool, **more: Any) -> dict[str, Any]:
    script = {
        "/api/3/action/package_list": (200, JSON, envelope([package["id"] for package in packages])),
        **{f"/api/3/action/package_show?id={p['id']}": (200, JSON, envelope([p])) for p in packages},
        **more,
    }
    if bulk:
        script["/api/3/action/current_package_list_with_resources"] = (200, JSON, envelope([packages]))
    return script


@pytest.mark.parametrize("bulk", [True, False])
def test_dkan_is_read_by_its_lists(bulk):
    packages = [package | {"private": True, "state": "Active", "type": "Dataset"} for package in numbered_packages(4)]
    with Answers(dkan(packages, bulk)) as server:
        assert sorted(identifiers(fetched(server.url))) == [f"id-{n:05d}" for n in range(4)]
        assert identifiers(fetched(server.url, organisation="org-2")) == ["id-00002"]


def test_what_the_bulk_list_lacks_is_asked_for_one_by_one():
    packages = numbered_packages(5)
    part = {"/api/3/action/current_package_list_with_resources": (200, JSON, envelope(packages[:3]))}
    with Answers(dkan(packages, bulk=False) | part) as server:
        assert len(identifiers(fetched(server.url))) == 5


def test_a_dkan_dataset_that_went_meanwhile_is_not_missed():
    packages = numbered_packages(3)
    gone = {"/api/3/action/package_show?id=id-00001": (404, JSON, '{"success": false, "error": {"__type": "Not Found Error"}}')}
    with Answers(dkan(packages, bulk=False) | gone) as server:
        assert identifiers(fetched(server.url)) == ["id-00000", "id-00002"]


# -- Mapping


def test_what_is_said_is_what_is_described():
    assert described({"title": "Traffic", "notes": "<b>Counts</b> ", "url": "https://x.gov.uk/t", "version": "2"}) == Dataset(
        titles=frozenset({Text("Traffic")}),
        descriptions=frozenset({Text("<b>Counts</b> ")}),
        identifiers=frozenset({Text("p-1")}),
        landing_pages=frozenset({IRI("https://x.gov.uk/t")}),
        version=Text("2"),
    )


def test_dates_are_dates_where_they_are_well_written_and_words_elsewhere():
    said = {"2024": XSD.gYear, "2024-02": XSD.gYearMonth, "2024-02-29": XSD.date, "2024-02-03T04:05:06.789": XSD.dateTime}
    for value, kind in said.items():
        assert described({"issued": value}).issued == When(value, IRI(kind))
    for value in ("2023-02-29", "TBC", "3/2/2024", "2024-02-03 04:05", "2024-13", "20240203", "２０２４"):
        assert described({"issued": value}).issued == Text(value)


def test_the_dates_of_the_record_serve_where_the_data_have_none():
    both = {"metadata_created": "2020-01-01", "metadata_modified": "2021-01-01"}
    assert described(both).issued == When("2020-01-01", IRI(XSD.date))
    assert described(both | {"extras": [{"key": "issued", "value": "1999"}]}).issued == When("1999", IRI(XSD.gYear))
    assert described(both | {"modified": "2024"}).rest == frozenset()


def test_addresses_that_could_not_stand_in_a_graph_stay_words():
    odd = ("https://x.gov.uk/a b", "https://x.gov.uk/100%", "http://x.gov.uk/?a[]=1", "http://u:p@x.gov.uk/", "x.gov.uk", "http://")
    for address in odd:
        assert described({"url": address}).landing_pages == {Text(address)}
    for address in ("https://x.gov.uk/Ŵy?a=1#b", "http://[::1]:8000/", " https://x.gov.uk/%20 "):
        assert described({"url": address}).landing_pages == {IRI(address.strip())}


def test_the_source_names_the_dataset_by_uri_or_guid():
    extras = lambda **said: {"extras": [{"key": key, "value": value} for key, value in said.items()]}  # noqa: E731
    assert described(extras(uri="https://x.gov.uk/id/1", guid="https://x.gov.uk/g")).iri == "https://x.gov.uk/id/1"
    assert described(extras(guid="https://x.gov.uk/g")).iri == "https://x.gov.uk/g"
    unnamed = described(extras(uri="urn:x:1", guid="9df8"))
    assert unnamed.iri is None
    assert unnamed.identifiers == {Text("9df8")}
    assert Statement(IRI(FEDCAT["extra-uri"]), Text("urn:x:1")) in unnamed.rest


def test_lists_are_read_from_json_text_from_lists_and_from_commas():
    for value in (["en", "cy"], '["en", "cy"]', "en,cy", "en, cy"):
        assert described({"extras": [{"key": "language", "value": value}]}).languages == {Text("en"), Text("cy")}
    theme = "https://x.gov.uk/a,https://x.gov.uk/b"
    assert described({"theme": theme}).themes == {IRI("https://x.gov.uk/a"), IRI("https://x.gov.uk/b")}
    assert described({"theme": "Towns, cities and roads"}).themes == {Text("Towns, cities and roads")}
    assert described({"conforms_to": "[not JSON"}).conforms_to == {Text("[not JSON")}


def test_words_know_their_language_and_are_said_once():
    title = {"title": "Budget", "title_translated": {"en": "Budget", "cy": "Cyllideb", "fr": ""}}
    assert described(title).titles == {Text("Budget", "en"), Text("Cyllideb", "cy")}
    assert described({"title": {"de": "Haushalt", "fr": "Budget"}}).titles == {Text("Haushalt", "de"), Text("Budget", "fr")}
    tags = {"tags": [{"name": "bus"}], "tags_translated": {"en": ["bus"], "cy": ["bws"]}}
    assert described(tags).keywords == {Text("bus", "en"), Text("bws", "cy")}


def test_the_licence_is_its_address_else_its_title_and_an_unspecified_one_is_none():
    licence = {"license_id": "uk-ogl", "license_title": "OGL"}
    assert described(licence | {"license_url": "https://x.gov.uk/ogl"}).licences == {IRI("https://x.gov.uk/ogl")}
    found = described(licence)
    assert found.licences == {Text("OGL")}
    assert found.rest == {Statement(IRI(FEDCAT["extra-license-id"]), Text("uk-ogl"))}
    nothing = described({"license_id": "notspecified", "license_title": "License not specified"})
    assert (nothing.licences, nothing.rest) == (frozenset(), frozenset())


def test_the_organisation_publishes_unless_a_publisher_is_named():
    body = {"id": "o", "name": "tow", "title": "Transport Office", "description": "…", "image_url": "https://x/y.png"}
    only = described({"organization": body}).publisher
    assert (only.names, only.identifiers, only.rest) == ({Text("Transport Office")}, {Text("tow")}, frozenset())
    named = described({"organization": body, "publisher_name": "Regulator", "publisher_email": "r@x.gov.uk"})
    assert (named.publisher.names, named.publisher.mailboxes) == ({Text("Regulator")}, {Text("r@x.gov.uk")})
    [part] = named.qualified_attributions
    assert [agent.names for agent in part.agents] == [{Text("Transport Office")}]
    same = described({"organization": body, "publisher": [{"name": "Transport Office"}]})
    assert same.qualified_attributions == frozenset()


def test_contacts_are_found_wherever_they_are_said():
    uk = described({"contact-name": "Desk", "contact-email": "d@x.gov.uk", "foi-name": "FOI team", "foi-web": "https://x.gov.uk/foi"})
    [contact] = uk.contact_points
    assert (contact.names, contact.emails) == ({Text("Desk")}, {Text("d@x.gov.uk")})
    [part] = uk.qualified_attributions
    assert part.roles == {Text("FOI")}
    extras = {"contact_email": "mailto:a@x.gov.uk", "contact_uri": "https://x.gov.uk/c"}
    dcat = described({"extras": [{"key": key, "value": value} for key, value in extras.items()]})
    [contact] = dcat.contact_points
    assert (contact.iri, contact.emails) == ("https://x.gov.uk/c", {IRI("mailto:a@x.gov.uk")})
    people = described({"maintainer": "Ann", "maintainer_email": "ann@x.gov.uk", "author": "Bob", "author_email": ""})
    assert [point.names for point in people.contact_points] == [{Text("Ann")}]
    assert [agent.names for agent in people.creators] == [{Text("Bob")}]
    for one in (uk, dcat, people):
        assert one.rest == frozenset()


def test_time_and_place_are_found_wherever_they_are_said():
    ends = [{"temporal_start": "2020", "temporal_end": "2021"}, {"temporal_coverage": '[{"start": "2020", "end": "2021"}]'}]
    ends += [{"temporal_coverage-from": ["2020"], "temporal_coverage-to": "2021"}]
    for said in ends:
        [period] = described(said).temporal
        assert (period.start, period.end) == (When("2020", IRI(XSD.gYear)), When("2021", IRI(XSD.gYear)))
    shape = '{"type":"Point", "coordinates":[ 1,2]}'
    [place] = described({"extras": [{"key": "spatial", "value": shape}]}).spatial
    assert [geometry.value for geometry in place.geometries] == [shape]  # to the letter
    [place] = described({"spatial": shape, "spatial_text": "Arfon", "spatial_uri": "https://x.gov.uk/arfon"}).spatial
    assert (place.iri, place.labels, len(place.geometries)) == ("https://x.gov.uk/arfon", {Text("Arfon")}, 1)
    assert described({"spatial": "England"}).spatial == {Text("England")}


def test_a_resource_is_a_distribution():
    found = distribution(
        name="Counts", format="CSV ", mimetype="text/csv", size="1024", hash="00ff", url="https://x.gov.uk/c.csv",
        created="2024-01-01", last_modified="2024-02-01", metadata_modified="2024-03-01", rights="Ask", schema_url="https://x.gov.uk/s",
        date="2023", cache_url="https://x.gov.uk/cache", position=3,
    )  # fmt: skip
    assert (found.titles, found.formats, found.media_types) == ({Text("Counts")}, {Text("CSV ")}, {Text("text/csv")})
    assert (found.byte_size.value, found.byte_size.datatype) == ("1024", XSD.nonNegativeInteger)
    assert (found.checksum.value.value, found.checksum.value.datatype) == ("00ff", XSD.hexBinary)
    assert (found.access_urls, found.download_urls) == ({IRI("https://x.gov.uk/c.csv")}, frozenset())
    assert (found.issued.value, found.modified.value) == ("2024-01-01", "2024-02-01")
    assert found.rest == {Statement(IRI(FEDCAT["extra-date"]), Text("2023"))}
    assert distribution(size="42 octets").byte_size == Text("42 octets")


def test_only_what_is_called_a_file_can_be_downloaded():
    url = "https://x.gov.uk/c.csv"
    assert distribution(url=url, url_type="upload").download_urls == {IRI(url)}
    assert distribution(url=url, resource_type="file").download_urls == {IRI(url)}
    both = distribution(url=url, download_url=url, access_url="https://x.gov.uk/about")
    assert (both.access_urls, both.download_urls) == ({IRI("https://x.gov.uk/about")}, {IRI(url)})


def test_services_behind_a_resource_are_described_or_named():
    service = {"title": "API", "endpoint_url": ["https://x.gov.uk/v1"], "uri": ""}
    empty = {"title": "", "endpoint_url": [], "uri": ""}
    [found] = distribution(access_services=json.dumps([service, empty])).access_services
    assert (found.titles, found.endpoint_urls) == ({Text("API")}, {IRI("https://x.gov.uk/v1")})
    [named] = distribution(access_services=["https://x.gov.uk/v1"]).access_services
    assert named.iri == "https://x.gov.uk/v1"


def test_a_series_is_a_series_and_its_members_say_so():
    assert isinstance(described({"type": "dataset_series"}), DatasetSeries)
    assert described({"in_series": ["https://x.gov.uk/s"]}).in_series == {IRI("https://x.gov.uk/s")}
    assert described({"in_series": ["a-name"]}).rest == {Statement(IRI(DCAT.inSeries), Text("a-name"))}


def test_what_nobody_has_a_property_for_is_kept():
    extras = [{"key": "Côd mewnol", "value": "J/1"}]
    found = described({"extras": extras, "odi": {"level": "gold"}, "flags": [True, 3], "none": "[]"})
    kept = {(statement.predicate.removeprefix(FEDCAT["extra-"]), statement.object.value) for statement in found.rest}
    assert kept == {("cod-mewnol", "J/1"), ("odi", '{"level": "gold"}'), ("flags", "true"), ("flags", "3")}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 5000, b"\xff\xfe"])
def test_a_damaged_record_is_rejected(content):
    record = SourceRecord("p-1", content, "application/json", "https://ckan.example.gov.uk/dataset/p-1")
    with pytest.raises(RecordRejected, match="not a package"):
        list(HARVESTER.map(record, source("https://ckan.example.gov.uk")))


def test_our_own_examples_say_what_we_expect():
    answer = OWN_EXAMPLES.read_bytes()
    with Answers({"/api/3/action/package_search": (200, JSON, answer)}) as server:
        found = fetched(server.url)
        assert len(server.requests) == 1
        resources = [next(iter(HARVESTER.map(one, source(server.url)))) for one in found if isinstance(one, SourceRecord)]
    bus, closures, journeys, series = resources
    assert {title.lang for title in bus.titles} == {"en", "cy"}
    assert {distribution.byte_size for distribution in closures.distributions} == {Text("1.2 MB"), None}
    assert closures.issued == Text("TBC")
    assert journeys.in_series == {series.iri}
    assert len(journeys.distributions) == 1  # the deleted one is gone


# -- Real portals


def real_packages() -> Iterator[dict[str, Any]]:
    """Every package in the shared data, out of whatever it is wrapped in."""
    for file in (one for kept in ("ckan/**/*.json*", "dcat_rdf/opendata_swiss/*.json") for one in shared_files(kept)):
        text = file.read_text()
        for said in [json.loads(text)] if file.suffix == ".json" else map(json.loads, text.splitlines()):
            yield from packages_in(said)


def packages_in(said: Any) -> Iterator[dict[str, Any]]:
    if isinstance(said, list):
        for one in said:
            yield from packages_in(one)
    elif isinstance(said, dict):
        if isinstance(said.get("resources"), list) and ("id" in said or "name" in said):
            yield said
        for key in ("result", "results", "response", "docs", "records", "aspects", "ckan-dataset"):
            yield from packages_in(said.get(key))
        if "validated_data_dict" in said:
            yield from packages_in(json.loads(said["validated_data_dict"]))


def test_every_real_package_is_read_with_all_its_resources(shared):
    packages = {str(package.get("id") or package["name"]): package for package in real_packages()}
    served = [{"id": key, "name": key, **package, "private": False, "state": "active"} for key, package in packages.items()]
    assert len(served) >= 35
    with RecordedCkan(served, cap=10) as server:
        records = fetched(server.url)
        assert sorted(identifiers(records)) == sorted(packages)
        for record in records:
            [resource] = HARVESTER.map(record, source(server.url))
            assert resource.titles
            assert len(resource.distributions) == len(packages[record.identifier].get("resources", []))


def test_recorded_answers_of_a_real_portal_are_read(shared):
    answers = shared / "ckan" / "recorded_api"
    numbers = {"package_search_zero.json": 0, "package_search_default10.json": 10, "package_search_rows2.json": 2}
    for file, number in numbers.items():
        recorded = json.loads((answers / file).read_bytes())
        recorded["result"]["count"] = number  # it had 13,786 of them
        with Answers({"/api/3/action/package_search": (200, JSON, json.dumps(recorded))}) as server:
            assert len(identifiers(fetched(server.url))) == number
    with Answers({"/api/3/action/package_search": (200, JSON, (answers / "package_search_rows2.json").read_bytes())}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert (len(found), ended.rule) == (2, "source-incomplete")


def test_a_real_dkan_answer_is_read(shared):
    shown = (shared / "ckan" / "udata" / "dkan-french-w-license.json").read_bytes()
    script = {
        "/api/3/action/package_list": (200, JSON, envelope(["04be6288"])),
        "/api/3/action/package_show": (200, JSON, shown),
    }
    with Answers(script) as server:
        [record] = fetched(server.url)
        [resource] = HARVESTER.map(record, source(server.url))
    assert resource.licences == {IRI("http://www.etalab.gouv.fr/pages/Licence_ouverte_Open_licence-5899923.html")}
    assert len(resource.distributions) == 2
    assert resource.modified == Text("2019-09-30 22:00:00")
