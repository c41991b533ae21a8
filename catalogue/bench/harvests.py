"""The line itself, from a portal on the loopback address to the store."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from catalogue.bench import corpus, portal
from catalogue.bench.machine import Watch, peak
from catalogue.dcat import Slug
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client, Limits
from catalogue.source import HarvestSource, harvester
from catalogue.store import Run, Store

BASE = "http://127.0.0.1:8000"
LIMITS = Limits(crawl_delay=0)


class NotAsExpected(Exception):
    """What was measured did not do the work that it should have done, so its figures would mean nothing."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One harvest, or one remap: datasets a second of processor time, and on the clock; memory at the highest, in MB."""

    per_core: float
    per_second: float
    peak: float


@dataclass(frozen=True, slots=True)
class Passes:
    """A source harvested for the first time, and again under other circumstances."""

    new: Pass
    unchanged: Pass
    """Every page read again, every record compared."""
    same_bytes: Pass
    """Every page sent again, and found to be the same."""
    not_sent: Pass
    """Every page asked for by its ETag."""
    changed: Pass
    """One dataset in a hundred says something new, on every page."""


def rdf_passes(home: Path, address: str, count: int) -> Passes:
    """Pages of Turtle, new and again."""
    with closing(Store(store_in(home))) as store:
        store.upgrade()
        source = _set_up(store, "dcat-rdf", address + portal.PLAIN)
        new = _harvest(store, source, count, "added")
        same_bytes = _harvest(store, source, count, "unchanged")
        store.pages.forget(source.name)
        unchanged = _harvest(store, source, count, "unchanged")
        tagged = _set_up(store, "dcat-rdf", address + portal.TAGGED)
        _harvest(store, tagged, count, "unchanged")
        not_sent = _harvest(store, tagged, count, "unchanged")
        revised = _set_up(store, "dcat-rdf", address + portal.REVISED)
        changed = _harvest(store, revised, count, "unchanged", but=-(-count // corpus.PAGE))
    return Passes(new, unchanged, same_bytes, not_sent, changed)


def resumed(home: Path, address: str, count: int) -> Pass:
    """A run that is cut short half way, and the work of the one that goes on with it."""

    def cut_short(run: HarvestRun) -> None:
        if run.tally.fetched >= count // 2:
            raise KeyboardInterrupt

    with closing(Store(store_in(home))) as store:
        store.upgrade()
        source = _set_up(store, "dcat-rdf", address + portal.PLAIN)
        reads = harvester(source.type)
        with Client(LIMITS, allow_private=True) as client, suppress(KeyboardInterrupt):
            line.bring(HarvestRun.begin(source, store, BASE), reads, client, cut_short)
        left = count - len(store.records.identifiers(source.name))
        with Watch() as watch, Client(LIMITS, allow_private=True) as client:
            run = line.harvest(HarvestRun.begin(source, store, BASE), reads, client)
    return _passed(run, watch, left, run.added == count)


def ckan_passes(home: Path, address: str, count: int) -> tuple[Pass, Pass]:
    """A CKAN portal, new and again, asked for everything both times."""
    with closing(Store(store_in(home))) as store:
        store.upgrade()
        source = _set_up(store, "ckan", address, changes="no")
        return _harvest(store, source, count, "added"), _harvest(store, source, count, "unchanged")


def _set_up(store: Store, kind: str, url: str, **options: str) -> HarvestSource:
    source = HarvestSource(name=Slug("bench"), type=kind, url=url, options=options)
    store.sources.replace(source)
    return source


def _harvest(store: Store, source: HarvestSource, count: int, outcome: str, but: int = 0) -> Pass:
    with Watch() as watch, Client(LIMITS, allow_private=True) as client:
        run = line.harvest(HarvestRun.begin(source, store, BASE), harvester(source.type), client)
    return _passed(run, watch, count, getattr(run, outcome) == count - but)


def remapped(database: str, count: int) -> Pass:
    """What is held of the source, mapped again."""
    with closing(Store(database)) as store:
        source = store.sources.get("bench")
        with Watch() as watch:
            run = line.remap(HarvestRun.begin(source, store, BASE), harvester(source.type))
    return _passed(run, watch, count, run.unchanged == count)


def _passed(run: Run, watch: Watch, count: int, as_expected: bool) -> Pass:
    if run.status != "complete" or not as_expected:
        raise NotAsExpected(f"{count} datasets came to something else than they should: {run}")
    return Pass(count / watch.cpu, count / watch.wall, peak())


def store_in(home: Path) -> str:
    """The address of the database in a folder."""
    home.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{home / 'fedcat.db'}"
