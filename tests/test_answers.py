"""What machines get: the form they read, every statement, and the same bytes under the same ETag."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import rdflib
import sqlalchemy as sa
from filled import BASE, SCRIPT, Filled, filled
from rdflib.compare import isomorphic
from world import harvest

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph")  # rdflib's own reader of JSON-LD warns of itself

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled(tmp_path_factory.mktemp("answers")) as made:
        yield made


def get(site: Filled, path: str, accept: str = "*/*", **headers: str) -> Any:
    return site.app.test_client().get(path, headers={"Accept": accept, **headers})


# ---------------------------------------------------------------- content negotiation

FORMS = {
    "text/turtle": "turtle",
    "application/ld+json": "json-ld",
    "application/rdf+xml": "xml",
    "application/n-triples": "nt",
}


@pytest.mark.parametrize(
    ("accept", "of_dataset", "of_catalog"),
    [
        (PAGE, "text/html", "text/html"),
        ("*/*", "text/html", "text/turtle"),
        ("", "text/html", "text/turtle"),
        ("text/turtle", "text/turtle", "text/turtle"),
        ("application/ld+json", "application/ld+json", "application/ld+json"),
        ("application/json", "application/ld+json", "application/ld+json"),
        ("application/rdf+xml", "application/rdf+xml", "application/rdf+xml"),
        ("application/xml", "application/rdf+xml", "application/rdf+xml"),
        ("application/n-triples", "application/n-triples", "application/n-triples"),
        ("application/rdf+xml;q=0.5, text/turtle;q=0.9", "text/turtle", "text/turtle"),
        ("text/html;q=0.1, application/ld+json", "application/ld+json", "application/ld+json"),
        ("image/png", "text/html", "text/turtle"),
        ("text/turtle;q=0", "text/html", "text/turtle"),
        ("///;;q=x,,", "text/html", "text/turtle"),
    ],
)
def test_who_says_what_it_reads_gets_that(site: Filled, accept: str, of_dataset: str, of_catalog: str) -> None:
    for path, expected in ((f"/dataset/{site.id('Flood zones')}", of_dataset), ("/catalog", of_catalog)):
        answer = get(site, path, accept)
        assert (answer.status_code, answer.mimetype) == (200, expected), path
        assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("extension", "form"), [("ttl", "turtle"), ("jsonld", "json-ld"), ("rdf", "xml"), ("xml", "xml"), ("nt", "nt")]
)
def test_a_dataset_in_every_syntax_says_the_same(site: Filled, extension: str, form: str) -> None:
    address = f"/dataset/{site.id('River levels, every')}"
    said = rdflib.Graph().parse(data=get(site, f"{address}.{extension}").data, format=form)
    expected = rdflib.Graph().parse(data=get(site, f"{address}.nt").data, format="nt")
    assert isomorphic(said, expected)
    iri = rdflib.URIRef("https://data.environment.example/id/dataset/river-levels")
    record = rdflib.URIRef(f"{BASE}{address.replace('dataset', 'record', 1)}")
    assert (record, rdflib.FOAF.primaryTopic, iri) in said


def test_a_dataset_as_json_names_its_page(site: Filled) -> None:
    id_ = site.id("Flood zones")
    said = get(site, f"/dataset/{id_}.json").get_json()
    assert (said["id"], said["url"]) == (id_, f"{BASE}/dataset/{id_}")


def test_a_record_leads_people_to_the_page_and_machines_to_our_word(site: Filled) -> None:
    id_ = site.id("Flood zones")
    answer = get(site, f"/record/{id_}", PAGE)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/dataset/{id_}")
    said = rdflib.Graph().parse(data=get(site, f"/record/{id_}", "text/turtle").data, format="turtle")
    assert (rdflib.URIRef(f"{BASE}/record/{id_}"), rdflib.RDF.type, DCAT.CatalogRecord) in said


def test_pages_lead_to_their_other_forms(site: Filled) -> None:
    html = get(site, f"/dataset/{site.id('Flood zones')}", PAGE).text
    for media_type, extension in (
        ("text/turtle", "ttl"),
        ("application/ld+json", "jsonld"),
        ("application/rdf+xml", "rdf"),
    ):
        assert f'<link rel="alternate" type="{media_type}"' in html
        assert f'href="/dataset/{site.id("Flood zones")}.{extension}">' in html
    assert f'<link rel="canonical" href="{BASE}/dataset/{site.id("Flood zones")}">' in html


def test_search_engines_get_a_schema_org_description(site: Filled) -> None:
    html = get(site, f"/dataset/{site.id('Flood zones')}", PAGE).text
    said = json.loads(html.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert (said["@type"], said["name"]) == ("Dataset", "Flood zones: rivers and the sea")
    assert said["license"] == "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
    assert said["distribution"][0]["contentUrl"] == "https://data.environment.example/files/flood-zones.gpkg.zip"
    assert said["spatialCoverage"]["geo"]["box"] == "49.8 -6.5 55.9 1.8"
    assert said["includedInDataCatalog"]["name"] == "Test catalogue"
    odd = get(site, f"/dataset/{site.id('<script')}", PAGE).text
    assert (
        json.loads(odd.partition('<script type="application/ld+json">')[2].partition("</script>")[0])["name"] == SCRIPT
    )


# ---------------------------------------------------------------- the feed


@pytest.mark.parametrize("media_type", FORMS)
def test_the_feed_is_read_to_its_end_by_hydra_links_and_has_everything(site: Filled, media_type: str) -> None:
    graph, address, read = rdflib.Graph(), f"{BASE}/catalog", 0
    while address:
        answer = get(site, address.removeprefix(BASE), media_type)
        page = rdflib.Graph().parse(data=answer.data, format=FORMS[media_type])
        following = list(page.objects(rdflib.URIRef(address), HYDRA.next))
        address, read = str(following[0]) if following else "", read + 1
        graph += page
    assert read == 2
    held = {rdflib.URIRef(entry.iri) for entry in site.store.datasets.each()}
    assert set(graph.objects(None, DCAT.dataset)) | set(graph.objects(None, DCAT.service)) >= held
    assert set(graph.objects(None, rdflib.FOAF.primaryTopic)) == held


def test_a_page_of_the_feed_beyond_the_last_is_not_there(site: Filled) -> None:
    answer = get(site, "/catalog.ttl?page=99")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_an_unchanged_feed_page_is_not_read_again(site: Filled) -> None:
    tag = get(site, "/catalog.ttl").headers["ETag"]
    asked: list[str] = []
    sa.event.listen(site.store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    again = get(site, "/catalog.ttl", **{"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert asked
    assert not [words for words in asked if "bodies" in words], "no description was read"


# ---------------------------------------------------------------- ETags


WHOLE = (
    "/",
    "/search?q=flood",
    "/organisation",
    "/source",
    "/catalog.ttl",
    "/catalog",
    "/search.json?q=flood",
    "/search.atom",
)


@pytest.mark.parametrize("path", WHOLE)
def test_the_same_answer_has_the_same_strong_etag_and_is_sent_once(site: Filled, path: str) -> None:
    first, second = get(site, path, PAGE), get(site, path, PAGE)
    assert first.data == second.data
    assert first.headers["ETag"] == second.headers["ETag"]
    assert not first.headers["ETag"].startswith("W/")
    again = get(site, path, PAGE, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_each_form_of_a_dataset_has_an_etag_of_its_own_and_head_has_the_same(site: Filled) -> None:
    path = f"/dataset/{site.id('Flood zones')}"
    tags = {get(site, path, accept).headers["ETag"] for accept in (PAGE, *FORMS)}
    assert len(tags) == 5
    head = site.app.test_client().head(path, headers={"Accept": PAGE})
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == get(site, path, PAGE).headers["ETag"]


def test_a_change_at_the_source_changes_the_tags(tmp_path: Path) -> None:
    with filled(tmp_path, examples=False) as site:
        harvest(site.store, {"1": {"title": "Canals"}})
        path = f"/dataset/{site.id('Canals')}"
        before = [get(site, where, PAGE).headers["ETag"] for where in (path, path + ".ttl", "/catalog.ttl")]
        harvest(site.store, {"1": {"title": "Canals", "description": "Longer now"}})
        after = [get(site, where, PAGE).headers["ETag"] for where in (path, path + ".ttl", "/catalog.ttl")]
        assert not set(before) & set(after)


# ---------------------------------------------------------------- search for machines


def test_the_api_answers_in_the_agreed_shape(site: Filled) -> None:
    said = get(site, "/api/v1/search?q=flood&access=open&per_page=2").get_json()
    assert set(said) == {"total", "page", "per_page", "results", "facets"}
    assert (said["total"], said["page"], said["per_page"], len(said["results"])) == (3, 1, 2, 2)
    assert set(said["results"][0]) == {
        "id", "iri", "url", "title", "summary", "organisation", "access", "licence", "formats", "themes", "modified", "score",
    }  # fmt: skip
    assert said["results"][0]["organisation"] == {"slug": "environment-agency", "title": "Environment Agency"}
    assert {"value": "open", "label": "Open", "count": 3, "selected": True} in said["facets"]["access"]
    assert {"value": "restricted", "label": "Restricted", "count": 1, "selected": False} in said["facets"]["access"]
    assert get(site, "/search.json?q=flood&access=open&per_page=2").get_json() == said


def test_csv_has_all_results_and_the_site_shows_pages_of_them(site: Filled) -> None:
    rows = list(csv.DictReader(io.StringIO(get(site, "/search.csv?page=3").data.decode("utf-8-sig"))))
    total = get(site, "/api/v1/search").get_json()["total"]
    assert len(rows) == total > 100
    assert {row["id"] for row in rows} == {entry.id for entry in site.store.datasets.each()}


def test_a_search_can_be_followed_as_atom(site: Filled) -> None:
    root = ElementTree.fromstring(get(site, "/search.atom?q=flood").data)
    atom = "{http://www.w3.org/2005/Atom}"
    assert "Flood warning areas" in [entry.findtext(f"{atom}title") for entry in root.findall(f"{atom}entry")]
    assert root.findtext(f"{atom}id") == f"{BASE}/search.atom?q=flood&sort=updated"
    assert all(entry.findtext(f"{atom}updated") for entry in root.findall(f"{atom}entry"))


def test_the_site_map_lists_every_dataset(site: Filled) -> None:
    assert f"{BASE}/sitemap-1.xml" in get(site, "/sitemap.xml").text
    listed = get(site, "/sitemap-1.xml").text
    assert all(f"{BASE}/dataset/{entry.id}<" in listed for entry in site.store.datasets.each())
    assert f"Sitemap: {BASE}/sitemap.xml" in get(site, "/robots.txt").text
