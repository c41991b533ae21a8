"""Where two routes of one dataset say different things: found when either changes, forgotten when they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue import organisations, rdf
from catalogue.dcat import Literal, Node, Resource, Text, words
from catalogue.differences import label as called
from catalogue.errors import Problem
from catalogue.store.database import aware, chunks, unpacked
from catalogue.store.tables import catalog_bodies, catalog_records, conflicts, datasets
from vocab import scheme

LONGEST = 500
"""Characters of a value that are kept, to be shown."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A property on which the record that leads a dataset and another route to it say different things."""

    dataset: str
    title: str
    property: str
    source: str
    """Whose record leads."""
    other: str
    said: str
    other_said: str
    first_seen: datetime

    def label(self) -> str:
        """What people call the property."""
        return called(self.property)


def compare(c: sa.Connection, ids: Sequence[str], at: datetime) -> None:
    """Bring up to date what is known of disagreements about some datasets. Those with one route cost two look-ups."""
    held: dict[tuple[str, ...], tuple[str, str]] = {}
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    t = conflicts.c
    any_known = known(c)
    for some in chunks(sorted(ids)):
        for row in c.execute(sa.select(conflicts).where(t.dataset.in_(some))) if any_known else ():
            held[row.dataset, row.property, row.source, row.other] = (row.said, row.other_said)
        found |= {
            (dataset, name, lead.source, other.source): said
            for dataset, lead, other in _pairs(c, some)
            for name, said in disagreements(_resource(lead), _resource(other))
        }
    for key in held.keys() - found.keys():
        c.execute(sa.delete(conflicts).where(*_is(key)))
    for key, (said, other_said) in found.items():
        if key not in held:
            names = dict(zip(KEY, key, strict=True))
            c.execute(sa.insert(conflicts).values(**names, said=said, other_said=other_said, first_seen=at))
        elif held[key] != (said, other_said):
            c.execute(sa.update(conflicts).where(*_is(key)).values(said=said, other_said=other_said))


def known(c: sa.Connection) -> bool:
    """Whether there is any disagreement at all: in most catalogues, most of the time, there is none to look for."""
    return c.execute(sa.select(conflicts.c.dataset).limit(1)).first() is not None


KEY = ("dataset", "property", "source", "other")


def _is(key: tuple[str, ...]) -> Iterator[sa.ColumnElement[bool]]:
    return (conflicts.c[name] == value for name, value in zip(KEY, key, strict=True))


def _pairs(c: sa.Connection, ids: Sequence[str]) -> Iterator[tuple[str, Any, Any]]:
    """The record that leads each dataset with every other record on it; nothing for those with one route."""
    k, d = catalog_records.c, datasets.c
    several = sa.select(k.dataset).where(k.dataset.in_(ids)).group_by(k.dataset).having(sa.func.count() > 1)
    there = c.execute(several).scalars().all()
    if not there:
        return
    wanted = (
        sa.select(k.id, k.dataset, k.source, d.iri, d.lead, catalog_bodies.c.body)
        .join(datasets, d.id == k.dataset)
        .join(catalog_bodies, catalog_bodies.c.id == k.id)
        .where(k.dataset.in_(there))
        .order_by(k.id)
    )
    routes = defaultdict(list)
    for row in c.execute(wanted):
        routes[row.dataset].append(row)
    for dataset, rows in routes.items():
        lead = next((row for row in rows if row.id == row.lead), None)
        if lead is not None:
            yield from ((dataset, lead, other) for other in reversed(rows) if other is not lead)


def _resource(row: Any) -> Resource:
    found = rdf.Reader(rdf.kept(unpacked(row.body))).read(row.iri)
    assert isinstance(found, Resource)
    return found


