"""The DCAT feed: the catalogue, its records and its resources, a page at a time, with hydra's links between pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from math import ceil

from catalogue import rdf
from catalogue.dcat import IRI, Agent, Catalog, CatalogRecord, Number, Statement, Text, Thing, Value, When
from catalogue.errors import NotFound
from catalogue.feeds.base import Feed
from catalogue.settings import Settings
from catalogue.store import Entry, Store
from vocab.namespaces import HYDRA, XSD

PAGE = 100


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """One page of the feed, before its datasets are read: enough to answer that nothing has changed."""

    number: int
    pages: int
    total: int
    tag: str
    """Changes when anything on the page does, and at no other time."""


def catalog_page(store: Store, number: int, feed: Feed) -> CatalogPage:
    """Look a page up. Raises NotFound beyond the last; the first page of an empty catalogue is there, and empty."""
    total = store.datasets.count()
    pages = max(1, ceil(total / PAGE))
    if not 1 <= number <= pages:
        raise NotFound(f"The feed has {pages} pages; there is no page {number}.")
    shown = store.datasets.page_serials(number, PAGE)
    said = f"{feed.extension} {total} {number} {shown}"
    return CatalogPage(number, pages, total, blake2b(said.encode(), digest_size=12).hexdigest())


def catalog_nodes(store: Store, settings: Settings, page: CatalogPage, address: str) -> Iterator[rdf.Writable]:
    """What the page says. `address` is the page's own without `?page=`, for the links to the others."""
    entries = store.datasets.page(page.number, PAGE)
    yield collection_node(page, address)
    yield catalog_node(settings, entries)
    for entry in entries:
        yield record_node(entry, settings.base_url)
        yield entry


def dataset_nodes(entry: Entry, settings: Settings) -> tuple[rdf.Writable, ...]:
    """One resource with our own word on it."""
    return entry, record_node(entry, settings.base_url)


def catalog_node(settings: Settings, entries: list[Entry]) -> Catalog:
    """Who we are, and what stands on this page."""
    services = frozenset(IRI(entry.iri) for entry in entries if entry.row.kind == "service")
    return Catalog(
        iri=IRI(f"{settings.base_url}/catalog"),
        titles=frozenset({Text(settings.title, "en")}),
        descriptions=frozenset(
            {Text(f"{settings.title}: descriptions of datasets, harvested from their owners.", "en")}
        ),
        publisher=Agent(names=frozenset({Text(settings.publisher or settings.title)})),
        homepage=IRI(f"{settings.base_url}/"),
        datasets=frozenset(IRI(entry.iri) for entry in entries) - services,
        services=services,
        records=frozenset(IRI(f"{settings.base_url}/record/{entry.id}") for entry in entries),
    )


def record_node(entry: Entry, base: str) -> CatalogRecord:
    """Our word on one resource: where it came from, through which run, since when."""
    lead = next((route for route in entry.routes if route.leads), None)
    return CatalogRecord(
        iri=IRI(f"{base}/record/{entry.id}"),
        primary_topic=IRI(entry.iri),
        issued=_moment(entry.row.first_seen),
        modified=_moment(entry.row.changed),
        source=IRI(lead.address) if lead and lead.address.startswith("http") else None,
        generated_by=frozenset({IRI(f"{base}/source/{lead.source}/run/{lead.run}")} if lead else ()),
        derived_from=frozenset(IRI(f"{base}/source/{route.source}") for route in entry.routes),
    )


def collection_node(page: CatalogPage, address: str) -> Thing:
    """Hydra's links, each under both of the names that readers look for."""
    here = page_address(address, page.number)
    ends = {"first": 1, "last": page.pages}
    steps = {"next": page.number + 1, "previous": page.number - 1}
    links = ends | {name: number for name, number in steps.items() if 1 <= number <= page.pages}
    said: list[tuple[str, Value]] = [
        (HYDRA.totalItems, Number(str(page.total), IRI(XSD.integer))),
        (HYDRA.itemsPerPage, Number(str(PAGE), IRI(XSD.integer))),
    ]
    for name, number in links.items():
        for spelling in (name, f"{name}Page"):
            said.append((HYDRA[spelling], IRI(page_address(address, number))))
    types = frozenset({IRI(HYDRA.PagedCollection), IRI(HYDRA.PartialCollectionView)})
    return Thing(iri=IRI(here), types=types, rest=frozenset(Statement(IRI(p), o) for p, o in said))


def page_address(address: str, number: int) -> str:
    """A page's address; the first has no number."""
    return address if number == 1 else f"{address}?page={number}"


def _moment(at: datetime) -> When:
    return When(at.strftime("%Y-%m-%dT%H:%M:%SZ"), IRI(XSD.dateTime))
