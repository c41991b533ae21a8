"""Traps T26–T36 of other catalogues, on the way to a source, as far as test_faults.py and test_http*.py do not name them;
and that every trap of removal, identity and network has its test."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from servers import Answers, Asked, Folder, RecordedCkan, Script, numbered_packages
from shared import CHECKOUT
from traps import HYDRA, QUICK, at_once, bring, days_pass, locks, turtle
from world import BASE, empty_store, source, titles

from catalogue.harvest.worker import Worker
from catalogue.http import Client
from catalogue.source import HarvestSource
from catalogue.store import Run, Store


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def rules(store: Store, run: Run) -> set[str]:
    return {problem.rule for problem in store.runs.problems(run.id)}


# ---- every call has a timeout

SPEAKERS = {"requests", "urllib3", "httpx", "socket", "http.client", "urllib.request", "ftplib", "aiohttp"}


def imported(file: Path) -> set[str]:
    """The modules that a file imports, each with its parents."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {".".join(name.split(".")[: n + 1]) for name in found for n in range(name.count(".") + 1)}


def test_t26_nothing_that_reads_a_source_can_call_without_a_timeout():
    """The client alone goes out, and it has no call without one: see test_http.py."""
    files = [*CHECKOUT.glob("harvesters/**/*.py"), *CHECKOUT.glob("catalogue/harvest/*.py")]
    assert len(files) > 15
    assert {str(file): imported(file) & SPEAKERS for file in files if imported(file) & SPEAKERS} == {}


# ---- clocks


def test_t35_what_is_edited_while_we_read_is_read_the_next_time(store, tmp_path):
    """A file is compared with itself, by its ETag or its bytes, and never with a clock."""
    file = tmp_path / "c.ttl"

    class Edited(Folder):
        def reply(self, asked, body):
            answer = super().reply(asked, body)
            file.write_bytes(turtle(locks([1], n1="Edited meanwhile")))
            return answer

    file.write_bytes(turtle(locks([1])))
    with Edited(tmp_path) as server:
        assert bring(store, "dcat-rdf", server.address(file)).added == 1
        assert titles(store) == ["Lock 001"]
        assert bring(store, "dcat-rdf", server.address(file)).updated == 1
        assert titles(store) == ["Edited meanwhile"]
        assert bring(store, "dcat-rdf", server.address(file)).unchanged == 1


def edits(packages: list[dict[str, Any]], name: str, at: str) -> None:
    [package] = [package for package in packages if package["title"] == name]
    package.update(title=f"{name}, edited", metadata_modified=at)


def test_t35_what_a_portal_edits_behind_us_is_read_the_next_time(store):
    """On page 1, after we read it and before what stands on page 3."""

    def meanwhile(call: int, packages: list[dict[str, Any]]) -> None:
        if call == 1:
            edits(packages, "Package 2", "2025-06-01T09:30:00")
            edits(packages, "Package 28", "2025-06-01T09:59:59")

    with RecordedCkan(numbered_packages(30), cap=10, mutate=meanwhile) as server:
        assert bring(store, "ckan", server.url).added == 30
        server.mutate = None
        run = bring(store, "ckan", server.url)
    assert (run.whole, run.updated) == (False, 1)
    assert {"Package 2, edited", "Package 28, edited"} <= set(titles(store))


@pytest.mark.parametrize("year", ["2999", "9999"])
def test_t35_a_date_in_the_future_hides_no_change(store, year):
    packages = numbered_packages(10)
    packages[4]["metadata_modified"] = f"{year}-12-31T23:59:59"
    with RecordedCkan(packages) as server:
        bring(store, "ckan", server.url)
        edits(packages, "Package 7", "2130-01-01T00:00:00")  # later than now, by whatever clock
        bring(store, "ckan", server.url)
    assert "Package 7, edited" in titles(store)


def test_t35_what_changes_between_two_attempts_is_read_the_next_time(store):
    """The first attempt reads page 1; hours later the second reads the rest, and sees newer dates there."""
    packages = numbered_packages(30)
    with RecordedCkan(packages, cap=10, fail_at={9: 503}) as server:
        store.leases.enqueue(set_up(store, server.url))
        works = at_work(store)
        assert works.next().status == "waiting"
        assert len(titles(store)) == 10
        edits(packages, "Package 2", "2025-06-01T02:00:00")
        edits(packages, "Package 28", "2025-06-01T05:30:00")
        server.fail_at = {}
        at_once(store)
        assert works.next().status == "complete"
        assert {"Package 2", "Package 28, edited"} <= set(titles(store))
        run = bring(store, "ckan", server.url)
    assert run.whole is False
    assert "Package 2, edited" in titles(store)


def at_work(store: Store) -> Worker:
    return Worker(store, lambda: Client(QUICK, allow_private=True), BASE, tell=lambda _: None)


def set_up(store: Store, url: str) -> HarvestSource:
    held = source("canals", type="ckan", url=url)
    store.sources.replace(held)
    return held


