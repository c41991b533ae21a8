"""The feed for harvesters that come back: pages that stay where they are, what changed since a moment, what a search finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import rdflib
import sqlalchemy as sa
from flask.testing import FlaskClient
from world import BASE, harvest, numbered

from catalogue.search import open_index
from catalogue.search.follow import catch_up
from catalogue.settings import load
from catalogue.store import Store
from catalogue.web import create_app

HYDRA = rdflib.Namespace("http://www.w3.org/ns/hydra/core#")
COUNT = 250


@dataclass(frozen=True)
class Page:
    """What one address answered."""

    address: str
    etag: str
    graph: rdflib.Graph

    def said(self, name: str) -> str:
        """A hydra term of this page; "" where it is not said."""
        said = self.graph.value(self.graph.value(None, rdflib.RDF.type, HYDRA.PagedCollection), HYDRA[name])
        return "" if said is None else str(said)

    @property
    def next(self) -> str:
        return self.said("next").removeprefix(BASE)

    @property
    def titles(self) -> list[str]:
        described = self.graph.subjects(rdflib.RDF.type, rdflib.DCAT.Dataset)
        return sorted(str(self.graph.value(each, rdflib.DCTERMS.title)) for each in described)


@dataclass(frozen=True)
class Feed:
    """A catalogue, and its feed as a harvester sees it."""

    store: Store
    client: FlaskClient
    follow: Callable[[], int]

    def get(self, address: str, **headers: str) -> Any:
        return self.client.get(address, headers=headers)

    def page(self, address: str) -> Page:
        answer = self.get(address)
        assert answer.status_code == 200, answer.text
        return Page(address, answer.headers["ETag"], rdflib.Graph().parse(data=answer.data, format="nt"))

    def pages(self, address: str = "/catalog.nt") -> Iterator[Page]:
        """From a page to the last, by hydra's links."""
        read: set[str] = set()
        while address:
            assert address not in read, "the feed leads in a circle"
            read.add(address)
            page = self.page(address)
            yield page
            address = page.next

    def tags(self) -> dict[str, str]:
        """Every page's address with its ETag."""
        return {page.address: page.etag for page in self.pages()}

    def number(self, title: str) -> int:
        return next(entry.row.number for entry in self.store.datasets.each() if entry.row.title == title)

    def withdraw(self, *numbers: int, more: int = 0) -> None:
        """Harvest the source again without the records of some numbers, and with more at its end."""
        left = {f"r{n}": said for n, said in enumerate(numbered(COUNT + more).values()) if n not in numbers}
        assert harvest(self.store, left, trusting=True).withdrawn == len(numbers)
        self.follow()


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    settings = load({"FEDCAT_HOME": str(tmp_path), "FEDCAT_BASE_URL": BASE, "FEDCAT_TITLE": "Canal catalogue"})
    with closing(Store("sqlite://")) as store, closing(open_index(f"whoosh:{tmp_path}/index")) as index:
        store.upgrade()
        harvest(store, numbered(COUNT))
        catch_up(store, index)
        yield Feed(store, create_app(settings, store, index).test_client(), lambda: catch_up(store, index))


def title(number: int) -> str:
    return f"Dataset {number}"


# ---- the whole, page after page


def test_each_record_is_read_once_while_others_come_and_go_trap_t59(feed: Feed) -> None:
    reading = feed.pages()
    read = Counter(next(reading).titles)
    gone = (0, 1, 2, 50, 120)
    feed.withdraw(*gone, more=30)
    for page in reading:
        read.update(page.titles)
    assert max(read.values()) == 1
    assert read.keys() >= {title(n) for n in range(COUNT + 30)} - {title(n) for n in gone}


def test_a_withdrawal_changes_its_own_page_and_leaves_every_other_address_and_etag(feed: Feed) -> None:
    before = feed.tags()
    feed.withdraw(150)
    after = feed.tags()
    assert after.keys() == before.keys()
    changed = {address for address, tag in before.items() if after[address] != tag}
    assert changed == {"/catalog.nt", "/catalog.nt?after=100"}, "the first has the total, the second had the dataset"


