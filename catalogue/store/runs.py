"""Past and present runs, and what was wrong in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from catalogue.errors import NotFound, Problem
from catalogue.store.database import Database
from catalogue.store.leases import ENDED, fence, run_of
from catalogue.store.tables import problems, runs, source_records, sources
from catalogue.store.types import Run, StoredProblem

WEIGHED = 20_000
"""How many problems of a source are counted."""


class Runs:
    """Attempts at sources."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def report(self, run: Run, found: Sequence[Problem]) -> None:
        """Keep problems with their run. Raises LeaseLost when it is no longer this worker's."""
        if not found:
            return
        with self._db.writing() as c:
            fence(self._db, c, run)
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
        return run_of(row)

    def some(self, source: str | None = None, limit: int = 50) -> list[Run]:
        """Newest first."""
        wanted = sa.select(runs).order_by(runs.c.id.desc()).limit(limit)
        with self._db.reading() as c:
            return [run_of(row) for row in c.execute(wanted.where(runs.c.source == source) if source else wanted)]

    def latest(self) -> dict[str, Run]:
        """The newest run of every source that has come to an end: one seek in an index for each, however many runs there are."""
        return self._newest(runs.c.status.in_(ENDED))

    def under_way(self) -> dict[str, Run]:
        """The run of every source that is at work now, or waiting to be."""
        with self._db.reading() as c:
            wanted = sa.select(runs).where(runs.c.status.in_(("waiting", "running"))).order_by(runs.c.status.desc())
            return {row.source: run_of(row) for row in c.execute(wanted)}

    def _newest(self, which: sa.ColumnElement[bool]) -> dict[str, Run]:
        newest = (
            sa.select(runs.c.id)
            .where(runs.c.source == sources.c.name, which)
            .order_by(runs.c.id.desc())
            .limit(1)
            .correlate(sources)
            .scalar_subquery()
        )
        wanted = sa.select(runs).where(runs.c.id.in_(sa.select(newest).select_from(sources)))
        with self._db.reading() as c:
            return {row.source: run_of(row) for row in c.execute(wanted)}

    def told(self, run: int) -> set[tuple[str, str, str, str]]:
        """What a run has told so far: record, rule, place and message."""
        p = problems.c
        with self._db.reading() as c:
            rows = c.execute(sa.select(p.record, p.rule, p.location, p.message).where(p.run == run))
            return {(row.record, row.rule, row.location, row.message) for row in rows}

    def thin(self, before: datetime) -> int:
        """Forget runs that ended earlier, with their problems, but for the newest of each source and what still stands."""
        r, s = runs.c, source_records.c
        newest = sa.select(sa.func.max(r.id)).where(r.status.in_(ENDED)).group_by(r.source)
        still_told = sa.select(s.run).where(s.run != 0)
        gone = sa.delete(runs).where(
            r.ended < before, r.status.in_(ENDED), r.id.not_in(newest), r.id.not_in(still_told)
        )
        with self._db.writing() as c:
            return c.execute(gone).rowcount

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

    def standing(self, source: str, limit: int = 1000, run: int | None = None) -> list[StoredProblem]:
        """What is wrong with a source as it is held now, errors first.

        A run tells only of the records that it looked at. What it told of the others holds as long as their content does: it
        stands with the run in which that content came. `run` is the last one, where it has not ended yet.
        """
        p, r = problems.c, source_records.c
        newest = sa.select(sa.func.max(runs.c.id)).where(runs.c.source == source, runs.c.status.in_(ENDED))
        latest = newest.scalar_subquery() if run is None else run
        of_content = sa.exists().where(r.source == source, r.identifier == p.record, r.run == p.run)
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

    def last(self, source: str) -> Run | None:
        """The newest run of one source that has come to an end."""
        wanted = sa.select(runs).where(runs.c.source == source, runs.c.status.in_(ENDED))
        with self._db.reading() as c:
            row = c.execute(wanted.order_by(runs.c.id.desc()).limit(1)).first()
        return run_of(row) if row is not None else None

    def weigh(self, source: str, run: int) -> dict[str, int]:
        """How much is wrong with a source as it is held now, after this run: {"errors": 3, "warnings": 12}."""
        standing = self.standing(source, WEIGHED, run)
        severities = Counter(problem.severity for problem in standing)
        return {"errors": severities["error"], "warnings": severities["warning"]}

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
