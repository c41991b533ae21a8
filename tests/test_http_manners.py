"""Manners: no more is asked than is needed, no faster than the source wants, no longer than a run may last, and by name."""

from __future__ import annotations

import gzip
import hashlib
import time
from dataclasses import replace

import ckanapi
import pytest
from hostile import FAULTS, TURTLE
from servers import Answers, Asked, Folder, Hostile

from catalogue.cli.here import Here
from catalogue.errors import SourceUnavailable
from catalogue.http import AGENT, Client, Limits, Response, Session, agent_of
from catalogue.http.robots import crawl_delay
from catalogue.http.wire import Journey, addresses_of, is_public

MB = 1 << 20
SMALL = Limits(connect=0.3, read=0.3, total=0.8, body=MB, memory=MB // 4, retries=2, backoff=0.01, patience=2)
TTL = {"Content-Type": "text/turtle"}
PAGE = (200, TTL, TURTLE)


@pytest.fixture
def client():
    with Client(SMALL, allow_private=True) as client:
        yield client


def trouble(client: Client, url: str, **more) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        client.get(url, **more)
    return caught.value


def paths(server: Answers) -> list[str]:
    return [asked.path for asked in server.requests]


# Asking only for what has changed

STAMP = "Wed, 01 Oct 2025 07:28:00 GMT"


def test_a_page_that_did_not_change_comes_without_its_body(client, tmp_path):
    (tmp_path / "c.ttl").write_bytes(TURTLE)
    with Folder(tmp_path) as server:
        first = client.get(server.address("c.ttl"))
        again = client.get(server.address("c.ttl"), etag=first.etag)
        assert (first.unchanged, first.content) == (False, TURTLE)
        assert (again.unchanged, again.status, again.content, again.etag) == (True, 304, b"", first.etag)
        (tmp_path / "c.ttl").write_bytes(TURTLE * 2)
        changed = client.get(server.address("c.ttl"), etag=first.etag)
        assert (changed.unchanged, changed.content) == (False, TURTLE * 2)


def test_what_is_known_of_a_page_is_sent_as_the_source_wrote_it(client):
    with Answers({"/": [(200, {"ETag": 'W/"é 1"', "Last-Modified": STAMP}, TURTLE), (304, {}, "")]}) as server:
        first = client.get(server.url)
        assert client.get(server.url, etag=first.etag, last_modified=first.last_modified).unchanged
        client.get(server.url, last_modified=STAMP)
        client.get(server.url, etag="", headers={"If-None-Match": "*"})
    sent = [(a.headers.get("If-None-Match"), a.headers.get("If-Modified-Since")) for a in server.requests]
    assert [pair for pair, path in zip(sent, paths(server), strict=True) if path == "/"] == [
        (None, None), ('W/"é 1"', STAMP), (None, STAMP), ("*", None)
    ]  # fmt: skip


def test_a_page_without_an_etag_has_none(client):
    with Answers({"/": PAGE}) as server:
        answer = client.get(server.url)
    assert (answer.etag, answer.last_modified, answer.unchanged) == ("", "", False)


@pytest.mark.parametrize("said", ['"' + "a" * 2000 + '"', '"\x01"', "   "])
def test_an_etag_that_could_not_be_sent_back_is_none(client, said):
    """Kept, it would spoil every request to come."""
    with Answers({"/": (200, {"ETag": said}, TURTLE)}) as server:
        answer = client.get(server.url)
        assert answer.etag == ""
        assert client.get(server.url, etag=answer.etag).content == TURTLE


def test_nothing_changed_is_no_answer_to_somebody_who_knows_nothing(client):
    with Answers({"/": (304, {"ETag": '"1"'}, "")}) as server:
        error = trouble(client, server.url + "/")
        assert str(error) == f"{server.url}/ answered 304 (Not Modified)."
        assert "cache" in error.fix
        assert client.get(server.url, etag='"1"').unchanged


def test_what_is_known_of_a_page_goes_along_with_redirects_to_another_host_too(client):
    with Answers({"/c": (304, {}, "")}) as other, Answers({"/": (301, {"Location": other.url + "/c"}, "")}) as server:
        assert client.get(server.url, etag='"1"', last_modified=STAMP).unchanged
    assert other.requests[0].headers["If-Modified-Since"] == STAMP


@pytest.mark.parametrize("packing", ["gzip", "br"])
def test_an_unchanged_answer_may_say_how_it_would_have_been_packed(client, packing):
    with Answers({"/": (304, {"Content-Encoding": packing}, "")}) as server:
        assert client.get(server.url, etag='"1"').unchanged


def test_the_digest_is_that_of_the_unpacked_bytes_however_many():
    small, large = b"some bytes", bytes(range(256)) * (12 * MB // 256)
    for content in (small, large):
        packed = (200, {"Content-Encoding": "gzip"}, gzip.compress(content, 1))
        with Answers({"/": packed}) as server, Client(allow_private=True) as client:
            digest = client.get(server.url).digest
        assert digest == hashlib.blake2b(content, digest_size=16).hexdigest() == Response.of(content).digest
    assert Response.of(b"a").digest != Response.of(b"b").digest
    assert len(Response.of(b"").digest) == 32


# How fast a source wants to be asked


def robots(delay: object, who: str = "*") -> tuple[int, dict[str, str], str]:
    return 200, {"Content-Type": "text/plain"}, f"User-agent: {who}\nDisallow: /\nCrawl-delay: {delay}\n"


def seconds_for(client: Client, url: str, times: int = 3) -> float:
    began = time.monotonic()
    for _ in range(times):
        assert client.get(url).content == TURTLE
    return time.monotonic() - began


def test_a_source_is_asked_as_slowly_as_its_robots_txt_wants():
    """And read although it is disallowed there: its owner wants it harvested."""
    with Answers({"/": PAGE, "/robots.txt": robots(1)}) as server, Client(SMALL, allow_private=True) as client:
        assert seconds_for(client, server.url + "/") >= 2
        assert paths(server) == ["/", "/robots.txt", "/", "/"]
        assert server.requests[1].headers["User-Agent"] == AGENT
        assert client.requests == 3


def test_no_source_slows_us_down_more_than_we_allow():
    limits = replace(SMALL, crawl_delay=0.2)
    with Answers({"/": PAGE, "/robots.txt": robots(9)}) as server, Client(limits, allow_private=True) as client:
        assert 0.4 <= seconds_for(client, server.url) < 1.5


def test_who_asks_once_needs_no_pause_and_so_no_robots_txt(client):
    script = {"/old": (301, {"Location": "/"}, ""), "/": PAGE, "/robots.txt": robots(5)}
    with Answers(script) as server:
        client.get(server.url + "/old")
        assert paths(server) == ["/old", "/"]


def test_robots_txt_is_not_asked_for_where_that_is_not_wanted():
    with Answers({"/": PAGE, "/robots.txt": robots(5)}) as server:
        with Client(replace(SMALL, crawl_delay=0), allow_private=True) as client:
            assert seconds_for(client, server.url + "/") < 1
        assert paths(server) == ["/"] * 3


def test_every_host_has_its_own_pace(client):
    with Answers({"/": PAGE, "/robots.txt": robots(1)}) as slow, Answers({"/": PAGE}) as quick:
        client.get(slow.url)
        assert seconds_for(client, quick.url) < 1
        assert seconds_for(client, slow.url, 1) > 0.5


def test_the_pauses_a_source_wants_are_not_held_against_it():
    """Its pages are quicker than the deadline, and asked further apart than it."""
    limits = replace(SMALL, total=0.5)
    with Answers({"/": PAGE, "/robots.txt": robots(1)}) as server, Client(limits, allow_private=True) as client:
        assert seconds_for(client, server.url, 2) >= 1


def test_repeats_keep_the_pace_too(client):
    with Answers({"/": [PAGE, (503, {}, ""), PAGE], "/robots.txt": robots(1)}) as server:
        assert seconds_for(client, server.url, 2) >= 2


OFF_LOOPBACK = {"redirect-to-private", "redirect-to-loopback", "redirect-to-link-local"}


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - OFF_LOOPBACK))
def test_no_fault_of_a_robots_txt_costs_more_than_a_moment(client, fault):
    with Hostile(fault) as hostile, Answers({"/": PAGE, "/robots.txt": (302, {"Location": hostile.url}, "")}) as server:
        assert seconds_for(client, server.url + "/") < SMALL.total + 1
        assert paths(server) == ["/", "/robots.txt", "/", "/"]
        assert client.requests == 3


