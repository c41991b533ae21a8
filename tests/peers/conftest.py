"""What the peer tests stand on: servers, a new database, a folder served on loopback, fedcat's command line."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from . import stack, world

CHECKOUT = Path(__file__).resolve().parents[2]


@contextmanager
def available(server: AbstractContextManager[Any]) -> Iterator[Any]:
    """A running server, or a skip that says what is missing."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a run that is told to end takes its servers along
    with ExitStack() as running:
        try:
            found = running.enter_context(server)
        except stack.NotInstalled as missing:
            pytest.skip(str(missing))
        yield found


@pytest.fixture(scope="session")
def cluster() -> Iterator[stack.Postgres]:
    with available(stack.postgres()) as running:
        yield running


@pytest.fixture
def postgres_url(cluster: stack.Postgres) -> str:
    """A fresh database, as FEDCAT_DATABASE_URL says it."""
    if not find_spec("psycopg"):
        pytest.skip("psycopg is not installed: pip install -e '.[postgres]'")
    return cluster.url(cluster.new_database())


@pytest.fixture(scope="session")
def ckan(cluster: stack.Postgres) -> Iterator[stack.Ckan]:
    """A CKAN for the whole run; a test takes out what it put in."""
    with available(stack.ckan(cluster)) as running:
        yield running


@dataclass(frozen=True)
class Fedcat:
    """The command line of a catalogue of its own, run as people run it."""

    home: Path
    settings: dict[str, str]

    def __call__(self, *arguments: object) -> str:
        return stack.run(sys.executable, "-m", "catalogue", *arguments, cwd=CHECKOUT, env=self.environment)

    def harvest(self) -> dict[str, Any]:
        """Harvest the only source; what `--json` says about it."""
        return json.loads(self("harvest", "--all", "--json"))

    @contextmanager
    def serving(self, port: int) -> Iterator[str]:
        command = (sys.executable, "-m", "catalogue", "serve", "--port", port)
        url = f"http://{stack.HOST}:{port}"
        with stack.server("fedcat", *command, ready=stack.answers(url), cwd=CHECKOUT, env=self.environment):
            yield url

    @property
    def environment(self) -> dict[str, str]:
        ours = {"FEDCAT_HOME": str(self.home), "FEDCAT_ALLOW_PRIVATE_SOURCES": "1"}
        return stack.bare_environment() | ours | self.settings


@pytest.fixture
def fedcat(tmp_path: Path) -> Callable[..., Fedcat]:
    """An initialised catalogue: `fedcat()` on SQLite, `fedcat(FEDCAT_DATABASE_URL=…)` elsewhere."""

    def make(**settings: str) -> Fedcat:
        made = Fedcat(tmp_path / f"home{len(list(tmp_path.iterdir()))}", settings)
        made("init")
        return made

    return make


class Quiet(SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {**SimpleHTTPRequestHandler.extensions_map, ".ttl": "text/turtle"}

    def log_message(self, *said: object) -> None:
        """The tests' output is for failures."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """An empty folder and the loopback address that serves it."""
    path = tmp_path / "served"
    path.mkdir()
    with ThreadingHTTPServer((stack.HOST, 0), partial(Quiet, directory=path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield path, f"http://{stack.HOST}:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def filled(ckan: stack.Ckan) -> Iterator[stack.Ckan]:
    """CKAN with the packages of `world` in it."""
    world.fill(ckan)
    yield ckan
    world.empty(ckan)


@pytest.fixture
def harvested_by_ckan(ckan: stack.Ckan) -> Iterator[Callable[[str], dict[str, tuple[str, int]]]]:
    """Let CKAN's own DCAT harvester read a feed: each dataset's IRI with its title and the number of its resources."""
    ckan.action("organization_create", name="harvested", title="Harvested")
    made = []

    def harvest(feed: str) -> dict[str, tuple[str, int]]:
        source = ckan.action(
            "harvest_source_create",
            name=f"source-{len(made)}",
            title="Ours",
            url=feed,
            source_type="dcat_rdf",
            frequency="MANUAL",
            owner_org="harvested",
            config='{"rdf_format": "text/turtle"}',
        )
        made.append(source["id"])
        ckan.ckan_command("harvester", "run-test", source["id"])
        found = ckan.action("package_search", fq=f'harvest_source_id:"{source["id"]}"', rows=1000)["results"]
        return {extra(package, "uri"): (package["title"], len(package["resources"])) for package in found}

    yield harvest
    for source in made:
        ckan.action("harvest_source_clear", id=source)
        ckan.action("dataset_purge", id=source)
    ckan.action("organization_purge", id="harvested")


def extra(package: dict[str, Any], key: str) -> str:
    return next(each["value"] for each in package["extras"] if each["key"] == key)
