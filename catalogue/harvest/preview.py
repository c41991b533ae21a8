"""What a harvest would do, without doing it: the same line, and nothing written."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalogue.errors import Problem, SourceUnavailable
from catalogue.harvest import line
from catalogue.harvest.quarantine import believed
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.source import Harvester, HarvestSource
from catalogue.store import Store

SHOWN = 1_000
"""How many titles and problems of each kind a preview keeps; all are counted."""


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
    withdrawn: list[str] | None = None
    held: bool = False
    problems: list[Problem] = field(default_factory=list)
    message: str = ""

    def count(self, what: str, title: str) -> None:
        self.counts[what] += 1
        shown: list[str] = getattr(self, what)
        if len(shown) < SHOWN:
            shown.append(title)


def preview(source: HarvestSource, harvester: Harvester, client: Client, store: Store, base: str) -> Preview:
    """Go down the line with every record of a source, set up or not, and stop before the store."""
    run = HarvestRun.looking(source, store, base)
    seen = Preview(source.name)
    known = store.records.identifiers(source.name)
    try:
        for batch, _ in line.batches(line.fetched(run, harvester, client)):
            fresh = line.fresh(batch, run)
            for description in line.describe(fresh, run, harvester):
                title = description.resources[0].title if description.resources else str(description.record.identifier)
                seen.count("updated" if description.record.identifier in known else "added", title)
            _problems(run, seen)
        seen.withdrawn = sorted(known - run.seen - run.unread)
        seen.held = bool(seen.withdrawn) and not believed(len(seen.withdrawn), len(known), source.few, source.share)
    except SourceUnavailable as broken:
        run.note([broken.problem()])
        seen.message = str(broken)
    _problems(run, seen)
    seen.fetched, seen.unchanged = run.tally.fetched, run.tally.unchanged
    seen.counts |= {"rejected": run.tally.rejected, "problems": run.tally.problems}
    return seen


def _problems(run: HarvestRun, seen: Preview) -> None:
    seen.problems += run.take_notes()[: max(0, SHOWN - len(seen.problems))]
