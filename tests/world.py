"""A small fake world: a source whose records a test sets, a harvester that reads them, a store in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from catalogue.dcat import IRI, Dataset, Distribution, Identifier, Resource, Slug, Text
from catalogue.demo import sources as example_sources
from catalogue.demo.server import served
from catalogue.errors import Problem, RecordRejected
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import from_toml
from catalogue.http import Client
from catalogue.search import open_index
from catalogue.search.follow import catch_up
from catalogue.settings import load
from catalogue.source import FIRST, HarvestSource, PageEnd, SourceRecord, Visit, harvester
from catalogue.store import Run, Store

BASE = "https://catalogue.example"
NOBODY: Client = None  # type: ignore[assignment]  # the fake harvester goes nowhere


@dataclass
class Fake:
    """A harvester over a dictionary: identifier → what it says. `breaks` is raised in fetch after so many records."""

    records: dict[str, Any]
    breaks: tuple[int, Exception] | None = None
    mapping: Callable[[dict[str, Any]], Iterable[Resource]] | None = None
    name: str = "fake"
    title: str = "A fake"
    sample: str = "http://example.org"
    options: tuple[()] = ()
    fetched: list[str] = field(default_factory=list)

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[SourceRecord | Problem]:
        for number, (identifier, said) in enumerate(self.records.items()):
            if self.breaks and number == self.breaks[0]:
                raise self.breaks[1]
            self.fetched.append(identifier)
            if isinstance(said, Problem):
                yield said
            else:
                yield SourceRecord(Identifier(identifier), json.dumps(said).encode(), "application/json", source.url)
        if self.breaks and self.breaks[0] >= len(self.records):
            raise self.breaks[1]

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterable[Resource]:
        said = json.loads(record.content)
        return self.mapping(said) if self.mapping else [dataset(**said)]


def dataset(title: str = "", **said: Any) -> Dataset:
    """A dataset that says a few words."""
    if said.pop("rude", False):
        raise RecordRejected(Problem(rule="rude", message="It is rude.", fix="Be kind."))
    links = said.get("files", [])
    return Dataset(
        iri=IRI(said["iri"]) if said.get("iri") else None,
        titles=frozenset({Text(title)} if title else ()),
        descriptions=frozenset({Text(said["description"])} if said.get("description") else ()),
        identifiers=frozenset({Text(said["identifier"])} if said.get("identifier") else ()),
        publisher=Text(said["publisher"]) if said.get("publisher") else None,
        keywords=frozenset(map(Text, said.get("keywords", []))),
        distributions=frozenset(Distribution(download_urls=frozenset({IRI(link)})) for link in links),
    )


def source(name: str = "canals", **said: Any) -> HarvestSource:
    return HarvestSource(**{"name": Slug(name), "type": "fake", "url": f"https://{name}.example/catalogue", **said})


@contextmanager
def empty_store(url: str = "sqlite://") -> Iterator[Store]:
    with closing(Store(url)) as store:
        store.upgrade()
        yield store


def harvest(store: Store, records: dict[str, Any] | Fake, name: str = "canals", **how: Any) -> Run:
    """Harvest a fake source into a store."""
    fake = records if isinstance(records, Fake) else Fake(records)
    held = source(name, **how.pop("said", {}))
    store.sources.replace(held)
    return line.harvest(HarvestRun.begin(held, store, BASE), fake, NOBODY, **how)


def titles(store: Store) -> list[str]:
    """What the catalogue shows now, by title."""
    return sorted(entry.row.title for entry in store.datasets.each())


def numbered(count: int, **said: Any) -> dict[str, Any]:
    """So many records that differ in their number."""
    return {f"r{n}": {"title": f"Dataset {n}", **said} for n in range(count)}


def fill(store: Store, base: str = BASE) -> list[Run]:
    """Harvest the example sources, all of them, through the real harvesters."""
    runs = []
    with served() as address, Client(allow_private=True) as client:
        for held in from_toml({"source": example_sources(address)}):
            store.sources.replace(held)
            runs.append(line.harvest(HarvestRun.begin(held, store, base), harvester(held.type), client))
    return runs


@contextmanager
def site(store: Store, tmp_path: Path) -> Iterator[str]:
    """The site over a store, on a free port; gives its address."""
    from catalogue.web import create_app  # most tests need no pages

    server = make_server("127.0.0.1", 0, Response("starting"), threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    settings = load({"FEDCAT_HOME": str(tmp_path), "FEDCAT_BASE_URL": address, "FEDCAT_TITLE": "Canal catalogue"})
    with closing(open_index(f"whoosh:{tmp_path}/index")) as index:
        catch_up(store, index)
        server.app = create_app(settings, store, index)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def records_of(found: Iterable[Any]) -> Iterator[Any]:
    """What a harvester found: records and problems, without the ends of pages."""
    return (one for one in found if not isinstance(one, PageEnd))