def test_new_datasets_change_the_last_page_and_the_total_on_the_first(feed: Feed) -> None:
    before = feed.tags()
    feed.withdraw(more=3)
    assert {address for address, tag in feed.tags().items() if before[address] != tag} == {
        "/catalog.nt",
        "/catalog.nt?after=200",
    }


def test_a_full_last_page_changes_when_another_comes_to_follow_it(feed: Feed) -> None:
    feed.withdraw(more=50)
    last = feed.page("/catalog.nt?after=200")
    feed.withdraw(more=51)
    again = feed.page("/catalog.nt?after=200")
    assert (again.titles, last.next, again.next) == (last.titles, "", "/catalog.nt?after=300")
    assert again.etag != last.etag


def test_a_change_changes_one_page(feed: Feed) -> None:
    before = feed.tags()
    harvest(feed.store, numbered(COUNT) | {"r130": {"title": title(130), "description": "Longer now"}})
    assert {address for address, tag in feed.tags().items() if before[address] != tag} == {"/catalog.nt?after=100"}


def test_pages_after_a_withdrawal_on_the_first_find_their_old_addresses_again(feed: Feed) -> None:
    before = feed.tags()
    feed.withdraw(3, 4)
    after = feed.tags()
    assert list(after) == ["/catalog.nt", "/catalog.nt?after=102", "/catalog.nt?after=200"]
    assert after["/catalog.nt?after=200"] == before["/catalog.nt?after=200"]


def test_a_hundred_that_is_gone_is_passed_over(feed: Feed) -> None:
    feed.withdraw(*range(100, 200))
    assert [page.address for page in feed.pages()] == ["/catalog.nt", "/catalog.nt?after=200"]


def test_numbered_pages_still_hold_everything_and_lead_on_by_number(feed: Feed) -> None:
    feed.withdraw(10)
    pages = [feed.page(f"/catalog.nt{number}") for number in ("", "?page=2", "?page=3")]
    assert [len(page.titles) for page in pages] == [100, 100, COUNT - 201]
    assert len({each for page in pages for each in page.titles}) == COUNT - 1
    assert pages[1].next == "/catalog.nt?after=201"
    assert pages[1].said("previous") == f"{BASE}/catalog.nt"
    assert not pages[2].next
    assert feed.get("/catalog.nt?page=4").status_code == 404


def test_only_the_first_page_says_how_many_there_are(feed: Feed) -> None:
    first, second, third = feed.pages()
    assert (first.said("totalItems"), first.said("lastPage")) == (str(COUNT), f"{BASE}/catalog.nt?page=3")
    assert {each.said(name) for each in (second, third) for name in ("totalItems", "last")} == {""}
    assert {each.said("first") for each in (second, third)} == {f"{BASE}/catalog.nt"}


def test_link_headers_say_what_hydra_says(feed: Feed) -> None:
    links = feed.get("/catalog.nt?page=2").headers["Link"].split(", ")
    assert links == [
        f'<{BASE}/catalog.nt>; rel="first"',
        f'<{BASE}/catalog.nt>; rel="prev"',
        f'<{BASE}/catalog.nt?after=200>; rel="next"',
    ]


def test_what_follows_the_last_is_an_empty_page_since_the_last_may_just_have_gone(feed: Feed) -> None:
    page = feed.page("/catalog.nt?after=250")
    assert (page.titles, page.next) == ([], "")


def test_an_empty_catalogue_has_one_empty_page(feed: Feed) -> None:
    feed.withdraw(*range(COUNT))
    [page] = feed.pages()
    assert (page.titles, page.said("totalItems"), page.said("last")) == ([], "0", f"{BASE}/catalog.nt")


# ---- what changed


def edited(feed: Feed, *numbers: int) -> datetime:
    """Change some descriptions; the moment before."""
    moment = datetime.now(UTC)
    edits = {f"r{n}": {"title": title(n), "description": "Longer now"} for n in numbers}
    assert harvest(feed.store, numbered(COUNT) | edits).updated == len(numbers)
    feed.follow()
    return moment


def since(moment: str, **more: str) -> str:
    return f"/catalog.nt?{urlencode(more | {'modified_since': moment})}"


