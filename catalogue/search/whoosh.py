# mypy: disable-error-code="no-untyped-call"
"""The default engine: a Whoosh index on disk, and an evaluator of our own over it (decision 0006)."""

# Whoosh is typed in part: what it does not type may be called from here.

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any

from pyroaring import BitMap

from catalogue.errors import SettingsError, WrongUse
from catalogue.search import Document, Hit, IndexUnusable, Query, Results
from catalogue.search.filters import PARAMETERS
from catalogue.search.whoosh_answer import best, find
from catalogue.search.whoosh_build import build, tidy
from catalogue.search.whoosh_fields import stem
from catalogue.search.whoosh_files import (
    PATIENCE,
    MappedStorage,
    afresh,
    changing,
    contents,
    intact,
    locked,
    opened,
    toc_path,
)
from catalogue.search.whoosh_match import Matcher, Part, View
from catalogue.search.whoosh_segment import Cache, Segment
from catalogue.search.whoosh_spelling import did_you_mean, suggestions
from catalogue.search.words import fold, parse

CACHE = 128 * 2**20  # bytes of decoded postings that a process keeps
ATTEMPTS = 20  # to open what another process is just replacing


@dataclass(frozen=True)
class _Current:
    """The view that searches use, and how to tell that there is a newer one."""

    view: View
    toc: str
    next_toc: str
    identity: tuple[int, int]

    def fresh(self) -> bool:
        """Whether its table of contents is still there and no other follows it."""
        try:
            return _identity(self.toc) == self.identity and not os.path.exists(self.next_toc)
        except FileNotFoundError:
            return False


class WhooshIndex:
    """`catalogue.search.SearchIndex` over a directory, at an address such as whoosh:/var/lib/fedcat/index."""

    def __init__(self, url: str, *, patience: float = PATIENCE, cache: int = CACHE) -> None:
        place = url.partition(":")[2]
        if not place.strip("/"):
            raise SettingsError(
                f"FEDCAT_SEARCH_URL is {url!r}; write whoosh: and a directory, such as whoosh:/srv/index."
            )
        self.folder = Path("/" + place.lstrip("/") if place.startswith("/") else place)
        self._patience = patience
        self._cache = Cache(cache)
        self._lock = Lock()
        self._current: _Current | None = None

    @property
    def serial(self) -> int:
        """The last change applied."""
        return self._view().serial

    def apply(self, documents: Iterable[Document], removed: Iterable[str], serial: int) -> None:
        """Write documents, take ids out and remember the serial, all in one commit; an id in both stays in."""
        files = self._files()
        with changing(files, self._patience) as change:
            if serial < change.serial:
                return
            before = list(change.segments)
            written = build(change, documents)
            deleted = self._delete(before, {*removed} | written)
            if not written and not deleted and serial == change.serial:
                return
            change.serial = serial
            change.segments = [segment for segment in change.segments if segment.doc_count()]
            change.commit()
        tidy(files)

    def replace(self, documents: Iterable[Document], serial: int) -> None:
        """Make these documents the index, in one commit; whoever searches meanwhile still sees what was there before."""
        self._make_folder()
        files = MappedStorage(str(self.folder))
        with locked(files, self._patience):
            change = afresh(files, serial)
            build(change, documents)
            change.commit()

    def search(self, query: Query) -> Results:
        """Answer one question."""
        if not PARAMETERS.issuperset(query.filters) or query.page < 1 or query.per_page < 0:
            raise WrongUse(
                f"There is no such page or filter: page {query.page}, filters {', '.join(sorted(query.filters))}."
            )
        view, typed = self._view(), parse(query.words)
        matcher = Matcher(view, typed)
        found = find(view, query, matcher)
        hits = found.hits()
        total = sum(map(len, hits))
        return Results(
            total=total,
            page=query.page,
            per_page=query.per_page,
            hits=tuple(Hit(part.segment.id(number), score) for part, number, score in best(view, query, matcher, hits)),
            facets=found.facets() if query.facets else (),
            did_you_mean=None if total else did_you_mean(view, query, typed),
            explained=tuple(matcher.notes),
        )

    def suggest(self, prefix: str, limit: int = 8) -> tuple[str, ...]:
        """Titles and words that complete what somebody has begun to type."""
        return suggestions(self._view(), prefix, limit)

    def stem(self, word: str) -> str:
        """The form in which words are compared."""
        return stem(fold(word))

    def count(self) -> int:
        """How many documents there are."""
        return self._view().count

    def clear(self) -> None:
        """An empty index, whatever there was. Files that are not Whoosh's are left alone."""
        self.replace((), 0)

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._current = None

    def _delete(self, before: list[Any], ids: set[str]) -> int:
        """Delete what was there before under these ids; how many documents that were."""
        known = {part.segment.name: part.segment.numbers for part in self._view().parts} if ids else {}
        deleted = 0
        for segment in before if ids else ():
            numbers = known[segment.segment_id()]
            for number in (numbers[each] for each in ids if each in numbers):
                if not segment.is_deleted(number):
                    segment.delete_document(number)
                    deleted += 1
        return deleted

    def _view(self) -> View:
        """The index as of the latest commit of any process."""
        current = self._current
        if current is None or not current.fresh():
            with self._lock:
                current = self._current
                if current is None or not current.fresh():
                    current = self._current = self._open(current)
        return current.view

    def _open(self, last: _Current | None) -> _Current:
        """Open the latest commit, keeping the segments that it shares with the last one."""
        known = {part.segment.name: part.segment for part in last.view.parts} if last else {}
        files = self._files()
        for _ in range(ATTEMPTS):
            try:
                return self._opened(files, known)
            except FileNotFoundError:  # another process committed meanwhile and removed what it replaced
                sleep(0.02)
        raise IndexUnusable(f"The search index in {self.folder} misses files: rebuild it.")

    def _opened(self, files: MappedStorage, known: dict[str, Segment]) -> _Current:
        with intact(files):
            toc = contents(files)
            path = toc_path(files, toc.generation)
            identity = _identity(path)
            parts = []
            for each in toc.segments:
                segment = known.get(each.segment_id()) or Segment(files, toc.schema, each, self._cache)
                parts.append(Part(segment, segment.all - BitMap(each.deleted_docs())))
        return _Current(
            View(toc.schema.stamp.serial, tuple(parts)), path, toc_path(files, toc.generation + 1), identity
        )

    def _files(self) -> MappedStorage:
        self._make_folder()
        return opened(self.folder)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SettingsError(
                f"FEDCAT_SEARCH_URL names {self.folder}, not a usable directory: {problem}."
            ) from problem


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_ino, status.st_mtime_ns
