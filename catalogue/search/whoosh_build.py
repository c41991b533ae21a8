# mypy: disable-error-code="no-untyped-call"
"""How segments come about: from documents, or from other segments when those have become too many.

Whoosh's own writer sorts every posting as a tuple and takes them one by one. This one gathers them in flat arrays, sorts
those, and hands whole blocks to the same codec: the same bytes, in less time and memory.
"""

# Whoosh is typed in part: what it does not type may be called from here.

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from heapq import merge
from itertools import accumulate, chain, count, groupby, islice, repeat
from math import log
from operator import itemgetter, sub
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from whoosh.codec.whoosh3 import W3Codec, W3PostingsWriter

from catalogue.search import Document, IndexBusy
from catalogue.search.whoosh_fields import PlacesFormat, indexed, prepared
from catalogue.search.whoosh_files import NAME, Change, MappedStorage, changing, contents, intact
from catalogue.search.whoosh_postings import Terms

MAX_DOCUMENTS = 20_000  # in one segment: bounds the memory of a build and the time of a merge
SIBLINGS = 8  # so many segments of about one size become one
COLUMNS = ("id", "name", "row")

Posted = tuple[bytes, "array[int]", "array[float]", Sequence[bytes]]


class _Codec(W3Codec):
    """Whoosh's codec, but writing postings in blocks."""

    def postings_writer(self, dbfile: Any, byteids: bool = False) -> _BlockWriter:
        return _BlockWriter(dbfile, self._blocklimit, byteids, self._compression, self._inlinelimit)


class _BlockWriter(W3PostingsWriter):
    """Takes the postings of a term together instead of one by one."""

    def add_all(self, ids: array[int], weights: array[float], values: Sequence[bytes]) -> None:
        """All postings of the term that was started."""
        for start in range(0, len(ids), self._blocklimit):
            if start:
                self._write_block()
            block = slice(start, start + self._blocklimit)
            self._ids, self._weights, self._values = ids[block], weights[block], list(values[block])
            self._maxweight = max(self._weights)

    def _mini_ids(self) -> tuple[int, ...]:
        return tuple(map(sub, self._ids, chain((0,), self._ids)))

    def _mini_weights(self) -> tuple[float, ...] | float | None:
        first = self._weights[0]
        if self._weights.count(first) == len(self._weights):
            return None if first == 1.0 else first
        return tuple(self._weights)


