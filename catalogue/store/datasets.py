"""What the catalogue holds, read: entries, lists, the change log, organisations and their contacts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from catalogue import rdf
from catalogue.errors import NotFound
from catalogue.store.database import Database, aware, chunks, unpacked
from catalogue.store.tables import (
    catalog_bodies,
    catalog_records,
    changes,
    contact_points,
    datasets,
    layered_bodies,
    organisations,
    source_records,
    sources,
)
from catalogue.store.types import Change, Entry, OrganisationCount, Route, Row, StoredContact

_CURRENT = datasets.c.state == "current"
_LAST = sa.select(sa.func.coalesce(sa.func.max(changes.c.serial), 0))


class Stamp(NamedTuple):
    """An entry's place in the feed, and its last change: enough to tell whether a reader has it already."""

    number: int
    id: str
    serial: int


class Datasets:
    """Datasets, series and services."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._counted = (-1, 0)  # up to which change, and how many there were then

    def get(self, id_or_iri: str) -> Entry:
        """One entry by id or IRI, withdrawn ones too. Raises NotFound."""
        wanted = (datasets.c.id == id_or_iri) | (datasets.c.iri == id_or_iri)
        with self._db.reading() as c:
            found = _entries(c, sa.select(datasets).where(wanted).limit(1))
        if not found:
            raise NotFound(f"The catalogue holds nothing called '{id_or_iri}'.")
        return found[0]

    def some(self, ids: Sequence[str]) -> list[Entry]:
        """Current entries in the order asked for; those that are gone are left out."""
        with self._db.reading() as c:
            found = {e.id: e for e in _entries(c, sa.select(datasets).where(datasets.c.id.in_(ids)))}
        # the state is asked here: asked in SQL, SQLite would walk the index of states, which is the whole catalogue
        return [found[id_] for id_ in ids if id_ in found and found[id_].row.state == "current"]

    def page_serials(self, page: int, size: int) -> list[tuple[str, int]]:
        """Id and last change of a page's entries: enough to tell whether a reader has it already."""
        wanted = sa.select(datasets.c.id, datasets.c.serial).where(_CURRENT).order_by(datasets.c.number)
        with self._db.reading() as c:
            return [(row.id, row.serial) for row in c.execute(wanted.limit(size).offset((page - 1) * size))]

    def stamps(self, limit: int, *, after: int = 0, skip: int = 0, since: datetime | None = None) -> list[Stamp]:
        """Current entries in the order in which they were first seen: those numbered above `after`, or all but the first few."""
        n = datasets.c.number
        begins = n > after
        if skip:  # counted on the index alone: no row that is skipped is looked at
            begins = n >= sa.select(n).where(*_changed(since)).order_by(n).limit(1).offset(skip).scalar_subquery()
        wanted = sa.select(n, datasets.c.id, datasets.c.serial).where(begins, *_changed(since)).order_by(n).limit(limit)
        with self._db.reading() as c:
            return [Stamp(*row) for row in c.execute(wanted)]

    def stamps_of(self, ids: Sequence[str], *, since: datetime | None = None) -> list[Stamp]:
        """The same of some entries, in the order asked for; those that are gone are left out."""
        columns = (datasets.c.number, datasets.c.id, datasets.c.serial, datasets.c.state, datasets.c.changed)
        with self._db.reading() as c:
            found = {row.id: row for row in c.execute(sa.select(*columns).where(datasets.c.id.in_(ids)))}
        rows = (found[id_] for id_ in ids if id_ in found and found[id_].state == "current")
        return [Stamp(row.number, row.id, row.serial) for row in rows if since is None or _at(row.changed) >= since]

    def each(self, size: int = 500) -> Iterator[Entry]:
        """Every current entry, a few at a time."""
        last = 0
        while True:
            wanted = (
                sa.select(datasets).where(_CURRENT, datasets.c.number > last).order_by(datasets.c.number).limit(size)
            )
            with self._db.reading() as c:
                found = _entries(c, wanted)
            if not found:
                return
            last = found[-1].row.number
            yield from found

    def links(self, ids: Collection[str]) -> dict[str, frozenset[str]]:
        """The web addresses of data and pages that each dataset names: by these it is known again under another name."""
        wanted = sa.select(datasets.c.id, catalog_bodies.c.body).join(
            catalog_bodies, catalog_bodies.c.id == datasets.c.lead
        )
        found: dict[str, frozenset[str]] = {}
        with self._db.reading() as c:
            for some in chunks(sorted(ids)):
                for row in c.execute(wanted.where(datasets.c.id.in_(some))):
                    found[row.id] = rdf.links(unpacked(row.body))
        return found

    def newest(self, limit: int) -> list[Row]:
        """Rows of what was seen first most recently."""
        with self._db.reading() as c:
            return _rows(c.execute(sa.select(datasets).where(_CURRENT).order_by(datasets.c.number.desc()).limit(limit)))

    def of_organisation(self, slug: str, limit: int = 100, offset: int = 0) -> list[Row]:
        """Rows of what an organisation answers for, by title."""
        wanted = (
            sa.select(datasets)
            .where(_CURRENT, datasets.c.organisation == slug)
            .order_by(datasets.c.title, datasets.c.id)
        )
        with self._db.reading() as c:
            return _rows(c.execute(wanted.limit(limit).offset(offset)))

    def count(self, kind: str | None = None, *, since: datetime | None = None) -> int:
        """How many current entries there are; all of them are counted anew only after a change."""
        wanted = sa.select(sa.func.count()).select_from(datasets).where(*_changed(since))
        with self._db.reading() as c:
            if kind or since:
                return int(c.execute(wanted.where(datasets.c.kind == kind) if kind else wanted).scalar_one())
            serial = int(c.execute(_LAST).scalar_one())
            if serial != self._counted[0]:
                self._counted = serial, int(c.execute(wanted).scalar_one())
            return self._counted[1]

    # ---- the change log

    def serial(self) -> int:
        """The last change; 0 before the first."""
        with self._db.reading() as c:
            return int(c.execute(_LAST).scalar_one())

    def changes(self, after: int = 0, limit: int = 1000) -> list[Change]:
        """What happened after a serial, oldest first."""
        wanted = sa.select(changes).where(changes.c.serial > after).order_by(changes.c.serial).limit(limit)
        with self._db.reading() as c:
            return [Change(**{**row._mapping, "at": _at(row.at)}) for row in c.execute(wanted)]

    # ---- organisations

    def organisations(self) -> list[OrganisationCount]:
        """Every organisation that answers for something, by title."""
        with self._db.reading() as c:
            return [_organisation(row) for row in c.execute(_ORGANISATIONS.order_by(organisations.c.title))]

    def organisation(self, slug: str) -> OrganisationCount:
        """Raises NotFound."""
        with self._db.reading() as c:
            row = c.execute(_ORGANISATIONS.where(organisations.c.slug == slug)).first()
        if row is None:
            raise NotFound(f"No organisation here is called '{slug}'.")
        return _organisation(row)

    def contacts(self, organisation: str) -> list[StoredContact]:
        """Whom an organisation's datasets name, those named most often first."""
        p = contact_points.c
        count = sa.func.count(sa.distinct(p.dataset)).label("datasets")
        columns = (p.role, p.name, p.email, p.telephone, p.page)
        wanted = (
            sa.select(*columns, count)
            .join(datasets, datasets.c.id == p.dataset)
            .where(p.organisation == organisation, _CURRENT)
            .group_by(*columns)
            .order_by(count.desc(), p.role, p.name)
        )
        with self._db.reading() as c:
            return [StoredContact(*row) for row in c.execute(wanted)]


