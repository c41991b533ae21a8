"""The table harvester through its front door: files on a server, records and problems, and what the records describe."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from servers import Folder
from shared import shared_data, shared_files

from catalogue.dcat import (
    IRI,
    Agent,
    DataService,
    Dataset,
    DatasetSeries,
    Location,
    Number,
    Slug,
    Statement,
    Text,
    When,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Response
from catalogue.source import HarvestSource, SourceRecord
from harvesters.sheets import rows
from harvesters.table import COLUMNS, PEOPLE, Table
from vocab.namespaces import FEDCAT, XSD


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


def harvested(client: Any, address: str, options: dict[str, str]) -> Harvest:
    source = HarvestSource(name=Slug("inventory"), type="table", url=address, options=options)
    harvest = Harvest()
    try:
        for found in Table().fetch(source, client):
            (harvest.records if isinstance(found, SourceRecord) else harvest.problems).append(found)  # type: ignore[arg-type]
    except SourceUnavailable as error:
        harvest.broke_off = error
    harvest.resources = [resource for record in harvest.records for resource in Table().map(record, source)]
    return harvest


Reading = Callable[..., Harvest]


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reading]:
    """Puts up a file, a workbook or the lines of a CSV file, and harvests it."""

    def reading(held: bytes | str | Workbook, name: str = "inventory.csv", **options: str) -> Harvest:
        path = tmp_path / ("inventory.xlsx" if isinstance(held, Workbook) else name)
        if isinstance(held, Workbook):
            held.save(path)
        else:
            path.write_bytes(held.encode() if isinstance(held, str) else held)
        return harvested(client, server.address(path.name), options)

    with Folder(tmp_path) as server, Client(allow_private=True) as client:
        yield reading


def workbook(**sheets: list[list[Any]]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    return book


def texts(*words: str, lang: str = "") -> frozenset[Text]:
    return frozenset(Text(word, lang) for word in words)


# -- The shared data ---------------------------------------------------------------------------------------------------

FOLDERS = ("csv_xlsx/**/*.csv", "csv_xlsx/**/*.xlsx", "ods_arcgis_socrata/uk_councils/*/expected/*.csv")
NO_INVENTORIES = {"local_authorities_list.csv", "sources.csv", "prueba_sheet_to_table.xlsx"}
WORKBOOKS = {  # datasets described, files listed: rows below the headings of their sheets
    "catalog.xlsx": (1, 3),
    "catalogo-justicia-06022017.xlsx": (16, 69),
    "catalogo-justicia.xlsx": (18, 71),
    "catalogo_justicia.xlsx": (16, 56),
    "catalogo_justicia_with_defaults.xlsx": (16, 56),
}


def expected() -> dict[str, int]:
    folder = shared_data()
    counts = json.loads((folder / "EXPECTED/tabular_counts.json").read_text()) if folder else {}
    return {name: facts["distinct_datasets"] for name, facts in counts.items() if "distinct_datasets" in facts}


@pytest.fixture
def real(shared: Path) -> Iterator[Callable[[str], Harvest]]:
    with Folder(shared) as server, Client(allow_private=True) as client:
        yield lambda name: harvested(client, server.address(name), {})


@pytest.mark.parametrize(("name", "count"), sorted(expected().items()))
def test_rows_of_one_dataset_are_one_record(real: Callable[[str], Harvest], name: str, count: int) -> None:
    harvest = real(name)
    assert len({record.identifier for record in harvest.records}) == len(harvest.records) == count
    assert not [problem for problem in harvest.problems if problem.severity != "note"]


@pytest.mark.parametrize(
    "path", [path for pattern in FOLDERS for path in shared_files(pattern)], ids=lambda path: path.name
)
def test_every_table_is_read_and_read_the_same_twice(real: Callable[[str], Harvest], shared: Path, path: Path) -> None:
    first, second = (real(str(path.relative_to(shared))) for _ in range(2))
    assert first == second
    assert first.broke_off is None
    assert (first.rules == ["table-no-inventory"]) == (path.name in NO_INVENTORIES)
    assert bool(first.records) == (path.name not in NO_INVENTORIES | {"south_ayrshire.csv"})


def test_what_is_no_inventory_says_what_was_looked_for_and_what_was_there(real: Callable[[str], Harvest]) -> None:
    (problem,) = real("csv_xlsx/scotland_open_data/sources.csv").problems
    assert "Title" in problem.message
    assert "mapping" in problem.fix
    assert problem.found == "Name, Source URL, Processor"
    (problem,) = real("csv_xlsx/argentina_catalogue_xlsx/prueba_sheet_to_table.xlsx").problems
    assert problem.where == "sheets 'Imperio', 'Rebeldes'"


@pytest.mark.parametrize(("name", "counts"), sorted(WORKBOOKS.items()))
def test_sheets_of_datasets_files_and_fields_are_joined(
    real: Callable[[str], Harvest], name: str, counts: tuple[int, int]
) -> None:
    harvest = real(f"csv_xlsx/argentina_catalogue_xlsx/{name}")
    files = [file for dataset in harvest.resources for file in dataset.distributions]
    fields = [said for file in files for said in file.rest if said.predicate == FEDCAT["field"]]
    assert (len(harvest.resources), len(files)) == counts
    assert harvest.problems == []
    assert len(fields) >= 39
    assert harvest.records[0].where.startswith("sheet 'Dataset', row 2; sheet 'Distribution', row")


def test_the_marketplace_has_a_row_of_obligations_and_a_row_for_each_file(real: Callable[[str], Harvest]) -> None:
    harvest = real("csv_xlsx/uk_data_marketplace/dataset.csv")
    bathing, *courts = harvest.resources
    assert [record.where for record in harvest.records] == ["rows 3 to 5", "row 6", "row 7"]
    assert len(bathing.distributions) == 3
    assert bathing.security_classification == Text("OFFICIAL")
    assert len(bathing.relations) == 6
    assert [file.access_services for file in bathing.distributions] == [
        frozenset({DataService(identifiers=texts("c86c44ac5b494907a38e1f85df4dc2f9"))})
    ] * 3
    assert {point.emails for dataset in courts for point in dataset.contact_points} == {
        texts("datafirst@justice.gov.uk")
    }


def test_rows_with_endpoints_are_services(real: Callable[[str], Harvest]) -> None:
    services = real("csv_xlsx/uk_data_marketplace/dataservice.csv").resources
    assert [type(service) for service in services] == [DataService, DataService]
    assert services[0].endpoint_urls
    assert services[0].serves_datasets == {
        IRI("https://environment.data.gov.uk/dataset/fb8da72f-4938-4100-ac91-d9b8438ffd4c")
    }


def test_json_in_cells_is_read_as_columns(real: Callable[[str], Harvest]) -> None:
    harvest = real("csv_xlsx/us_americorps/americorps_datasets.csv")
    assert len(harvest.resources) == 48
    assert sum(len(dataset.distributions) for dataset in harvest.resources) == 142
    assert all(dataset.publisher and dataset.contact_points and dataset.iri for dataset in harvest.resources)
    assert harvest.records[0].identifier == "https://data.americorps.gov/api/views/tnxs-meph"


# -- Finding the table -------------------------------------------------------------------------------------------------

PLAIN = "Title,Description,Owner\nBus stops,Every stop – with its name,Transport team\nCycle lanes,Where to cycle,Roads team\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_found_by_looking(read: Reading, encoding: str, mark: str) -> None:
    harvest = read(PLAIN.replace(",", mark).encode(encoding))
    assert harvest.titles == ["Bus stops", "Cycle lanes"]
    assert harvest.resources[0].descriptions == texts("Every stop – with its name")


def test_latin_1_reads_as_the_server_says_where_it_cannot_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes("Title,Description\nŻłobki,Łódź\n".encode("iso-8859-2"))
    types = {".csv": "text/csv; charset=iso-8859-2"}
    with Folder(tmp_path, types) as server, Client(allow_private=True) as client:
        assert harvested(client, server.address("list.csv"), {}).titles == ["Żłobki"]


def test_bytes_that_are_not_what_the_rest_is_are_read_and_told_of(read: Reading) -> None:
    harvest = read("Title,Description\nLlŷn,Pobl môr\n".encode() + b"Caf\xe9s \x96 Conwy,\x81\n")
    assert harvest.titles == ["Llŷn", "Cafés – Conwy"]
    assert harvest.rules[0] == "table-encoding"


def test_line_ends_may_be_mixed_and_cells_hold_lines(read: Reading) -> None:
    harvest = read(
        'Title,Description\r\nBus stops,"One\nTwo\r\nThree"\rCycle lanes,Lanes\nFootpaths,"A ""right"" of way"'
    )
    assert harvest.titles == ["Bus stops", "Cycle lanes", "Footpaths"]
    assert harvest.resources[0].descriptions == texts("One\nTwo\r\nThree")
    assert [record.where for record in harvest.records] == ["row 2", "row 3", "row 4"]


def test_headings_are_found_below_a_preamble_and_with_merged_headings_above(read: Reading) -> None:
    book = workbook(
        Datasets=[
            ["Information asset register of the Office for Bridges"],
            [],
            ["Dataset", None, "Contact", None, "Time period", None],
            ["Name", "Description", "Name", "Email", "From", "To"],
            ["Mandatory", "Optional", "Mandatory", None, "Optional", None],
            [
                "Bridge heights",
                "Every bridge",
                "Ann Lee",
                "ann@example.gov.uk",
                date(2019, 4, 1),
                datetime(2020, 3, 31, tzinfo=UTC).replace(tzinfo=None),
            ],
            [],
            ["Dataset", None, "Contact", None, "Time period", None],
            ["Name", "Description", "Name", "Email", "From", "To"],
            ["Tunnels", "Every tunnel", "Bo Lee", "bo@example.gov.uk", "Autumn 2019", None],
        ]
    )
    book.worksheets[0].merge_cells("C3:D3")
    harvest = read(book)
    bridges = harvest.resources[0]
    (contact,), (period,) = bridges.contact_points, bridges.temporal
    assert bridges.titles == texts("Bridge heights")
    assert (contact.names, contact.emails) == (texts("Ann Lee"), texts("ann@example.gov.uk"))
    assert (period.start, period.end) == (When("2019-04-01", IRI(XSD.date)), When("2020-03-31", IRI(XSD.date)))
    assert harvest.records[0].where == "sheet 'Datasets', row 6"
    assert "Tunnels" in harvest.titles


def test_a_mapping_explains_headings_that_nobody_could_know(read: Reading) -> None:
    table = "Product;Data holder;Where\nBus stops;Transport Office;https://example.gov.uk/bus\n"
    assert read(table).rules == ["table-no-inventory"]
    (bus,) = read(table, mapping="Product=title; Where=page url").resources
    assert bus.titles == texts("Bus stops")
    assert bus.landing_pages == {IRI("https://example.gov.uk/bus")}
    assert bus.publisher == Agent(names=texts("Transport Office"))


def test_a_mapping_may_take_a_meaning_away(read: Reading) -> None:
    (bus,) = read("Title,Description,Status\nBus stops,All,Checked by Jo\n", mapping="Status=").resources
    assert bus.status is None
    assert bus.rest == {Statement(IRI(FEDCAT["column-status"]), Text("Checked by Jo"))}


def test_a_mapping_that_cannot_be_so_is_told_of(read: Reading) -> None:
    harvest = read(PLAIN, mapping="Owner=ownre; Tile=title")
    assert [problem.rule for problem in harvest.problems if problem.severity == "warning"] == ["table-mapping"] * 2
    assert harvest.titles == ["Bus stops", "Cycle lanes"]


def test_the_row_of_headings_may_be_named(read: Reading) -> None:
    table = "Title,Description\nan example,of a row\nTitle,Notes\nBus stops,All of them\n"
    assert read(table, header_row="3").titles == ["Bus stops"]
    error = read(table, header_row="third").broke_off
    assert error is not None
    assert "header_row" in str(error)


def test_the_sheet_may_be_named_and_hidden_ones_are_left_alone(read: Reading) -> None:
    heads = ["Title", "Description"]
    book = workbook(Live=[heads, ["Bus stops", "x"]], Old=[heads, ["Trams", "x"]], Notes=[["Do not print"]])
    book["Old"].sheet_state = "hidden"
    assert read(book).titles == ["Bus stops"]
    assert read(book, sheet="old").titles == ["Trams"]
    assert read(book, sheet="2").titles == ["Trams"]
    error = read(book, sheet="Newest").broke_off
    assert error is not None
    assert "'Live', 'Old', 'Notes'" in error.fix


@pytest.mark.parametrize(
    ("options", "fix"),
    [({"encoding": "klingon"}, "utf-8"), ({"encoding": "base64"}, "utf-8"), ({"separator": "dash"}, "semicolon")],
)
def test_an_option_that_cannot_be_says_what_would_be_right(read: Reading, options: dict[str, str], fix: str) -> None:
    error = read(PLAIN, **options).broke_off
    assert error is not None
    assert (error.rule, fix in error.fix) == ("table-option", True)


def test_options_say_what_would_otherwise_be_guessed(read: Reading) -> None:
    harvest = read("Title~Description\nŵyn~x\n".encode("cp850", "replace"), separator="~", encoding="cp850")
    assert len(harvest.records) == 1
    assert read("Title^Description\nBus stops^x\n", separator="^").titles == ["Bus stops"]
    assert read(PLAIN.replace(",", "\t"), separator="tab").titles == ["Bus stops", "Cycle lanes"]


@pytest.mark.parametrize("column", [column for column in (*COLUMNS, *PEOPLE)], ids=lambda column: column.words[0])
def test_no_heading_stands_for_two_things(column: Any) -> None:
    """A word that another line took before says something else than this line wants."""
    from harvesters.table import HEADINGS

    for word in column.words:
        assert HEADINGS.meaning(word).part == column.part, word
        if hasattr(column, "term"):
            assert HEADINGS.meaning(word).term == column.term, word


# -- What is no table --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"<!doctype html><title>Please log in</title>", "web page"),
        (b'{"dataset": []}', "is JSON"),
        (b'[{"title": "Bus stops"}]', "is JSON"),
        (b"<?xml version='1.0'?><rdf:RDF/>", "is XML"),
        (b"@prefix dcat: <http://www.w3.org/ns/dcat#> .", "Turtle"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "old Excel"),
        (b"PK\x03\x04 but nothing of a zip file", "cannot be opened"),
    ],
)
def test_what_is_no_table_is_refused_in_words(read: Reading, body: bytes, what: str) -> None:
    harvest = read(body)
    assert harvest.broke_off is not None
    assert what in str(harvest.broke_off)
    assert harvest.broke_off.fix
    assert (harvest.records, harvest.problems) == ([], [])


def packed(*parts: tuple[str, bytes], of: Workbook | None = None) -> bytes:
    """A zip file of these parts, in place of those of a workbook."""
    held = dict(parts)
    if of is not None:
        saved = io.BytesIO()
        of.save(saved)
        with zipfile.ZipFile(saved) as package:
            held = {**{name: package.read(name) for name in package.namelist()}, **held}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in held.items():
            package.writestr(name, content)
    return archive.getvalue()


BOOK = [["Title", "Description"], ["Bus stops", "All"], ["Cycle lanes", "All"]]
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({SHEET: b"<worksheet>" + bytes(20 << 20)}, "unpacks into more"),
        ({f"xl/{number}.bin": b"" for number in range(2100)}, "unpacks into more"),
        ({SHEET: b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet/>'}, "XML entities"),
        ({"xl/sharedStrings.xml": b"\xff\xfe" + "<!DOCTYPE x []><sst/>".encode("utf-16-le")}, "XML entities"),
        ({SHEET: b"<worksheet"}, "cannot be opened"),
        ({"xl/workbook.xml": b"<workbook/>"}, "cannot be opened"),
        ({"[Content_Types].xml": b"<Types/>"}, "cannot be opened"),
        ({"content.xml": b"<office:document/>"}, "OpenDocument"),
    ],
)
def test_a_workbook_is_looked_at_before_it_is_opened(read: Reading, parts: dict[str, bytes], what: str) -> None:
    harvest = read(packed(*parts.items(), of=workbook(Datasets=BOOK)))
    assert harvest.broke_off is not None
    assert what in str(harvest.broke_off)


def test_a_zip_file_that_is_no_workbook_is_refused(read: Reading) -> None:
    error = read(packed(("list.csv", PLAIN.encode()))).broke_off
    assert error is not None
    assert "no Excel workbook" in str(error)


@pytest.mark.parametrize("row", [1_048_576, 2_000_000_000])
def test_a_sheet_is_as_large_as_its_cells_not_as_it_says(read: Reading, row: int) -> None:
    def cells(number: int, *words: str) -> str:
        held = "".join(f'<c t="inlineStr"><is><t>{word}</t></is></c>' for word in words)
        return f'<row r="{number}">{held}</row>'

    data = cells(1, "Title", "Description") + cells(2, "Bus stops", "All") + cells(row, "Far", "Away")
    sheet = f'<worksheet xmlns="{MAIN}"><dimension ref="A1:XFD1048576"/><sheetData>{data}</sheetData></worksheet>'
    harvest = read(packed((SHEET, sheet.encode()), of=workbook(Datasets=BOOK)))
    assert harvest.titles[0] == "Bus stops"
    assert (harvest.broke_off is None) == (row == 1_048_576)


# -- Rows to records ---------------------------------------------------------------------------------------------------


def test_a_record_keeps_the_headings_and_its_own_rows(read: Reading) -> None:
    harvest = read("Id;Title;File URL\n7;Bus stops;https://a.example/1\n8;Trams;\n7;Bus stops;https://a.example/2\n")
    bus = harvest.records[0]
    assert bus.content.decode().splitlines() == [
        "Id,Title,File URL",
        "7,Bus stops,https://a.example/1",
        "7,Bus stops,https://a.example/2",
    ]
    assert (bus.identifier, bus.media_type, bus.where) == ("7", "text/csv", "rows 2 and 4")
    assert len(harvest.resources[0].distributions) == 2


def test_the_identifier_is_a_column_else_the_page_else_title_and_owner(read: Reading) -> None:
    table = "Ref,Title,Page URL,Publisher\nA1,Bus stops,https://a.example/bus,TfX\n,Trams,https://a.example/tram,TfX\n,Lanes,,TfX\n"
    harvest = read(table)
    assert [record.identifier for record in harvest.records][:2] == ["A1", "https://a.example/tram"]
    by_name = harvest.records[2].identifier
    assert by_name.startswith("lanes-")
    assert harvest.rules == ["table-no-identifier"]
    assert harvest.problems[0].severity == "note"
    moved = read("Publisher,Title,Ref\nOther,Else,9\nTfX,Lanes,\n")
    assert moved.records[1].identifier == by_name, "neither the row nor the other columns have a part in it"


def test_a_page_that_two_datasets_share_names_neither(read: Reading) -> None:
    harvest = read("Title,Page URL\nBus stops,https://a.example/\nTrams,https://a.example/\n")
    assert [record.identifier.split("-")[0] for record in harvest.records] == ["bus", "trams"]


def test_the_owner_of_a_source_may_say_what_identifies(read: Reading) -> None:
    table = "Department,Number,Title\nRail,1,Tracks\nRoads,1,Signs\n"
    harvest = read(table, identifier="Department; Number")
    assert [record.identifier for record in harvest.records] == ["Rail/1", "Roads/1"]


def test_an_identifier_of_two_datasets_is_told_of_with_both_rows(read: Reading) -> None:
    harvest = read("Identifier,Title\n5,Bus stops\n6,Trams\n5,Cycle lanes\n")
    (problem,) = harvest.problems
    assert harvest.titles == ["Bus stops", "Trams"]
    assert "Rows 2 and 4" in problem.message
    assert (problem.rule, problem.record, problem.severity) == ("table-identifier-twice", "5", "error")
    assert problem.where == "row 4, column A ('Identifier')"


def test_a_dataset_described_twice_is_read_once_and_told_of(read: Reading) -> None:
    harvest = read("Title,Owner,Keywords\nBus stops,TfX,bus\nBUS  stops,TfX,stop\n")
    assert len(harvest.records) == 1
    assert harvest.resources[0].keywords == texts("bus", "stop")
    assert [(problem.rule, problem.severity) for problem in harvest.problems][0] == ("table-dataset-twice", "warning")


def test_rows_without_a_title_are_told_of_one_by_one(read: Reading) -> None:
    book = workbook(
        Live=[
            ["Identifier", "Title", "Description"],
            ["1", None, "Nobody named me"],
            [None, "NULL", "x"],
            ["3", "Trams", "x"],
        ]
    )
    harvest = read(book)
    assert harvest.titles == ["Trams"]
    assert {(problem.where, problem.record) for problem in harvest.problems} == {
        ("sheet 'Live', row 2, column B ('Title')", "1"),
        ("sheet 'Live', row 3, column B ('Title')", ""),
    }
    assert all("B ('Title')" in problem.fix for problem in harvest.problems)


def test_a_row_that_only_speaks_of_a_file_belongs_to_the_dataset_above(read: Reading) -> None:
    book = workbook(
        Live=[
            ["Title", "Owner", "Format", "Download URL"],
            ["Bus stops", "TfX", "CSV", "https://a.example/b.csv"],
            [None, None, "JSON", "https://a.example/b.json"],
        ]
    )
    book.worksheets[0].merge_cells("A2:A3")
    (bus,) = read(book).resources
    assert {file.formats for file in bus.distributions} == {texts("CSV"), texts("JSON")}


def test_sheets_of_datasets_and_of_their_files_are_one_description(read: Reading) -> None:
    book = workbook(
        Files=[
            ["Dataset title", "Title", "URL", "Format"],
            ["Bus stops", "All stops", "https://a.example/1", "CSV"],
            ["Ships", "x", "https://a.example/2", "CSV"],
        ],
        Datasets=[["Title", "Description", "Department"], ["Bus stops", "Every stop", "TfX"]],
    )
    harvest = read(book)
    (bus,) = harvest.resources
    (file,) = bus.distributions
    assert (bus.titles, file.titles) == (texts("Bus stops"), texts("All stops"))
    assert file.access_urls == {IRI("https://a.example/1")}
    assert harvest.records[0].where == "sheet 'Datasets', row 2; sheet 'Files', row 2"
    assert [problem.where for problem in harvest.problems if problem.rule == "table-file-of-no-dataset"] == [
        "sheet 'Files', row 3, column A ('Dataset title')"
    ]


def test_a_quotation_that_never_ends_costs_its_row_and_withdraws_nothing(read: Reading) -> None:
    harvest = read('Title,Description\nBus stops,All\nTrams,"All of them\nCycle lanes,All\n')
    assert harvest.titles == ["Bus stops"]
    assert harvest.rules[0] == "table-row-unreadable"
    assert harvest.problems[0].where == "row 3"
    assert harvest.broke_off is not None
    assert harvest.broke_off.rule == "table-cut-short"


def test_a_description_of_five_megabytes_costs_its_row(read: Reading) -> None:
    harvest = read(f"Title,Description\nBus stops,All\nTrams,{'x' * 5_000_000}\nCycle lanes,All\n")
    assert "Bus stops" in harvest.titles
    assert "Cycle lanes" in harvest.titles
    assert "table-row-unreadable" in harvest.rules


def test_a_table_that_is_too_large_is_read_up_to_there(read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    harvest = read("Title,Owner\n" + "".join(f"Route {number},TfX\n" for number in range(10)))
    assert len(harvest.records) == 3
    assert harvest.rules.count("table-too-large") == 1
    assert harvest.broke_off is not None


def test_columns_beyond_the_limit_are_one_problem(read: Reading) -> None:
    wide = ",".join(f"c{number}" for number in range(600))
    harvest = read(f"Title,Owner,{wide}\nBus stops,TfX,{wide}\nTrams,TfX,{wide}\n")
    assert harvest.rules.count("table-too-wide") == 1
    assert harvest.titles == ["Bus stops", "Trams"]


def test_many_problems_of_a_kind_are_told_of_in_one(read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_TOLD", 3)
    harvest = read("Title,Owner\nBus stops,TfX\n" + ",TfX\n" * 10)
    assert harvest.rules.count("table-title-missing") == 4
    assert "7 more" in [problem for problem in harvest.problems if problem.rule == "table-title-missing"][-1].message


def test_more_cells_than_headings_are_kept_and_told_of(read: Reading) -> None:
    harvest = read("Title,Owner\nBus stops,TfX,and more\n")
    assert harvest.rules[0] == "table-row-too-wide"
    assert Statement(IRI(FEDCAT["column-3"]), Text("and more")) in harvest.resources[0].rest


# -- Cells to nouns ----------------------------------------------------------------------------------------------------


def one(read: Reading, options: dict[str, str] | None = None, **cells: str) -> Any:
    """What a row says, next to its title."""
    headings = {name.replace("_", " "): cell for name, cell in {"Title": "Bus stops", **cells}.items()}
    table = io.StringIO(newline="")
    import csv

    csv.writer(table).writerows([headings.keys(), headings.values()])
    (resource,) = read(table.getvalue(), **(options or {})).resources
    return resource


def test_only_what_was_said_is_said(read: Reading) -> None:
    nothing = one(read, Description="NULL", Licence="#N/A", Publisher="-", Keywords="[]", Format="n/a", Owner=" ")
    assert nothing == Dataset(titles=texts("Bus stops"))


def test_owner_steward_custodian_approver_and_contact_are_kept_apart(read: Reading) -> None:
    said = one(
        read,
        Data_owner="Director of Roads",
        Data_owner_email="roads@example.gov.uk",
        Data_steward="Jo Bloggs <jo@example.gov.uk>",
        Custodian="Archive",
        Approver="Data board",
        Contact="bus@example.gov.uk",
        Contact_telephone="020 7946 0000",
    )
    roles = {next(iter(part.roles)): next(iter(part.agents)) for part in said.qualified_attributions}
    iso = "http://standards.iso.org/iso/19115/resources/Codelists/gml/CI_RoleCode.xml#"
    assert roles == {
        iso + "owner": Agent(names=texts("Director of Roads"), mailboxes=texts("roads@example.gov.uk")),
        FEDCAT["role-steward"]: Agent(names=texts("Jo Bloggs"), mailboxes=texts("jo@example.gov.uk")),
        iso + "custodian": Agent(names=texts("Archive")),
        FEDCAT["role-approver"]: Agent(names=texts("Data board")),
    }
    (contact,) = said.contact_points
    assert (contact.emails, contact.telephones) == (texts("bus@example.gov.uk"), texts("020 7946 0000"))


def test_how_to_get_the_data_is_read(read: Reading) -> None:
    said = one(
        read,
        Access_level="Restricted",
        Security_classification="OFFICIAL",
        Legal_basis="Digital Economy Act 2017 s.35; UK GDPR Art 6(1)(e)",
        What_you_need_to_ask="A project plan, and your director's agreement",
        Update_frequency="Every quarter",
        Licence="OGL v3.0",
        Purpose="Planning; and monitoring",
        Contains_personal_data="Yes",
    )
    assert said.access_rights == Text("Restricted")
    assert said.security_classification == Text("OFFICIAL")
    assert said.legal_bases == texts("Digital Economy Act 2017 s.35", "UK GDPR Art 6(1)(e)")
    assert said.rights == texts("A project plan, and your director's agreement")
    assert said.frequency == Text("Every quarter")
    assert said.licences == texts("OGL v3.0")
    assert said.purposes == texts("Planning; and monitoring")
    assert said.personal_data == texts("Yes")


@pytest.mark.parametrize(
    ("cells", "count"),
    [
        ({"File_size": "12 MB"}, "12000000"),
        ({"File_size": "1,234 KB"}, "1234000"),
        ({"File_size": "23.5", "File_size_unit": "GB"}, "23500000000"),
        ({"File_size": "2", "File_size_unit": "MiB"}, "2097152"),
        ({"File_size": "77", "File_size_unit": "bytes"}, "77"),
        ({"Byte_size": "77"}, "77"),
    ],
)
def test_a_plain_size_is_a_number_of_bytes(read: Reading, cells: dict[str, str], count: str) -> None:
    (file,) = one(read, Format="CSV", **cells).distributions
    assert file.byte_size == Number(count, IRI(XSD.nonNegativeInteger))
    assert file.rest == frozenset()


@pytest.mark.parametrize("size", ["large", "77", "12 sheets", "1 of 3 MB"])
def test_a_size_that_is_not_plain_is_kept_as_words(read: Reading, size: str) -> None:
    (file,) = one(read, Format="CSV", File_size=size).distributions
    assert file.byte_size is None
    assert file.rest == {Statement(IRI(FEDCAT["column-file-size"]), Text(size))}


def test_dates_stay_as_written_but_for_those_of_spreadsheets(read: Reading) -> None:
    said = one(
        read,
        Created="03/04/2019",
        Issued="TBC",
        Last_updated="2024-02-31",
        Period_from="2019-20",
        Period_to="2020-03-31",
    )
    assert (said.created, said.issued, said.modified) == (Text("03/04/2019"), Text("TBC"), Text("2024-02-31"))
    (period,) = said.temporal
    assert (period.start, period.end) == (Text("2019-20"), When("2020-03-31", IRI(XSD.date)))
    book = workbook(Live=[["Title", "Last updated", "Version"], ["Bus stops", datetime(2024, 5, 6, 7, 8, 9), 2.0]])  # noqa: DTZ001
    (bus,) = read(book).resources
    assert bus.modified == When("2024-05-06T07:08:09", IRI(XSD.dateTime))
    assert bus.version == Text("2")


def test_formulas_are_read_as_their_values(read: Reading, tmp_path: Path) -> None:
    formula = '<c r="B2"><f>1+1</f><v>2</v></c>'
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c t="inlineStr"><is><t>Title</t></is></c><c t="inlineStr"><is><t>Version'
        f'</t></is></c></row><row r="2"><c t="inlineStr"><is><t>Bus stops</t></is></c>{formula}</row></sheetData></worksheet>'
    )
    (bus,) = read(packed((SHEET, sheet.encode()), of=workbook(Datasets=BOOK))).resources
    assert bus.version == Text("2")


def test_words_know_their_language(read: Reading) -> None:
    said = one(
        read,
        {"language": "en"},
        **{"Title_(Welsh)": "Safleoedd bws", "Description": "All of them", "Disgrifiad": "x", "Identifier": "b-1"},
    )
    assert said.titles == {Text("Bus stops", "en"), Text("Safleoedd bws", "cy")}
    assert said.descriptions == texts("All of them", lang="en")
    assert said.identifiers == texts("b-1")


def test_lists_in_cells_are_taken_apart_and_addresses_are_not(read: Reading) -> None:
    said = one(
        read,
        Keywords="bus; stop, shelter",
        Tags="route, timetable",
        Theme="Energy, skills and trade|Transport",
        Format="CSV, XLSX",
        Related_datasets="https://a.example/?x=1,2;3, https://a.example/b",
        Page_URL="https://a.example/bus stops",
        Geographic_coverage="http://statistics.data.gov.uk/id/geography/E92000001",
    )
    assert said.keywords == texts("bus", "stop, shelter", "route", "timetable")
    assert said.themes == texts("Energy, skills and trade", "Transport")
    (file,) = said.distributions
    assert file.formats == texts("CSV", "XLSX")
    assert said.relations == {IRI("https://a.example/?x=1,2;3"), IRI("https://a.example/b")}
    assert said.landing_pages == texts("https://a.example/bus stops")
    assert said.spatial == {Location(iri=IRI("http://statistics.data.gov.uk/id/geography/E92000001"))}


def test_what_rows_say_differently_is_said_of_their_files(read: Reading) -> None:
    table = "Title,Description,Last updated,Rows,File URL\nStops,First half,2020,10,https://a.example/1\nStops,Second half,2021,20,https://a.example/2\n"
    (stops,) = read(table).resources
    assert stops.descriptions == texts("First half")
    assert stops.modified == When("2020", IRI(XSD.gYear))
    assert stops.rest == frozenset()
    by_url = {next(iter(file.access_urls)): file for file in stops.distributions}
    second = by_url[IRI("https://a.example/2")]
    assert (second.descriptions, second.modified) == (texts("Second half"), When("2021", IRI(XSD.gYear)))
    assert second.rest == {Statement(IRI(FEDCAT["column-rows"]), Text("20"))}


def test_nothing_in_a_row_is_lost(read: Reading) -> None:
    said = one(
        read, Cost_code="R-77", Series="Buses of Britain", Notes="Mind the gap", Description="All", **{"": "no heading"}
    )
    assert {(statement.predicate.rpartition("/")[2], statement.object) for statement in said.rest} == {
        ("ns#column-cost-code", Text("R-77")),
        ("ns#column-notes", Text("Mind the gap")),
        ("ns#column-6", Text("no heading")),
        ("dcat#inSeries", Text("Buses of Britain")),
    }


def test_a_type_says_what_a_row_describes(read: Reading) -> None:
    assert isinstance(one(read, Type="Data service"), DataService)
    assert isinstance(one(read, Type="dcat:DatasetSeries"), DatasetSeries)
    assert one(read, Type="Survey").kinds == texts("Survey")


def test_an_identifier_that_is_an_address_names_the_dataset(read: Reading) -> None:
    said = one(read, Identifier="https://data.example.gov.uk/id/bus")
    assert said.iri == "https://data.example.gov.uk/id/bus"
    assert one(read, Page_URL="https://data.example.gov.uk/bus").iri is None


def test_control_characters_do_not_come_through(read: Reading) -> None:
    assert one(read, Description="Bus\x00 stops\x0b\x1b").descriptions == texts("Bus stops")
    assert one(read, data='{"description": "\\ud800 stops"}').descriptions == texts("stops")


def test_json_that_is_nested_too_deep_is_words(read: Reading) -> None:
    deep = '{"a":' * 10_000 + "1" + "}" * 10_000
    assert len(one(read, Data=deep).rest) == 1
    assert len(one(read, Data='{"a":' * 50 + "1" + "}" * 50).rest) == 1


def test_a_record_that_cannot_be_read_or_has_no_title_is_rejected() -> None:
    source = HarvestSource(name=Slug("x"), type="table", url="https://a.example/")
    for content in (b"", b"\xff\xfe", b"Cost\n5\n"):
        with pytest.raises(RecordRejected) as rejected:
            list(Table().map(SourceRecord("1", content, "text/csv", "", "row 2"), source))  # type: ignore[arg-type]
        assert rejected.value.problems[0].where == "row 2"
        assert rejected.value.problems[0].fix


# -- Anything at all ---------------------------------------------------------------------------------------------------


@dataclass
class Recorded:
    """A client that has one answer."""

    content: bytes

    def get(self, url: str) -> Response:
        return Response.of(self.content, "text/csv", url=url)


WORDS = st.sampled_from(
    ["Title", "Owner", "Page URL", "Format", "Identifier", "https://a.example/", '{"title": "x"}', "[1]", "NULL", ""]
)
CELLS = st.one_of(WORDS, st.text(max_size=20))
MARKS = st.sampled_from([",", ";", "\t", "|", "\n", "\r\n", "\r", '"', "\x00", " "])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELLS, MARKS), max_size=60), st.sampled_from(["utf-8", "utf-16", "cp1252"]))
def test_whatever_is_in_a_file_it_is_read_or_refused(pieces: list[tuple[str, str]], encoding: str) -> None:
    content = "".join(cell + mark for cell, mark in pieces).encode(encoding, "replace")
    first, second = (harvested(Recorded(content), "https://a.example/", {}) for _ in range(2))
    assert first.records == second.records
    assert len({record.identifier for record in first.records}) == len(first.records)
    assert all(problem.fix and problem.rule for problem in first.problems)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused(content: bytes) -> None:
    harvested(Recorded(content), "https://a.example/", {})
    harvested(Recorded(b"Title,Owner\nBus stops," + content), "https://a.example/", {})


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_headings_are_found_wherever_they_stand(data: st.DataObject) -> None:
    above = data.draw(
        st.lists(st.lists(st.text("abc xyz", min_size=1, max_size=9), min_size=1, max_size=4), max_size=20)
    )
    headings = data.draw(st.permutations(["Title", "Publisher", "Licence", "Last updated"]))
    cells = {"Title": "Bus stops", "Publisher": "TfX", "Licence": "OGL", "Last updated": "May"}
    lines = [*above, headings, [cells[heading] for heading in headings]]
    harvest = harvested(Recorded("\n".join(";".join(line) for line in lines).encode()), "https://a.example/", {})
    assert harvest.titles == ["Bus stops"]
    assert harvest.resources[0].publisher == Agent(names=texts("TfX"))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.binary(max_size=8),
    st.sampled_from([SHEET, "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"]),
)
def test_a_damaged_workbook_is_read_or_refused(place: int, instead: bytes, part: str) -> None:
    whole = packed(of=workbook(Datasets=BOOK))
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        content = package.read(part)
    at = place % len(content)
    harvested(
        Recorded(packed((part, content[:at] + instead + content[at + len(instead) + 1 :]), of=workbook(Datasets=BOOK))),
        "https://a.example/",
        {},
    )
