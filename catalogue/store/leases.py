"""Runs as leased rows: one worker at a time, fenced by a token, taken over when its lease ends, given up in the end."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from catalogue.errors import Busy, LeaseLost
from catalogue.source import HarvestSource, PageEnd
from catalogue.store.database import Database, aware
from catalogue.store.pages import packed_held
from catalogue.store.tables import pages, runs, source_records, sources
from catalogue.store.types import Run, Tally

LEASE = timedelta(seconds=60)
ATTEMPTS = 5
"""How often a run is tried without getting a page further before it is given up."""
PER_HOST = 2
"""How many sources of one host are harvested at once."""
TREND = 30
ENDED = ("complete", "partial", "failed", "quarantined", "dead")


def me() -> str:
    """This thread, as others see it: machine, process, thread."""
    return f"{_machine()}/{os.getpid()}/{threading.get_ident()}"


@cache
def _machine() -> str:
    """The name of the machine, with the number of its process space where it has several, as containers do."""
    try:
        return f"{platform.node()}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return platform.node()


class Leases:
    """Which run is whose, until when."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ---- asking for a run

    def enqueue(
        self,
        source: HarvestSource,
        *,
        due: datetime | None = None,
        trusting: bool = False,
        hasten: bool = True,
        most_attempts: int = ATTEMPTS,
    ) -> Run:
        """Ask for a run. One that waits already is enough: it is moved forward if this one is to come sooner and may `hasten`."""
        with self._db.writing() as c:
            at = due or self._db.clock(c)
            waiting = _one(c, runs.c.source == source.name, runs.c.status == "waiting")
            if waiting is None:
                made = _new(source, "waiting", at, trusting=trusting, most_attempts=most_attempts)
                return run_of(c.execute(sa.insert(runs).values(**made).returning(runs)).one())
            before = aware(waiting.due) or at
            sooner = {"due": min(at, before) if hasten else before, "trusting": trusting or waiting.trusting}
            return _set(c, waiting.id, **sooner)

    def start(self, source: HarvestSource, *, trusting: bool = False) -> Run:
        """Begin a run here and now, or take over one whose worker is dead. Raises Busy when somebody is at work on it."""
        with self._db.writing() as c:
            at = self._db.clock(c)
            left = _one(c, runs.c.source == source.name, runs.c.status == "running")
            if left is not None and not abandoned(left, at):
                message = (
                    f"'{source.name}' is being harvested by {left.owner} since {left.began:%H:%M}, in run {left.id}."
                )
                raise Busy(f"{message} 'fedcat run {left.id}' shows how far it is.")
            waiting = _one(c, runs.c.source == source.name, runs.c.status == "waiting")
            if left is not None or waiting is not None:
                taken = left if left is not None else waiting
                assert taken is not None
                return self._take(c, taken, at, trusting=trusting or taken.trusting)
            made = _new(source, "running", at, trusting=trusting, most_attempts=ATTEMPTS)
            held = {**_holder(at), "attempts": 1, "token": 1, "since": _since(c, source, at)}
            return run_of(c.execute(sa.insert(runs).values(**made | held).returning(runs)).one())

    def claim(self, per_host: int = PER_HOST) -> Run | None:
        """The run that has waited longest and may start, or one whose worker has died; None when there is none."""
        try:
            with self._db.writing() as c:
                at = self._db.clock(c)
                for row in c.execute(sa.select(runs).where(runs.c.status == "running").order_by(runs.c.id)).all():
                    if not abandoned(row, at):
                        continue
                    lost = f"Its worker {row.owner} was lost."
                    if row.attempts < row.most_attempts:  # that a worker dies says nothing of the page: go on at it
                        return self._take(c, row, at, message=lost)
                    self._let_go(c, row, at, lost, at)
                running = c.execute(sa.select(runs.c.source, runs.c.host).where(runs.c.status == "running")).all()
                hosts = [row.host for row in running if row.host]
                full = {host for host in hosts if hosts.count(host) >= per_host}
                due = (
                    sa.select(runs)
                    .where(
                        runs.c.status == "waiting",
                        runs.c.due <= at,
                        runs.c.source.not_in([row.source for row in running]),
                        runs.c.host.not_in(list(full)),
                    )
                    .order_by(runs.c.due, runs.c.id)
                    .limit(1)
                )
                next_one = c.execute(due).first()
                return self._take(c, next_one, at) if next_one is not None else None
        except sa.exc.IntegrityError:  # somebody else took this source at the same moment
            return None

    def _take(self, c: sa.Connection, row: Any, at: datetime, **more: Any) -> Run:
        source = c.execute(sa.select(sources).where(sources.c.name == row.source)).first()
        fresh = not row.attempts and not row.cursor
        since = {"since": _since(c, source, at), "began": at} if fresh and source is not None else {}
        values = {**_holder(at), "status": "running", "ended": None, **since, **more}
        return _set(c, row.id, attempts=row.attempts + 1, token=row.token + 1, **values)

    # ---- while it goes on

    def beat(self, run: Run) -> None:
        """Say that this worker lives. Raises LeaseLost when the run is no longer its own."""
        with self._db.writing() as c:
            fence(self._db, c, run)

    def turn(self, run: Run, page: PageEnd, held: Sequence[str], tally: Tally, requests: int, clean: bool) -> None:
        """A page is done: remember what it was like and go on behind it. What is as before is not written again.

        Behind the last there is nothing to go on at: whoever takes the run over then reads that page again, and so comes
        to its end as a harvester does.
        A page that is not `clean` is read again the next time, as is one of a source that was asked only for changes.
        """
        with self._db.writing() as c:
            done = runs.c.turned + 1
            further = {"attempts": sa.case((done > runs.c.furthest, 0), else_=runs.c.attempts)}
            further["furthest"] = sa.case((done > runs.c.furthest, done), else_=runs.c.furthest)
            behind = {"cursor": page.next, "turned": done, **further, **asdict(tally)} if page.next else {}
            progress = {"requests": requests, **behind}
            if page.mark:
                progress["mark"] = page.mark
            if page.changes_only:
                progress["whole"] = False
            fence(self._db, c, run, **progress)
            if page.changes_only or page.unchanged:
                return
            p = pages.c
            known = {"etag": page.etag, "last_modified": page.last_modified, "digest": page.digest}
            row = {
                **(known if clean else dict.fromkeys(known, "")),
                "next": page.next,
                "mark": page.mark,
                "held": packed_held(held),
            }
            this = (p.source == run.source, p.at == page.at)
            before = c.execute(sa.select(pages).where(*this)).mappings().first()
            if before is None:
                c.execute(sa.insert(pages).values(source=run.source, at=page.at, **row))
            elif any(before[name] != value for name, value in row.items()):
                c.execute(sa.update(pages).where(*this).values(**row))

    # ---- its end

    def retry(self, run: Run, reason: str, wait: float, tally: Tally) -> Run:
        """Try again after so many seconds, from where it is; or give the run up when it has been tried often enough."""
        with self._db.writing() as c:
            fence(self._db, c, run)
            row = c.execute(sa.select(runs).where(runs.c.id == run.id)).one()
            at = self._db.clock(c)
            return self._let_go(c, row, at, reason, at + timedelta(seconds=wait), **asdict(tally))

    def postpone(self, run: Run, due: datetime, reason: str) -> Run:
        """Give a run back that was claimed, to be started later. Another that was asked for meanwhile is this one."""
        with self._db.writing() as c:
            fence(self._db, c, run)
            newer = _one(c, runs.c.source == run.source, runs.c.status == "waiting")
            if newer is not None:
                c.execute(sa.delete(runs).where(runs.c.id == newer.id))
            given_back = {
                "owner": "",
                "lease_until": None,
                "token": run.token + 1,
                "attempts": max(0, run.attempts - 1),
            }
            trusting = run.trusting or (newer is not None and newer.trusting)
            return _set(c, run.id, status="waiting", due=due, message=reason, trusting=trusting, **given_back)

    def finish(self, run: Run, status: str, tally: Tally, message: str, seconds: float, **more: Any) -> Run:
        """Close a run. Raises LeaseLost when it is no longer ours to close."""
        with self._db.writing() as c:
            fence(self._db, c, run)
            at = self._db.clock(c)
            values = {**asdict(tally), "status": status, "message": message, "seconds": seconds, "ended": at, **more}
            return _set(c, run.id, **values, **_standing(c, run, status, at), owner="", lease_until=None)

    def _let_go(self, c: sa.Connection, row: Any, at: datetime, reason: str, due: datetime, **tally: int) -> Run:
        """Wait for the next attempt, with the tally of the last page's end; or end the run, with all that it has counted."""
        waiting = _one(c, runs.c.source == row.source, runs.c.status == "waiting")
        nobody = {"owner": "", "lease_until": None, "token": row.token + 1, "message": reason}
        if row.attempts >= row.most_attempts:
            return _set(c, row.id, status="dead", ended=at, **nobody, **tally, **_standing(c, run_of(row), "dead", at))
        if waiting is not None:
            over = {"status": "failed", "ended": at, "message": f"{reason} Run {waiting.id} goes on."}
            return _set(c, row.id, **nobody | over, **tally, **_standing(c, run_of(row), "failed", at))
        # where two attempts came no further, what it was to go on from may be what is wrong
        cursor = {"cursor": "", "turned": 0} if row.attempts > 1 else {}
        return _set(c, row.id, status="waiting", due=due, **nobody, **cursor)


