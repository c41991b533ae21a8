"""What the cells of a row say: people and their roles, sizes, dates, languages, lists, files; and nothing lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tables import SHEET, Reading, packed, reading, row, sheet, texts, workbook

from catalogue.dcat import IRI, Agent, DataService, Dataset, DatasetSeries, Location, Number, Statement, Text, When
from vocab.namespaces import FEDCAT, XSD


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Reading]:
    with reading(tmp_path) as read:
        yield read


def one(read: Reading, options: dict[str, str] | None = None, **cells: str) -> Any:
    """What a row says, next to its title."""
    headings = {name.replace("_", " "): cell for name, cell in {"Title": "Bus stops", **cells}.items()}
    table = io.StringIO(newline="")
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


def test_formulas_are_read_as_their_values(read: Reading) -> None:
    formula = '<c r="B2"><f>1+1</f><v>2</v></c>'
    cells = sheet(row(1, "Title", "Version"), row(2, "Bus stops", more=formula))
    (bus,) = read(packed({SHEET: cells}, of=workbook(Live=[["Title"]]))).resources
    assert bus.version == Text("2")


def test_words_know_their_language(read: Reading) -> None:
    cells = {
        "Title_(Welsh)": "Safleoedd bws",
        "Description": "All of them",
        "Disgrifiad": "Pob un",
        "Identifier": "b-1",
    }
    said = one(read, {"language": "en"}, **cells)
    assert said.titles == {Text("Bus stops", "en"), Text("Safleoedd bws", "cy")}
    assert said.descriptions == {Text("All of them", "en"), Text("Pob un", "cy")}
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
    (stops,) = read(
        "Title,Description,Last updated,Rows,File URL\n"
        "Stops,First half,2020,10,https://a.example/1\n"
        "Stops,Second half,2021,20,https://a.example/2\n"
    ).resources
    assert stops.descriptions == texts("First half")
    assert stops.modified == When("2020", IRI(XSD.gYear))
    assert stops.rest == frozenset()
    second = next(file for file in stops.distributions if IRI("https://a.example/2") in file.access_urls)
    assert (second.descriptions, second.modified) == (texts("Second half"), When("2021", IRI(XSD.gYear)))
    assert second.rest == {Statement(IRI(FEDCAT["column-rows"]), Text("20"))}


def test_what_rows_say_differently_of_no_file_is_kept_beside(read: Reading) -> None:
    (stops,) = read("Id,Title,Description,Cost\n1,Stops,First half,5\n1,Stops,Second half,6\n").resources
    assert stops.descriptions == texts("First half")
    assert stops.rest == {
        Statement(IRI(FEDCAT["column-description"]), Text("Second half")),
        Statement(IRI(FEDCAT["column-cost"]), Text("5")),
        Statement(IRI(FEDCAT["column-cost"]), Text("6")),
    }


def test_nothing_in_a_row_is_lost(read: Reading) -> None:
    cells = {"Cost code": "R-77", "Series": "Buses of Britain", "Notes": "Mind the gap", "Description": "All"}
    said = one(read, **cells, **{"": "no heading"})
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
    assert len(one(read, Description="All", Data=deep).rest) == 1
    (said,) = one(read, Description="All", Data='{"a":' * 50 + "1" + "}" * 50).rest
    assert said.predicate == FEDCAT["column-a-a-a-a-a-a-a-a"]
