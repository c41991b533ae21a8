"""What every command works with: the settings, the store and the index, opened when first asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from functools import cached_property
from types import TracebackType
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from catalogue import settings
from catalogue.errors import SettingsError, WrongUse
from catalogue.http import Client, Limits, agent_of
from catalogue.search import SearchIndex, open_index
from catalogue.settings import Settings
from catalogue.store import Store


class Here:
    """One command's surroundings."""

    def __init__(self) -> None:
        self._opened: list[Any] = []

    def __enter__(self) -> Here:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _wrong: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for opened in reversed(self._opened):
            opened.close()

    @cached_property
    def settings(self) -> Settings:
        return settings.load()

    @cached_property
    def bare_store(self) -> Store:
        """The store, whatever state its tables are in."""
        store = Store(self.settings.database_url)
        self._opened.append(store)
        return store

    @cached_property
    def store(self) -> Store:
        """The store, ready for work. Raises SettingsError when it still has to be created."""
        if not self.bare_store.is_current():
            raise SettingsError("The database is not set up, or of an older version. Run 'fedcat init' first.")
        return self.bare_store

    @cached_property
    def index(self) -> SearchIndex:
        index = open_index(self.settings.search_url)
        self._opened.append(index)
        return index

    def client(self) -> Client:
        """A polite way out, within the limits that are set. Its run begins now."""
        said = self.settings
        limits = Limits(body=said.max_response_mb * MB, crawl_delay=said.max_crawl_delay, run=said.max_run_minutes * 60)
        return Client(limits, allow_private=said.allow_private_sources, agent=agent_of(said.base_url))


with_here = click.make_pass_decorator(Here)
as_json = click.option("--json", "as_json", is_flag=True, help="Print facts as JSON.")

MB = 1 << 20
WIDE = 200
"""Columns of a table that goes to a file or a pipe."""


class Paper(Console):
    """Prints what it is given: a title with [brackets] or :colons: stays as its owner wrote it."""

    def __init__(self) -> None:
        super().__init__(markup=False, emoji=False, highlight=False)
        if not self.is_terminal:
            self.width = WIDE

    def say(self, words: str, style: str = "") -> None:
        """One line, however long: a terminal breaks it, a file keeps it whole."""
        self.print(words, style=style, soft_wrap=True)


console = Paper()


def say_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def pair(said: str, option: str, example: str) -> tuple[str, str]:
    """What stands on both sides of the equals sign. Raises WrongUse when there is none, or nothing before it."""
    name, equals, value = said.partition("=")
    if not equals or not name.strip():
        raise WrongUse(f"{option} '{said}' has to be NAME=VALUE, such as {option} {example}.")
    return name.strip(), value.strip()


def counted(count: int, thing: str) -> str:
    """So many things: "1 source", "1,200 sources"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return value.isoformat() if isinstance(value, datetime | date) else value


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Sequence[str] = ()) -> None:
    """A table for people; `numbers` names the columns that are set flush right."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_header=any(columns))
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    console.print(made)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%d %b %Y %H:%M}"
    return (
        f"{value:,}"
        if isinstance(value, int) and not isinstance(value, bool)
        else str(value if value is not None else "–")
    )


def progress(words: str) -> Callable[[int], None]:
    """Report a growing count: a line that rewrites itself on a terminal, one line in a thousand otherwise."""
    told = 0

    def report(count: int) -> None:
        nonlocal told
        if console.is_terminal:
            console.print(f"{words} {count:,}", end="\r")
        elif count - told >= 1000:
            told = count
            console.say(f"{words} {count:,}")

    return report
