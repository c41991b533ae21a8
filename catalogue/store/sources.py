"""Sources: set up, changed, paused, removed, and when each is due."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue.dcat import Slug
from catalogue.errors import NotFound, WrongUse
from catalogue.source import HarvestSource
from catalogue.store.database import Database, aware, now
from catalogue.store.tables import catalog_records, pages, runs, sources
from catalogue.store.writing import lead_again

CHANGES_WHAT_COMES = ("type", "url", "options")
"""What was remembered of a source's pages is void when one of these is another."""
RHYTHM = ("schedule", "time_zone", "blackout", "paused", "approved")


class Sources:
    """The sources that are set up."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, source: HarvestSource) -> None:
        """Raises WrongUse when the name is taken."""
        with self._db.writing() as c:
            held = c.execute(sa.select(sources.c.removed).where(sources.c.name == source.name)).first()
            if held is not None and held.removed is not None:
                raise WrongUse(
                    f"A source called '{source.name}' was removed. Bring it back with 'fedcat source restore {source.name}', "
                    "or choose another name."
                )
            if held is not None:
                raise WrongUse(
                    f"A source called '{source.name}' exists already. Choose another name, or remove it first."
                )
            c.execute(sa.insert(sources).values(**_columns(source), created=now()))

    def replace(self, source: HarvestSource) -> bool:
        """Set a source up, or change the one of that name. True when anything is different from before."""
        with self._db.writing() as c:
            held = c.execute(sa.select(sources).where(sources.c.name == source.name)).first()
            if held is None:
                c.execute(sa.insert(sources).values(**_columns(source), created=now()))
                return True
            before = _source(held)
            if before == source and held.removed is None:
                return False
            values: dict[str, Any] = {**_columns(source), "removed": None}
            if any(getattr(before, name) != getattr(source, name) for name in CHANGES_WHAT_COMES):
                values["changed"] = now()
                c.execute(sa.delete(pages).where(pages.c.source == source.name))
            if any(getattr(before, name) != getattr(source, name) for name in RHYTHM):
                values["next_run"] = None
            c.execute(sa.update(sources).where(sources.c.name == source.name).values(**values))
            if held.priority != source.priority:
                lead_again(c, source)
            return True

    def get(self, name: str) -> HarvestSource:
        """Raises NotFound, naming the sources there are."""
        with self._db.reading() as c:
            row = c.execute(sa.select(sources).where(sources.c.name == name, _THERE)).first()
        if row is None:
            there = ", ".join(source.name for source in self.all()) or "none yet; add one with 'fedcat source add'"
            raise NotFound(f"No source is called '{name}'. Sources: {there}.")
        return _source(row)

    def all(self) -> list[HarvestSource]:
        """Every source, by name."""
        with self._db.reading() as c:
            return [_source(row) for row in c.execute(sa.select(sources).where(_THERE).order_by(sources.c.name))]

    def pause(self, name: str, paused: bool) -> None:
        self.get(name)
        with self._db.writing() as c:
            c.execute(sa.update(sources).where(sources.c.name == name).values(paused=paused))

    def remove(self, name: str) -> None:
        """Put a source away; it can be brought back. Its records are the caller's to withdraw or keep first."""
        with self._db.writing() as c:
            c.execute(sa.delete(runs).where(runs.c.source == name, runs.c.status == "waiting"))
            c.execute(sa.delete(pages).where(pages.c.source == name))
            gone = sa.update(sources).where(sources.c.name == name).values(removed=now(), changed=now(), next_run=None)
            held = c.execute(gone.returning(sources)).first()
            if held is not None:
                lead_again(c, _source(held))

    def restore(self, name: str) -> HarvestSource:
        """Bring back a source that was removed. Raises NotFound."""
        with self._db.writing() as c:
            back = sa.update(sources).where(sources.c.name == name, sources.c.removed.is_not(None)).values(removed=None)
            row = c.execute(back.returning(sources)).first()
            if row is None:
                raise NotFound(f"No source called '{name}' was removed.")
            lead_again(c, _source(row))
        return _source(row)

    def removed(self) -> list[HarvestSource]:
        """The sources that were removed and can be brought back, by name."""
        with self._db.reading() as c:
            gone = sa.select(sources).where(sources.c.removed.is_not(None)).order_by(sources.c.name)
            return [_source(row) for row in c.execute(gone)]

    # ---- when they are due

    def scheduled(self) -> list[tuple[HarvestSource, datetime | None]]:
        """The sources that are harvested by schedule, each with the next moment that was set for it."""
        wanted = sa.select(sources).where(
            _THERE, sources.c.schedule != "", sources.c.paused.is_(False), sources.c.approved
        )
        with self._db.reading() as c:
            return [(_source(row), aware(row.next_run)) for row in c.execute(wanted.order_by(sources.c.name))]

    def next_runs(self) -> dict[str, datetime]:
        """When each source is due, where a worker has worked it out."""
        with self._db.reading() as c:
            rows = c.execute(sa.select(sources.c.name, sources.c.next_run).where(sources.c.next_run.is_not(None)))
            return {row.name: moment for row in rows if (moment := aware(row.next_run))}

    def set_next(self, name: str, before: datetime | None, at: datetime | None) -> bool:
        """Set when a source is due next. False when another worker has done so since `before` was read."""
        as_read = sources.c.next_run.is_(None) if before is None else sources.c.next_run == before
        with self._db.writing() as c:
            done = c.execute(sa.update(sources).where(sources.c.name == name, as_read).values(next_run=at))
            return done.rowcount == 1

    def counts(self) -> dict[str, int]:
        """How many datasets each source describes now."""
        count = sa.func.count(sa.distinct(catalog_records.c.dataset))
        with self._db.reading() as c:
            return {
                row[0]: row[1]
                for row in c.execute(sa.select(catalog_records.c.source, count).group_by(catalog_records.c.source))
            }

    def count(self, name: str) -> int:
        """How many datasets one source describes now."""
        wanted = sa.select(sa.func.count(sa.distinct(catalog_records.c.dataset)))
        with self._db.reading() as c:
            return int(c.execute(wanted.where(catalog_records.c.source == name)).scalar_one())


_THERE = sources.c.removed.is_(None)
_STATE = {"created", "changed", "next_run", "removed"}


def _columns(source: HarvestSource) -> dict[str, Any]:
    return {**asdict(source), "options": dict(source.options), "title": source.title or source.name}


def _source(row: Any) -> HarvestSource:
    held = {key: value for key, value in row._mapping.items() if key not in _STATE}
    return HarvestSource(
        **{**held, "name": Slug(row.name), "organisation": Slug(row.organisation) if row.organisation else None}
    )
