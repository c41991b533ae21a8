"""The terms of a segment and their postings, decoded block by block into arrays.

This is the place that relies on the inside of Whoosh's codec ("W3", unchanged since 2.7), which is why the version is pinned;
a test compares every answer with what Whoosh's own matcher gives.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from whoosh.codec.whoosh3 import W3TermInfo
from whoosh.reading import TermNotFound

Ids = NDArray[np.uint32]
Numbers = NDArray[np.float32]
Keys = NDArray[np.uint64]
Stands = NDArray[np.int64]

NO_IDS: Ids = np.empty(0, np.uint32)
NO_NUMBERS: Numbers = np.empty(0, np.float32)
NOWHERE: Stands = np.empty(0, np.int64)
PLACES = 1 << 17  # more than any place, and any distance in a phrase before the first

_LENGTHS = struct.Struct("!ii")  # before each entry of the term index: of its key and of what is known about the term
_FIELD = 2  # bytes before the text of a term that say which field it belongs to


@dataclass(frozen=True, slots=True)
class Postings:
    """Which documents of a segment have a term, and how much it weighs in each."""

    ids: Ids
    weights: Numbers
    bitmap: BitMap

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 400 + 10 * len(self.ids)


NOTHING = Postings(NO_IDS, NO_NUMBERS, BitMap())


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a field, where its postings are, and what is known without reading them."""

    text: bytes
    info: W3TermInfo

    @property
    def count(self) -> int:
        """How many documents have it."""
        return int(self.info.doc_frequency())


class Terms:
    """The terms of one segment. Not for two threads at once: the files underneath have one position."""

    def __init__(self, reader: Any, formats: dict[str, Any]) -> None:
        self._reader = reader
        self._formats = formats

    def term(self, field: str, text: bytes) -> Term | None:
        """One term, if the segment has it."""
        try:
            return Term(text, self._reader.term_info(field, text))
        except TermNotFound:
            return None

    def beginning(self, field: str, prefix: bytes = b"") -> Iterator[Term]:
        """The terms of a field that begin with a prefix, in order."""
        if field in self._reader.indexed_field_names():
            for (name, text), info in self._reader.items_from(field, prefix):
                if name != field or not text.startswith(prefix):
                    return
                yield Term(text, info)

    def counts(self, field: str, prefix: bytes) -> tuple[list[str], list[int]]:
        """The terms that begin with a prefix, and how many documents have each: thousands at a time, so read in one go."""
        index, key = self._reader._tindex, self._reader._keycoder(field, prefix)
        start, end = index.closest_key_pos(key), index.closest_key_pos(key + b"\xff")
        if start is None:
            return [], []
        data = index.dbfile.get(start, (index.endofdata if end is None else end) - start)
        texts, counts, at = [], [], 0
        while at < len(data):
            key_length, info_length = _LENGTHS.unpack_from(data, at)
            info = at + _LENGTHS.size + key_length
            texts.append(data[at + _LENGTHS.size + _FIELD : info].decode())
            counts.append(W3TermInfo._struct.unpack_from(data, info)[2])
            at = info + info_length
        return texts, counts

    def postings(self, field: str, term: Term | None) -> Postings:
        """The documents of a term, none if it is not there."""
        ids, weights = [], []
        for deltas, weight, _ in self._blocks(field, term) if term else ():
            ids.append(np.cumsum(np.array(deltas, np.uint32), dtype=np.uint32))
            one = weight is None or isinstance(weight, float)
            weights.append(np.full(len(deltas), weight or 1.0, np.float32) if one else np.array(weight, np.float32))
        if not ids:
            return NOTHING
        found = np.concatenate(ids)
        return Postings(found, np.concatenate(weights), bitmap(found))

    def stands(self, field: str, term: Term | None, among: BitMap, distance: int) -> Stands:
        """Where a phrase would begin that has the term at a distance: document times PLACES plus place, in order.

        Blocks without any of the documents `among` are skipped unread.
        """
        found = [NOWHERE]
        for deltas, _, values in self._blocks(field, term, among) if term else ():
            places = np.frombuffer(b"".join(values), np.uint16).astype(np.int64)
            documents = np.repeat(np.cumsum(deltas), [len(value) // 2 for value in values])
            found.append(documents * PLACES + places + (PLACES // 2 - distance))
        return np.concatenate(found)

    def entries(self, field: str, term: Term) -> Iterator[tuple[int, float, tuple[bytes, ...]]]:
        """The postings one by one, as merging needs them: document, weight, and the places if the field keeps them."""
        if term.count == 1 and self._formats[field].fixed_value_size() == 0:
            yield term.info.min_id() or 0, term.info.weight(), ()
            return
        for deltas, weight, values in self._blocks(field, term):
            weights = repeat(weight or 1.0) if weight is None or isinstance(weight, float) else weight
            yield from zip(
                accumulate(deltas), weights, ((value,) for value in values) if values else repeat(()), strict=False
            )

    def close(self) -> None:
        """Let go of the files."""
        self._reader.close()

    def _blocks(self, field: str, term: Term, among: BitMap | None = None) -> Iterator[tuple[Sequence[int], Any, Any]]:
        """The content of one block after another: the first id and the steps between ids, weights (None: all 1), values."""
        matcher = self._reader._codec.postings_reader(self._reader._postfile, term.info, self._formats[field])
        after = 0
        while True:
            if among is None or among.range_cardinality(after, matcher._maxid + 1):
                matcher._read_data()
                yield matcher._data
            if matcher._lastblock:
                return
            after = matcher._maxid + 1
            matcher._next_block()


def bitmap(ids: Ids) -> BitMap:
    """Sorted ids as a roaring bitmap."""
    return BitMap(array("I", ids.tobytes()))


def array_of(found: BitMap) -> Ids:
    """A roaring bitmap as sorted ids."""
    return np.frombuffer(found.to_array(), np.uint32)
