"""A paged source whose state a test sets, read by a harvester that goes on where it was cut short."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from world import Fake

from catalogue.dcat import Identifier
from catalogue.errors import SourceUnavailable
from catalogue.harvest.worker import Worker
from catalogue.http import Client
from catalogue.source import _LOADED, FIRST, Fetched, HarvestSource, PageEnd, SourceRecord, Visit
from catalogue.store import Store


@dataclass
class Paged(Fake):
    """Pages of so many records, by number. `fails` are pages that break off, each so many times; -1 is for good."""

    size: int = 3
    fails: dict[int, int] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    wait: float | None = None
    name: str = "paged"

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        number = int(visit.cursor or 0)
        while True:
            self.asked.append(number)
            if left := self.fails.get(number, 0):
                self.fails[number] = left - 1 if left > 0 else left
                raise SourceUnavailable(f"Page {number} cannot be read.", retry_after=self.wait)
            here = list(self.records.items())[number * self.size : (number + 1) * self.size]
            for identifier, said in here:
                yield SourceRecord(Identifier(identifier), json.dumps(said).encode(), "application/json", source.url)
            last = (number + 1) * self.size >= len(self.records)
            yield PageEnd(at=str(number or ""), next="" if last else str(number + 1))
            if last:
                return
            number += 1


def known_as(harvester: Any, name: str) -> None:
    """Let sources of the kind `name` be read by this harvester."""
    _LOADED[name] = harvester


class Nobody(Client):
    """Goes nowhere; counts nothing."""

    def __init__(self) -> None:
        super().__init__(allow_private=False)


def worker(store: Store, **how: Any) -> Worker:
    return Worker(store, Nobody, "https://catalogue.example", **{"tell": lambda _: None, **how})
