"""Opens what a source answered as sheets of rows of words: CSV in any encoding and separator, or XLSX."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from itertools import count, islice
from typing import Any, BinaryIO, NoReturn
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Response, looks_like_html

Row = tuple[int, tuple[str, ...]]
"""Its number, as a spreadsheet shows it, and its cells."""

MAX_CELL = 1_000_000  # characters
MAX_LINE = 4_000_000  # characters
TOO_LONG = f"has a cell of more than {MAX_CELL:,} characters"
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; "" is the name of a CSV file's only one. Its rows are read anew each time they are asked for."""

    name: str
    rows: Callable[[], Iterator[Row | Problem]]
    problems: tuple[Problem, ...] = ()


def sheets(response: Response, *, encoding: str = "", separator: str = "", only: str = "") -> list[Sheet]:
    """Every sheet of a workbook, or the one asked for; a CSV file as often as there are separators to try."""
    with response.open() as file:
        head = file.read(4096)
    _refuse(head, response)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_workbook(response, only)
    return _of_text(response, head, encoding, separator)


HTML = "Look at the address in a browser: it may want a login. Give the address of the file itself."
NOT_TABLES = (
    (rb"(?:\xef\xbb\xbf)?\s*\Z", "is empty", "Ask its owner for the file, or try again later."),
    (rb"\xd0\xcf\x11\xe0", "is an old Excel file, or has a password", "Save it as .xlsx or .csv, without a password."),
    (rb"%PDF", "is a PDF document", "Ask its owner for the spreadsheet that it was made from."),
    (rb"\x1f\x8b", "is packed with gzip", "Give the address of the unpacked file."),
    (
        rb"(?:\xef\xbb\xbf)?\s*(?:\{|\[\s*[\[{\"])",
        "is JSON",
        "Harvest it as data-json, or give the address of a table.",
    ),
    (rb"(?:\xef\xbb\xbf)?\s*<", "is XML", "Harvest it as dcat-rdf if it is RDF, or give the address of a table."),
    (rb"(?:\xef\xbb\xbf)?\s*(?i:@prefix|@base|prefix\s+\w*:\s*<)", "is RDF in Turtle", "Harvest it as dcat-rdf."),
)


def _refuse(head: bytes, response: Response) -> None:
    """What is certainly no table, by its first bytes: servers say text/csv of anything."""
    if looks_like_html(head):
        _give_up(f"{response.url} answers with a web page, not with a table.", HTML, response)
    for pattern, what, fix in NOT_TABLES:
        if re.match(pattern, head):
            _give_up(f"{response.url} {what}, not a table of datasets.", fix, response)


def _give_up(message: str, fix: str, response: Response, rule: str = "not-a-table") -> NoReturn:
    raise SourceUnavailable(message, fix=fix, address=response.url, rule=rule)


# -- CSV ---------------------------------------------------------------------------------------------------------------

MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

csv.field_size_limit(MAX_CELL)


def _of_text(response: Response, head: bytes, encoding: str, separator: str) -> list[Sheet]:
    if encoding and not _is_encoding(encoding):
        fix = "Set the option to one such as utf-8 or cp1252, or take it out: it is then found by looking."
        _give_up(f"The option encoding is '{encoding}', which is no encoding.", fix, response, "table-option")
    mark = SEPARATORS.get(separator, separator)
    if len(mark) > 1:
        fix = f"Set it to one character or to {', '.join(SEPARATORS)}, or take it out: it is then found by looking."
        _give_up(f"The option separator is '{separator}', which is no separator.", fix, response, "table-option")
    name, problems = (encoding, ()) if encoding else _encoding(response, head)
    marks = [mark] if mark else SEPARATORS.values()
    return [Sheet("", partial(_csv_rows, response, name, mark), problems) for mark in marks]


def _is_encoding(name: str) -> bool:
    try:
        b"\xffa".decode(name, "replace")
    except (LookupError, UnicodeError):  # nobody knows it, or it is for something else than text
        return False
    return bool(name)


def _encoding(response: Response, head: bytes) -> tuple[str, tuple[Problem, ...]]:
    """By its mark, else UTF-8 if most of it is, else as the server says, else as Windows writes."""
    for mark, name in MARKS:
        if head.startswith(mark):
            return name, ()
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > len(head) // 5:
        return "utf-16-be" if even > odd else "utf-16-le", ()
    with response.open() as file:
        good, bad = _utf_8(file)
    if good * 5 >= bad:  # letters seldom come out as UTF-8 by accident
        return "utf-8-sig", (_mixed(bad),) if bad else ()
    declared = response.charset or ""
    return declared if _is_encoding(declared) and not declared.startswith("utf") else "cp1252", ()


