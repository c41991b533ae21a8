"""What is found wrong: the examples of every rule, pyshacl as second opinion, and the limits of one record."""

from __future__ import annotations

import logging
from collections import Counter
from functools import cache
from pathlib import Path

import pyshacl
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared import CHECKOUT, shared_files
from strategies import everything, normalised, resources

from catalogue import rdf
from catalogue.dcat import (
    IRI,
    Agent,
    DataService,
    Dataset,
    Distribution,
    Number,
    Resource,
    Statement,
    Text,
    Thing,
    When,
)
from catalogue.errors import FedcatError, SettingsError
from catalogue.normalise import normalise
from catalogue.rdf.write import compact
from catalogue.validate import LIMITS, validate
from catalogue.validate.shapes import SEVERITIES, Shapes, compiled
from vocab import shapes
from vocab.namespaces import DCAT, DCT, RDF, SH, XSD

EXAMPLES = sorted((CHECKOUT / "tests" / "examples").glob("*/*/*.ttl"))
REAL = [path for path in shared_files("dcat_rdf/**/*") if path.suffix in (".ttl", ".rdf", ".xml", ".jsonld", ".nt")]


def rules() -> set[str]:
    return {rule.name for of_class in compiled(shapes()).values() for rule in of_class}


# ---- Examples


def example(path: Path) -> Resource:
    return normalise(rdf.read(path.read_bytes(), "text/turtle"))


def named(path: Path) -> set[str]:
    """The rules that the first line of an example names."""
    return set(path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").split(":")[0].split(", "))


@pytest.mark.parametrize(
    "path", [p for p in EXAMPLES if p.parent.name == "valid"], ids=lambda p: f"{p.parent.parent.name}-{p.stem}"
)
def test_nothing_is_wrong_with_a_valid_example(path):
    assert validate(example(path)) == []


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.parent.name == "invalid"], ids=lambda p: p.stem)
def test_an_invalid_example_breaks_the_rules_that_its_first_line_names(path):
    assert {problem.rule for problem in validate(example(path))} == named(path)


def test_every_rule_has_an_example_that_breaks_it():
    assert rules() == {rule for path in EXAMPLES if path.parent.name == "invalid" for rule in named(path)}


def test_every_rule_says_what_is_wrong_and_how_to_mend_it():
    for rule in {rule for of_class in compiled(shapes()).values() for rule in of_class}:
        assert rule.message[0].isupper()
        assert rule.message.endswith(".")
        assert rule.fix[0].isupper()
        assert rule.fix.endswith(".")
        assert rule.message != rule.fix


def test_a_problem_says_where_it_is_and_what_was_found():
    file = Distribution(iri=IRI("https://example.org/f"), access_urls=frozenset({Text("www.example.org")}))
    (problem,) = [
        p for p in validate(Dataset(distributions=frozenset({file}))) if p.rule == "access-url-not-an-address"
    ]
    assert (problem.where, problem.found) == ("dcat:distribution/dcat:accessURL", "www.example.org")
    assert problem.severity == "warning"


def test_a_long_value_is_not_quoted_in_full():
    (problem,) = [p for p in validate(Dataset(titles=frozenset({Text("x" * 301)}))) if p.rule == "title-too-long"]
    assert len(problem.found) == 200


def test_a_thing_named_twice_is_complained_of_once():
    body = Agent(iri=IRI("https://example.org/body"), homepages=frozenset({IRI("https://example.org/")}))
    found = validate(Dataset(publisher=body, creators=frozenset({body})))
    assert [problem.rule for problem in found].count("agent-nameless") == 1


def test_problems_come_in_one_order():
    found = validate(Dataset(titles=frozenset({Text("test"), Text("todo"), Text("x" * 301)}), issued=Text("TBC")))
    assert found == sorted(found, key=lambda p: (p.where, p.rule, p.found))
    assert len(found) > 5


# ---- The second opinion


@pytest.fixture(autouse=True)
def as_written(monkeypatch):
    """rdflib neither rewrites literals nor reports each bad one in the log."""
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)


@cache
def shapes_graph() -> rdflib.Graph:
    graph = rdflib.Graph()
    for _, data in shapes():
        graph.parse(data=data, format="turtle")
    return graph


