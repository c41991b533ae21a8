"""What each page of a source was like when it was last read, so that it need not be read again while it is the same."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from catalogue.source import Remembered
from catalogue.store.database import Database, packed, unpacked
from catalogue.store.tables import pages, source_records


class Pages:
    """The pages of sources, each with the cursor of the next: a chain from the first, whose cursor is ""."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def remembered(self, source: str, at: str) -> Remembered:
        """A page as it was last read; nothing of it when a record that it held is no longer here."""
        with self._db.reading() as c:
            row = c.execute(sa.select(pages).where(pages.c.source == source, pages.c.at == at)).first()
            if row is None:
                return Remembered()
            held = unpacked_held(row.held)
            r = source_records.c
            count = sum(
                c.execute(
                    sa.select(sa.func.count()).where(r.source == source, r.identifier.in_(held[n : n + 500]))
                ).scalar_one()
                for n in range(0, len(held), 500)
            )
        if count != len(held):
            return Remembered()
        return Remembered(row.next, row.etag, row.last_modified, row.digest, row.mark, tuple(held))

    def before(self, source: str, cursor: str) -> tuple[list[str], set[str]]:
        """The cursors of the pages from the first to the one before `cursor`, and the identifiers of their records."""
        chain: list[str] = []
        passed, seen, at = set[str](), set[str](), ""
        with self._db.reading() as c:
            while cursor and at != cursor and at not in passed:
                passed.add(at)
                row = c.execute(sa.select(pages).where(pages.c.source == source, pages.c.at == at)).first()
                if row is None:
                    return [], set()
                chain.append(at)
                seen.update(unpacked_held(row.held))
                at = row.next
        return (chain, seen) if at == cursor else ([], set())

    def count(self, source: str) -> int:
        with self._db.reading() as c:
            return int(c.execute(sa.select(sa.func.count()).where(pages.c.source == source)).scalar_one())

    def forget(self, source: str, but: Sequence[str] = ()) -> None:
        """Forget the pages of a source, but for some: so that they are read again, or because they are no more."""
        kept = set(but)
        with self._db.writing() as c:
            held = c.execute(sa.select(pages.c.at).where(pages.c.source == source)).scalars().all()
            for at in held:
                if at not in kept:
                    c.execute(sa.delete(pages).where(pages.c.source == source, pages.c.at == at))


def packed_held(identifiers: Sequence[str]) -> bytes:
    return packed(json.dumps(list(identifiers), ensure_ascii=False, separators=(",", ":")).encode())


def unpacked_held(held: bytes) -> list[str]:
    return list(json.loads(unpacked(held)))
