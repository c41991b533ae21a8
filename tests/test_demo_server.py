"""The server of the example sources, as clients see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import ckanapi
import pytest
import requests

from catalogue.demo import examples
from catalogue.demo.server import LOOPBACK, ExampleServer, Handler, package_search, served


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served() as address:
        yield address


def packages() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw("transport-ckan/packages.json"))
    return found


def raw(name: str) -> bytes:
    return examples().joinpath(*name.split("/")).read_bytes()


def test_ckanapi_reads_every_package_in_pages(base: str) -> None:
    with ckanapi.RemoteCKAN(f"{base}/transport-ckan") as ckan:
        first = ckan.action.package_search(sort="id asc", rows=12)
        second = ckan.action.package_search(sort="id asc", rows=12, start=12)
        found = [package["id"] for package in first["results"] + second["results"]]
        assert first["count"] == len(packages())
        assert found == sorted(package["id"] for package in packages())
        assert len(ckan.action.package_search(rows=0)["results"]) == 0
        assert ckan.action.package_search(q="charge points")["count"] == 1
        assert ckan.action.package_show(id="mot-tests")["title"] == "MOT test results, anonymised"
        assert "office-of-rail-and-road" in ckan.action.organization_list()
        assert ckan.action.organization_show(id="office-of-rail-and-road")["package_count"] == 2
        assert ckan.action.status_show()["site_url"] == f"{base}/transport-ckan"


def test_no_more_than_a_thousand_rows_are_given_as_in_ckan() -> None:
    with ExampleServer((LOOPBACK, 0), Handler) as server:
        server.packages = packages() * 60
        found = package_search(server, {"rows": 5000})
    assert (found["count"], len(found["results"])) == (1200, 1000)


def test_get_and_post_say_the_same(base: str) -> None:
    with ckanapi.RemoteCKAN(f"{base}/transport-ckan", get_only=True) as asking:
        asked = asking.action.package_search(sort="title desc", rows=3)
    posted = requests.post(
        f"{base}/transport-ckan/api/3/action/package_search", json={"sort": "title desc", "rows": "3"}, timeout=5
    ).json()
    assert posted["success"] is True
    assert posted["result"] == asked
    titles = [package["title"] for package in asked["results"]]
    assert titles == sorted((package["title"] for package in packages()), reverse=True)[:3]


def test_refusals_are_ckans_own(base: str) -> None:
    with ckanapi.RemoteCKAN(f"{base}/transport-ckan") as ckan:
        with pytest.raises(ckanapi.NotFound):
            ckan.action.package_show(id="no-such-package")
        with pytest.raises(ckanapi.ValidationError):
            ckan.action.package_search(rows="many")
        with pytest.raises(ckanapi.SearchQueryError):
            ckan.action.package_search(sort="colour asc")
        with pytest.raises(ckanapi.SearchQueryError):
            ckan.action.package_search(fq="organization:nobody")
    for body in (b"{", b"[]"):
        refused = requests.post(f"{base}/transport-ckan/api/3/action/package_search", data=body, timeout=5)
        assert refused.status_code == 400
        assert refused.json().startswith("Bad request: JSON Error")
    unknown = requests.get(f"{base}/transport-ckan/api/3/action/site_read", timeout=5)
    assert (unknown.status_code, unknown.json()) == (400, "Bad request: Action name not known: site_read")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("environment.ttl", "text/turtle; charset=utf-8"),
        ("welsh-government.jsonld", "application/ld+json"),
        ("communities.rdf", "application/rdf+xml"),
        ("justice-data.json", "application/json"),
        ("health-inventory.csv", "text/csv"),
        ("work-and-pensions.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_a_file_comes_with_its_type_and_only_when_it_is_new(base: str, name: str, media_type: str) -> None:
    answer = requests.get(f"{base}/{name}", timeout=5)
    assert answer.content == raw(name)
    assert answer.headers["Content-Type"] == media_type
    again = requests.get(f"{base}/{name}", headers={"If-None-Match": answer.headers["ETag"]}, timeout=5)
    assert (again.status_code, again.content) == (304, b"")
    head = requests.head(f"{base}/{name}", timeout=5)
    assert head.headers["Content-Length"] == str(len(answer.content))
    assert head.content == b""


@pytest.mark.parametrize("path", ["", "nothing.ttl", "sources.toml", "../__init__.py", "%2e%2e/server.py"])
def test_nothing_else_is_served(base: str, path: str) -> None:
    assert requests.get(f"{base}/{path}", timeout=5).status_code == 404


def test_a_served_catalogue_keeps_its_etags_from_one_start_to_the_next(base: str) -> None:
    with served() as other:
        assert other != base
        first, second = (requests.head(f"{at}/communities.rdf", timeout=5).headers["ETag"] for at in (base, other))
    assert first == second
