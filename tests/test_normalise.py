"""What is repaired on the way in: every example of docs/normalisation.md, and what holds of all repairs together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from shared import CHECKOUT
from strategies import PREDICATES, everything, resources

from catalogue import rdf
from catalogue.dcat import (
    IRI,
    NOUNS,
    Agent,
    ContactPoint,
    DataService,
    Dataset,
    Distribution,
    Location,
    Node,
    PeriodOfTime,
    Resource,
    Statement,
    Text,
    Thing,
    properties,
    values,
)
from catalogue.normalise import REPAIRS, STEPS, normalise
from catalogue.rdf.write import compact
from vocab.namespaces import DCAT, DCT, PREFIXES

PAGE = (CHECKOUT / "docs" / "normalisation.md").read_text(encoding="utf-8")
PLENTY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

PLACES = {
    "Dataset": "{}",
    "Distribution": "dcat:distribution [ {} ]",
    "ContactPoint": "dcat:contactPoint [ {} ]",
    "Agent": "dct:publisher [ {} ]",
    "Location": "dct:spatial [ {} ]",
    "PeriodOfTime": "dct:temporal [ {} ]",
    "Checksum": "dcat:distribution [ spdx:checksum [ {} ] ]",
    "DataService": "dcat:distribution [ dcat:accessService [ {} ] ]",
}
"""Where in a dataset a noun hangs."""


# ---- The page


class Example(NamedTuple):
    property: str
    noun: str
    said: str
    becomes: str

    def __str__(self) -> str:
        return re.sub(r"\W+", "-", f"{self.property}-{self.said}")[:60].strip("-")


def rows() -> Iterator[tuple[str, list[str]]]:
    """The rows of the page's tables, each with the first heading of its table."""
    heading = ""
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            heading = ""
        elif line.startswith("|--"):
            continue
        elif not heading:
            heading = cells[0]
        else:
            yield heading, cells


