"""One fedcat harvests another: what it then holds is equal, dataset by dataset."""

from __future__ import annotations

import pytest
import requests
from world import empty_store, fill, site, source

from catalogue import rdf
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.source import harvester

SLOWEST = 60


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    with empty_store() as store:
        fill(store)
        with site(store, tmp_path_factory.mktemp("first")) as address:
            yield store, address


def federated(address: str, store):
    held = source("first", type="dcat-rdf", url=address)
    store.sources.replace(held)
    with Client(allow_private=True) as client:
        return line.harvest(HarvestRun.begin(held, store, "https://second.example"), harvester("dcat-rdf"), client)


def described(store) -> dict[str, bytes]:
    return {entry.iri: entry.body for entry in store.datasets.each()}


@pytest.mark.parametrize("extension", ["ttl", "jsonld", "rdf", "nt"])
def test_our_own_feed_gives_an_equal_catalogue(first, extension):
    ours, address = first
    with empty_store() as theirs:
        run = federated(f"{address}/catalog.{extension}", theirs)
        assert (run.status, run.rejected) == ("complete", 0)
        assert described(theirs).keys() == described(ours).keys()
        assert described(theirs) == described(ours)


def test_a_second_harvest_of_our_feed_changes_nothing(first):
    _, address = first
    with empty_store() as theirs:
        federated(f"{address}/catalog.ttl", theirs)
        serial = theirs.datasets.serial()
        run = federated(f"{address}/catalog.ttl", theirs)
        assert (run.unchanged, run.updated, run.added) == (run.fetched, 0, 0)
        assert theirs.datasets.serial() == serial


def test_the_feed_lists_every_dataset_once(first):
    ours, address = first
    listed = []
    page = f"{address}/catalog.nt"
    while page:
        answer = requests.get(page, timeout=SLOWEST)
        graph = rdf.graph(answer.content, answer.headers["Content-Type"])
        listed += list(rdf.resources(graph))
        following = [o for pairs in graph.subjects.values() for p, o in pairs if p.endswith("core#next")]
        page = str(following[0]) if following else ""
    assert sorted(listed) == sorted(described(ours))