def by_pyshacl(resource: Resource) -> Counter[tuple[str, str, str]]:
    """What pyshacl finds: path, severity, rule. It leaves rdflib rewriting literals, so that is said again each time."""
    rdflib.NORMALIZE_LITERALS = False
    _, report, _ = pyshacl.validate(rdf.to_rdflib(resource), shacl_graph=shapes_graph())
    (node,) = report.subjects(rdflib.RDF.type, rdflib.URIRef(SH.ValidationReport))
    return Counter(
        (
            compact(str(report.value(result, rdflib.URIRef(SH.resultPath)) or "")),
            SEVERITIES[str(report.value(result, rdflib.URIRef(SH.resultSeverity)))],
            str(report.value(result, rdflib.URIRef(SH.sourceShape))).rsplit("/", 1)[-1],
        )
        for result in report.objects(node, rdflib.URIRef(SH.result))
    )


def by_us(resource: Resource) -> Counter[tuple[str, str, str]]:
    of_the_whole = {rule.name for of_class in compiled(shapes()).values() for rule in of_class if not rule.path}
    return Counter(
        ("<>" if p.rule in of_the_whole else p.where.rsplit("/", 1)[-1], p.severity, p.rule) for p in validate(resource)
    )


def as_a_graph_holds_it(resource: Resource) -> Resource:
    """A dirty resource, without what no graph can hold."""
    return rdf.read(rdf.turtle([resource]), "text/turtle")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(normalised(), resources().map(as_a_graph_holds_it)))
def test_pyshacl_finds_the_same_in_generated_descriptions(resource):
    assert by_us(resource) == by_pyshacl(resource)


def test_pyshacl_finds_the_same_in_one_of_everything():
    assert by_us(everything()) == by_pyshacl(everything())
    assert sum(by_us(everything()).values()) > 20


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: f"{p.parent.parent.name}-{p.stem}")
def test_pyshacl_finds_the_same_in_the_examples(path):
    assert by_us(example(path)) == by_pyshacl(example(path))


