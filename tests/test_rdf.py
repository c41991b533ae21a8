"""RDF out and in again: nothing is lost, nothing is added, the same input gives the same bytes, and rdflib reads the same."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from rdflib.compare import isomorphic
from shared import CHECKOUT, shared_data, shared_files
from strategies import everything, normalised

from catalogue import rdf
from catalogue.dcat import (
    IRI,
    NOUNS,
    Agent,
    Catalog,
    CatalogRecord,
    Dataset,
    Node,
    Relationship,
    Statement,
    Text,
    Thing,
    properties,
    values,
)
from catalogue.errors import FedcatError
from vocab.namespaces import DCT, FOAF, OWL, RDFS, XSD

SYNTAXES = {
    "application/n-triples": (rdf.ntriples, "nt"),
    "text/turtle": (rdf.turtle, "turtle"),
    "application/rdf+xml": (rdf.rdfxml, "xml"),
    "application/ld+json": (rdf.jsonld, "json-ld"),
}
"""By media type: how we write it, and what rdflib calls it."""

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
EVERY_SYNTAX = pytest.mark.parametrize("media_type", SYNTAXES)


@pytest.fixture(autouse=True)
def as_written(monkeypatch):
    """rdflib neither rewrites literals nor reports each bad one in the log."""
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)


def written(node: Node, media_type: str) -> bytes:
    return SYNTAXES[media_type][0]([node])


def by_rdflib(node: Node, media_type: str) -> rdflib.Graph:
    with warnings.catch_warnings(action="ignore"):
        return rdflib.Graph().parse(data=written(node, media_type), format=SYNTAXES[media_type][1])


# ---- Round trips of generated descriptions


@EVERY_SYNTAX
@MANY
@given(resource=normalised())
def test_what_is_written_is_read_again(media_type, resource):
    assert rdf.read(written(resource, media_type), media_type) == resource


@EVERY_SYNTAX
@MANY
@given(resource=normalised())
def test_rdflib_reads_the_same_statements(media_type, resource):
    assert isomorphic(by_rdflib(resource, media_type), rdf.to_rdflib(resource))


@MANY
@given(resource=normalised())
def test_equal_descriptions_have_equal_fingerprints_whatever_they_were_read_from(resource):
    read = {rdf.fingerprint(rdf.read(written(resource, media_type), media_type)) for media_type in SYNTAXES}
    assert read == {rdf.fingerprint(resource)}


@MANY
@given(resource=normalised())
def test_a_reader_puts_into_a_property_only_what_it_takes(resource):
    def check(node: Node) -> None:
        for prop, value in values(node):
            assert isinstance(value, prop.kinds), (prop.name, value)
            if isinstance(value, Node):
                check(value)

    check(rdf.read(written(resource, "text/turtle"), "text/turtle"))


@MANY
@given(resource=normalised())
def test_an_rdflib_graph_goes_in_as_it_came_out(resource):
    graph = rdf.from_rdflib(rdf.to_rdflib(resource))
    (subject, *_) = rdf.resources(graph)
    assert rdf.fingerprint(rdf.Reader(graph).read(subject)) == rdf.fingerprint(resource)


@EVERY_SYNTAX
def test_one_of_everything_survives(media_type):
    whole = everything()
    assert isomorphic(by_rdflib(whole, media_type), rdf.to_rdflib(whole))
    again = rdf.read(written(whole, media_type), media_type)
    assert rdf.canonical(again) == rdf.canonical(whole)


# ---- The same bytes

DIGESTS = """
import hashlib, sys
sys.path.insert(0, "tests")
from strategies import everything
from catalogue import rdf
from catalogue.normalise import normalise
from catalogue.validate import validate
for node in (everything(), normalise(everything())):
    for write in (rdf.ntriples, rdf.turtle, rdf.rdfxml, rdf.jsonld):
        data = write([node])
        print(write.__name__, hashlib.sha256(data if write is not rdf.ntriples else rdf.canonical(node)).hexdigest())
    print(validate(node))
