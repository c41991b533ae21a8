"""What sources said: asked for, kept, taken back. A batch, its datasets and their changes are one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from catalogue.dcat import Identifier
from catalogue.errors import StoreRefused
from catalogue.identify import Known
from catalogue.source import HarvestSource, SourceRecord
from catalogue.store.database import Database, unpacked
from catalogue.store.leases import fence
from catalogue.store.tables import catalog_records, dataset_keys, datasets, source_bodies, source_records
from catalogue.store.types import Cause, Description, Run, Tally
from catalogue.store.writing import Writing, chunks


@dataclass(frozen=True, slots=True)
class Held:
    """A record that we hold: its content, the newer one that was refused, the run that brought it, and the first to."""

    fingerprint: str
    refused: str
    run: int
    first_run: int


class Records:
    """What sources said, and the datasets that follow from it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ---- what is known before a batch is described

    def held(self, source: str, identifiers: Iterable[str]) -> dict[str, Held]:
        """What we hold of these records of a source."""
        r = source_records.c
        wanted = sa.select(r.identifier, r.fingerprint, r.rejected, r.run, r.first_run).where(
            r.source == source, r.identifier.in_(list(identifiers))
        )
        with self._db.reading() as c:
            return {row.identifier: Held(*row[1:]) for row in c.execute(wanted)}

    def known(self, keys: Iterable[str], source: str = "") -> Known:
        """The ids and IRIs that stand behind keys, and which of them this source describes already."""
        k = dataset_keys.c
        wanted = sa.select(k.key, k.dataset, datasets.c.iri).join(datasets, datasets.c.id == k.dataset)
        ids: dict[str, str] = {}
        iris: dict[str, str] = {}
        with self._db.reading() as c:
            for some in chunks(list(keys)):
                for row in c.execute(wanted.where(k.key.in_(some))):
                    ids[row.key] = row.dataset
                    iris[row.dataset] = row.iri
            ours = {
                row.dataset: row.identifier
                for some in chunks(list(iris))
                for row in c.execute(
                    sa.select(catalog_records.c.dataset, source_records.c.identifier)
                    .join(source_records, source_records.c.id == catalog_records.c.record)
                    .where(catalog_records.c.source == source, catalog_records.c.dataset.in_(some))
                )
            }
        return Known(ids, iris, ours)

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
