"""Statements that are too many for memory: a temporary file, and where in it each subject stands."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache, partial
from tempfile import TemporaryFile
from typing import IO, Any

from catalogue.errors import SourceUnavailable

Tokens = list[tuple[str, str]]

CHUNK = 1 << 20
LONGEST = 1 << 16
"""Characters after which a subject goes on in another run."""
RECENT = 128
"""Runs that are held: what many datasets name is asked for often."""
SHARDS = 256
MOST = 4_000_000_000
"""Bytes that a document may become here: prefixes can make much of little."""
LENGTH = (1 << 32) - 1
"""The part of a place that says how long the run is."""


class Spool(Mapping[str, Tokens]):
    """What `dict[str, Tokens]` is for a small document.

    Statements of one subject that came close together are one run: the subject, a line for each statement, an empty line.
    Memory holds 16 bytes a run: its subject's hash, and where it begins and how long it is. The file has no name, and goes
    with the last that holds this.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __del__
        self._end = 0
        self._index = [(array("q"), array("Q")) for _ in range(SHARDS)]
        self._sorted = True
        self._run = lru_cache(RECENT)(partial(_read, self._file))

    def __del__(self) -> None:
        self._file.close()

    def extend(self, said: Mapping[str, Tokens]) -> None:
        """Add statements behind those that are here. Raises SourceUnavailable when they would be too many."""
        self._file.seek(self._end)
        for subject, pairs in said.items():
            keys, places = self._index[hash(subject) % SHARDS]
            for run in _runs(subject, pairs):
                if self._end + len(run) > MOST:
                    raise _too_large()
                self._file.write(run)
                keys.append(hash(subject))
                places.append(self._end << 32 | len(run))
                self._end += len(run)
        self._file.flush()
        self._sorted = False

    def __contains__(self, subject: object) -> bool:
        places = self._places(subject)
        return bool(places) and any(self._run(place)[0] == subject for place in places)

    def __getitem__(self, subject: str) -> Tokens:
        runs = [pairs for name, pairs in map(self._run, self._places(subject)) if name == subject]
        if not runs:
            raise KeyError(subject)
        return runs[0] if len(runs) == 1 else [pair for pairs in runs for pair in pairs]

    def __iter__(self) -> Iterator[str]:
        return self._first(re.compile(b""))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def saying(self, predicates: Collection[str]) -> Iterator[tuple[str, Tokens]]:
        """The subjects of which something is said under these predicates, and what. Looks at the others' bytes only."""
        names = b"|".join(re.escape(predicate.encode()) for predicate in predicates)
        for subject in self._first(re.compile(rb"\n(?:" + names + rb") ")):
            yield subject, [pair for pair in self[subject] if pair[0] in predicates]

    def _first(self, wanted: re.Pattern[bytes]) -> Iterator[str]:
        """Every subject with a run in which something is found, in the order of the file."""
        scattered: set[str] = set()
        for run in self._all():
            if not wanted.search(run):
                continue
            subject = run[: run.index(b"\n")].decode()
            if len(self._places(subject)) > 1:
                if subject in scattered:
                    continue
                scattered.add(subject)
            yield subject

    def _all(self) -> Iterator[bytes]:
        """Every run."""
        begin, rest = 0, b""
        while begin + len(rest) < self._end:
            self._file.seek(begin + len(rest))
            *runs, rest = (rest + self._file.read(CHUNK)).split(b"\n\n")
            for run in runs:
                begin += len(run) + 2
                yield run

    def _places(self, subject: object) -> array[int]:
        """Where the runs with a subject's hash are, in the order of the file."""
        if not self._sorted:
            self._index[:] = (_in_order(*shard) for shard in self._index)
            self._sorted = True
        key = hash(subject)
        keys, places = self._index[key % SHARDS]
        begin = end = bisect_left(keys, key)
        while end < len(keys) and keys[end] == key:
            end += 1
        return places[begin:end]


def _runs(subject: str, pairs: Tokens) -> Iterator[bytes]:
    lines, size = [subject], 0
    for predicate, value in pairs:
        lines.append(f"{predicate} {value}")
        size += len(value)
        if size > LONGEST:
            yield _written(lines)
            lines, size = [subject], 0
    if len(lines) > 1:
        yield _written(lines)


def _written(lines: list[str]) -> bytes:
    return "\n".join([*lines, "", ""]).encode()


def _bytes(file: IO[bytes], place: int) -> bytes:
    file.seek(place >> 32)
    return file.read(place & LENGTH)


def _read(file: IO[bytes], place: int) -> tuple[str, Tokens]:
    """The run at a place."""
    subject, *lines = _bytes(file, place)[:-2].decode().split("\n")
    return subject, [_pair(line) for line in lines]


def _pair(line: str) -> tuple[str, str]:
    predicate, _, value = line.partition(" ")
    return predicate, value


def _in_order(keys: Any, places: Any) -> tuple[Any, Any]:
    """By key, and where keys are equal as they came."""
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return array("q", map(keys.__getitem__, order)), array("Q", map(places.__getitem__, order))


def _too_large() -> SourceUnavailable:
    return SourceUnavailable(
        f"Written out, the statements of this document have more than {MOST / 1e9:.0f} GB.",
        fix="Offer the catalogue in pages, and give the contents of files their own addresses.",
        rule="too-large",
    )