@pytest.mark.parametrize("path", REAL, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_pyshacl_finds_the_same_in_real_descriptions(path):
    try:
        graph = rdf.graph(path.read_bytes())
    except FedcatError:
        return
    for subject in rdf.resources(graph):
        resource = rdf.Reader(graph).read(subject)
        assert isinstance(resource, Resource)
        for said in (resource, normalise(resource)):
            assert by_us(said) == by_pyshacl(said), subject


# ---- What cannot be checked is not passed over

GOOD = """
@prefix : <http://example.org/> . @prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix fedcat: <https://w3id.org/fedcat/ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
:S a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property :p .
:p sh:path dct:title ; sh:minCount 1 ; sh:severity sh:Info ; sh:name "T" ; sh:message "No." ; fedcat:fix "Yes." .
"""


def test_the_shapes_below_are_good_before_they_are_spoilt():
    assert [rule.name for rule in compiled([("x.ttl", GOOD.encode())])[DCAT.Dataset]] == ["p"]


@pytest.mark.parametrize(
    "more",
    [
        ":S sh:closed true .",
        ":p sh:sparql [ sh:select '' ] .",
        ":p sh:class dcat:Dataset .",
        ":p sh:not :q . :q sh:nodeKind sh:IRI .",
        ":p sh:qualifiedValueShape :q ; sh:qualifiedMinCount 1 .",
        ":p sh:lessThan dct:issued .",
        ":p sh:property :q . :q sh:path dct:issued ; sh:minCount 1 .",
        ":p sh:node :q . :q sh:path dct:issued ; sh:minCount 1 .",
        ":p sh:node :q .",
        ":p sh:node :q . :q sh:node :q .",
        ":p sh:datatype xsd:hexBinary .",
        ":p sh:nodeKind :q .",
        ":p sh:pattern 'x' ; sh:flags 'x' .",
        ":p sh:maxCount 'many' .",
        ":p sh:maxCount 1, 2 .",
        ":p sh:in 'a' .",
        ":p sh:targetNode :x .",
        ":S a rdfs:Class .",
        ":S sh:property [ sh:path ( dct:title dct:issued ) ; sh:minCount 1 ] .",
        ":S sh:property [ sh:path [ sh:inversePath dct:title ] ; sh:minCount 1 ] .",
        ":S sh:property [ sh:path dct:title ; sh:minCount 1 ] .",
        ":S sh:minCount 1 ; sh:nodeKind sh:IRI ; sh:severity sh:Info ; sh:name 'T' ; sh:message 'No.' ; fedcat:fix 'Yes.' .",
        ":S sh:property ",
    ],
)
def test_a_construct_that_nobody_handles_stops_the_program(more):
    with pytest.raises(SettingsError, match=r"x\.ttl"):
        compiled([("x.ttl", (GOOD + more).encode())])


VALUES = {
    "iri": IRI("https://example.org/a"),
    "named": Thing(iri=IRI("https://example.org/a"), types=frozenset({IRI(DCT.Policy)})),
    "blank": Thing(rest=frozenset({Statement(IRI(DCT.title), Text("x"))})),
    "words": Text("three"),
    "welsh": Text("tri", "cy"),
    "number": Number("3", IRI(XSD.integer)),
    "ill": When("2025-02-30", IRI(XSD.date)),
}


@pytest.mark.parametrize(
    ("asked", "conforming"),
    [
        ("sh:nodeKind sh:IRI", "iri named"),
        ("sh:nodeKind sh:BlankNode", "blank"),
        ("sh:nodeKind sh:Literal", "words welsh number ill"),
        ("sh:nodeKind sh:BlankNodeOrIRI", "iri named blank"),
        ("sh:nodeKind sh:BlankNodeOrLiteral", "blank words welsh number ill"),
        ("sh:nodeKind sh:IRIOrLiteral", "iri named words welsh number ill"),
        ("sh:in ( <https://example.org/a> 'tri'@cy 3 )", "iri named welsh number"),
        ("sh:datatype xsd:string", "words"),
        ("sh:datatype xsd:date", ""),
        ("sh:datatype xsd:integer", "number"),
        ("sh:minLength 4", "iri named words ill"),
        ("sh:maxLength 4", "welsh number"),
        ("sh:pattern 'TRI|thr' ; sh:flags 'i'", "words welsh"),
        ("sh:or ( [ sh:datatype xsd:integer ] [ sh:maxLength 3 ] )", "welsh number"),
        ("sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:maxCount 1 ; sh:pattern 'x' ]", "blank"),
        ("sh:property [ sh:path dct:title ; sh:maxCount 0 ]", "iri named words welsh number ill"),
    ],
)
def test_each_construct_agrees_with_pyshacl_on_every_kind_of_value(asked, conforming):
    shape = GOOD + f":V a sh:NodeShape ; {asked} ."
    conforms = Shapes(rdf.graph(shape.encode(), "text/turtle"), "x.ttl").conforms("http://example.org/V")
    assert {name for name, value in VALUES.items() if conforms(value)} == set(conforming.split())
    with_target = (
        GOOD.split(":S a")[0] + f":S sh:targetClass dcat:Dataset ; sh:property :P . :V a sh:NodeShape ; {asked} ."
    )
    around = rdflib.Graph().parse(data=with_target + ":P sh:path dct:relation ; sh:node :V .", format="turtle")
    for name, value in VALUES.items():
        graph = rdf.to_rdflib(Dataset(rest=frozenset({Statement(IRI(DCT.relation), value)})))
        assert pyshacl.validate(graph, shacl_graph=around)[0] == conforms(value), name


# ---- Limits

TOO_MUCH = {
    "distributions": Dataset(distributions=frozenset(Distribution(byte_size=Text(str(n))) for n in range(5_001))),
    "keywords": Dataset(keywords=frozenset(Text(str(n)) for n in range(2_001))),
    "title": Dataset(titles=frozenset({Text("x" * 10_001)})),
    "description": Dataset(descriptions=frozenset({Text("x" * 1_000_001)})),
    "statements": Dataset(rest=frozenset(Statement(IRI(RDF.value), Text(str(n))) for n in range(60_001))),
}


@pytest.mark.parametrize("name", LIMITS)
def test_more_than_a_limit_allows_is_one_error_with_the_figure(name):
    (problem,) = validate(TOO_MUCH[name])
    assert problem.severity == "error"
    assert problem.rule == f"{name}-limit"
    assert f"{LIMITS[name].most:,} is the most" in problem.message
    assert problem.found == f"{LIMITS[name].most + 1:,}"


def test_statements_below_count_as_well():
    notes = frozenset(Statement(IRI(RDF.value), Text(str(n))) for n in range(31_000))
    service = DataService(rest=notes)
    assert [p.rule for p in validate(Dataset(rest=notes, samples=frozenset({Thing(rest=notes)})))] == [
        "statements-limit"
    ]
    assert "statements-limit" not in [p.rule for p in validate(service)]


def test_as_much_as_a_limit_allows_is_taken():
    files = frozenset(Distribution(byte_size=Text(str(n))) for n in range(5_000))
    assert not [
        p for p in validate(Dataset(titles=frozenset({Text("x" * 10_000)}), distributions=files)) if "limit" in p.rule
    ]
