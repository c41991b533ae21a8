"""What sources said: asked for, kept, taken back. A batch, its datasets and their changes are one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue.dcat import Identifier
from catalogue.errors import NotFound, StoreRefused
from catalogue.identify import Known
from catalogue.source import HarvestSource, SourceRecord
from catalogue.store.database import Database, aware, chunks, unpacked
from catalogue.store.keys import known
from catalogue.store.leases import fence
from catalogue.store.tables import (
    catalog_bodies,
    catalog_records,
    datasets,
    source_bodies,
    source_records,
)
from catalogue.store.types import Cause, Description, Run, Tally
from catalogue.store.writing import Writing


@dataclass(frozen=True, slots=True)
class Held:
    """A record that we hold: its content, the newer one that was refused, the run that brought it, and the first to."""

    fingerprint: str
    refused: str
    run: int
    first_run: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """What we made of a record: the dataset that it describes, and what it says of it as canonical N-Triples."""

    dataset: str
    iri: str
    title: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as its source gave it, with when and by which runs, and the datasets that it describes."""

    record: SourceRecord
    fetched: datetime
    run: int
    first_run: int
    refused: bool
    """Whether a newer version was refused, so that this one stands."""
    mapped: tuple[Mapped, ...]


class Records:
    """What sources said, and the datasets that follow from it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ---- what is known before a batch is described

    def held(self, source: str, identifiers: Iterable[str]) -> dict[str, Held]:
        """What we hold of these records of a source."""
        r = source_records.c
        wanted = sa.select(r.identifier, r.fingerprint, r.rejected, r.run, r.first_run).where(r.source == source)
        with self._db.reading() as c:
            return {
                row.identifier: Held(*row[1:])
                for some in chunks(list(identifiers))
                for row in c.execute(wanted.where(r.identifier.in_(some)))
            }

    def known(self, keys: Iterable[str], source: str = "") -> Known:
        """The ids and IRIs that stand behind keys, and which of them this source describes already."""
        with self._db.reading() as c:
            return known(c, keys, source)

    def identifiers(self, source: str) -> set[str]:
        """Every record that we hold of a source."""
        r = source_records.c
        with self._db.reading() as c:
            return set(c.execute(sa.select(r.identifier).where(r.source == source)).scalars())

    def stored(self, source: str, size: int = 500) -> Iterator[list[SourceRecord]]:
        """A source's records as they were given, in batches: what `remap` maps again."""
        r = source_records.c
        wanted = sa.select(source_records, source_bodies.c.body).join(source_bodies, source_bodies.c.id == r.id)
        last = 0
        while True:
            with self._db.reading() as c:
                rows = c.execute(wanted.where(r.source == source, r.id > last).order_by(r.id).limit(size)).all()
            if not rows:
                return
            last = rows[-1].id
            yield [_record(row) for row in rows]

    def verbatim(self, source: str, identifier: str) -> SourceRecord | None:
        """One record as its source gave it."""
        r = source_records.c
        wanted = sa.select(source_records, source_bodies.c.body).join(source_bodies, source_bodies.c.id == r.id)
        with self._db.reading() as c:
            row = c.execute(wanted.where(r.source == source, r.identifier == identifier)).first()
        return _record(row) if row else None

    def kept(self, source: str, identifier: str, limit: int = 20) -> Kept:
        """One record with all that is known of it, and so many of the datasets that it describes. Raises NotFound."""
        r, k = source_records.c, catalog_records.c
        wanted = sa.select(source_records, source_bodies.c.body).join(source_bodies, source_bodies.c.id == r.id)
        with self._db.reading() as c:
            row = c.execute(wanted.where(r.source == source, r.identifier == identifier)).first()
            if row is None:
                raise NotFound(f"We hold no record '{identifier}' of '{source}'.")
            made = (
                sa.select(k.dataset, datasets.c.iri, k.title, catalog_bodies.c.body)
                .join(datasets, datasets.c.id == k.dataset)
                .join(catalog_bodies, catalog_bodies.c.id == k.id)
                .where(k.record == row.id)
                .order_by(k.id)
            )
            mapped = tuple(Mapped(*told[:3], unpacked(told.body)) for told in c.execute(made.limit(limit)))
        fetched = aware(row.fetched)
        assert fetched is not None
        return Kept(_record(row), fetched, row.run, row.first_run, row.rejected != "", mapped)

    # ---- writing

    def put(self, descriptions: Sequence[Description], source: HarvestSource, cause: Cause) -> Tally:
        """Save descriptions and log what changed, all or nothing.

        Raises StoreRefused when the database will not take them, LeaseLost when the run is no longer this worker's.
        """
        try:
            with self._db.writing() as c:
                if cause.run:
                    fence(self._db, c, cause.run)
                return Writing(c, source, cause).put(descriptions)
        except (sa.exc.IntegrityError, sa.exc.DataError, UnicodeError, OverflowError) as wrong:
            raise StoreRefused(str(wrong.__cause__ or wrong)) from wrong
        except sa.exc.OperationalError as wrong:  # beyond a limit of the database: the record's fault
            raise StoreRefused(str(wrong.orig)) from wrong

    def withdraw(self, source: HarvestSource, gone: Sequence[str], cause: Cause) -> int:
        """Take back what these records said. Datasets that no record describes any more are withdrawn."""
        with self._db.writing() as c:
            if cause.run:
                fence(self._db, c, cause.run)
            writing = Writing(c, source, cause)
            for some in chunks(sorted(gone)):
                writing.forget(some)
        return len(gone)

    def refuse(self, run: Run, refused: Iterable[SourceRecord]) -> None:
        """Mark records whose newer version was rejected: the last good one stays up. New ones leave no mark."""
        r = source_records.c
        with self._db.writing() as c:
            fence(self._db, c, run)
            for record in refused:
                held = sa.update(source_records).where(r.source == run.source, r.identifier == record.identifier)
                c.execute(held.where(r.rejected != record.fingerprint).values(rejected=record.fingerprint))


def _record(row: Any) -> SourceRecord:
    return SourceRecord(Identifier(row.identifier), unpacked(row.body), row.media_type, row.address, row.location)
