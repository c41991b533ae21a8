"""What the site does with wrong and hostile requests, with what is gone, and with parts of itself that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filled import Filled, filled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import Fake, harvest

from catalogue.search import IndexUnusable
from catalogue.search.follow import catch_up
from catalogue.web import create_app

PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled(tmp_path_factory.mktemp("safety")) as made:
        yield made


def get(site: Filled, path: str, accept: str = "*/*") -> Any:
    return site.app.test_client().get(path, headers={"Accept": accept})


# ---------------------------------------------------------------- what is gone, wrong or missing


def test_a_withdrawn_dataset_is_gone_and_says_when_and_by_which_source(tmp_path: Path) -> None:
    with filled(tmp_path, examples=False) as site:
        gone = next(change for change in site.store.datasets.changes() if change.outcome == "withdrawn")
        page = get(site, f"/dataset/{gone.dataset}", PAGE)
        assert page.status_code == 410
        assert f"withdrawn on {gone.at.day} {gone.at:%B %Y}" in page.text
        assert 'href="/source/trials"' in page.text
        data = get(site, f"/dataset/{gone.dataset}.ttl")
        assert (data.status_code, data.mimetype) == (410, "application/problem+json")
        assert "by the source 'trials'" in data.get_json()["detail"]
        assert get(site, f"/record/{gone.dataset}", PAGE).status_code == 410


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/search?page=0", "page"),
        ("/search?sort=best", "sort"),
        ("/search?bbox=1,2", "bbox"),
        ("/search?from=soon", "from"),
        ("/search?from=2024&to=2020", "to"),
        ("/catalog?page=x", "page"),
        ("/organisation/environment-agency?page=-1", "page"),
        ("/source/trials/run/1?page=1e9", "page"),
        ("/api/v1/search?per_page=101", "per_page"),
    ],
)
def test_a_wrong_parameter_is_named(site: Filled, path: str, parameter: str) -> None:
    data = get(site, path, "application/json")
    assert (data.status_code, data.mimetype) == (400, "application/problem+json")
    assert data.get_json()["parameter"] == parameter
    page = get(site, path, PAGE)
    assert page.status_code == 400
    if not path.startswith("/api/"):
        assert page.mimetype == "text/html"
        assert f"&#39;{parameter}&#39;" in page.text


@pytest.mark.parametrize(
    "path",
    ["/dataset/none", "/organisation/none", "/source/none", "/source/trials/run/999", "/nowhere", "/search?page=500"],
)
def test_what_is_not_there_is_404_with_ways_on(site: Filled, path: str) -> None:
    page = get(site, path, PAGE)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert 'href="/search"' in page.text
    data = get(site, path, "application/json")
    assert (data.status_code, data.mimetype) == (404, "application/problem+json")


def test_a_run_is_shown_under_its_own_source_only(site: Filled) -> None:
    run = site.store.runs.some("justice")[0].id
    assert get(site, f"/source/justice/run/{run}").status_code == 200
    assert get(site, f"/source/health/run/{run}").status_code == 404


def test_reading_is_all_one_can_do(site: Filled) -> None:
    answer = site.app.test_client().post("/search")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


# ---------------------------------------------------------------- parts that fail or are late


class Broken:
    """An index that cannot be read."""

    serial = 0

    def search(self, _query: object) -> None:
        raise IndexUnusable("damaged")


class Faulty:
    """An index with a mistake in it."""

    @property
    def serial(self) -> int:
        raise RuntimeError("a secret of the house")

    def search(self, _query: object) -> None:
        raise RuntimeError("a secret of the house")


def over(site: Filled, index: object) -> Any:
    """The same site over another index, its log silent."""
    app = create_app(site.app.extensions["fedcat"].settings, site.store, index)  # type: ignore[arg-type]
    app.logger = type("Silent", (), {"exception": lambda *_: None})()  # type: ignore[assignment]
    return app.test_client()


def test_a_broken_index_is_said_to_be_one_and_datasets_stay_readable(site: Filled) -> None:
    client = over(site, Broken())
    answer = client.get("/search", headers={"Accept": PAGE})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert client.get(f"/dataset/{site.id('Flood zones')}").status_code == 200


def test_a_mistake_of_ours_is_owned_with_a_reference_and_gives_nothing_away(site: Filled) -> None:
    client = over(site, Faulty())
    page = client.get("/search", headers={"Accept": PAGE})
    assert page.status_code == 500
    assert "Quote this when you report it" in page.text
    assert "secret" not in page.text
    assert client.get("/api/v1/search").get_json()["reference"]
    ready = client.get("/readyz")
    assert (ready.status_code, ready.get_json()["index"]) == (503, "not available")
    assert client.get("/healthz").status_code == 200


def test_the_search_works_while_the_index_is_behind(tmp_path: Path) -> None:
    with filled(tmp_path, examples=False) as site:
        harvest(site.store, Fake({"new": {"title": "Newest of all"}}), "late")
        assert site.index.serial < site.store.datasets.serial()
        assert get(site, "/search?q=silent", PAGE).status_code == 200
        catch_up(site.store, site.index)
        assert "Newest of all" in get(site, "/search?q=newest", PAGE).text


# ---------------------------------------------------------------- what every answer carries


def test_every_answer_says_what_a_browser_may_do_with_it(site: Filled) -> None:
    for path in ("/", "/search", "/catalog.ttl", "/nowhere", "/static/app.css", "/search.csv", "/healthz"):
        headers = get(site, path, PAGE).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"]
        assert "Set-Cookie" not in headers


def test_assets_may_be_kept_for_ever_under_an_address_that_changes_with_them(site: Filled) -> None:
    html = get(site, "/", PAGE).text
    address = html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "?v=" in address
    assert "immutable" in get(site, address).headers["Cache-Control"]


def test_the_site_says_whether_it_lives_and_whether_it_is_ready(site: Filled) -> None:
    assert get(site, "/healthz").get_json() == {"status": "ok"}
    assert get(site, "/readyz").get_json() == {"status": "ok", "database": "ok", "index": "ok"}
    assert get(site, "/favicon.ico").status_code == 301


# ---------------------------------------------------------------- whatever a client sends

TRICKS = (
    "\x00", "../../etc/passwd", "%00", "'; DROP TABLE datasets;--", "9" * 40, "-1", "1e9", "NaN", "\ud800", "☃" * 300, "<script>",
    "*", '"', "a" * 5000, "٣", "²", "2024-13-45", "inf,0,0,0", " ", "\r\nSet-Cookie: a=b", "OR", "-", "((((", "AND NOT",
)  # fmt: skip
NASTY = st.one_of(st.text(max_size=30), st.sampled_from(TRICKS))
NAMES = (
    "q", "page", "per_page", "sort", "from", "to", "bbox", "theme", "organisation", "access", "format", "source", "v",
)  # fmt: skip
METHODS = ("GET", "GET", "GET", "HEAD", "POST", "OPTIONS")
ACCEPTS = (PAGE, "*/*", "text/turtle", "application/json", "x/y;q=z", "", "\x7f")


def sent(text: str) -> str:
    """What arrives of a text that no address can carry."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nothing_a_client_sends_breaks_anything(site: Filled, data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(sorted(map(str, site.app.url_map.iter_rules()))))
    known = ["trials", "environment-agency", site.store.datasets.newest(1)[0].id, "1", "ttl", "jsonld", "app.css"]
    pieces = [
        sent(data.draw(st.one_of(st.sampled_from(known), NASTY))).replace("?", "%3F") if "<" in piece else piece
        for piece in rule.split("/")
    ]
    query = data.draw(st.lists(st.tuples(st.sampled_from(NAMES), NASTY), max_size=4))
    answer = site.app.test_client().open(
        "/".join(pieces),
        method=data.draw(st.sampled_from(METHODS)),
        query_string={name: sent(value) for name, value in query},
        headers={"Accept": data.draw(st.sampled_from(ACCEPTS))},
    )
    assert answer.status_code < 500, (pieces, query)
    assert "Set-Cookie" not in answer.headers or rule == "/sign-in"
