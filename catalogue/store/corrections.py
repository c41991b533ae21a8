"""Corrections: what a steward says in place of a source, kept apart from it, and taken back when that is over."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from catalogue import rdf
from catalogue.dcat import Resource, Slug, kind_of, words
from catalogue.differences import label
from catalogue.errors import NotFound, WrongUse
from catalogue.layers import CORRECTION, Layer, alone, mark, property_of
from catalogue.source import HarvestSource
from catalogue.store.database import Database, now, unpacked
from catalogue.store.layering import Held, held_layers, layer_of, read, row_of
from catalogue.store.tables import acts, catalog_bodies, corrections, datasets, layered_bodies
from catalogue.store.types import Cause
from catalogue.store.writing import Writing

NO_SOURCE = HarvestSource(name=Slug(""), type="", url="")
"""Whose harvest a person's change is: nobody's."""


class Corrections:
    """The layers over what sources say. Every change of one is a change of its dataset, and an act of a person."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, dataset: str) -> tuple[Layer, ...]:
        """Every layer of a dataset: corrections and enrichments, the oldest first."""
        wanted = (
            sa.select(corrections, datasets.c.iri)
            .join(datasets, datasets.c.id == corrections.c.dataset)
            .where(corrections.c.dataset == dataset)
            .order_by(corrections.c.id)
        )
        with self._db.reading() as c:
            return tuple(layer_of(row, unpacked(row.value), row.iri) for row in c.execute(wanted))

    def harvested(self, dataset: str) -> Resource:
        """What the source that leads says, without any layer. Raises NotFound when no source says anything now."""
        with self._db.reading() as c:
            return _harvested(c, dataset)[0]

    def set(self, dataset: str, name: str, resource: Resource, actor: str, note: str = "") -> None:
        """Let a dataset say in one property what `resource` says in it. Raises NotFound, and WrongUse for what cannot be."""
        with self._db.writing() as c:
            said, _ = _harvested(c, dataset)
            property_of(type(said), name)
            if kind_of(resource) != kind_of(said):
                raise WrongUse(f"'{dataset}' is a {kind_of(said)}; give the correction as a {kind_of(said)} too.")
            value = alone(replace(resource, iri=said.iri), name)
            if name == "titles" and not words(value.titles):
                raise WrongUse("A dataset needs a title: say what it should be called.")
            layer = Layer(name, value, CORRECTION, actor, now(), note, harvested=mark(said, name))
            before = _correction(c, dataset, name, str(said.iri))
            if before is not None and before.layer.value == value and before.layer.note == note:
                return
            if before is not None:
                c.execute(sa.delete(corrections).where(corrections.c.id == before.id))
            c.execute(sa.insert(corrections).values(**row_of(dataset, layer, rdf.canonical(value))))
            _done(c, dataset, f"corrected {label(name).lower()}", actor, note)

    def remove(self, dataset: str, name: str, actor: str, note: str = "") -> None:
        """Let the source speak for itself again. Raises NotFound when nothing was corrected there."""
        with self._db.writing() as c:
            said, current = _harvested(c, dataset, withdrawn=True)
            held = _correction(c, dataset, name, str(said.iri))
            if held is None:
                raise NotFound(f"Nobody has corrected '{name}' of '{dataset}'.")
            c.execute(sa.delete(corrections).where(corrections.c.id == held.id))
            _done(c, dataset, f"took back the correction of {label(name).lower()}", actor, note, settles=current)


def _harvested(c: sa.Connection, dataset: str, *, withdrawn: bool = False) -> tuple[Resource, bool]:
    """What the record that leads says, and whether there is one; with `withdrawn`, nothing where there is none."""
    wanted = (
        sa.select(datasets.c.iri, catalog_bodies.c.body)
        .outerjoin(catalog_bodies, catalog_bodies.c.id == datasets.c.lead)
        .where(datasets.c.id == dataset)
    )
    row = c.execute(wanted).first()
    if row is None or (row.body is None and not withdrawn):
        raise NotFound(f"The catalogue shows no dataset called '{dataset}' now, so there is nothing to correct.")
    return (Resource(iri=row.iri), False) if row.body is None else (read(unpacked(row.body), row.iri), True)


def _correction(c: sa.Connection, dataset: str, name: str, iri: str) -> Held | None:
    held = held_layers(c, {dataset: iri}).get(dataset, ())
    return next((one for one in held if (one.layer.layer, one.layer.property) == (CORRECTION, name)), None)


def _done(c: sa.Connection, dataset: str, did: str, actor: str, note: str, *, settles: bool = True) -> None:
    """Log who did what, and let the dataset, its facts and its history follow."""
    c.execute(sa.delete(layered_bodies).where(layered_bodies.c.dataset == dataset))  # made anew where a layer is left
    c.execute(sa.insert(acts).values(actor=actor, did=did, about=f"dataset:{dataset}", at=now(), why=note))
    if settles:
        reason = f"{did[:1].upper()}{did[1:]}." + (f" {note}" if note else "")
        Writing(c, NO_SOURCE, Cause(actor=actor, reason=reason)).settle({dataset})
