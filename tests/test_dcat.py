"""The nouns: every property of the standards has its line, older and inverse ones too, and says what it means."""

from __future__ import annotations

import pytest
import rdflib
from rdflib import OWL, RDF
from shared import shared_files

from catalogue import rdf
from catalogue.dcat import IRI, NOUNS, Agent, Dataset, Text, properties, replace
from catalogue.facts import facts
from catalogue.web import people
from vocab.namespaces import DCAT

INVERSES = ("inCatalog", "isDistributionOf", "isVersionOf", "next", "nextVersion", "seriesMember")
"""What DCAT 3 lets people say from the other end; its ontology leaves these out."""

STATED = {str(address) for noun in NOUNS for prop in properties(noun) for address in (prop.predicate, *prop.also)}


@pytest.mark.parametrize("path", shared_files("shapes/w3c_dcat3/dcat3.ttl"))
def test_every_property_of_dcat_3_has_a_line(path):
    ontology = rdflib.Graph().parse(path)
    kinds = (RDF.Property, OWL.ObjectProperty, OWL.DatatypeProperty)
    wanted = {str(subject) for kind in kinds for subject in ontology.subjects(RDF.type, kind)}
    assert len(wanted) > 30
    assert wanted - STATED == set()


def test_every_inverse_of_dcat_3_has_a_line():
    assert {DCAT[name] for name in INVERSES} - STATED == set()


def test_a_period_between_two_instants_is_known_by_its_dates():
    said = b"""
        @prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        @prefix time: <http://www.w3.org/2006/time#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
        <https://canals.example/id/locks> a dcat:Dataset ; dct:title "Locks" ; dct:temporal [
            time:hasBeginning [ a time:Instant ; time:inXSDDate "2020-04-01"^^xsd:date ] ;
            time:hasEnd [ a time:Instant ; time:inXSDgYear "2023"^^xsd:gYear ] ] ."""
    seen = facts(rdf.read(said, "text/turtle"))
    assert (seen.covers_from, seen.covers_to) == ("2020-04-01", "2023")


def test_who_holds_the_rights_is_shown_as_the_owner():
    holder = Agent(iri=IRI("https://canals.example/id/trust"), names=frozenset({Text("Canal Trust")}))
    shown = people.people(Dataset(rights_holders=frozenset({holder, Text("Towpath Society")})))
    assert {(person.role, person.name) for person in shown} == {
        ("owner", Text("Canal Trust")),
        ("owner", Text("Towpath Society")),
    }


def test_a_noun_takes_no_property_that_it_does_not_have():
    with pytest.raises(TypeError, match="Dataset has no colour"):
        Dataset(colour="red")


def test_what_says_nothing_equals_what_was_not_said():
    assert Dataset(titles=frozenset(), publisher=None, iri=IRI("")) == Dataset()
    assert hash(Dataset(titles=frozenset())) == hash(Dataset())
    said = Dataset(titles=frozenset({Text("Locks")}))
    assert replace(said, titles=frozenset()) == Dataset()
    with pytest.raises(AttributeError):
        said.titles = frozenset()