@pytest.mark.parametrize("fault", ["silent", "drip-body", "silent-midway"])
def test_a_slow_robots_txt_is_not_waited_for_as_long_as_a_page_is(fault):
    with (
        Hostile(fault) as hostile,
        Answers({"/": PAGE, "/robots.txt": (302, {"Location": hostile.url}, "")}) as server,
        Client(Limits(glance=0.4), allow_private=True) as client,
    ):
        assert 0.4 <= seconds_for(client, server.url) < 2


@pytest.mark.parametrize("status", [204, 401, 404, 429, 500, 503])
def test_a_robots_txt_that_is_refused_says_nothing(client, status):
    with Answers({"/": PAGE, "/robots.txt": (status, {"Retry-After": "60"}, robots(5)[2])}) as server:
        assert seconds_for(client, server.url) < 1


@pytest.mark.parametrize("fault", sorted(OFF_LOOPBACK))
def test_a_robots_txt_is_not_followed_to_where_we_do_not_go(fault):
    """T34, by the side door."""
    session = Session(SMALL, AGENT, lambda address: address == "127.0.0.1")
    with Hostile(fault) as hostile, Answers({"/": PAGE, "/robots.txt": (302, {"Location": hostile.url}, "")}) as server:
        assert [session.get(server.url).content for _ in range(2)] == [TURTLE, TURTLE]
        assert len(hostile.requests) == 1


