"""`/source`: where descriptions come from, how the harvests went, and what their owners can put right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import ClassVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from markupsafe import Markup

from catalogue.errors import NotFound
from catalogue.harvest.schedule import in_words
from catalogue.http.words import shown
from catalogue.search.filters import WrongParameter
from catalogue.source import HarvestSource
from catalogue.store import Quarantine, Run
from catalogue.store.conflicts import Conflict
from catalogue.web import charts, parameters, present, status, urls
from catalogue.web.problems import Group, groups
from catalogue.web.site import here, show

pages = Blueprint("sources", __name__)

PER_PAGE = 100
RUNS_SHOWN = 20
CONFLICTS_SHOWN = 50
EXAMPLES = 3

KINDS = {
    "ckan": "CKAN portal",
    "dcat-rdf": "DCAT catalogue (RDF)",
    "data-json": "data.json",
    "table": "Spreadsheet",
}
"""What people call a kind of source; another one goes by its own name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One source in the list: the run that ended last, and the one that is under way."""

    source: HarvestSource
    organisation: str
    run: Run | None
    now: Run | None
    next_run: datetime | None

    @property
    def name(self) -> str:
        return self.source.title or self.source.name

    @property
    def kind(self) -> str:
        return KINDS.get(self.source.type, self.source.type)

    @property
    def state(self) -> str:
        return status.of_source(self.source, self.run, self.now)

    @property
    def due(self) -> datetime | None:
        """When it is harvested next; nothing for one that is not harvested by schedule now."""
        return None if self.source.paused or not self.source.approved or not self.source.schedule else self.next_run

    def mentions(self, words: Sequence[str]) -> bool:
        said = f"{self.source.name} {self.name} {self.organisation} {self.kind}".lower()
        return all(word in said for word in words)


@dataclass(frozen=True, slots=True)
class SourcesPage:
    template: ClassVar[str] = "sources.html"

    lines: Sequence[Line]
    found: int
    """How many sources fit the filters, on all pages together."""
    all: int
    states: Mapping[str, int]
    """How many of those that fit the words are in each state."""
    state: str
    q: str
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.sources(self.state, self.q, number)

    def in_state(self, state: str) -> str:
        return urls.sources(state, self.q)


@dataclass(frozen=True, slots=True)
class SourcePage:
    template: ClassVar[str] = "source.html"

    line: Line
    datasets: int
    address: str
    schedule: str
    due: str
    runs: Sequence[Run]
    chart: Markup | None
    rules: Sequence[Group]
    """What is wrong with what is held now, whichever run told of it."""
    refused: int
    quarantine: Quarantine | None
    conflicts: Sequence[Conflict]
    """Where this source and another say different things of one dataset."""
    trends: Sequence[tuple[str, Sequence[int]]]
    """How many errors and warnings stood at the end of each of the last runs, the oldest first."""


@pages.get("/source")
def sources() -> Response:
    page, state, q = parameters.page(), _state(), " ".join(request.args.get("q", "").split())[:200]
    every = lines()
    fit = [line for line in every if line.mentions(q.lower().split())]
    states = Counter(line.state for line in fit)
    found = [line for line in fit if not state or line.state == state]
    last = max(1, ceil(len(found) / PER_PAGE))
    if page > last:
        raise NotFound("There are not so many sources.")
    return show(
        SourcesPage(
            lines=found[(page - 1) * PER_PAGE : page * PER_PAGE],
            found=len(found),
            all=len(every),
            states={name: states[name] for name in status.OF_SOURCES if states[name] or name == state},
            state=state,
            q=q,
            page=page,
            last=last,
        )
    )


@pages.get("/source/<name:name>")
def source(name: str) -> Response:
    site = here()
    store, held = site.store, site.store.sources.get(name)
    runs = store.runs.some(name, RUNS_SHOWN)
    ended = [run for run in runs if run.ended]
    line = Line(
        source=held,
        organisation=site.organisation(held.organisation) if held.organisation else "",
        run=ended[0] if ended else None,
        now=next((run for run in runs if not run.ended), None),
        next_run=store.sources.next_runs().get(name),
    )
    return show(
        SourcePage(
            line=line,
            datasets=store.sources.count(name),
            address=shown(held.url),
            schedule=_capital(in_words(held.schedule, held.time_zone)),
            due=_due(line),
            runs=runs,
            chart=charts.runs(runs) if len(runs) > 1 else None,
            rules=groups(name, store.runs.rules(name, EXAMPLES), site),
            refused=store.runs.refused(name),
            quarantine=store.quarantines.open(name),
            conflicts=store.joins.conflicts(name, limit=CONFLICTS_SHOWN),
            trends=_trends(ended),
        )
    )


def lines() -> list[Line]:
    """Every source by name, with what the list says of it. However many there are, the store is asked as often."""
    site = here()
    store = site.store
    runs, under_way, due = store.runs.latest(), store.runs.under_way(), store.sources.next_runs()
    held = store.sources.all()
    called = site.organisations({source.organisation for source in held if source.organisation})
    made = [
        Line(
            one, called.get(one.organisation or "", ""), runs.get(one.name), under_way.get(one.name), due.get(one.name)
        )
        for one in held
    ]
    return sorted(made, key=lambda line: line.name.lower())


def _state() -> str:
    """`state` of this request, "" when it is not given. Raises WrongParameter."""
    said = request.args.get("state", "").strip()
    if said and said not in status.OF_SOURCES:
        known = ", ".join(status.OF_SOURCES)
        raise WrongParameter("state", f"'state' is {present.shortened(said, 40)!r}; it is one of {known}.")
    return said


def _trends(ended: Sequence[Run]) -> list[tuple[str, Sequence[int]]]:
    told = list(reversed(ended))
    if len(told) < 2:
        return []
    return [("errors", [run.errors for run in told]), ("warnings", [run.warnings for run in told])]


def _due(line: Line) -> str:
    """When a source is harvested next, by the clock that its schedule goes by, or why nobody can say."""
    source = line.source
    reasons = (
        (not source.approved, "None before it is approved"),
        (source.paused, "None while it is paused"),
        (not source.schedule, "None is planned"),
    )
    if held_back := next((why for is_so, why in reasons if is_so), ""):
        return held_back
    if line.next_run is None:
        return "Planned when a worker looks at its schedule"
    zone = ZoneInfo(source.time_zone.strip() or "UTC")
    return f"{present.moment(line.next_run.astimezone(zone))} ({zone.key})"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
