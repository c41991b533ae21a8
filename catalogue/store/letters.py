"""The outbox: every letter that was written, sent or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from catalogue.mail import Letter
from catalogue.store.database import Database, aware, now
from catalogue.store.tables import letters

ATTEMPTS = 5
"""How often a letter is posted before it is left in the outbox."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in the outbox. `error` is what the mail server said when it last refused it."""

    id: int
    letter: Letter
    written: datetime
    sent: datetime | None
    attempts: int
    error: str


class Letters:
    """A letter is written down before it is sent: what cannot be sent waits, and is there to be read."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def write(self, letter: Letter) -> None:
        row = {"recipient": letter.to, "subject": letter.subject, "body": letter.body, "about": letter.about}
        with self._db.writing() as c:
            c.execute(sa.insert(letters).values(**row, written=now()))

    def some(self, limit: int = 100, offset: int = 0) -> list[Written]:
        """The newest first."""
        with self._db.reading() as c:
            rows = c.execute(sa.select(letters).order_by(letters.c.id.desc()).limit(limit).offset(offset))
            return [_written(row) for row in rows]

    def unsent(self, limit: int = 50) -> list[Written]:
        """Those that are still to be posted, the oldest first."""
        waiting = (letters.c.sent.is_(None), letters.c.recipient != "", letters.c.attempts < ATTEMPTS)
        with self._db.reading() as c:
            return [
                _written(row)
                for row in c.execute(sa.select(letters).where(*waiting).order_by(letters.c.id).limit(limit))
            ]

    def posted(self, id_: int, error: str = "", *, for_good: bool = False) -> None:
        """Note that a letter has gone, or why it has not; `for_good` when there is no point in trying again."""
        attempts = ATTEMPTS if for_good else letters.c.attempts + 1
        values: dict[str, Any] = {"attempts": attempts, "error": error[:500], "sent": None if error else now()}
        with self._db.writing() as c:
            c.execute(sa.update(letters).where(letters.c.id == id_).values(**values))


def _written(row: Any) -> Written:
    letter = Letter(row.recipient, row.subject, row.body, row.about)
    written = aware(row.written)
    assert written is not None
    return Written(row.id, letter, written, aware(row.sent), row.attempts, row.error)
