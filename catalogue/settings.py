"""Every setting with its default and a sentence; the only reader of the environment."""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from catalogue.errors import SettingsError

FILE = "fedcat.toml"

HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE | re.ASCII)
ADDRESS = re.compile(
    r"(?=.{3,254}$)(?=.{1,64}@)[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*"
    r"@(?=[^@]*[a-z])([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
    re.IGNORECASE | re.ASCII,
)
"""The mailboxes that we write to and from. Quotes and letters beyond ASCII, which few servers take, are not among them."""
LOGIN = re.compile(r"(?<=//).+(?=@)")
"""Where an address holds a name and a password: what is wrong is said aloud, they are not."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table in the README."""

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]


def _words(value: str) -> str:
    return value.strip()


def _folder(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as wrong:
        raise ValueError("a folder; nobody here has that home") from wrong


def _web_address(value: str) -> str:
    wanted = ValueError("an http or https address without query, such as https://data.example.gov.uk")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wanted from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or port == 0:
        raise wanted
    return value.rstrip("/")


_ON = {"1", "true", "yes", "on"}
_OFF = {"0", "false", "no", "off", ""}


def _switch(value: str) -> bool:
    said = value.strip().lower()
    if said not in _ON | _OFF:
        raise ValueError("1 or 0")
    return said in _ON


def _database(value: str) -> str:
    if not value.startswith(("sqlite:", "postgresql")):
        raise ValueError("an SQLAlchemy address beginning with sqlite:/// or postgresql+psycopg://")
    return value


def _engine(value: str) -> str:
    if ":" not in value:
        raise ValueError("an engine and where it keeps its index, such as whoosh:/var/lib/fedcat/index")
    return value


def _megabytes(value: str) -> int:
    if not value.strip().isdecimal() or not int(value):
        raise ValueError("a whole number of megabytes, such as 512")
    return int(value)


def _minutes(value: str) -> int:
    if not value.strip().isdecimal() or not int(value):
        raise ValueError("a whole number of minutes, such as 360")
    return int(value)


def _days(value: str) -> int:
    if not value.strip().isdecimal() or not 0 < int(value) < 100_000:
        raise ValueError("a whole number of days, such as 400")
    return int(value)


def _seconds(value: str) -> int:
    if not value.strip().isdecimal():
        raise ValueError("a whole number of seconds, such as 10")
    return int(value)


def _post_office(value: str) -> str:
    wanted = ValueError("an address such as smtp://user:password@host:587?starttls=1, smtps://user@host or smtp://host")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise wanted from None
    queries = {"smtp": ("", "starttls=0", "starttls=1"), "smtps": ("",)}
    known = parts.query in queries.get(parts.scheme, ())
    if value and (not known or not HOST.fullmatch(parts.hostname or "") or port == 0 or parts.path not in ("", "/")):
        raise wanted
    return value


def _sender(value: str) -> str:
    found = [mailbox for _, mailbox in getaddresses([value])]  # leaves out blanks within one, hence `in value`
    right = len(found) == 1 and ADDRESS.fullmatch(found[0]) and found[0] in value and value.isprintable()
    if value and not right:
        raise ValueError("a mailbox, such as catalogue@example.gov.uk or 'Data catalogue <catalogue@example.gov.uk>'")
    return value.strip()


SETTINGS = (
    Setting("FEDCAT_HOME", "./var", "where the database, the index and the secret key live", _folder),
    Setting("FEDCAT_DATABASE_URL", "sqlite:///{home}/fedcat.db", "SQLAlchemy address; PostgreSQL for many machines", _database),
    Setting("FEDCAT_SEARCH_URL", "whoosh:{home}/index", "which search engine, and where its index is", _engine),
    Setting("FEDCAT_BASE_URL", "http://127.0.0.1:8000", "the public address; the IRIs we make begin with it", _web_address),
    Setting("FEDCAT_TITLE", "Data catalogue", "what the site and the feeds call themselves", _words),
    Setting("FEDCAT_PUBLISHER", "", "the body that runs this catalogue, named in the feeds", _words),
    Setting("FEDCAT_SECRET_KEY", "", "signs forms and sessions; made and kept in the home folder when not set", _words),
    Setting("FEDCAT_ALLOW_PRIVATE_SOURCES", "0", "1 allows sources on private and loopback addresses", _switch),
    Setting("FEDCAT_MAX_RESPONSE_MB", "512", "the largest answer taken from a source, in megabytes, unpacked", _megabytes),
    Setting("FEDCAT_MAX_CRAWL_DELAY", "10", "the longest pause a robots.txt may ask for, in seconds; 0 never looks", _seconds),
    Setting("FEDCAT_MAX_RUN_MINUTES", "360", "how long one run may last; what came by then is kept", _minutes),
    Setting("FEDCAT_KEEP_RUNS_DAYS", "400", "after how many days a run is forgotten, unless what it told still stands", _days),
    Setting("FEDCAT_SMTP_URL", "", "where letters are posted; without it they stay in the outbox", _post_office),
    Setting("FEDCAT_MAIL_FROM", "", "the mailbox that letters come from", _sender),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. Every field is named after its setting without `FEDCAT_`."""

    home: Path
    database_url: str
    search_url: str
    base_url: str
    title: str
    publisher: str
    secret_key: str
    allow_private_sources: bool
    max_response_mb: int
    max_crawl_delay: int
    max_run_minutes: int
    keep_runs_days: int
    smtp_url: str
    mail_from: str


def load(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Settings from the environment, else from `fedcat.toml` in this folder, else their defaults.

    Raises SettingsError in one sentence that names the setting, its value and what would be right.
    """
    env = os.environ if environment is None else environment
    said = {**_from_file((folder or Path()) / FILE), **{k: v for k, v in env.items() if k.startswith("FEDCAT_")}}
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = said.get(setting.name) or setting.default
        text = text.replace("{home}", str(values.get("home", "")))
        try:
            values[setting.name.removeprefix("FEDCAT_").lower()] = setting.read(text)
        except ValueError as wrong:
            raise SettingsError(f"{setting.name} is '{LOGIN.sub('…', text)}'; it has to be {wrong}.") from wrong
    assert set(values) == {f.name for f in fields(Settings)}
    return Settings(**values)


def _from_file(path: Path) -> dict[str, str]:
    """`fedcat.toml` holds the same names without prefix, in lower case: `base_url = "https://…"`."""
    if not path.is_file():
        return {}
    try:
        held = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SettingsError(f"{path} is not valid TOML: {wrong}.") from wrong
    names = {s.name.removeprefix("FEDCAT_").lower(): s.name for s in SETTINGS}
    if unknown := sorted(set(held) - set(names)):
        raise SettingsError(f"{path} sets '{unknown[0]}', which is no setting. Settings: {', '.join(names)}.")
    return {names[key]: _spelt(value) for key, value in held.items()}


def _spelt(value: object) -> str:
    return "1" if value is True else "0" if value is False else str(value)


def secret_key(settings: Settings) -> str:
    """The key that signs forms: as set, else one made once and kept in the home folder, readable by its owner only."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret-key"
    if not path.exists():
        settings.home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return path.read_text("ascii")
