"""ckanapi on our session, and the recorded CKAN that other tests rely on."""

from __future__ import annotations

import ckanapi
import pytest
from servers import Hostile, RecordedCkan, numbered_packages

from catalogue.errors import SourceUnavailable
from catalogue.http import AGENT, Client, Limits

SMALL = Limits(connect=0.3, read=0.3, total=0.8, body=1 << 20, memory=1 << 18, retries=2, backoff=0.01, crawl_delay=0)


@pytest.fixture
def client():
    with Client(SMALL, allow_private=True) as client:
        yield client


@pytest.mark.parametrize("get_only", [True, False])
def test_ckanapi_works_over_the_session(client, get_only):
    with RecordedCkan(numbered_packages(7), cap=5) as server:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session, get_only=get_only, user_agent=client.agent)
        found = ckan.action.package_search(q="*:*", sort="id asc", rows=1000, start=1)
        assert (found["count"], [p["id"] for p in found["results"]]) == (7, [f"id-0000{n}" for n in range(1, 6)])
        assert ckan.action.package_show(id="pkg-00003")["title"] == "Package 3"
        assert ckan.action.organization_list() == ["org-0", "org-1", "org-2"]
        assert ckan.action.status_show()["ckan_version"] == "2.11.3"
        with pytest.raises(ckanapi.NotFound):
            ckan.action.package_show(id="nowhere")
        with pytest.raises(ckanapi.CKANAPIError, match="Action name not known"):
            ckan.action.package_sing()
        assert {asked.headers["User-Agent"] for asked in server.requests} == {AGENT}
        assert {asked.method for asked in server.requests} == {"GET" if get_only else "POST"}


def test_ckanapi_gets_the_repeats_and_the_guards(client):
    with RecordedCkan(numbered_packages(3), fail_at={0: 503}) as server:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session)
        with pytest.raises(SourceUnavailable, match="answered 503"):
            ckan.action.package_search(start=0)
        assert client.requests == 3
    for kind, said in (("gzip-bomb", "larger than 262144 bytes"), ("drip-body", "had not finished")):
        with Hostile(kind) as server, pytest.raises(SourceUnavailable, match=said):
            ckanapi.RemoteCKAN(server.url, session=client.session, get_only=True).action.package_list()
    with pytest.raises(SourceUnavailable, match="not a public address"), Client(SMALL) as strict:
        ckanapi.RemoteCKAN("http://127.0.0.1:5000", session=strict.session).action.status_show()


SEARCHES = {
    'organization:"org-1"': 3,
    "organization:org-1 +metadata_modified:[2025-01-01T00:05:00Z TO *]": 1,
    "-organization:org-1": 6,
    "metadata_modified:[* TO 2025-01-01T00:01:00]": 2,
    "id:{id-00004 TO *]": 4,
    "organization:org-0 AND NOT name:pkg-00000": 2,
    "dataset_type:dataset": 9,
    "tags:none": 0,
}


@pytest.mark.parametrize("query", SEARCHES)
def test_the_recorded_ckan_filters_as_a_real_one_does(client, query):
    with RecordedCkan(numbered_packages(9)) as server:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session)
        assert ckan.action.package_search(fq=query)["count"] == SEARCHES[query]


def test_the_recorded_ckan_can_change_between_pages_and_ignore_paging(client):
    def take_the_first(call: int, packages: list) -> None:
        del packages[0]

    with RecordedCkan(numbered_packages(4), mutate=take_the_first) as server:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session)
        pages = [ckan.action.package_search(sort="id asc", rows=1, start=n)["results"][0]["id"] for n in (0, 1)]
        assert pages == ["id-00000", "id-00002"]  # one was skipped: what a harvester has to survive
    with RecordedCkan(numbered_packages(4), ignore_paging=True) as server:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session)
        pages = [ckan.action.package_search(rows=1, start=n)["results"][0]["id"] for n in (0, 3)]
        assert pages == ["id-00003", "id-00003"]  # newest first, as a real one does when it is not told