def disagreements(one: Resource, other: Resource) -> Iterator[tuple[str, tuple[str, str]]]:
    """The properties of which both say something and not the same, with what either says, for people to read."""
    for name, agree, shown in COMPARED:
        said, other_said = getattr(one, name), getattr(other, name)
        if said and other_said and not agree(said, other_said):
            yield name, (shown(said)[:LONGEST], shown(other_said)[:LONGEST])


def _texts_agree(one: Iterable[Text], other: Iterable[Text]) -> bool:
    """Whether no language is spoken by both, or some words are the same in one."""
    pairs = [(a, b) for a in one for b in other if not a.lang or not b.lang or a.lang[:2] == b.lang[:2]]
    return not pairs or any(_folded(a.value) == _folded(b.value) for a, b in pairs)


def _folded(said: str) -> str:
    return " ".join(said.casefold().split())


def _publishers_agree(one: Any, other: Any) -> bool:
    bodies = organisations.organisation(one), organisations.organisation(other)
    return None in bodies or bodies[0] == bodies[1] or _publisher(one) == _publisher(other)


def _publisher(said: Any) -> str:
    body = organisations.organisation(said)
    return body.title if body else ""


def _concepts_agree(one: Any, other: Any) -> bool:
    """Whether they have something in common; "public" and the address that means it are the same."""
    return not _meant(one).isdisjoint(_meant(other))


def _meant(said: Any) -> set[str]:
    return {_concept(value) for value in (said if isinstance(said, frozenset) else [said])}


def _concepts(said: Any) -> str:
    return ", ".join(sorted(_meant(said)))


def _concept(said: Any) -> str:
    """A licence or an access right by its label; what the vocabulary does not know, as it was said."""
    name = str(said.iri or "a description without an address") if isinstance(said, Node) else _value(said)
    known = next((found for some in ("licences", "access-rights") if (found := scheme(some).find(name))), None)
    return known.label if known else name


def _value(said: Any) -> str:
    return said.value if isinstance(said, Text | Literal) else str(said)


def _dates_agree(one: Any, other: Any) -> bool:
    """Whether they are the same day, or the same month or year where one says no more."""
    days = _value(one)[:DAY], _value(other)[:DAY]
    length = min(map(len, days))
    return days[0][:length] == days[1][:length]


DAY = len("2026-01-31")
COMPARED: tuple[tuple[str, Callable[[Any, Any], bool], Callable[[Any], str]], ...] = (
    ("titles", _texts_agree, words),
    ("publisher", _publishers_agree, _publisher),
    ("licences", _concepts_agree, _concepts),
    ("access_rights", _concepts_agree, _concepts),
    ("modified", _dates_agree, _value),
)
"""What is compared: how it is told whether two values agree, and how one is shown."""


def about(c: sa.Connection, which: sa.ColumnElement[bool], limit: int) -> list[Conflict]:
    """What is known of disagreements, the oldest first."""
    t = conflicts.c
    wanted = sa.select(conflicts, datasets.c.title).join(datasets, datasets.c.id == t.dataset).where(which)
    return [
        Conflict(**{**row._mapping, "first_seen": aware(row.first_seen)})
        for row in c.execute(wanted.order_by(t.first_seen, t.dataset, t.property, t.other).limit(limit))
    ]


def problem(found: Conflict, source: str, record: str, titles: dict[str, str]) -> Problem:
    """What the owner of a source is told about one of its records."""
    leads = found.source == source
    theirs, here, there = (
        (found.other, found.said, found.other_said) if leads else (found.source, found.other_said, found.said)
    )
    name = titles.get(theirs) or theirs
    shown = "Yours is shown." if leads else "Theirs is shown, as that source leads."
    return Problem(
        rule="routes-disagree",
        severity="warning",
        record=record,
        where=found.property,
        found=here,
        message=f"'{name}' ({theirs}) describes this dataset as well, and says '{there}' where this says '{here}'. {shown}",
        fix=(
            "Agree with its owner which is right, and mend the other. If they are two datasets, "
            f"'fedcat dataset split {found.dataset}' keeps them apart."
        ),
    )
