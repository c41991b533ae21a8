"""Faults between us and a source, through real sockets and the real harvesters: the run says what, where and what to do,
nothing that we held goes, and when the fault has gone everything is as it would have been."""

from __future__ import annotations

import gzip
import json
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile import LOGIN
from servers import Answers, Asked, Script, numbered_packages
from shared import CHECKOUT, shared_data
from test_http_guard import certificate  # noqa: F401 - a fixture
from world import BASE, empty_store, source, titles

from catalogue.errors import SourceUnavailable
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client, Limits
from catalogue.source import harvester
from catalogue.store import Run, Store, StoredProblem

COUNT = 30
IMPATIENT = Limits(connect=1, read=0.6, total=1.5, retries=0, crawl_delay=0)
PERSISTENT = replace(IMPATIENT, total=10, retries=3, backoff=0.01, patience=5)


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


# ---- one catalogue in three languages


def turtle(names: Sequence[str], more: str = "") -> bytes:
    head = f"@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . {more}\n"
    each = '<https://canals.example/{0}> a dcat:Dataset ; dct:title "{0}" ; dct:description "Of {0}, by day." .\n'
    return (head + "".join(map(each.format, names))).encode()


def data_json(names: Sequence[str]) -> bytes:
    return json.dumps({"dataset": [{"identifier": f"id-{name}", "title": name} for name in names]}).encode()


def packages(names: Sequence[str]) -> bytes:
    found = [{**p, "title": name} for p, name in zip(numbered_packages(len(names)), names, strict=True)]
    return json.dumps({"success": True, "result": {"count": len(names), "results": found}}).encode()


NAMES = [f"Locks {n:02}" for n in range(COUNT)]
SAID = {
    "dcat-rdf": ("/c.ttl", "text/turtle", turtle([name.replace(" ", "-") for name in NAMES])),
    "data-json": ("/data.json", "application/json", data_json(NAMES)),
    "ckan": ("/api/3/action/package_search", "application/json", packages(NAMES)),
}
KINDS = tuple(SAID)


def well(kind: str) -> Script:
    _, media_type, body = SAID[kind]
    return 200, {"Content-Type": media_type}, body


def path(kind: str) -> str:
    return SAID[kind][0]


def script(kind: str, *answers: Script) -> dict[str, Script | list[Script]]:
    return {path(kind): list(answers), **({"/api/action/package_list": answers[0]} if kind == "ckan" else {})}


def bring(store: Store, kind: str, server: str, limits: Limits = IMPATIENT, **how: Any) -> Run:
    """One run of a source that is at this server."""
    address = server if kind == "ckan" or "/" in server.partition("://")[2] else server + path(kind)
    held = source("canals", type=kind, url=address)
    store.sources.replace(held)
    with Client(limits, allow_private=True, **how) as client:
        return line.harvest(HarvestRun.begin(held, store, BASE), harvester(kind), client)


def filled(store: Store, kind: str) -> list[str]:
    """What the catalogue shows after a good run."""
    with Answers(script(kind, well(kind))) as server:
        run = bring(store, kind, server.url)
    assert (run.status, run.added) == ("complete", COUNT)
    return titles(store)


def errors(store: Store, run: Run) -> list[StoredProblem]:
    return [problem for problem in store.runs.problems(run.id) if problem.severity == "error"]


def told(store: Store, run: Run) -> StoredProblem:
    """The problem that ended a run: short, with advice and the address."""
    problem = errors(store, run)[-1]
    assert problem.fix
    assert len(problem.message) < 600
    assert "Traceback" not in problem.message
    return problem


def cost_nothing_but_the_run(store: Store, run: Run, held: list[str]) -> StoredProblem:
    assert run.status in ("failed", "partial")
    assert (run.withdrawn, run.held, run.added) == (0, 0, 0)
    assert titles(store) == held
    return told(store, run)


# ---- on the wire


TOXY = (shared_data() or CHECKOUT).parent / "tools" / "toxy.py"


class Wire:
    """A proxy before a server, with the fault that the moment wants: `wire.fault("reset 900")`, `wire.fault("ok")`."""

    def __init__(self, url: str, port: int, control: Path) -> None:
        self.url, self._control = url, control
        self.port = port

    def fault(self, said: str) -> None:
        self._control.write_text(said, "ascii")


