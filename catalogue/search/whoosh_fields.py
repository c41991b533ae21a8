# mypy: disable-error-code="no-untyped-call"
"""What fedcat keeps of a document in a Whoosh index.

Three textual fields, as measured for decision 0006: `text` has the stems of everything without places and decides what
matches; `title` has the stems of titles and decides what comes first; `words` has unstemmed words with their places and
serves phrases, beginnings of words and corrections. Facet values are postings; dates, box and lengths are one row of numbers.
"""

# Whoosh is typed in part: what it does not type may be called from here.

from __future__ import annotations

import struct
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from whoosh import columns, fields, formats
from whoosh.lang.porter2 import stem as english_stem

from catalogue.search import SECTIONS, Document
from catalogue.search.filters import FILTERS, day
from catalogue.search.words import COMMON, literally, words

if TYPE_CHECKING:
    from whoosh.analysis.analyzers import Analyzer

VERSION = 1  # of everything in this file: an index written by another one is built again
GAP = 10  # places between two texts, so that no phrase runs from one into the next
LAST_PLACE = 0xFFFF

NEVER, ALWAYS = -(2**31), 2**31 - 1
ROW = np.dtype([
    ("title", ">u8"), ("words", ">u8"), ("id", ">u8"), ("iri", ">u8"), ("tie", ">u4"),
    ("modified", ">i4"), ("covers_from", ">i4"), ("covers_to", ">i4"),
    ("title_length", ">f4"), ("text_length", ">f4"), ("quality", ">f4"),
    ("west", ">f8"), ("south", ">f8"), ("east", ">f8"), ("north", ">f8"),
])  # fmt: skip
_ROW = struct.Struct(">QQQQIiiifffdddd")


_READY = cast("Analyzer", None)  # values come ready from `prepared`


class PlacesFormat(formats.Existence):
    """Two bytes for each place: Whoosh's own format pickles a list per word, which is several times as large."""

    posting_size = -1


class Weights(fields.FieldType):
    """Terms with how much each weighs in the document."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=_READY)


class Places(fields.FieldType):
    """Terms with the places where each stands."""

    def __init__(self) -> None:
        super().__init__(format=PlacesFormat(), analyzer=_READY)


@dataclass(frozen=True)
class Stamp:
    """What is committed together with the documents: our version, the last change applied, and the size of every file."""

    version: int = VERSION
    serial: int = 0
    sizes: Mapping[str, int] = field(default_factory=dict)


class StampedSchema(fields.Schema):
    """The schema is the one thing of ours that Whoosh writes into its table of contents, so it carries the stamp."""

    stamp = Stamp()


def schema() -> StampedSchema:
    """The fields of a new index."""
    return StampedSchema(
        text=Weights(),
        title=Weights(),
        exact=Weights(),
        words=Places(),
        id=fields.COLUMN(columns.VarBytesColumn()),
        name=fields.COLUMN(columns.VarBytesColumn()),
        row=fields.COLUMN(columns.FixedBytesColumn(ROW.itemsize)),
        **{facet_field(each.parameter): Weights() for each in FILTERS},
    )


def facet_field(parameter: str) -> str:
    """The field that holds the values of a filter."""
    return f"facet_{parameter}"


def indexed(schema: StampedSchema) -> list[tuple[str, formats.Format]]:
    """The fields that have terms, in order, and what each keeps beside them."""
    return [(name, kind.format) for name, kind in schema.items() if kind.format]


def prepared(document: Document) -> dict[str, Any]:
    """A document's fields as the writer takes them."""
    weights, places = _analysed(document)
    title = Counter(
        stem(word) for text in (document.title, *document.titles) for word in words(text) if word not in COMMON
    )
    return {
        "text": weights,
        "title": title,
        "words": places,
        "exact": {f"{exactly(form):x}": 1.0 for title in document.titles for form in _forms(title)},
        "id": encoded(document.id),
        "name": encoded("\0".join((" ".join(words(document.title)), document.title.replace("\0", " ")))),
        "row": _row(document, sum(title.values()), sum(weights.values())),
        **{
            facet_field(each.parameter): {encoded(value).decode(): 1.0 for value in each.values(document)}
            for each in FILTERS
        },
    }


def _analysed(document: Document) -> tuple[dict[str, float], dict[str, array[int]]]:
    """How much each stem weighs, and where each word stands, in everything that the document says."""
    weights: defaultdict[str, float] = defaultdict(float)
    places: defaultdict[str, array[int]] = defaultdict(lambda: array("H"))
    at = 0
    for weight, found in ((each.weight, words(said)) for each in SECTIONS for said in each.said(document)):
        for place, word in enumerate(found, at):
            if word not in COMMON:
                weights[stem(word)] += weight
                if place <= LAST_PLACE:
                    places[word].append(place)
        at += len(found) + GAP
    return weights, places


def _forms(title: str) -> tuple[str, str]:
    """What somebody may type who has a title in mind: all of it, or its words."""
    return literally(title), " ".join(words(title))


def _row(document: Document, title_length: float, text_length: float) -> bytes:
    modified = day(document.modified)
    begins, ends = day(document.covers_from), day(document.covers_to, last=True)
    stated = begins or ends
    box = document.bbox if document.bbox and all(map(isfinite, document.bbox)) else (nan, nan, nan, nan)
    return _ROW.pack(
        *map(exactly, _forms(document.title)),
        exactly(literally(document.id)),
        exactly(literally(document.iri)),
        exactly(document.id) & 0xFFFFFFFF,
        modified.toordinal() if modified else 0,
        begins.toordinal() if begins else NEVER if stated else ALWAYS,
        ends.toordinal() if ends else ALWAYS if stated else NEVER,
        title_length,
        text_length,
        document.quality if 0 <= document.quality <= 1 else 0.0,
        *box,
    )


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The English stem of a folded word."""
    return str(english_stem(word)) if word.isascii() and word.isalpha() else word


def exactly(text: str) -> int:
    """A text of any length as a number by which it is recognised, 0 for none."""
    return int.from_bytes(blake2b(encoded(text), digest_size=8).digest()) if text else 0


def encoded(text: str) -> bytes:
    """Text as bytes; half a character, which is not text, becomes a question mark."""
    return text.encode("utf-8", "replace")
