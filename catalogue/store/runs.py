"""Past and present runs, and what was wrong in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from catalogue.errors import NotFound, Problem
from catalogue.store.database import Database, chunks
from catalogue.store.leases import ENDED, fence, run_of
from catalogue.store.tables import problems, runs, source_records, sources
from catalogue.store.types import Run, StoredProblem

WEIGHED = 20_000
"""How many problems of a source are counted."""


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that a source breaks: how often, and a few of the places."""

    count: int
    examples: tuple[StoredProblem, ...]


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

    def bring(self, found: Iterable[Run]) -> None:
        """Runs from elsewhere, each under a number of its own here."""
        rows = ({name: value for name, value in asdict(run).items() if name != "id"} for run in found)
        with self._db.writing() as c:
            while some := list(islice(rows, 5_000)):
                c.execute(sa.insert(runs), some)

    def thin(self, before: datetime) -> int:
        """Forget runs that ended earlier, with their problems, but for the newest of each source and what still stands.

        They are looked for while others write, and go a few at a time, so that nobody waits long. Once a day is enough.
        """
        r, s = runs.c, source_records.c
        newest = sa.select(sa.func.max(r.id)).where(r.status.in_(ENDED)).group_by(r.source)
        still_told = sa.select(s.run).where(s.run != 0)
        old = sa.select(r.id).where(r.ended < before, r.status.in_(ENDED), r.id.not_in(newest), r.id.not_in(still_told))
        with self._db.reading() as c:
            gone = list(c.execute(old).scalars())
        for some in chunks(gone):
            with self._db.writing() as c:
                c.execute(sa.delete(runs).where(r.id.in_(some)))
        return len(gone)

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
            return [_problem(row) for row in c.execute(wanted).mappings()]

    def standing(self, source: str, limit: int = 1000, run: int | None = None) -> list[StoredProblem]:
        """What is wrong with a source as it is held now, errors first.

        A run tells only of the records that it looked at. What it told of the others holds as long as their content does: it
        stands with the run in which that content came. `run` is the last one, where it has not ended yet.
        """
        wanted = sa.select(problems).where(_standing(source, run)).order_by(_ERRORS_FIRST, problems.c.id).limit(limit)
        with self._db.reading() as c:
            told = [_problem(row) for row in c.execute(wanted).mappings()]
        # what two runs told alike is one problem
        return list({(p.record, p.rule, p.location, p.message): p for p in told}.values())

    def rules(self, source: str, examples: int = 5, rule: str = "") -> list[BrokenRule]:
        """What is wrong with a source as it is held now, by rule, the gravest and commonest first; with a few of the places.

        All of its rules, or one.
        """
        a = _alike(source, rule).c
        ranked = sa.select(
            a.id,
            sa.func.row_number().over(partition_by=(a.severity, a.rule), order_by=a.id).label("nth"),
            sa.func.count().over(partition_by=(a.severity, a.rule)).label("many"),
        ).subquery()
        first = sa.select(problems, ranked.c.many).join(ranked, ranked.c.id == problems.c.id)
        order = (_ERRORS_FIRST, ranked.c.many.desc(), problems.c.rule, problems.c.id)
        found: dict[tuple[str, str], list[Any]] = {}
        with self._db.reading() as c:
            for row in c.execute(first.where(ranked.c.nth <= examples).order_by(*order)).mappings():
                found.setdefault((row["severity"], row["rule"]), []).append(row)
        return [BrokenRule(rows[0]["many"], tuple(map(_problem, rows))) for rows in found.values()]

    def of_rule(self, source: str, rule: str, severity: str, limit: int = 100, offset: int = 0) -> list[StoredProblem]:
        """What stands of one rule, in the order in which it was told."""
        a = _alike(source, rule).c
        those = sa.select(a.id).where(a.severity == severity)
        wanted = sa.select(problems).where(problems.c.id.in_(those)).order_by(problems.c.id).limit(limit).offset(offset)
        with self._db.reading() as c:
            return [_problem(row) for row in c.execute(wanted).mappings()]

    def each_standing(self, source: str, size: int = 1000) -> Iterator[StoredProblem]:
        """All that is wrong with a source as it is held now, errors first, however much it is: it is read a little at a time."""
        p = problems.c
        last = self.last(source)
        newest = last.id if last else 0
        again = self.told(newest)  # so many as one run tells at most
        with self._db.reading() as c:
            those = sa.select(p.run).distinct().where(p.run.in_(_runs_of(source)))
            told_in = sorted(c.execute(those).scalars())
        for rank in (0, 1, 2):
            for run in told_in:
                wanted = sa.select(problems).where(
                    p.run == run, sa.literal(rank) == _ERRORS_FIRST, _standing(source, newest)
                )
                after = 0
                while True:
                    with self._db.reading() as c:
                        rows = c.execute(wanted.where(p.id > after).order_by(p.id).limit(size)).mappings().all()
                    alike = again if run != newest else ()
                    yield from (
                        _problem(row)
                        for row in rows
                        if (row["record"], row["rule"], row["location"], row["message"]) not in alike
                    )
                    if len(rows) < size:
                        break
                    after = rows[-1]["id"]

    def about(self, source: str, record: str, limit: int = 100) -> list[StoredProblem]:
        """What is wrong with one record as it is held now, or with its newer version that was refused."""
        wanted = sa.select(problems).where(_standing(source), problems.c.record == record[:500])
        with self._db.reading() as c:
            told = [
                _problem(row)
                for row in c.execute(wanted.order_by(_ERRORS_FIRST, problems.c.id).limit(limit)).mappings()
            ]
        return list({(p.rule, p.location, p.message): p for p in told}.values())

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


def _runs_of(source: Any) -> sa.Select[Any]:
    return sa.select(runs.c.id).where(runs.c.source == source)


def _standing(source: Any, run: int | None = None) -> sa.ColumnElement[bool]:
    """Told by the newest run, or by the one in which the content came that we hold.

    By the runs of the source, not by its name: problems are found by their run.
    """
    p, r = problems.c, source_records.c
    newest = sa.select(sa.func.max(runs.c.id)).where(runs.c.source == source, runs.c.status.in_(ENDED))
    latest = newest.scalar_subquery() if run is None else run
    of_content = sa.exists().where(r.source == source, r.identifier == p.record, r.run == p.run)
    lasts = p.rule != "routes-disagree"  # the other side may have been mended: store.joins.conflicts knows
    return sa.and_(p.run.in_(_runs_of(source)), sa.or_(p.run == latest, sa.and_(lasts, of_content)))


def _alike(source: str, rule: str = "") -> sa.Subquery:
    """What stands; what two runs told alike is one problem."""
    p = problems.c
    wanted = sa.select(sa.func.min(p.id).label("id"), p.severity, p.rule).where(_standing(source))
    of_rule = wanted.where(p.rule == rule) if rule else wanted
    return of_rule.group_by(p.severity, p.rule, p.record, p.location, p.message).subquery()


def _problem(row: sa.RowMapping) -> StoredProblem:
    return StoredProblem(**{column.name: row[column.name] for column in problems.c if column.name != "id"})


def _storable(problem: Problem) -> Problem:
    """Text that every database takes: PostgreSQL keeps no NUL and no lone surrogate."""
    clean = {k: v.replace("\x00", "").encode("utf-8", "replace").decode() for k, v in asdict(problem).items()}
    return Problem(**clean)
