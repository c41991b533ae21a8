"""History: every change of a dataset, and what it said after each."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from catalogue.errors import NotFound
from catalogue.store.database import Database, aware, unpacked
from catalogue.store.tables import changes, runs, sources, version_bodies
from catalogue.store.types import Change


class History:
    """Who changed what, and when. Withdrawn datasets keep theirs."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, dataset: str, limit: int = 20, offset: int = 0) -> list[Change]:
        """The changes of a dataset, the newest first."""
        wanted = sa.select(changes).where(changes.c.dataset == dataset).order_by(changes.c.serial.desc())
        with self._db.reading() as c:
            found = c.execute(wanted.limit(limit).offset(offset))
            return [Change(**{**row._mapping, "at": aware(row.at)}) for row in found]

    def count(self, dataset: str) -> int:
        with self._db.reading() as c:
            wanted = sa.select(sa.func.count()).select_from(changes).where(changes.c.dataset == dataset)
            return int(c.execute(wanted).scalar_one())

    def change(self, dataset: str, serial: int) -> Change:
        """One change. Raises NotFound."""
        wanted = sa.select(changes).where(changes.c.dataset == dataset, changes.c.serial == serial)
        with self._db.reading() as c:
            row = c.execute(wanted).first()
        if row is None:
            raise NotFound(f"'{dataset}' has no version {serial}.")
        return Change(**{**row._mapping, "at": aware(row.at)})

    def body(self, dataset: str, serial: int) -> bytes:
        """Canonical N-Triples of what a dataset said after a change. Raises NotFound, also for a withdrawal."""
        found = self.bodies(dataset, [serial])
        if serial not in found:
            raise NotFound(f"'{dataset}' has no version {serial}.")
        return found[serial]

    def bodies(self, dataset: str, serials: Collection[int]) -> dict[int, bytes]:
        """What a dataset said after each of some changes; those after which it said nothing are left out."""
        wanted = _VERSIONS.where(changes.c.dataset == dataset, changes.c.serial.in_(serials))
        with self._db.reading() as c:
            return {row.serial: unpacked(row.body) for row in c.execute(wanted)}

    def before(self, dataset: str, serial: int) -> int | None:
        """The version before a change."""
        wanted = (
            sa.select(sa.func.max(changes.c.serial))
            .join(version_bodies, version_bodies.c.serial == changes.c.serial)
            .where(changes.c.dataset == dataset, changes.c.serial < serial)
        )
        with self._db.reading() as c:
            found: int | None = c.execute(wanted).scalar()
        return found

    def sources(self, names: Collection[str]) -> dict[str, str]:
        """What sources are called that are set up now."""
        wanted = sa.select(sources.c.name, sources.c.title).where(
            sources.c.name.in_(names), sources.c.removed.is_(None)
        )
        with self._db.reading() as c:
            return {row.name: row.title or row.name for row in c.execute(wanted)}

    def runs(self, ids: Collection[int]) -> set[int]:
        """Those of some runs that are still kept."""
        with self._db.reading() as c:
            return set(c.execute(sa.select(runs.c.id).where(runs.c.id.in_(ids))).scalars())


_VERSIONS = sa.select(changes.c.serial, version_bodies.c.body).join(
    version_bodies, version_bodies.c.serial == changes.c.serial
)
