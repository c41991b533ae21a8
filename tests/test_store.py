"""What the store promises when records share a dataset, a batch or a moment."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from world import Fake, dataset, empty_store, harvest, numbered, titles

from catalogue.dcat import ContactPoint, Slug, Text
from catalogue.errors import Problem
from catalogue.feeds import FEEDS, Place, numbered_page
from catalogue.harvest.sources import remove, set_up
from catalogue.store.database import packed, unpacked

TOWPATH = "https://canals.example/towpath"


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def test_many_threads_pack_and_unpack_at_once():
    letters = random.Random(2)
    bodies = ["".join(letters.choices("canal lock tolls", k=60_000)).encode() for _ in range(8)]

    def there_and_back(turn):
        body = bodies[turn % len(bodies)]
        return unpacked(packed(body)) == body

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(there_and_back, range(400)))


# ---- what a source has, though it could not be read


def test_a_record_that_the_harvester_could_not_read_is_not_withdrawn(store):
    harvest(store, numbered(5))
    unreadable = Problem(rule="torn", message="It is torn.", fix="Mend it.", record="r0")
    run = harvest(store, numbered(5) | {"r0": unreadable})
    assert (run.status, run.rejected, run.withdrawn) == ("complete", 1, 0)
    assert len(titles(store)) == 5


@pytest.mark.parametrize("identifier", ["a\x00b", "a\ud800"])
def test_an_identifier_that_no_database_keeps_costs_one_record(store, identifier):
    run = harvest(store, {identifier: {"title": "Locks"}, "2": {"title": "Tolls"}})
    assert (run.status, run.added, run.rejected) == ("complete", 1, 1)


def test_a_harvester_that_maps_to_anything_else_costs_one_record(store):
    run = harvest(store, Fake({"1": {"title": "Locks"}}, mapping=lambda _: [None]))
    assert (run.status, run.rejected) == ("complete", 1)


# ---- one dataset, several records


def test_an_address_that_we_gave_comes_back_as_the_same_dataset(store):
    harvest(store, {"1": {"title": "Locks"}})
    given = next(store.datasets.each())
    run = harvest(store, {"1": {"title": "Locks, as others tell", "iri": given.iri}}, "peer")
    assert (run.added, run.rejected) == (1, 0)
    assert [len(entry.routes) for entry in store.datasets.each()] == [2]


@pytest.mark.parametrize("addresses", [(f"{TOWPATH}/a", f"{TOWPATH}/b"), ("", "")])
def test_every_record_of_a_batch_is_known_again_by_its_own_keys(store, addresses):
    shared = {"identifier": "towpath", "publisher": "Canal Trust"}
    first, second = ({"title": title, "iri": iri} for title, iri in zip("AB", addresses, strict=True))
    harvest(store, {"a": first | shared, "b": second | shared})
    before = [entry.id for entry in store.datasets.each()]
    run = harvest(store, {"a": first | {"title": "A, revised"}, "b": second | shared})
    assert (run.updated, run.rejected) == (1, 0)
    assert [entry.id for entry in store.datasets.each()] == before


def test_another_priority_changes_who_leads_at_once(store):
    for name, priority in (("first", 10), ("second", 20)):
        harvest(store, {"1": {"title": name, "iri": TOWPATH}}, name, said={"priority": priority})
    set_up(store, replace(store.sources.get(Slug("first")), priority=30))
    assert titles(store) == ["second"]
    assert store.datasets.changes()[-1].outcome == "updated"
    remove(store, "second", keep_datasets=True)
    assert titles(store) == ["first"]


def test_contacts_are_those_of_the_record_that_leads(store):
    def tell(name, priority):
        said = Fake(
            {"1": {"title": "Locks", "iri": TOWPATH}},
            mapping=lambda said: [replace(dataset(**said), contact_points=frozenset({whom}))],
        )
        whom = ContactPoint(names=frozenset({Text(name)}))
        harvest(store, said, name.lower(), said={"priority": priority, "organisation": Slug("canal-trust")})

    def shown():
        return [contact.name for contact in store.datasets.contacts("canal-trust")]

    tell("Ann", 10)
    tell("Bob", 20)
    assert shown() == ["Ann"]
    remove(store, "ann", keep_datasets=False)
    assert shown() == ["Bob"]
    remove(store, "bob", keep_datasets=False)
    assert shown() == []


# ---- what readers have already


def test_a_page_of_the_feed_has_another_tag_when_a_record_comes_from_elsewhere(store):
    class Elsewhere(Fake):
        def fetch(self, source, client, visit=None):
            return (replace(record, address="https://canals.example/2") for record in super().fetch(source, client))

    harvest(store, {"1": {"title": "Locks", "keywords": ["a", "b"]}})
    here = Place("https://catalogue.example/catalog")
    before = numbered_page(store, here, 1).tag(FEEDS[0])
    harvest(store, Elsewhere({"1": {"keywords": ["b", "a"], "title": "Locks"}}))
    assert numbered_page(store, here, 1).tag(FEEDS[0]) != before