def test_what_changed_since_a_moment_is_listed_whatever_zone_it_is_said_in(feed: Feed) -> None:
    moment = edited(feed, 3, 170)
    elsewhere = moment.astimezone(timezone(timedelta(hours=-11)))
    naive = moment.replace(tzinfo=None)
    for said in (
        moment.isoformat(),
        moment.isoformat().replace("+00:00", "Z"),
        elsewhere.isoformat(),
        naive.isoformat(),
    ):
        [page] = feed.pages(since(said))
        assert (page.titles, page.said("totalItems")) == ([title(170), title(3)], "2"), said
    assert feed.store.datasets.count(since=elsewhere) == len(feed.store.datasets.stamps(9, since=elsewhere)) == 2


def test_the_moment_itself_is_in(feed: Feed) -> None:
    edited(feed, 3)
    changed = feed.store.datasets.get(
        next(e.id for e in feed.store.datasets.each() if e.row.title == title(3))
    ).row.changed
    assert feed.page(since(changed.isoformat())).titles == [title(3)]
    assert feed.page(since((changed + timedelta(microseconds=1)).isoformat())).titles == []


def test_a_plus_that_was_not_escaped_is_still_a_plus(feed: Feed) -> None:
    moment = edited(feed, 3).astimezone(timezone(timedelta(hours=5)))
    assert feed.page(f"/catalog.nt?modified_since={quote(moment.isoformat(), safe='')}").titles == [title(3)]
    assert feed.get(f"/catalog.nt?modified_since={moment.isoformat()}").data.count(b"Longer now") == 1


def test_a_day_begins_at_midnight_of_its_zone(feed: Feed) -> None:
    today = datetime.now(UTC).date()
    assert len(feed.page(since((today - timedelta(days=1)).isoformat())).titles) == 100
    assert feed.page(since((today + timedelta(days=2)).isoformat())).titles == []
    assert feed.page(since(f"{today + timedelta(days=2)}-14:00")).titles == []


def test_many_changes_are_paged_and_every_page_keeps_the_moment(feed: Feed) -> None:
    moment = edited(feed, *range(0, COUNT, 2))
    pages = list(feed.pages(since(moment.isoformat())))
    assert [len(page.titles) for page in pages] == [100, 25]
    assert {each for page in pages for each in page.titles} == {title(n) for n in range(0, COUNT, 2)}
    assert all("modified_since=" in page.address for page in pages)
    assert (pages[0].said("totalItems"), feed.page(since(moment.isoformat(), page="2")).titles) == (
        "125",
        pages[1].titles,
    )


@pytest.mark.parametrize(
    "said",
    ["yesterday", "2026-02-30", "2026-13-01", "2026", "20261122", "2026-11-22 03:00:00", "2026-11-22T3:00", "0000-01-01",
     "0001-01-01T00:00:00+14:00", "2026-11-22T03:00:00+15:00", "1", "-1", "9" * 500, "2026-11-22T03:00:00Z'--"],
)  # fmt: skip
def test_a_moment_that_is_none_is_refused_by_name(feed: Feed, said: str) -> None:
    answer = feed.get(since(said))
    assert (answer.status_code, answer.get_json()["parameter"]) == (400, "modified_since")
    assert "2026-11-22" in answer.get_json()["detail"] or "year" in answer.get_json()["detail"]


@pytest.mark.parametrize("said", ["9999-12-31T23:59:59-14:00", "0001-01-01", "2026-11-22T03:00:00.123456789Z"])
def test_a_moment_at_the_edge_of_time_is_no_failure_of_ours(feed: Feed, said: str) -> None:
    assert feed.get(since(said)).status_code in (200, 400)


# ---- what a search finds


@pytest.fixture
def canals(feed: Feed) -> Feed:
    """120 datasets more, of another publisher."""
    harvest(feed.store, {f"c{n}": {"title": f"Canal {n}", "publisher": "Canal Trust"} for n in range(120)}, "trust")
    feed.follow()
    return feed