def _mixed(bad: int) -> Problem:
    return Problem(
        rule="table-encoding",
        message=f"The file is UTF-8 but for {bad:,} bytes, which were read as Windows-1252.",
        fix="Save it as 'CSV UTF-8', or name its encoding in the option 'encoding'.",
        severity="warning",
    )


def _utf_8(file: BinaryIO) -> tuple[int, int]:
    """How many letters beyond ASCII are UTF-8, and how many bytes are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    for chunk in iter(partial(file.read, 1 << 20), b""):
        if not chunk.isascii():
            words = decoder.decode(chunk)
            wrong = len(re.findall("[\udc80-\udcff]", words))
            good, bad = good + len(re.findall("[^\x00-\x7f]", words)) - wrong, bad + wrong
    return good, bad


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not what the rest is, as Windows means them: pasted in from another file."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(bytes([byte]).decode("cp1252" if byte not in UNDEFINED else "latin-1") for byte in wrong), error.end


UNDEFINED = b"\x81\x8d\x8f\x90\x9d"  # in cp1252
codecs.register_error("fedcat-windows", _as_windows)


def _csv_rows(response: Response, encoding: str, separator: str) -> Iterator[Row | Problem]:
    """Row by row. One that swallowed others, for want of a quotation mark, is left out and told of."""
    with response.open() as binary, io.TextIOWrapper(binary, encoding, "fedcat-windows", newline="") as text:
        lines = _Lines(text, response)
        held: tuple[int, tuple[str, ...]] | None = None
        for number, cells in _parsed(lines, separator):
            if held:
                yield held
                held = None
            if cells is None:
                yield unreadable(number, TOO_LONG)
            elif any(cells):
                held = (number, tuple(cells))
        if held and lines.open_quote and any("\n" in cell for cell in held[1]):
            yield unreadable(held[0], "begins a quotation that never ends, so all below it ran together")
        elif held:
            yield held


def _parsed(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str] | None]]:
    """Nothing for a row that the parser would not take; it goes on with the line after."""
    reader = csv.reader(lines, delimiter=separator)
    for number in count(1):
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None


class _Lines(Iterator[str]):
    """The lines of a file, and whether a quotation is open after the last of them."""

    def __init__(self, text: io.TextIOWrapper, response: Response) -> None:
        self._text, self._response = text, response
        self.open_quote = False

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_LINE)
        except UnicodeError:  # a few encodings have no way to go on
            fix = "Take the option 'encoding' out, or set it to the encoding of the file."
            _give_up(f"{self._response.url} is not in {self._text.encoding}.", fix, self._response, "table-option")
        if not line:
            raise StopIteration
        self.open_quote ^= line.count('"') % 2 == 1
        return line


UNREADABLE = "table-row-unreadable"


def unreadable(number: int, what: str, sheet: str = "") -> Problem:
    return Problem(
        rule=UNREADABLE,
        message=f"Row {number} {what}.",
        fix="Look for a quotation mark without its partner there, or shorten the cell.",
        where=f"sheet '{sheet}', row {number}" if sheet else f"row {number}",
    )


# -- XLSX --------------------------------------------------------------------------------------------------------------

MB = 1 << 20
MAX_PARTS = 2_000
MAX_UNPACKED = 256 * MB
MAX_STRINGS = 64 * MB  # openpyxl holds all shared strings in memory
MAX_RATIO = 200  # of size to packed size; honest sheets reach 30
MAX_CELLS = 20_000_000  # of one sheet, empty ones between included
LAST_ROW = 1_048_576

# What zipfile, expat and openpyxl raise when a file is not what it should be.
DAMAGED = (
    BadZipFile, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError, OSError, EOFError,
    SyntaxError, RuntimeError, expat.ExpatError, zlib.error, InvalidFileException,
)  # fmt: skip


class _Refused(Exception):
    """A workbook that would cost more than a list of datasets may."""


def _of_workbook(response: Response, only: str) -> list[Sheet]:
    fix = "Open the file in a spreadsheet program, save it as .xlsx or .csv, and put that one up."
    try:
        with response.open() as file, ZipFile(file) as package:
            _inspect(package)
        with warnings.catch_warnings(action="ignore"):
            workbook = openpyxl.load_workbook(response.open(), read_only=True, data_only=True, keep_links=False)
        found = [(sheet.title, sheet) for sheet in workbook.worksheets if only or sheet.sheet_state == "visible"]
    except _Refused as refused:
        _give_up(f"{response.url} {refused}.", fix, response)
    except DAMAGED as error:
        _give_up(f"{response.url} cannot be opened as an Excel workbook: {_why(error)}.", fix, response)
    if not found:
        _give_up(f"{response.url} has no visible sheet.", fix, response)
    chosen = [pair for pair in found if pair[0].casefold() == only.casefold()] if only else found
    if not chosen and only.isdecimal() and 1 <= int(only) <= len(found):
        chosen = [found[int(only) - 1]]
    if not chosen:
        names = ", ".join(f"'{title}'" for title, _ in found)
        fix = f"Set the option sheet to one of: {names}."
        _give_up(f"{response.url} has no sheet '{only}'.", fix, response, "table-option")
    return [Sheet(title, partial(_excel_rows, sheet, response)) for title, sheet in chosen]


def _inspect(package: ZipFile) -> None:
    """Before openpyxl opens it: nothing that unpacks into more than a list of datasets holds, no entities."""
    parts = package.infolist()
    names = {part.filename for part in parts}
    if "content.xml" in names:
        raise _Refused("is an OpenDocument file, which is not read")
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise _Refused("is a zip file, but no Excel workbook (.xlsx)")
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED or any(map(_is_bomb, parts)):
        raise _Refused("unpacks into more than a list of datasets can need")
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels")):
            with package.open(part) as xml:
                _refuse_doctype(xml)


def _is_bomb(part: ZipInfo) -> bool:
    if part.filename.lower().endswith("sharedstrings.xml") and part.file_size > MAX_STRINGS:
        return True
    return part.file_size > 8 * MB and part.file_size > MAX_RATIO * part.compress_size


def _refuse_doctype(xml: Any) -> None:
    """Entities are declared in a document type, which no workbook has; it stands before the first element."""
    parser = expat.ParserCreate()
    begun: list[str] = []

    def declared(*_: Any) -> None:
        raise _Refused("declares XML entities, which no honest workbook does")

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = lambda tag, _: begun.append(tag)
    for chunk in iter(partial(xml.read, 4096), b""):
        parser.Parse(chunk)
        if begun:
            return


def _excel_rows(sheet: Any, response: Response) -> Iterator[Row | Problem]:
    """Values as formulas left them. What size the sheet declares is not believed: many declare 65,536 rows."""
    sheet.reset_dimensions()
    seen = 0
    for number, row in enumerate(_quietly(sheet.iter_rows(values_only=True), sheet, response), 1):
        seen += len(row)
        if number > LAST_ROW or seen > MAX_CELLS:
            yield unreadable(number, "is further down or further right than an inventory goes", sheet.title)
            return
        if any(cell is not None for cell in row):
            cells = tuple(map(_words, row))
            long = any(len(cell) > MAX_CELL for cell in cells)
            yield unreadable(number, TOO_LONG, sheet.title) if long else (number, cells)


def _quietly(rows: Iterable[tuple[Any, ...]], sheet: Any, response: Response) -> Iterator[tuple[Any, ...]]:
    """In batches: openpyxl warns of much that has no part in a cell's value, while it reads."""
    rows = iter(rows)
    while True:
        try:
            with warnings.catch_warnings(action="ignore"):
                batch = list(islice(rows, 1000))
        except DAMAGED as error:
            fix = "Open the file in a spreadsheet program and save it again."
            _give_up(f"Sheet '{sheet.title}' of {response.url} cannot be read: {_why(error)}.", fix, response)
        if not batch:
            return
        yield from batch


def _why(error: BaseException) -> str:
    return f"{type(error).__name__} {str(error).splitlines()[0][:200] if str(error) else ''}".strip().rstrip(".")


def _words(value: Any) -> str:
    """A cell as its owner sees it, dates and times in ISO form."""
    return next((write(value) for kind, write in WRITTEN if isinstance(value, kind)), str(value))


WRITTEN: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (type(None), lambda _: ""),
    (str, lambda words: words.replace("_x000D_", "")),  # a carriage return, in the way Excel spells it
    (bool, lambda truth: "TRUE" if truth else "FALSE"),
    (float, lambda number: str(int(number)) if number.is_integer() and abs(number) < 1e15 else str(number)),
    (datetime, lambda when: when.date().isoformat() if when.time() == time() else when.isoformat(timespec="seconds")),
    (date, date.isoformat),
    (time, time.isoformat),
)
