"""The data.json harvester: every element a record to the byte, each broken one a problem, and real agencies' files."""

from __future__ import annotations

import doctest
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Answers, Folder, Hostile
from shared import shared_files
from world import records_of

import harvesters
from catalogue.dcat import (
    IRI,
    DataService,
    Dataset,
    DatasetSeries,
    Location,
    PeriodOfTime,
    Resource,
    Slug,
    Statement,
    Text,
    Thing,
    When,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Limits
from catalogue.source import HarvestSource, SourceRecord
from harvesters.data_json import DataJson
from vocab.namespaces import DCAT, DCATUS, DCT, FEDCAT, ORG, SKOS, XSD

HARVESTER = DataJson()
QUICK = Limits(connect=2, read=2, total=20, retries=0)
OWN_EXAMPLES = Path(__file__).parent / "harvesters" / "data-json" / "response.json"
Found = list[SourceRecord | Problem]


def source(url: str) -> HarvestSource:
    return HarvestSource(name=Slug("agency"), type="data-json", url=url)


def fetched(url: str) -> Found:
    with Client(QUICK, allow_private=True) as client:
        return list(records_of(HARVESTER.fetch(source(url), client)))


def read(body: bytes | str, content_type: str = "application/json") -> Found:
    """What comes of a body, over HTTP."""
    with Answers({"/data.json": (200, {"Content-Type": content_type}, body)}) as server:
        return fetched(f"{server.url}/data.json")


def read_until_it_breaks_off(body: bytes | str) -> tuple[Found, SourceUnavailable]:
    found: Found = []
    with (
        Answers({"/data.json": (200, {"Content-Type": "application/json"}, body)}) as server,
        Client(QUICK, allow_private=True) as client,
        pytest.raises(SourceUnavailable) as ended,
    ):
        found.extend(records_of(HARVESTER.fetch(source(f"{server.url}/data.json"), client)))
    return found, ended.value


def records(found: Found) -> dict[str, str]:
    return {one.identifier: one.where for one in found if isinstance(one, SourceRecord)}


def problems(found: Found) -> dict[str, str]:
    return {one.where: one.rule for one in found if isinstance(one, Problem)}


def catalogue(*datasets: Any, **more: Any) -> str:
    return json.dumps(
        {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": datasets} | more, indent=2
    )


def named(*names: str) -> list[dict[str, str]]:
    return [{"identifier": name, "title": f"Title of {name}"} for name in names]


def described(said: dict[str, Any], where: str = "$.dataset[0]") -> Any:
    content = json.dumps({"identifier": "x-1", "title": "X"} | said).encode()
    record = SourceRecord("x-1", content, "application/json", "https://x.gov.uk/data.json", where)
    [resource] = HARVESTER.map(record, source(record.address))
    return resource


# -- Fetching


def test_each_element_is_a_record_to_the_byte_and_knows_its_place():
    body = '{"dataset": [\n  {"identifier" :"a",  "title":"Llŷn"},\n{ "identifier":"b" }\t] }'.encode()
    first, second = read(body)
    assert isinstance(first, SourceRecord)
    assert isinstance(second, SourceRecord)
    assert (first.content, second.content) == ('{"identifier" :"a",  "title":"Llŷn"}'.encode(), b'{ "identifier":"b" }')
    assert (first.where, second.where) == ("$.dataset[0]", "$.dataset[1]")
    assert first.media_type == "application/json"


FORMS = {
    "a catalogue": '{"dataset": [{"identifier": "a"}]}',
    "a bare list": '[{"identifier": "a"}]',
    "data.gov.uk's key": '{"datasets": [{"identifier": "a"}]}',
    "one that is no list": '{"dataset": {"identifier": "a"}}',
    "one dataset alone": '{"identifier": "a", "distribution": []}',
    "a catalogue in a catalogue": '{"dataset": [], "catalog": [{"title": "Inner", "dataset": [{"identifier": "a"}]}]}',
    "behind others of its name": '{"describedBy": {"dataset": [{"identifier": "z"}]}, "dataset": [{"identifier": "a"}]}',
    "with a comma too many": '{"dataset": [{"identifier": "a"},],}',
    "with an escaped key": '{"title": "say \\"dataset\\": [", "dataset": [{"identifier": "a"}]}',
    "a number": '{"dataset": [{"identifier": "a", "x": -1e5}], "version": 1.1}',
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_it_is_read(form):
    assert list(records(read(FORMS[form]))) == ["a"]
    assert problems(read(FORMS[form])) == {}


def test_series_their_members_and_services_are_records_too():
    series = {"@type": "DatasetSeries", "@id": "https://x.gov.uk/s", "title": "S", "seriesMember": named("a", "b")}
    found = read(catalogue(*named("a"), datasetSeries=[series], service=[{"identifier": "api", "title": "API"}]))
    assert records(found) == {
        "a": "$.dataset[0]",
        "https://x.gov.uk/s": "$.datasetSeries[0]",
        "b": "$.datasetSeries[0].seriesMember[1]",
        "api": "$.service[0]",
    }
    assert problems(found) == {}
    kinds = [
        type(
            next(iter(HARVESTER.map(one, source("")))),
        )
        for one in found
        if isinstance(one, SourceRecord)
    ]
    assert kinds == [Dataset, DatasetSeries, Dataset, DataService]


def test_an_empty_list_is_a_catalogue_without_datasets():
    assert read('{"dataset": []}') == []
    assert read("[]") == []


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_are_seen_through(encoding):
    [record, *told] = read('{"dataset": [{"identifier": "é", "title": "Ynys Môn"}]}'.encode(encoding))
    assert isinstance(record, SourceRecord)
    [resource] = HARVESTER.map(record, source(""))
    assert resource.titles == {Text("Ynys Môn")}
    is_told = encoding in ("latin-1", "cp1252")
    assert [problem.rule for problem in told if isinstance(problem, Problem)] == ["encoding"] * is_told


def test_a_broken_element_is_one_problem_and_the_rest_is_read():
    found = read(catalogue(*named("a", "b", "c")).replace('"b",', "b,"))
    assert list(records(found)) == ["a", "c"]
    assert problems(found) == {"$.dataset[1]": "broken-record"}


def test_broken_utf_8_is_marked_where_it_is_broken_and_told():
    body = '{"dataset": [{"identifier": "a", "title": "Ynys Môn"}, {"identifier": "b", "title": "Llŷn X"}]}'.encode()
    found = read(body.replace(b"X", b"\xc5"))
    assert list(records(found)) == ["a", "b"]
    assert [(problem.record, problem.severity) for problem in found if isinstance(problem, Problem)] == [
        ("b", "warning")
    ]
    [resource] = HARVESTER.map(found[1], source(""))
    assert resource.titles == {Text("Llŷn \ufffd")}


def test_a_record_with_many_files_or_many_words_is_a_record():
    files = [{"downloadURL": f"https://x.gov.uk/{n}.csv"} for n in range(10_000)]
    found = read(
        catalogue({"identifier": "a", "title": "A", "description": "long " * 1_000_000, "distribution": files})
    )
    [record] = found
    assert isinstance(record, SourceRecord)
    [resource] = HARVESTER.map(record, source(""))
    assert isinstance(resource, Dataset)
    assert len(resource.distributions) == 10_000


NOT_DATA_JSON = {
    "nothing": "",
    "white space": " \n ",
    "a web page": "<!doctype html><html><body>Log in</body></html>",
    "a feed": '<?xml version="1.0"?><rss/>',
    "words": "Service unavailable",
    "another object": '{"error": "database is down"}',
    "an empty object": "{}",
}


@pytest.mark.parametrize("kind", NOT_DATA_JSON)
def test_what_is_no_data_json_ends_the_run_in_a_sentence(kind):
    found, ended = read_until_it_breaks_off(NOT_DATA_JSON[kind])
    assert found == []
    assert str(ended).startswith("http://127.0.0.1")
    assert ended.fix


@pytest.mark.parametrize("kind", ["html", "empty", "redirect-loop", "silent"])
def test_a_hostile_server_ends_the_run(kind):
    limits = Limits(connect=0.5, read=0.5, total=1, retries=0)
    with Hostile(kind) as server, Client(limits, allow_private=True) as client, pytest.raises(SourceUnavailable):
        list(records_of(HARVESTER.fetch(source(server.url), client)))


def test_an_address_that_is_not_there_ends_the_run():
    with Answers({}) as server, pytest.raises(SourceUnavailable, match="404"):
        fetched(f"{server.url}/data.json")


# -- Identifiers


def test_a_record_is_called_by_its_identifier_else_by_its_address():
    found = read(
        catalogue(
            {"identifier": " a ", "@id": "https://x.gov.uk/a"},
            {"identifier": 7},
            {"identifier": {"@type": "Identifier", "notation": "n-1"}},
            {"identifier": "TODO", "@id": "https://x.gov.uk/d"},
            {"@id": "https://x.gov.uk/e"},
        )
    )
    assert list(records(found)) == ["a", "7", "n-1", "https://x.gov.uk/d", "https://x.gov.uk/e"]


@pytest.mark.parametrize(
    "said", [None, "", "  ", "TODO", "n/a", "String", "[[REDACTED-EX B6]]", {"@type": "Identifier"}, []]
)
def test_what_is_no_identifier_is_a_problem(said):
    found = read(catalogue({"identifier": said, "@id": "_:b0", "title": "T"}, *named("b")))
    assert list(records(found)) == ["b"]
    assert problems(found) == {"$.dataset[0]": "identifier-missing"}


def test_a_repeated_identifier_is_a_problem_that_names_both():
    *_, problem = read(catalogue(*named("a", "b", "a")))
    assert isinstance(problem, Problem)
    assert (problem.rule, problem.where, problem.record) == ("identifier-repeated", "$.dataset[2]", "a")
    assert "$.dataset[0]" in problem.message
    assert "$.dataset[2]" in problem.message


# -- How to write one


def test_the_example_of_how_to_write_a_harvester_runs():
    outcome = doctest.testmod(harvesters)
    assert outcome.attempted >= 8
    assert outcome.failed == 0


# -- Mapping


def test_what_is_said_is_what_is_described():
    said = {"description": "<p>D</p>", "keyword": ["b", "a"], "accessLevel": "non-public", "modified": "R/P1D"}
    assert described(said) == Dataset(
        titles=frozenset({Text("X")}),
        descriptions=frozenset({Text("<p>D</p>")}),
        identifiers=frozenset({Text("x-1")}),
        keywords=frozenset({Text("a"), Text("b")}),
        access_rights=Text("non-public"),
        modified=Text("R/P1D"),
    )
    assert described({"title": 707}).titles == {Text("707")}


def test_the_order_of_keys_and_words_makes_no_difference():
    assert described({"keyword": ["a", "b"], "theme": ["t"]}) == described({"theme": ["t"], "keyword": ["b", "a"]})


def test_an_address_names_the_dataset():
    assert described({"@id": "https://x.gov.uk/a", "identifier": "https://x.gov.uk/b"}).iri == "https://x.gov.uk/a"
    assert described({"identifier": "https://x.gov.uk/b"}).iri == "https://x.gov.uk/b"
    assert described({"@id": "urn:x"}).iri is None


def test_a_publisher_keeps_its_parents():
    said = {
        "@type": "org:Organization",
        "name": "Lab",
        "subOrganizationOf": [{"name": "Agency", "@id": "https://x.gov.uk/agency"}],
    }
    publisher = described({"publisher": said}).publisher
    assert (publisher.names, publisher.types) == ({Text("Lab")}, {IRI(ORG.Organization)})
    assert (publisher.parent.names, publisher.parent.iri) == ({Text("Agency")}, "https://x.gov.uk/agency")
    assert described({"publisher": "Agency"}).publisher == Text("Agency")


def test_contacts_say_their_address_as_it_was_said():
    [contact] = described(
        {"contactPoint": {"fn": "Desk", "hasEmail": "mailto:d@x.gov.uk", "tel": "0300"}}
    ).contact_points
    assert (contact.emails, contact.telephones) == ({IRI("mailto:d@x.gov.uk")}, {Text("0300")})
    [contact] = described({"contactPoint": [{"fn": "Desk", "email": "d@x.gov.uk"}]}).contact_points
    assert contact.emails == {Text("d@x.gov.uk")}


PERIODS = {
    "2015-01-01/2015-12-31": PeriodOfTime(
        start=When("2015-01-01", IRI(XSD.date)), end=When("2015-12-31", IRI(XSD.date))
    ),
    "2015/..": PeriodOfTime(start=When("2015", IRI(XSD.gYear))),
    "2015/": PeriodOfTime(start=When("2015", IRI(XSD.gYear))),
    "2015/P1Y": Text("2015/P1Y"),
    "2015": Text("2015"),
    "from 2015 / to date": Text("from 2015 / to date"),
}


@pytest.mark.parametrize("said", PERIODS)
def test_a_period_has_two_ends_or_is_words(said):
    assert described({"temporal": said}).temporal == {PERIODS[said]}


def test_places_are_shapes_described_places_or_words():
    shape = '{"type": "Point", "coordinates": [1, 2]}'
    [place] = described({"spatial": shape}).spatial
    assert [geometry.value for geometry in place.geometries] == [shape]
    [place] = described({"spatial": [{"prefLabel": "Severn", "bbox": "POLYGON((0 0, 1 0, 1 1, 0 0))"}]}).spatial
    assert (place.labels, {box.datatype.rsplit("#")[-1] for box in place.boxes}) == ({Text("Severn")}, {"wktLiteral"})
    assert described({"spatial": "6.57,46.39,6.60,46.40"}).spatial == {Text("6.57,46.39,6.60,46.40")}
    assert described({"spatial": "https://x.gov.uk/severn"}).spatial == {Location(iri=IRI("https://x.gov.uk/severn"))}
    assert described({"spatial": None}).spatial == frozenset()


def test_what_is_redacted_is_kept_but_is_no_value():
    found = described({"title": "[[REDACTED-EX B6]]", "keyword": ["a", "[[REDACTED]]"]})
    assert (found.titles, found.keywords) == (frozenset(), {Text("a")})
    assert found.rest == {
        Statement(IRI(FEDCAT["redacted-title"]), Text("[[REDACTED-EX B6]]")),
        Statement(IRI(FEDCAT["redacted-keyword"]), Text("[[REDACTED]]")),
    }


def test_words_by_language_are_words_with_their_language():
    found = described({"title": "Budget", "titleMap": {"en": "Budget", "cy": "Cyllideb"}})
    assert found.titles == {Text("Budget", "en"), Text("Cyllideb", "cy")}
    assert described({"description": {"@value": "Bonjour", "@language": "FR"}}).descriptions == {Text("Bonjour", "fr")}
    assert described({"issued": {"@type": "xsd:date", "@value": "2002-01-01"}}).issued == When(
        "2002-01-01", IRI(XSD.date)
    )


def test_things_described_in_place_stay_described():
    [theme] = described({"theme": [{"@type": "Concept", "@id": "https://x.gov.uk/t", "prefLabel": "T"}]}).themes
    assert theme == Thing(
        iri=IRI("https://x.gov.uk/t"),
        types=frozenset({IRI(SKOS.Concept)}),
        rest=frozenset({Statement(IRI(SKOS.prefLabel), Text("T"))}),
    )
    [page] = described({"references": [{"url": "https://x.gov.uk/g.pdf", "title": "Guide"}]}).pages
    assert (page.iri, page.rest) == ("https://x.gov.uk/g.pdf", {Statement(IRI(DCT.title), Text("Guide"))})
    assert described({"conformsTo": {"@id": "https://x.gov.uk/standard"}}).conforms_to == {
        IRI("https://x.gov.uk/standard")
    }


def test_keys_of_dcat_us_and_unknown_ones_are_kept():
    found = described(
        {
            "liabilityStatement": "None",
            "bureauCode": ["015:20"],
            "isPartOf": "parent-1",
            "accessURL": "https://x.gov.uk",
        }
    )
    assert found.rest == {
        Statement(IRI(DCATUS.liabilityStatement), Text("None")),
        Statement(IRI(FEDCAT["extra-bureau-code"]), Text("015:20")),
        Statement(IRI(DCAT.inSeries), Text("parent-1")),
        Statement(IRI(DCAT.accessURL), IRI("https://x.gov.uk")),
    }


def test_a_distribution_says_what_it_said():
    url = "https://x.gov.uk/a.csv"
    said = {"downloadURL": url, "mediaType": "text/csv", "byteSize": 5120, "license": "OGL", "format": None}
    [found] = described({"distribution": [said]}).distributions
    assert (found.download_urls, found.media_types, found.formats) == ({IRI(url)}, {Text("text/csv")}, frozenset())
    assert (found.byte_size.value, found.licences) == ("5120", {Text("OGL")})


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 5000, b"\xff\xfe"])
def test_a_damaged_record_is_rejected(content):
    record = SourceRecord("x-1", content, "application/json", "https://x.gov.uk/data.json", "$.dataset[4]")
    with pytest.raises(RecordRejected) as rejected:
        list(HARVESTER.map(record, source("")))
    assert [(problem.record, problem.where) for problem in rejected.value.problems] == [("x-1", "$.dataset[4]")]


def test_our_own_examples_say_what_we_expect():
    found = read(OWN_EXAMPLES.read_bytes())
    assert [name.rpartition("/")[2] for name in records(found)] == ["WR-001", "WR-002", "rivers", "levels"]
    assert problems(found) == {"$.dataset[1]": "identifier-missing", "$.dataset[4]": "identifier-repeated"}
    bathing, *_ = (next(iter(HARVESTER.map(one, source("")))) for one in found if isinstance(one, SourceRecord))
    assert {title.lang for title in bathing.titles} == {"en", "cy"}
    assert {type(url) for one in bathing.distributions for url in one.access_urls} == {
        Text
    }  # no address has brackets in it


# -- Anything at all

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=5)
KEYS = [
    "@type", "contactPoint", "distribution", "identifier", "keyword", "license", "modified", "publisher", "spatial", "temporal",
    "theme", "title",
]  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(OBJECTS, st.dictionaries(st.sampled_from(KEYS), JSON_VALUES, max_size=6))
def test_anything_said_of_a_dataset_is_described(said, known):
    assert isinstance(described({**said, **known}), Resource)


