"""The index follows the change log: what happened after its serial is applied, in portions, until it has caught up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from catalogue.search import Document, IndexUnusable, SearchIndex
from catalogue.search.document import document
from catalogue.store import Store

PORTION = 5_000


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
    """Build the index from nothing, in one commit; the number of documents."""
    serial = store.datasets.serial()  # taken first: what changes while we build is applied again afterwards
    count = 0

    def documents() -> Iterator[Document]:
        nonlocal count
        for entry in store.datasets.each():
            yield document(entry)
            count += 1
            if count % PORTION == 0:
                progress(count)

    index.replace(documents(), serial)
    return count