"""


def test_two_processes_write_the_same_bytes():
    said = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert said.pop().count(b"\n") == 10


# ---- JSON-LD's names


def test_a_json_name_means_one_property_everywhere():
    by_name: dict[str, set[str]] = {}
    for noun in NOUNS:
        for prop in properties(noun):
            by_name.setdefault(prop.json, set()).add(prop.predicate)
    assert {name: predicates for name, predicates in by_name.items() if len(predicates) > 1} == {}


def test_words_where_another_noun_takes_only_addresses_stay_words():
    relation = Relationship(relations=frozenset({IRI("https://example.org/other")}))
    dataset = Dataset(
        titles=frozenset({Text("A")}),
        relations=frozenset({Text("the same in paper form")}),
        qualified_relations=frozenset({relation}),
    )
    assert rdf.read(rdf.jsonld([dataset]), "application/ld+json") == dataset


@pytest.mark.parametrize(
    "node",
    [
        CatalogRecord(
            iri=IRI("https://example.org/record/1"),
            source=IRI("https://example.org/source"),
            primary_topic=IRI("https://example.org/dataset/1"),
        ),
        Catalog(
            iri=IRI("https://example.org/catalog"),
            homepage=IRI("https://example.org/"),
            titles=frozenset({Text("All")}),
        ),
    ],
    ids=lambda node: type(node).__name__,
)
@EVERY_SYNTAX
def test_what_only_we_write_is_read_too(media_type, node):
    graph = rdf.graph(written(node, media_type), media_type)
    assert rdf.Reader(graph).read(node.iri) == node


# ---- Found by the tests above


@EVERY_SYNTAX
def test_a_line_separator_inside_a_literal_ends_no_line(media_type):
    note = Statement(IRI("http://example.org/ns#note"), Text("one\u2028two\x85three\u2029four\nfive\r\nsix"))
    dataset = Dataset(iri=IRI("https://example.org/d"), titles=frozenset({Text("A")}), rest=frozenset({note}))
    assert rdf.read(written(dataset, media_type), media_type) == dataset


def test_a_described_page_is_a_thing_and_what_takes_no_thing_leaves_it_in_the_rest():
    data = f"""
        <http://e/d> a <http://www.w3.org/ns/dcat#Dataset> ; <{DCT.title}> "A" ; <{DCT.publisher}> <http://e/p> ;
            <{DCT.identifier}> <http://e/i> .
        <http://e/p> <{FOAF.name}> "P" ; <{FOAF.homepage}> <http://e/h> .
        <http://e/h> a <{FOAF.Document}> .
        <http://e/i> <{RDFS.label}> "I" .
    """
    dataset = rdf.read(data.encode(), "text/turtle")
    page = Thing(iri=IRI("http://e/h"), types=frozenset({IRI(FOAF.Document)}))
    label = Thing(iri=IRI("http://e/i"), rest=frozenset({Statement(IRI(RDFS.label), Text("I"))}))
    assert dataset.publisher == Agent(iri=IRI("http://e/p"), names=frozenset({Text("P")}), homepages=frozenset({page}))
    assert dataset.identifiers == frozenset()
    assert dataset.rest == {Statement(IRI(DCT.identifier), label)}


@EVERY_SYNTAX
@pytest.mark.parametrize("predicate", ["https://example.org/ns/2020", "urn:example:7", "https://example.org/ns/"])
def test_a_predicate_that_no_xml_element_can_be_named_after_spoils_no_feed(media_type, predicate):
    note = Statement(IRI(predicate), Text("x"))
    dataset = Dataset(iri=IRI("https://example.org/d"), titles=frozenset({Text("A")}), rest=frozenset({note}))
    left_out = 1 if media_type == "application/rdf+xml" else 0
    assert len(by_rdflib(dataset, media_type)) == 3 - left_out


# ---- Real files, with rdflib as witness

FORMATS = {".ttl": "turtle", ".rdf": "xml", ".xml": "xml", ".jsonld": "json-ld", ".nt": "nt"}
REAL = [path for path in shared_files("**/*") if path.suffix in FORMATS and path.parts[-2] != "EXPECTED"]
FOLLOWED = 2
"""How many addresses deep we compare: the dataset, its files, their services."""


@cache
def expected_formats() -> dict[str, str]:
    """The syntax of each real file that parses, as somebody else found."""
    folder = shared_data()
    assert folder is not None
    found = json.loads((folder / "EXPECTED" / "rdf_counts.json").read_text(encoding="utf-8"))
    return {name: facts["format"] for name, facts in found.items()}


def witness(path: Path) -> rdflib.Graph | None:
    """The file as rdflib reads it, named graphs and all; None where it cannot, or would fetch something."""
    format_ = expected_formats().get(str(path.relative_to(shared_data() or path)))
    if format_ not in FORMATS.values() or (format_ == "json-ld" and fetches(json.loads(path.read_bytes()))):
        return None
    graph, whole = rdflib.Graph(), rdflib.Dataset()
    with warnings.catch_warnings(action="ignore"):
        whole.parse(data=path.read_bytes(), format=format_, publicID="http://relative.invalid/")
        for subject, predicate, value, _ in whole.quads():
            graph.add((subject, predicate, value))
    return graph


def fetches(document: object) -> bool:
    """Whether a JSON-LD document names a context that rdflib would go out for."""
    if isinstance(document, list):
        return any(map(fetches, document))
    if not isinstance(document, dict):
        return False
    contexts = document.get("@context", [])
    contexts = contexts if isinstance(contexts, list) else [contexts]
    return any(isinstance(context, str) for context in contexts) or any(map(fetches, document.values()))


RENAMED = {older: prop.predicate for noun in NOUNS for prop in properties(noun) for older in prop.also}
"""Older names of properties; both sides are compared by the newer."""

Unfolded = object


def unfolded(graph: rdflib.Graph, subject, named: set[str], above: tuple = (), hops: int = 0) -> Unfolded:
    """All that a graph says of a subject, as nested sets: blank nodes by their content, addresses by what is said of them."""
    said = set()
    for predicate, value in graph.predicate_objects(subject):
        if predicate == rdflib.RDF.type and str(value) in {noun.TYPE for noun in NOUNS}:
            continue  # implied by the place in which a thing hangs, so we may add it
        said.add(
            (
                RENAMED.get(str(predicate), str(predicate)),
                _unfolded(graph, value, predicate, named, (*above, subject), hops),
            )
        )
    return frozenset(said)


def _unfolded(graph, value, predicate, named, above, hops) -> Unfolded:
    if isinstance(value, rdflib.Literal):
        lang = (value.language or "").lower()
        datatype = re.sub("^xsd:", str(XSD), str(value.datatype or ""))  # a prefix that the file forgot to declare
        return (str(value), lang, "" if lang or datatype == XSD.string else datatype)
    if value in above:
        return "above"
    if isinstance(value, rdflib.BNode):
        return unfolded(graph, value, named, above, hops)
    address = rdf.repaired(str(value))
    if address in named or hops == FOLLOWED or str(predicate) == OWL.sameAs:
        return address
    return (address, unfolded(graph, value, named, above, hops + 1))


@pytest.mark.parametrize("path", REAL, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_every_statement_about_a_dataset_comes_out_again(path):
    try:
        ours = rdf.graph(path.read_bytes())
    except FedcatError:
        return
    found = list(rdf.resources(ours))
    theirs = witness(path) if found else None
    if theirs is None:
        return
    named = set(rdf.tops(ours))
    said = {rdf.repaired(str(node)): unfolded(theirs, node, named) for node in set(theirs.subjects())}
    for subject in found:
        resource = rdf.Reader(ours).read(subject)
        for media_type in SYNTAXES:
            graph = by_rdflib(resource, media_type)
            out = unfolded(graph, root(graph, resource), named)
            assert out in ([said[resource.iri]] if resource.iri else said.values()), media_type


def root(graph: rdflib.Graph, resource: Node) -> rdflib.term.Node:
    """The resource itself: by its address, or as the one blank node that hangs nowhere."""
    if resource.iri is not None:
        return rdflib.URIRef(resource.iri)
    (found,) = {node for node in graph.subjects() if isinstance(node, rdflib.BNode)} - set(graph.objects())
    return found


# ---- What one source writes must not spoil the feed for the others


ODD = """<http://x.example/a[1]> <http://purl.org/dc/terms/title> "Locks" .
<http://x.example/a[1]> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#Dataset> .
<http://x.example/a[1]> <http://ex.example/said so> "yes" .
<http://x.example/a[1]> <http://purl.org/dc/terms/relation> <http://x.example/100%> .
<http://x.example/a[1]> <http://purl.org/dc/terms/relation> <http://x.example/?tag[]=b#c#d> .
<http://x.example/a[1]> <http://purl.org/dc/terms/relation> <http://[bad> .
<http://x.example/a[1]> <http://purl.org/dc/terms/relation> <http://[::1]:80/locks> .
<http://x.example/a[1]> <http://ex.example/size> "5"^^<http://ex.example/lock gates> .
"""


@EVERY_SYNTAX
def test_whatever_stands_in_an_address_a_strict_reader_reads_what_we_write(media_type):
    node = rdf.read(ODD.encode(), "application/n-triples")
    strict = list(ox.parse(written(node, media_type), format=rdf.FORMATS[media_type]))
    assert len(strict) == len(ODD.splitlines())
    assert node.iri == "http://x.example/a%5B1%5D"
    assert IRI("http://[::1]:80/locks") in node.relations


def test_an_address_that_was_repaired_needs_no_repair():
    for address in ("http://x.example/100%", "http://x.example/a[1]?b[]=c#d#e", "http://x.example/\ue000"):
        assert rdf.repaired(rdf.repaired(address)) == rdf.repaired(address) != address


def test_a_statement_about_a_statement_is_told_and_the_rest_is_kept():
    said = '<http://x.example/1> <http://purl.org/dc/terms/title> "Locks"'
    typed = "<http://x.example/1> a <http://www.w3.org/ns/dcat#Dataset> ."
    graph = rdf.graph(f'{typed}\n{said} .\n<< {said} >> <http://ex.example/by> "Ann" .'.encode(), "text/turtle")
    assert [problem.rule for problem in graph.problems] == ["quoted-triple"]
    assert rdf.Reader(graph).read("http://x.example/1").titles == {Text("Locks")}


def test_a_file_that_names_its_dataset_is_one_of_its_files():
    said = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        <https://canals.example/locks> a dcat:Dataset ; dct:title "Locks" .
        <https://canals.example/locks.csv> a dcat:Distribution ; dcat:isDistributionOf <https://canals.example/locks> .
        [] a dcat:Distribution ; dct:title "By post" ; dcat:isDistributionOf <https://canals.example/locks> ."""
    dataset = rdf.read(said.encode(), "text/turtle")
    assert len(dataset.distributions) == 2
    assert rdf.read(rdf.turtle([dataset]), "text/turtle") == dataset
