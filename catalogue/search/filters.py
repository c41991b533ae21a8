"""Every filter there is, and the way from the parameters of an address to a query and back."""

from __future__ import annotations

import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

from catalogue.errors import WrongUse
from catalogue.search import SORTS, Box, Document, Query, Sort

MAX_PAGE = 100_000
MAX_VALUES = 100
MAX_LETTERS = 500


class WrongParameter(WrongUse):
    """A parameter has a value that we do not take: the message says which would be right."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter: its parameter, the field of `Document` it looks at, its label, and whether results are counted by it."""

    parameter: str
    field: str
    label: str
    facet: bool = True
    many: bool = False

    def values(self, document: Document) -> tuple[str, ...]:
        """What the document has for this filter."""
        value = getattr(document, self.field)
        return tuple(filter(None, value if self.many else (value,)))


FILTERS = (
    Filter("organisation", "organisation", "Organisation"),
    Filter("theme", "themes", "Theme", many=True),
    Filter("format", "formats", "Format", many=True),
    Filter("licence", "licence", "Licence"),
    Filter("access", "access", "Access"),
    Filter("frequency", "frequency", "How often it is updated"),
    Filter("source", "sources", "Source catalogue", facet=False, many=True),
    Filter("identifier", "identifiers", "Shared identifier", many=True),
    Filter("mission", "missions", "Mission", many=True),
)
FACETS = tuple(each.parameter for each in FILTERS if each.facet)
PARAMETERS = frozenset(each.parameter for each in FILTERS)


def from_parameters(pairs: Iterable[tuple[str, str]], *, per_page: int = 10, facets: bool = True) -> Query:
    """The query that an address asks for. Parameters that are not ours are ignored; ours have to make sense."""
    given: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        if value.strip():
            given[name].append(value.strip())
    read = {name: _READ[name](name, values[-1]) for name, values in given.items() if name in _READ}
    begins, ends = read.get("from", ""), read.get("to", "")
    if begins and ends and _day(begins) > _day(ends, last=True):
        raise WrongParameter("to", f"'to' is {ends}, which is before 'from', {begins}. Swap them or leave one out.")
    return Query(
        words=read.get("q", ""),
        filters={name: _chosen(name, values) for name, values in given.items() if name in PARAMETERS},
        covers_from=begins,
        covers_to=ends,
        bbox=read.get("bbox"),
        sort=read.get("sort", "relevance"),
        page=read.get("page", 1),
        per_page=per_page,
        facets=facets,
    )


def to_parameters(query: Query) -> list[tuple[str, str]]:
    """The parameters of a query, in a fixed order and without what is the default, so that equal queries have equal addresses."""
    chosen = [(each.parameter, value) for each in FILTERS for value in sorted(query.filters.get(each.parameter, ()))]
    rest = {
        "from": query.covers_from,
        "to": query.covers_to,
        "bbox": ",".join(f"{side:.10g}" for side in query.bbox or ()),
        "sort": "" if query.sort == "relevance" else query.sort,
        "page": "" if query.page == 1 else str(query.page),
    }
    return [pair for pair in [("q", query.words), *chosen, *rest.items()] if pair[1]]


def day(text: str, *, last: bool = False) -> date | None:
    """The first day, or the last, of a year, a month, a day or a moment written the ISO way; None for anything else."""
    match = _ISO.match(text)
    if not match:
        return None
    year, month, number = (int(part) if part else None for part in match.group("year", "month", "day"))
    try:
        month = (12 if last else 1) if month is None else month
        number = (monthrange(year or 0, month)[1] if last else 1) if number is None else number
        return date(year or 0, month, number)
    except ValueError:
        return None


_ISO = re.compile(r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})(?:[T ].*)?)?)?\Z", re.DOTALL)


def _day(text: str, *, last: bool = False) -> date:
    found = day(text, last=last)
    assert found is not None
    return found


def _chosen(name: str, values: list[str]) -> frozenset[str]:
    if len(values) > MAX_VALUES or any(len(value) > MAX_LETTERS for value in values):
        raise WrongParameter(name, f"{name!r} takes at most {MAX_VALUES} values of at most {MAX_LETTERS} characters.")
    return frozenset(values)


def _read_words(_: str, value: str) -> str:
    return value


def _read_day(name: str, value: str) -> str:
    if day(value) is None or len(value) > len("2024-04-01"):
        raise WrongParameter(
            name, f"{name!r} is {_short(value)}; write a year, a month or a day, such as 2024 or 2024-04-01."
        )
    return value


def _read_box(name: str, value: str) -> Box:
    try:
        west, south, east, north = map(float, value.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    sides = (west, south, east, north)
    if not (all(map(isfinite, sides)) and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90):
        raise WrongParameter(
            name,
            f"{name!r} is {_short(value)}; write west, south, east and north in degrees, such as -5.5,51.3,-2.6,53.5.",
        )
    return sides


def _read_sort(name: str, value: str) -> Sort:
    if value not in SORTS:
        raise WrongParameter(name, f"{name!r} is {_short(value)}; it can be {', '.join(SORTS)}.")
    return value


def _read_page(name: str, value: str) -> int:
    page = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0
    if not 1 <= page <= MAX_PAGE:
        raise WrongParameter(name, f"{name!r} is {_short(value)}; it is a whole number from 1 to {MAX_PAGE:,}.")
    return page


def _short(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:39] + "…")


_READ: dict[str, Callable[[str, str], Any]] = {
    "q": _read_words,
    "from": _read_day,
    "to": _read_day,
    "bbox": _read_box,
    "sort": _read_sort,
    "page": _read_page,
}
