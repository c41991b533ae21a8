"""What is wrong with an installation, and the fix for each."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from catalogue.cli.here import Here
from catalogue.source import harvesters

OURS = ("catalogue", "harvesters", "vocab")
ENOUGH = 500_000_000
"""Bytes of free disk below which we warn."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    good: bool
    found: str
    fix: str = ""


def examine(here: Here) -> list[Finding]:
    """Every check, each on its own: one that breaks is itself a finding."""
    return [finding for what, check in CHECKS for finding in _safely(what, check, here)]


def _safely(what: str, check: Callable[[Here], Iterator[Finding]], here: Here) -> Iterator[Finding]:
    try:
        yield from check(here)
    except Exception as wrong:  # noqa: BLE001  a doctor whom one illness kills is of no use
        said = " ".join(str(wrong).split()) or type(wrong).__name__
        yield Finding(what, False, said, "Mend this first; the other checks may depend on it.")


def _python(_here: Here) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "Install Python 3.11 or newer.")


def _clashes(_here: Here) -> Iterator[Finding]:
    """Public packages carry the names of ours; installed together, they overwrite each other's files."""
    owners = packages_distributions()
    others = sorted({owner for name in OURS for owner in owners.get(name, []) if owner != "fedcat"})
    fix = f"Install fedcat into an environment of its own, without {', '.join(others) or 'them'}."
    yield Finding("Package names", not others, ", ".join(others) or "nobody else uses ours", fix)


def _settings(here: Here) -> Iterator[Finding]:
    held = here.settings
    yield Finding("Settings", True, f"{held.title}, published at {held.base_url}")
    local = "127.0.0.1" in held.base_url or "localhost" in held.base_url
    note = " (only this machine can follow its links: set FEDCAT_BASE_URL before others harvest it)" if local else ""
    yield Finding("Public address", True, held.base_url + note)


def _database(here: Here) -> Iterator[Finding]:
    current = here.bare_store.is_current()
    shown = here.bare_store.database.url.render_as_string(hide_password=True)
    yield Finding("Database", current, shown, "Run 'fedcat init'.")


def _index(here: Here) -> Iterator[Finding]:
    seen, last = here.index.serial, here.store.datasets.serial()
    found = f"{here.index.count():,} documents, change {seen:,} of {last:,}"
    yield Finding(
        "Search index", seen == last, found, "Run 'fedcat index update'; if that fails, 'fedcat index rebuild'."
    )


def _sources(here: Here) -> Iterator[Finding]:
    kinds = harvesters()
    strange = [source.name for source in here.store.sources.all() if source.type not in kinds]
    found = f"{len(here.store.sources.all())} set up; harvesters: {', '.join(kinds)}"
    yield Finding(
        "Sources", not strange, found, f"Nothing installed reads: {', '.join(strange)}. Install its harvester."
    )


def _disk(here: Here) -> Iterator[Finding]:
    home = Path(here.settings.home)
    free = shutil.disk_usage(home if home.exists() else Path()).free
    yield Finding(
        "Disk", free > ENOUGH, f"{free / 1e9:.1f} GB free at {home}", "Make room: a full disk stops every harvest."
    )


def _clock(here: Here) -> Iterator[Finding]:
    """A clock that went back would date changes before those that they follow."""
    changes = here.store.datasets.changes(after=here.store.datasets.serial() - 1, limit=1)
    ahead = bool(changes) and changes[-1].at.timestamp() > time.time() + 60
    yield Finding(
        "Clock", not ahead, time.strftime("%Y-%m-%d %H:%M:%S %Z"), "The last change lies in the future: set the clock."
    )


CHECKS: tuple[tuple[str, Callable[[Here], Iterator[Finding]]], ...] = (
    ("Python", _python),
    ("Package names", _clashes),
    ("Settings", _settings),
    ("Database", _database),
    ("Search index", _index),
    ("Sources", _sources),
    ("Disk", _disk),
    ("Clock", _clock),
)
