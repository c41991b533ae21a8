"""`/dataset/<id>/history` and `/dataset/<id>/version/<serial>`: who changed what, when and why, and what it said then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response

from catalogue import rdf
from catalogue.dcat import Resource, Text
from catalogue.differences import Difference, differences, said
from catalogue.errors import NotFound
from catalogue.feeds import FEEDS, Feed
from catalogue.store import Change, Row
from catalogue.web import negotiate, parameters, present, urls
from catalogue.web.datasets import EXTENSIONS
from catalogue.web.site import Site, here, show

pages = Blueprint("history", __name__)

PER_PAGE = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One change: who made it, and what it made different."""

    change: Change
    who: str
    """What its source or its person is called."""
    source: str
    """The name of the source, "" when it is not set up any more."""
    run: int
    """The run, 0 when it is not kept any more."""
    version: bool
    """Whether there is something that the dataset said after it."""
    first: bool
    """Whether it said nothing before."""
    differences: Sequence[Difference]

    @property
    def what(self) -> str:
        if self.change.outcome == "added":
            return "First seen" if self.first else "Back again"
        return {"updated": "Changed", "withdrawn": "Withdrawn"}.get(self.change.outcome, self.change.outcome)

    @property
    def when(self) -> str:
        return present.moment(self.change.at)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    template: ClassVar[str] = "history.html"

    row: Row
    organisation: str
    steps: Sequence[Step]
    count: int
    page: int
    last: int

    def address(self, number: int) -> str:
        return urls.history(self.row.id, number)


@dataclass(frozen=True, slots=True)
class VersionPage:
    template: ClassVar[str] = "version.html"
    feeds: ClassVar = FEEDS

    row: Row
    title: Text
    step: Step
    said: Sequence[tuple[str, Sequence[Text]]]
    before: int | None
    latest: bool


@pages.get("/dataset/<name:id_>/history")
def history(id_: str) -> Response:
    site, page = here(), parameters.page()
    row = _row(id_, site)
    count = site.store.history.count(id_)
    last = max(1, ceil(count / PER_PAGE))
    if page > last:
        raise NotFound(f"The history of '{id_}' has {last} pages.")
    changes = site.store.history.of(id_, PER_PAGE, (page - 1) * PER_PAGE)
    organisation = site.organisation(row.organisation) if row.organisation else ""
    return show(HistoryPage(row, organisation, steps(row, changes, site), count, page, last))


@pages.get("/dataset/<name:id_>/version/<number:serial>")
def version(id_: str, serial: int) -> Response:
    feed = negotiate.wanted()
    return negotiate.varied(_data(id_, serial, feed) if feed else show(_page(id_, serial, here())))


@pages.get(f"/dataset/<name:id_>/version/<number:serial>.<{EXTENSIONS}:extension>")
def version_data(id_: str, serial: int, extension: str) -> Response:
    return _data(id_, serial, negotiate.by_extension(extension))


def _data(id_: str, serial: int, feed: Feed) -> Response:
    site = here()
    row = _row(id_, site)
    return negotiate.data(feed.write([_resource(site.store.history.body(id_, serial), row)]), feed)


def _page(id_: str, serial: int, site: Site) -> VersionPage:
    row, held = _row(id_, site), site.store.history
    resource = _resource(held.body(id_, serial), row)
    (step,) = steps(row, [held.change(id_, serial)], site)
    return VersionPage(
        row=row,
        title=present.best(resource.titles) or Text(row.title),
        step=step,
        said=said(resource),
        before=held.before(id_, serial),
        latest=serial == row.serial,
    )


def steps(row: Row, changes: Sequence[Change], site: Site) -> list[Step]:
    """Changes, the newest first, each with its difference to the version before it."""
    held = site.store.history
    serials = [change.serial for change in changes]
    earlier = held.before(row.id, serials[-1]) if serials else None
    bodies = held.bodies(row.id, [*serials, *([earlier] if earlier else [])])
    said_then = {serial: _resource(body, row) for serial, body in bodies.items()}
    sources = held.sources({change.source for change in changes})
    runs = held.runs({change.run for change in changes})
    found = []
    for change in changes:
        now = said_then.get(change.serial)
        before = max((serial for serial in said_then if serial < change.serial), default=None)
        found.append(
            Step(
                change=change,
                who=change.actor or sources.get(change.source, change.source),
                source=change.source if change.source in sources and not change.actor else "",
                run=change.run if change.run in runs and change.source in sources else 0,
                version=now is not None,
                first=before is None,
                differences=differences(said_then[before], now) if now and before else (),
            )
        )
    return found


def _row(id_: str, site: Site) -> Row:
    """What is known of a dataset, withdrawn or not. Raises NotFound."""
    row = site.store.datasets.get(id_).row
    if row.state == "new" or row.id != id_:
        raise NotFound(id_)
    return row


def _resource(body: bytes, row: Row) -> Resource:
    found = rdf.Reader(rdf.kept(body)).read(row.iri)
    assert isinstance(found, Resource)
    return found
