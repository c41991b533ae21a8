"""Traps T1–T17 of other catalogues, in which datasets were lost: for each, a source that sets it, and nothing is."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import requests
from servers import Answers, RecordedCkan, Script, numbered_packages
from traps import HYDRA, KINDS, QUICK, SITE, Catalogue, bring, data_json, days_pass, locks, refuses, turtle
from world import BASE, empty_store, harvest, numbered, site, source, titles

from catalogue.cli.harvesting import first
from catalogue.errors import WrongUse
from catalogue.harvest import decide
from catalogue.harvest.decide import renamed
from catalogue.harvest.preview import preview
from catalogue.harvest.quarantine import believed
from catalogue.http import Client
from catalogue.source import harvester
from catalogue.store import Run, Store


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


@pytest.fixture(params=KINDS)
def catalogue(request):
    """A server of each kind in turn."""
    with Catalogue(request.param) as server:
        yield server


def withdrawn(store: Store) -> list[str]:
    """The titles of what is up no longer."""
    last = {change.dataset: change.outcome for change in store.datasets.changes(0, limit=10_000)}
    return sorted(store.datasets.get(id_).row.title for id_, outcome in last.items() if outcome == "withdrawn")


def names(*numbers: int) -> list[str]:
    return [f"Lock {n:03}" for n in numbers]


def said(store: Store, run: Run) -> dict[str, str]:
    """The problems of a run: message by rule."""
    return {problem.rule: problem.message for problem in store.runs.problems(run.id)}


def lost_nothing(store: Store, run: Run, count: int) -> None:
    assert (run.withdrawn, len(titles(store))) == (0, count)
    assert withdrawn(store) == []


# ---- what a source says of itself


def test_t1_a_valid_empty_answer_withdraws_nothing_and_waits_for_a_person(store, catalogue):
    catalogue.says(range(100))
    assert catalogue.bring(store).added == 100
    catalogue.says(())
    run = catalogue.bring(store)
    assert (run.status, run.held) == ("quarantined", 100)
    lost_nothing(store, run, 100)
    waits = store.quarantines.open("canals")
    assert waits is not None
    assert len(store.quarantines.missing(waits.id)) == 100
    assert "came back empty" in waits.cause


def hydra(pages: dict[str, tuple[str, list[int]]], total: int = 0) -> dict[str, Script | list[Script]]:
    """Pages of a feed: by path, the path of the next one, and what is on it."""
    script: dict[str, Script | list[Script]] = {}
    for path, (following, numbers) in pages.items():
        link = f"<> <{HYDRA}next> <{following}> ." if following else ""
        count = f"<> <{HYDRA}totalItems> {total} ." if total else ""
        script[path] = (200, {"Content-Type": "text/turtle"}, turtle(locks(numbers), link + count))
    return script


HUNDREDS = [list(range(n, n + 100)) for n in (0, 100, 200)]
THREE = hydra({"/1": ("/2", HUNDREDS[0]), "/2": ("/3", HUNDREDS[1]), "/3": ("", HUNDREDS[2])})


def test_t2_a_server_that_ignores_the_pages_that_it_names_is_incomplete(store):
    with Answers(THREE) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/1").added == 300
        server.script = dict.fromkeys(("/1", "/2", "/3"), THREE["/1"])
        run = bring(store, "dcat-rdf", f"{server.url}/1")
        assert f"{server.url}/2" in said(store, run)["paging"]
    assert run.status == "partial"
    lost_nothing(store, run, 300)


def test_t2_a_server_that_ignores_the_pages_that_it_is_asked_for_is_incomplete(store):
    numbered_: dict[str, Script | list[Script]] = {
        f"/c?page={n}": (200, {"Content-Type": "text/turtle"}, turtle(locks(HUNDREDS[n - 1] if n < 4 else ())))
        for n in range(1, 5)
    }
    how: dict[str, Any] = {"options": {"page_parameter": "page"}}
    with Answers(numbered_) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/c", **how).added == 300
        server.script = {"/c": numbered_["/c?page=1"]}
        run = bring(store, "dcat-rdf", f"{server.url}/c", **how)
        assert f"{server.url}/c?page=2" in said(store, run)["paging"]
    assert run.status == "partial"
    lost_nothing(store, run, 300)


def test_t2_a_portal_that_ignores_where_it_is_asked_to_start_is_incomplete(store):
    with RecordedCkan(numbered_packages(300), cap=100) as server:
        how: dict[str, Any] = {"options": {"changes": "no"}}
        assert bring(store, "ckan", server.url, **how).added == 300
        server.ignore_paging = True
        run = bring(store, "ckan", server.url, **how)
        assert server.url in said(store, run)["source-incomplete"]
    assert run.status == "partial"
    lost_nothing(store, run, 300)


CIRCLES = {
    "a page that names itself": {"/2": "/2"},
    "two pages that name each other": {"/2": "/3", "/3": "/2"},
    "a page that names the first": {"/2": "/3", "/3": "/1"},
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_t3_a_circle_of_pages_ends_at_the_first_that_returns(store, circle):
    pages = {"/1": ("/2", [0, 1, 2]), "/2": ("/3", [3, 4, 5]), "/3": ("", [6, 7])}
    with Answers(hydra(pages)) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/1").added == 8
        led = CIRCLES[circle]
        server.script = hydra({path: (led.get(path, after), on) for path, (after, on) in pages.items()})
        asked = len(server.requests)
        run = bring(store, "dcat-rdf", f"{server.url}/1")
        assert len(server.requests) - asked == (2 if "itself" in circle else 3)
    assert (run.status, set(said(store, run)) & {"paging"}) == ("partial", {"paging"})
    lost_nothing(store, run, 8)


def test_t3_a_last_page_that_names_itself_is_the_last_where_all_was_read(store):
    pages = {"/1": ("/2", [0, 1, 2]), "/2": ("/2", [3, 4])}
    with Answers(hydra(pages, total=5)) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/1").status == "complete"
        server.script = hydra({"/1": ("/2", [0, 1, 2]), "/2": ("/2", [3])}, total=4)
        run = bring(store, "dcat-rdf", f"{server.url}/1")
    assert (run.status, run.withdrawn) == ("complete", 1)


# ---- writes that fail


def test_t4_a_record_that_cannot_be_written_keeps_its_last_version_and_what_is_gone_goes(store):
    with Catalogue("data.json") as server:
        server.says(range(50))
        server.bring(store)
        refuses(store, "source_records", "NEW.identifier = 'lock-7' AND NEW.fingerprint <> OLD.fingerprint")
        server.says(range(49), **{f"n{n}": f"Mended lock {n}" for n in range(49)})
        run = server.bring(store)
    assert (run.updated, run.rejected, run.withdrawn) == (48, 1, 1)
    up = titles(store)
    assert "Lock 007" in up
    assert len([title for title in up if title.startswith("Mended")]) == 48
    assert withdrawn(store) == ["Lock 049"]
    assert "disk error" in said(store, run)["store-refused"]


def with_files(title: str, *files: object) -> bytes:
    each = [{"title": f"File {n}", "downloadURL": address} for n, address in enumerate(files)]
    return json.dumps({"dataset": [{"identifier": "lock-1", "title": title, "distribution": each}]}).encode()


def test_t5_a_dataset_of_which_a_part_cannot_be_written_stays_whole_as_it_was(store):
    with Catalogue("data.json") as server:
        server.answers(200, with_files("Before", *(f"{SITE}/{n}.csv" for n in range(3))), "application/json")
        assert server.bring(store).added == 1
        [before] = store.datasets.each()
        kept = store.records.verbatim("canals", "lock-1")
        refuses(store, "catalog_bodies", "1")  # its record is written first, what it says of its files after that
        server.answers(200, with_files("After", f"{SITE}/0.csv", f"{SITE}/9.csv"), "application/json")
        run = server.bring(store)
    assert (run.updated, run.rejected, run.withdrawn) == (0, 1, 0)
    [after] = store.datasets.each()
    assert (after.row.title, after.body, len(after.resource.distributions)) == ("Before", before.body, 3)
    assert store.records.verbatim("canals", "lock-1") == kept


# ---- sources that break off, and records that lose their names

BREAKS: dict[str, Script] = {
    "an error": (500, {"Content-Type": "text/html"}, "<h1>Internal Server Error</h1>"),
    "nothing there": (404, {"Content-Type": "text/html"}, "<h1>Not Found</h1>"),
    "a login page": (200, {"Content-Type": "text/html"}, "<!doctype html><form><input type=password></form>"),
    "nothing": (200, {"Content-Type": "text/turtle"}, ""),
    "half a page": (200, {"Content-Type": "text/turtle"}, turtle(locks(range(4, 6)))[:-9]),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_t7_an_error_on_page_3_of_5_withdraws_nothing(store, fault):
    pages = {f"/{n}": (f"/{n + 1}" if n < 5 else "", [2 * n - 2, 2 * n - 1]) for n in range(1, 6)}
    with Answers(hydra(pages)) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/1").added == 10
        server.script = {**hydra(pages), "/3": BREAKS[fault]}
        run = bring(store, "dcat-rdf", f"{server.url}/1")
    assert run.status == "partial"
    lost_nothing(store, run, 10)


def test_t7_an_error_on_page_3_of_5_of_a_portal_withdraws_nothing(store):
    with RecordedCkan(numbered_packages(10), cap=3) as server:
        bring(store, "ckan", server.url)
        starts = [int(re.findall(r"start=(\d+)", asked.path)[0]) for asked in server.requests]
        server.fail_at = {starts[2]: 500}
        days_pass(store, 30)
        run = bring(store, "ckan", server.url)
    assert run.status == "partial"
    lost_nothing(store, run, 10)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "CSV"])
def test_t8_a_record_that_loses_its_identifier_takes_no_other_with_it(store, kind):
    with Catalogue(kind) as server:
        server.says(range(10))
        server.bring(store)
        server.says(range(9), nameless=(3,))
        run = server.bring(store)
        lost_nothing(store, run, 10)
        assert run.rejected == 1
        assert "1 have lost theirs" in said(store, run)["withdrawals-not-judged"]
        server.says(range(9))
        assert server.bring(store).withdrawn == 1


def test_t8_a_row_that_loses_its_identifier_is_shown_by_its_title(store):
    with Catalogue("CSV") as server:
        server.says(range(10))
        server.bring(store)
        server.says(range(9), nameless=(3,))
        with pytest.raises(Killed):
            server.bring(store, progress=kill)
        assert set(titles(store)) == set(names(*range(10)))
        run = server.bring(store)
    assert (run.added, run.rejected, run.withdrawn, run.held) == (1, 0, 1, 1)
    renamed(store, store.quarantines.open(run.source).id, "dana")
    assert titles(store) == names(*range(9))


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


def kill(_: object) -> None:
    raise Killed


def test_t9_no_page_is_gone_before_the_one_that_follows_it_answers(store, catalogue):
    catalogue.says(range(5))
    catalogue.bring(store)
    catalogue.says((0, 1, 2, 3, 104), n104="Lock 004")  # the fourth is another now
    with pytest.raises(Killed):
        catalogue.bring(store, progress=kill)
    assert titles(store) == sorted([*names(0, 1, 2, 3, 4), "Lock 004"])
    run = catalogue.bring(store)
    assert (run.status, run.withdrawn, run.held) == ("quarantined", 0, 1)  # it may be the same one under another name
    assert titles(store) == sorted([*names(0, 1, 2, 3, 4), "Lock 004"])
    [old] = [entry.id for entry in store.datasets.each() if entry.row.title == "Lock 004" and entry.row.number <= 5]
    renamed(store, store.quarantines.open(run.source).id, "dana")
    assert titles(store) == names(0, 1, 2, 3, 4)
    assert store.datasets.get(old).row.state == "current"
    assert catalogue.bring(store).status == "complete"


def test_t10_the_page_of_what_is_gone_says_why_and_comes_back_as_it_was(store, tmp_path):
    harvest(store, numbered(12))
    [id_] = [entry.row.id for entry in store.datasets.each() if entry.row.title == "Dataset 7"]
    with site(store, tmp_path) as address:
        page = f"{address}/dataset/{id_}"
        assert requests.get(page, timeout=30).status_code == 200
        harvest(store, {name: record for name, record in numbered(12).items() if name != "r7"})
        gone = requests.get(page, timeout=30)
        assert (gone.status_code, "no longer lists it" in gone.text) == (410, True)
        harvest(store, numbered(12))
        assert requests.get(page, timeout=30).status_code == 200
    assert [entry.row.id for entry in store.datasets.each() if entry.row.title == "Dataset 7"] == [id_]


# ---- runs that do not see everything


def test_t11_what_a_portal_drops_while_we_ask_for_changes_goes_with_the_next_sweep(store):
    with RecordedCkan(numbered_packages(100), cap=40) as server:
        assert bring(store, "ckan", server.url).added == 100
        [dropped] = [package for package in server.packages if package["title"] == "Package 7"]
        server.packages.remove(dropped)
        run = bring(store, "ckan", server.url)
        assert (run.status, run.whole, run.fetched < 100) == ("complete", False, True)
        lost_nothing(store, run, 100)
        days_pass(store, 8)
        swept = bring(store, "ckan", server.url)
    assert (swept.status, swept.whole, swept.withdrawn) == ("complete", True, 1)
    assert withdrawn(store) == ["Package 7"]


def test_t11_what_a_feed_drops_while_we_ask_for_changes_goes_with_the_next_sweep(store, tmp_path):
    how: dict[str, Any] = {"options": {"changed_parameter": "modified_since"}}
    with empty_store() as first_, site(first_, tmp_path) as address:
        harvest(first_, numbered(30))
        assert bring(store, "dcat-rdf", f"{address}/catalog.ttl", **how).added == 30
        harvest(first_, {name: record for name, record in numbered(30).items() if name != "r7"})
        assert len(titles(first_)) == 29
        run = bring(store, "dcat-rdf", f"{address}/catalog.ttl", **how)
        assert (run.status, run.whole) == ("complete", False)
        lost_nothing(store, run, 30)
        days_pass(store, 8)
        swept = bring(store, "dcat-rdf", f"{address}/catalog.ttl", **how)
    assert (swept.status, swept.whole, swept.withdrawn) == ("complete", True, 1)
    assert withdrawn(store) == ["Dataset 7"]


def test_t12_a_limited_run_withdraws_nothing_however_often_and_long_it_is(store, catalogue):
    catalogue.says(range(50))
    catalogue.bring(store)
    for _ in range(2):
        days_pass(store, 30)
        run = catalogue.bring(store, reads=first(20, harvester(catalogue.kind.type)))
        assert run.status in ("partial", "complete")  # a page that is unchanged stands for all it held
        assert run.held == 0
        lost_nothing(store, run, 50)
    catalogue.says(range(50), n0="Another title")
    run = catalogue.bring(store, reads=first(20, harvester(catalogue.kind.type)))
    assert (run.status, run.fetched, run.updated) == ("partial", 20, 1)
    assert "limit" in said(store, run)


def slowly(calls: int, packages: list[dict[str, Any]]) -> None:
    time.sleep(0.2)


def test_t13_a_preview_that_stops_early_lists_nothing_as_gone(store):
    with RecordedCkan(numbered_packages(100), cap=20) as server:
        bring(store, "ckan", server.url)
        days_pass(store, 8)
        server.mutate = slowly
        with Client(QUICK, allow_private=True) as client:
            held = store.sources.get("canals")
            seen = preview(held, harvester("ckan"), client, store, BASE, seconds=0.1)
            assert 0 < seen.fetched < 100
            assert (seen.withdrawn, seen.gone) == (None, [])
            assert seen.not_assessed
            server.mutate = None
            whole = preview(held, harvester("ckan"), client, store, BASE)
            assert (whole.fetched, whole.withdrawn, whole.not_assessed) == (100, [], "")


# ---- who else has it, and how much is much


def test_t14_what_one_source_drops_stays_as_it_is_in_another(store, catalogue):
    catalogue.says(range(5))
    catalogue.bring(store, "locks")
    catalogue.bring(store, "weirs")
    before = [store.records.kept("weirs", name) for name in sorted(store.records.identifiers("weirs"))]
    gone = {entry.iri: entry.body for entry in store.datasets.each()}
    catalogue.says(range(4))
    assert catalogue.bring(store, "locks").withdrawn == 1
    assert [store.records.kept("weirs", name) for name in sorted(store.records.identifiers("weirs"))] == before
    assert set(titles(store)) == set(names(*range(5)))
    assert all(gone[entry.iri] == entry.body for entry in store.datasets.each())


@pytest.mark.parametrize(
    ("held", "gone", "status"), [(3, 1, "complete"), (3, 3, "quarantined"), (500, 150, "quarantined")]
)
def test_t15_small_sources_may_lose_a_few_and_none_may_lose_much(store, held, gone, status):
    with Catalogue("data.json") as server:
        server.says(range(held))
        server.bring(store)
        server.says(range(gone, held))
        run = server.bring(store)
    assert run.status == status
    assert run.withdrawn + run.held == gone
    assert len(titles(store)) == held - run.withdrawn


def test_t15_a_large_source_may_lose_a_tenth_at_once_and_a_small_one_ten():
    assert [believed(*counts) for counts in ((3_000, 10_000), (1_000, 10_000), (10, 11), (11, 11))] == [
        False, True, True, False
    ]  # fmt: skip


def test_t16_what_is_held_is_not_forgotten_by_the_runs_that_follow(store, catalogue):
    catalogue.says(range(40))
    catalogue.bring(store)
    catalogue.says(range(20, 40))
    assert catalogue.bring(store).held == 20
    catalogue.says(range(21, 40))  # a healthy run, in which one more goes
    run = catalogue.bring(store)
    assert (run.withdrawn, run.held) == (1, 20)
    waits = store.quarantines.open("canals")
    assert waits is not None
    assert [one.title for one in store.quarantines.missing(waits.id)] == names(*range(20))
    assert decide.approve(store, waits.id, "jo") == 20
    assert titles(store) == names(*range(21, 40))
    assert store.quarantines.open("canals") is None


# ---- a source is removed

FIELD = re.compile(r'name="csrf" value="([^"]+)"')


class Browsing:
    """Somebody at the site: reads a page and sends its form."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.session = address, requests.Session()
        self.send("/sign-in", token=token)

    def send(self, path: str, **said: str) -> requests.Response:
        page = self.session.get(self.address + path, timeout=30)
        return self.session.post(self.address + path, {"csrf": FIELD.findall(page.text)[0], **said}, timeout=30)


