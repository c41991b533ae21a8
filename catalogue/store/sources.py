"""Sources, their runs, and what was wrong in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from catalogue.dcat import Slug
from catalogue.errors import NotFound, Problem, WrongUse
from catalogue.source import HarvestSource
from catalogue.store.database import Database, aware, now
from catalogue.store.records import lead_again
from catalogue.store.tables import catalog_records, problems, runs, source_records, sources
from catalogue.store.types import Run, StoredProblem, Tally


class Sources:
    """The sources that are set up."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, source: HarvestSource) -> None:
        """Raises WrongUse when the name is taken."""
        with self._db.writing() as c:
            if c.execute(sa.select(sources.c.name).where(sources.c.name == source.name)).first():
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
            if _source(held) == source:
                return False
            c.execute(sa.update(sources).where(sources.c.name == source.name).values(**_columns(source)))
            if held.priority != source.priority:
                lead_again(c, source)
            return True

    def get(self, name: str) -> HarvestSource:
        """Raises NotFound, naming the sources there are."""
        with self._db.reading() as c:
            row = c.execute(sa.select(sources).where(sources.c.name == name)).first()
        if row is None:
            there = ", ".join(source.name for source in self.all()) or "none yet; add one with 'fedcat source add'"
            raise NotFound(f"No source is called '{name}'. Sources: {there}.")
        return _source(row)

    def all(self) -> list[HarvestSource]:
        """Every source, by name."""
        with self._db.reading() as c:
            return [_source(row) for row in c.execute(sa.select(sources).order_by(sources.c.name))]

    def pause(self, name: str, paused: bool) -> None:
        self.get(name)
        with self._db.writing() as c:
            c.execute(sa.update(sources).where(sources.c.name == name).values(paused=paused))

    def remove(self, name: str) -> None:
        """Forget a source and its runs. Its records are the caller's to withdraw or keep first."""
        with self._db.writing() as c:
            held = c.execute(sa.select(sources).where(sources.c.name == name)).first()
            c.execute(sa.delete(runs).where(runs.c.source == name))
            c.execute(sa.delete(sources).where(sources.c.name == name))
            if held is not None:
                lead_again(c, _source(held))

    def counts(self) -> dict[str, int]:
        """How many datasets each source describes now."""
        count = sa.func.count(sa.distinct(catalog_records.c.dataset))
        with self._db.reading() as c:
            return {
                row[0]: row[1]
                for row in c.execute(sa.select(catalog_records.c.source, count).group_by(catalog_records.c.source))
            }


def _columns(source: HarvestSource) -> dict[str, Any]:
    return {**asdict(source), "options": dict(source.options), "title": source.title or source.name}


def _source(row: Any) -> HarvestSource:
    held = {key: value for key, value in row._mapping.items() if key != "created"}
    return HarvestSource(
        **{**held, "name": Slug(row.name), "organisation": Slug(row.organisation) if row.organisation else None}
    )


class Runs:
    """Attempts at sources."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def begin(self, source: str) -> Run:
        """Open a run. One that was left open by a killed process is closed first: its records are kept and continued from."""
        with self._db.writing() as c:
            left = (runs.c.source == source) & (runs.c.status == "running")
            c.execute(sa.update(runs).where(left).values(status="failed", ended=now(), message="Interrupted."))
            made = c.execute(sa.insert(runs).values(source=source, status="running", began=now()).returning(runs)).one()
        return _run(made)

    def finish(self, run: Run, status: str, tally: Tally, message: str, seconds: float) -> Run:
        values = {**asdict(tally), "status": status, "message": message, "seconds": seconds, "ended": now()}
        with self._db.writing() as c:
            done = c.execute(sa.update(runs).where(runs.c.id == run.id).values(**values).returning(runs)).one()
        return _run(done)

    def report(self, run: Run, found: Sequence[Problem]) -> None:
        """Keep problems with their run."""
        if not found:
            return
        with self._db.writing() as c:
            c.execute(
                sa.insert(problems),
                [
                    {
                        "run": run.id, "source": run.source, "record": p.record[:500], "severity": p.severity, "rule": p.rule,
                        "location": p.where[:500], "found": p.found[:500], "message": p.message[:2000], "fix": p.fix[:1000],
                    }
                    for p in map(_storable, found)
                ],
            )  # fmt: skip

    def get(self, id_: int) -> Run:
        with self._db.reading() as c:
            row = c.execute(sa.select(runs).where(runs.c.id == id_)).first()
        if row is None:
            raise NotFound(f"There is no run {id_}. 'fedcat runs' lists those there are.")
        return _run(row)

    def some(self, source: str | None = None, limit: int = 50) -> list[Run]:
        """Newest first."""
        wanted = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        with self._db.reading() as c:
            return [_run(row) for row in c.execute(wanted.where(runs.c.source == source) if source else wanted)]

    def latest(self) -> dict[str, Run]:
        """The newest run of every source."""
        newest = sa.select(sa.func.max(runs.c.id)).group_by(runs.c.source)
        with self._db.reading() as c:
            return {row.source: _run(row) for row in c.execute(sa.select(runs).where(runs.c.id.in_(newest)))}

    def problems(self, run: int, limit: int = 1000, offset: int = 0) -> list[StoredProblem]:
        """What was wrong in a run, errors first."""
        wanted = (
            sa.select(problems)
            .where(problems.c.run == run)
            .order_by(_ERRORS_FIRST, problems.c.id)
            .limit(limit)
            .offset(offset)
        )
        with self._db.reading() as c:
            rows = c.execute(wanted).mappings()
            return [StoredProblem(**{k: v for k, v in row.items() if k != "id"}) for row in rows]

    def standing(self, source: str, limit: int = 1000) -> list[StoredProblem]:
        """What is wrong with a source as it is held now, errors first.

        A run tells only of the records that it looked at. What it told of the others holds as long as their content does: it
        stands with the run in which that content came.
        """
        p, r = problems.c, source_records.c
        latest = (
            sa.select(sa.func.max(runs.c.id))
            .where(runs.c.source == source, runs.c.status != "running")
            .scalar_subquery()
        )
        of_content = sa.exists().where(
            r.source == source, r.identifier == p.record, runs.c.began <= r.fetched, r.fetched <= runs.c.ended
        )
        wanted = (
            sa.select(problems)
            .join(runs, runs.c.id == p.run)
            .where(p.source == source, sa.or_(p.run == latest, of_content))
            .order_by(_ERRORS_FIRST, p.id)
            .limit(limit)
        )
        with self._db.reading() as c:
            told = [
                StoredProblem(**{k: v for k, v in row.items() if k != "id"}) for row in c.execute(wanted).mappings()
            ]
        # what two runs told alike is one problem
        return list({(p.record, p.rule, p.location, p.message): p for p in told}.values())

    def refused(self, source: str) -> int:
        """How many records of a source stand by their last good version."""
        count = sa.select(sa.func.count()).where(source_records.c.source == source, source_records.c.rejected != "")
        with self._db.reading() as c:
            return int(c.execute(count).scalar_one())


_ERRORS_FIRST = sa.case({"error": 0, "warning": 1}, value=problems.c.severity, else_=2)


def _storable(problem: Problem) -> Problem:
    """Text that every database takes: PostgreSQL keeps no NUL and no lone surrogate."""
    clean = {k: v.replace("\x00", "").encode("utf-8", "replace").decode() for k, v in asdict(problem).items()}
    return Problem(**clean)


def _run(row: Any) -> Run:
    return Run(**{**row._mapping, "began": aware(row.began), "ended": aware(row.ended)})
