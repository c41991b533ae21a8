"""The DCAT feed: the catalogue, its records and its resources, a page at a time, with hydra's links between pages.

Pages of the whole catalogue lead to each other by number (`?after=`): the order in which datasets were first seen, in which
new ones come last and nothing ever moves. Each ends where a hundred ends, so what one page gains or loses leaves the others,
and their addresses, as they are: a reader with their ETags is sent that page alone, and the first, which counts them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from math import ceil
from urllib.parse import urlencode

from catalogue import rdf
from catalogue.dcat import IRI, Agent, Catalog, CatalogRecord, Number, Statement, Text, Thing, Value, When
from catalogue.errors import NotFound
from catalogue.feeds.base import Feed
from catalogue.settings import Settings
from catalogue.store import Entry, Store
from catalogue.store.datasets import Stamp
from vocab.namespaces import HYDRA, RDFS, XSD

PAGE = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feed is read: its address, and the parameters that all its pages have."""

    address: str
    kept: tuple[tuple[str, str], ...] = ()

    def at(self, **own: int) -> str:
        """The address of one page."""
        said = [*self.kept, *own.items()]
        return f"{self.address}?{urlencode(said)}" if said else self.address

    def page(self, number: int) -> str:
        """A page's address; the first has no number."""
        return self.at(page=number) if number > 1 else self.at()


@dataclass(frozen=True, slots=True)
class CatalogPage:
    """One page of the feed, before its datasets are read: enough to answer that nothing has changed.

    Only the first page has a total and a last page: on the others they would change with every dataset that comes or goes.
    """

    address: str
    links: Mapping[str, str]
    shown: tuple[Stamp, ...] = ()
    total: int | None = None
    notes: tuple[str, ...] = ()

    def tag(self, feed: Feed) -> str:
        """Changes when anything on the page does, and at no other time."""
        said = f"{feed.extension} {self.address} {self.links} {self.total} {self.notes} {self.shown}"
        return blake2b(said.encode(), digest_size=12).hexdigest()


def page_after(store: Store, place: Place, after: int, since: datetime | None = None) -> CatalogPage:
    """What follows a number, to the end of its hundred. Empty when nothing follows: what did may just have been withdrawn."""
    found = store.datasets.stamps(PAGE + 1, after=after, since=since)
    end = (after // PAGE + 1) * PAGE
    # what changed since a moment lies scattered, and is asked for once: such pages are full
    shown = found[:PAGE] if since else [stamp for stamp in found if stamp.number <= end]
    links = {"first": place.page(1)} | _following(place, found, shown)
    return CatalogPage(place.at(after=after), links, tuple(shown))


def numbered_page(store: Store, place: Place, number: int, since: datetime | None = None) -> CatalogPage:
    """A page by its number. Raises NotFound beyond the last; the first page of an empty catalogue is there, and empty."""
    found = store.datasets.stamps(PAGE + 1, skip=(number - 1) * PAGE, since=since)
    if not found and number > 1:
        raise NotFound(f"The feed has no page {number}.")
    shown = found[:PAGE]
    links = _behind(place, number) | _following(place, found, shown)
    if number > 1:
        return CatalogPage(place.page(number), links, tuple(shown))
    total = len(found) if len(found) <= PAGE else store.datasets.count(since=since)
    return CatalogPage(place.page(1), links | _last(place, total), tuple(shown), total)


def found_page(
    store: Store,
    place: Place,
    number: int,
    ids: Sequence[str],
    total: int,
    since: datetime | None = None,
    notes: tuple[str, ...] = (),
) -> CatalogPage:
    """A page of what a search found, in its order. With `since` what has not changed is left out, so nobody knows the total."""
    last = max(1, ceil(total / PAGE))
    if number > last:
        raise NotFound(f"The search has {last} pages; there is no page {number}.")
    links = _behind(place, number) | ({"next": place.page(number + 1)} if number < last else {})
    shown = tuple(store.datasets.stamps_of(ids, since=since))
    if number > 1:
        return CatalogPage(place.page(number), links, shown, notes=notes)
    return CatalogPage(place.page(1), links | _last(place, total), shown, None if since else total, notes)


def catalog_nodes(store: Store, settings: Settings, page: CatalogPage) -> Iterator[rdf.Writable]:
    """What the page says."""
    entries = store.datasets.some([stamp.id for stamp in page.shown])
    yield collection_node(page)
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


def collection_node(page: CatalogPage) -> Thing:
    """Hydra's links, each under both of the names that readers look for."""
    said: list[tuple[str, Value]] = [(HYDRA.itemsPerPage, _count(PAGE))]
    if page.total is not None:
        said.append((HYDRA.totalItems, _count(page.total)))
    for name, address in page.links.items():
        said += [(HYDRA[spelling], IRI(address)) for spelling in (name, f"{name}Page")]
    said += [(RDFS.comment, Text(note, "en")) for note in page.notes]
    types = frozenset({IRI(HYDRA.PagedCollection), IRI(HYDRA.PartialCollectionView)})
    return Thing(iri=IRI(page.address), types=types, rest=frozenset(Statement(IRI(p), o) for p, o in said))


def _behind(place: Place, number: int) -> dict[str, str]:
    first = {"first": place.page(1)}
    return first | {"previous": place.page(number - 1)} if number > 1 else first


def _following(place: Place, found: Sequence[Stamp], shown: Sequence[Stamp]) -> dict[str, str]:
    """The next page: after the last that is shown, or where the hundred begins of what comes then, if that is later."""
    beyond = found[len(shown) :]
    if not beyond:
        return {}
    begins = (beyond[0].number - 1) // PAGE * PAGE
    return {"next": place.at(after=max(begins, shown[-1].number if shown else 0))}


def _last(place: Place, total: int) -> dict[str, str]:
    return {"last": place.page(max(1, ceil(total / PAGE)))}


def _count(number: int) -> Number:
    return Number(str(number), IRI(XSD.integer))


def _moment(at: datetime) -> When:
    return When(at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), IRI(XSD.dateTime))
