"""Disappearances that wait for a person: what is held, what is decided, and that no harvest decides it for them."""

from __future__ import annotations

import pytest
from world import Fake, empty_store, harvest, numbered, titles

from catalogue.errors import NotFound, SourceUnavailable, WrongUse
from catalogue.harvest import decide
from catalogue.store.quarantines import Quarantines

MANY = 40


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def without(records, *gone):
    return {name: said for name, said in records.items() if name not in gone}


def first(count):
    return [f"r{n}" for n in range(count)]


def held(store, name="canals"):
    """The identifiers that wait for a person."""
    waits = store.quarantines.open(name)
    return sorted(one.identifier for one in store.quarantines.missing(waits.id)) if waits else []


def waiting(store, name="canals"):
    return store.quarantines.open(name).id


def filled(store, gone=20, **said):
    """A source of which many records have vanished."""
    records = {f"r{n}": {"title": f"Dataset {n}", "files": [f"https://canals.example/{n}.csv"]} for n in range(MANY)}
    harvest(store, records, said=said)
    return records, harvest(store, without(records, *first(gone)), said=said)


def renumbered(records, count):
    """The same records, so many of them under another identifier."""
    return {(f"new-{name}" if n < count else name): said for n, (name, said) in enumerate(records.items())}


# ---- what is held (traps of others, reference/peers.md)


def test_a_source_that_comes_back_empty_says_so(store):
    harvest(store, numbered(5))
    run = harvest(store, {})
    assert (run.status, run.held, len(titles(store))) == ("quarantined", 5, 5)
    assert "came back empty" in store.quarantines.open("canals").cause


def test_t1_a_hundred_known_records_survive_an_empty_answer(store):
    harvest(store, numbered(100))
    assert harvest(store, {}).held == 100
    assert (len(held(store)), len(titles(store))) == (100, 100)


def test_t14_what_goes_from_one_source_goes_from_no_other(store):
    same = {"title": "Flood zones", "iri": "https://water.example/id/flood"}
    for name in ("water", "maps"):
        harvest(store, {"a": same, **numbered(MANY)}, name)
    before = store.records.verbatim("maps", "a"), store.datasets.get(same["iri"]).body
    harvest(store, numbered(MANY), "water")
    harvest(store, numbered(5), "water")
    decide.approve(store, waiting(store, "water"), "ann")
    entry = store.datasets.get(same["iri"])
    assert (store.records.verbatim("maps", "a"), entry.body) == before
    assert [route.source for route in entry.routes] == ["maps"]
    assert len(store.records.identifiers("maps")) == MANY + 1


@pytest.mark.parametrize(("left", "status"), [(2, "complete"), (0, "quarantined")])
def test_t15_one_of_three_goes_and_three_of_three_are_held(store, left, status):
    harvest(store, numbered(3))
    assert harvest(store, numbered(left)).status == status


def test_t15_thirty_in_a_hundred_are_held_however_large_the_source(store):
    harvest(store, numbered(1_000))
    assert harvest(store, numbered(700)).held == 300
    assert harvest(store, numbered(700)).withdrawn == 0


def test_t16_what_is_held_stays_held_and_removable_through_healthy_runs(store):
    records, run = filled(store)
    assert (run.status, run.held, run.withdrawn) == ("quarantined", 20, 0)
    less = without(records, *first(20))
    for day in range(3):
        run = harvest(store, {name: {**said, "keywords": [f"day {day}"]} for name, said in less.items()})
        assert (run.status, run.updated, run.held, run.withdrawn) == ("quarantined", 20, 20, 0)
    assert held(store) == sorted(first(20))
    assert len(store.quarantines.some(all_=True)) == 1
    assert decide.approve(store, waiting(store), "ann") == 20


def test_what_vanishes_beside_what_is_held_is_judged_for_itself(store):
    records, _ = filled(store)
    run = harvest(store, without(records, *first(22)))
    assert (run.withdrawn, run.held) == (2, 20)
    run = harvest(store, without(records, *first(36)))
    assert (run.withdrawn, run.held) == (0, 34)
    assert len(held(store)) == 34


