"""`/organisation`: who answers for which datasets, how to reach them, and where their descriptions come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response

from catalogue.dcat import Text
from catalogue.errors import NotFound
from catalogue.source import HarvestSource
from catalogue.store import OrganisationCount, Row, Run
from catalogue.web import parameters, people, present, urls
from catalogue.web.people import Person
from catalogue.web.present import Label
from catalogue.web.site import Site, here, show
from vocab import Concept, scheme

pages = Blueprint("organisations", __name__)

PER_PAGE = 50
CONTACTS = 8


@dataclass(frozen=True, slots=True)
class OrganisationsPage:
    template: ClassVar[str] = "organisations.html"

    organisations: Sequence[OrganisationCount]

    @property
    def by_letter(self) -> list[tuple[str, list[OrganisationCount]]]:
        """Under the first letter of their names."""
        ordered = sorted(self.organisations, key=lambda held: held.title.casefold())
        return [(letter, list(held)) for letter, held in groupby(ordered, key=lambda held: _letter(held.title))]


@dataclass(frozen=True, slots=True)
class Shown:
    """A dataset in the list of its organisation."""

    title: str
    href: str
    updated: Text | None
    restricted: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Supply:
    """A source that belongs to the organisation, with its last run and what it describes now."""

    source: HarvestSource
    run: Run | None
    datasets: int


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    template: ClassVar[str] = "organisation.html"

    slug: str
    title: str
    other_titles: Sequence[Text]
    homepage: str
    above: Label | None
    successors: Sequence[Label]
    total: int
    restricted: int
    datasets: Sequence[Shown]
    page: int
    last: int
    contacts: Sequence[tuple[Person, int]]
    supplies: Sequence[Supply]

    def address(self, number: int) -> str:
        return urls.organisation(self.slug, number)


@pages.get("/organisation")
def organisations() -> Response:
    return show(OrganisationsPage(here().store.datasets.organisations()))


@pages.get("/organisation/<name:slug>")
def organisation(slug: str) -> Response:
    return show(organisation_page(slug, parameters.page(), here()))


def organisation_page(slug: str, page: int, site: Site) -> OrganisationPage:
    """One organisation. The register's are known before they have a dataset. Raises NotFound."""
    registered = scheme("organisations").get(slug)
    held = _count(slug, registered, site)
    last = max(1, ceil(held.datasets / PER_PAGE))
    if page > last:
        raise NotFound(f"There is no page {page}.")
    rows = site.store.datasets.of_organisation(slug, PER_PAGE, (page - 1) * PER_PAGE)
    contacts = [(people.from_store(contact), contact.datasets) for contact in site.store.datasets.contacts(slug)]
    return OrganisationPage(
        slug=slug,
        title=registered.label if registered else held.title,
        other_titles=_other_titles(registered),
        homepage=present.web(registered.facts.get("homepage", "") or registered.iri) if registered else "",
        above=_linked(registered.broader) if registered else None,
        successors=[label for iri in (registered.successors if registered else ()) if (label := _linked(iri))],
        total=held.datasets,
        restricted=held.restricted,
        datasets=[_shown(row) for row in rows],
        page=page,
        last=last,
        contacts=[(person, count) for person, count in contacts if person.reachable][:CONTACTS],
        supplies=_supplies(slug, site),
    )


def _count(slug: str, registered: Concept | None, site: Site) -> OrganisationCount:
    try:
        return site.store.datasets.organisation(slug)
    except NotFound:
        if registered is None:
            raise
        return OrganisationCount(slug, registered.label, registered.iri, 0, 0)


def _other_titles(registered: Concept | None) -> list[Text]:
    found = registered.labels.items() if registered else ()
    return [Text(title, tag) for tag, title in found if registered and title != registered.label]


def _linked(iri: str | None) -> Label | None:
    """Another body of the register, as a link to its page here."""
    found = scheme("organisations").get(iri) if iri else None
    return Label(Text(found.label, "en"), urls.organisation(found.notation)) if found else None


def _shown(row: Row) -> Shown:
    return Shown(row.title, urls.dataset(row.id), present.date(row.modified, time=False), row.restricted, row.kind)


def _supplies(slug: str, site: Site) -> list[Supply]:
    own = [source for source in site.store.sources.all() if source.organisation == slug]
    if not own:
        return []
    runs, counts = site.store.runs.latest(), site.store.sources.counts()
    return [Supply(source, runs.get(source.name), counts.get(source.name, 0)) for source in own]


def _letter(title: str) -> str:
    first = title[:1].upper()
    return first if first.isalpha() else "0–9"
