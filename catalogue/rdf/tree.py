"""A graph becomes nouns: every resource is a tree of what was said about it, and nothing said is left out.

A described address hangs in the tree wherever it is named, up to HOPS addresses deep. Another dataset is only named: it has
a tree of its own. Blank nodes hang where they are pointed at, and need no labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalogue.dcat import (
    IRI,
    Catalog,
    CatalogRecord,
    DataService,
    Dataset,
    DatasetSeries,
    Node,
    Property,
    Resource,
    Statement,
    Thing,
    Value,
    once,
    properties,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.rdf.parse import Graph, Tokens
from catalogue.rdf.terms import literal, named, subject_of, token_of
from catalogue.rdf.write import sort_key
from vocab.namespaces import DCAT, OWL, RDF

HOPS = 3
MAX_DEPTH = 60
MAX_STATEMENTS = 60_000

DESCRIBED: dict[str, type[Node]] = {
    f"<{type_}>": noun
    for type_, noun in (
        (DCAT.Catalog, Catalog),
        (DCAT.CatalogRecord, CatalogRecord),
        (DCAT.DatasetSeries, DatasetSeries),
        (DCAT.Dataset, Dataset),
        (DCAT.DataService, DataService),
    )
}
"""What has a tree of its own, by type. First match wins: catalogues and series are datasets as well."""

TYPE, MEMBER, WAY_IN, SAME = (f"<{address}>" for address in (RDF.type, DCAT.dataset, DCAT.accessService, OWL.sameAs))
TELLING = frozenset({TYPE, MEMBER, WAY_IN, f"<{DCAT.service}>"})
"""The predicates by which we tell what a subject is."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a tree the reader is: what hangs above, and how many addresses deep."""

    above: tuple[str, ...] = ()
    hops: int = 0

    def below(self, subject: str) -> Place:
        return Place((*self.above, subject), self.hops + (subject[0] == "<"))


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A property as the reader needs it. `plain` takes addresses as they are; what is described becomes a `noun`."""

    name: str
    predicate: IRI
    many: bool
    kinds: tuple[type, ...]
    plain: bool
    noun: type[Node] | None


def tops(graph: Graph) -> dict[str, type[Node]]:
    """What a graph describes in its own right: datasets, series, services, catalogues and records, by subject.

    A service that only serves as a distribution's way in belongs to that distribution; so does one without an address.
    """
    return Reader(graph).tops


def _tops(graph: Graph) -> dict[str, type[Node]]:
    found: dict[str, type[Node]] = {}
    listed: set[str] = set()
    ways_in: set[str] = set()
    for subject, telling in graph.saying(TELLING):
        if noun := _noun_of(telling):
            found[subject] = noun
        for predicate, value in telling:
            if predicate == WAY_IN:
                ways_in.add(value)
            elif predicate != TYPE:
                listed.add(value)
                if predicate == MEMBER and value in graph.said:
                    found.setdefault(value, Dataset)
    return {
        subject: noun
        for subject, noun in found.items()
        if noun is not DataService or subject in listed or subject not in ways_in
    }


def _noun_of(telling: Tokens) -> type[Node] | None:
    """What a subject is, by its types and by what it lists."""
    if any(predicate == MEMBER for predicate, _ in telling):
        return Catalog
    types = {value for predicate, value in telling if predicate == TYPE}
    return next((noun for type_, noun in DESCRIBED.items() if type_ in types), None)


def resources(graph: Graph) -> list[str]:
    """The subjects of a graph that a catalogue holds: datasets, series and services, in the order of the file."""
    return Reader(graph).resources


class Reader:
    """Reads trees out of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.own = _tops(graph)
        """What has a tree of its own, by subject as N-Triples writes it."""
        self._budget = MAX_STATEMENTS

    @cached_property
    def tops(self) -> dict[str, type[Node]]:
        """What has a tree of its own, by subject."""
        return {subject_of(subject): noun for subject, noun in self.own.items()}

    @property
    def resources(self) -> list[str]:
        """The subjects that a catalogue holds: datasets, series and services, in the order of the file."""
        return [subject_of(s) for s, noun in self.own.items() if issubclass(noun, Resource) and noun is not Catalog]

    @property
    def roots(self) -> list[str]:
        """Those of `resources` that nothing in the graph points at, else all of them."""
        pointed_at = {subject_of(value) for pairs in self.graph.said.values() for _, value in pairs if value[0] != '"'}
        return [subject for subject in self.resources if subject not in pointed_at] or self.resources

    def read(self, subject: str) -> Node:
        """The tree of one of the graph's own subjects.

        Raises RecordRejected when it is too large or too deep to be a description.
        """
        self._budget = MAX_STATEMENTS
        token = token_of(subject)
        return self._node(token, self.own[token], Place())

    def _node(self, subject: str, noun: type[Node], place: Place) -> Node:
        here = place.below(subject)
        if len(here.above) > MAX_DEPTH:
            raise RecordRejected(_too("deep", f"more than {MAX_DEPTH} levels"))
        pairs = self.graph.said.get(subject, [])
        self._budget -= len(pairs)
        if self._budget < 0:
            raise RecordRejected(_too("large", f"more than {MAX_STATEMENTS:,} statements"))
        slots = _slots(noun)
        said: dict[Slot, list[Value]] = {}
        rest: list[Statement] = []
        types: set[IRI] = set()
        for predicate, value in pairs:
            slot = slots.get(predicate)
            read: Value | None
            if value[0] == '"':
                read = literal(value)
            elif slot is None:
                read = None
            elif slot.plain and value[0] == "<" and value not in self.graph.said:
                read = named(value)
            else:
                read = self._placed(value, slot, here)
            if slot and read is not None and isinstance(read, slot.kinds):
                said.setdefault(slot, []).append(read)
            elif predicate == TYPE and value[0] == "<":
                types.add(named(value))
            elif predicate == SAME and value[0] == "<":  # another name of this thing, not a part of it
                rest.append(Statement(named(predicate), named(value)))
            else:
                rest.append(Statement(named(predicate), self._value(value, here)))
        held: dict[str, Any] = {}
        for slot, found in said.items():
            if slot.many:
                held[slot.name] = frozenset(found)
                continue
            first, *further = sorted(set(found), key=sort_key) if len(found) > 1 else found
            held[slot.name] = first
            rest.extend(Statement(slot.predicate, value) for value in further)
        if held or rest:
            types.discard(IRI(noun.TYPE))
        return noun(
            iri=named(subject) if subject[0] == "<" else None,
            types=frozenset(types),
            rest=frozenset(rest),
            **held,
        )

    def _placed(self, token: str, slot: Slot, place: Place) -> Value | None:
        """What a property makes of an address or a blank node; None when it takes no such thing."""
        if slot.plain and token[0] == "<":
            return self._value(token, place)
        return self._hanging(token, slot.noun, place) if slot.noun else None

    def _value(self, token: str, place: Place) -> Value:
        """A value as it is said: a bare address unless the graph describes it."""
        if token[0] == '"':
            return literal(token)
        if token[0] == "<" and not self._described(token, place):
            return named(token)
        return self._hanging(token, Thing, place)

    def _hanging(self, token: str, noun: type[Node], place: Place) -> Node:
        if token in place.above:  # it leads back to where we came from: name it and stop
            up = len(place.above) - place.above.index(token)
            return noun(iri=named(token) if token[0] == "<" else IRI(f"urn:fedcat:above:{up}"))
        if token[0] == "<" and not self._described(token, place):
            return noun(iri=named(token))
        return self._node(token, noun, place)

    def _described(self, token: str, place: Place) -> bool:
        return token in self.graph.said and token not in self.own and token not in place.above and place.hops < HOPS + 1


@once
def _slots(noun: type[Node]) -> dict[str, Slot]:
    """A noun's properties by every predicate under which they are said."""
    older = {f"<{also}>": _slot(prop) for prop in properties(noun) for also in prop.also}
    return {**older, **{f"<{prop.predicate}>": _slot(prop) for prop in properties(noun)}}


@once
def _slot(prop: Property) -> Slot:
    nouns = [kind for kind in prop.kinds if issubclass(kind, Node)]
    plain = IRI in prop.kinds and (Thing in nouns or not nouns)
    return Slot(prop.name, prop.predicate, prop.many, prop.kinds, plain, nouns[0] if nouns else None)


def _too(what: str, limit: str) -> Problem:
    return Problem(
        rule=f"too-{what}",
        message=f"This description is too {what}: {limit}.",
        fix="Describe one dataset in one record, and list its files, not its contents.",
    )
