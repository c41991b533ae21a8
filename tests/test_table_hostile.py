"""What is no table, what is too much of one, and anything at all: told of in words, with memory and time bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tables import SHEET, Reading, Recorded, harvested, packed, reading, row, sheet, unpacked, workbook

from harvesters.sheets import rows

BOOK = workbook(Datasets=[["Title", "Description"], ["Bus stops", "All"], ["Cycle lanes", "All"]])


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reading]:
    with reading(tmp_path) as read:
        yield read


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
        (packed({"list.csv": b"Title,Owner"}), "no Excel workbook"),
    ],
)
def test_what_is_no_table_is_refused_in_words(read: Reading, body: bytes, what: str) -> None:
    harvest = read(body)
    assert what in harvest.refusal
    assert (harvest.records, harvest.problems) == ([], [])


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({SHEET: b"<worksheet>" + bytes(20 << 20)}, "unpacks into more"),
        ({f"xl/{number}.bin": b"" for number in range(2100)}, "unpacks into more"),
        ({SHEET: b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet/>'}, "XML entities"),
        ({"xl/x.xml": b"<!--" + b"." * 9000 + b"--><!DOCTYPE x []><x/>"}, "XML entities"),
        ({"xl/sharedStrings.xml": "<!DOCTYPE x []><sst/>".encode("utf-16")}, "XML entities"),
        ({SHEET: b"<worksheet"}, "cannot be opened"),
        ({"xl/workbook.xml": b"<workbook/>"}, "no visible sheet"),
        ({"[Content_Types].xml": b"<Types/>"}, "cannot be opened"),
        ({SHEET: sheet(row(1, "Title", "Owner"), "<row r='x'/>")}, "cannot be read"),
        ({"content.xml": b"<office:document/>"}, "OpenDocument"),
    ],
)
def test_a_workbook_is_looked_at_before_it_is_opened(read: Reading, parts: dict[str, bytes], what: str) -> None:
    assert what in read(packed(parts, of=BOOK)).refusal


@pytest.mark.parametrize("far", [1_048_576, 2_000_000_000])
def test_a_sheet_is_as_large_as_its_cells_not_as_it_says(read: Reading, far: int) -> None:
    cells = sheet(row(1, "Title", "Description"), row(2, "Bus stops", "All"), row(far, "Far", "Away"))
    harvest = read(packed({SHEET: cells}, of=BOOK))
    assert harvest.titles[0] == "Bus stops"
    assert (harvest.broke_off is None) == (far == 1_048_576)


def test_a_quotation_that_never_ends_costs_its_row_and_withdraws_nothing(read: Reading) -> None:
    harvest = read('Title,Description\nBus stops,All\nTrams,"All of them\nCycle lanes,All\n')
    assert harvest.titles == ["Bus stops"]
    assert (harvest.rules[0], harvest.problems[0].where) == ("table-row-unreadable", "row 3")
    assert "withdrawn" in harvest.refusal


def test_a_description_of_five_megabytes_costs_its_row(read: Reading) -> None:
    harvest = read(f"Title,Description\nBus stops,All\nTrams,{'x' * 5_000_000}\nCycle lanes,All\n")
    assert {"Bus stops", "Cycle lanes"} <= set(harvest.titles)
    assert "table-row-unreadable" in harvest.rules


def test_a_table_that_is_too_large_is_read_up_to_there(read: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 3)
    harvest = read("Title,Owner\n" + "".join(f"Route {number},TfX\n" for number in range(10)))
    assert len(harvest.records) == 3
    assert harvest.rules.count("table-too-large") == 1
    assert "withdrawn" in harvest.refusal


def test_columns_beyond_the_limit_are_one_problem(read: Reading) -> None:
    wide = ",".join(f"c{number}" for number in range(600))
    harvest = read(f"Title,Owner,{wide}\nBus stops,TfX,{wide}\nTrams,TfX,{wide}\n")
    assert harvest.rules.count("table-too-wide") == 1
    assert harvest.titles == ["Bus stops", "Trams"]


WORDS = [
    "Title",
    "Owner",
    "Page URL",
    "Format",
    "Identifier",
    "https://a.example/",
    '{"title": "x"}',
    "[1]",
    "NULL",
    "",
]
CELLS = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
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


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.binary(max_size=8), st.sampled_from([SHEET, "xl/workbook.xml", "xl/styles.xml"]))
def test_a_damaged_workbook_is_read_or_refused(place: int, instead: bytes, part: str) -> None:
    content = unpacked(BOOK)[part]
    at = place % len(content)
    damaged = content[:at] + instead + content[at + len(instead) + 1 :]
    harvested(Recorded(packed({part: damaged}, of=BOOK)), "https://a.example/", {})
