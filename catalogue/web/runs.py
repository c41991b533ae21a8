"""`/source/<name>/run/<id>`: one harvest of a source, while it goes on and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response

from catalogue.errors import NotFound
from catalogue.source import HarvestSource
from catalogue.store import Run
from catalogue.web import parameters, present, urls
from catalogue.web.problems import Told, told
from catalogue.web.site import here, show

pages = Blueprint("runs", __name__)

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class RunPage:
    template: ClassVar[str] = "run.html"

    source: HarvestSource
    run: Run
    problems: Sequence[Told]
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.run(self.source.name, self.run.id, number)

    @property
    def asked(self) -> str:
        """What the source was asked for."""
        if self.run.whole and not self.run.since:
            return "Everything"
        return f"Only what changed since {self.run.since}" if self.run.since else "Only what changed"

    @property
    def worker(self) -> str:
        """The machine and process that hold the lease; a machine's own number for its processes says nobody anything."""
        machine, process, _ = [*self.run.owner.rsplit("/", 2), "", ""][:3]
        return f"{machine.partition(':')[0]}, process {process}" if process else machine

    @property
    def attempts(self) -> str:
        tried = max(self.run.attempts, 1)
        return f"{tried} of {self.run.most_attempts}" if self.run.most_attempts > 1 else present.many(tried, "attempt")


@pages.get("/source/<name:name>/run/<number:id_>")
def run(name: str, id_: int) -> Response:
    site, page = here(), parameters.page()
    held, found = site.store.sources.get(name), site.store.runs.get(id_)
    last = max(1, ceil(found.problems / PER_PAGE))
    if found.source != name or page > last:
        raise NotFound(f"There is no run {id_} of '{name}', or no such page of it.")
    problems = site.store.runs.problems(id_, PER_PAGE, (page - 1) * PER_PAGE)
    return show(RunPage(held, found, told(name, problems, site), page, last))
