"""Processes of `fedcat worker` over one database, which a test may kill, and what the harvest must come to all the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from feed_server import served_apart
from world import source

from catalogue.store import Run, Store
from catalogue.store.tables import catalog_bodies, catalog_records, datasets, source_records

KILLS = int(os.environ.get("FEDCAT_KILLS", "8"))
DATASETS = int(os.environ.get("FEDCAT_KILLS_DATASETS", "2000"))
SIZE = 50 if DATASETS <= 2000 else 100
FEWEST_TRIES_LEFT = 2
"""A run is given up when it is cut short five times within one page: that is another promise, so we stop short of it."""


@dataclass
class Crew:
    """Processes of `fedcat worker` over one database."""

    url: str
    home: Path
    size: int = 2
    members: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __enter__(self) -> Crew:
        for _ in range(self.size):
            self.hire()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.members.values():
            process.kill()
        for process in self.members.values():
            process.wait()

    def hire(self) -> None:
        settings = {
            "FEDCAT_HOME": str(self.home),
            "FEDCAT_DATABASE_URL": self.url,
            "FEDCAT_BASE_URL": "https://catalogue.example",
            "FEDCAT_ALLOW_PRIVATE_SOURCES": "1",
            "FEDCAT_MAX_CRAWL_DELAY": "0",
        }
        with (self.home / "workers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "catalogue", "worker"],
                env={**os.environ, **settings}, cwd=self.home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.members[process.pid] = process

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.members.pop(pid).wait()
        self.hire()

    def log(self) -> str:
        return (self.home / "workers.log").read_text("utf-8", "replace")


@contextmanager
def prepared(url: str, address: str) -> Iterator[Store]:
    """A database with one source, a run of which is wanted."""
    with closing(Store(url)) as store:
        store.upgrade()
        store.sources.add(source("canals", type="dcat-rdf", url=address))
        store.leases.enqueue(store.sources.get("canals"))
        yield store


def kill_at_random(store: Store, crew: Crew, most: int, pages: int) -> int:
    """Kill whoever holds the run, so many times before it ends, spread over its pages; gives how often."""
    kills, killed, patience = 0, 0, time.monotonic() + 3600
    while (run := store.runs.some("canals", 1)[0]).ended is None:
        assert time.monotonic() < patience, crew.log()
        pid = holder(run)
        if (
            kills == most
            or pid not in crew.members
            or run.attempts > run.most_attempts - FEWEST_TRIES_LEFT
            or pid == killed
        ):
            time.sleep(0.02)
            continue
        further = random.uniform(0, 2 * (pages - run.turned) / (most - kills))
        now = run
        while now.token == run.token and now.ended is None and now.turned < run.turned + int(further):
            time.sleep(0.01)
            now = store.runs.get(run.id)
        time.sleep(random.uniform(0, 0.2))
        now = store.runs.get(run.id)
        if now.token == run.token and now.ended is None:
            crew.kill(pid)
            kills, killed = kills + 1, pid
    return kills


def holder(run: Run) -> int:
    """The process that holds a run; 0 when nobody does."""
    return int([*run.owner.split("/"), "", ""][1] or 0)


def final(store: Store) -> set[tuple[str, ...]]:
    """All that the catalogue holds: each dataset with its state and the record that leads it, byte for byte."""
    wanted = (
        sa.select(datasets.c.id, datasets.c.iri, datasets.c.state, source_records.c.identifier)
        .add_columns(source_records.c.fingerprint, catalog_records.c.fingerprint, catalog_bodies.c.body)
        .outerjoin(catalog_records, catalog_records.c.id == datasets.c.lead)
        .outerjoin(catalog_bodies, catalog_bodies.c.id == catalog_records.c.id)
        .outerjoin(source_records, source_records.c.id == catalog_records.c.record)
    )
    with store.database.reading() as c:
        return {tuple(row) for row in c.execute(wanted)}


def undisturbed(address: str, home: Path) -> set[tuple[str, ...]]:
    """What one worker makes of the same feed when nobody disturbs it."""
    with ExitStack() as open_:
        store = open_.enter_context(prepared(f"sqlite:///{home}/undisturbed.db", address))
        open_.enter_context(Crew(f"sqlite:///{home}/undisturbed.db", home, size=1))
        while store.runs.some("canals", 1)[0].ended is None:
            time.sleep(0.2)
        assert store.runs.last("canals").status == "complete"  # type: ignore[union-attr]
        return final(store)


def killed_again_and_again(
    url: str, home: Path, *, etags: bool = True, most: int = KILLS, count: int = DATASETS
) -> str:
    """The promise; gives its figures."""
    for name in ("killed", "calm"):
        (home / name).mkdir()
    with served_apart(count, SIZE, etags=etags) as feed, prepared(url, feed.url) as store:
        expected = undisturbed(feed.url, home / "calm")
        before = feed.asked()
        pages = before.total()
        assert before == Counter(dict.fromkeys(range(1, -(-count // SIZE) + 1), 1))
        began = time.monotonic()
        with Crew(url, home / "killed") as crew:
            kills = kill_at_random(store, crew, most, pages)
            seconds = time.monotonic() - began
        run = store.runs.last("canals")
        assert run is not None
        assert run.status == "complete", (run, crew.log())
        more = feed.asked() - before - before
        figures = f"{kills} kills, {more.total()} requests beyond {pages}, {seconds:.0f} s"
        assert final(store) == expected
        assert more.total() <= kills, figures
        assert (run.fetched, run.added + run.updated + run.unchanged) == (count, count), run
        assert len(store.runs.some("canals")) == 1
        assert kills >= min(most, 3), figures
        return figures
