"""Tables put up on a server and harvested; the workbooks and zip files they are made of."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from servers import Folder
from world import records_of

from catalogue.dcat import Slug, Text
from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Client, Response
from catalogue.source import HarvestSource, SourceRecord
from harvesters.table import Table


@dataclass
class Harvest:
    """What came of one fetch, and of mapping its records."""

    records: list[SourceRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    resources: list[Any] = field(default_factory=list)
    broke_off: SourceUnavailable | None = None

    @property
    def rules(self) -> list[str]:
        return [problem.rule for problem in self.problems]

    @property
    def titles(self) -> list[str]:
        return [title.value for resource in self.resources for title in resource.titles]

    @property
    def refusal(self) -> str:
        assert self.broke_off is not None
        return f"{self.broke_off} {self.broke_off.fix}"


def harvested(client: Any, address: str, options: dict[str, str]) -> Harvest:
    source = HarvestSource(name=Slug("inventory"), type="table", url=address, options=options)
    harvest = Harvest()
    try:
        for found in records_of(Table().fetch(source, client)):
            if isinstance(found, SourceRecord):
                harvest.records.append(found)
            else:
                harvest.problems.append(found)
    except SourceUnavailable as error:
        harvest.broke_off = error
    harvest.resources = [resource for record in harvest.records for resource in Table().map(record, source)]
    return harvest


Reading = Callable[..., Harvest]


@contextmanager
def reading(folder: Path) -> Iterator[Reading]:
    """`read("Title,Owner\\n…", separator=",")` puts up a text, bytes or a workbook, and harvests it with these options."""

    def read(held: bytes | str | Workbook, **options: str) -> Harvest:
        path = folder / ("inventory.xlsx" if isinstance(held, Workbook) else "inventory.csv")
        if isinstance(held, Workbook):
            held.save(path)
        else:
            path.write_bytes(held.encode() if isinstance(held, str) else held)
        return harvested(client, server.address(path.name), options)

    with Folder(folder) as server, Client(allow_private=True) as client:
        yield read


@dataclass
class Recorded:
    """A client that has one answer, for tests that ask thousands of times."""

    content: bytes

    def get(self, url: str) -> Response:
        return Response.of(self.content, "text/csv", url=url)


def texts(*words: str, lang: str = "") -> frozenset[Text]:
    return frozenset(Text(word, lang) for word in words)


def workbook(**sheets: list[list[Any]]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    return book


SHEET = "xl/worksheets/sheet1.xml"


def packed(parts: dict[str, bytes], *, of: Workbook | None = None) -> bytes:
    """A zip file of these parts; or of a workbook's, with these in their place."""
    held = {**unpacked(of), **parts} if of else parts
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in held.items():
            package.writestr(name, content)
    return archive.getvalue()


def unpacked(book: Workbook) -> dict[str, bytes]:
    saved = io.BytesIO()
    book.save(saved)
    with zipfile.ZipFile(saved) as package:
        return {name: package.read(name) for name in package.namelist()}


def sheet(*rows: str) -> bytes:
    """A worksheet, as XML, that declares more than it holds."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    data = f'<dimension ref="A1:XFD1048576"/><sheetData>{"".join(rows)}</sheetData>'
    return f'<worksheet xmlns="{main}">{data}</worksheet>'.encode()


def row(number: int, *words: str, more: str = "") -> str:
    cells = "".join(f'<c t="inlineStr"><is><t>{word}</t></is></c>' for word in words)
    return f'<row r="{number}">{cells}{more}</row>'
