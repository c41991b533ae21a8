"""Disappearances that wait for a person: what would go, why we hesitate, and what was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue.errors import NotFound, WrongUse
from catalogue.store.database import Database, aware, chunks
from catalogue.store.leases import fence
from catalogue.store.tables import catalog_records, datasets, quarantined, quarantines, source_records
from catalogue.store.types import Run


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that its source no longer gives, and the new one that may be the same under another name."""

    identifier: str
    dataset: str = ""
    title: str = ""
    renamed_to: str = ""
    renamed_dataset: str = ""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Disappearances of one source. `state` is open, approved, renamed, rejected (they stay) or returned."""

    id: int
    source: str
    run: int
    state: str
    cause: str
    counts: tuple[int, ...]
    """How many records the source gave in its last runs, the oldest first; the last is the run that was held."""
    opened: datetime
    closed: datetime | None
    closed_by: str
    note: str
    size: int
    renamed: int
    """How many of them seem to be there under another identifier."""


class Quarantines:
    """At most one is open for each source; what is held is carried from run to run until a person decides or it returns."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def open(self, source: str) -> Quarantine | None:
        """The one that waits for a person."""
        with self._db.reading() as c:
            row = c.execute(_LISTED.where(quarantines.c.source == source, quarantines.c.state == "open")).first()
        return _quarantine(row) if row else None

    def get(self, id_: int) -> Quarantine:
        """Raises NotFound."""
        with self._db.reading() as c:
            row = c.execute(_LISTED.where(quarantines.c.id == id_)).first()
        if row is None:
            raise NotFound(f"There is no quarantine {id_}. 'fedcat quarantine list' shows those there are.")
        return _quarantine(row)

    def some(self, source: str = "", *, all_: bool = False, limit: int = 100) -> list[Quarantine]:
        """Those that wait, or all; the newest first."""
        wanted = _LISTED.order_by(quarantines.c.id.desc()).limit(limit)
        if source:
            wanted = wanted.where(quarantines.c.source == source)
        if not all_:
            wanted = wanted.where(quarantines.c.state == "open")
        with self._db.reading() as c:
            return [_quarantine(row) for row in c.execute(wanted)]

    def missing(self, id_: int, limit: int | None = None, offset: int = 0) -> list[Missing]:
        """What would go, by title."""
        q = quarantined.c
        wanted = sa.select(q.identifier, q.dataset, q.title, q.renamed_to, q.renamed_dataset).where(q.quarantine == id_)
        with self._db.reading() as c:
            rows = c.execute(wanted.order_by(q.title, q.identifier).limit(limit).offset(offset))
            return [Missing(*row) for row in rows]

    def held(self, source: str) -> dict[str, set[str]]:
        """Which identifiers of a source are held, by the state of what holds them: open, or rejected (a person keeps them)."""
        found: dict[str, set[str]] = {"open": set(), "rejected": set()}
        q = quarantines.c
        wanted = (
            sa.select(q.state, quarantined.c.identifier)
            .join(quarantined, quarantined.c.quarantine == q.id)
            .where(q.source == source, q.state.in_(found))
        )
        with self._db.reading() as c:
            for row in c.execute(wanted):
                found[row.state].add(row.identifier)
        return found

    def hold(
        self, run: Run, missing: Iterable[Missing], cause: str, counts: Sequence[int], returned: Collection[str]
    ) -> Quarantine | None:
        """Add to what is held of the run's source, and let go what has returned. None when nothing is left to decide."""
        with self._db.writing() as c:
            fence(self._db, c, run)
            self._release(c, run.source, returned)
            row = c.execute(
                sa.select(quarantines).where(quarantines.c.source == run.source, quarantines.c.state == "open")
            ).first()
            wanted = {one.identifier: one for one in missing}
            if row is None and not wanted:
                return None
            facts = {"run": run.id, "cause": cause, "counts": list(counts)}
            if row is None:
                made = sa.insert(quarantines).values(**facts, source=run.source, state="open", opened=self._db.clock(c))
                id_ = c.execute(made.returning(quarantines.c.id)).scalar_one()
            else:
                id_ = row.id
                if wanted:
                    c.execute(sa.update(quarantines).where(quarantines.c.id == id_).values(**facts))
            q = quarantined.c
            held = set(c.execute(sa.select(q.identifier).where(q.quarantine == id_)).scalars())
            rows = [_row(id_, one) for one in wanted.values() if one.identifier not in held]
            if rows:
                c.execute(sa.insert(quarantined), rows)
        return self.get(id_)

    def stand_ins(self, id_: int) -> set[str]:
        """The records that seem to be what is held under another name, and describe a dataset that is younger than it."""
        q, old, new = quarantined.c, datasets.alias(), datasets.alias()
        wanted = (
            sa.select(q.renamed_to)
            .join(old, old.c.id == q.dataset)
            .join(new, new.c.id == q.renamed_dataset)
            .where(q.quarantine == id_, old.c.state == "current", new.c.number > old.c.number)
        )
        with self._db.reading() as c:
            return set(c.execute(wanted).scalars())

    def rematch(self, run: Run, id_: int, missing: Iterable[Missing]) -> None:
        """Note under which names some of what is held seems to be there now."""
        q = quarantined.c
        with self._db.writing() as c:
            fence(self._db, c, run)
            for one in missing:
                this = sa.update(quarantined).where(q.quarantine == id_, q.identifier == one.identifier)
                c.execute(this.values(renamed_to=one.renamed_to, renamed_dataset=one.renamed_dataset))

    def _release(self, c: sa.Connection, source: str, returned: Collection[str]) -> None:
        """What has returned is held no longer; a quarantine of which all has returned is closed."""
        q = quarantines.c
        ids = c.execute(sa.select(q.id).where(q.source == source, q.state.in_(("open", "rejected")))).scalars().all()
        for some in chunks(sorted(returned)):
            here = (quarantined.c.quarantine.in_(ids), quarantined.c.identifier.in_(some))
            c.execute(sa.delete(quarantined).where(*here))
        empty = ~sa.exists().where(quarantined.c.quarantine == q.id)
        closed = {"state": "returned", "closed": self._db.clock(c)}
        c.execute(sa.update(quarantines).where(q.id.in_(ids), q.state == "open", empty).values(**closed))

    def close(self, id_: int, state: str, actor: str, note: str = "", *, leaving: Sequence[Missing] = ()) -> Quarantine:
        """Decide: approved, renamed or rejected; what is left to decide is held in a new one.

        Raises WrongUse when it was decided before.
        """
        with self._db.writing() as c:
            open_ = (quarantines.c.id == id_, quarantines.c.state == "open")
            values = {"state": state, "closed": self._db.clock(c), "closed_by": actor, "note": note}
            if c.execute(sa.update(quarantines).where(*open_).values(**values)).rowcount != 1:
                held = c.execute(sa.select(quarantines).where(quarantines.c.id == id_)).first()
                if held is None:
                    raise NotFound(f"There is no quarantine {id_}. 'fedcat quarantine list' shows those there are.")
                raise WrongUse(f"Quarantine {id_} of '{held.source}' is {held.state} already.")
            if leaving:
                this = c.execute(sa.select(quarantines).where(quarantines.c.id == id_)).one()
                names = ("source", "run", "cause", "counts", "opened")
                facts = {name: getattr(this, name) for name in names} | {"state": "open"}
                new = c.execute(sa.insert(quarantines).values(**facts).returning(quarantines.c.id)).scalar_one()
                c.execute(sa.insert(quarantined), [_row(new, one) for one in leaving])
        return self.get(id_)

    def titles(self, source: str, identifiers: Collection[str]) -> list[Missing]:
        """What records describe: the dataset and its title."""
        k, r = catalog_records.c, source_records.c
        wanted = (
            sa.select(r.identifier, k.dataset, k.title)
            .select_from(source_records)
            .outerjoin(catalog_records, k.record == r.id)
            .where(r.source == source)
            .order_by(r.identifier, k.id.desc())
        )
        found: dict[str, Missing] = {}
        with self._db.reading() as c:
            for some in chunks(sorted(identifiers)):
                for row in c.execute(wanted.where(r.identifier.in_(some))):
                    found[row.identifier] = Missing(row.identifier, row.dataset or "", row.title or row.identifier)
        return list(found.values())

    def newcomers(self, run: Run) -> list[tuple[str, str, str]]:
        """Identifier, dataset and title of every record that a run was the first to bring."""
        k, r = catalog_records.c, source_records.c
        wanted = (
            sa.select(r.identifier, k.dataset, k.title)
            .join(catalog_records, k.record == r.id)
            .where(r.source == run.source, r.first_run == run.id)
        )
        with self._db.reading() as c:
            return [(row.identifier, row.dataset, row.title) for row in c.execute(wanted)]


_COUNT = sa.select(sa.func.count()).where(quarantined.c.quarantine == quarantines.c.id)
_LISTED = sa.select(
    quarantines,
    _COUNT.scalar_subquery().label("size"),
    _COUNT.where(quarantined.c.renamed_to != "").scalar_subquery().label("renamed"),
)


def _quarantine(row: Any) -> Quarantine:
    held: Mapping[str, Any] = row._mapping
    moments = {name: aware(held[name]) for name in ("opened", "closed")}
    return Quarantine(**{**held, **moments, "counts": tuple(held["counts"])})


def _row(quarantine: int, one: Missing) -> dict[str, Any]:
    return {
        "quarantine": quarantine, "identifier": one.identifier, "dataset": one.dataset, "title": one.title,
        "renamed_to": one.renamed_to, "renamed_dataset": one.renamed_dataset,
    }  # fmt: skip
