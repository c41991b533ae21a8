"""The way out, through real sockets: every trap on the way to a source ends in one clear sentence, and in time."""

from __future__ import annotations

import gzip
import io
import time
import tracemalloc
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hostile import FAULTS, LOGIN, TURTLE
from servers import Answers, Folder, Hostile

from catalogue.errors import SourceUnavailable
from catalogue.http import AGENT, Client, Limits, Response, looks_like_html

MB = 1 << 20
SMALL = Limits(  # robots.txt has its tests in test_http_manners.py
    connect=0.3, read=0.3, total=0.8, body=MB, memory=MB // 4, retries=2, backoff=0.01, patience=2, crawl_delay=0
)
PATIENT = replace(SMALL, total=3)
TTL = {"Content-Type": "text/turtle"}


@pytest.fixture
def client():
    with Client(SMALL, allow_private=True) as client:
        yield client


def trouble(client: Client, url: str, **more) -> SourceUnavailable:
    with pytest.raises(SourceUnavailable) as caught:
        client.get(url, **more)
    return caught.value


# What comes back


def test_a_folder_is_read_whatever_its_files_are_called(client, tmp_path):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "Llŷn & Môn #1.ttl").write_bytes(TURTLE)
    with Folder(tmp_path) as server:
        answer = client.get(server.address("a folder/Llŷn & Môn #1.ttl"), accept="text/turtle")
        assert (answer.status, answer.content) == (200, TURTLE)
        assert (answer.content_type, answer.charset) == ("text/turtle", "utf-8")
        assert server.requests[0].headers["Accept"] == "text/turtle"
        assert server.requests[0].headers["User-Agent"] == AGENT
        assert "answered 404 (Not Found)" in str(trouble(client, server.url + "/../secret"))


def test_parameters_and_redirects_are_followed_and_counted(client):
    script = {"/old": (301, {"Location": "/new?rows=2"}, ""), "/new?rows=2": (200, TTL, TURTLE)}
    with Answers(script) as server:
        answer = client.get(server.url + "/old", params={"q": "a b"})
        assert answer.url == server.url + "/new?rows=2"
        assert [asked.path for asked in server.requests] == ["/old?q=a+b", "/new?rows=2"]
        assert client.requests == 2