def test_a_broken_fetch_neither_withdraws_nor_holds(store):
    harvest(store, numbered(MANY))
    run = harvest(store, Fake(numbered(3), breaks=(3, SourceUnavailable("It went away."))))
    assert (run.status, run.withdrawn, run.held) == ("partial", 0, 0)
    assert store.quarantines.some(all_=True) == []


def test_a_quarantine_shows_what_the_source_gave_in_its_last_runs(store):
    for count in (40, 39, 38, 38, 37, 36, 5):
        harvest(store, numbered(count))
    assert store.quarantines.open("canals").counts == (38, 38, 37, 36, 5)


def test_what_returns_is_held_no_longer(store):
    records, _ = filled(store)
    run = harvest(store, without(records, *first(5)))
    assert (run.held, held(store)) == (5, sorted(first(5)))
    run = harvest(store, records)
    assert (run.status, run.held, held(store)) == ("complete", 0, [])
    assert [one.state for one in store.quarantines.some(all_=True)] == ["returned"]


def test_each_source_has_thresholds_of_its_own(store):
    records = numbered(MANY)
    harvest(store, records, "strict", said={"few": 0, "share": 0.0})
    harvest(store, records, "loose", said={"few": 30, "share": 0.0})
    assert harvest(store, without(records, "r0"), "strict", said={"few": 0, "share": 0.0}).held == 1
    assert harvest(store, without(records, *first(30)), "loose", said={"few": 30, "share": 0.0}).withdrawn == 30


# ---- approved


def test_what_is_approved_is_withdrawn_by_name_and_for_a_reason(store):
    records, _ = filled(store)
    gone = store.records.known(["record:canals:r3:0"]).ids["record:canals:r3:0"]
    assert decide.approve(store, waiting(store), "ann", "The team was wound up") == 20
    assert len(titles(store)) == 20
    row = store.datasets.get(gone).row
    assert (row.state, row.reason) == ("withdrawn", "canals no longer lists it. The team was wound up")
    assert {(c.actor, c.outcome) for c in store.datasets.changes(after=MANY)} == {("ann", "withdrawn")}
    run = harvest(store, without(records, *first(20)))
    assert (run.status, run.held, run.withdrawn) == ("complete", 0, 0)


def test_what_returned_before_the_approval_stays(store):
    records, _ = filled(store)
    harvest(store, without(records, *first(15)))
    assert decide.approve(store, waiting(store), "ann") == 15
    assert len(titles(store)) == 25


def test_what_was_approved_and_returns_has_its_old_address(store):
    records, _ = filled(store)
    before = {entry.row.title: entry.id for entry in store.datasets.each()}
    decide.approve(store, waiting(store), "ann")
    assert harvest(store, records).added == 20
    assert {entry.row.title: entry.id for entry in store.datasets.each()} == before


def test_a_decision_is_made_once(store):
    filled(store)
    number = waiting(store)
    decide.approve(store, number, "ann")
    serial = store.datasets.serial()
    for again in (decide.approve, decide.reject, decide.renamed):
        with pytest.raises(WrongUse, match="is approved already"):
            again(store, number, "bob")
    assert store.datasets.serial() == serial
    with pytest.raises(NotFound):
        decide.approve(store, 999, "ann")


class Crash(Exception):
    pass


class Dying(Quarantines):
    """The process ends before the decision is written down."""

    def close(self, *_, **__):
        raise Crash


@pytest.mark.parametrize("act", [decide.approve, decide.renamed])
def test_a_decision_that_was_cut_short_is_made_again(store, act):
    records = {f"r{n}": {"title": f"Dataset {n}", "files": [f"https://canals.example/{n}.csv"]} for n in range(MANY)}
    harvest(store, records)
    now = renumbered(records, 20)
    harvest(store, now)
    number = waiting(store)

    store.quarantines = Dying(store.database)
    with pytest.raises(Crash):
        act(store, number, "ann")
    store.quarantines = Quarantines(store.database)
    serial = store.datasets.serial()
    act(store, number, "ann")
    assert store.datasets.serial() == serial, "what was done is not done again"
    assert held(store) == []
    assert len(titles(store)) == MANY


