"""The index follows the change log: what happened after its serial is applied, in portions, until it has caught up."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from catalogue.search import Document, IndexUnusable, SearchIndex
from catalogue.search.document import document
from catalogue.store import Store

PORTION = 1_000
BUILD_PORTION = 5_000


def catch_up(store: Store, index: SearchIndex, progress: Callable[[int], None] = lambda _: None) -> int:
    """Apply every change that the index has not seen; the number of changes. One that cannot be used is built again."""
    try:
        if index.serial > store.datasets.serial() or (index.serial == 0 and store.datasets.count()):
            return rebuild(store, index, progress)
        done = 0
        while changes := store.datasets.changes(after=index.serial, limit=PORTION):
            ids = list(dict.fromkeys(change.dataset for change in changes))
            documents = [document(entry) for entry in store.datasets.some(ids)]
            there = {held.id for held in documents}
            index.apply(documents, [id_ for id_ in ids if id_ not in there], changes[-1].serial)
            done += len(changes)
            progress(done)
        return done
    except IndexUnusable:
        return rebuild(store, index, progress)


def rebuild(store: Store, index: SearchIndex, progress: Callable[[int], None] = lambda _: None) -> int:
    """Build the index from nothing; the number of documents."""
    index.clear()
    serial = store.datasets.serial()  # taken first: what changes while we build is applied again afterwards
    done = 0
    waiting: list[Document] = []
    for entry in store.datasets.each():
        waiting.append(document(entry))
        if len(waiting) == BUILD_PORTION:
            done += _apply(index, waiting, 0)
            progress(done)
            waiting = []
    done += _apply(index, waiting, serial)
    progress(done)
    return done


def _apply(index: SearchIndex, documents: Iterable[Document], serial: int) -> int:
    documents = list(documents)
    index.apply(documents, (), serial)
    return len(documents)
