"""Runs are leased: one worker at a time, taken over when it dies, tried again, given up in the end."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from paged import Paged, known_as, worker
from world import BASE, dataset, empty_store, numbered, source, titles

from catalogue.errors import Busy, LeaseLost, StoreAway
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.identify import Known, identify
from catalogue.source import SourceRecord
from catalogue.store import Description
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


def set_up(store, name="canals", **said):
    held = source(name, **{"type": "paged", **said})
    store.sources.replace(held)
    return held


def at_once(store):
    """Let every run that waits start now."""
    with store.database.writing() as c:
        c.execute(sa.update(runs).where(runs.c.status == "waiting").values(due=datetime(2020, 1, 1, tzinfo=UTC)))


def described(record: SourceRecord, held):
    resource = identify(dataset("Locks"), record, held, Known({}, {}, {}), BASE)
    return Description(record, (resource,))


def test_a_worker_that_wakes_late_writes_nothing(store):
    held = set_up(store)
    slept = HarvestRun.begin(held, store, BASE)
    awake = HarvestRun.begin(held, store, BASE)  # takes the run over
    assert awake.row.id == slept.row.id
    assert awake.row.token == slept.row.token + 1
    record = SourceRecord("1", b"{}", "application/json", held.url)
    for write in (
        lambda: store.records.put([described(record, held)], held, slept.cause),
        lambda: store.records.withdraw(held, ["1"], slept.cause),
        lambda: store.leases.beat(slept.row),
        lambda: slept.finish("complete"),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert titles(store) == []
    store.records.put([described(record, held)], held, awake.cause)
    assert awake.finish("complete").status == "complete"
    assert titles(store) == ["Locks"]


def test_somebody_at_work_elsewhere_is_not_disturbed(store):
    held = set_up(store)
    run = store.leases.start(held)
    with store.database.writing() as c:
        c.execute(sa.update(runs).values(owner="another-machine/1/1"))
    with pytest.raises(Busy, match="another-machine"):
        store.leases.start(held)
    assert store.leases.claim() is None
    with store.database.writing() as c:
        c.execute(sa.update(runs).values(lease_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert store.leases.claim().id == run.id


def test_a_second_wish_for_a_run_is_the_first_one_sooner(store):
    held = set_up(store)
    later = store.leases.enqueue(held, due=datetime.now(UTC) + timedelta(hours=1))
    assert store.leases.claim() is None
    assert store.leases.enqueue(held).id == later.id
    assert store.leases.claim().id == later.id


def test_one_host_is_asked_for_two_sources_at_once_and_no_more(store):
    for number in range(4):
        held = set_up(store, f"s{number}", url=f"https://one.example/{number}")
        store.leases.enqueue(held)
    store.leases.enqueue(set_up(store, "elsewhere", url="https://two.example/"))
    claimed = []

    def claim():
        claimed.append(store.leases.claim())

    for _ in range(4):
        claim()
        with store.database.writing() as c:  # each is another's
            c.execute(sa.update(runs).where(runs.c.status == "running").values(owner="another/1/1"))
    assert [run.source if run else None for run in claimed] == ["s0", "s1", "elsewhere", None]


def test_a_run_that_breaks_off_is_tried_again_from_the_page_that_failed(store, paged):
    store.leases.enqueue(set_up(store))
    paged.fails = {2: 1}
    first = worker(store).next()
    assert (first.status, first.attempts, "Page 2" in first.message) == (
        "waiting",
        0,
        True,
    )  # it has come further than before
    assert first.due > datetime.now(UTC) + timedelta(seconds=25)
    assert worker(store).next() is None  # not yet
    at_once(store)
    assert worker(store).next().status == "complete"
    assert paged.asked == [0, 1, 2, 2, 3]
    assert (len(titles(store)), store.runs.last("canals").added) == (10, 10)


def test_a_source_that_never_answers_is_given_up_with_its_reason(store, paged):
    store.leases.enqueue(set_up(store))
    paged.fails = {2: -1}
    ended = []
    waits = []
    for _ in range(20):
        at_once(store)
        run = worker(store, ended=ended.append).next()
        if run is None:
            break
        if run.status == "waiting":
            waits.append((run.due - datetime.now(UTC)).total_seconds())
    assert [run.status for run in ended] == ["dead"]
    assert "Page 2 cannot be read" in ended[0].message
    assert waits[-1] > 4 * waits[0]
    # where going on leads nowhere twice, it starts at the beginning: what it was to go on from may be what is wrong
    assert paged.asked == [0, 1, 2, 2, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    assert len(titles(store)) == 6
    told = [p for p in store.runs.problems(ended[0].id) if p.rule == "source-unavailable"]
    assert (len(told), told[0].message) == (1, "Page 2 cannot be read.")
    assert store.runs.last("canals").id == ended[0].id


def test_a_source_that_asks_us_to_come_later_is_left_alone_until_then(store, paged):
    store.leases.enqueue(set_up(store))
    paged.fails, paged.wait = {0: 1}, 7200.0
    run = worker(store).next()
    assert run.due > datetime.now(UTC) + timedelta(hours=2) - timedelta(minutes=1)


def test_a_source_is_not_asked_while_its_owner_does_not_want_us(store, paged):
    store.leases.enqueue(set_up(store, blackout="daily 00:00-12:00; daily 12:00-23:59"))
    run = worker(store).next()
    assert run.status == "waiting"
    assert run.attempts == 0
    assert run.due > datetime.now(UTC)
    assert paged.asked == []


def test_a_schedule_gives_one_run_however_many_workers_look(store, paged):
    set_up(store, schedule="*/5 * * * *")
    first, second = worker(store), worker(store)
    now = datetime.now(UTC)
    first.schedule(now)
    assert store.leases.claim() is None
    later = now + timedelta(minutes=20)
    first.schedule(later)
    second.schedule(later)
    at_once(store)
    assert first.next().status == "complete"
    assert second.next() is None


def test_a_run_whose_source_is_gone_stops_no_worker(store, paged):
    run = store.leases.enqueue(set_up(store))
    store.sources.remove("canals")
    assert worker(store).next() is None  # it went with its source
    with store.database.writing() as c:
        c.execute(sa.insert(runs).values(source="canals", status="waiting", began=run.began, due=run.began))
    assert (worker(store).next().status, worker(store).next()) == ("failed", None)


def test_paused_and_unapproved_sources_wait(store, paged):
    set_up(store, "paused", schedule="* * * * *", paused=True)
    set_up(store, "new", schedule="* * * * *", approved=False)
    for hours in range(3):
        worker(store).schedule(datetime.now(UTC) + timedelta(hours=hours))
    assert store.runs.under_way() == {}


def test_many_workers_share_one_database_and_no_source_is_harvested_twice_at_once(tmp_path):
    url = f"sqlite:///{tmp_path}/shared.db"
    busy: set[str] = set()
    clashes = []
    guard = threading.Lock()

    class Watched(Paged):
        def fetch(self, source, client, visit=None):
            with guard:
                if source.name in busy:
                    clashes.append(source.name)
                busy.add(source.name)
            yield from super().fetch(source, client, visit)
            with guard:
                busy.discard(source.name)

    known_as(Watched(numbered(20)), "paged")
    with empty_store(url) as store:
        for number in range(12):
            store.leases.enqueue(set_up(store, f"s{number}", url=f"https://s{number}.example/"))
        made = []

        def work():
            with empty_store(url) as own:
                made.append(worker(own).work(threading.Event(), once=True))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert clashes == []
        assert sum(made) == 12
        assert all(run.status == "complete" and run.added == 20 for run in store.runs.some())
        assert len(titles(store)) == 12 * 20


def test_a_database_that_goes_away_costs_an_attempt_nothing(store, paged, monkeypatch):
    held = set_up(store)
    store.leases.enqueue(held)
    put = store.records.put
    calls = []

    def away(*said):
        calls.append(1)
        if len(calls) == 2:
            raise StoreAway("The database cannot be used now: disk full.")
        return put(*said)

    store.records.put = away
    with pytest.raises(StoreAway):
        worker(store).work(threading.Event(), once=True)
    assert worker(store).next().status == "complete"
    assert paged.asked == [0, 1, 1, 2, 3]
    assert len(titles(store)) == 10


def test_a_run_of_which_nothing_changed_writes_only_its_own_row(store, paged):
    held = set_up(store)
    harvested = line.harvest(HarvestRun.begin(held, store, BASE), paged, None)
    assert harvested.added == 10
    written: list[str] = []

    def note(conn, cursor, statement, parameters, context, executemany):
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA", "COMMIT")):
            written.append(" ".join(statement.split()[:3]))

    sa.event.listen(store.database.engine, "before_cursor_execute", note)
    assert line.harvest(HarvestRun.begin(held, store, BASE), paged, None).unchanged == 10
    assert {" ".join(said.split()[-1:]) if said.startswith("INSERT") else said.split()[1] for said in written} == {
        "runs"
    }
