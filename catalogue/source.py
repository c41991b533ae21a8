"""What a harvester is given, and what it gives back. Harvesters are found by entry point, group `fedcat.harvesters`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import entry_points
from typing import ClassVar, Protocol

from catalogue.dcat import Identifier, Resource, Slug
from catalogue.errors import Problem, WrongUse
from catalogue.http import Client

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

    def option(self, name: str) -> str:
        """What the source's owner set, else the harvester's default."""
        declared = {option.name: option.default for option in harvester(self.type).options}
        return self.options.get(name) or declared.get(name, "")


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


class Harvester(Protocol):
    """Reads one kind of source. `fetch` goes out through the client it is handed; `map` cannot go out at all."""

    name: ClassVar[str]
    title: ClassVar[str]
    options: ClassVar[tuple[Option, ...]]
    sample: ClassVar[str]
    """An address of the kind it reads, for help texts."""

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        """Every record of the source, and every problem with what could not become one.

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
