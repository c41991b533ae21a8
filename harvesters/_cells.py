"""From the cells of a row to the values and nouns they speak of. Nothing is added, nothing is lost."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from catalogue.dcat import (
    IRI,
    Agent,
    Attribution,
    ContactPoint,
    Dataset,
    DatasetSeries,
    DataService,
    Distribution,
    Location,
    Node,
    Number,
    PeriodOfTime,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
    When,
    properties,
)
from harvesters._headings import ABOUT_FIELD, DATASET_PROPERTIES, Headings, Meaning, canonical, slug
from vocab.namespaces import FEDCAT, XSD

# -- Cells and lines ---------------------------------------------------------------------------------------------------

BLANK = frozenset("null nan n/a #n/a #null! #ref! #value! #name? #num! #div/0! - – — [] {}".split()) | {""}
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
DEEPEST = 8  # levels of JSON in a cell that become columns

Line = list[tuple[Meaning, str]]
"""The filled cells of one row, each with what its column means."""


def said(cell: str) -> str:
    """A cell's words; "" for what spreadsheets and databases write when there is nothing to say."""
    words = UNPRINTABLE.sub("", cell).strip()
    return "" if words.casefold() in BLANK else words


def lines(header: Sequence[str], row: Sequence[str], headings: Headings) -> list[Line]:
    """The row as lines: one, or one more for each file that a JSON cell of it describes."""
    line: Line = []
    more: list[Line] = []
    for number, cell in enumerate(row):
        if words := said(cell):
            heading = header[number].strip() if number < len(header) else ""
            meaning = headings.meaning(heading or str(number + 1))
            unpacked = _object(words) if words[0] in "{[" else None
            if unpacked is None or (meaning.property and meaning.part in ("dataset", "service", ABOUT_FIELD)):
                line.append((meaning, words))
            else:
                _unpack(unpacked, heading if _is_prefix(heading, headings) else "", headings, line, more)
    return [line, *more] if more else [line]


def _object(words: str) -> Any:
    """The JSON object, or list of objects, that a cell holds."""
    with suppress(ValueError, RecursionError):
        found = json.loads(words)
        if isinstance(found, dict) or (isinstance(found, list) and any(isinstance(item, dict) for item in found)):
            return found
    return None


def _is_prefix(heading: str, headings: Headings) -> bool:
    """Whether the heading says whose properties the object's are: 'publisher', 'distribution'."""
    return any(headings.meaning(f"{heading} {word}").part for word in ("title", "name"))


def _unpack(found: Any, path: str, headings: Headings, line: Line, more: list[Line], depth: int = 0) -> None:
    """Each member of a JSON object as if it were a column of its own, each file as if it were a row."""
    if isinstance(found, dict) and depth < DEEPEST:
        for key, value in found.items():
            if not (path and key == "@type"):
                _unpack(value, f"{path} {key}".strip(), headings, line, more, depth + 1)
    elif isinstance(found, list) and any(isinstance(item, dict) for item in found) and depth < DEEPEST:
        of_files = headings.meaning(f"{path} title").part == "distribution"
        for item in found:
            another: Line = []
            _unpack(item, path, headings, another if of_files else line, more, depth + 1)
            more += [another] if another else []
    elif words := said(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)):
        line.append((headings.meaning(path), words))


# -- What a cell says --------------------------------------------------------------------------------------------------

ADDRESS = re.compile(r"(?:https?://[^\s/<>\"{}|\\^`]+|mailto:)[^\s<>\"{}|\\^`]*", re.IGNORECASE)


def text(cell: str, lang: str) -> Iterable[Value]:
    return [Text(cell, lang)]


def name(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001  an identifier, a version: the same in every language
    return [_address_or_text(cell)]


def several(cell: str, lang: str) -> Iterable[Value]:
    """Addresses, or words that ; or | or a new line sets apart. Commas are part of them: 'Business, energy and trade'."""
    return [_address_or_text(part, lang) for part in _apart(cell, r"[;|\n]")]


def tags(cell: str, lang: str) -> Iterable[Value]:
    """Keywords: a comma sets them apart too, where nothing stronger does."""
    return [Text(part, lang) for part in _apart(cell, r"[;|\n]" if re.search(r"[;|\n]", cell) else ",")]


def codes(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """Formats, languages: 'CSV, XLSX'."""
    return [_address_or_text(part) for part in _apart(cell, r"[;|\n,]")]


def day(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """A date in ISO form, as spreadsheets give theirs; any other stays as it was written."""
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", cell) and date.fromisoformat(cell):
            return [When(cell, IRI(XSD.date))]
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?", cell) and datetime.fromisoformat(cell):
            return [When(cell, IRI(XSD.dateTime))]
    return [Text(cell)]


def place(cell: str, lang: str) -> Iterable[Value]:
    return [Location(iri=value) if isinstance(value, IRI) else value for value in several(cell, lang)]


def service(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """The service that serves a file: by its address, or by what its own description calls it."""
    value = _address_or_text(cell)
    return [DataService(iri=value) if isinstance(value, IRI) else DataService(identifiers=frozenset({value}))]


def _address_or_text(words: str, lang: str = "") -> IRI | Text:
    return IRI(words) if ADDRESS.fullmatch(words) else Text(words, lang)


def _apart(cell: str, marks: str) -> list[str]:
    if cell.startswith("["):
        with suppress(ValueError, RecursionError):
            return [part for item in json.loads(cell) if (part := said(str(item)))]
    if ADDRESS.match(cell):  # addresses may hold commas and semicolons themselves
        return re.split(r"[\s,;|]+(?=https?://)", cell)
    return [part for piece in re.split(marks, cell) if (part := said(piece))]


# -- What is said of one thing -----------------------------------------------------------------------------------------

N = TypeVar("N", bound=Node)


@dataclass
class Said:
    """What has been said of one thing, before it is one: values by property, and what it has no property for."""

    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    rest: set[Statement] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.values or self.rest)

    def hear(self, meaning: Meaning, cell: str, lang: str) -> None:
        if meaning.read and meaning.property:
            self.values[meaning.property] += meaning.read(cell, meaning.lang or lang)
        else:
            self.rest.add(unnamed(meaning, cell))

    def become(self, noun: type[N], iri: IRI | None = None) -> N:
        """The noun. What its properties do not take, by kind or by number, is stated in `rest`."""
        stated: dict[str, Any] = {}
        rest = set(self.rest)
        for prop in properties(noun):
            values = list(dict.fromkeys(self.values.get(prop.name, ())))
            fitting = [value for value in values if isinstance(value, prop.kinds)]
            taken = fitting if prop.many else fitting[:1]
            if taken:
                stated[prop.name] = frozenset(taken) if prop.many else taken[0]
            rest |= {Statement(prop.predicate, value) for value in values if value not in taken}
        for foreign in self.values.keys() - {prop.name for prop in properties(noun)}:
            rest |= {Statement(DATASET_PROPERTIES[foreign].predicate, value) for value in self.values[foreign]}
        return noun(iri=iri, rest=frozenset(rest), **stated)


def unnamed(meaning: Meaning, cell: str) -> Statement:
    """A cell whose column means nothing to us, kept under its heading."""
    return Statement(IRI(FEDCAT[f"column-{slug(meaning.heading) or 'unnamed'}"]), Text(cell))
