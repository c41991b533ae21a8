"""A graph becomes nouns: every resource is a tree of what was said about it, and nothing said is left out.

A described address hangs in the tree wherever it is named, up to HOPS addresses deep. Another dataset is only named: it has
a tree of its own. Blank nodes hang where they are pointed at, and need no labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyoxigraph as ox

from catalogue.dcat import (
    IRI,
    Catalog,
    CatalogRecord,
    DataService,
    Dataset,
    DatasetSeries,
    Literal,
    Node,
    Property,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
    once,
    properties,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.rdf.parse import Graph, Term
from catalogue.rdf.write import sort_key
from vocab.namespaces import DCAT, RDF

HOPS = 3
MAX_DEPTH = 60
MAX_STATEMENTS = 60_000
LEAVES = (Text, Literal)

RESOURCES: dict[str, type[Resource]] = {
    DCAT.DatasetSeries: DatasetSeries,
    DCAT.Dataset: Dataset,
    DCAT.DataService: DataService,
}
"""First match wins: a series is a dataset as well."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a tree the reader is: what hangs above, and how many addresses deep."""

    above: tuple[str, ...] = ()
    hops: int = 0

    def below(self, subject: str) -> Place:
        return Place((*self.above, subject), self.hops + (not subject.startswith("_:")))


def tops(graph: Graph) -> dict[str, type[Node]]:
    """What a graph describes in its own right: datasets, series, services, catalogues and records, by subject.

    A service that only serves as a distribution's way in belongs to that distribution; so does one without an address.
    """
    found: dict[str, type[Node]] = {}
    listed: set[str] = set()
    ways_in: set[str] = set()
    for subject, pairs in graph.subjects.items():
        said = {o for p, o in pairs if p == RDF.type}
        if DCAT.Catalog in said or any(p == DCAT.dataset for p, _ in pairs):
            found[subject] = Catalog
        elif DCAT.CatalogRecord in said:
            found[subject] = CatalogRecord
        elif kind := next((noun for type_, noun in RESOURCES.items() if type_ in said), None):
            found[subject] = kind
        for predicate, term in pairs:
            if predicate in (DCAT.service, DCAT.dataset):
                listed.add(_key(term))
                if predicate == DCAT.dataset and _key(term) in graph.subjects:
                    found.setdefault(_key(term), Dataset)
            elif predicate == DCAT.accessService:
                ways_in.add(_key(term))
    return {
        subject: noun
        for subject, noun in found.items()
        if noun is not DataService or subject in listed or subject not in ways_in
    }


def resources(graph: Graph) -> Iterator[str]:
    """The subjects of a graph that a catalogue holds: datasets, series and services, in the order of the file."""
    return (s for s, noun in tops(graph).items() if issubclass(noun, Resource) and noun is not Catalog)


def roots(graph: Graph) -> list[str]:
    """Those of `resources` that nothing in the graph points at, else all of them."""
    pointed_at = {_key(o) for pairs in graph.subjects.values() for _, o in pairs if not isinstance(o, LEAVES)}
    found = list(resources(graph))
    return [subject for subject in found if subject not in pointed_at] or found


class Reader:
    """Reads trees out of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tops = tops(graph)
        self._budget = MAX_STATEMENTS

    def read(self, subject: str) -> Node:
        """The tree of one of the graph's own subjects.

        Raises RecordRejected when it is too large or too deep to be a description.
        """
        self._budget = MAX_STATEMENTS
        return self._node(subject, self.tops[subject], Place())

    def _node(self, subject: str, noun: type[Node], place: Place) -> Node:
        known = _by_predicate(noun)
        here = place.below(subject)
        if len(here.above) > MAX_DEPTH:
            raise RecordRejected(_too("deep", f"more than {MAX_DEPTH} levels"))
        said: dict[Property, list[Value]] = {}
        rest: list[Statement] = []
        types: set[IRI] = set()
        pairs = self.graph.of(subject)
        self._budget -= len(pairs)
        if self._budget < 0:
            raise RecordRejected(_too("large", f"more than {MAX_STATEMENTS:,} statements"))
        for predicate, term in pairs:
            if predicate == RDF.type and isinstance(term, IRI):
                types.add(term)
                continue
            prop = known.get(predicate)
            value = self._typed(term, prop, here) if prop else None
            if prop is None or value is None:
                rest.append(Statement(IRI(predicate), self._value(term, here)))
            else:
                said.setdefault(prop, []).append(value)
        held: dict[str, Any] = {}
        for prop, found in said.items():
            if prop.many:
                held[prop.name] = frozenset(found)
                continue
            first, *further = sorted(set(found), key=sort_key) if len(found) > 1 else found
            held[prop.name] = first
            rest.extend(Statement(prop.predicate, value) for value in further)
        described = bool(held or rest)
        return noun(
            iri=None if subject.startswith("_:") else IRI(subject),
            types=frozenset(types - {noun.TYPE} if described else types),
            rest=frozenset(rest),
            **held,
        )

    def _typed(self, term: Term, prop: Property, place: Place) -> Value | None:
        """The value that this property takes for the term; None when it takes nothing of that form."""
        if isinstance(term, LEAVES):
            return term if isinstance(term, prop.kinds) else None
        nouns = _nouns(prop)
        if IRI in prop.kinds and isinstance(term, IRI) and (Thing in nouns or not nouns):
            return self._value(term, place)
        if not nouns:
            return None
        return self._hanging(term, nouns[0], place)

    def _value(self, term: Term, place: Place) -> Value:
        """A term as it is said: a bare address unless the graph describes it."""
        if isinstance(term, LEAVES):
            return term
        if isinstance(term, IRI) and not self._described(term, place):
            return term
        return self._hanging(term, Thing, place)

    def _hanging(self, term: IRI | ox.BlankNode, noun: type[Node], place: Place) -> Node:
        subject = _key(term)
        if subject in place.above:  # it leads back to where we came from: name it and stop
            up = len(place.above) - place.above.index(subject)
            return noun(iri=IRI(f"urn:fedcat:above:{up}") if subject.startswith("_:") else IRI(subject))
        if isinstance(term, IRI) and not self._described(term, place):
            return noun(iri=term)
        return self._node(subject, noun, place)

    def _described(self, address: IRI, place: Place) -> bool:
        return (
            address in self.graph.subjects
            and address not in self.tops
            and address not in place.above
            and place.hops < HOPS + 1
        )


@once
def _by_predicate(noun: type[Node]) -> dict[str, Property]:
    older: dict[str, Property] = {also: prop for prop in properties(noun) for also in prop.also}
    return {**older, **{prop.predicate: prop for prop in properties(noun)}}


@once
def _nouns(prop: Property) -> tuple[type[Node], ...]:
    return tuple(kind for kind in prop.kinds if issubclass(kind, Node))


def _key(term: Term) -> str:
    return "_:" + term.value if isinstance(term, ox.BlankNode) else str(term)


def _too(what: str, limit: str) -> Problem:
    return Problem(
        rule=f"too-{what}",
        message=f"This description is too {what}: {limit}.",
        fix="Describe one dataset in one record, and list its files, not its contents.",
    )