# ---- rejected


def test_what_is_rejected_stays_and_is_not_asked_again(store):
    records, _ = filled(store)
    assert decide.reject(store, waiting(store), "ann", "Their export is broken") == 20
    run = harvest(store, without(records, *first(20)))
    assert (run.status, run.withdrawn, run.held, len(titles(store))) == ("complete", 0, 0, MANY)
    harvest(store, without(records, *first(23)))
    assert len(titles(store)) == MANY - 3


def test_what_was_rejected_and_returned_is_judged_anew_when_it_goes(store):
    records, _ = filled(store)
    decide.reject(store, waiting(store), "ann")
    harvest(store, records)
    assert harvest(store, without(records, *first(20))).held == 20


# ---- renamed


@pytest.fixture
def anew(store):
    """A source that calls 15 of its 40 records otherwise, and has lost 5 more."""
    records = {f"r{n}": {"title": f"Dataset {n}", "files": [f"https://canals.example/{n}.csv"]} for n in range(MANY)}
    harvest(store, records)
    before = {entry.row.title: (entry.id, entry.iri) for entry in store.datasets.each()}
    now = without(renumbered(records, 15), *(f"r{n}" for n in range(15, 20)))
    run = harvest(store, now)
    assert (run.status, run.held, run.added) == ("quarantined", 20, 15)
    return records, now, before


def pages(store):
    return {entry.row.title: (entry.id, entry.iri) for entry in store.datasets.each()}


def test_renamed_records_keep_their_pages(store, anew):
    _, now, before = anew
    waits = store.quarantines.open("canals")
    assert (waits.renamed, waits.size) == (15, 20)
    assert "another identifier" in waits.cause
    newer = {one.renamed_dataset for one in store.quarantines.missing(waits.id)} - {""}
    assert decide.renamed(store, waits.id, "ann") == 15
    assert pages(store) == before
    assert all(len(entry.routes) == 1 for entry in store.datasets.each())
    gone = [store.datasets.get(id_).row for id_ in newer]
    assert {row.state for row in gone} == {"withdrawn"}
    assert {row.successor for row in gone} <= {id_ for id_, _ in before.values()}
    run = harvest(store, now)
    assert (run.unchanged, run.added, run.updated, run.withdrawn) == (35, 0, 0, 0)
    changed = {name: {**said, "keywords": ["new"]} for name, said in now.items()}
    assert harvest(store, changed).updated == 35
    assert pages(store) == before


def test_what_is_not_renamed_stays_held_in_a_quarantine_of_its_own(store, anew):
    _, now, _ = anew
    first_one = waiting(store)
    decide.renamed(store, first_one, "ann")
    assert waiting(store) != first_one
    assert held(store) == sorted(f"r{n}" for n in range(15, 20))
    assert harvest(store, now).status == "quarantined"
    assert decide.approve(store, waiting(store), "ann") == 5
    assert len(titles(store)) == 35


def test_the_rest_can_go_at_once(store, anew):
    _, now, before = anew
    assert decide.renamed(store, waiting(store), "ann", rest=True) == 15
    assert held(store) == []
    assert pages(store) == {
        title: page for title, page in before.items() if title not in {f"Dataset {n}" for n in range(15, 20)}
    }
    assert harvest(store, now).status == "complete"


def test_what_goes_under_no_other_name_cannot_be_renamed(store):
    filled(store)
    with pytest.raises(WrongUse, match="approve or reject it"):
        decide.renamed(store, waiting(store), "ann")
    assert len(held(store)) == 20


def test_a_newcomer_that_has_gone_again_renames_nothing(store, anew):
    _, now, _ = anew
    harvest(store, without(now, "new-r0"))
    decide.renamed(store, waiting(store), "ann")
    assert "r0" in held(store)
    assert len(titles(store)) == MANY
