"""What we run on, and what work costs: time on the clock, time on the processor, and memory at its highest."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LIBRARIES = ("pyoxigraph", "rdflib", "sqlalchemy", "whoosh3", "numpy", "flask", "waitress")


def described() -> str:
    """The machine and the versions that the figures hold for."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}\n"
        f"Python {platform.python_version()}; {libraries}\n"
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {load}"
    )


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", listed.read_text()) if listed.exists() else None
    return found[1].strip() if found else platform.processor() or platform.machine()


@dataclass
class Watch:
    """Times what stands in its `with` block: seconds on the clock, and seconds of this process on a processor."""

    wall: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> Self:
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def peak() -> float:
    """The most memory that this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent held when it forked
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_maxrss / 1_048_576  # bytes where there is no /proc: on a Mac


def apart(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Do some work in a process of its own, so that its memory and its caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given, **named).result()


def timed(work: Callable[P, object], *given: P.args, **named: P.kwargs) -> float:
    """Milliseconds of this process on a processor: what the clock would say, were nobody else at work."""
    began = time.process_time()
    work(*given, **named)
    return (time.process_time() - began) * 1000


def waited(work: Callable[P, object], *given: P.args, **named: P.kwargs) -> float:
    """Milliseconds on the clock."""
    began = time.perf_counter()
    work(*given, **named)
    return (time.perf_counter() - began) * 1000


def percentile(figures: list[float], share: float) -> float:
    """The figure that so large a share does not exceed."""
    ordered = sorted(figures)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
