# mypy: disable-error-code="no-untyped-call"
"""Which documents match what was typed, and how well: set algebra on bitmaps, then arithmetic on arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import chain
from math import log
from operator import and_

import numpy as np
from pyroaring import BitMap

from catalogue.search.whoosh_fields import exactly, stem
from catalogue.search.whoosh_postings import Ids, Keys, Numbers, array_of, bitmap
from catalogue.search.whoosh_segment import Segment
from catalogue.search.words import All, Either, Node, Not, Phrase, Prefix, Typed, Word, leaves, literally, words

MAX_ENDINGS = 64
SATURATION, TEXT_SLOPE, TITLE_SLOPE, TITLE_WEIGHT = 1.2, 0.75, 0.3, 4.0
EXACT = 1000.0  # a title typed in full comes first, whatever else matches
QUALITY = 0.1  # the best description gains a tenth over the worst


@dataclass(frozen=True)
class Part:
    """A segment, and which of its documents are left."""

    segment: Segment
    live: BitMap


@dataclass(frozen=True)
class View:
    """The index as of one commit. What depends on all documents is worked out once, when it is first asked for."""

    serial: int
    parts: tuple[Part, ...]
    counted: dict[str, Mapping[str, int]] = field(default_factory=dict)  # by facet, for all documents

    @cached_property
    def count(self) -> int:
        """How many documents there are."""
        return sum(len(part.live) for part in self.parts)

    @cached_property
    def lengths(self) -> tuple[float, float]:
        """Of the average text and the average title."""
        return self._average("text_length"), self._average("title_length")

    @cached_property
    def titles(self) -> list[Keys]:
        """For each part, how many documents come after each when all are sorted by title."""
        order = [np.zeros(part.segment.count, np.uint64) for part in self.parts]
        runs = ([(*each, at) for each in part.segment.by_title] for at, part in enumerate(self.parts))
        for after, (*_, number, at) in enumerate(sorted(chain.from_iterable(runs), reverse=True)):
            order[at][number] = after
        return order

    def endings(self, prefix: str) -> list[tuple[str, int]]:
        """The words that begin so, each with how many documents have it, commonest first."""
        found: Counter[str] = Counter()
        for part in self.parts:
            found.update(part.segment.beginning(prefix))
        return sorted(found.items(), key=lambda each: (-each[1], each[0]))

    def _average(self, column: str) -> float:
        total = sum(float(part.segment.row[column][array_of(part.live)].sum(dtype=np.float64)) for part in self.parts)
        return total / self.count if total else 1.0


class Matcher:
    """What was typed, put to a view."""

    def __init__(self, view: View, typed: Typed) -> None:
        self.view = view
        self.typed = typed
        self.notes = list(typed.notes)
        self._stems: dict[str, frozenset[str]] = {}
        whole = exactly(literally(typed.text))
        forms = {
            "title": whole,
            "id": whole,
            "iri": whole,
            "words": exactly(" ".join(words(typed.text))) if typed.plain else 0,
        }
        self._forms = {column: form for column, form in forms.items() if form}

    def found(self, part: Part) -> BitMap:
        """The documents of a part that match."""
        if self.typed.tree is None:
            return part.live
        return (self._found(part.segment, self.typed.tree) & part.live) | self.exact(part)

    def exact(self, part: Part) -> BitMap:
        """The documents of which all of the title, the id or the address was typed."""
        segment, found = part.segment, BitMap()
        for column, form in self._forms.items():
            found |= bitmap(np.flatnonzero(segment.row[column] == form).astype(np.uint32))
            found |= segment.postings("exact", f"{form:x}").bitmap
        return found & part.live

    def scores(self, hits: Sequence[Ids]) -> list[Numbers]:
        """How well each hit matches: BM25F over text and title, a little for quality, and a great deal for an exact title."""
        scores = [np.zeros(len(ids), np.float32) for ids in hits]
        for stems in self._terms():
            holders = sum(len(self._holders(part.segment, stems) & part.live) for part in self.view.parts)
            rarity = log(1 + (self.view.count - holders + 0.5) / (holders + 0.5))
            for part, ids, score in zip(self.view.parts, hits, scores, strict=True):
                frequency = self._frequency(part.segment, stems, ids)
                score += np.float32(rarity * (SATURATION + 1)) * frequency / (frequency + np.float32(SATURATION))
        for part, ids, score in zip(self.view.parts, hits, scores, strict=True):
            score *= 1 + np.float32(QUALITY) * part.segment.row["quality"][ids]
            score[np.isin(ids, array_of(self.exact(part)), assume_unique=True)] += np.float32(EXACT)
        return scores

    def _found(self, segment: Segment, node: Node) -> BitMap:
        match node:
            case Word():
                return segment.postings("text", stem(node.text)).bitmap
            case Prefix():
                return self._holders(segment, self._beginning(node.text))
            case Phrase():
                return segment.phrase(node.words)
            case Not():
                return segment.all - self._found(segment, node.of)
            case All():
                return reduce(and_, (self._found(segment, part) for part in node.of))
            case Either():
                return BitMap.union(*(self._found(segment, part) for part in node.of))

    def _beginning(self, prefix: str) -> frozenset[str]:
        """The stems of the commonest words that begin so."""
        if prefix not in self._stems:
            endings = self.view.endings(prefix)
            if len(endings) > MAX_ENDINGS:
                self.notes.append(
                    f"{prefix}* stands for {len(endings)} words; the {MAX_ENDINGS} commonest were searched for."
                )
            self._stems[prefix] = frozenset(stem(word) for word, _ in endings[:MAX_ENDINGS])
        return self._stems[prefix]

    def _terms(self) -> Iterator[frozenset[str]]:
        """The stems that count as one term each."""
        for leaf in leaves(self.typed.tree):
            if isinstance(leaf, Prefix):
                yield self._beginning(leaf.text)
            else:
                said = [leaf.text] if isinstance(leaf, Word) else [word for _, word in leaf.words]
                yield from (frozenset({stem(word)}) for word in said)

    def _holders(self, segment: Segment, stems: frozenset[str]) -> BitMap:
        return BitMap.union(BitMap(), *(segment.postings("text", each).bitmap for each in stems))

    def _frequency(self, segment: Segment, stems: frozenset[str], ids: Ids) -> Numbers:
        """How often each document has the term, for its length, in its text and its title."""
        average_text, average_title = self.view.lengths
        text = _in_field(segment, "text", stems, ids, TEXT_SLOPE, average_text)
        title = _in_field(segment, "title", stems, ids, TITLE_SLOPE, average_title)
        return text + np.float32(TITLE_WEIGHT) * title


def _in_field(segment: Segment, field: str, stems: frozenset[str], ids: Ids, slope: float, average: float) -> Numbers:
    weights = np.zeros(segment.count, np.float32)
    for each in sorted(stems):
        postings = segment.postings(field, each)
        weights[postings.ids] += postings.weights
    lengths = segment.row[f"{field}_length"][ids]
    frequency: Numbers = weights[ids] / (np.float32(1 - slope) + np.float32(slope / average) * lengths)
    return frequency
