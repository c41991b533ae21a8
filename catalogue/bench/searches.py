"""Building the index, and putting questions to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from catalogue.bench.harvests import NotAsExpected, store_in
from catalogue.bench.machine import Watch, peak, percentile, timed
from catalogue.search import Query, open_index
from catalogue.search.follow import rebuild
from catalogue.store import Store
from catalogue.testing.documents import questions
from vocab import scheme

SPOKEN = {
    "theme": "themes",
    "format": "media-types",
    "licence": "licences",
    "frequency": "frequencies",
    "access": "access-rights",
}
"""Filters whose values the line has made those of a vocabulary."""


@dataclass(frozen=True, slots=True)
class Built:
    """An index from nothing: documents a second of processor time, memory at the highest."""

    per_core: float
    peak: float


@dataclass(frozen=True, slots=True)
class Answered:
    """Milliseconds for a question."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, figures: list[float]) -> Answered:
        return cls(percentile(figures, 0.5), percentile(figures, 0.95), percentile(figures, 0.99))


def build(home: Path, count: int) -> Built:
    """The index of what the store in this folder holds."""
    with closing(Store(store_in(home))) as store, closing(open_index(address(home))) as index:
        with Watch() as watch:
            rebuild(store, index)
        if index.count() != count:
            raise NotAsExpected(f"{count} documents should be in the index: {index.count()}")
    return Built(count / watch.cpu, peak())


def ask(home: Path, size: int, count: int, facets: bool) -> Answered:
    """Mixed questions, each once, to an index that has been opened and asked one."""
    with closing(open_index(address(home))) as index:
        index.search(Query())
        asked = [replace(query, facets=facets) for query in mixed(size, count)]
        return Answered.of([timed(index.search, query) for query in asked])


def mixed(size: int, count: int) -> Iterator[Query]:
    """Words, AND, OR, phrases, prefixes, filters, browsing, deep pages: made-up questions in the words of our vocabularies."""
    for query in questions(count, size):
        yield replace(query, filters={name: frozenset(_spoken(name, values)) for name, values in query.filters.items()})


def _spoken(name: str, values: frozenset[str]) -> Iterator[str]:
    for value in values:
        found = scheme(SPOKEN[name]).find(value) if name in SPOKEN else None
        yield found.notation if found else value


def address(home: Path) -> str:
    """The default engine's index in a folder."""
    return f"whoosh:{home / 'index'}"
