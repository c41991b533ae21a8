"""The peers themselves, without fedcat: when these fail, the fault is in the stack and not in the catalogue."""

from pathlib import Path

import pytest
from rdflib import DCAT, Graph

from . import world
from .stack import run
from .world import Described, turtle

pytestmark = pytest.mark.peers


def test_each_database_is_new_and_empty(cluster, postgres_url):
    address = postgres_url.replace("+psycopg", "")
    assert run(cluster.bin / "psql", "-At", address, "-c", r"\dt") == ""


def test_the_peer_is_the_ckan_we_promise(ckan):
    status = ckan.action("status_show")
    assert status["ckan_version"].startswith("2.12.")
    assert {"dcat", "harvest", "dcat_rdf_harvester"} <= set(status["extensions"])


def test_pages_ordered_by_id_hold_every_package_once(filled):
    asked = {"sort": "id asc", "rows": 25}
    pages = [filled.action("package_search", start=start, **asked)["results"] for start in (0, 25, 50, 75)]
    assert [len(page) for page in pages] == [25, 25, 10, 0]
    assert len({package["id"] for page in pages for package in page}) == world.PACKAGES


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"q": "buoys 17"}, {"lights-017"}),
        ({"q": "title:buoys AND name:lights-00*"}, {f"lights-00{n}" for n in (0, 1, 3, 4, 5, 6, 7, 8)}),
        ({"fq": 'tags:"two words" organization:ministry-of-lighthouses'}, {f"lights-{n:03}" for n in range(9, 60, 15)}),
        ({"fq": 'identifier:"lights-7"'}, {"lights-007"}),
        ({"fq": "name:(lights-001 OR lights-002) -groups:trafnidiaeth"}, {"lights-001"}),
        ({"fq": "metadata_modified:[* TO NOW-1HOUR]"}, set()),
    ],
)
def test_the_stand_in_for_solr_finds_what_solr_would(filled, asked, found):
    assert {package["name"] for package in filled.action("package_search", rows=100, **asked)["results"]} == found


def test_facets_count_every_package(filled):
    facets = filled.action("package_search", rows=0, **{"facet.field": ["organization"]})["search_facets"]
    counts = {item["name"]: item["count"] for item in facets["organization"]["items"]}
    assert counts == dict.fromkeys(world.ORGANISATIONS, world.PACKAGES // 3)


def test_what_is_deleted_leaves_the_search(filled):
    filled.action("package_delete", id="lights-059")
    assert filled.action("package_search", fq="name:lights-059")["count"] == 0
    filled.action("package_patch", id="lights-059", state="active")
    assert filled.action("package_search", fq="name:lights-059")["count"] == 1


def test_ckan_writes_a_catalogue_of_its_own(filled):
    graph = Graph().parse(f"{filled.url}/catalog.ttl")
    assert len(set(graph.objects(None, DCAT.dataset))) == world.PACKAGES


def test_ckan_harvests_a_turtle_file(ckan, harvested_by_ckan, folder: tuple[Path, str]):
    path, url = folder
    datasets = [Described(number) for number in range(20)]
    (path / "catalog.ttl").write_text(turtle(datasets), "utf-8")
    assert harvested_by_ckan(f"{url}/catalog.ttl") == {each.iri: (each.title, each.resources) for each in datasets}