class _Field:
    """The postings of one field on their way into a segment, in the order of the documents."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._terms, self._ids, self._weights = array("I"), array("I"), array("f")

    def add(self, document: int, terms: Mapping[str, Any]) -> None:
        """The terms of the next document."""
        self._terms.extend(map(self._numbers.__getitem__, terms))
        self._ids.extend(repeat(document, len(terms)))
        self._weights.extend(terms.values())

    def posted(self) -> Iterator[Posted]:
        """Everything, in the order of the terms."""
        names = sorted(self._numbers)
        rank = np.empty(len(names), np.uint32)
        rank[[self._numbers[name] for name in names]] = np.arange(len(names), dtype=np.uint32)
        ranked = rank[np.frombuffer(self._terms, np.uint32)]
        order = np.argsort(ranked, kind="stable")
        ids = array("I", np.frombuffer(self._ids, np.uint32)[order].tobytes())
        weights = array("f", np.frombuffer(self._weights, np.float32)[order].tobytes())
        values = self._values(order)
        start = 0
        for name, end in zip(names, np.cumsum(np.bincount(ranked)).tolist(), strict=True):
            yield name.encode(), ids[start:end], weights[start:end], values(start, end)
            start = end

    def _values(self, _: NDArray[np.intp]) -> Callable[[int, int], list[bytes]]:
        """A function that gives what is kept beside the postings from one number to another."""
        return lambda *_: []


class _PlacedField(_Field):
    """The same with places: those of one term in one document after the other, and how many each time."""

    def __init__(self) -> None:
        super().__init__()
        self._counts, self._places = array("H"), array("H")

    def add(self, document: int, terms: Mapping[str, Any]) -> None:
        super().add(document, dict.fromkeys(terms, 1.0))
        self._counts.extend(map(len, terms.values()))
        for places in terms.values():
            self._places.extend(places)

    def _values(self, order: NDArray[np.intp]) -> Callable[[int, int], list[bytes]]:
        raw, counts = self._places.tobytes(), np.frombuffer(self._counts, np.uint16)
        ends = np.cumsum(counts, dtype=np.int64)
        first, last = (2 * (ends - counts))[order], (2 * ends)[order]
        return lambda start, end: [
            raw[a:b] for a, b in zip(first[start:end].tolist(), last[start:end].tolist(), strict=True)
        ]


class _NewSegment:
    """A segment in the making; nothing reads it until a commit names it, and nothing is left open if it comes to nothing."""

    def __init__(self, change: Change) -> None:
        codec = _Codec()
        self.count = 0
        self._schema = change.schema
        self._segment = W3Codec().new_segment(change.files, NAME)
        self._rows = codec.per_document_writer(change.files, self._segment)
        self._terms = codec.field_writer(change.files, self._segment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._rows, self._terms):
            if not each.is_closed:
                each.close()

    def row(self, columns: Mapping[str, Any]) -> None:
        """The columns of the next document."""
        self._rows.start_doc(self.count)
        for name in COLUMNS:
            self._rows.add_column_value(name, self._schema[name].column_type, columns[name])
        self._rows.finish_doc()
        self.count += 1

    def finish(self, fields: Iterable[tuple[str, Iterable[Posted]]]) -> Any:
        """The segment, once the fields, which come by name, and their terms are written."""
        for name, posted in fields:
            self._terms.start_field(name, self._schema[name])
            for term, ids, weights, values in posted:
                self._terms.start_term(term)
                self._terms._postwriter.add_all(ids, weights, values)
                self._terms.finish_term()
            self._terms.finish_field()
        self._rows.close()
        self._terms.close()
        self._segment.set_doc_count(self.count)
        return self._segment


def build(change: Change, documents: Iterable[Document]) -> set[str]:
    """Add segments with these documents and say which ids they have; where one comes twice, the later document stands."""
    coming = iter(documents)
    newest: dict[str, tuple[int, int]] = {}
    older: list[tuple[int, int]] = []
    while first := list(islice(coming, 1)):
        portion = chain(first, islice(coming, MAX_DOCUMENTS - 1))
        change.segments.append(_built(change, portion, newest, older))
    for segment, document in older:
        change.segments[segment].delete_document(document)
    return set(newest)


def _built(
    change: Change, documents: Iterable[Document], newest: dict[str, tuple[int, int]], older: list[tuple[int, int]]
) -> Any:
    """One segment; `newest` and `older` learn where each id is, and where it was before."""
    fields = {
        name: _PlacedField() if isinstance(kept, PlacesFormat) else _Field() for name, kept in indexed(change.schema)
    }
    with _NewSegment(change) as new:
        for document in documents:
            if document.id in newest:
                older.append(newest[document.id])
            newest[document.id] = (len(change.segments), new.count)
            made = prepared(document)
            for name, field in fields.items():
                field.add(new.count, made[name])
            new.row(made)
        return new.finish((name, field.posted()) for name, field in fields.items())


def tidy(files: MappedStorage) -> None:
    """Merge small segments, so that many small commits do not leave many; left to the other writer if there is one."""
    while crowded(contents(files).segments):
        try:
            with changing(files, 0) as change:
                chosen = crowded(change.segments)
                with intact(files):
                    merged = _merged(change, chosen)
                change.segments = [*(each for each in change.segments if each not in chosen), merged]
                change.commit()
        except IndexBusy:
            return


def crowded(segments: Iterable[Any]) -> list[Any]:
    """The segments to make into one: one mostly deleted, else as many as may be of a group of siblings of about one size."""
    tiers: defaultdict[int, list[Any]] = defaultdict(list)
    for segment in sorted(segments, key=lambda each: each.doc_count()):
        if segment.deleted_count() > segment.doc_count():
            return [segment]
        tiers[int(log(segment.doc_count(), SIBLINGS))].append(segment)
    for _, tier in sorted(tiers.items()):
        sizes = accumulate(segment.doc_count() for segment in tier)
        small = [segment for segment, size in zip(tier, sizes, strict=True) if size <= MAX_DOCUMENTS]
        if len(tier) >= SIBLINGS and len(small) > 1:
            return small
    return []


def _merged(change: Change, segments: Sequence[Any]) -> Any:
    """One segment with what is left in several."""
    fields = dict(indexed(change.schema))
    with ExitStack() as stack:
        new = stack.enter_context(_NewSegment(change))
        numbers = [_copied(change, segment, new) for segment in segments]
        readers = [Terms(segment.codec().terms_reader(change.files, segment), fields) for segment in segments]
        for reader in readers:
            stack.callback(reader.close)
        return new.finish((name, _joined(readers, numbers, name)) for name in fields)


def _copied(change: Change, segment: Any, new: _NewSegment) -> list[int | None]:
    """Copy the columns of what is left in a segment; the number that each document gets, None for the deleted."""
    rows = segment.codec().per_document_reader(change.files, segment)
    columns = {name: rows.column_reader(name, change.schema[name].column_type) for name in COLUMNS}
    numbers: list[int | None] = [None] * segment.doc_count_all()
    for document in rows.all_doc_ids():
        numbers[document] = new.count
        new.row({name: column[document] for name, column in columns.items()})
    rows.close()
    return numbers


def _joined(readers: Sequence[Terms], numbers: Sequence[list[int | None]], field: str) -> Iterator[Posted]:
    """The postings of a field in several segments, under the new numbers."""
    streams = [[(term.text, at, term) for term in reader.beginning(field)] for at, reader in enumerate(readers)]
    for text, holders in groupby(merge(*streams, key=itemgetter(0, 1)), key=itemgetter(0)):
        ids, weights, values = array("I"), array("f"), list[bytes]()
        for _, at, term in holders:
            renumbered = numbers[at]
            for old, weight, value in readers[at].entries(field, term):
                if (document := renumbered[old]) is not None:
                    ids.append(document)
                    weights.append(weight)
                    values.extend(value)
        if ids:
            yield text, ids, weights, values
