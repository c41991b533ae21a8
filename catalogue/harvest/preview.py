"""What a harvest would do, without doing it: the same line, and nothing written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from catalogue.differences import Difference, differences
from catalogue.errors import Problem, SourceUnavailable
from catalogue.harvest import line
from catalogue.harvest.quarantine import believed
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.source import Harvester, HarvestSource, PageEnd, SourceRecord
from catalogue.store import Description, Missing, Store

SHOWN = 1_000
"""How many titles and problems of each kind a preview keeps; all are counted."""
COMPARED = 100
"""How many records that would be updated are compared with what they said before."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that would be updated: what its dataset would say that it does not say now, and the other way round."""

    identifier: str
    dataset: str
    title: str
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class Preview:
    """What would be added, updated, withdrawn or rejected. `withdrawn` is None when that cannot be judged."""

    source: str
    fetched: int = 0
    unchanged: int = 0
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("added", "updated", "rejected", "problems"), 0)
    )
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    """The first of those that would be updated, property by property."""
    withdrawn: list[str] | None = None
    gone: list[Missing] = field(default_factory=list)
    """The first of those that would be withdrawn, by title."""
    held: bool = False
    """Whether they would wait for a person instead of being withdrawn."""
    waiting: int = 0
    """Records that wait for a person already, and would go on doing so."""
    not_assessed: str = ""
    """Why nobody can say what would be withdrawn, where that is so."""
    problems: list[Problem] = field(default_factory=list)
    message: str = ""

    def count(self, what: str, title: str) -> None:
        self.counts[what] += 1
        shown: list[str] = getattr(self, what)
        if len(shown) < SHOWN:
            shown.append(title)


def preview(
    source: HarvestSource,
    harvester: Harvester,
    client: Client,
    store: Store,
    base: str,
    *,
    seconds: float | None = None,
) -> Preview:
    """Go down the line with every record of a source, set up or not, and stop before the store, or after so many seconds."""
    run = HarvestRun.looking(source, store, base)
    seen = Preview(source.name)
    known = store.records.identifiers(source.name)
    try:
        for batch, _ in line.batches(_in_time(line.fetched(run, harvester, client), seconds)):
            for description in line.describe(line.fresh(batch, run), run, harvester):
                _look(description, run, harvester, seen, known)
            _problems(run, seen)
        _judge(run, seen, known)
    except SourceUnavailable as broken:
        run.note([broken.problem()])
        seen.message = str(broken)
        seen.not_assessed = "It was not read to its end, so what is missing from it may only not have been reached."
    _problems(run, seen)
    seen.fetched, seen.unchanged = run.tally.fetched, run.tally.unchanged
    seen.counts |= {"rejected": run.tally.rejected, "problems": run.tally.problems}
    return seen


def _look(description: Description, run: HarvestRun, harvester: Harvester, seen: Preview, known: set[str]) -> None:
    identifier = description.record.identifier
    title = description.resources[0].title if description.resources else str(identifier)
    seen.count("updated" if identifier in known else "added", title)
    if identifier in known and len(seen.changed) < COMPARED:
        seen.changed += _compared(description, run, harvester)


def _compared(description: Description, run: HarvestRun, harvester: Harvester) -> Iterator[Changed]:
    """The record as it is, beside what was kept of it: mapped anew, so that only what the source changed differs."""
    identifier = description.record.identifier
    kept = run.store.records.verbatim(run.source.name, identifier)
    aside = HarvestRun.looking(run.source, run.store, run.base)  # what was wrong with it before is not said again
    described = line.describe([kept] if kept else [], aside, harvester)
    was = {one.id: one for before in described for one in before.resources}
    now = {one.id: one for one in description.resources}
    for id_ in dict.fromkeys((*now, *was)):
        before, after = was.get(id_), now.get(id_)
        found = differences(before.resource if before else None, after.resource if after else None)
        named = after or before
        if named and (found or not was):
            yield Changed(identifier, id_, named.title, tuple(found))


def _judge(run: HarvestRun, seen: Preview, known: set[str]) -> None:
    """What is gone, after all was read. What a person has been asked about, or has kept, does not go by itself."""
    gone = known - run.seen - run.unread
    if gone and run.nameless:
        seen.not_assessed = "Some records have lost their identifiers, so nobody can tell which are gone."
        return
    before = run.store.quarantines.held(run.source.name)
    news = gone - before["open"] - before["rejected"]
    trusted = len(gone) < len(known) and believed(len(news), len(known), run.source.few, run.source.share)
    seen.withdrawn, seen.held = sorted(news), bool(news) and not trusted
    seen.gone = run.store.quarantines.titles(run.source.name, seen.withdrawn[:SHOWN])
    seen.waiting = len(before["open"] & gone)


def _in_time(found: Iterator[SourceRecord | PageEnd], seconds: float | None) -> Iterator[SourceRecord | PageEnd]:
    """What is found until the time is over."""
    ends = time.monotonic() + seconds if seconds is not None else None
    for one in found:
        if ends is not None and time.monotonic() > ends:
            raise SourceUnavailable(
                f"The preview stopped after {seconds:g} seconds and shows what it saw until then.",
                fix="Use 'fedcat preview' to look at the whole of a large source.",
                rule="preview-deadline",
            )
        yield one


def _problems(run: HarvestRun, seen: Preview) -> None:
    seen.problems += run.take_notes()[: max(0, SHOWN - len(seen.problems))]
