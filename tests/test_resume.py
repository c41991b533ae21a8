"""A run that is cut short goes on where it was, counts everything once, and forgets nothing that it had found out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from paged import Paged, known_as, worker
from strikes import Killed
from world import empty_store, numbered, source, titles

from catalogue.errors import Problem, StoreAway
from catalogue.source import FIRST, PageEnd
from catalogue.store import Run, Store
from catalogue.store.tables import runs


@pytest.fixture
def store():
    with empty_store() as opened:
        yield opened


@pytest.fixture
def paged():
    harvester = Paged(numbered(10))
    known_as(harvester, "paged")
    return harvester


def wanted(store: Store, **said) -> None:
    held = source(**{"type": "paged", **said})
    store.sources.replace(held)
    store.leases.enqueue(held)


def at_once(store: Store) -> None:
    with store.database.writing() as c:
        c.execute(sa.update(runs).where(runs.c.status == "waiting").values(due=datetime(2020, 1, 1, tzinfo=UTC)))


def killed_after(store: Store, part: object, act: str, *, nth: int = 1) -> None:
    """A worker takes the next run, and dies when it has done this for the n-th time."""
    genuine, left = getattr(part, act), nth

    def last_act(*said: object, **more: object) -> object:
        nonlocal left
        done, left = genuine(*said, **more), left - 1
        if not left:
            raise Killed
        return done

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(part, act, last_act)
        with pytest.raises(Killed):
            worker(store).next()


def ended(store: Store) -> Run:
    run = worker(store).next()
    assert run is not None
    assert run.ended
    return run


def counts(run: Run) -> tuple[int, ...]:
    return (run.fetched, run.added, run.updated, run.unchanged, run.rejected)


def test_however_often_a_worker_dies_at_a_page_it_is_gone_on_with_there(store, paged):
    wanted(store)
    killed_after(store, store.records, "held", nth=3)
    for _ in range(3):
        killed_after(store, store.records, "held")
    assert counts(ended(store)) == (10, 10, 0, 0, 0)
    assert paged.asked == [0, 1, 2, 2, 2, 2, 2, 3]


def test_a_page_at_which_every_worker_dies_ends_the_run_with_its_reason(store, paged):
    wanted(store)
    for _ in range(5):
        killed_after(store, store.leases, "claim")
    assert worker(store).next() is None
    run = store.runs.last("canals")
    assert (run.status, "was lost" in run.message) == ("dead", True)


def test_a_worker_that_dies_behind_the_last_page_costs_that_page(store, paged):
    wanted(store)
    killed_after(store, store.leases, "turn", nth=4)
    assert counts(ended(store)) == (10, 10, 0, 0, 0)
    assert paged.asked == [0, 1, 2, 3, 3]
    assert store.runs.last("canals").turned == 4


def test_a_page_that_breaks_off_is_counted_once(store):
    class Breaks(Paged):
        def fetch(self, source, client, visit=FIRST):
            for found in super().fetch(source, client, visit):
                yield found
                if getattr(found, "identifier", "") == "r4" and not self.wait:
                    self.wait = 1.0
                    raise ConnectionError

    known_as(Breaks(numbered(10)), "paged")
    wanted(store)
    assert worker(store).next().status == "waiting"
    at_once(store)
    assert counts(ended(store)) == (10, 10, 0, 0, 0)


def test_a_page_that_is_as_it_was_when_this_very_run_read_it_counts_as_what_it_was_then(store):
    class Conditional(Paged):
        def fetch(self, source, client, visit=FIRST):
            before = visit.remembered("")
            if before.etag:
                yield PageEnd(unchanged=True, etag="same", held=before.held)
                return
            *records, _ = super().fetch(source, client, visit)
            yield from records
            yield PageEnd(etag="same")

    known_as(Conditional(numbered(10), size=10), "paged")
    wanted(store)
    killed_after(store, store.leases, "turn")
    assert counts(ended(store)) == (10, 10, 0, 0, 0)
    wanted(store)
    assert counts(ended(store)) == (10, 0, 0, 10, 0)


def test_what_cannot_be_judged_is_not_judged_by_who_goes_on_either(store, paged):
    class Unnamed(Paged):
        def fetch(self, source, client, visit=FIRST):
            if not visit.cursor:
                yield Problem(rule="nameless", message="It has no name.", fix="Name it.", where="row 1")
            yield from super().fetch(source, client, visit)

    wanted(store)
    assert ended(store).added == 10
    known_as(Unnamed({name: said for name, said in paged.records.items() if name != "r0"}), "paged")
    wanted(store)
    killed_after(store, store.leases, "turn", nth=2)
    run = ended(store)
    assert (run.status, run.withdrawn, len(titles(store))) == ("complete", 0, 10)
    assert "withdrawals-not-judged" in {told.rule for told in store.runs.problems(run.id)}


def test_a_database_that_is_away_is_no_fault_of_the_harvester(store, monkeypatch):
    def away(*_: object) -> None:
        raise StoreAway("The database cannot be used now.")

    class Asks(Paged):
        def fetch(self, source, client, visit=FIRST):
            visit.remembered("")
            yield from super().fetch(source, client, visit)

    known_as(Asks(numbered(10)), "paged")
    wanted(store)
    with monkeypatch.context() as patched:
        patched.setattr(store.pages, "remembered", away)
        with pytest.raises(StoreAway):
            worker(store).next()
    run = ended(store)
    assert (run.status, run.problems) == ("complete", store.runs.latest()["canals"].problems)
    assert "harvester-fault" not in {told.rule for told in store.runs.problems(run.id)}


def cut_short_by_night(store: Store) -> None:
    """A run whose worker died, another that was asked for since, and a source that does not want us now."""
    wanted(store)
    killed_after(store, store.leases, "turn", nth=2)
    wanted(store, blackout="daily 00:00-12:00; daily 12:00-23:59")


def test_a_run_put_off_and_another_wish_are_one_run(store, paged):
    cut_short_by_night(store)
    run = worker(store).next()
    assert (run.status, run.cursor) == ("waiting", "2")
    assert worker(store).next() is None
    assert list(store.runs.under_way()) == ["canals"]
    store.sources.replace(source(type="paged"))
    at_once(store)
    assert counts(ended(store)) == (10, 10, 0, 0, 0)
    assert paged.asked == [0, 1, 2, 3]


def test_a_run_is_gone_on_with_though_another_was_asked_for_meanwhile(store, paged):
    wanted(store)
    killed_after(store, store.leases, "turn", nth=2)
    store.leases.enqueue(store.sources.get("canals"))
    assert counts(ended(store)) == (10, 10, 0, 0, 0)
    assert counts(ended(store)) == (10, 0, 0, 10, 0)
    assert paged.asked == [0, 1, 2, 3, 0, 1, 2, 3]


def test_a_schedule_does_not_hasten_what_was_asked_to_come_later(store, paged):
    wanted(store, schedule="*/5 * * * *")
    paged.fails, paged.wait = {0: 1}, 7200.0
    later = worker(store).next().due
    for minutes in range(0, 60, 5):
        worker(store).schedule(datetime.now(UTC) + timedelta(minutes=minutes))
    assert store.runs.under_way()["canals"].due == later
