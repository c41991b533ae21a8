"""What a harvester is given, and what it gives back. Harvesters are found by entry point, group `fedcat.harvesters`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import entry_points
from typing import Any, ClassVar, Protocol

from catalogue.dcat import Identifier, Resource, Slug
from catalogue.errors import Problem, WrongUse
from catalogue.http import Client, Response

GROUP = "fedcat.harvesters"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a harvester, as `fedcat source types` shows it and `--option name=value` sets it."""

    name: str
    meaning: str
    default: str = ""


@dataclass(frozen=True, kw_only=True)
class HarvestSource:
    """Where descriptions come from: an address, the harvester that reads it, the body that answers for it, a rhythm."""

    name: Slug
    type: str
    url: str
    title: str = ""
    organisation: Slug | None = None
    schedule: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    priority: int = 100
    """Which record leads when two sources describe one dataset: the lowest; the first seen among equals."""
    paused: bool = False
    contact: str = ""
    """Whom to write to when something is wrong: an e-mail address."""
    time_zone: str = "Europe/London"
    blackout: str = ""
    """When its owner does not want us: "Mon-Fri 08:00-18:00"."""
    few: int = 10
    share: float = 0.1
    """What may vanish in one run without a person's word: so many records, or this part of them, whichever is more."""
    sweep: int = 7
    """Days after which everything is asked for again, where a source can give only what changed."""
    approved: bool = True
    """Whether a person has looked at what it brings; before, it is not harvested by schedule."""

    def option(self, name: str) -> str:
        """What the source's owner set, else the harvester's default."""
        declared = {option.name: option.default for option in harvester(self.type).options}
        return self.options.get(name) or declared.get(name, "")


PLACEHOLDERS = frozenset({
    "-", "--", "?", "example", "id", "identifier", "n.a.", "n/a", "na", "none", "not available", "null", "placeholder",
    "string", "tba", "tbc", "tbd", "test", "todo", "undefined", "unknown", "uuid", "xxx",
})  # fmt: skip


def is_name(said: str) -> bool:
    """Whether what stands for an identifier can tell one thing from another: "TODO" and "n/a" cannot."""
    return said.strip().lower() not in PLACEHOLDERS


@dataclass(frozen=True)
class SourceRecord:
    """One description as its source gave it. Never edited, always kept.

    `where` says where in the source it stood ("$.dataset[3]", "row 12"), so that a problem can point there.
    """

    identifier: Identifier
    content: bytes
    media_type: str
    address: str
    where: str = ""

    @cached_property
    def fingerprint(self) -> str:
        """32 hexadecimal digits that change when the content does."""
        return blake2b(self.content, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a page was like when it was last read: enough to ask for it only if it has changed."""

    next: str = ""
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    mark: str = ""
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEnd:
    """The end of a page: all of it was handed over, so a run that is cut short goes on at `next`.

    `at` and `next` are cursors: words of the harvester's own by which it finds a page again. The first page is "", and
    after the last comes "". An `unchanged` page stands for the records that it held before. `changes_only` says that the
    source was asked only for what changed: what is missing is not gone, and the page is not remembered. `mark` is the
    newest change seen, by the source's own clock; the next visit is told it as `since`.
    """

    at: str = ""
    next: str = ""
    etag: str = ""
    last_modified: str = ""
    digest: str = ""
    unchanged: bool = False
    held: tuple[str, ...] = ()
    changes_only: bool = False
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a run tells its harvester: where to go on, since when, and what each page was like before.

    A harvester may ignore all of it, and then starts at the beginning and reads everything, every time. Pages of what changed
    `since` are not remembered: those it asks for by the client itself.
    """

    cursor: str = ""
    since: str = ""
    seen: frozenset[str] = frozenset()
    """The identifiers on the pages before the cursor."""
    remembered: Callable[[str], Remembered] = lambda _: Remembered()

    def get(self, client: Client, url: str, at: str = "", **how: Any) -> Response | PageEnd:
        """A page, or its unchanged end: when the source says that it is as before, or gives the same bytes."""
        before = self.remembered(at)
        known: dict[str, Any] = {"etag": before.etag, "last_modified": before.last_modified}
        answer = client.get(url, **{name: value for name, value in known.items() if value}, **how)
        if answer.unchanged or (before.digest and answer.digest == before.digest):
            return PageEnd(
                at=at,
                next=before.next,
                etag=answer.etag or before.etag,
                last_modified=answer.last_modified or before.last_modified,
                digest=before.digest,
                unchanged=True,
                held=before.held,
                mark=before.mark,
            )
        return answer


FIRST = Visit()
"""A visit to a source of which nothing is known."""


def page_end(answer: Response, at: str = "", next_: str = "", mark: str = "") -> PageEnd:
    """The end of a page that was read."""
    return PageEnd(
        at=at, next=next_, etag=answer.etag, last_modified=answer.last_modified, digest=answer.digest, mark=mark
    )


Fetched = SourceRecord | Problem | PageEnd


class Harvester(Protocol):
    """Reads one kind of source. `fetch` goes out through the client it is handed; `map` cannot go out at all."""

    name: ClassVar[str]
    title: ClassVar[str]
    options: ClassVar[tuple[Option, ...]]
    sample: ClassVar[str]
    """An address of the kind it reads, for help texts."""

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        """Every record of the source, every problem with what could not become one, and the end of every page.

        Raises SourceUnavailable when it has to break off: what came before counts, and nothing is withdrawn.
        """
        ...

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterable[Resource]:
        """What a record describes. None at all means: take back what this record said. Raises RecordRejected."""
        ...


def harvesters() -> dict[str, Harvester]:
    """Every installed harvester by name, in alphabetical order."""
    return {point.name: harvester(point.name) for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def harvester(name: str) -> Harvester:
    """The harvester of that name. Raises WrongUse, naming those installed."""
    if name not in _LOADED:
        points = {point.name: point for point in entry_points(group=GROUP)}
        if name not in points:
            raise WrongUse(f"No harvester is called '{name}'. Installed: {', '.join(sorted(points))}.")
        _LOADED[name] = points[name].load()()
    return _LOADED[name]


_LOADED: dict[str, Harvester] = {}
