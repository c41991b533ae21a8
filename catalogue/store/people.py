"""Who may change things, and what they did: tokens, of which only a digest is kept, and acts, which are only ever added."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from catalogue.errors import NotFound, WrongUse
from catalogue.store.database import Database, aware, now
from catalogue.store.tables import acts, tokens

SECRET_BYTES = 32
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A key to the site's forms, called after whoever holds it."""

    name: str
    created: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person did. `about` is source:<name>, dataset:<id> or quarantine:<id>."""

    actor: str
    did: str
    about: str
    at: datetime
    why: str


class Tokens:
    """The keys that were given out. The secret itself is nowhere: who loses it needs a new one."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def create(self, name: str) -> str:
        """The secret of a new token, told this once. A name whose token was revoked may have another. Raises WrongUse."""
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise WrongUse(
                f"A token needs a name of at most {LONGEST_NAME} printable characters: say who holds it, such as 'jo'."
            )
        secret = secrets.token_urlsafe(SECRET_BYTES)
        with self._db.writing() as c:
            held = c.execute(sa.select(tokens.c.revoked).where(tokens.c.name == name)).first()
            if held is not None and held.revoked is None:
                raise WrongUse(f"'{name}' holds a token already. Revoke it first, or choose another name.")
            c.execute(sa.delete(tokens).where(tokens.c.name == name))
            c.execute(sa.insert(tokens).values(name=name, digest=_digest(secret), created=now()))
        return secret

    def revoke(self, name: str) -> None:
        """From now on it opens nothing, and whoever is signed in with it is out. Raises NotFound."""
        valid = (tokens.c.name == name, tokens.c.revoked.is_(None))
        with self._db.writing() as c:
            if c.execute(sa.update(tokens).where(*valid).values(revoked=now())).rowcount != 1:
                raise NotFound(f"Nobody called '{name}' holds a token. 'fedcat token list' shows who does.")

    def all(self) -> list[Token]:
        """Every token, by name, revoked ones too."""
        with self._db.reading() as c:
            return [_token(row) for row in c.execute(_TOKENS.order_by(tokens.c.name))]

    def holder(self, secret: str) -> str | None:
        """Whose token it is; None when it opens nothing.

        It is looked up by its digest, so that the time this takes tells nothing about how much of a guess was right.
        """
        valid = (tokens.c.digest == _digest(secret), tokens.c.revoked.is_(None))
        with self._db.reading() as c:
            name: str | None = c.execute(sa.select(tokens.c.name).where(*valid)).scalar()
        return name

    def valid(self, name: str) -> Token | None:
        """The token that somebody holds now."""
        with self._db.reading() as c:
            row = c.execute(_TOKENS.where(tokens.c.name == name, tokens.c.revoked.is_(None))).first()
        return _token(row) if row else None


class Acts:
    """Who did what, to what, when and why."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, actor: str, did: str, about: str, why: str = "") -> None:
        with self._db.writing() as c:
            c.execute(sa.insert(acts).values(actor=actor, did=did, about=about, why=why, at=now()))

    def about(self, about: str, limit: int = 100) -> list[Act]:
        """What was done to one thing, the latest first."""
        wanted = _ACTS.where(acts.c.about == about).order_by(acts.c.id.desc()).limit(limit)
        with self._db.reading() as c:
            return [_act(row) for row in c.execute(wanted)]


_TOKENS = sa.select(tokens.c.name, tokens.c.created, tokens.c.revoked)
_ACTS = sa.select(acts.c.actor, acts.c.did, acts.c.about, acts.c.at, acts.c.why)


def _digest(secret: str) -> str:
    return blake2b(secret.encode("utf-8", "replace"), digest_size=32).hexdigest()


def _token(row: Any) -> Token:
    return Token(row.name, _moment(row.created), aware(row.revoked))


def _act(row: Any) -> Act:
    return Act(row.actor, row.did, row.about, _moment(row.at), row.why)


def _moment(said: datetime) -> datetime:
    moment = aware(said)
    assert moment is not None
    return moment
