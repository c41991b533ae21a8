"""What the store is handed and what it hands back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property

from catalogue import rdf
from catalogue.dcat import Resource
from catalogue.errors import Severity
from catalogue.identify import Identified
from catalogue.source import SourceRecord


@dataclass(frozen=True, slots=True)
class Description:
    """A record and the resources it maps to: one unit of saving."""

    record: SourceRecord
    resources: tuple[Identified, ...]


@dataclass(slots=True)
class Tally:
    """What became of a run's records."""

    fetched: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    held: int = 0
    rejected: int = 0
    problems: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        for count in fields(self):
            setattr(self, count.name, getattr(self, count.name) + getattr(other, count.name))
        return self


@dataclass(frozen=True, slots=True)
class Run:
    """One bringing up to date of a source, by however many attempts.

    `status` is waiting, running, complete, partial, failed, quarantined or dead: given up after its last attempt.
    """

    id: int
    source: str
    status: str
    began: datetime
    ended: datetime | None
    message: str
    fetched: int
    added: int
    updated: int
    unchanged: int
    withdrawn: int
    held: int
    rejected: int
    problems: int
    seconds: float
    host: str = ""
    trusting: bool = False
    due: datetime | None = None
    attempts: int = 0
    most_attempts: int = 1
    token: int = 0
    """Of the claim under which it may write; a later claim makes it stale."""
    owner: str = ""
    lease_until: datetime | None = None
    cursor: str = ""
    turned: int = 0
    furthest: int = 0
    mark: str = ""
    since: str = ""
    whole: bool = True
    requests: int = 0
    errors: int = 0
    warnings: int = 0
    held_now: int = 0
    trend: str = ""
    last_success: datetime | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """How many records its source had at the end of this run and of those before it, the oldest first."""
        return tuple(int(count) for count in self.trend.split())


@dataclass(frozen=True, slots=True)
class StoredProblem:
    """A problem of a run, as `fedcat run` and the source's page show it."""

    run: int
    source: str
    record: str
    severity: Severity
    rule: str
    location: str
    found: str
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the change log. `outcome` is added, updated or withdrawn."""

    serial: int
    dataset: str
    iri: str
    outcome: str
    at: datetime
    source: str = ""
    run: int = 0
    actor: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is written: the run that brought it, or the person who asked for it."""

    run: Run | None = None
    actor: str = ""
    reason: str = ""
    successor: str = ""
    replays: bool = False
    """Whether what is held is mapped again: the source has said nothing new."""


@dataclass(frozen=True, slots=True)
class Route:
    """One source's record on a dataset. `refused` marks a newer version that was rejected: this is its last good one."""

    source: str
    source_title: str
    record: str
    address: str
    first_seen: datetime
    changed: datetime
    fetched: datetime
    run: int
    leads: bool
    refused: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What lists need of a dataset, without its description."""

    id: str
    number: int
    iri: str
    kind: str
    state: str
    title: str
    organisation: str
    modified: str
    restricted: bool
    first_seen: datetime
    changed: datetime
    serial: int
    reason: str = ""
    successor: str = ""


@dataclass(frozen=True)
class Entry:
    """A dataset, series or service as the catalogue holds it: its description, and every route by which it came."""

    row: Row
    body: bytes
    """Canonical N-Triples of the description that leads; empty once withdrawn."""
    routes: tuple[Route, ...]

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def iri(self) -> str:
        return self.row.iri

    @cached_property
    def resource(self) -> Resource:
        """The description as nouns. Raises NotFound when it is withdrawn."""
        node = rdf.Reader(rdf.kept(self.body)).read(self.row.iri)
        assert isinstance(node, Resource)
        return node


@dataclass(frozen=True, slots=True)
class OrganisationCount:
    """An organisation, and how many datasets it answers for."""

    slug: str
    title: str
    iri: str
    datasets: int
    restricted: int


@dataclass(frozen=True, slots=True)
class StoredContact:
    """A way to reach somebody, with the number of an organisation's datasets that name it."""

    role: str
    name: str
    email: str
    telephone: str
    page: str
    datasets: int


Progress = Callable[[int], None]
