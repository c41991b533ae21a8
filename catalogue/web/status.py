"""What a state is called, in which colour, and how it is drawn: of sources, of runs, of records, of problems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalogue.source import HarvestSource
from catalogue.store import Run


@dataclass(frozen=True, slots=True)
class Status:
    """`mark` is how a run that ended so is drawn: pattern and shape, so that no colour has to be told from another."""

    label: str
    colour: str
    mark: str = ""


STATUSES: Mapping[str, Status] = {
    "failed": Status("Failed", "red", "cross"),
    "dead": Status("Given up", "red", "boxed"),
    "quarantined": Status("Waits for a person", "orange", "hollow"),
    "partial": Status("Complete, with problems", "yellow", "hatched"),
    "running": Status("Running", "teal", "app-paint--pending"),
    "waiting": Status("Waiting to run", "blue", "app-paint--pending"),
    "complete": Status("Complete", "green", "app-paint"),
    "unapproved": Status("Not approved yet", "purple"),
    "paused": Status("Paused", "grey"),
    "never": Status("Not yet harvested", "grey"),
    "withdrawn": Status("Withdrawn", "grey"),
    "held": Status("Held", "orange"),
    "rejected": Status("Rejected", "red"),
    "error": Status("Error", "red"),
    "warning": Status("Warning", "yellow"),
    "note": Status("Note", "grey"),
}

OF_SOURCES = tuple(STATUSES)[:10]
"""The states that a source may be in, those that want somebody first."""


def of_source(source: HarvestSource, last: Run | None, now: Run | None) -> str:
    """The state of a source: what is decided about it, else what it does now, else how its last run ended."""
    if not source.approved:
        return "unapproved"
    if source.paused:
        return "paused"
    return now.status if now else last.status if last else "never"