def examples() -> Iterator[Example]:
    for heading, (first, _, said, becomes) in (row for row in rows() if row[0] in ("Property", "Of a")):
        said, becomes = code(said), code(becomes)
        if heading == "Of a":
            yield Example("", first, said, becomes)
        for name in first.split(", ") if heading == "Property" else ():
            yield Example(name, noun_of(name), f"{name} {said}", f"{name} {becomes}" if becomes else "")


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`") if cell != "–" else ""


@cache
def noun_of(name: str) -> str:
    """The noun that has the property of this name."""
    nouns = (Dataset, Distribution, ContactPoint, Agent, PeriodOfTime, Location, DataService)
    prefix, word = name.split(":")
    predicate = PREFIXES[prefix] + word
    found = [noun.__name__ for noun in nouns if any(predicate == prop.predicate for prop in properties(noun))]
    return found[0] if found else "Checksum"


def dataset(said: str, noun: str) -> Resource:
    """A dataset that says this, itself or in a thing below it."""
    block = re.search(r"```turtle\n(.*?)```", PAGE, re.DOTALL)
    assert block
    prefixes = block[1] + "".join(f"@prefix {prefix}: <{address}> .\n" for prefix, address in PREFIXES.items())
    place = PLACES[noun].format(said) if said else 'dct:title "x"'
    found = rdf.graph(f"{prefixes} <http://example.gov.uk/d> a dcat:Dataset ; {place} .".encode(), "text/turtle")
    assert not found.problems, (said, found.problems)
    resource = rdf.Reader(found).read("http://example.gov.uk/d")
    assert isinstance(resource, Resource)
    return resource if said else replace(resource, titles=frozenset())


@pytest.mark.parametrize("example", list(examples()), ids=str)
def test_every_example_of_the_page_holds(example):
    assert normalise(dataset(example.said, example.noun)) == dataset(example.becomes, example.noun)


def test_every_property_with_a_repair_has_an_example():
    shown = {example.property for example in examples()} | set(
        re.findall(r"\w+:\w+", "".join(e.said for e in examples()))
    )
    older = {"owl:versionInfo"}  # read as dcat:version, written as that
    assert {compact(predicate) for predicate in REPAIRS} - shown - older == set()


def test_every_repair_changes_something_in_an_example():
    changing = {example.property for example in examples() if example.said != example.becomes}
    by_repair = {repair: {compact(p) for p, r in REPAIRS.items() if r is repair} for repair in REPAIRS.values()}
    idle = [repair for repair, names in by_repair.items() if not names & (changing | {"dct:format"})]
    assert idle == []
    assert len(STEPS) == 2  # a further step needs its example under "Of a"


# ---- What holds of all of them


@PLENTY
@given(resources())
def test_repairing_twice_is_repairing_once(resource):
    once = normalise(resource)
    assert normalise(once) == once


@PLENTY
@given(resources())
def test_a_repaired_value_fits_its_property(resource):
    def check(node: Node) -> None:
        for prop, value in values(node):
            assert isinstance(value, prop.kinds), (prop.name, value)
            if isinstance(value, Node):
                check(value)

    check(normalise(resource))


@PLENTY
@given(resources())
def test_what_has_no_property_is_kept(resource):
    said = {
        s
        for s in resource.rest
        if s.predicate in PREDICATES and isinstance(s.object, Text) and s.object.value.isprintable()
    }
    kept = {(s.predicate, s.object.value) for s in normalise(resource).rest if isinstance(s.object, Text)}
    assert {(s.predicate, s.object.value) for s in said} <= kept


def test_what_is_in_order_is_not_even_copied():
    tidy = normalise(everything())
    assert normalise(tidy) is tidy


def test_a_repair_looks_below_too():
    service = DataService(titles=frozenset({Text(" Tiles ")}))
    file = Distribution(
        access_services=frozenset({service}), rest=frozenset({Statement(DCT.issued, Text("March 2025"))})
    )
    mended = normalise(Dataset(distributions=frozenset({file})))
    (file,) = mended.distributions
    (service,) = file.access_services
    assert service.titles == {Text("Tiles")}
    assert file.issued.value == "2025-03"
    assert not file.rest


def test_of_two_dates_the_first_in_order_is_the_date_and_the_other_is_kept():
    said = frozenset({Statement(DCT.issued, Text("2024")), Statement(DCT.issued, Text("31 March 2025"))})
    mended = normalise(Dataset(rest=said))
    assert mended.issued.value == "2024"
    assert [statement.object.value for statement in mended.rest] == ["2025-03-31"]


def test_a_language_tag_that_no_graph_can_hold_is_mended():
    said = frozenset({Text("Road", "en_GB"), Text("Ffordd", "Welsh"), Text("?", "no such language")})
    note = Statement(PREDICATES[0], Text("x", "en_GB"))
    mended = normalise(Dataset(titles=said, rest=frozenset({note})))
    assert mended.titles == {Text("Road", "en-gb"), Text("Ffordd", "cy"), Text("?")}
    assert mended.rest == {Statement(PREDICATES[0], Text("x", "en-gb"))}


def test_what_no_file_can_hold_goes_everywhere():
    note = Statement(PREDICATES[0], Text("half \ud83d of a pair\x00\x0b"))
    mended = normalise(
        Dataset(iri=IRI("https://example.org/a b"), titles=frozenset({Text("A\ud83d\x00")}), rest=frozenset({note}))
    )
    assert mended.iri == "https://example.org/a%20b"
    assert mended.titles == {Text("A")}
    assert mended.rest == {Statement(PREDICATES[0], Text("half  of a pair"))}
    assert rdf.read(rdf.rdfxml([mended]), "application/rdf+xml") == mended


def test_a_thing_takes_the_form_in_which_a_graph_gives_it_back():
    mended = normalise(
        Dataset(
            types=frozenset({IRI(DCAT.Dataset)}),
            licences=frozenset({Thing(iri=IRI("https://example.org/terms"))}),
            rest=frozenset({Statement(DCT.publisher, IRI("https://example.org/body"))}),
        )
    )
    assert mended.licences == {IRI("https://example.org/terms")}
    assert mended.publisher == Agent(iri=IRI("https://example.org/body"))
    assert not mended.types


# ---- Written to annoy


@pytest.mark.parametrize(
    "words",
    [
        "<a" * 100_000,
        "<!--" * 50_000,
        "&#38;" * 50_000,
        "<script>" * 30_000,
        "<p>" * 50_000,
        "{" * 100_000,
        "&amp;" * 50_000,
    ],
)
def test_hostile_text_comes_to_an_end(words):
    hostile = Dataset(
        titles=frozenset({Text(words)}), descriptions=frozenset({Text(words)}), spatial=frozenset({Text(words)}),
        temporal=frozenset({Text("/" * 10_000 + words)}), issued=Text(words),
    )  # fmt: skip
    once = normalise(hostile)
    assert normalise(once) == once


def test_an_address_of_nothing_is_left_out_however_deep_it_stands():
    nowhere = Statement(PREDICATES[0], Thing(rest=frozenset({Statement(PREDICATES[0], IRI(""))})))
    assert normalise(Dataset(rest=frozenset({nowhere}))).rest == {Statement(PREDICATES[0], Thing())}


def test_a_description_too_long_to_describe_is_not_parsed():
    words = "<b>x</b> " * 600_000
    (left,) = normalise(Dataset(descriptions=frozenset({Text(words)}))).descriptions
    assert left.value == words.strip()


def test_html_inside_html_inside_html_is_left_at_some_point():
    escaped = "<b>x</b>"
    for _ in range(12):
        escaped = escaped.replace("&", "&#&#51;8;").replace("<", "&#6&#48;;")
    once = normalise(Dataset(descriptions=frozenset({Text(escaped)})))
    assert normalise(once) == once


def test_a_number_with_a_huge_exponent_stays_as_it_is():
    file = Distribution(byte_size=Text("1E999999999"))
    (left,) = normalise(Dataset(distributions=frozenset({file}))).distributions
    assert left.byte_size == Text("1E999999999")


def test_the_page_lists_every_older_name_of_a_property():
    listed = [cells for heading, cells in rows() if heading == "Older name"]
    shown = {(older, code(newer)) for olders, newer in listed for older in re.findall(r"`([^`]+)`", olders)}
    stated = {(compact(older), compact(p.predicate)) for noun in NOUNS for p in properties(noun) for older in p.also}
    assert shown == stated
