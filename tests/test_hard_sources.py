"""Sources that behave as few do, and those that do it anyway."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from paged import Paged, known_as, worker
from world import empty_store, harvest, numbered, source, titles

from catalogue.errors import StoreAway
from catalogue.harvest import decide


@pytest.fixture
def store():
    with empty_store() as opened:
        yield opened


def under(names: str, count: int = 20):
    """The same datasets under other identifiers, as a source gives them that makes new ones for every answer."""
    return {f"{names}-{n}": {"title": f"Canal {n}", "files": [f"https://canals.example/{n}.csv"]} for n in range(count)}


def test_identifiers_that_change_at_every_fetch_leave_one_copy_and_not_hundreds(store):
    harvest(store, under("first"))
    ids = {entry.row.title: entry.id for entry in store.datasets.each()}
    for day in range(6):
        run = harvest(store, under(f"day{day}"))
        assert (run.status, run.held) == ("quarantined", 20)
        assert len(titles(store)) == 40  # what was there, and what it seems to be now
    [waits] = store.quarantines.some()
    assert (waits.size, waits.renamed) == (20, 20)
    assert "another identifier" in waits.cause
    assert {one.renamed_to for one in store.quarantines.missing(waits.id)} == set(under("day5"))
    decide.renamed(store, waits.id, "dana")
    assert {entry.row.title: entry.id for entry in store.datasets.each()} == ids


def test_a_source_that_returns_to_last_weeks_state_gets_its_pages_back(store):
    last_week, now = numbered(30), {f"r{n}": {"title": f"Dataset {n}, mended"} for n in range(27)}
    harvest(store, last_week)
    ids = {entry.row.title: entry.id for entry in store.datasets.each()}
    assert harvest(store, now).withdrawn == 3
    run = harvest(store, last_week)
    assert (run.status, run.added, run.updated, run.unchanged) == ("complete", 3, 27, 0)
    assert {entry.row.title: entry.id for entry in store.datasets.each()} == ids
    assert harvest(store, last_week).unchanged == 30


def test_a_disk_that_is_full_costs_nothing_but_time(tmp_path):
    known_as(Paged({f"r{n}": {"title": f"Dataset {n}", "description": "x" * 3000} for n in range(60)}, size=5), "paged")
    with empty_store(f"sqlite:///{tmp_path}/full.db") as store:
        held = source(type="paged")
        store.sources.replace(held)
        store.leases.enqueue(held)
        most = [0]

        def filled_up(connection, _record):
            if most[0]:
                connection.execute(f"PRAGMA max_page_count={most[0]}")

        sa.event.listen(store.database.engine, "connect", filled_up)
        with store.database.reading() as c:
            most[0] = c.execute(sa.text("PRAGMA page_count")).scalar() + 12
        store.database.engine.dispose()
        with pytest.raises(StoreAway, match="full"):
            worker(store).work(threading.Event(), once=True)
        reached = len(titles(store))
        assert reached < 60
        most[0] = 0
        store.database.engine.dispose()
        run = worker(store).next()
        assert (run.status, run.added) == ("complete", 60)
        assert len(titles(store)) == 60