def fence(database: Database, c: sa.Connection, run: Run, **values: Any) -> None:
    """Renew the lease within a transaction that writes for a run. Raises LeaseLost, and so nothing is written, if it is gone."""
    mine = (runs.c.id == run.id, runs.c.token == run.token, runs.c.status == "running")
    values |= {"lease_until": database.clock(c) + LEASE}
    if c.execute(sa.update(runs).where(*mine).values(**values)).rowcount != 1:
        raise LeaseLost(f"Run {run.id} of '{run.source}' is no longer this worker's: its lease ended.")


def abandoned(row: Any, at: datetime) -> bool:
    """Whether nobody works on a running run: its lease has ended, or its process on this machine has."""
    until = aware(row.lease_until)
    machine, process, thread = [*row.owner.rsplit("/", 2), "", ""][:3]
    return until is None or until < at or (machine == _machine() and not _lives(int(process), int(thread)))


def _lives(process: int, thread: int) -> bool:
    """Whether somebody else is there; what this thread left open, it has given up."""
    if process == os.getpid():
        return thread != threading.get_ident() and thread in {one.ident for one in threading.enumerate()}
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _holder(at: datetime) -> dict[str, Any]:
    return {"owner": me(), "lease_until": at + LEASE}


def _new(source: HarvestSource, status: str, at: datetime, **more: Any) -> dict[str, Any]:
    return {
        "source": source.name, "status": status, "began": at, "due": at, "host": urlsplit(source.url).netloc, **more,
    }  # fmt: skip


