"""A store at one of whose writes its process ends, or its database goes away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from catalogue.errors import StoreAway
from catalogue.store import Store

HOW = ("before", "after", "away")


class Killed(BaseException):
    """The process ends here: nobody catches it."""


class Strikes:
    """`strikes.at(3, "after")`: once the third transaction from here is committed; "before" it is; or "away", at its start."""

    def __init__(self, store: Store) -> None:
        self.genuine = store.database.writing
        self._left, self._how = 0, ""
        store.database.writing = self._writing  # type: ignore[method-assign]

    def at(self, write: int, how: str) -> None:
        self._left, self._how = write, how

    def stop(self) -> None:
        self._left, self._how = 0, ""

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        self._left -= 1
        how = self._how if self._left == 0 else ""
        if how == "away":
            raise StoreAway("The database is away.")
        with self.genuine() as c:
            yield c
            if how == "before":
                raise Killed
        if how == "after":
            raise Killed
