# mypy: disable-error-code="no-untyped-call"
"""From the documents that match to an answer: filters, time and place, the order, and how the results divide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalogue.search import Box, Facet, FacetValue, Query
from catalogue.search.filters import FACETS, day
from catalogue.search.whoosh_fields import ALWAYS, NEVER
from catalogue.search.whoosh_match import Matcher, Part, View
from catalogue.search.whoosh_postings import Ids, Keys, array_of, bitmap
from catalogue.search.whoosh_segment import Segment
from catalogue.search.words import leaves

NO_KEYS: Keys = np.empty(0, np.uint64)
FIRST = np.uint64(1 << 63)
HALF = np.uint64(32)


@dataclass(frozen=True)
class Found:
    """What a query leaves of each part of a view: by words, time and place, and by each of its filters."""

    query: Query
    view: View
    base: list[BitMap]
    chosen: dict[str, list[BitMap]]

    def hits(self, but: str = "") -> list[BitMap]:
        """What all of it leaves, or all but one of the filters."""
        filters = [sets for name, sets in self.chosen.items() if name != but]
        return [reduce(and_, sets) for sets in zip(self.base, *filters, strict=True)]

    def facets(self) -> tuple[Facet, ...]:
        """How the hits divide, counting for each facet as if nothing had been chosen in it."""
        hits = self.hits()
        everything = sum(map(len, hits)) == self.view.count
        return tuple(
            self._facet(name, _all_counted(self.view, name))
            if everything
            else self._facet(name, _counted(self.view, name, self.hits(name) if name in self.chosen else hits))
            for name in FACETS
        )

    def _facet(self, name: str, counted: Mapping[str, int]) -> Facet:
        selected = self.query.filters.get(name, frozenset())
        order = sorted({**dict.fromkeys(selected, 0), **counted}.items(), key=lambda each: (-each[1], each[0]))
        return Facet(name, tuple(FacetValue(value, count, value in selected) for value, count in order))


def find(view: View, query: Query, matcher: Matcher) -> Found:
    """Put a whole query to a view."""
    base = [reduce(and_, (matcher.found(part), *_within(part.segment, query))) for part in view.parts]
    chosen = {
        name: [_either(part, name, values) for part in view.parts] for name, values in query.filters.items() if values
    }
    return Found(query, view, base, chosen)


def _either(part: Part, name: str, values: Iterable[str]) -> BitMap:
    """The documents of a part that have one of the values."""
    holders = part.segment.facet(name)
    return BitMap.union(BitMap(), *(holders[value] for value in values if value in holders))


def best(view: View, query: Query, matcher: Matcher, hits: list[BitMap]) -> Iterator[tuple[Part, int, float]]:
    """The hits on the query's page: each with its score, 0 where the order is another."""
    ids = [array_of(found) for found in hits]
    scores = None
    if query.sort == "title":
        keys = [order[each] for order, each in zip(view.titles, ids, strict=True)]
    elif query.sort == "relevance" and any(leaves(matcher.typed.tree)):
        scores = matcher.scores(ids)
        keys = [_by_score(part.segment, each, score) for part, each, score in zip(view.parts, ids, scores, strict=True)]
    else:
        first = matcher.exact if query.sort == "relevance" else lambda _: BitMap()
        keys = [_by_date(part.segment, each, first(part)) for part, each in zip(view.parts, ids, strict=True)]
    starts = np.cumsum([0, *map(len, ids)])
    for place in _top(np.concatenate([NO_KEYS, *keys]), query):
        at = int(np.searchsorted(starts, place, "right")) - 1
        row = int(place - starts[at])
        yield view.parts[at], int(ids[at][row]), float(scores[at][row]) if scores else 0.0


def _top(keys: Keys, query: Query) -> NDArray[np.intp]:
    """The places of the greatest keys, those of the query's page; equal keys keep their order from page to page."""
    stop = query.page * query.per_page
    if not query.per_page:
        return np.arange(0)
    if stop < len(keys):
        worst = np.partition(keys, len(keys) - stop)[len(keys) - stop]
        among = np.flatnonzero(keys >= worst)
    else:
        among = np.arange(len(keys))
    return among[np.argsort(~keys[among], kind="stable")][stop - query.per_page : stop]


def _by_score(segment: Segment, ids: Ids, score: NDArray[np.float32]) -> Keys:
    # Positive floats are in the order of their bits. What decides between equals does not depend on the segments.
    keys: Keys = (score.view(np.uint32).astype(np.uint64) << HALF) | segment.row["tie"][ids]
    return keys


def _by_date(segment: Segment, ids: Ids, first: BitMap) -> Keys:
    keys: Keys = (segment.row["modified"][ids].astype(np.uint64) << HALF) | segment.row["tie"][ids]
    keys[np.isin(ids, array_of(first))] |= FIRST
    return keys


def _within(segment: Segment, query: Query) -> Iterator[BitMap]:
    """The documents that cover some of the query's period, and those that touch its box."""
    if query.covers_from or query.covers_to:
        begins, ends = day(query.covers_from), day(query.covers_to, last=True)
        row = segment.row
        overlap = (row["covers_from"] <= (ends.toordinal() if ends else ALWAYS - 1)) & (
            row["covers_to"] >= (begins.toordinal() if begins else NEVER + 1)
        )
        yield _those(overlap)
    if query.bbox:
        yield _those(_touching(segment, query.bbox))


def _touching(segment: Segment, box: Box) -> NDArray[np.bool_]:
    """Boxes may cross the 180th meridian: then their west is greater than their east."""
    west, south, east, north = box
    row = segment.row
    from_west, from_east = row["west"] <= east, row["east"] >= west
    if west > east:
        across = (row["west"] > row["east"]) | from_west | from_east
    else:
        across = np.where(row["west"] > row["east"], from_west | from_east, from_west & from_east)
    return across & (row["south"] <= north) & (row["north"] >= south)


def _those(mask: NDArray[np.bool_]) -> BitMap:
    return bitmap(np.flatnonzero(mask).astype(np.uint32))


def _counted(view: View, name: str, hits: list[BitMap]) -> Mapping[str, int]:
    counted: Counter[str] = Counter()
    for part, found in zip(view.parts, hits, strict=True):
        for value, holders in part.segment.facet(name).items() if found else ():
            if number := found.intersection_cardinality(holders):
                counted[value] += number
    return counted


def _all_counted(view: View, name: str) -> Mapping[str, int]:
    """How all documents divide: the first page that everybody sees, so it is counted once."""
    if name not in view.counted:
        view.counted[name] = _counted(view, name, [part.live for part in view.parts])
    return view.counted[name]
