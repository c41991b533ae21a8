# mypy: disable-error-code="no-untyped-call"
"""One segment of a Whoosh index as searching needs it. A segment never changes, so what is read once is kept."""

# Whoosh is typed in part: what it does not type may be called from here.

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from threading import Lock, RLock
from typing import Any, TypeVar
from weakref import finalize

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from catalogue.search import IndexUnusable
from catalogue.search.whoosh_fields import ROW, StampedSchema, encoded, facet_field, indexed, stem
from catalogue.search.whoosh_files import MappedStorage, intact
from catalogue.search.whoosh_postings import PLACES, Postings, Stands, Terms, bitmap

LAST_LETTER = chr(0x10FFFF)

T = TypeVar("T")
Phrased = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words that begin with one letter, in order, and how many documents have each."""

    words: list[str]
    counts: list[int]


class Cache:
    """What was decoded, most recently used last, as much of it as fits into so many bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What is kept under a key, made first if need be."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]  # type: ignore[no-any-return]
        made = make()
        with self._lock:
            self._kept[key] = (made, size(made))
            self.size = self.size + self._kept[key][1]
            while self.size > self.limit and self._kept:
                self.size -= self._kept.popitem(last=False)[1][1]
        return made


class Segment:
    """The documents of one segment, deleted ones included: which are left is for the view to know."""

    def __init__(self, files: MappedStorage, schema: StampedSchema, segment: Any, cache: Cache) -> None:
        self.name = segment.segment_id()
        self.count = segment.doc_count_all()
        self.all = BitMap(range(self.count))
        self._cache = cache
        self._files = files
        self._lock = RLock()  # a memory map has one position
        _check_sizes(files, schema, self.name)
        self._terms = Terms(segment.codec().terms_reader(files, segment), dict(indexed(schema)))
        finalize(self, self._terms.close)
        rows = segment.codec().per_document_reader(files, segment)
        self._facets: dict[str, dict[str, BitMap]] = {}
        self._ids, self._titles = (rows.column_reader(name, schema[name].column_type) for name in ("id", "name"))
        finalize(self, rows.close)
        self.row = _rows(files, f"{self.name}.row.col", self.count)

    def postings(self, field: str, term: str) -> Postings:
        """Which documents have a term."""
        return self._kept(("postings", field, term), lambda: self._decoded(field, term), lambda found: found.size)

    def lexicon(self, letter: str) -> Lexicon:
        """The words beginning with a letter."""
        return self._kept(("lexicon", letter), lambda: self._words(letter), lambda found: 80 * len(found.words) + 300)

    def beginning(self, prefix: str) -> dict[str, int]:
        """The words beginning so, each with how many documents have it."""
        lexicon = self.lexicon(prefix[0])
        start, end = (bisect_left(lexicon.words, bound) for bound in (prefix, prefix + LAST_LETTER))
        return dict(zip(lexicon.words[start:end], lexicon.counts[start:end], strict=True))

    def phrase(self, phrase: Phrased) -> BitMap:
        """The documents in which words stand in this order and distance."""
        return self._kept(("phrase", phrase), lambda: self._phrased(phrase), lambda found: 2 * len(found) + 300)

    def facet(self, parameter: str) -> dict[str, BitMap]:
        """The documents of each value of a filter."""
        with self._reading():
            if parameter not in self._facets:
                field = facet_field(parameter)
                terms = list(self._terms.beginning(field))
                self._facets[parameter] = {
                    term.text.decode(): self._terms.postings(field, term).bitmap for term in terms
                }
        return self._facets[parameter]

    def id(self, number: int) -> str:
        """The id of a document."""
        with self._reading():
            return str(self._ids[number].decode())

    def title(self, number: int) -> str:
        """The title of a document."""
        with self._reading():
            return str(self._titles[number].decode().partition("\0")[2])

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each id; where one was written twice in a commit, the later one."""
        with self._reading():
            return {name.decode(): number for number, name in enumerate(self._ids)}

    @cached_property
    def by_title(self) -> list[tuple[str, str, str, int]]:
        """The documents in the order of their titles: what decides that order, then the number."""
        with self._reading():
            titles, ids = ([text.decode() for text in column] for column in (self._titles, self._ids))
        return sorted((*title.split("\0"), ids[number], number) for number, title in enumerate(titles))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, intact(self._files):
            yield

    def _kept(self, key: tuple[Any, ...], make: Callable[[], T], size: Callable[[T], int]) -> T:
        return self._cache.get((self.name, *key), make, size)

    def _decoded(self, field: str, term: str) -> Postings:
        with self._reading():
            return self._terms.postings(field, self._terms.term(field, encoded(term)))

    def _words(self, letter: str) -> Lexicon:
        with self._reading():
            return Lexicon(*self._terms.counts("words", encoded(letter)))

    def _phrased(self, phrase: Phrased) -> BitMap:
        """Documents with all the stems first, then those in which the words themselves stand where they should."""
        stems = {word: self.postings("text", stem(word)) for _, word in phrase}
        among = BitMap.intersection(*(postings.bitmap for postings in stems.values()))
        common: Stands | None = None
        for distance, word in sorted(phrase, key=lambda each: len(stems[each[1]].ids)):
            if not among:
                break
            with self._reading():
                stands = self._terms.stands("words", self._terms.term("words", encoded(word)), among, distance)
            common = stands if common is None else np.intersect1d(common, stands, assume_unique=True)
            among = among & bitmap(np.unique(common // PLACES).astype(np.uint32))
        return among


def _rows(files: MappedStorage, name: str, count: int) -> dict[str, NDArray[Any]]:
    with files.open_file(name) as file:
        table = np.frombuffer(file.get(0, files.file_length(name)), ROW, count)
    return {column: table[column].astype(table[column].dtype.newbyteorder("=")) for column in ROW.names or ()}


def _check_sizes(files: MappedStorage, schema: StampedSchema, segment: str) -> None:
    """A file that is shorter than at its commit was lost with the power, or the disk was full."""
    for name, size in schema.stamp.sizes.items():
        if name.startswith(f"{segment}.") and files.file_length(name) != size:
            raise IndexUnusable(f"{name} in {files.folder} is damaged: rebuild the search index.")