ROBOTS = {
    "User-agent: *\nCrawl-delay: 7": 7,
    "User-agent: fedcat\nCrawl-delay: 3\n\nUser-agent: *\nCrawl-delay: 60": 3,
    "User-agent: Fedcat\nDisallow: /\n\nUser-agent: *\nCrawl-delay: 60": 0,
    "User-agent: otherbot\nCrawl-delay: 60": 0,
    "user-agent: * # all\r\ncrawl-delay:1.5 # s\r\n": 2,
    "\ufeffUser-agent: *\nCrawl-delay: .5": 1,
    "User-agent: *\nCrawl-delay: 0.0": 0,
    "User-agent: *\nCrawl-delay: soon": 0,
    "User-agent: *\nCrawl-delay: -5": 0,
    "User-agent: *\nCrawl-delay: ²": 0,
    "User-agent: *\nCrawl-delay: " + "9" * 5000: 0,
    "Crawl-delay: 60": 0,
    "<!DOCTYPE html><title>Not found</title>": 0,
    "\x00" * 100: 0,
    "": 0,
}


@pytest.mark.parametrize("text", ROBOTS, ids=range(len(ROBOTS)))
def test_a_crawl_delay_is_read(text):
    assert crawl_delay(text, agent_of("https://data.example.gov.uk")) == ROBOTS[text]


# How long a run may last


def test_when_a_run_is_over_nothing_more_is_asked():
    with Answers({"/": PAGE}) as server, Client(replace(SMALL, run=0.3), allow_private=True) as client:
        assert client.get(server.url).content == TURTLE
        time.sleep(0.3)
        error = trouble(client, server.url + "/page/2")
        assert error.rule == "run-deadline"
        assert (
            str(error) == f"{server.url}/page/2 was not read to its end: a run may last 0.3 seconds, and they are over."
        )
        assert "FEDCAT_MAX_RUN_MINUTES" in error.fix
        assert (client.requests, paths(server)) == (1, ["/"])
        client.begin()
        assert client.get(server.url).content == TURTLE


def test_a_run_says_its_length_in_minutes():
    journey = Journey("http://source.example/", Limits(run=5400), is_public, addresses_of, run_ends=time.monotonic())
    with pytest.raises(SourceUnavailable, match="a run may last 90 minutes, and they are over"):
        journey.left()


