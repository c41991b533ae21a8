"""Connections, transactions, upgrades, and how bodies are packed. SQLite by default, PostgreSQL for many machines."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import zstandard
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from catalogue.errors import SettingsError, StoreAway

_WRITE_LOCK = 0x6665646361  # "fedca": serials must appear in the order of commits, so PostgreSQL's writers queue


class Database:
    """An engine with the habits we need: readers never wait, writers queue, a write is one transaction."""

    def __init__(self, url: str) -> None:
        try:
            self.url = sa.make_url(url)
            if self.is_sqlite and not self.in_memory:
                Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(self.url, **_pool(self))
        except (sa.exc.ArgumentError, ImportError, OSError) as wrong:
            shown = re.sub(r"://[^@/]*@", "://***@", url)
            raise SettingsError(f"FEDCAT_DATABASE_URL is '{shown}', which cannot be opened: {wrong}.") from wrong
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _prepare)
            sa.event.listen(self.engine, "begin", _begin)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def in_memory(self) -> bool:
        """Whether there is but one connection, as to a database that lives in memory."""
        return self.is_sqlite and self.url.database in (None, "", ":memory:")

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent view of the whole database."""
        # PostgreSQL would let each statement see what was committed since the last one
        one_view: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with _here(), self.engine.connect().execution_options(**one_view) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction that writes; it commits at the end or leaves nothing behind."""
        writes = {"fedcat_writes": True}
        with _here(), self.engine.connect().execution_options(**writes) as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITE_LOCK)))
            yield connection

    def clock(self, connection: sa.Connection) -> datetime:
        """The time by which leases are measured: the database's own, as workers' clocks differ; on SQLite all share one."""
        if self.is_sqlite:
            return now()
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment

    def upgrade(self) -> bool:
        """Create the tables or bring them up to date. True when there was something to do."""
        if self.is_current():
            return False
        command.upgrade(self._alembic(), "head")
        return True

    def is_current(self) -> bool:
        """Whether the database has every table that this version works with. Raises SettingsError when nobody answers."""
        try:
            with self.reading() as connection:
                held = MigrationContext.configure(connection).get_current_revision()
        except (StoreAway, sa.exc.DatabaseError) as wrong:
            shown = self.url.render_as_string(hide_password=True)
            cause = wrong.orig if isinstance(wrong, sa.exc.DatabaseError) else wrong.__cause__
            raise SettingsError(f"The database {shown} (FEDCAT_DATABASE_URL) does not answer: {cause}.") from wrong
        return held == ScriptDirectory.from_config(self._alembic()).get_current_head()

    def _alembic(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        config.attributes["database"] = self
        return config

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _here() -> Iterator[None]:
    """Inside it, a database that is away, or whose disk is full, is a StoreAway; what it will not take stays what it is."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as wrong:
        if str(getattr(wrong.orig, "sqlstate", "")).startswith(BEYOND_LIMITS):
            raise
        raise StoreAway(f"The database cannot be used now: {str(wrong.orig).strip()}.") from wrong


BEYOND_LIMITS = "54"
"""How PostgreSQL's error codes begin for what is too long for an index, say: the record's fault, not the connection's."""


def _pool(database: Database) -> dict[str, Any]:
    if database.in_memory:
        return {"poolclass": sa.pool.StaticPool, "connect_args": {"check_same_thread": False}}
    return {"pool_pre_ping": not database.is_sqlite}


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver's own way begins too late
    cursor = connection.cursor()
    for pragma in (
        "busy_timeout=60000",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "cache_size=-32000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("fedcat_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def now() -> datetime:
    return datetime.now(UTC)


def aware(moment: datetime | None) -> datetime | None:
    """SQLite forgets the zone; what we store is always UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def chunks(values: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """Few enough at once for any database's limit on parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class _Packing(threading.local):
    """Each thread has its own: two at work in one end the process."""

    def __init__(self) -> None:
        self.packer = zstandard.ZstdCompressor(level=3)
        self.unpacker = zstandard.ZstdDecompressor()


_PACKING = _Packing()


def packed(body: bytes) -> bytes:
    return _PACKING.packer.compress(body)


def unpacked(body: bytes) -> bytes:
    return _PACKING.unpacker.decompress(body)
