"""Scheduler and worker: sets down what is due, claims runs one at a time, beats while it works, and starts over when it must.

As many as you like may run, on as many machines as share the database. None of them is special.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from catalogue.errors import LeaseLost, NotFound, Problem, SourceUnavailable, StoreAway, WrongUse
from catalogue.harvest import line, schedule
from catalogue.harvest.cycles import seldom_sought
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.source import HarvestSource, harvester
from catalogue.store import Run, Store, Tally
from catalogue.store.leases import LEASE

IDLE = 5.0
"""Seconds between two looks for work, when there is none."""
SHORTEST, LONGEST = 30.0, 3600.0
"""Seconds before a run that failed is tried again: twice as long after each attempt, within these."""
PATIENCE = 24 * 3600.0
"""The longest that a source may ask us to stay away."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker needs. `tell` is handed a line for its log; `ended` every run that has come to an end."""

    store: Store
    client: Callable[[], Client]
    base: str
    tell: Callable[[str], None] = print
    ended: Callable[[Run], None] = lambda _: None

    def work(self, stop: threading.Event, *, once: bool = False) -> int:
        """Until told to stop; `once`, until nothing is due. Gives how many attempts it has made."""
        made = 0
        while not stop.is_set():
            try:
                self.schedule(datetime.now(UTC))
                run = self.next()
            except StoreAway as away:  # it will be back, and every run where it was
                if once:
                    raise
                self.tell(str(away))
                run = None
            if run is not None:
                made += 1
                self.tell(f"{run.source}: {run.status} (run {run.id}). {run.message}".strip())
            elif once:
                return made
            else:
                stop.wait(IDLE * random.uniform(0.8, 1.2))  # noqa: S311 - so that many do not look at the same moment
        return made

    def schedule(self, now: datetime) -> None:
        """Ask for a run of every source whose time has come."""
        for source in self.due(now):
            self.store.leases.enqueue(source, hasten=False)  # one that was asked to come later comes later

    def due(self, now: datetime) -> Iterator[HarvestSource]:
        """The sources whose time has come, each to one worker alone; when it comes again is worked out."""
        for source, due in self.store.sources.scheduled():
            if due is not None and due > now:
                continue
            following = schedule.next_run(source.schedule, source.time_zone, source.blackout, source.name, now)
            if self.store.sources.set_next(source.name, due, following) and due is not None:
                yield source

    def next(self) -> Run | None:
        """Work on the next run that is due; None when there is none. What it comes to is in the run."""
        claimed = self.store.leases.claim()
        if claimed is None:
            return None
        try:
            with beating(self.store, claimed):
                return self.attempt(claimed)
        except NotFound as removed:  # its source, since the run was asked for
            return self.store.leases.finish(claimed, "failed", Tally(), str(removed), 0.0)
        except LeaseLost as lost:
            self.tell(str(lost))
            return self.store.runs.get(claimed.id)

    @seldom_sought()
    def attempt(self, claimed: Run) -> Run:
        """One attempt at a run: to its end, or until a later attempt."""
        source = self.store.sources.get(claimed.source)
        open_again = schedule.blacked_out(source.blackout, source.time_zone, datetime.now(UTC))
        if open_again:
            return self.store.leases.postpone(claimed, open_again, "Its owner does not want us at this hour.")
        run = HarvestRun.of(claimed, source, self.store, self.base)
        try:
            reads = harvester(source.type)
            with self.client() as client:
                line.bring(run, reads, client)
            return self.closed(line.withdraw(run, claimed.trusting))
        except SourceUnavailable as broken:
            return self.ending(run, broken)
        except WrongUse as wrong:  # its harvester is not installed, say
            run.note([Problem(rule="source-unusable", message=str(wrong), fix="Mend the source, or remove it.")])
            return self.closed(run.finish("failed", str(wrong)))

    def ending(self, run: HarvestRun, broken: SourceUnavailable) -> Run:
        """The source broke off: try again later, from where we are, until it has been tried often enough."""
        run.broke_off(broken)
        run.save_notes()
        asked = min(broken.retry_after or 0.0, PATIENCE)
        wait = max(asked, min(LONGEST, SHORTEST * 2.0 ** (run.row.attempts - 1)))
        after = self.store.leases.retry(run.row, str(broken), wait * random.uniform(1, 1.25), run.tally)  # noqa: S311
        return self.closed(after) if after.status == "dead" else after

    def closed(self, run: Run) -> Run:
        self.ended(run)
        return run


@contextmanager
def beating(store: Store, run: Run, every: float = LEASE.total_seconds() / 3) -> Iterator[None]:
    """Inside it, the run's lease is renewed. Where that fails, the next write of the run does too, and ends it."""
    if store.database.in_memory:  # one connection, which the harvest needs for itself
        yield
        return
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(every):
            try:
                store.leases.beat(run)
            except LeaseLost:
                return
            except StoreAway:  # the lease lasts for two more beats
                continue

    thread = threading.Thread(target=beat, name=f"beat-{run.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