_ORGANISATIONS = (
    sa.select(
        organisations.c.slug,
        organisations.c.title,
        organisations.c.iri,
        sa.func.count(datasets.c.id).label("datasets"),
        sa.func.sum(sa.case((datasets.c.restricted, 1), else_=0)).label("restricted"),
    )
    .join(datasets, (datasets.c.organisation == organisations.c.slug) & _CURRENT)
    .group_by(organisations.c.slug, organisations.c.title, organisations.c.iri)
)


def _changed(since: datetime | None) -> Iterator[sa.ColumnElement[bool]]:
    """The current entries, or those of them that changed at a moment or after it."""
    yield _CURRENT
    if since:
        yield datasets.c.changed >= since.astimezone(UTC)  # SQLite compares the digits and forgets the zone


def _organisation(row: Any) -> OrganisationCount:
    return OrganisationCount(row.slug, row.title, row.iri, row.datasets, int(row.restricted or 0))


def _entries(c: sa.Connection, wanted: sa.Select[Any]) -> list[Entry]:
    """Rows with their descriptions and routes: three queries, however many rows."""
    selected = c.execute(wanted).all()
    rows, leads = _rows(selected), {row.id: row.lead for row in selected}
    ids = [row.id for row in rows]
    # what is shown is the description with its layers on, where there are any
    held = (
        sa.select(datasets.c.id, sa.func.coalesce(layered_bodies.c.body, catalog_bodies.c.body).label("body"))
        .join(catalog_bodies, catalog_bodies.c.id == datasets.c.lead)
        .outerjoin(layered_bodies, layered_bodies.c.dataset == datasets.c.id)
        .where(datasets.c.id.in_(ids))
    )
    bodies = {row.id: row.body for row in c.execute(held)}
    routes = _routes(c, ids, leads)
    found = []
    for row in rows:
        body = bodies.get(row.id)
        found.append(Entry(row, unpacked(body) if body else b"", tuple(routes[row.id])))
    return found


def _routes(c: sa.Connection, ids: list[str], leads: dict[str, int | None]) -> dict[str, list[Route]]:
    k, r = catalog_records.c, source_records.c
    wanted = (
        sa.select(
            k.id,
            k.dataset,
            k.source,
            sources.c.title,
            r.identifier,
            r.address,
            k.first_seen,
            k.changed,
            r.fetched,
            k.run,
            r.rejected,
        )
        .join(source_records, r.id == k.record)
        .outerjoin(sources, sources.c.name == k.source)
        .where(k.dataset.in_(ids))
        .order_by(k.id)
    )
    found: dict[str, list[Route]] = defaultdict(list)
    for row in c.execute(wanted):
        found[row.dataset].append(
            Route(
                source=row.source,
                source_title=row.title or row.source,
                record=row.identifier,
                address=row.address,
                first_seen=_at(row.first_seen),
                changed=_at(row.changed),
                fetched=_at(row.fetched),
                run=row.run,
                leads=row.id == leads.get(row.dataset),
                refused=bool(row.rejected),
            )
        )
    for routes in found.values():
        routes.sort(key=lambda route: not route.leads)
    return found


def _rows(found: Iterable[Any]) -> list[Row]:
    return [
        Row(
            row.id, row.number, row.iri, row.kind, row.state, row.title, row.organisation, row.modified, row.restricted,
            _at(row.first_seen), _at(row.changed), row.serial, row.reason, row.successor,
        )
        for row in found
    ]  # fmt: skip


def _at(moment: Any) -> Any:
    return aware(moment)
