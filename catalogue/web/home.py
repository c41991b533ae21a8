"""`/`: where to begin; and the pages that say how the site treats its visitors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from flask import Blueprint, Response

from catalogue.search import Query, Results
from catalogue.store import Row
from catalogue.web import present, urls
from catalogue.web.results import labels
from catalogue.web.site import Site, here, show
from vocab import scheme

pages = Blueprint("home", __name__)

NEWEST = 6
ORGANISATIONS = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A way into the catalogue, and how many datasets lie behind it."""

    title: str
    href: str
    count: int
    about: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """Something that was seen first not long ago."""

    title: str
    href: str
    organisation: str
    since: str


@dataclass(frozen=True, slots=True)
class HomePage:
    template: ClassVar[str] = "home.html"

    total: int
    organisation_count: int
    source_count: int
    themes: Sequence[Tile]
    missions: Sequence[Tile]
    organisations: Sequence[Tile]
    newest: Sequence[New]


class AccessibilityPage:
    template: ClassVar[str] = "accessibility.html"


class PrivacyPage:
    template: ClassVar[str] = "privacy.html"


@pages.get("/")
def home() -> Response:
    return show(home_page(here()))


@pages.get("/accessibility")
def accessibility() -> Response:
    return show(AccessibilityPage())


@pages.get("/privacy")
def privacy() -> Response:
    return show(PrivacyPage())


def home_page(site: Site) -> HomePage:
    """Counts come from the index, which has them at hand; only what is new is asked of the store."""
    results = site.index.search(Query(per_page=1))
    organisations = _tiles("organisation", results, site)
    return HomePage(
        total=results.total,
        organisation_count=len(organisations),
        source_count=len(site.store.sources.all()),
        themes=sorted(_tiles("theme", results, site), key=lambda tile: tile.title),
        missions=_tiles("mission", results, site),
        organisations=organisations[:ORGANISATIONS],
        newest=[_new(row, site) for row in site.store.datasets.newest(NEWEST)],
    )


def _tiles(parameter: str, results: Results, site: Site) -> list[Tile]:
    """The values of a facet, commonest first."""
    facet = next((facet for facet in results.facets if facet.name == parameter), None)
    called = labels(parameter, site)
    about = {"theme": "themes", "mission": "missions"}.get(parameter, "")
    found = []
    for value in facet.values if facet else ():
        concept = scheme(about).get(value.value) if about else None
        href = urls.organisation(value.value) if parameter == "organisation" else urls.choice(parameter, value.value)
        found.append(Tile(called(value.value), href, value.count, concept.definition or "" if concept else ""))
    return [tile for tile in found if tile.count]


def _new(row: Row, site: Site) -> New:
    organisation = site.organisation(row.organisation) if row.organisation else ""
    return New(row.title, urls.dataset(row.id), organisation, present.just_day(row.first_seen))
