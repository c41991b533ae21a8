"""`/source`: where descriptions come from, how the harvests went, and what their owners can put right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response
from markupsafe import Markup

from catalogue.errors import NotFound, Problem
from catalogue.source import HarvestSource
from catalogue.store import Run, StoredProblem
from catalogue.web import charts, parameters, present, urls
from catalogue.web.site import Site, here, show

pages = Blueprint("sources", __name__)

RUNS_SHOWN = 20
GROUPED = 1_000
EXAMPLES = 5
PER_PAGE = 50

KINDS = {
    "ckan": "CKAN portal",
    "dcat-rdf": "DCAT catalogue (RDF)",
    "data-json": "data.json",
    "table": "Spreadsheet",
}
"""What people call a kind of source; another one goes by its own name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One source in the list."""

    source: HarvestSource
    kind: str
    organisation: str
    run: Run | None
    datasets: int

    @property
    def status(self) -> str:
        return "paused" if self.source.paused else self.run.status if self.run else "never"


@dataclass(frozen=True, slots=True)
class SourcesPage:
    template: ClassVar[str] = "sources.html"

    lines: Sequence[Line]

    @property
    def most(self) -> int:
        return max((line.datasets for line in self.lines), default=0)

    @property
    def total(self) -> int:
        return sum(line.datasets for line in self.lines)


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one rule, with how many there are and a few of them."""

    rule: str
    severity: str
    message: str
    fix: str
    count: int
    examples: Sequence[Problem]


@dataclass(frozen=True, slots=True)
class SourcePage:
    template: ClassVar[str] = "source.html"

    line: Line
    runs: Sequence[Run]
    chart: Markup | None
    groups: Sequence[Group]
    """What is wrong with what is held now, whichever run told of it."""
    cut: bool
    """Whether there are more problems than the groups were made from."""
    refused: int


@dataclass(frozen=True, slots=True)
class RunPage:
    template: ClassVar[str] = "run.html"

    source: HarvestSource
    run: Run
    problems: Sequence[Problem]
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.run(self.source.name, self.run.id, number)


@pages.get("/source")
def sources() -> Response:
    site = here()
    runs, counts = site.store.runs.latest(), site.store.sources.counts()
    return show(
        SourcesPage([_line(source, runs.get(source.name), counts, site) for source in site.store.sources.all()])
    )


@pages.get("/source/<name:name>")
def source(name: str) -> Response:
    site = here()
    held = site.store.sources.get(name)
    runs = site.store.runs.some(name, RUNS_SHOWN)
    problems = site.store.runs.standing(name, GROUPED)
    page = SourcePage(
        line=_line(held, runs[0] if runs else None, site.store.sources.counts(), site),
        runs=runs,
        chart=charts.runs(runs) if len(runs) > 1 else None,
        groups=grouped(problems),
        cut=len(problems) == GROUPED,
        refused=site.store.runs.refused(name),
    )
    return show(page)


@pages.get("/source/<name:name>/run/<number:id_>")
def run(name: str, id_: int) -> Response:
    site, page = here(), parameters.page()
    held, found = site.store.sources.get(name), site.store.runs.get(id_)
    last = max(1, ceil(found.problems / PER_PAGE))
    if found.source != name or page > last:
        raise NotFound(f"There is no run {id_} of '{name}', or no such page of it.")
    problems = site.store.runs.problems(id_, PER_PAGE, (page - 1) * PER_PAGE)
    return show(RunPage(held, found, [_problem(problem) for problem in problems], page, last))


def grouped(problems: Sequence[StoredProblem]) -> list[Group]:
    """Problems by rule, the gravest and commonest first: one thing to put right for each."""
    rules: defaultdict[tuple[str, str], list[StoredProblem]] = defaultdict(list)
    for problem in problems:
        rules[problem.severity, problem.rule].append(problem)
    order = ("error", "warning", "note")
    groups = [
        Group(
            rule, severity, held[0].message, held[0].fix, len(held), [_problem(problem) for problem in held[:EXAMPLES]]
        )
        for (severity, rule), held in rules.items()
    ]
    return sorted(groups, key=lambda group: (order.index(group.severity), -group.count, group.rule))


def _line(held: HarvestSource, last: Run | None, counts: dict[str, int], site: Site) -> Line:
    organisation = site.organisation(held.organisation) if held.organisation else ""
    return Line(held, KINDS.get(held.type, held.type), organisation, last, counts.get(held.name, 0))


def _problem(held: StoredProblem) -> Problem:
    """As it was when it was found; a place in a source is shown in its shortest form."""
    return Problem(
        rule=held.rule,
        message=held.message,
        fix=held.fix,
        where=held.location,
        found=present.shortened(held.found, 200),
        record=held.record,
        severity=held.severity,
    )
