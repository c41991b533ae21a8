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
from world import records_of

from catalogue.dcat import IRI, Slug, Text
from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Client, Limits
from catalogue.source import HarvestSource, SourceRecord
from harvesters.ckan import Ckan

HARVESTER = Ckan()
QUICK = Limits(connect=2, read=2, total=20, retries=0)
OWN_EXAMPLES = Path(__file__).parent / "harvesters" / "ckan" / "response.json"
JSON = {"Content-Type": "application/json;charset=utf-8"}


def source(url: str, **options: str) -> HarvestSource:
    return HarvestSource(
        name=Slug("portal"), type="ckan", url=url, options={k.replace("_", "-"): v for k, v in options.items()}
    )


def fetched(url: str, **options: str) -> list[SourceRecord | Problem]:
    with Client(QUICK, allow_private=True) as client:
        return list(records_of(HARVESTER.fetch(source(url, **options), client)))


def until_it_breaks_off(url: str, **options: str) -> tuple[list[SourceRecord | Problem], SourceUnavailable]:
    found: list[SourceRecord | Problem] = []
    with Client(QUICK, allow_private=True) as client, pytest.raises(SourceUnavailable) as ended:
        found.extend(records_of(HARVESTER.fetch(source(url, **options), client)))
    return found, ended.value


def identifiers(found: list[SourceRecord | Problem]) -> list[str]:
    return [one.identifier for one in found if isinstance(one, SourceRecord)]


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
    "all are modified": lambda n, packages: packages.__setitem__(
        slice(40), [p | {"title": f"Now {n}"} for p in packages]
    ),
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
        list(records_of(HARVESTER.fetch(source(server.url), client)))


def test_what_visitors_do_not_see_and_what_is_no_dataset_is_left_out():
    one, two, three, four, five = numbered_packages(5)
    hidden = [
        one | {"private": True},
        two | {"state": "draft"},
        three | {"state": "deleted"},
        four | {"type": "harvest"},
    ]
    with Answers(
        {"/api/3/action/package_search": (200, JSON, envelope({"count": 5, "results": [*hidden, five]}))}
    ) as server:
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


def test_pages_too_large_to_hold_are_asked_for_in_parts():
    with (
        RecordedCkan(numbered_packages(40)) as server,
        Client(Limits(memory=9_000, retries=0), allow_private=True) as client,
    ):
        assert len(list(records_of(HARVESTER.fetch(source(server.url), client)))) == 40


def test_a_portal_whose_answers_are_all_too_large_is_one_problem():
    small = Limits(memory=100, retries=0)
    with (
        RecordedCkan(numbered_packages(9)) as server,
        Client(small, allow_private=True) as client,
        pytest.raises(SourceUnavailable, match="larger than 100 bytes"),
    ):
        list(records_of(HARVESTER.fetch(source(server.url), client)))


def test_a_portal_of_which_nothing_can_be_read_is_given_up():
    deep = '{"success": true, "result": ' + "[" * 10_000 + "]" * 10_000 + "}"
    with Answers({"/api/3/action/package_search": (200, JSON, deep)}) as server:
        found, ended = until_it_breaks_off(server.url)
        assert "nests its answer to package_search too deep" in str(ended)
        assert found == []


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
    gone = {
        "/api/3/action/package_show?id=id-00001": (
            404,
            JSON,
            '{"success": false, "error": {"__type": "Not Found Error"}}',
        )
    }
    with Answers(dkan(packages, bulk=False) | gone) as server:
        assert identifiers(fetched(server.url)) == ["id-00000", "id-00002"]


def test_our_own_examples_say_what_we_expect():
    with RecordedCkan(json.loads(OWN_EXAMPLES.read_bytes())) as server:
        found = fetched(server.url)
        resources = [
            next(iter(HARVESTER.map(one, source(server.url)))) for one in found if isinstance(one, SourceRecord)
        ]
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
    served = [
        {"id": key, "name": key, **package, "private": False, "state": "active"} for key, package in packages.items()
    ]
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
    with Answers(
        {"/api/3/action/package_search": (200, JSON, (answers / "package_search_rows2.json").read_bytes())}
    ) as server:
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
