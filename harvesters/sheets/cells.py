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
            unpacked = _object(words) if words[0] in "{[" and meaning.part not in VALUES else None
            if unpacked is None:
                line.append((meaning, words))
            else:
                path = meaning.heading if _is_prefix(meaning.heading, headings) else ""
                _unpack(unpacked, path, headings, line, more)
    return [line, *more]


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
