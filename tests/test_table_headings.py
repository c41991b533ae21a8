"""Where a table's headings are, and what they mean: encodings, separators, preambles, merged cells, the owner's mapping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Folder
from tables import Reading, Recorded, harvested, reading, texts, workbook

from catalogue.dcat import IRI, Agent, Statement, Text, When
from catalogue.http import Client
from harvesters.table import COLUMNS, HEADINGS, PEOPLE
from vocab.namespaces import FEDCAT, XSD

PLAIN = """Title,Description,Owner
Bus stops,Every stop – with its name,Transport team
Cycle lanes,Where to cycle,Roads team
"""


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reading]:
    with reading(tmp_path) as read:
        yield read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_found_by_looking(read: Reading, encoding: str, mark: str) -> None:
    harvest = read(PLAIN.replace(",", mark).encode(encoding))
    assert harvest.titles == ["Bus stops", "Cycle lanes"]
    assert harvest.resources[0].descriptions == texts("Every stop – with its name")


@pytest.mark.parametrize(("charset", "title"), [("iso-8859-2", "Żłobki"), ("made-up", "¯³obki")])
def test_what_cannot_be_utf_8_is_read_as_the_server_says(tmp_path: Path, charset: str, title: str) -> None:
    (tmp_path / "list.csv").write_bytes("Title,Description\nŻłobki,Łódź\n".encode("iso-8859-2"))
    types = {".csv": f"text/csv; charset={charset}"}
    with Folder(tmp_path, types) as server, Client(allow_private=True) as client:
        assert harvested(client, server.address("list.csv"), {}).titles == [title]


def test_bytes_that_are_not_what_the_rest_is_are_read_and_told_of(read: Reading) -> None:
    harvest = read("Title,Description\nLlŷn,Pobl môr\n".encode() + b"Caf\xe9s \x96 Conwy,\x81\n")
    assert harvest.titles == ["Llŷn", "Cafés – Conwy"]
    assert (harvest.rules[0], harvest.problems[0].severity) == ("table-encoding", "warning")


def test_line_ends_may_be_mixed_and_cells_hold_lines(read: Reading) -> None:
    harvest = read(
        'Title,Description\r\nBus stops,"One\nTwo\r\nThree"\rCycle lanes,Lanes\nFootpaths,"A ""right"" of way"'
    )
    assert harvest.titles == ["Bus stops", "Cycle lanes", "Footpaths"]
    assert harvest.resources[0].descriptions == texts("One\nTwo\r\nThree")
    assert [record.where for record in harvest.records] == ["row 2", "row 3", "row 4"]


def test_headings_are_found_below_a_preamble_and_with_merged_headings_above(read: Reading) -> None:
    over = ["Dataset", None, "Contact", None, "Time period", None]
    headings = ["Name", "Description", "Name", "Email", "From", "To"]
    period = [date(2019, 4, 1), datetime(2020, 3, 31)]  # noqa: DTZ001  spreadsheets know no zone
    book = workbook(
        Datasets=[
            ["Information asset register of the Office for Bridges"],
            [],
            over,
            headings,
            ["Mandatory", "Optional", "Mandatory", None, "Optional", None],
            ["Bridge heights", "Every bridge", "Ann Lee", "ann@example.gov.uk", *period],
            [],
            over,
            headings,
            ["Tunnels", "Every tunnel", "Bo Lee", "bo@example.gov.uk", "Autumn 2019", None],
        ]
    )
    book.worksheets[0].merge_cells("C3:D3")
    harvest = read(book)
    assert harvest.titles == ["Bridge heights", "Tunnels"]
    assert [record.where for record in harvest.records] == ["sheet 'Datasets', row 6", "sheet 'Datasets', row 10"]
    (contact,), (covered,) = harvest.resources[0].contact_points, harvest.resources[0].temporal
    assert (contact.names, contact.emails) == (texts("Ann Lee"), texts("ann@example.gov.uk"))
    assert (covered.start, covered.end) == (When("2019-04-01", IRI(XSD.date)), When("2020-03-31", IRI(XSD.date)))


def test_a_caption_is_no_heading_over_others(read: Reading) -> None:
    (bus,) = read("Welsh\nTitle,Description\nBus stops,All\n").resources
    assert bus.titles == texts("Bus stops")


@pytest.mark.parametrize(
    ("headings", "is_inventory"),
    [
        ("Title,Owner", True),
        ("Name,Description,Owner", True),
        ("Title,Name,Owner", True),
        ("Title", False),
        ("Name,Owner", False),
        ("Name,Email,Telephone", False),
        ("Description,Owner,Licence", False),
    ],
)
def test_a_list_of_datasets_has_a_title_and_something_more(read: Reading, headings: str, is_inventory: bool) -> None:
    assert bool(read(f"{headings}\n{headings.lower()}\n").records) == is_inventory


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


@pytest.mark.parametrize("mapping", ["Owner=ownre; Tile=title", "Tile=title; so what"])
def test_a_mapping_that_cannot_be_so_is_told_of(read: Reading, mapping: str) -> None:
    harvest = read(PLAIN, mapping=mapping)
    warnings = [problem.rule for problem in harvest.problems if problem.severity == "warning"]
    assert set(warnings) == {"table-mapping"}
    assert len(warnings) >= 2
    assert harvest.titles == ["Bus stops", "Cycle lanes"]


def test_the_row_of_headings_may_be_named(read: Reading) -> None:
    table = "Title,Description\nan example,of a row\nTitle,Notes\nBus stops,All of them\n"
    assert read(table, header_row="3").titles == ["Bus stops"]
    assert "header_row is 'third'" in read(table, header_row="third").refusal


def test_the_sheet_may_be_named_and_hidden_ones_are_left_alone(read: Reading) -> None:
    headings = ["Title", "Description"]
    book = workbook(Live=[headings, ["Bus stops", "x"]], Old=[headings, ["Trams", "x"]], Notes=[["Do not print"]])
    book["Old"].sheet_state = "hidden"
    assert read(book).titles == ["Bus stops"]
    assert read(book, sheet="old").titles == ["Trams"]
    assert read(book, sheet="2").titles == ["Trams"]
    assert "'Live', 'Old', 'Notes'" in read(book, sheet="Newest").refusal


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"encoding": "klingon"}, "utf-8"),
        ({"encoding": "idna"}, "utf-8"),
        ({"encoding": "punycode"}, "encoding"),
        ({"separator": "dash"}, "semicolon"),
    ],
)
def test_an_option_that_cannot_be_says_what_would_be_right(read: Reading, options: dict[str, str], fix: str) -> None:
    assert fix in read(PLAIN, **options).refusal


def test_options_say_what_would_otherwise_be_guessed(read: Reading) -> None:
    assert read("Title~Description\nCafé~x\n".encode("cp850"), separator="~", encoding="cp850").titles == ["Café"]
    assert read(PLAIN.replace(",", "\t"), separator="tab").titles == ["Bus stops", "Cycle lanes"]


@pytest.mark.parametrize("line", [*COLUMNS, *PEOPLE], ids=lambda line: line.words[0])
def test_no_heading_stands_for_two_things(line: Any) -> None:
    for word in line.words:
        meaning = HEADINGS.meaning(word)
        assert (meaning.part, meaning.term) == (line.part, getattr(line, "term", "names")), word


@pytest.mark.parametrize(
    "heading",
    ["TITLE", "Dataset_Title", "dataset.title", "Title*", "Title (required)", "Title of the dataset", " title: "],
)
def test_a_heading_may_be_spelt_in_many_ways(heading: str) -> None:
    assert HEADINGS.meaning(heading).term == "titles"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_headings_are_found_wherever_they_stand(data: st.DataObject) -> None:
    words = st.lists(st.text("abd xyz", min_size=1, max_size=9), min_size=1, max_size=4)
    cells = {"Title": "Bus stops", "Publisher": "TfX", "Licence": "OGL", "Last updated": "May"}
    headings = data.draw(st.permutations(list(cells)))
    lines = [*data.draw(st.lists(words, max_size=20)), headings, [cells[heading] for heading in headings]]
    mark = data.draw(st.sampled_from(",;\t|"))
    harvest = harvested(Recorded("\n".join(mark.join(line) for line in lines).encode()), "https://a.example/", {})
    assert harvest.titles == ["Bus stops"]
    assert harvest.resources[0].publisher == Agent(names=texts("TfX"))