@contextmanager
def wired(target: str, folder: Path) -> Iterator[Wire]:
    if not TOXY.is_file():
        pytest.skip("no fault proxy here: it is kept beside the shared data")
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    control = folder / "fault"
    proxy = subprocess.Popen([sys.executable, TOXY, str(port), target.rpartition(":")[2], control])
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield Wire(f"http://127.0.0.1:{port}", port, control)
    finally:
        proxy.terminate()
        proxy.wait(10)


ON_THE_WIRE = {
    "refuse": "failed",
    "reset 900": "broke off",
    "truncate 900": "broke off",
    "truncate 60": "ended before its headers did",
    "blackhole": "fell silent",
    "latency 5": "fell silent",
    "rate 500": "had not finished after 1.5 seconds|fell silent",
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_on_the_wire_costs_one_run_and_nothing_else(store, kind, tmp_path):
    """T26, T29: whatever happens to the connection, in time, with the address and advice; then all is well again."""
    held = filled(store, kind)
    with Answers(script(kind, well(kind))) as server, wired(server.url, tmp_path) as wire:
        for fault, words in ON_THE_WIRE.items():
            wire.fault(fault)
            began = time.monotonic()
            run = bring(store, kind, wire.url)
            assert time.monotonic() - began < 2 * IMPATIENT.total + 1, fault
            problem = cost_nothing_but_the_run(store, run, held)
            with pytest.raises(SourceUnavailable, match=words):
                raise SourceUnavailable(problem.message)
            assert wire.url in problem.location, fault
        wire.fault("ok")
        run = bring(store, kind, wire.url)
    assert (run.status, run.unchanged, run.withdrawn) == ("complete", COUNT, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_that_passes_while_we_ask_again_is_not_noticed(store, kind, tmp_path):
    with Answers(script(kind, well(kind))) as server, wired(server.url, tmp_path) as wire:
        wire.fault("reset 900")
        limits = replace(PERSISTENT, backoff=1)  # of which at least half is waited
        with Mends(wire, after=0.3):
            run = bring(store, kind, wire.url, limits)
    assert (run.status, run.added, errors(store, run)) == ("complete", COUNT, [])
    assert len(server.requests) == 2


class Mends:
    """A wire that is mended after so many seconds."""

    def __init__(self, wire: Wire, after: float) -> None:
        self._timer = threading.Timer(after, wire.fault, ["ok"])

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.join()


def test_bits_that_flip_in_a_packed_answer_are_noticed(tmp_path):
    said = random.Random(1).randbytes(20_000)
    packed = (200, {"Content-Encoding": "gzip"}, gzip.compress(said))
    with (
        Answers({"/": packed}) as server,
        wired(server.url, tmp_path) as wire,
        Client(PERSISTENT, allow_private=True) as client,
    ):
        assert client.get(wire.url).content == said
        wire.fault("corrupt")
        with pytest.raises(SourceUnavailable, match=r"cannot be unpacked|broke off"):
            client.get(wire.url)


# ---- what servers answer

WEB_PAGE = {"Content-Type": "text/html; charset=utf-8"}
REFUSALS = {
    401: "a key or a login",
    403: "permission or a key",
    404: "has changed",
    410: "for good",
    429: "fewer requests",
    500: "their side",
    503: "their side",
}


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("kind", ["dcat-rdf", "data-json"])
def test_a_refusal_names_the_address_the_status_and_what_to_do(store, kind, status):
    """T28, T29: an error page is never taken for a catalogue, and its reason never lost."""
    held = filled(store, kind)
    with Answers(script(kind, (status, WEB_PAGE, LOGIN))) as server:
        run = bring(store, kind, server.url)
        problem = cost_nothing_but_the_run(store, run, held)
        assert problem.message.startswith(f"{server.url}{path(kind)} answered {status} (")
    assert problem.location == server.url + path(kind)
    assert REFUSALS[status] in problem.fix
    assert run.message == problem.message
    assert run.ended


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_of_a_portal_names_its_address_and_what_to_do(store, status):
    """T28, T29, of CKAN, which has statuses of its own."""
    held = filled(store, "ckan")
    with Answers(script("ckan", (status, WEB_PAGE, LOGIN))) as server:
        problem = cost_nothing_but_the_run(store, bring(store, "ckan", server.url), held)
    assert server.url in problem.location
    assert server.url in problem.message
    assert status in (404, 410) or str(status) in problem.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_login_page_that_says_all_is_well_is_told_for_what_it_is(store, kind):
    """T28: status 200, and a form."""
    held = filled(store, kind)
    with Answers(script(kind, (200, WEB_PAGE, LOGIN))) as server:
        problem = cost_nothing_but_the_run(store, bring(store, kind, server.url), held)
    assert "web page" in problem.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_is_busy_twice_is_asked_three_times(store, kind):
    """T27: the repeats are wired into the run."""
    with Answers(script(kind, (503, {}, ""), (503, WEB_PAGE, LOGIN), well(kind))) as server:
        run = bring(store, kind, server.url, PERSISTENT)
    assert (run.status, run.added, errors(store, run)) == ("complete", COUNT, [])
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_that_a_server_asks_for_is_waited(store, kind, status):
    with Answers(script(kind, (status, {"Retry-After": "1"}, ""), well(kind))) as server:
        began = time.monotonic()
        run = bring(store, kind, server.url, PERSISTENT)
    assert time.monotonic() - began >= 1
    assert (run.status, run.added, len(server.requests)) == ("complete", COUNT, 2)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wait_longer_than_ours_ends_the_run_at_once_and_says_how_long(store, kind, status):
    held = filled(store, kind)
    with Answers(script(kind, (status, {"Retry-After": "7200"}, ""))) as server:
        problem = cost_nothing_but_the_run(store, bring(store, kind, server.url, PERSISTENT), held)
    assert f"answered {status} (" in problem.message
    assert "stay away for 7200 s" in problem.message
    assert len(server.requests) == 1


class Understated(bytes):
    """Bytes that say they are half as many: a Content-Length that is too short."""

    def __len__(self) -> int:
        return super().__len__() // 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_catalogue_longer_than_its_server_says_is_not_believed_to_be_half_as_long(store, kind):
    held = filled(store, kind)
    status, headers, body = well(kind)
    with Answers(script(kind, (status, headers, Understated(body)))) as server:
        cost_nothing_but_the_run(store, bring(store, kind, server.url), held)


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_asked_by_head(store, kind):
    """T31: many servers refuse HEAD and answer GET."""
    with Answers(script(kind, well(kind))) as server:
        assert bring(store, kind, server.url).status == "complete"
    assert {asked.method for asked in server.requests} == {"GET"}


def page(number: int, last: int) -> tuple[int, dict[str, str], bytes]:
    more = f"<#> <http://www.w3.org/ns/hydra/core#next> </{number + 1}> ." if number < last else ""
    return 200, {"Content-Type": "text/turtle"}, turtle([f"p{number}-{n}" for n in range(5)], more)


def test_an_error_on_page_7_of_20_keeps_the_pages_before_and_withdraws_none_after(store):
    pages: dict[str, Script | list[Script]] = {f"/{n}": page(n, 20) for n in range(1, 21)}
    with Answers(pages) as server:
        assert bring(store, "dcat-rdf", f"{server.url}/1").added == 100
        held = titles(store)
        server.script = {**pages, "/7": (500, WEB_PAGE, LOGIN)}
        run = bring(store, "dcat-rdf", f"{server.url}/1")
        assert (run.status, run.fetched) == ("partial", 30)
        problem = cost_nothing_but_the_run(store, run, held)
        assert problem.message.startswith(f"{server.url}/7 answered 500 (")
        server.script = pages
        again = bring(store, "dcat-rdf", f"{server.url}/1")
    assert (again.status, again.withdrawn, again.unchanged) == ("complete", 0, 100)


def test_pages_that_never_end_end_with_the_run(store):
    """Each names one more, and all are new: only the time of the run is a bound."""

    def one_more(asked: Asked) -> bytes:
        time.sleep(0.1)
        return page(int(asked.path.strip("/")), 10_000)[2]

    with Answers({f"/{n}": (200, {"Content-Type": "text/turtle"}, one_more) for n in range(1, 99)}) as server:
        run = bring(store, "dcat-rdf", f"{server.url}/1", replace(IMPATIENT, run=1))
    assert (run.status, run.withdrawn) == ("partial", 0)
    assert told(store, run).rule == "run-deadline"
    assert run.added == run.fetched >= 5


# ---- bytes that are not what they say

WELSH = "Llwybrau’r Fenai – £5 café"
RDF_XML = """<?xml version="1.0"{encoding}?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">
<dcat:Dataset rdf:about="https://canals.example/1"><dct:title>{title}</dct:title></dcat:Dataset></rdf:RDF>"""
TITLED = (
    f'<https://canals.example/1> a <http://www.w3.org/ns/dcat#Dataset> ; <http://purl.org/dc/terms/title> "{WELSH}" .'
)
JSON = json.dumps({"dataset": [{"identifier": "id-1", "title": WELSH}]}, ensure_ascii=False)
ENCODED = {
    "RDF/XML in Windows-1252 that says so": (
        "dcat-rdf", "application/rdf+xml", RDF_XML.format(encoding=' encoding="windows-1252"', title=WELSH).encode("cp1252")
    ),
    "RDF/XML in UTF-8 after a mark": (
        "dcat-rdf", "application/rdf+xml", RDF_XML.format(encoding="", title=WELSH).encode("utf-8-sig")
    ),
    "RDF/XML in UTF-8 that its server calls Latin-1": (
        "dcat-rdf", "application/rdf+xml; charset=ISO-8859-1", RDF_XML.format(encoding="", title=WELSH).encode()
    ),
    "RDF/XML in UTF-16": (
        "dcat-rdf", "application/rdf+xml", RDF_XML.format(encoding=' encoding="utf-16"', title=WELSH).encode("utf-16")
    ),
    "Turtle after a mark": ("dcat-rdf", "text/turtle", TITLED.encode("utf-8-sig")),
    "Turtle in UTF-8 that its server calls Latin-1": ("dcat-rdf", "text/turtle; charset=latin-1", TITLED.encode()),
    "Turtle in Windows-1252 that its server calls UTF-8": (
        "dcat-rdf", "text/turtle; charset=utf-8", TITLED.encode("cp1252")
    ),
    "JSON after a mark": ("data-json", "application/json", JSON.encode("utf-8-sig")),
    "JSON in UTF-16": ("data-json", "application/json", JSON.encode("utf-16")),
    "JSON that its server calls Latin-1": ("data-json", "application/json; charset=latin-1", JSON.encode()),
    "JSON called text": ("data-json", "text/plain; charset=us-ascii", JSON.encode()),
}  # fmt: skip


@pytest.mark.parametrize("case", ENCODED)
def test_text_comes_out_right_whatever_it_is_said_to_be(store, case):
    """T30."""
    kind, media_type, body = ENCODED[case]
    with Answers({"/c": (200, {"Content-Type": media_type}, body)}) as server:
        run = bring(store, kind, f"{server.url}/c")
    assert (run.status, titles(store)) == ("complete", [WELSH])


# ---- where a source may not lead us


@pytest.mark.parametrize("address", ["file:///etc/passwd", "/etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_source_is_on_the_web_or_not_read_at_all(store, kind, address):
    """T32."""
    run = bring(store, kind, address)
    problem = cost_nothing_but_the_run(store, run, [])
    assert "web address" in problem.message
    assert "root" not in problem.message.partition(address)[2]


INSIDE = {"at a link-local address": ["169.254.7.7"], "at one in IPv6": ["::ffff:169.254.7.7"], "at none": ["0.0.0.0"]}


@pytest.mark.parametrize("case", INSIDE)
@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_to_a_machine_inside_is_not_followed(store, kind, case):
    """T34: even where private addresses are allowed, there are some that nobody means."""
    held = filled(store, kind)
    names = {"127.0.0.1": ["127.0.0.1"], "inside.example": INSIDE[case]}
    with Answers(script(kind, (302, {"Location": "http://inside.example/secrets"}, ""))) as server:
        run = bring(store, kind, server.url, resolve=lambda host, port: names[host])
        problem = cost_nothing_but_the_run(store, run, held)
        assert len(server.requests) == 1
    assert (problem.rule, problem.location.startswith(server.url)) == ("address-not-allowed", True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_moves_inside_between_two_requests_is_not_followed(store, kind):
    """T34: name servers may change their mind."""
    held = filled(store, kind)
    answers = [["127.0.0.1"], ["169.254.7.7"]]
    with Answers(script(kind, (503, {"Connection": "close"}, ""))) as server:
        address = server.url.replace("127.0.0.1", "moves.example")
        run = bring(store, kind, address, PERSISTENT, resolve=lambda host, port: answers.pop(0))
        assert len(server.requests) == 1
    assert cost_nothing_but_the_run(store, run, held).rule == "address-not-allowed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_its_server_made_itself_is_not_believed_and_asked_for_once(store, kind, request):
    held = filled(store, kind)
    files = request.getfixturevalue("certificate")["localhost"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{files}.pem", files)
    with Answers(script(kind, well(kind))).secured(context) as server:
        problem = cost_nothing_but_the_run(store, bring(store, kind, server.url, PERSISTENT), held)
    assert "could not prove that it is localhost" in problem.message
    assert "certificate" in problem.fix
    assert problem.location.startswith(server.url)
    assert server.requests == []
