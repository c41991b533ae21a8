"""The line itself, from a portal on the loopback address to the store."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catalogue.bench.machine import Watch, peak
from catalogue.dcat import Slug
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.source import HarvestSource, harvester
from catalogue.store import Run, Store

BASE = "http://127.0.0.1:8000"


class NotAsExpected(Exception):
    """What was measured did not do the work that it should have done, so its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One harvest, or one remap: datasets a second of processor time, and on the clock; memory at the highest, in MB."""

    per_core: float
    per_second: float
    peak: float


def harvests(database: str, kind: str, url: str, count: int) -> tuple[Pass, Pass]:
    """A source harvested into an empty store, and harvested again unchanged."""
    source = HarvestSource(name=Slug("bench"), type=kind, url=url)
    with closing(Store(database)) as store:
        store.upgrade()
        store.sources.replace(source)
        return _harvest(store, source, count, "added"), _harvest(store, source, count, "unchanged")


def _harvest(store: Store, source: HarvestSource, count: int, outcome: str) -> Pass:
    with Watch() as watch, Client(allow_private=True) as client:
        run = line.harvest(HarvestRun.begin(source, store, BASE), harvester(source.type), client)
    return _passed(run, watch, count, outcome)


def remapped(database: str, count: int) -> Pass:
    """What is held of the source, mapped again."""
    with closing(Store(database)) as store:
        source = store.sources.get("bench")
        with Watch() as watch:
            run = line.remap(HarvestRun.begin(source, store, BASE), harvester(source.type))
    return _passed(run, watch, count, "unchanged")


def _passed(run: Run, watch: Watch, count: int, outcome: str) -> Pass:
    if run.status != "complete" or getattr(run, outcome) != count:
        raise NotAsExpected(f"{count} datasets should have been {outcome}: {run}")
    return Pass(count / watch.cpu, count / watch.wall, peak())


def store_in(home: Path) -> str:
    """The address of the database in a folder."""
    home.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home / 'fedcat.db'}"