def test_t35_a_feed_is_asked_for_changes_by_its_own_clock(store):
    """Which is two hours slow; and a dataset on page 1 is edited while we read page 2."""
    now = "Sun, 22 Nov 2026 10:00:00 GMT"
    edited: dict[int, str] = {}

    def page(asked: Asked) -> bytes:
        said = parse_qs(urlsplit(asked.path).query)
        since = said.get("since", [""])[0]
        if since:
            return turtle(locks([n for n, at in edited.items() if at >= since], n1="Edited"))
        if "page" in said:
            edited[1] = "2026-11-22T10:00:01Z"
            return turtle(locks([4, 5]))
        return turtle(locks([1, 2, 3]), f"<> <{HYDRA}next> </c?page=2> .")

    how: dict[str, Any] = {"options": {"changed_parameter": "since"}}
    with Answers({"/c": (200, {"Content-Type": "text/turtle"}, page)}) as server:
        server._http.RequestHandlerClass.date_time_string = lambda *_: now  # type: ignore[attr-defined]
        assert bring(store, "dcat-rdf", f"{server.url}/c", **how).added == 5
        run = bring(store, "dcat-rdf", f"{server.url}/c", **how)
    assert (run.whole, run.updated, run.withdrawn) == (False, 1, 0)
    assert "Edited" in titles(store)


# ---- pages that shift


def test_t36_a_portal_that_drops_a_dataset_between_pages_loses_no_other(store):
    def drop(call: int, packages: list[dict[str, Any]]) -> None:
        if call == 1:
            del packages[:3]

    with RecordedCkan(numbered_packages(30), cap=10) as server:
        bring(store, "ckan", server.url)
        days_pass(store, 30)
        server.mutate, server.searches = drop, 0
        run = bring(store, "ckan", server.url)
        assert (run.status, run.whole, run.withdrawn, len(titles(store))) == ("complete", True, 0, 30)
        server.mutate = None
        days_pass(store, 30)
        assert bring(store, "ckan", server.url).withdrawn == 3
    assert titles(store) == sorted(f"Package {n}" for n in range(3, 30))


def test_t36_a_portal_that_drops_datasets_between_two_attempts_loses_no_other(store):
    packages = numbered_packages(30)
    with RecordedCkan(packages, cap=10) as server:
        bring(store, "ckan", server.url)
        days_pass(store, 30)
        server.fail_at = {9: 503}
        store.leases.enqueue(set_up(store, server.url))
        works = at_work(store)
        assert works.next().status == "waiting"
        del packages[:3]
        server.fail_at = {}
        at_once(store)
        run = works.next()
    assert (run.status, run.withdrawn) == ("complete", 0)
    assert len(titles(store)) == 30


def shifting(held: list[int], *, linked: bool) -> Script:
    """Pages of three, by number, each with the count of all. The first dataset goes after the first page, if it is there."""

    def page(asked: Asked) -> bytes:
        number = int((parse_qs(urlsplit(asked.path).query).get("page") or ["1"])[0])
        here = held[3 * number - 3 : 3 * number]
        more = f"<> <{HYDRA}next> </c?page={number + 1}> ." if linked and len(held) > 3 * number else ""
        said = turtle(locks(here), f"<> <{HYDRA}totalItems> {len(held)} . {more}")
        if -1 in held:
            del held[:2]
        return said

    return 200, {"Content-Type": "text/turtle"}, page


@pytest.mark.parametrize("linked", [True, False], ids=["linked", "numbered"])
def test_t36_a_feed_that_drops_a_dataset_between_pages_is_incomplete(store, linked):
    how: dict[str, Any] = {"options": {} if linked else {"page_parameter": "page"}}
    held = list(range(9))
    with Answers({"/c": shifting(held, linked=linked)}) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/c", **how).added == 9
        held.insert(0, -1)  # which goes between page 1 and page 2, and the first with it
        run = bring(store, "dcat-rdf", f"{server.url}/c", **how)
        assert held == list(range(1, 9))
        assert (run.status, run.withdrawn) == ("partial", 0)
        assert "source-incomplete" in rules(store, run)
        calm = bring(store, "dcat-rdf", f"{server.url}/c", **how)
    assert (calm.status, calm.withdrawn) == ("complete", 2)
    assert titles(store) == [f"Lock 00{n}" for n in range(1, 9)]


# ---- every trap has its test

CANNOT_APPLY = {
    "T6": "fedcat has no crawler of web folders, so there are no sub-folders to fail",
    "T33": "fedcat has no crawler of web folders, and follows no links but those that name the next page",
}


def traps_named() -> set[str]:
    """The traps that the names and docstrings of tests say, and the lines above them."""
    text = "\n".join(
        line
        for file in Path(__file__).parent.glob("test_*.py")
        for line in re.findall(r'^def test_\w*|^    """[^"\n]*', file.read_text("utf-8"), re.MULTILINE)
    )
    return {f"T{number}" for number in re.findall(r"(?:_t|\bT)(\d+)(?=_|\b)", text)}


def test_every_trap_of_removal_identity_and_network_is_named_by_a_test():
    named = traps_named()
    wanted = {f"T{number}" for number in range(1, 37)} - set(CANNOT_APPLY)
    assert wanted - named == set()
    assert named.isdisjoint(CANNOT_APPLY)
