"""Layers over what the leading records say: kept up to date within the transaction that settles their datasets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue import organisations, rdf
from catalogue.dcat import IRI, Resource, kind_of, words
from catalogue.enrich import enrichments
from catalogue.identify import Contact, Identified, contacts, is_restricted
from catalogue.layers import CORRECTION, ENRICHMENT, Layer, heard, layered, said_by
from catalogue.organisations import Organisation
from catalogue.store.database import aware, chunks, packed, unpacked
from catalogue.store.tables import catalog_bodies, corrections, layered_bodies


@dataclass(frozen=True, slots=True)
class Held:
    """A layer, its row, and its value as it is kept. A new one has no row yet."""

    id: int
    layer: Layer
    body: bytes


@dataclass(frozen=True, slots=True)
class Effective:
    """What a dataset says with its layers on, in place of what its record says."""

    dataset: str
    body: bytes
    facts: dict[str, Any] | None
    """What is kept beside the description; None where that is what its record has."""
    organisation: Organisation | None
    contacts: tuple[Contact, ...]


def read(body: bytes, iri: str) -> Resource:
    """A description that we keep, as nouns."""
    found = rdf.Reader(rdf.kept(body)).read(iri)
    assert isinstance(found, Resource)
    return found


def held_layers(c: sa.Connection, iris: Mapping[str, str]) -> dict[str, list[Held]]:
    """Every layer of some datasets, which are given with their IRIs."""
    found: dict[str, list[Held]] = defaultdict(list)
    for some in chunks(list(iris)):
        wanted = sa.select(corrections).where(corrections.c.dataset.in_(some)).order_by(corrections.c.id)
        for row in c.execute(wanted):
            body = unpacked(row.value)
            found[row.dataset].append(Held(row.id, layer_of(row, body, iris[row.dataset]), body))
    return found


class Layering:
    """One transaction's work on the layers of the datasets that it settles."""

    def __init__(self, connection: sa.Connection, at: datetime) -> None:
        self.c = connection
        self.now = at
        self.contacts: dict[str, tuple[Contact, ...]] = {}
        """Whom each dataset names, with its layers on."""

    def over(self, leads: Mapping[str, tuple[str, Any]], fresh: Mapping[str, Identified]) -> dict[str, Effective]:
        """Bring layers up to date, given IRI and leading record by dataset. What those that have any say now."""
        held = held_layers(self.c, {id_: iri for id_, (iri, _) in leads.items()})
        found: list[Effective] = []
        new: list[dict[str, Any]] = []
        for id_, (iri, lead) in leads.items():
            before = held.get(id_, [])
            if lead is None:
                self._forget(one for one in before if one.layer.layer == ENRICHMENT)
                continue
            here = fresh.get(id_)
            speaks = here is not None and here.fingerprint == lead.fingerprint
            body, said = (here.body, here.resource) if here and speaks else self._said(iri, lead)
            self.contacts[id_] = here.contacts if here and speaks else tuple(contacts(said))
            worked_out = self._worked_out(before, said)
            new += [row_of(id_, one.layer, one.body) for one in worked_out if not one.id]
            if layers := self._hear(before, said) + worked_out:
                found.append(_effective(id_, said, body, layers, lead, self.contacts[id_]))
        for some in chunks(list(held)):
            self.c.execute(sa.delete(layered_bodies).where(layered_bodies.c.dataset.in_(some)))
        if new:
            self.c.execute(sa.insert(corrections), new)
        if found:
            self.contacts |= {one.dataset: one.contacts for one in found}
            bodies = [{"dataset": one.dataset, "body": packed(one.body)} for one in found]
            self.c.execute(sa.insert(layered_bodies), bodies)
        return {one.dataset: one for one in found}

    def _said(self, iri: str, lead: Any) -> tuple[bytes, Resource]:
        """What a leading record says. It is read again only where another record of its dataset was the one touched."""
        held = sa.select(catalog_bodies.c.body).where(catalog_bodies.c.id == lead.id)
        body = unpacked(self.c.execute(held).scalar_one())
        return body, read(body, iri)

    def _hear(self, held: Iterable[Held], said: Resource) -> list[Held]:
        """The corrections of a dataset, each marked when its source has moved on, or has come round to it."""
        found = []
        for one in held:
            if one.layer.layer != CORRECTION:
                continue
            layer = heard(one.layer, said, self.now)
            if layer != one.layer:
                this = sa.update(corrections).where(corrections.c.id == one.id)
                self.c.execute(this.values(harvested=layer.harvested, drifted=layer.drifted))
            found.append(Held(one.id, layer, one.body))
        return found

    def _worked_out(self, held: Iterable[Held], said: Resource) -> list[Held]:
        """The enrichments of a dataset as they are now. Others go."""
        before: dict[tuple[str, bytes], Held] = {
            (one.layer.actor, one.body): one for one in held if one.layer.layer == ENRICHMENT
        }
        found = []
        for enrichment, value in enrichments(said):
            body = rdf.canonical(value)
            layer = Layer(enrichment.property, value, ENRICHMENT, enrichment.actor, self.now)
            found.append(before.pop((enrichment.actor, body), Held(0, layer, body)))
        self._forget(before.values())
        return found

    def _forget(self, gone: Iterable[Held]) -> None:
        if ids := [one.id for one in gone]:
            self.c.execute(sa.delete(corrections).where(corrections.c.id.in_(ids)))


def row_of(dataset: str, layer: Layer, body: bytes) -> dict[str, Any]:
    return {
        "dataset": dataset, "layer": layer.layer, "property": layer.property, "value": packed(body),
        "harvested": layer.harvested, "drifted": layer.drifted, "actor": layer.actor, "at": layer.at, "note": layer.note,
    }  # fmt: skip


def layer_of(row: Any, body: bytes, iri: str) -> Layer:
    at = aware(row.at)
    assert at is not None
    return Layer(
        property=row.property,
        value=read(body, iri) if body else Resource(iri=IRI(iri)),
        layer=row.layer,
        actor=row.actor,
        at=at,
        note=row.note,
        harvested=row.harvested,
        drifted=aware(row.drifted),
    )


TOLD = frozenset({"titles", "publisher", "modified", "access_rights", "contact_points", "qualified_attributions"})
"""The properties that what is kept beside a description follows from."""


def _effective(
    id_: str, said: Resource, body: bytes, held: list[Held], lead: Any, named: tuple[Contact, ...]
) -> Effective:
    """What a dataset says now. Layers that only add, and tell nothing of its facts, are laid line beside line: that is quick."""
    seen = said_by(said, [one.layer for one in held])
    if not TOLD & seen.keys() and all(layer.layer == ENRICHMENT for layer in seen.values()):
        added = [one.body for one in held if seen.get(one.layer.property) is one.layer]
        return Effective(id_, _beside(body, added), None, None, named)
    resource = layered(said, [one.layer for one in held])
    publisher = organisations.organisation(resource.publisher) if resource.publisher != said.publisher else None
    facts = {
        "kind": kind_of(resource),
        "title": words(resource.titles),
        "organisation": publisher.slug if publisher else lead.organisation,
        "modified": resource.modified.value if resource.modified else "",
        "restricted": is_restricted(resource),
    }
    return Effective(id_, rdf.canonical(resource), facts, publisher, tuple(contacts(resource)))


def _beside(body: bytes, added: Iterable[bytes]) -> bytes:
    """Canonical N-Triples with more lines, each once."""
    lines = body.split(b"\n")
    known = set(lines)
    return b"\n".join(sorted([*lines, *(line for one in added for line in one.split(b"\n") if line not in known)]))