def _since(c: sa.Connection, source: Any, at: datetime) -> str:
    """The mark from which a source need only give what changed: that of the last run that was read to its end.

    "" asks for everything: at first, after its set-up has changed, and once in so many days, to find what was deleted.
    """
    ended = (runs.c.source == source.name, runs.c.status.in_(("complete", "quarantined")))
    newest = sa.select(runs.c.mark).where(*ended, runs.c.mark != "").order_by(runs.c.id.desc()).limit(1)
    mark = c.execute(newest).scalar()
    swept = sa.select(runs.c.began).where(*ended, runs.c.whole).order_by(runs.c.id.desc()).limit(1)
    full = aware(c.execute(swept).scalar())
    if not mark or full is None or full < at - timedelta(days=source.sweep):
        return ""
    changed = aware(c.execute(sa.select(sources.c.changed).where(sources.c.name == source.name)).scalar())
    return "" if changed is not None and changed >= full else str(mark)


def _standing(c: sa.Connection, run: Run, status: str, at: datetime) -> dict[str, Any]:
    """What the list of sources shows of each, kept in the row of its newest run so that the list reads one row for each."""
    before = sa.select(runs.c.trend, runs.c.last_success).where(
        runs.c.source == run.source, runs.c.id < run.id, runs.c.status.in_(ENDED)
    )
    last = c.execute(before.order_by(runs.c.id.desc()).limit(1)).first()
    count = sa.select(sa.func.count()).where(source_records.c.source == run.source)
    held = int(c.execute(count).scalar_one())
    trend = [*(last.trend.split() if last else ()), str(held)][-TREND:]
    success = at if status in ("complete", "quarantined") else last.last_success if last else None
    return {"held_now": held, "trend": " ".join(trend), "last_success": success}


def _one(c: sa.Connection, *where: Any) -> Any:
    return c.execute(sa.select(runs).where(*where)).first()


def _set(c: sa.Connection, id_: int, **values: Any) -> Run:
    return run_of(c.execute(sa.update(runs).where(runs.c.id == id_).values(**values).returning(runs)).one())


def run_of(row: Any) -> Run:
    """A row as a run; SQLite forgets the zone of its times."""
    moments = {name: aware(row._mapping[name]) for name in ("began", "ended", "due", "lease_until", "last_success")}
    return Run(**{**row._mapping, **moments})
