"""Sources that change, fail and return, workers that die anywhere: whatever happens, every run ends and nothing is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from paged import Paged, known_as, worker
from strikes import HOW, Killed, Strikes
from world import empty_store, source

from catalogue.dcat import Identifier
from catalogue.errors import Problem, SourceUnavailable, StoreAway
from catalogue.harvest import decide
from catalogue.source import FIRST, HarvestSource, PageEnd, SourceRecord
from catalogue.store import Run, Store
from catalogue.store.leases import ENDED
from catalogue.store.tables import catalog_records, changes, datasets, metadata, runs, source_records

FEW, SHARE = 2, 0.1
NAMELESS = Problem(rule="nameless", message="It has no name.", fix="Name it.", where="row 1")
NAMES = ("canals", "rivers")

of_source = st.sampled_from(NAMES)
how_many = st.integers(1, 4)


@dataclass
class Moving(Paged):
    """A paged source that says when a page is as it was, may break off within a page, and lets others act before one."""

    broken: dict[int, int] = field(default_factory=dict)
    """Pages that break off after their first record, each so many times."""
    before: dict[int, Any] = field(default_factory=dict)
    """What happens, once, before a page is asked for."""

    def fetch(self, source: HarvestSource, client: Any, visit: Any = FIRST) -> Iterator[Any]:
        number = int(visit.cursor or 0)
        while True:
            if happens := self.before.pop(number, None):
                happens()
            at, here = str(number or ""), list(self.records.items())[number * self.size :][: self.size]
            last = (number + 1) * self.size >= len(self.records)
            digest = blake2b(repr((here, last)).encode()).hexdigest()
            following = "" if last else str(number + 1)
            remembered = visit.remembered(at)
            if remembered.digest == digest:
                yield PageEnd(at=at, next=remembered.next, digest=digest, unchanged=True, held=remembered.held)
                if not remembered.next:
                    return
                number += 1
                continue
            if self.spoilt(self.fails, number):
                raise SourceUnavailable(f"Page {number} cannot be read.")
            breaks = self.spoilt(self.broken, number)
            for identifier, said in here:
                yield said if isinstance(said, Problem) else record(identifier, said, source)
                if breaks:
                    raise SourceUnavailable(f"Page {number} breaks off.")
            yield PageEnd(at=at, next=following, digest=digest)
            if last:
                return
            number += 1

    @property
    def pages(self) -> int:
        return max(1, -(-len(self.records) // self.size))

    def spoilt(self, pages: dict[int, int], number: int) -> bool:
        left = pages.get(number, 0)
        pages[number] = max(0, left - 1)
        return left > 0


def record(identifier: str, said: Any, source: HarvestSource) -> SourceRecord:
    return SourceRecord(Identifier(identifier), json.dumps(said).encode(), "application/json", source.url)


@dataclass
class Model:
    """What a source is like, and what it was like."""

    name: str
    reads: Moving
    states: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, set[str]] = field(default_factory=dict)
    """Every title that a record has ever had."""
    made: int = 0

    def become(self, records: dict[str, Any]) -> None:
        self.states.append(self.reads.records)
        self.reads.records = records
        for identifier, said in records.items():
            if not isinstance(said, Problem):
                self.versions.setdefault(identifier, set()).add(said["title"])

    def new(self, count: int) -> dict[str, Any]:
        numbers = range(self.made, self.made + count)
        self.made += count
        return {f"{self.name}-{n}": {"title": f"{self.name.title()} {n}"} for n in numbers}

    @property
    def names(self) -> list[str]:
        return [name for name, said in self.reads.records.items() if not isinstance(said, Problem)]

    @property
    def nameless(self) -> int:
        return len(self.reads.records) - len(self.names)


class Harvesting(RuleBasedStateMachine):
    """Two sources, workers of which any may die at any write, a person who decides."""

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.store: Store = self.open.enter_context(empty_store())
        self.strikes = Strikes(self.store)
        self.withdraws = self.store.records.withdraw
        self.store.records.withdraw = self.watched  # type: ignore[method-assign]
        self.moment = datetime.now(UTC)
        self.models = {name: Model(name, Moving({})) for name in NAMES}
        self.steady: dict[int, bool] = {}
        """Of each run under way, whether its source has stayed as it was since it began."""
        self.datasets: dict[tuple[str, str], str] = {}
        self.ended: set[int] = set()

    @initialize(counts=st.tuples(st.integers(1, 14), st.integers(1, 14)))
    def begin(self, counts: tuple[int, int]) -> None:
        for model, count in zip(self.models.values(), counts, strict=True):
            known_as(model.reads, f"moving-{model.name}")
            model.become(model.new(count))
            said = {"type": f"moving-{model.name}", "few": FEW, "share": SHARE, "schedule": "0 3 * * *"}
            self.store.sources.replace(source(model.name, **said))
            self.store.leases.enqueue(self.store.sources.get(model.name))

    def teardown(self) -> None:
        try:
            if any(model.states for model in self.models.values()):
                self.come_to_rest()
        finally:
            self.open.close()

    # ---- what sources do

    def changes_to(self, name: str, records: dict[str, Any]) -> None:
        self.models[name].become(records)
        self.steady |= {run: False for run, its in self.under_way().items() if its == name}

    @rule(name=of_source, count=how_many, where=st.integers(0, 20))
    def gains(self, name: str, count: int, where: int) -> None:
        held = list(self.models[name].reads.records.items())
        new = list(self.models[name].new(count).items())
        self.changes_to(name, dict(held[:where] + new + held[where:]))

    @rule(name=of_source, which=st.sets(st.integers(0, 20), max_size=5), rude=st.booleans())
    def says_otherwise(self, name: str, which: set[int], rude: bool) -> None:
        model = self.models[name]
        said = dict(model.reads.records)
        for nth in which:
            if nth < len(model.names):
                identifier = model.names[nth]
                title = f"{identifier} as of {len(model.states)}"
                said[identifier] = {"title": title, "rude": True} if rude else {"title": title}
        self.changes_to(name, said)

    @rule(name=of_source, which=st.sets(st.integers(0, 20), max_size=8))
    def loses(self, name: str, which: set[int]) -> None:
        kept = [pair for nth, pair in enumerate(self.models[name].reads.records.items()) if nth not in which]
        self.changes_to(name, dict(kept))

    @rule(name=of_source)
    def renames(self, name: str) -> None:
        model = self.models[name]
        held = model.reads.records.items()
        self.changes_to(name, {f"{i}+": s for i, s in held} if len(model.states) % 2 else {f"+{i}": s for i, s in held})

    @rule(name=of_source)
    def answers_empty(self, name: str) -> None:
        self.changes_to(name, {})

    @rule(name=of_source, where=st.integers(0, 10))
    def has_one_without_a_name(self, name: str, where: int) -> None:
        held = list(self.models[name].reads.records.items())
        self.changes_to(name, dict([*held[:where], (f"?{where}", NAMELESS), *held[where:]]))

    @rule(name=of_source, back=st.integers(1, 4))
    def returns_to_an_earlier_state(self, name: str, back: int) -> None:
        self.changes_to(name, self.models[name].states[-back:][0])

    @rule(name=of_source, page=st.integers(0, 4), times=st.integers(1, 7), midway=st.booleans())
    def breaks(self, name: str, page: int, times: int, midway: bool) -> None:
        reads = self.models[name].reads
        (reads.broken if midway else reads.fails)[page] = times

    # ---- what workers and people do

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.moment += timedelta(hours=hours)
        worker(self.store).schedule(self.moment)

    @rule(name=of_source, trusting=st.booleans())
    def somebody_asks_for_a_run(self, name: str, trusting: bool) -> None:
        self.store.leases.enqueue(self.store.sources.get(name), trusting=trusting)

    @rule(name=of_source)
    def a_worker_works(self, name: str) -> None:
        self.is_wanted(name)
        self.work()

    @rule(name=of_source, after=st.integers(1, 12), how=st.sampled_from(HOW))
    def a_worker_dies(self, name: str, after: int, how: str) -> None:
        self.is_wanted(name)
        self.work(after, how)

    @rule(name=of_source, page=st.integers(0, 3), after=st.integers(0, 8))
    def a_worker_sleeps_while_another_goes_on(self, name: str, page: int, after: int) -> None:
        left: list[Any] = []

        def others_work() -> None:
            self.work(after, "after" if after else "")
            left.append(self.everything())

        self.is_wanted(name)
        reads = self.models[name].reads
        reads.before = {page % reads.pages: others_work}
        self.work()
        reads.before = {}
        if left:
            assert self.everything() == left[0], "a worker that had lost its lease wrote"

    @precondition(lambda self: self.store.quarantines.some())
    @rule(nth=st.integers(0, 1), gone=st.booleans())
    def a_person_decides(self, nth: int, gone: bool) -> None:
        waiting = self.store.quarantines.some()
        held = waiting[nth % len(waiting)]
        (decide.approve if gone else decide.reject)(self.store, held.id, "a steward")

    def is_wanted(self, name: str) -> None:
        if name not in self.under_way().values():
            self.store.leases.enqueue(self.store.sources.get(name))

    def work(self, after: int = 0, how: str = "") -> Run | None:
        """Let a worker take the next run, whenever it is due; it may be struck at its n-th write."""
        with self.strikes.genuine() as c:
            c.execute(sa.update(runs).where(runs.c.status == "waiting").values(due=datetime(2020, 1, 1, tzinfo=UTC)))
        fresh = [run for run in self.under_way() if not self.store.runs.get(run).token]
        self.steady |= dict.fromkeys(fresh, True)
        self.strikes.at(after, how)
        try:
            return worker(self.store).next()
        except (Killed, StoreAway):
            return None
        finally:
            self.strikes.stop()

    def watched(self, source: HarvestSource, gone: Any, cause: Any) -> int:
        """What is withdrawn was believed by the rule, or a person said so, or what it stood for is held and shown."""
        if cause.run and not cause.run.trusting:
            model, held = self.models[source.name], self.held(source.name)
            judged = self.judged(source.name, gone)
            assert len(judged) < len(held), "all of a source was withdrawn"
            assert len(judged) <= max(FEW, SHARE * len(held)), "more was withdrawn than is believed"
            if self.steady.get(cause.run.id):
                assert not set(gone) & set(model.names), "what the source has was withdrawn"
                assert not model.nameless, "it was not to be judged"
        return self.withdraws(source, gone, cause)

    def judged(self, name: str, gone: Any) -> set[str]:
        """What is gone, without what came in the place of records that are held: of the same title, and younger."""
        quarantines = self.store.quarantines
        waits = quarantines.open(name)
        number = {entry.id: entry.row.number for entry in self.store.datasets.each()}
        shown = {
            one.title: number[one.dataset]
            for one in (quarantines.missing(waits.id) if waits else ())
            if one.dataset in number
        }
        return {
            one.identifier
            for one in quarantines.titles(name, gone)
            if number.get(one.dataset, 0) <= shown.get(one.title, 10**9)
        }

    # ---- what is always so

    @invariant()
    def all_is_well(self) -> None:
        self.the_log_tells_what_there_is()
        self.a_record_describes_the_same_dataset_for_ever()
        self.what_a_run_counts_adds_up()

    def the_log_tells_what_there_is(self) -> None:
        with self.store.database.reading() as c:
            told = {row.dataset: row for row in c.execute(sa.select(changes).order_by(changes.c.serial))}
            there = {row.id: row for row in c.execute(sa.select(datasets))}
            led = set(c.execute(sa.select(catalog_records.c.dataset)).scalars())
        assert {i: (r.outcome != "withdrawn", r.serial) for i, r in told.items()} == {
            i: (r.state == "current", r.serial) for i, r in there.items()
        }
        assert {i for i, row in there.items() if row.state == "current"} == led

    def a_record_describes_the_same_dataset_for_ever(self) -> None:
        for pair, dataset in self.described().items():
            assert self.datasets.setdefault(pair, dataset) == dataset

    def what_a_run_counts_adds_up(self) -> None:
        for run in self.store.runs.some(limit=1000):
            if run.id in self.ended or run.status not in ENDED:
                continue
            self.ended.add(run.id)
            if run.status not in ("complete", "quarantined"):
                continue
            nameless = run.added + run.updated + run.unchanged + run.rejected - run.fetched
            assert nameless >= 0
            if self.steady.get(run.id):
                model = self.models[run.source]
                assert (run.fetched, nameless) == (len(model.names), model.nameless)

    # ---- the end

    def come_to_rest(self) -> None:
        for model in self.models.values():
            model.reads.fails, model.reads.broken = {}, {}
        self.drain()
        self.all_is_well()
        for model in self.models.values():
            named = {i: said for i, said in model.reads.records.items() if not isinstance(said, Problem)}
            self.changes_to(model.name, named)
            self.store.leases.enqueue(self.store.sources.get(model.name))
        for after in (3, 6, 9):
            self.work(after, "after")
        self.drain()
        self.all_is_well()
        for model in self.models.values():
            last = self.store.runs.last(model.name)
            assert last is not None
            assert last.status in ("complete", "quarantined")
            self.catalogue_is_as(model)

    def drain(self) -> None:
        """Every run comes to an end."""
        for _ in range(40):
            if not self.under_way():
                return
            self.work()
        raise AssertionError(f"runs never end: {self.store.runs.under_way()}")

    def catalogue_is_as(self, model: Model) -> None:
        """It has what the source has, as it last could be read, and what is held back from going; and no more."""
        here, titles = self.held(model.name), self.titles(model.name)
        good = {i: said["title"] for i, said in model.reads.records.items() if not said.get("rude")}
        held = set().union(*self.store.quarantines.held(model.name).values())
        assert good.items() <= titles.items()
        assert here - set(model.names) == held
        for identifier in here - set(good):
            assert titles[identifier] in model.versions[identifier]

    # ---- looking

    def under_way(self) -> dict[int, str]:
        wanted = sa.select(runs.c.id, runs.c.source).where(runs.c.status.in_(("waiting", "running")))
        with self.store.database.reading() as c:
            return {row.id: row.source for row in c.execute(wanted)}

    def held(self, name: str) -> set[str]:
        return self.store.records.identifiers(name)

    def described(self) -> dict[tuple[str, str], str]:
        r, k = source_records.c, catalog_records.c
        wanted = sa.select(r.source, r.identifier, k.dataset).join(catalog_records, k.record == r.id)
        with self.store.database.reading() as c:
            return {(row.source, row.identifier): row.dataset for row in c.execute(wanted)}

    def titles(self, name: str) -> dict[str, str]:
        r, k = source_records.c, catalog_records.c
        wanted = sa.select(r.identifier, k.title).join(catalog_records, k.record == r.id).where(r.source == name)
        with self.store.database.reading() as c:
            return {row.identifier: row.title for row in c.execute(wanted)}

    def everything(self) -> dict[str, list[Any]]:
        with self.store.database.reading() as c:
            return {table.name: c.execute(sa.select(table)).all() for table in metadata.sorted_tables}


Harvesting.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    derandomize="FEDCAT_EXPLORE" not in os.environ,  # with it, other steps every time
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestHarvesting = Harvesting.TestCase
