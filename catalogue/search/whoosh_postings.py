"""The postings of one term in one segment, decoded block by block into arrays.

This is the place that relies on the inside of Whoosh's codec ("W3", unchanged since 2.7), which is why the version is pinned;
a test compares every answer with what Whoosh's own matcher gives.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from whoosh.reading import TermNotFound

Ids = NDArray[np.uint32]
Numbers = NDArray[np.float32]
Keys = NDArray[np.uint64]

NO_IDS: Ids = np.empty(0, np.uint32)
NO_NUMBERS: Numbers = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class Postings:
    """Which documents of a segment have a term, and how much it weighs in each."""

    ids: Ids
    weights: Numbers
    bitmap: BitMap

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return (
            self.ids.nbytes
            + self.weights.nbytes
            + min(2 * len(self.ids), 8192 * (1 + int(self.ids[-1:].sum()) // 65536))
            + 300
        )


NOTHING = Postings(NO_IDS, NO_NUMBERS, BitMap())


def postings(terms: Any, field: str, term: bytes, kept: Any) -> Postings:
    """The postings of a term, none if the segment does not have it. `terms` is the segment's, `kept` the field's format."""
    ids, weights = [], []
    for matcher in _blocks(terms, field, term, kept):
        matcher._read_data()
        deltas, weight = matcher._data[0], matcher._data[1]
        ids.append(np.cumsum(np.array(deltas, np.uint32), dtype=np.uint32))
        weights.append(_weights(weight, len(deltas)))
    if not ids:
        return NOTHING
    found = np.concatenate(ids)
    return Postings(found, np.concatenate(weights), bitmap(found))


def places(terms: Any, field: str, term: bytes, kept: Any, among: BitMap) -> Iterator[tuple[int, array[int]]]:
    """Where the term stands in each of the documents `among`; blocks without any of them are skipped unread."""
    after = 0
    for matcher in _blocks(terms, field, term, kept):
        upto = matcher._maxid + 1
        if among.range_cardinality(after, upto):
            matcher._read_data()
            for number, value in zip(np.cumsum(matcher._data[0]).tolist(), matcher._data[2], strict=True):
                if number in among:
                    yield number, array("H", value)
        after = upto


def entries(terms: Any, field: str, term: bytes, kept: Any) -> Iterator[tuple[int, float, tuple[bytes, ...]]]:
    """The postings of a term one by one, as merging needs them: document, weight, and the places if the field keeps them."""
    for matcher in _blocks(terms, field, term, kept):
        matcher._read_data()
        deltas, weight, values = matcher._data
        for number, (at, heavy) in enumerate(
            zip(accumulate(deltas), _weights(weight, len(deltas)).tolist(), strict=True)
        ):
            yield at, heavy, (values[number],) if values else ()


def terms_from(terms: Any, field: str, prefix: bytes) -> Iterator[tuple[bytes, int]]:
    """The terms of a field that begin with a prefix, in order, each with the number of documents that have it."""
    if field not in terms.indexed_field_names():
        return
    for (name, term), info in terms.items_from(field, prefix):
        if name != field or not term.startswith(prefix):
            return
        yield term, info.doc_frequency()


def bitmap(ids: Ids) -> BitMap:
    """Sorted ids as a roaring bitmap."""
    return BitMap(array("I", ids.tobytes()))


def array_of(found: BitMap) -> Ids:
    """A roaring bitmap as sorted ids."""
    return np.frombuffer(found.to_array(), np.uint32)


def _blocks(terms: Any, field: str, term: bytes, kept: Any) -> Iterator[Any]:
    """Whoosh's matcher, standing on one block after another."""
    try:
        matcher = terms.matcher(field, term, kept)
    except TermNotFound:
        return
    yield matcher
    while not matcher._lastblock:
        matcher._next_block()
        yield matcher


def _weights(weight: Any, count: int) -> Numbers:
    if weight is None or isinstance(weight, float):
        return np.full(count, 1.0 if weight is None else weight, np.float32)
    return np.array(weight, np.float32)
