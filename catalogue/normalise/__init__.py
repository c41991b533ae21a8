"""Small, pure repairs: what sources write in many ways becomes one. `docs/normalisation.md` shows each of them.

A repair takes a value and gives the value itself when nothing is wrong, another one, several, or None when it says nothing.
REPAIRS says which property has which; STEPS look at a thing as a whole. What we have no property for is left as it was said.
To add a repair, write the function, name it here, and add its example to the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import is_not
from typing import Any, NamedTuple, TypeVar

from catalogue.dcat import (
    IRI,
    Distribution,
    Literal,
    Node,
    Number,
    Property,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
    When,
    once,
    properties,
    replace,
)
from catalogue.normalise.addresses import email, link, telephone, words_or_address
from catalogue.normalise.concepts import concept, one_format
from catalogue.normalise.dates import date, period
from catalogue.normalise.numbers import byte_size
from catalogue.normalise.people import agent, contact
from catalogue.normalise.places import box, geometry, place
from catalogue.normalise.words import Mended, keyword, line, name, one_spelling, prose, safe, written
from catalogue.rdf import described, sort_key
from vocab.namespaces import ADMS, DCAT, DCT, FOAF, LOCN, OWL, RDFS, SKOS, SPDX, UKMEM, VCARD

__all__ = ["REPAIRS", "STEPS", "normalise"]

N = TypeVar("N", bound=Node)
Repair = Callable[[Value], Mended]

REPAIRS: Mapping[str, Repair] = {
    **dict.fromkeys(
        (
            DCT.title, DCT.alternative, RDFS.comment, RDFS.label, SKOS.prefLabel, FOAF.name, LOCN.geographicName, VCARD.fn,
            VCARD["organization-name"], VCARD["organization-unit"],
        ),
        line,
    ),
    **dict.fromkeys((DCT.description, ADMS.versionNotes), prose),
    **dict.fromkeys((DCT.identifier, ADMS.identifier, DCAT.version, OWL.versionInfo, SPDX.checksumValue, VCARD.hasUID), name),
    DCAT.keyword: keyword,
    **dict.fromkeys((DCT.issued, DCT.modified, DCT.created, DCAT.startDate, DCAT.endDate), date),
    DCT.temporal: period,
    DCT.spatial: place,
    DCAT.bbox: box,
    **dict.fromkeys((DCAT.centroid, LOCN.geometry), geometry),
    DCAT.byteSize: byte_size,
    DCT.license: concept("licences"),
    **dict.fromkeys(
        (DCT.format, DCAT.mediaType, DCAT.compressFormat, DCAT.packageFormat),
        concept("media-types"),
    ),
    DCT.accrualPeriodicity: concept("frequencies"),
    DCT.language: concept("languages"),
    DCT.accessRights: concept("access-rights", narrower="kept"),
    UKMEM.securityClassification: concept("security-classification"),
    DCAT.theme: concept("themes", narrower="kept"),
    **dict.fromkeys(
        (
            DCAT.accessURL, DCAT.downloadURL, DCAT.landingPage, DCAT.endpointURL, DCAT.endpointDescription, FOAF.page,
            FOAF.homepage, VCARD.hasURL,
        ),
        link,
    ),
    **dict.fromkeys((FOAF.mbox, VCARD.hasEmail), email),
    **dict.fromkeys((FOAF.phone, VCARD.hasTelephone), telephone),
    **dict.fromkeys((DCT.publisher, DCT.creator, DCT.rightsHolder), agent),
    DCAT.contactPoint: contact,
}  # fmt: skip
"""By property. Others have words mended, and where an address may stand, words that are one become one."""

STEPS: tuple[tuple[type[Node], Callable[[Any], Any]], ...] = ((Distribution, one_format), (Resource, one_spelling))
"""Repairs of a thing as a whole, in the order in which they run."""


def normalise(resource: Resource) -> Resource:
    """A resource with every repair made. Made again, none of them changes anything."""
    return _node(resource)


def _node(node: N) -> N:
    """A thing and all that hangs below it; the same object when nothing had to be mended, as is usual."""
    mended: dict[str, Any] = {}
    plan = _plan(type(node))
    for name_, held in vars(node).items():
        column = plan.columns.get(name_)
        if column is None:  # its address, its types, the rest
            continue
        many, mend = column
        if many:
            found = [mend(value) for value in held]
            if any(map(is_not, found, held)):
                mended[name_] = frozenset(_each(found))
        elif (value := mend(held)) is not held:
            mended[name_] = min(value, key=sort_key, default=None) if type(value) is tuple else value
    if node.rest:
        _rest(node, plan, mended)
    if node.iri is not None and (iri := safe(node.iri)) is not node.iri:
        mended["iri"] = iri
    if mended:
        node = replace(node, **mended)
    if node.TYPE in node.types and described(node):
        node = replace(node, types=node.types - {IRI(node.TYPE)})  # its place says so already
    for step in plan.steps:
        node = step(node)
    return node


def _rest(node: Node, plan: Plan, mended: dict[str, Any]) -> None:
    """What a property could not take as it was said, it may take once it is mended: `dct:issued "2024"^^xsd:integer`.

    Of several values for a property that takes one, the first in order has it, as when a graph is read.
    """
    kept: set[Statement] = set()
    found: dict[Property, set[Value]] = {}
    for statement in node.rest:
        column = plan.by_predicate.get(statement.predicate)
        if column is None:
            kept.update(_as_said(statement))
            continue
        prop, mend = column
        for value in _each((mend(statement.object),)):
            if isinstance(value, prop.kinds):
                found.setdefault(prop, set()).add(value)
            else:
                kept.update(_as_said(statement))
    for prop, values in found.items():
        held = mended.get(prop.name, getattr(node, prop.name))
        if prop.many:
            if not values <= held:
                mended[prop.name] = held | values
            continue
        first, *further = sorted(values | ({held} if held is not None else set()), key=sort_key)
        if first != held:
            mended[prop.name] = first
        kept.update(Statement(prop.predicate, value) for value in further)
    if kept != node.rest:
        mended["rest"] = frozenset(kept)


def _as_said(statement: Statement) -> Iterator[Statement]:
    """A statement for which we have no property, but for what no graph can hold."""
    said = statement.object
    value = (_below(said, bare=True) or type(said)()) if isinstance(said, Node) else written(said)
    if value is not None:
        yield statement if value is said else Statement(statement.predicate, value)


# ---- What there is to do for a noun, worked out once

LEAVES = frozenset((IRI, Text, Literal, When, Number))


class Plan(NamedTuple):
    """A noun's properties with their repairs, and the steps for the whole."""

    columns: Mapping[str, tuple[bool, Repair]]
    by_predicate: Mapping[str, tuple[Property, Repair]]
    steps: tuple[Callable[[Any], Any], ...]