@pytest.mark.parametrize(("choice", "left"), [("withdraw", 0), ("keep", 5)])
def test_t17_removing_a_source_needs_a_choice_is_told_and_can_be_undone(store, tmp_path, choice, left):
    records = numbered(5)
    harvest(store, records)
    ids = {entry.row.id for entry in store.datasets.each()}
    with site(store, tmp_path) as address:
        jo = Browsing(address, store.tokens.create("jo"))
        assert jo.send("/source/canals/remove").status_code == 400
        assert (len(titles(store)), store.sources.removed()) == (5, [])
        assert jo.send("/source/canals/remove", datasets=choice, note="It moved.").ok
        assert len(titles(store)) == left
        act = store.acts.about("source:canals")[0]
        assert (act.actor, act.why) == ("jo", "It moved.")
        assert act.did.startswith("removed it")
        if choice == "withdraw":
            assert {change.actor for change in store.datasets.changes(0) if change.outcome == "withdrawn"} == {"jo"}
        with pytest.raises(WrongUse, match="was removed"):
            store.sources.add(source())
        page = jo.session.get(f"{address}/source/removed", timeout=30)
        sent = {"csrf": FIELD.findall(page.text)[0]}
        assert jo.session.post(f"{address}/source/canals/restore", sent, timeout=30).ok
        assert store.acts.about("source:canals")[0].did == "brought it back"
    harvest(store, records)
    assert {entry.row.id for entry in store.datasets.each()} == ids


def test_a_catalogue_of_each_kind_is_read(store, catalogue):
    """What all of the above stands on."""
    catalogue.says(range(3), n2="Another title")
    assert catalogue.bring(store).added == 3
    assert titles(store) == ["Another title", *names(0, 1)]
    assert data_json(locks([1])).startswith(b"{")
