"""A harvest run while it goes on: what it has counted, whom it has seen, what it has to tell the source's owner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from functools import partial
from typing import Self

from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.harvest import quarantine
from catalogue.source import HarvestSource, PageEnd, SourceRecord, Visit
from catalogue.store import Cause, Held, Missing, Run, Store, Tally

KEPT_PROBLEMS = 5_000
"""How many problems of a run are stored; all are counted."""
NAMELESS = ""
"""Among the records of a page: some have lost their names, so that nobody can tell which are gone."""


@dataclass(slots=True)
class HarvestRun:
    """One attempt at one source. `base` is the public address under which ids become IRIs."""

    source: HarvestSource
    store: Store
    row: Run
    base: str
    tally: Tally = field(default_factory=Tally)
    seen: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    """Records that the source has, though the harvester could not read them."""
    nameless: int = 0
    """Records that the source has, though nothing says which."""
    visited: list[str] = field(default_factory=list)
    """The cursors of the pages that are done."""
    page: dict[str, None] = field(default_factory=dict)
    """The records of the page under way."""
    clean: bool = True
    """Whether all of the page under way could be read."""
    whole: bool = True
    """Whether everything was asked for, so that what is missing is gone."""
    replays: bool = False
    """Whether it maps again what is held, and brings nothing new."""
    refused: list[SourceRecord] = field(default_factory=list)
    requests: Callable[[], int] = lambda: 0
    _notes: list[Problem] = field(default_factory=list)
    _kept: int = 0
    _told: set[tuple[str, str, str, str]] = field(default_factory=set)
    _clock: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, source: HarvestSource, store: Store, base: str, *, trusting: bool = False) -> Self:
        """A run in this process, here and now. Raises Busy when somebody is at work on the source."""
        return cls.of(store.leases.start(source, trusting=trusting), source, store, base)

    @classmethod
    def of(cls, row: Run, source: HarvestSource, store: Store, base: str) -> Self:
        """A run that was claimed: from its start, or where the worker before left it."""
        run = cls(source, store, row, base, whole=row.whole)
        if row.token > 1:  # somebody was at work on it before
            run._told = store.runs.told(row.id)
            run._kept = len(run._told)
        if row.cursor and row.whole:
            run.visited, run.seen = store.pages.before(source.name, row.cursor)
            run.nameless = len(run.seen & {NAMELESS})
            run.seen.discard(NAMELESS)
        if row.cursor and (run.visited or not row.whole):
            run.tally = Tally(**{count.name: getattr(row, count.name) for count in fields(Tally)})
        return run

    @classmethod
    def looking(cls, source: HarvestSource, store: Store, base: str) -> Self:
        """A run that only looks: it has no row, and nobody may save its notes."""
        row = Run(0, source.name, "running", datetime.now(UTC), None, "", 0, 0, 0, 0, 0, 0, 0, 0, 0.0)
        return cls(source, store, row, base)

    @property
    def cause(self) -> Cause:
        """What changes in the catalogue by this run."""
        return Cause(run=self.row, replays=self.replays)

    def visit(self) -> Visit:
        """What the harvester is told of the visits before."""
        cursor = self.row.cursor if self.visited or not self.row.whole else ""
        remembered = partial(self.store.pages.remembered, self.source.name)
        return Visit(cursor, self.row.since, frozenset(self.seen), remembered)

    def saw(self, identifier: str) -> None:
        self.seen.add(identifier)
        self.page[identifier] = None

    def count_again(self, here: Held) -> None:
        """Count a record that is as we hold it: what this very run saved before it was cut short, as what it was then."""
        if here.run != self.row.id:
            self.tally.unchanged += 1
        elif here.first_run == self.row.id:
            self.tally.added += 1
        else:
            self.tally.updated += 1

    def could_not_read(self, problem: Problem) -> None:
        """Something of the source could not be read. Whatever record it is, it is still there."""
        if problem.severity == "error":
            known = bool(problem.record)
            self.tally.rejected += bool(problem.record or problem.where)
            self.nameless += bool(problem.where) and not known
            if known:
                self.unread.add(problem.record)
            if known or problem.where:
                self.page[problem.record or NAMELESS] = None
        # what is said of no record stands for one run only: it is to be said again in the next
        self.clean = self.clean and problem.severity != "error" and bool(problem.record)
        self.note([problem])

    def take_back(self, gone: list[str]) -> int:
        reason = f"{self.source.title or self.source.name} no longer lists it."
        return self.store.records.withdraw(self.source, gone, replace(self.cause, reason=reason))

    def missing(self, gone: list[str]) -> list[Missing]:
        """What is known of records that are gone, with the new ones that may be the same."""
        missing = self.store.quarantines.titles(self.source.name, gone)
        newcomers = [Missing(*new) for new in self.store.quarantines.newcomers(self.row)] if missing else []
        links = self.store.datasets.links({one.dataset for one in (*missing, *newcomers) if one.dataset})
        return quarantine.renames(missing, newcomers, links)

    def gone_again(self, gone: set[str]) -> set[str]:
        """Records that came in the place of others, which are held and still shown, and are gone themselves.

        Nobody has to be asked about them, and a source that makes new identifiers at every fetch would leave a copy behind
        each time. Those that are held are looked for among this run's newcomers once more.
        """
        quarantines = self.store.quarantines
        waits = quarantines.open(self.source.name)
        if waits is None:
            return set()
        fleeting = gone & quarantines.stand_ins(waits.id)
        listed = quarantines.missing(waits.id)
        lost = [one.identifier for one in listed if not one.renamed_to or one.renamed_to in fleeting]
        if lost and self.tally.added:
            quarantines.rematch(self.row, waits.id, self.missing(lost))
        return fleeting

    def hold(self, missing: list[Missing], returned: set[str]) -> None:
        """Put disappearances aside for a person, with the evidence."""
        last = self.store.runs.last(self.source.name)
        counts = (*(last.counts if last else ())[-4:], len(self.seen))
        held = len(self.store.records.identifiers(self.source.name))
        evidence = quarantine.Evidence(len(self.seen), held, len(self.visited), last.turned if last else 0, counts)
        guess = quarantine.cause(missing, evidence) if missing else ""
        self.store.quarantines.hold(self.row, missing, guess, counts, returned)

    def turn(self, page: PageEnd) -> None:
        """The page under way is done and all of it saved: a worker that takes over goes on behind it."""
        self.whole = self.whole and not page.changes_only
        self.visited.append(page.at)
        if self.row.mark:  # what changed since the attempt before may be on a page that it had read
            page = replace(page, mark=self.row.mark)
        self.store.leases.turn(self.row, page, list(self.page), self.tally, self.asked, self.clean)
        self.page, self.clean = {}, True

    @contextmanager
    def rejecting(self, record: SourceRecord) -> Iterator[None]:
        """What goes wrong with one record costs that record: it is counted and told, and the run goes on."""
        try:
            yield
        except RecordRejected as rejected:
            self.tally.rejected += 1
            self.clean = False
            self.refused.append(record)
            self.note(problem.about(record.identifier, record.where) for problem in rejected.problems)

    def broke_off(self, broken: SourceUnavailable) -> None:
        """What ended the run is told, however much was told before."""
        told = broken.problem()
        self.tally.problems += 1
        if (told.record, told.rule, told.where, told.message) not in self._told:
            self._notes.append(told)

    def note(self, problems: Iterable[Problem]) -> None:
        """Tell the source's owner. Beyond KEPT_PROBLEMS they are only counted."""
        for problem in problems:
            self.tally.problems += 1
            told = (problem.record, problem.rule, problem.where, problem.message)
            if self._kept < KEPT_PROBLEMS and told not in self._told:
                self._kept += 1
                self._notes.append(problem)

    def take_notes(self) -> list[Problem]:
        """What was noted since the last time."""
        notes, self._notes = self._notes, []
        return notes

    def save_notes(self) -> None:
        """Problems and refusals go to the store with the batch they came from."""
        self.store.runs.report(self.row, self.take_notes())
        if self.refused:
            self.store.records.refuse(self.row, self.refused)
            self.refused = []

    def finish(self, status: str, message: str = "") -> Run:
        """Close the run, with what is wrong with its source as it is held now."""
        if self.tally.added or self.tally.updated:
            self.store.joins.offer(self.row)
        self.save_notes()
        if self._told:  # notes on what an earlier worker had done were not made again
            self.tally.problems = max(self.tally.problems, self._kept)
        seconds = round(time.monotonic() - self._clock + self.row.seconds, 3)
        done = self.store.leases.finish(
            self.row, status, self.tally, message, seconds, requests=self.asked, whole=self.whole,
            turned=max(self.row.turned, len(self.visited)), **self.standing(),
        )  # fmt: skip
        read_whole = self.whole and status in ("complete", "quarantined")
        if read_whole and len(self.visited) != self.store.pages.count(self.source.name):
            self.store.pages.forget(self.source.name, but=self.visited)
        return done

    @property
    def asked(self) -> int:
        """Requests so far, those of the workers before included."""
        return self.row.requests + self.requests()

    def standing(self) -> dict[str, int]:
        """How many errors and warnings stand with the source after this run: counted anew only if it may have changed them."""
        before = self.store.runs.last(self.source.name)
        t = self.tally
        if before and not any((t.added, t.updated, t.withdrawn, t.rejected, t.problems, before.problems)):
            return {"errors": before.errors, "warnings": before.warnings}
        return self.store.runs.weigh(self.source.name, self.row.id)