@once
def _plan(noun: type[Node]) -> Plan:
    stated = [(prop, _repair(prop)) for prop in properties(noun)]
    older: dict[str, tuple[Property, Repair]] = {also: column for column in stated for also in column[0].also}
    return Plan(
        columns={prop.name: (prop.many, mend) for prop, mend in stated},
        by_predicate={**older, **{column[0].predicate: column for column in stated}},
        steps=tuple(step for of, step in STEPS if issubclass(noun, of)),
    )


def _repair(prop: Property) -> Repair:
    """The repair of one property's values, and of what hangs below them. It gives nothing that the property cannot take."""
    own = REPAIRS.get(prop.predicate) or (words_or_address if IRI in prop.kinds else prose)
    kinds = prop.kinds
    leaves = LEAVES & {Text, *kinds}
    noun = next((kind for kind in kinds if issubclass(kind, Node)), Thing)

    def mend(value: Value) -> Mended:
        found = own(value)
        if found is value and type(value) in leaves:
            return value
        if type(found) is IRI and IRI not in kinds:
            found = noun(iri=found)
        elif type(found) is Thing and noun is not Thing:
            found = noun(iri=found.iri, types=found.types, rest=found.rest)
        if isinstance(found, Node):
            found = _below(found, IRI in kinds)
        return found if found is None or type(found) is tuple or isinstance(found, kinds) else written(value)

    return mend


def _below(node: Node, bare: bool) -> Node | IRI | None:
    """A thing as it hangs below another, in the form in which a graph gives it back: its address alone if that is all.

    `bare` says whether an address may stand there by itself. None when nothing is left to say.
    """
    node = _node(node)
    if node.types or described(node):
        return node
    return node.iri if node.iri is None or (bare and isinstance(node, Thing)) else node


def _each(mended: Iterable[Mended]) -> Iterator[Value]:
    """Mended values, those left out that say nothing."""
    for value in mended:
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value
