"""A harvest run while it goes on: what it has counted, whom it has seen, what it has to tell the source's owner."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from catalogue.errors import Problem, RecordRejected
from catalogue.source import HarvestSource, SourceRecord
from catalogue.store import Run, Store, Tally

KEPT_PROBLEMS = 5_000
"""How many problems of a run are stored; all are counted."""


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
    refused: list[SourceRecord] = field(default_factory=list)
    _notes: list[Problem] = field(default_factory=list)
    _kept: int = 0
    _clock: float = field(default_factory=time.monotonic)

    @classmethod
    def begin(cls, source: HarvestSource, store: Store, base: str) -> Self:
        return cls(source, store, store.runs.begin(source.name), base)

    @classmethod
    def looking(cls, source: HarvestSource, store: Store, base: str) -> Self:
        """A run that only looks: it has no row, and nobody may save its notes."""
        row = Run(0, source.name, "running", datetime.now(UTC), None, "", 0, 0, 0, 0, 0, 0, 0, 0, 0.0)
        return cls(source, store, row, base)

    @contextmanager
    def rejecting(self, record: SourceRecord) -> Iterator[None]:
        """What goes wrong with one record costs that record: it is counted and told, and the run goes on."""
        try:
            yield
        except RecordRejected as rejected:
            self.tally.rejected += 1
            self.refused.append(record)
            self.note(problem.about(record.identifier, record.where) for problem in rejected.problems)

    def note(self, problems: Iterable[Problem]) -> None:
        """Tell the source's owner. Beyond KEPT_PROBLEMS they are only counted."""
        for problem in problems:
            self.tally.problems += 1
            if self._kept < KEPT_PROBLEMS:
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
            self.store.records.refuse(self.source.name, self.refused)
            self.refused = []

    def finish(self, status: str, message: str = "") -> Run:
        self.save_notes()
        return self.store.runs.finish(self.row, status, self.tally, message, round(time.monotonic() - self._clock, 3))
