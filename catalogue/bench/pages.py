"""The site and the feed over a full catalogue: inside the process, and through a server."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import rdflib
import waitress
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from catalogue import settings
from catalogue.bench.harvests import BASE, NotAsExpected, store_in
from catalogue.bench.machine import Watch, peak, percentile, timed, waited
from catalogue.bench.searches import address, mixed
from catalogue.feeds import PAGE, export
from catalogue.search import Query, SearchIndex, open_index
from catalogue.search.filters import to_parameters
from catalogue.store import Store
from catalogue.web import create_app

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Shown:
    """Milliseconds at the 95th percentile: a dataset's page and a search's."""

    dataset: float
    search: float


@dataclass(frozen=True, slots=True)
class Fed:
    """Milliseconds at the 95th percentile for a page of the feed, new and unchanged; what rdflib needs to write one."""

    page: float
    unchanged: float
    rdflib: float


@dataclass(frozen=True, slots=True)
class Dumped:
    """The whole catalogue in one file."""

    seconds: float
    peak: float


def show(home: Path, size: int, count: int) -> Shown:
    """Pages as the site makes them, without a server."""
    with site(home) as app:
        client = app.test_client()
        datasets, searches = addresses(home, size, count)
        _get(client, datasets[0]), _get(client, searches[0])
        return Shown(_p95(client, datasets), _p95(client, searches))


def show_over_http(home: Path, size: int, count: int) -> Shown:
    """The same pages from waitress in a process of its own, one after another over one connection."""
    datasets, searches = addresses(home, size, count)
    with served(home) as port, closing(HTTPConnection(LOOPBACK, port, timeout=60)) as connection:
        _fetch(connection, datasets[0]), _fetch(connection, searches[0])
        return Shown(
            *(percentile([waited(_fetch, connection, each) for each in some], 0.95) for some in (datasets, searches))
        )


def feed(home: Path, size: int, count: int) -> Fed:
    """Pages of the feed in Turtle, and the same asked for again by somebody who has them."""
    with site(home) as app:
        client = app.test_client()
        numbers = [Random(f"feed:{n}").randint(1, max(1, size // PAGE)) for n in range(count)]
        asked = [f"/catalog.ttl?after={100 * (number - 1)}" for number in numbers]
        tags = [_get(client, each).headers["ETag"] for each in asked]
        known = [timed(_get, client, each, tag) for each, tag in zip(asked, tags, strict=True)]
        graph = rdflib.Graph().parse(data=_get(client, asked[0]).data, format="turtle")
        return Fed(_p95(client, asked), percentile(known, 0.95), timed(graph.serialize, format="turtle"))


def dump(home: Path, count: int) -> Dumped:
    """Everything as N-Quads into a file."""
    target = home / "dump.nq"
    with closing(Store(store_in(home))) as store, target.open("wb") as file:
        with Watch() as watch:
            written = export(store, settings_of(home), "nq", file)
        if written != count:
            raise NotAsExpected(f"{count} datasets should have been written: {written}")
    target.unlink()
    return Dumped(watch.wall, peak())


@contextmanager
def site(home: Path) -> Iterator[Flask]:
    with closing(Store(store_in(home))) as store, closing(open_index(address(home))) as index:
        yield create_app(settings_of(home), store, index)


@contextmanager
def served(home: Path) -> Iterator[int]:
    """The site behind waitress while the block runs; gives the port."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(home, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(home: Path, told: Connection) -> None:
    with site(home) as app:
        server = waitress.create_server(app, host=LOOPBACK, port=0, threads=8)
        told.send(int(server.effective_port))
        server.run()


def addresses(home: Path, size: int, count: int) -> tuple[list[str], list[str]]:
    """Pages of datasets anywhere in the catalogue, and of mixed searches."""
    random = Random("pages")
    with closing(Store(store_in(home))) as store, closing(open_index(address(home))) as index:
        ids = [store.datasets.page_serials(random.randint(1, size), 1)[0][0] for _ in range(count)]
        searches = [urlencode(to_parameters(_there(query, index))) for query in mixed(size, count)]
    return [f"/dataset/{id_}" for id_ in ids], [f"/search?{asked}" for asked in searches]


def _there(query: Query, index: SearchIndex) -> Query:
    """A query for a page that there is."""
    last = ceil(index.search(replace(query, page=1, facets=False)).total / query.per_page)
    return replace(query, page=max(1, min(query.page, last)))


def settings_of(home: Path) -> settings.Settings:
    said = {"FEDCAT_HOME": str(home), "FEDCAT_DATABASE_URL": store_in(home), "FEDCAT_BASE_URL": BASE}
    return settings.load(said, home)


def _p95(client: FlaskClient, asked: list[str]) -> float:
    return percentile([timed(_get, client, each) for each in asked], 0.95)


def _get(client: FlaskClient, asked: str, known: str = "") -> TestResponse:
    """An answer; not the body again when `known` is its tag."""
    answer = client.get(asked, headers={"If-None-Match": known} if known else {})
    if answer.status_code != (304 if known else 200):
        raise NotAsExpected(f"{asked} answered {answer.status}")
    return answer


def _fetch(connection: HTTPConnection, asked: str) -> bytes:
    connection.request("GET", asked)
    answer = connection.getresponse()
    if answer.status != 200:
        raise NotAsExpected(f"{asked} answered {answer.status}")
    return answer.read()
