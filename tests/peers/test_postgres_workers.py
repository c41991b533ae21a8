"""Many workers on one PostgreSQL: killed, shared out, and left without their database for a while."""

import os
import shlex
import signal
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from crew import KILLS, Crew, killed_again_and_again
from feed_server import Feed, address_of, serve
from world import source

from catalogue.errors import StoreAway
from catalogue.store import Store

from . import stack
from .conftest import available

pytestmark = pytest.mark.peers

SOURCES = 24
EACH = int(os.environ.get("FEDCAT_PEERS_DATASETS", "60"))
SIZE = 20


def test_a_harvest_killed_again_and_again_ends_as_an_undisturbed_one(postgres_url, tmp_path, capsys):
    figures = killed_again_and_again(postgres_url, tmp_path, most=KILLS)
    with capsys.disabled():
        print(f"\nPostgreSQL: {figures}")


class Wanted:
    """A database, sources on as many servers, and a run wanted of each."""

    def __init__(self, url: str, open_: ExitStack) -> None:
        self.feeds = {f"s{n}": Feed(EACH, SIZE) for n in range(SOURCES)}
        self.store = open_.enter_context(closing(Store(url)))
        self.store.upgrade()
        for name, feed in self.feeds.items():
            feed.base = f"https://{name}.example"
            server = open_.enter_context(serve(feed))
            open_.callback(server.shutdown)
            self.store.sources.add(source(name, type="dcat-rdf", url=address_of(server)))
            self.store.leases.enqueue(self.store.sources.get(name))

    def ended(self) -> int:
        return sum(run.ended is not None for run in self.store.runs.some(limit=SOURCES))

    def seconds(self) -> float:
        """From the first run's beginning to the last one's end."""
        made = self.store.runs.some(limit=SOURCES)
        return (max(run.ended for run in made) - min(run.began for run in made)).total_seconds()

    def all_came(self) -> None:
        assert all((run.status, run.added) == ("complete", EACH) for run in self.store.runs.some(limit=SOURCES))
        assert sum(1 for _ in self.store.datasets.each()) == SOURCES * EACH


def wait_until(done, crew: Crew, patience: float = 300) -> None:
    deadline = time.monotonic() + patience
    while not done():
        assert time.monotonic() < deadline, crew.log()
        time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_no_source_is_harvested_twice_at_once(postgres_url, tmp_path, workers, capsys):
    with ExitStack() as open_:
        wanted = Wanted(postgres_url, open_)
        crew = open_.enter_context(Crew(postgres_url, tmp_path, workers))
        wait_until(lambda: wanted.ended() == SOURCES, crew)
        wanted.all_came()
        pages = dict.fromkeys(range(1, EACH // SIZE + 1), 1)
        assert {name: feed.asked for name, feed in wanted.feeds.items()} == dict.fromkeys(wanted.feeds, pages)
        assert {run.token for run in wanted.store.runs.some()} == {1}
        with capsys.disabled():
            print(f"\nPostgreSQL, workers: {workers}, datasets a second: {SOURCES * EACH / wanted.seconds():.0f}")


def test_workers_go_on_when_the_database_has_been_away(tmp_path):
    with ExitStack() as open_:
        cluster = open_.enter_context(available(stack.postgres()))
        url = cluster.url(cluster.new_database())
        wanted = Wanted(url, open_)
        crew = open_.enter_context(Crew(url, tmp_path, 4))
        wait_until(lambda: wanted.ended() > 3, crew)
        stopped_and_started(cluster, open_)
        wait_until(lambda: ended_if_there(wanted) == SOURCES, crew)
        wanted.all_came()
        assert all(process.poll() is None for process in crew.members.values()), crew.log()


def ended_if_there(wanted: Wanted) -> int:
    try:
        return wanted.ended()
    except StoreAway:
        return 0


def stopped_and_started(cluster: stack.Postgres, open_: ExitStack) -> None:
    """The database's server ends, as for an upgrade, and starts again three seconds later."""
    data = Path(
        stack.run(
            cluster.bin / "psql", "-At", cluster.url("postgres", "postgresql"), "-c", "show data_directory"
        ).strip()
    )
    command = shlex.split((data / "postmaster.opts").read_text())
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGINT)
    while (data / "postmaster.pid").exists():
        time.sleep(0.05)
    time.sleep(3)
    owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    accepts = stack.listens(cluster.port)
    open_.enter_context(
        stack.server("postgres-again", *command, ready=accepts, stop=signal.SIGINT, cwd=data.parent, **owner)
    )
