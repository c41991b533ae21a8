"""The table harvester: real tables, and which rows of a table are one record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import Folder
from shared import shared_data, shared_files
from tables import Harvest, Reading, harvested, reading, texts, workbook

from catalogue.dcat import IRI, DataService, Slug, Statement, Text
from catalogue.errors import RecordRejected
from catalogue.http import Client
from catalogue.source import HarvestSource, Identifier, SourceRecord
from harvesters.sheets import rows
from harvesters.table import Table
from vocab.namespaces import FEDCAT

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
    counts = json.loads((folder / "EXPECTED/tabular_counts.json").read_text("utf-8")) if folder else {}
    return {name: facts["distinct_datasets"] for name, facts in counts.items() if "distinct_datasets" in facts}


Real = Callable[[str], Harvest]


@pytest.fixture
def real(shared: Path) -> Iterator[Real]:
    with Folder(shared) as server, Client(allow_private=True) as client:
        yield lambda name: harvested(client, server.address(name), {})


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reading]:
    with reading(tmp_path) as read:
        yield read


# -- Real tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), sorted(expected().items()))
def test_rows_of_one_dataset_are_one_record(real: Real, name: str, count: int) -> None:
    harvest = real(name)
    assert len({record.identifier for record in harvest.records}) == len(harvest.records) == count
    assert not [problem for problem in harvest.problems if problem.severity != "note"]


@pytest.mark.parametrize("path", [path for each in FOLDERS for path in shared_files(each)], ids=lambda path: path.name)
def test_every_table_is_read_and_read_the_same_twice(real: Real, shared: Path, path: Path) -> None:
    first, second = (real(str(path.relative_to(shared))) for _ in range(2))
    assert first.broke_off is None
    assert first.resources == second.resources
    assert [(found.identifier, found.content) for found in first.records] == [
        (found.identifier, found.content) for found in second.records
    ]
    assert (first.rules == ["table-no-inventory"]) == (path.name in NO_INVENTORIES)
    assert bool(first.records) == (path.name not in NO_INVENTORIES | {"south_ayrshire.csv"})


def test_what_is_no_inventory_says_what_was_looked_for_and_what_was_there(real: Real) -> None:
    (problem,) = real("csv_xlsx/scotland_open_data/sources.csv").problems
    assert "Title" in problem.message
    assert "mapping" in problem.fix
    assert problem.found == "Name, Source URL, Processor"
    (problem,) = real("csv_xlsx/argentina_catalogue_xlsx/prueba_sheet_to_table.xlsx").problems
    assert problem.where == "sheets 'Imperio', 'Rebeldes'"


@pytest.mark.parametrize(("name", "counts"), sorted(WORKBOOKS.items()))
def test_sheets_of_datasets_files_and_fields_are_joined(real: Real, name: str, counts: tuple[int, int]) -> None:
    harvest = real(f"csv_xlsx/argentina_catalogue_xlsx/{name}")
    files = [file for dataset in harvest.resources for file in dataset.distributions]
    fields = [said for file in files for said in file.rest if said.predicate == FEDCAT["field"]]
    assert (len(harvest.resources), len(files)) == counts
    assert harvest.problems == []
    assert len(fields) >= 39
    assert harvest.records[0].where.startswith("sheet 'Dataset', row 2; sheet 'Distribution', row")


def test_two_pages_of_one_title_and_owner_are_told_of(real: Real) -> None:
    harvest = real("csv_xlsx/scotland_open_data/argyll_and_bute.csv")
    assert harvest.rules == ["table-forms-of-one"] * 7 + ["table-no-identifier"]
    assert harvest.problems[0].where == "rows 34 and 38"


def test_the_marketplace_has_a_row_of_obligations_and_a_row_for_each_file(real: Real) -> None:
    harvest = real("csv_xlsx/uk_data_marketplace/dataset.csv")
    bathing, *courts = harvest.resources
    assert [record.where for record in harvest.records] == ["rows 3 to 5", "row 6", "row 7"]
    assert bathing.security_classification == Text("OFFICIAL")
    assert len(bathing.relations) == 6
    its_service = DataService(identifiers=texts("c86c44ac5b494907a38e1f85df4dc2f9"))
    assert [file.access_services for file in bathing.distributions] == [frozenset({its_service})] * 3
    contacts = {point.emails for dataset in courts for point in dataset.contact_points}
    assert contacts == {texts("datafirst@justice.gov.uk")}


def test_rows_with_endpoints_are_services(real: Real) -> None:
    services = real("csv_xlsx/uk_data_marketplace/dataservice.csv").resources
    served = "https://environment.data.gov.uk/dataset/fb8da72f-4938-4100-ac91-d9b8438ffd4c"
    assert [type(service) for service in services] == [DataService, DataService]
    assert all(service.endpoint_urls for service in services)
    assert services[0].serves_datasets == {IRI(served)}


def test_json_in_cells_is_read_as_columns(real: Real) -> None:
    harvest = real("csv_xlsx/us_americorps/americorps_datasets.csv")
    assert len(harvest.resources) == 48
    assert sum(len(dataset.distributions) for dataset in harvest.resources) == 142
    assert all(dataset.publisher and dataset.contact_points and dataset.iri for dataset in harvest.resources)
    assert harvest.records[0].identifier == "https://data.americorps.gov/api/views/tnxs-meph"


# -- Rows to records ---------------------------------------------------------------------------------------------------


def test_a_record_keeps_the_headings_and_its_own_rows(read: Reading) -> None:
    harvest = read("Id;Title;File URL\n7;Bus stops;https://a.example/1\n8;Trams;\n7;Bus stops;https://a.example/2\n")
    bus = harvest.records[0]
    assert bus.content == (
        b"Id,Title,File URL\r\n7,Bus stops,https://a.example/1\r\n7,Bus stops,https://a.example/2\r\n"
    )
    assert (bus.identifier, bus.media_type, bus.where) == ("7", "text/csv", "rows 2 and 4")
    assert len(harvest.resources[0].distributions) == 2


def test_the_identifier_is_a_column_else_the_page_else_title_and_owner(read: Reading) -> None:
    harvest = read(
        "Ref,Title,Page URL,Publisher\n"
        "A1,Bus stops,https://a.example/bus,TfX\n"
        ",Trams,https://a.example/tram,TfX\n"
        ",Lanes,,TfX\n"
    )
    assert [record.identifier for record in harvest.records][:2] == ["A1", "https://a.example/tram"]
    by_name = harvest.records[2].identifier
    assert by_name.startswith("lanes-")
    assert [(problem.rule, problem.severity) for problem in harvest.problems] == [("table-no-identifier", "note")]
    moved = read("Publisher,Title,Ref\nOther,Else,9\nTfX,Lanes,\n")
    assert moved.records[1].identifier == by_name, "neither the row nor the other columns have a part in it"


def test_a_page_that_two_datasets_share_names_neither(read: Reading) -> None:
    harvest = read("Title,Page URL\nBus stops,https://a.example/\nTrams,https://a.example/\n")
    assert [record.identifier.split("-")[0] for record in harvest.records] == ["bus", "trams"]


def test_equal_titles_on_shared_pages_are_kept_apart(read: Reading) -> None:
    table = "Title,Page URL\nBus stops,https://a.example/\nTrams,https://a.example/\n"
    harvest = read(table + "Bus stops,https://b.example/\nLanes,https://b.example/\n")
    assert len({record.identifier for record in harvest.records}) == len(harvest.records) == 4


def test_the_owner_of_a_source_may_say_what_identifies(read: Reading) -> None:
    harvest = read("Department,Number,Title\nRail,1,Tracks\nRoads,1,Signs\n", identifier="Department; Number")
    assert [record.identifier for record in harvest.records] == ["Rail/1", "Roads/1"]


def test_an_identifier_too_long_to_look_up_is_shortened_and_stays_unique(read: Reading) -> None:
    first, second = read(f"Id,Title\n{'x' * 3000}1,Trams\n{'x' * 3000}2,Buses\n").records
    assert first.identifier != second.identifier
    assert len(first.identifier) < 500


def test_an_identifier_of_two_datasets_is_told_of_with_both_rows(read: Reading) -> None:
    harvest = read("Identifier,Title\n5,Bus stops\n6,Trams\n5,Cycle lanes\n")
    (problem,) = harvest.problems
    assert harvest.titles == ["Bus stops", "Trams"]
    assert "in row 2 and in row 4" in problem.message
    assert (problem.rule, problem.record, problem.severity) == ("table-identifier-twice", "5", "error")
    assert problem.where == "row 4, column A ('Identifier')"


def test_identifiers_that_two_sheets_count_up_are_told_of(read: Reading) -> None:
    headings = ["Ref", "Title", "Description"]
    harvest = read(workbook(Rail=[headings, ["1", "Tracks", "All"]], Roads=[headings, ["1", "Signs", "All"]]))
    assert harvest.titles == ["Tracks"]
    assert "in sheet 'Rail', row 2 and in sheet 'Roads', row 2" in harvest.problems[0].message


def test_a_dataset_described_twice_is_read_once_and_told_of(read: Reading) -> None:
    harvest = read("Title,Owner,Keywords\nBus stops,TfX,bus\nBUS  stops,TfX,stop\n")
    assert len(harvest.records) == 1
    assert harvest.resources[0].keywords == texts("bus", "stop")
    assert (harvest.rules[0], harvest.problems[0].severity) == ("table-dataset-twice", "warning")


def test_rows_without_a_title_are_told_of_one_by_one(read: Reading) -> None:
    headings = ["Identifier", "Title", "Description"]
    book = workbook(Live=[headings, ["1", None, "Nobody named me"], [None, "NULL", "x"], ["3", "Trams", "x"]])
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
    files = [["Bus stops", "All stops", "https://a.example/1"], ["Ships", "None", "https://a.example/2"]]
    book = workbook(
        Files=[["Dataset title", "Title", "URL"], *files],
        Datasets=[["Title", "Description", "Department"], ["Bus stops", "Every stop", "TfX"]],
    )
    harvest = read(book)
    (bus,) = harvest.resources
    (file,) = bus.distributions
    assert (bus.titles, file.titles) == (texts("Bus stops"), texts("All stops"))
    assert file.access_urls == {IRI("https://a.example/1")}
    assert harvest.records[0].where == "sheet 'Datasets', row 2; sheet 'Files', row 2"
    (orphan,) = [problem for problem in harvest.problems if problem.rule == "table-file-of-no-dataset"]
    assert orphan.where == "sheet 'Files', row 3, column A ('Dataset title')"


def test_what_a_sheet_of_fields_says_of_a_file_is_said_of_the_file(read: Reading) -> None:
    book = workbook(
        Datasets=[["Title", "Owner"], ["Bus stops", "TfX"]],
        Files=[["Dataset title", "Title", "URL"], ["Bus stops", "All stops", "https://a.example/1"]],
        Fields=[
            ["Dataset title", "Distribution title", "Distribution format", "Name"],
            ["Bus stops", "All stops", "CSV", "stop_name"],
            ["Bus stops", None, None, "lat"],
        ],
    )
    (bus,) = read(book).resources
    (file,) = bus.distributions
    assert file.formats == texts("CSV")
    fields = [said.object.rest for said in (*file.rest, *bus.rest)]
    assert fields == [
        frozenset({Statement(IRI(FEDCAT["column-field-name"]), Text(name))}) for name in ("stop_name", "lat")
    ]


def test_more_cells_than_headings_are_kept_and_told_of(read: Reading) -> None:
    harvest = read("Title,Owner\nBus stops,TfX,and more\n")
    assert harvest.rules[0] == "table-row-too-wide"
    assert Statement(IRI(FEDCAT["column-3"]), Text("and more")) in harvest.resources[0].rest


def test_many_problems_of_a_kind_are_told_of_in_one(read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_TOLD", 3)
    harvest = read("Title,Owner\nBus stops,TfX\n" + ",TfX\n" * 10)
    untitled = [problem for problem in harvest.problems if problem.rule == "table-title-missing"]
    assert len(untitled) == 4
    assert "7 more" in untitled[-1].message


def test_a_record_that_cannot_be_read_or_has_no_title_is_rejected() -> None:
    source = HarvestSource(name=Slug("x"), type="table", url="https://a.example/")
    for content in (b"", b"\xff\xfe", b"Cost\n5\n"):
        with pytest.raises(RecordRejected) as rejected:
            list(Table().map(SourceRecord(Identifier("1"), content, "text/csv", "", "row 2"), source))
        assert rejected.value.problems[0].where == "row 2"
        assert rejected.value.problems[0].fix