@pytest.mark.parametrize(
    "fault", ["silent", "drip-body", "drip-headers", "drip-status", "continue-for-ever", "silent-midway"]
)
def test_no_request_outlives_its_run(fault):
    """T26: neither silence nor one byte every so often gets round it."""
    limits = Limits(run=0.4, crawl_delay=0)
    with Hostile(fault) as server, Client(limits, allow_private=True) as client:
        began = time.monotonic()
        error = trouble(client, server.url)
        assert time.monotonic() - began < 1
        assert error.rule == "run-deadline"


def test_no_pause_outlives_its_run():
    limits = replace(SMALL, run=1)
    with Answers({"/": PAGE, "/robots.txt": robots(9)}) as server, Client(limits, allow_private=True) as client:
        began = time.monotonic()
        client.get(server.url)
        assert trouble(client, server.url).rule == "run-deadline"
        assert time.monotonic() - began < 1
        assert paths(server).count("/") == 1


def test_no_wait_for_a_busy_server_outlives_its_run():
    limits = replace(SMALL, run=1, total=9, patience=60)
    with Hostile("busy-once") as server, Client(limits, allow_private=True) as client:
        time.sleep(0.5)
        began = time.monotonic()
        assert trouble(client, server.url).retry_after == 1
        assert time.monotonic() - began < 0.5


def test_libraries_on_our_session_keep_to_the_run():
    with Hostile("drip-body") as server, Client(Limits(run=0.4), allow_private=True) as client:
        ckan = ckanapi.RemoteCKAN(server.url, session=client.session, get_only=True)
        with pytest.raises(SourceUnavailable) as ended:
            ckan.action.package_list()
        assert ended.value.rule == "run-deadline"


# When we may come back


@pytest.mark.parametrize("status", [429, 503])
def test_a_longer_wait_than_ours_is_handed_on(client, status):
    busy = (status, {"Retry-After": "7200"}, "")
    with Answers({"/": busy, "/api/action/package_list": busy}) as server:
        assert trouble(client, server.url).retry_after == 7200
        with pytest.raises(SourceUnavailable, match=f"answered {status}") as ended:
            ckanapi.RemoteCKAN(server.url, session=client.session).action.package_list()
        assert ended.value.retry_after == 7200
        assert client.requests == 2


def test_a_source_that_names_no_wait_has_none(client):
    with Answers({"/": (503, {}, "")}) as server:
        assert trouble(client, server.url).retry_after is None
    assert SourceUnavailable("It went away.").retry_after is None


# Who we say we are


def test_we_say_who_we_are_and_where_to_find_us(client):
    assert agent_of("https://data.example.gov.uk/a") == f"{AGENT} (+https://data.example.gov.uk/a)"
    assert AGENT.startswith("fedcat/")

    def named(asked: Asked) -> str:
        return asked.headers["User-Agent"]

    with Answers({"/": (200, {}, named)}) as server:
        for base in ("https://data.example.gov.uk", "https://bücher.example/£", "http://[::1]:8000"):
            with Client(SMALL, allow_private=True, agent=agent_of(base)) as client:
                assert client.get(server.url).text() == agent_of(base)


def test_the_settings_say_how_we_go_out(monkeypatch, tmp_path):
    said = {"BASE_URL": "https://data.example.gov.uk/", "MAX_CRAWL_DELAY": "3", "MAX_RUN_MINUTES": "90"}
    monkeypatch.chdir(tmp_path)
    for name, value in said.items():
        monkeypatch.setenv(f"FEDCAT_{name}", value)
    with Here().client() as client:
        assert client.agent == f"{AGENT} (+https://data.example.gov.uk)"
        assert (client.limits.crawl_delay, client.limits.run, client.limits.body) == (3, 5400, 512 * MB)
    monkeypatch.setenv("FEDCAT_MAX_CRAWL_DELAY", "0")
    with Here().client() as client:
        assert client.limits.crawl_delay == 0
