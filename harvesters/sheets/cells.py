"""From the cells of a row to the values and nouns they speak of. Nothing is added, nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from catalogue.dcat import IRI, DataService, Text, Value
from harvesters.read import dates, emails, places, sizes, web_address, written
from harvesters.sheets.headings import ABOUT_FIELD, Headings, Meaning

# -- Cells and lines ---------------------------------------------------------------------------------------------------

BLANK = frozenset(
    {
        "",
        "null",
        "nan",
        "n/a",
        "#n/a",
        "#null!",
        "#ref!",
        "#value!",
        "#name?",
        "#num!",
        "#div/0!",
        "-",
        "–",
        "—",
        "[]",
        "{}",
    }
)
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
DEEPEST = 8  # levels of JSON in a cell that become columns
VALUES = frozenset({"dataset", "service", "distribution", "period", ABOUT_FIELD})  # JSON there is a value: a shape

Line = list[tuple[Meaning, str]]
"""The filled cells of one row, each with what its column means."""


def said(cell: str) -> str:
    """A cell's words; "" for what spreadsheets and databases write when there is nothing to say."""
    words = UNPRINTABLE.sub("", cell).strip()
    return "" if words.casefold() in BLANK else words


def columns(header: Sequence[str], headings: Headings) -> list[Meaning]:
    """What each column means; one without a heading is known by its number."""
    return [headings.meaning(heading.strip() or str(number)) for number, heading in enumerate(header, 1)]


def lines(meanings: Sequence[Meaning], row: Sequence[str], headings: Headings) -> list[Line]:
    """The row as lines: one, and one more for each file that a JSON cell of it describes."""
    line: Line = []
    more: list[Line] = []
    for number, cell in enumerate(row):
        if words := said(cell):
            meaning = meanings[number] if number < len(meanings) else Meaning(str(number + 1))
            unpacked = _unpacked(words, meaning, headings) if words[0] in "{[" and meaning.part not in VALUES else []
            line += unpacked[0] if unpacked else [(meaning, words)]
            more += unpacked[1:]
    return [line, *more]


def _unpacked(words: str, meaning: Meaning, headings: Headings) -> list[Line]:
    """A JSON object, or list of objects, as lines of its own: each member a column, each file a line."""
    with suppress(ValueError, RecursionError):
        found = json.loads(words)
        if isinstance(found, dict) or _has_objects(found):
            is_prefix = any(headings.meaning(f"{meaning.heading} {word}").part for word in ("title", "name"))
            line: Line = []
            more: list[Line] = []
            _unpack(found, meaning.heading if is_prefix else "", headings, line, more)
            return [line, *more]
    return []


def _has_objects(found: Any) -> bool:
    return isinstance(found, list) and any(isinstance(item, dict) for item in found)


def _unpack(found: Any, path: str, headings: Headings, line: Line, more: list[Line], depth: int = 0) -> None:
    if isinstance(found, dict) and depth < DEEPEST:
        for key, value in found.items():
            if not (path and key == "@type"):
                _unpack(value, f"{path} {key}".strip(), headings, line, more, depth + 1)
    elif _has_objects(found) and depth < DEEPEST:
        is_file = headings.meaning(f"{path} title").part == "distribution"
        for item in found:
            another: Line = []
            _unpack(item, path, headings, another if is_file else line, more, depth + 1)
            more += [another] if another else []
    elif cell := said(found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)):
        line.append((headings.meaning(path), cell))


# -- What a cell says: each reader takes its words, and the language they are in --------------------------------------


def prose(cell: str, lang: str) -> Iterable[Value]:
    return [Text(cell, lang)]


def name(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001  an identifier is the same in every language
    return [_address_or_words(cell)]


def concept(cell: str, lang: str) -> Iterable[Value]:
    return [_address_or_words(cell, lang)]


def several(cell: str, lang: str) -> Iterable[Value]:
    """Addresses, or words that ; or | or a new line sets apart. Commas are part of them: 'Energy, skills and trade'."""
    return [_address_or_words(part, lang) for part in _apart(cell, r"[;|\n]")]


def tags(cell: str, lang: str) -> Iterable[Value]:
    """Keywords: a comma sets them apart too, where nothing stronger does."""
    return [Text(part, lang) for part in _apart(cell, r"[;|\n]" if re.search(r"[;|\n]", cell) else ",")]


def codes(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """Formats, languages: 'CSV, XLSX'."""
    return [_address_or_words(part) for part in _apart(cell, r"[;|\n,]")]


def mailboxes(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    return emails([part.strip() for part in re.split(r"[;,|\s]+", cell) if part])


def day(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """A date in ISO form, as spreadsheets give theirs; any other stays as it was written, for `normalise` to mend."""
    return dates(cell)


def octets(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    return sizes(cell)


def place(cell: str, lang: str) -> Iterable[Value]:
    for part in [cell] if cell.startswith("{") else _apart(cell, r"[;|\n]"):
        for value in places(part):
            yield Text(value.value, lang) if isinstance(value, Text) else value


def service(cell: str, lang: str) -> Iterable[Value]:  # noqa: ARG001
    """The service that serves a file: by its address, or by what its own description calls it."""
    value = _address_or_words(cell)
    return [DataService(iri=value) if isinstance(value, IRI) else DataService(identifiers=frozenset({value}))]


def _address_or_words(words: str, lang: str = "") -> IRI | Text:
    return web_address(words) or Text(words, lang)


def _apart(cell: str, marks: str) -> list[str]:
    if cell.startswith("["):
        with suppress(ValueError, RecursionError, TypeError):
            return [part for item in json.loads(cell) if (part := said(written(item)))]
    if re.match("https?://", cell):  # addresses may hold commas and semicolons themselves
        return re.split(r"[\s,;|]+(?=https?://)", cell)
    return [part for piece in re.split(marks, cell) if (part := said(piece))]
