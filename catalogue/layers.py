"""What the source says, what a steward put right, and what we worked out: kept apart per property, laid over one another here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from catalogue import rdf
from catalogue.dcat import Property, Resource, Statement, Thing, once, properties, values
from catalogue.errors import WrongUse

R = TypeVar("R", bound=Resource)

CORRECTION, ENRICHMENT = "correction", "enrichment"


@dataclass(frozen=True, slots=True)
class Layer:
    """One property of a dataset as somebody other than its source says it."""

    property: str
    """Its name in catalogue/dcat.py."""
    value: Resource
    """The dataset with this property alone; without it, where a steward took out what the source says."""
    layer: str
    """CORRECTION or ENRICHMENT."""
    actor: str
    at: datetime
    note: str = ""
    harvested: str = ""
    """Mark of what the source said here when the correction was made, or of the correction once the source says the same."""
    drifted: datetime | None = None
    """When the source was first seen to say something else since."""


def property_of(noun: type[Resource], name: str) -> Property:
    """A property by its name. Raises WrongUse, naming those there are."""
    stated = _stated(noun)
    if name not in stated:
        raise WrongUse(f"A {noun.__name__} has no property '{name}'. Choose one of: {', '.join(sorted(stated))}.")
    return stated[name]


@once
def _stated(noun: type[Resource]) -> dict[str, Property]:
    return {prop.name: prop for prop in properties(noun)}


def alone(resource: R, name: str) -> R:
    """A resource that says of itself this property and nothing else, in whatever form it was said."""
    prop = property_of(type(resource), name)
    under = {prop.predicate, *prop.also}
    said: dict[str, Any] = {name: getattr(resource, name)}
    return type(resource)(
        iri=resource.iri, rest=frozenset(one for one in resource.rest if one.predicate in under), **said
    )


def mark(resource: Resource, name: str) -> str:
    """A fingerprint of what a resource says in a property, whatever kind of resource it is."""
    said = alone(resource, name)
    held = {Statement(prop.predicate, value) for prop, value in values(said)}
    return rdf.fingerprint(Thing(iri=said.iri, rest=said.rest | held))


def says(resource: Resource, name: str) -> bool:
    """Whether a resource says anything in a property."""
    prop = property_of(type(resource), name)
    under = {prop.predicate, *prop.also}
    return bool(getattr(resource, name)) or any(one.predicate in under for one in resource.rest)


def said_by(resource: Resource, layers: Iterable[Layer]) -> dict[str, Layer]:
    """The layers that are seen over what a source says: every correction, and an enrichment where nobody says anything."""
    known = _stated(type(resource))
    held = [layer for layer in layers if layer.property in known]
    seen = {layer.property: layer for layer in held if layer.layer == CORRECTION}
    for layer in held:
        if layer.property not in seen and not says(resource, layer.property):
            seen[layer.property] = layer
    return seen


def layered(resource: R, layers: Iterable[Layer]) -> R:
    """A description with its layers on."""
    for name, layer in said_by(resource, layers).items():
        resource = _laid(resource, name, layer.value)
    return resource


def _laid(resource: R, name: str, value: Resource) -> R:
    said = alone(resource, name)
    held: dict[str, Any] = {name: getattr(value, name, getattr(type(resource)(), name))}
    return replace(resource, rest=(resource.rest - said.rest) | value.rest, **held)


def heard(layer: Layer, source_says: Resource, at: datetime) -> Layer:
    """A correction after its source has spoken again: the source may have moved on, come back, or come round to it."""
    if layer.property not in _stated(type(source_says)):
        return layer
    now = mark(source_says, layer.property)
    if now == mark(layer.value, layer.property):
        return replace(layer, harvested=now, drifted=None)
    return replace(layer, drifted=None if now == layer.harvested else layer.drifted or at)


def agreed(layer: Layer) -> bool:
    """Whether the source says by now what the correction says."""
    return layer.layer == CORRECTION and layer.harvested == mark(layer.value, layer.property)