def test_a_large_body_is_kept_on_disk_and_can_be_read_twice_and_after_the_client_has_gone():
    content = bytes(range(256)) * (40 * MB // 256)
    with Answers({"/": (200, {}, content)}) as server, Client(allow_private=True) as client:
        tracemalloc.start()
        answer = client.get(server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    first, second = answer.open(), answer.open()
    del answer
    assert peak < 20 * MB
    assert first.read(1000) == content[:1000]
    assert second.read() == content
    first.seek(-3, io.SEEK_END)
    assert first.read() == content[-3:]


def test_a_packed_body_comes_unpacked(client):
    packed = {"/gzip": ("gzip", gzip.compress(TURTLE)), "/deflate": ("deflate", zlib.compress(TURTLE))}
    with Answers({path: (200, {"Content-Encoding": how}, body) for path, (how, body) in packed.items()}) as server:
        for path in packed:
            assert client.get(server.url + path).content == TURTLE
        assert {asked.headers["Accept-Encoding"] for asked in server.requests} == {"gzip"}


WELSH = "Llŷn, Môn, Caffè – £5"
TEXTS = {
    "as the header says": (WELSH.encode("utf-16-le"), "text/plain; charset=UTF-16LE"),
    "utf-8 without a word": (WELSH.encode(), "text/csv"),
    "a mark over a header": (WELSH.encode("utf-8-sig"), "text/csv; charset=utf-16"),
    "a utf-16 mark": (WELSH.encode("utf-16"), ""),
    "a utf-32 mark": (WELSH.encode("utf-32"), ""),
    "a latin-1 header on utf-8": (WELSH.encode(), 'text/xml; charset="ISO-8859-1"'),
    "a utf-8 header on nonsense codec": (WELSH.encode(), "text/plain; charset=klingon"),
    "a codec that is none for text": (WELSH.encode(), "text/plain; charset=base64"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_text_is_read_right(case):
    assert Response.of(*TEXTS[case]).text() == WELSH


def test_what_servers_say_of_everything_is_not_believed():
    """T30: Apache sent it with every file for years."""
    assert [Response.of(b"", f"text/turtle; charset={name}").charset for name in ("ISO-8859-1", "'us-ascii'")] == [
        None
    ] * 2
    assert Response.of(b"", "text/turtle; charset=ISO-8859-2").charset == "iso-8859-2"


def test_text_without_a_true_declaration_is_read_as_it_can_be():
    cafe = "<?xml version='1.0' encoding='iso-8859-15'?><a>€</a>"
    assert Response.of(cafe.encode("iso-8859-15"), "application/xml").text() == cafe
    dotnet = "<?xml version='1.0' encoding='utf-16'?><a>é</a>"
    assert Response.of(dotnet.encode(), "application/xml").text() == dotnet
    assert Response.of("“Caffè”".encode("cp1252"), "text/csv; charset=utf-8").text() == "“Caffè”"
    assert Response.of(b"\x81\xe9", "text/csv").text() == "\x81é"
    assert Response.of("Žluť".encode("iso-8859-2"), "text/csv").text(default="iso-8859-2") == "Žluť"


@pytest.mark.parametrize(
    ("head", "html"),
    [
        (LOGIN, True),
        (b"\xef\xbb\xbf\n<!-- error -->\n<HTML lang='en'>", True),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0">', True),
        (b'<?xml version="1.0"?><rdf:RDF>', False),
        (b"<https://example.org/html> a <b> .", False),
        (b'{"title": "<html>"}', False),
        (b"", False),
    ],
)
def test_a_web_page_is_told_from_data(head, html):
    assert looks_like_html(head) is html


# What goes wrong, and how soon it ends

ENDS = {
    "refuse": "Connection refused",
    "silent": "fell silent|had not finished",
    "silent-midway": "fell silent|had not finished",
    "long-length": "fell silent|had not finished",
    "closes": "connection to .* failed",
    "not-http": "connection to .* failed",
    "endless-headers": "more than 100 headers",
    "drip-body": "had not finished after 0.8 seconds",
    "drip-headers": "had not finished after 0.8 seconds",
    "drip-status": "had not finished after 0.8 seconds",
    "continue-for-ever": "had not finished after 0.8 seconds",
    "truncated": "broke off",
    "truncated-chunks": "broke off",
    "missing-last-chunk": "broke off",
    "bad-chunk": "broke off",
    "endless-chunk-size": "broke off",
    "truncated-gzip": "broke off",
    "reset": "broke off",
    "not-gzip": "cannot be unpacked",
    "broken-gzip": "cannot be unpacked",
    "unasked-packing": "packs its answer as 'br'",
    "claims-10-gb": "larger than 1 MB",
    "endless": "larger than 1 MB",
    "gzip-bomb": "larger than 1 MB",
    "endless-error": r"answered 404 \(Not Found\)",
    "redirect-loop": "more than 5 times",
    "redirect-chain": "more than 5 times",
    "redirect-endless-body": "more than 5 times",
    "redirect-to-file": "leads on, but 'file:///etc/passwd' is not a web address",
    "redirect-with-password": "leads on, but 'http://…@127.0.0.1/' has a user name or password",
    "redirect-to-link-local": "169.254.7.7, which is not a public address",
    "busy-for-hours": r"answered 429 \(Too Many Requests\). It asks us to stay away for 7200 s",
    "down": r"answered 500 \(Internal Server Error\)",
}
ANSWERS = {
    "truncated-once": TURTLE,
    "down-twice": TURTLE,
    "busy-once": TURTLE,
    "short-length": TURTLE,
    "odd-length": TURTLE,
    "html": b"<!DOCTYPE html><html><h1>Our data</h1></html>",
    "login": LOGIN,
    "empty": b"",
    "broken-utf8": b"# Caf\xe9\n" + TURTLE,
}
REPEATED = {"refuse", "closes", "truncated", "truncated-gzip", "reset", "down", "bad-chunk"}
ASKED_ONCE = {"claims-10-gb", "gzip-bomb", "endless", "not-gzip", "unasked-packing", "busy-for-hours", "drip-body"}


@pytest.mark.parametrize("kind", ENDS)
def test_every_fault_ends_in_time_with_one_clear_sentence(client, kind):
    with Hostile(kind) as server:
        began = time.monotonic()
        error = trouble(client, server.url + "/catalogue.ttl")
        assert time.monotonic() - began < SMALL.total + 0.5
        with pytest.raises(SourceUnavailable, match=ENDS[kind]):
            raise error
        assert "\n" not in str(error)
        assert error.fix
        assert error.address.startswith(server.url)
        assert client.requests == 3 or kind not in REPEATED
        assert client.requests == 1 or kind not in ASKED_ONCE


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_can_be_answered_is(kind):
    with Hostile(kind) as server, Client(PATIENT, allow_private=True) as client:
        assert client.get(server.url).content == ANSWERS[kind]
        assert len(server.requests) == client.requests


def test_every_fault_that_there_is_is_tried():
    elsewhere = {"redirect-to-private", "redirect-to-loopback"}
    assert set(ENDS) | set(ANSWERS) | elsewhere == set(FAULTS)


def test_an_endless_answer_never_fills_the_memory():
    limits = Limits(body=64 * MB, retries=0)
    for kind in ("endless", "gzip-bomb", "endless-error", "endless-chunk-size"):
        with Hostile(kind) as server, Client(limits, allow_private=True) as client:
            tracemalloc.start()
            trouble(client, server.url)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 20 * MB, kind


@pytest.mark.parametrize("cut", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/tur"])
def test_an_answer_that_ends_within_its_headers_is_no_empty_answer(client, cut, monkeypatch):
    monkeypatch.setitem(FAULTS, "cut", lambda server: (cut,))
    with Hostile("cut") as server:
        assert "the answer ended before its headers did" in str(trouble(client, server.url))
        assert client.requests == 3
    monkeypatch.setitem(FAULTS, "whole", lambda server: (b"HTTP/1.1 200 OK\r\n\r\n",))
    with Hostile("whole") as server:
        assert client.get(server.url).content == b""


def test_a_silent_handshake_ends_in_time(client):
    with Hostile("silent") as server:
        began = time.monotonic()
        trouble(client, server.url.replace("http:", "https:"))
        assert time.monotonic() - began < SMALL.total + 0.5


def test_redirects_repeats_and_waits_share_one_deadline():
    limits = Limits(total=0.6, retries=9, backoff=0.2, patience=9)
    with Hostile("down") as server, Client(limits, allow_private=True) as client:
        began = time.monotonic()
        assert "answered 500" in str(trouble(client, server.url))
        assert time.monotonic() - began < 1
        assert 1 < client.requests < 6


# How often we ask


def test_a_source_that_asks_for_a_wait_gets_it(client):
    with Hostile("busy-once") as server:
        began = time.monotonic()
        assert Client(PATIENT, allow_private=True).get(server.url).content == TURTLE
        assert time.monotonic() - began >= 1


def test_a_wait_can_be_given_as_a_date(client):
    later = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    with Answers({"/": (503, {"Retry-After": later}, "")}) as server:
        assert "stay away for 7" in str(trouble(client, server.url))
        assert client.requests == 1


@pytest.mark.parametrize("said", ["soon", "-5", "1e9", "²", "99999999999999999999", "Mon, 99 Foo 2026", ""])
def test_a_wait_that_makes_no_sense_is_left_out(client, said):
    answers = [(503, {"Retry-After": said.encode().decode("latin-1")}, ""), (200, TTL, TURTLE)]
    with Answers({"/": answers}) as server:
        assert client.get(server.url).content == TURTLE


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "a key or a login"), (403, "permission"), (404, "has changed"), (410, "for good"), (400, "browser")],
)
def test_a_refusal_is_not_asked_again_and_says_what_to_do(client, status, advice):
    with Answers({"/": (status, {}, "<html>no</html>")}) as server:
        error = trouble(client, server.url + "/")
        assert f"{server.url}/ answered {status} (" in str(error)
        assert advice in error.fix
        assert client.requests == 1
        assert client.get(server.url + "/", allow=(status,)).status == status


def test_strange_statuses_are_told(client):
    for status in (299, 399, 499, 599, 999):
        with Answers({"/": (status, {}, "")}) as server:
            assert status == 299 or f"answered {status} (not a standard status)" in str(trouble(client, server.url))


def test_between_two_requests_to_one_host_there_is_a_pause():
    with Answers({"/": (200, {}, "")}) as server, Client(Limits(pause=0.2), allow_private=True) as client:
        began = time.monotonic()
        for _ in range(3):
            client.get(server.url)
        assert time.monotonic() - began >= 0.4


def test_what_is_not_safe_to_do_twice_is_not_repeated(client):
    with Hostile("truncated") as server, pytest.raises(SourceUnavailable):
        client.session.post(server.url, json={})
    assert len(server.requests) == 1
    with Answers({"/": [(503, {}, ""), (200, {}, "done")]}) as server:
        assert client.session.post(server.url, json={"id": 1}).text == "done"


def test_connections_are_kept(client):
    with Answers({"/": (200, {"Content-Encoding": "gzip"}, gzip.compress(TURTLE))}) as server:
        for _ in range(3):
            assert client.get(server.url).content == TURTLE
        assert (len(server.requests), server.connections) == (3, 1)