# -- Real agencies

NO_CATALOGUE = {"missing_catalog_dataset.json"}
ALONE = {"dol-example.json"}


def real_files() -> list[Path]:
    files = [file for file in shared_files("dcat_us/*/*.json") if not file.parent.name.endswith("_results")]
    return [*files, *shared_files("dcat_rdf/udata/evian.json"), *shared_files("ckan/ckanext_dcat/catalog.json")]


def counted(shared: Path) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads((shared / "EXPECTED" / "json_counts.json").read_bytes())
    return counts


@pytest.mark.parametrize("file", real_files(), ids=lambda file: file.name)
def test_every_real_file_is_read_and_counted(shared, file):
    with Folder(shared) as server:
        address = server.address(file.relative_to(shared))
        if file.name in NO_CATALOGUE:
            with pytest.raises(SourceUnavailable, match="none of the lists"):
                fetched(address)
            return
        found = fetched(address)
    mapped = [(one, next(iter(HARVESTER.map(one, source(address))))) for one in found if isinstance(one, SourceRecord)]
    assert all(one.content in file.read_bytes() for one, _ in mapped)
    if file.name in ALONE:
        assert [one.where for one, _ in mapped] == ["$"]
        return
    listed = [(one, resource) for one, resource in mapped if one.where.startswith("$.dataset[")]
    refused = [int(where[len("$.dataset[") : -1]) for where in problems(found) if where.startswith("$.dataset[")]
    left_out = [json.loads(file.read_bytes())["dataset"][number] for number in refused]
    expected = counted(shared)[str(file.relative_to(shared))]
    assert len(listed) + len(left_out) == expected["datasets"]
    unnamed_object = (
        file.name == "dcatus3_0_no_identifier.json"
    )  # counted there as an identifier, though it names nothing
    assert len({one.identifier for one, _ in listed}) == expected["distinct_identifiers"] - unnamed_object
    files = [len(resource.distributions) for _, resource in listed] + [
        len(one.get("distribution", [])) for one in left_out
    ]
    assert sum(files) == expected["distributions"]


def resources_of(server: Folder, file: str) -> dict[str, Resource]:
    found = fetched(server.address(f"dcat_us/real_agencies/{file}"))
    return {
        one.identifier: next(iter(HARVESTER.map(one, source("")))) for one in found if isinstance(one, SourceRecord)
    }


def test_a_month_changes_what_it_changed_and_nothing_else(shared):
    with Folder(shared) as server:
        june, july = (resources_of(server, f"fcc.{day}.json") for day in ("2025-06-20", "2025-07-24"))
        changed = [name for name in june if june[name] != july[name]]
        assert june.keys() == july.keys()
        assert len(changed) == 2
        assert all(june[name].modified != july[name].modified for name in changed)
        winter, summer = (resources_of(server, f"treasury.{day}.json") for day in ("2025-02-11", "2025-07-24"))
        assert (len(winter), len(summer)) == (233, 232)
        assert winter.keys() - summer.keys() == {"015-USMint-0004"}
        assert sum(winter[name] != summer[name] for name in summer) == 3
