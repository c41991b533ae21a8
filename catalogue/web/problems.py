"""`/source/<name>/problems`: all that is wrong with a source now, with its fix and an example, to hand on to its owner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response, request, stream_with_context

from catalogue import advice
from catalogue.errors import NotFound
from catalogue.feeds.export import csv_line
from catalogue.source import HarvestSource
from catalogue.store import BrokenRule, StoredProblem
from catalogue.web import parameters, present, urls
from catalogue.web.site import Site, here, show

pages = Blueprint("problems", __name__)

PER_PAGE = 50
PLACES = 5
COLUMNS = ("severity", "rule", "record", "place", "found", "problem", "fix", "example", "run")
ROWS = 200
"""So many go out together: one by one they would cost a write each."""


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as it was when it was found, and the page of its record where we hold one."""

    said: StoredProblem
    record_page: str

    @property
    def found(self) -> str:
        return present.shortened(self.said.found, 200)


@dataclass(frozen=True, slots=True)
class Group:
    """A rule that is broken: what it says, an example of what is right, how often it is broken, and where."""

    rule: str
    severity: str
    message: str
    fix: str
    example: str
    count: int
    places: Sequence[Told]
    address: str
    """The page that has every place."""


@dataclass(frozen=True, slots=True)
class ProblemsPage:
    template: ClassVar[str] = "problems.html"

    source: HarvestSource
    groups: Sequence[Group]

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)


@dataclass(frozen=True, slots=True)
class RulePage:
    template: ClassVar[str] = "rule.html"

    source: HarvestSource
    group: Group
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.problems(self.source.name, rule=self.group.rule, severity=self.group.severity, page=number)


@pages.get("/source/<name:name>/problems")
def problems(name: str) -> Response:
    site, rule = here(), request.args.get("rule", "").strip()
    held = site.store.sources.get(name)
    if rule:
        return show(_of_rule(held, rule, request.args.get("severity", "").strip(), parameters.page(), site))
    broken = site.store.runs.rules(name, PLACES)
    return show(ProblemsPage(held, groups(held.name, broken, site)))


@pages.get("/source/<name:name>/problems.csv")
def problems_csv(name: str) -> Response:
    site = here()
    held = site.store.sources.get(name)
    answer = Response(stream_with_context(_rows(held, site)), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename={held.name}-problems.csv"
    return answer


def groups(source: str, broken: Sequence[BrokenRule], site: Site) -> list[Group]:
    """Rules as a page tells of them, in the order given. A record that we hold has a page of its own."""
    places = iter(told(source, [one for rule in broken for one in rule.examples], site))
    return [_group(rule, [next(places) for _ in rule.examples]) for rule in broken]


def told(source: str, problems: Sequence[StoredProblem], site: Site) -> list[Told]:
    held = site.store.records.held(source, {problem.record for problem in problems if problem.record})
    return [
        Told(problem, urls.source_record(source, problem.record) if problem.record in held else "")
        for problem in problems
    ]


def _of_rule(source: HarvestSource, rule: str, severity: str, page: int, site: Site) -> RulePage:
    runs = site.store.runs
    found = runs.rules(source.name, 1, rule)
    broken = next((one for one in found if severity in ("", one.examples[0].severity)), None)
    last = ceil(broken.count / PER_PAGE) if broken else 0
    if broken is None or page > last:
        raise NotFound(f"'{source.name}' does not break '{rule}', or not so often.")
    severity = broken.examples[0].severity
    places = told(source.name, runs.of_rule(source.name, rule, severity, PER_PAGE, (page - 1) * PER_PAGE), site)
    return RulePage(source, _group(broken, places), page, last)


def _group(broken: BrokenRule, places: Sequence[Told]) -> Group:
    first = broken.examples[0]
    return Group(
        rule=first.rule,
        severity=first.severity,
        message=first.message,
        fix=first.fix,
        example=advice.example(first.rule),
        count=broken.count,
        places=places,
        address=urls.problems(first.source, rule=first.rule, severity=first.severity),
    )


def _rows(source: HarvestSource, site: Site) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + csv_line(COLUMNS)  # the mark tells spreadsheets that this is UTF-8
    rows = map(_row, site.store.runs.each_standing(source.name))
    while some := b"".join(islice(rows, ROWS)):
        yield some


def _row(one: StoredProblem) -> bytes:
    example = advice.example(one.rule)
    return csv_line(
        (one.severity, one.rule, one.record, one.location, one.found, one.message, one.fix, example, str(one.run))
    )
