"""fedcat beside a real CKAN: each harvests the other, and the store on PostgreSQL counts as the one on SQLite."""

from collections import Counter
from pathlib import Path

import pytest
from rdflib import DCAT, DCTERMS, RDF, Graph, URIRef

from . import world
from .stack import free_port
from .world import Described, turtle

pytestmark = pytest.mark.peers

RIVERS = [Described(number) for number in range(110)]  # more than a page of ours, so that CKAN has to turn it


def counts(outcome: dict[str, object]) -> dict[str, object]:
    """What must be the same on every database; numbers of runs and seconds need not."""
    return {name: value for name, value in outcome.items() if name not in ("run", "seconds")}


def exported(fedcat, tmp_path: Path) -> Graph:
    fedcat("export", "nt", "-o", tmp_path / "all.nt")
    return Graph().parse(tmp_path / "all.nt")


def test_what_ckan_says_of_its_packages_arrives(filled, fedcat, tmp_path):
    ours = fedcat()
    ours("source", "add", "real", "--type", "ckan", "--url", filled.url)
    ours.harvest()
    graph, packages = exported(ours, tmp_path), filled.action("package_search", rows=1000)["results"]
    datasets = set(graph.subjects(RDF.type, DCAT.Dataset))
    titles = Counter(str(title) for each in datasets for title in graph.objects(each, DCTERMS.title))
    assert titles == Counter(package["title"] for package in packages)
    files = Counter(len(set(graph.objects(each, DCAT.distribution))) for each in datasets)
    assert files == Counter(len(package["resources"]) for package in packages)
    assert not [text for text in graph.objects(None, DCTERMS.description) if "<script" in text or "<p>" in text]


def test_a_real_ckan_is_harvested_and_followed(filled, fedcat):
    ours = fedcat()
    ours("source", "add", "real", "--type", "ckan", "--url", filled.url)
    first, second = ours.harvest(), ours.harvest()
    assert (first["status"], first["added"], first["rejected"]) == ("complete", world.PACKAGES, 0)
    assert (second["unchanged"], second["added"], second["updated"]) == (world.PACKAGES, 0, 0)
    filled.action("package_delete", id="lights-010")
    filled.action("package_patch", id="lights-011", title="Lights, renamed")
    third = ours.harvest()  # asks only for what changed, of which a deletion is none
    assert (third["updated"], third["withdrawn"], third["unchanged"]) == (1, 0, world.PACKAGES - 1)
    assert third["fetched"] < world.PACKAGES
    ours("source", "remove", "real", "--keep-datasets")
    ours("source", "restore", "real")  # whose next harvest asks for everything, as the weekly one does
    swept = ours.harvest()
    assert (swept["fetched"], swept["updated"], swept["withdrawn"]) == (world.PACKAGES - 1, 0, 1)


def test_ckans_own_harvester_finds_every_dataset_in_our_feed(harvested_by_ckan, fedcat, folder):
    path, url = folder
    (path / "rivers.ttl").write_text(turtle(RIVERS), "utf-8")
    port = free_port()
    ours = fedcat(FEDCAT_BASE_URL=f"http://127.0.0.1:{port}")
    ours("source", "add", "rivers", "--type", "dcat-rdf", "--url", f"{url}/rivers.ttl")
    assert ours.harvest()["added"] == len(RIVERS)
    with ours.serving(port) as site:
        found = harvested_by_ckan(f"{site}/catalog.ttl")
    assert found == {each.iri: (each.title, each.resources) for each in RIVERS}


def test_postgresql_counts_what_sqlite_counts(postgres_url, fedcat, folder):
    path, url = folder
    here, there = fedcat(), fedcat(FEDCAT_DATABASE_URL=postgres_url)
    editions = (RIVERS, RIVERS, [Described(0, ", corrected"), *RIVERS[1:-3]])
    outcomes = []
    for catalogue in (here, there):
        catalogue("source", "add", "rivers", "--type", "dcat-rdf", "--url", f"{url}/rivers.ttl")
    for edition in editions:
        (path / "rivers.ttl").write_text(turtle(edition), "utf-8")
        outcomes.append([counts(catalogue.harvest()) for catalogue in (here, there)])
    assert [on_sqlite for on_sqlite, _ in outcomes] == [on_postgresql for _, on_postgresql in outcomes]
    first, second, third = (on_postgresql for _, on_postgresql in outcomes)
    assert (first["added"], second["unchanged"]) == (110, 110)
    assert (third["updated"], third["withdrawn"], third["unchanged"]) == (1, 3, 106)


def test_a_dataset_keeps_its_own_address_on_postgresql(postgres_url, fedcat, folder, tmp_path):
    path, url = folder
    (path / "rivers.ttl").write_text(turtle(RIVERS[:5]), "utf-8")
    ours = fedcat(FEDCAT_DATABASE_URL=postgres_url)
    ours("source", "add", "rivers", "--type", "dcat-rdf", "--url", f"{url}/rivers.ttl")
    ours.harvest()
    datasets = set(exported(ours, tmp_path).subjects(RDF.type, DCAT.Dataset))
    assert datasets == {URIRef(each.iri) for each in RIVERS[:5]}