def test_the_feed_of_a_search_has_what_the_search_finds_page_by_page(canals: Feed) -> None:
    first, second = canals.pages("/catalog.nt?q=canal&source=trust&sort=title")
    listed = [
        hit["title"]
        for hit in canals.get("/api/v1/search?q=canal&source=trust&sort=title&per_page=100").get_json()["results"]
    ]
    assert first.titles == sorted(listed)
    assert sorted(first.titles + second.titles) == sorted(f"Canal {n}" for n in range(120))
    assert (first.said("totalItems"), first.said("last")) == ("120", f"{BASE}{second.address}")
    assert second.said("previous") == f"{BASE}{first.address}"


@pytest.mark.parametrize(
    "query", ["source=trust", "organisation=canal-trust", "q=canal", "q=canal&source=canals&source=trust"]
)
def test_every_filter_of_the_search_filters_the_feed(canals: Feed, query: str) -> None:
    total = canals.get(f"/api/v1/search?{query}").get_json()["total"]
    read = [each for page in canals.pages(f"/catalog.nt?{query}") for each in page.titles]
    assert len(read) == len(set(read)) == total == 120


def test_a_search_without_results_is_an_empty_page_and_one_beyond_the_last_is_not_there(canals: Feed) -> None:
    assert canals.page("/catalog.nt?q=zebra").said("totalItems") == "0"
    assert canals.get("/catalog.nt?q=canal&page=3").status_code == 404


def test_of_a_search_only_what_changed_can_be_had(canals: Feed) -> None:
    moment = datetime.now(UTC)
    records = {f"c{n}": {"title": f"Canal {n}", "publisher": "Canal Trust"} for n in range(120)}
    harvest(
        canals.store, records | {"c7": {"title": "Canal 7", "publisher": "Canal Trust", "description": "x"}}, "trust"
    )
    edited(canals, 3)
    pages = list(canals.pages(since(moment.isoformat(), source="trust")))
    assert [each for page in pages for each in page.titles] == ["Canal 7"]
    assert (len(pages), pages[0].said("totalItems")) == (2, "")


def test_what_a_search_left_out_is_said(feed: Feed) -> None:
    words = " ".join(f"word{n}" for n in range(40))
    page = feed.page(f"/catalog.nt?{urlencode({'q': words})}")
    assert "Only the first 32 words were used." in map(str, page.graph.objects(None, rdflib.RDFS.comment))


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sort=best", "sort"),
        ("bbox=1,2", "bbox"),
        ("from=2024&to=2023", "to"),
        ("page=0", "page"),
        ("page=100001", "page"),
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=1e3", "after"),
        (f"after={'9' * 16}", "after"),
        ("after=%C2%B2", "after"),
        ("after=100&page=2", "after"),
        ("after=100&q=canal", "after"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_by_name(feed: Feed, query: str, parameter: str) -> None:
    for address in (f"/catalog.nt?{query}", f"/catalog?{query}"):
        answer = feed.get(address, Accept="application/n-triples")
        assert (answer.status_code, answer.get_json()["parameter"]) == (400, parameter)
    assert feed.get(f"/catalog?{query}", Accept="text/html").status_code == 400


def test_parameters_that_are_not_ours_and_empty_ones_change_nothing(feed: Feed) -> None:
    plain = feed.get("/catalog.nt").data
    assert feed.get("/catalog.nt?utm_source=x&modified_since=&after=&q=&page=").data == plain


# ---- who has a page already


@pytest.mark.parametrize(
    "query",
    ["", "?page=2", "?after=100", "?modified_since=2000-01-01&after=100", "?source=canals", "?q=dataset&page=2"],
)
def test_a_page_that_has_not_changed_is_told_so_before_any_description_is_read(feed: Feed, query: str) -> None:
    tag = feed.page(f"/catalog.nt{query}").etag
    asked: list[str] = []
    sa.event.listen(feed.store.database.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    again = feed.get(f"/catalog.nt{query}", **{"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert asked
    assert not [words for words in asked if "bodies" in words]


def test_each_syntax_of_one_address_has_a_tag_of_its_own(feed: Feed) -> None:
    tags = {
        feed.get("/catalog?after=100", Accept=form).headers["ETag"] for form in ("text/turtle", "application/ld+json")
    }
    assert len(tags) == 2
