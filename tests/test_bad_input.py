"""Whatever a source answers: one clear problem, the rest of it harvested, what we held still up, memory bounded."""

from __future__ import annotations

import json
import resource

import pytest
from hostile import Hostile
from servers import Answers
from world import BASE, empty_store, harvest, source, titles

from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client, Limits
from catalogue.source import harvester

KINDS = ("ckan", "data-json", "dcat-rdf", "table")
IMPATIENT = Limits(connect=1, read=1, total=2, retries=0, body=1 << 21, memory=1 << 21)
FAULTS = (
    "refuse", "silent", "drip-body", "drip-headers", "truncated", "long-length", "reset", "endless", "claims-10-gb",
    "gzip-bomb", "redirect-loop", "redirect-to-file", "html", "login", "empty", "not-http",
)  # fmt: skip


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def bring(store, kind: str, url: str, limits: Limits = IMPATIENT):
    held = source("canals", type=kind, url=url)
    store.sources.replace(held)
    with Client(limits, allow_private=True) as client:
        return line.harvest(HarvestRun.begin(held, store, BASE), harvester(kind), client)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_server_costs_one_run_and_nothing_else(store, kind, fault):
    harvest(store, {"1": {"title": "Locks"}, "2": {"title": "Tolls"}})
    with Hostile(fault) as server:
        run = bring(store, kind, server.url)
    assert (run.status, run.withdrawn, run.problems) == ("failed", 0, 1)
    assert titles(store) == ["Locks", "Tolls"]
    [problem] = store.runs.problems(run.id)
    assert problem.fix
    assert len(problem.message) < 600
    assert "Traceback" not in problem.message


# ---- documents


def turtle(*described: str) -> bytes:
    head = "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
    return (head + "\n".join(described)).encode()


def dataset(name: str, more: str = "") -> str:
    return f'<https://canals.example/{name}> a dcat:Dataset ; dct:title "{name}" {"; " + more if more else ""} .'


def answer(store, kind: str, body: bytes, media_type: str):
    with Answers({"/catalogue": (200, {"Content-Type": media_type}, body)}) as server:
        return bring(store, kind, f"{server.url}/catalogue", Limits(total=30, retries=0))


def rules(store, run) -> list[str]:
    return [problem.rule for problem in store.runs.problems(run.id) if problem.severity == "error"]


BOMB = """<?xml version="1.0"?><!DOCTYPE rdf:RDF [<!ENTITY a "aaaaaaaaaa">{more}]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/">
<rdf:Description rdf:about="https://canals.example/1"><dct:title>&{last};</dct:title></rdf:Description></rdf:RDF>"""
NESTED = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))


@pytest.mark.parametrize(
    "body",
    [
        BOMB.format(more=NESTED, last="j"),
        BOMB.format(more=f'<!ENTITY z "{"z" * 100_000}">', last="z;" + "&z;" * 5000 + "&z"),
        BOMB.format(more="<!ENTITY % p '<!ENTITY q \"&a;\">'> %p;", last="a"),
    ],
    ids=["nested", "repeated", "parameter"],
)
def test_an_entity_bomb_is_not_unpacked(store, body):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run = answer(store, "dcat-rdf", body.encode(), "application/rdf+xml")
    assert rules(store, run) == ["xml-entities"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_an_external_entity_is_not_fetched(store):
    with Answers(
        {"/secret": (200, {}, b"secret"), "/catalogue": (200, {"Content-Type": "application/rdf+xml"}, b"")}
    ) as server:
        body = BOMB.format(more=f'<!ENTITY x SYSTEM "{server.url}/secret">', last="x")
        server.script["/catalogue"] = [(200, {"Content-Type": "application/rdf+xml"}, body.encode())]
        bring(store, "dcat-rdf", f"{server.url}/catalogue")
        assert [asked.path for asked in server.requests] == ["/catalogue"]


DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


def test_json_nested_ten_thousand_deep_is_one_problem_of_one_record(store):
    good = json.dumps({"title": "Locks", "identifier": "canal-locks", "description": "x"}).encode()
    deep = b'{"title":"Deep","identifier":"canal-deep","x":' + DEEP + b"}"
    run = answer(
        store,
        "data-json",
        b'{"dataset":[' + good + b"," + deep + b"," + good.replace(b"ocks", b"ochs") + b"]}",
        "application/json",
    )
    assert "Locks" in titles(store)
    assert "Deep" not in titles(store)
    assert len(rules(store, run)) == 1


@pytest.mark.parametrize("kind", ["dcat-rdf", "ckan"])
def test_a_document_nested_ten_thousand_deep_is_one_problem(store, kind):
    run = answer(store, kind, DEEP, "application/ld+json")
    assert run.status == "failed"
    assert run.problems == 1


def test_a_record_with_ten_thousand_files_costs_itself(store):
    files = "dcat:distribution " + ", ".join(
        f"[ dcat:downloadURL <https://canals.example/{n}.csv> ]" for n in range(10_000)
    )
    run = answer(store, "dcat-rdf", turtle(dataset("many", files), dataset("locks")), "text/turtle")
    assert (titles(store), run.rejected, len(rules(store, run))) == (["locks"], 1, 1)


def test_a_description_of_five_megabytes_costs_its_record(store):
    long = f'dct:description "{"word " * 1_000_000}"'
    run = answer(store, "dcat-rdf", turtle(dataset("long", long), dataset("locks")), "text/turtle")
    assert (titles(store), run.rejected, len(rules(store, run))) == (["locks"], 1, 1)


def test_blank_nodes_nested_without_end_cost_their_record(store):
    deep = "<https://x.example/p> " + "[ <https://x.example/p> " * 500 + '"end"' + " ]" * 500
    run = answer(store, "dcat-rdf", turtle(dataset("deep", deep), dataset("locks")), "text/turtle")
    assert (titles(store), run.rejected, len(rules(store, run))) == (["locks"], 1, 1)


def test_a_blank_node_that_points_at_itself_is_read(store):
    body = turtle(dataset("locks", "dct:relation _:b"), "_:b <https://x.example/p> _:b .")
    assert answer(store, "dcat-rdf", body, "text/turtle").added == 1


def test_odd_values_are_told_and_their_record_is_kept(store):
    odd = (
        'dct:issued "TBC" ; dct:description "bell\\u0007 and\\u0000 nul" ; '
        'dcat:landingPage <https://canals.example/a page> ; dct:modified "31 February 2024"'
    )
    run = answer(store, "dcat-rdf", turtle(dataset("odd", odd), dataset("locks")), "text/turtle")
    assert (titles(store), run.rejected) == (["locks", "odd"], 0)
    warned = " ".join(problem.message + problem.found for problem in store.runs.problems(run.id))
    assert "TBC" in warned
    said = store.datasets.get("https://canals.example/odd").resource
    assert {str(page) for page in said.landing_pages} == {"https://canals.example/a%20page"}
    assert all("\x00" not in text.value and "\x07" not in text.value for text in said.descriptions)


def test_bytes_that_are_not_utf8_are_read_and_told(store):
    run = answer(
        store, "dcat-rdf", turtle(dataset("locks", 'dct:description "Café"')).decode().encode("cp1252"), "text/turtle"
    )
    assert (run.status, run.added) == ("complete", 1)
    assert "Café" in {t.value for t in store.datasets.get("https://canals.example/locks").resource.descriptions}
    assert "encoding" in {problem.rule for problem in store.runs.problems(run.id)}


def test_a_file_cut_short_withdraws_nothing(store):
    whole = turtle(*(dataset(f"d{n}") for n in range(20)))
    answer(store, "dcat-rdf", whole, "text/turtle")
    run = answer(store, "dcat-rdf", whole[: len(whole) // 2], "text/turtle")
    assert (run.status, run.withdrawn, len(titles(store))) == ("partial", 0, 20)


def test_a_remote_context_is_never_fetched(store):
    with Answers(
        {"/context": (200, {}, b"{}"), "/catalogue": (200, {"Content-Type": "application/ld+json"}, b"")}
    ) as server:
        said = {
            "@context": f"{server.url}/context",
            "@id": "https://canals.example/1",
            "@type": "Dataset",
            "title": "Locks",
        }
        server.script["/catalogue"] = [(200, {"Content-Type": "application/ld+json"}, json.dumps(said).encode())]
        run = bring(store, "dcat-rdf", f"{server.url}/catalogue")
        assert [asked.path for asked in server.requests] == ["/catalogue"]
    assert (run.added, titles(store)) == (1, ["Locks"])


# ---- pages


def page(number: int, following: str, *names: str) -> tuple[int, dict[str, str], bytes]:
    link = (
        f"<https://canals.example/page{number}> <http://www.w3.org/ns/hydra/core#next> <{following}> ."
        if following
        else ""
    )
    return 200, {"Content-Type": "text/turtle"}, turtle(link, *map(dataset, names))


@pytest.mark.parametrize(
    "script",
    [
        {"/1": ("/2", "a"), "/2": ("/3", "b"), "/3": ("/2", "c")},
        {"/1": ("/2", "a"), "/2": ("/3", "b"), "/3": ("/4", "b")},
    ],
    ids=["a circle", "a page again"],
)
def test_pages_that_lead_nowhere_end_the_run_and_withdraw_nothing(store, script):
    harvest(store, {"1": {"title": "Locks"}, "2": {"title": "Tolls"}})
    with Answers(
        {path: page(n, following, name) for n, (path, (following, name)) in enumerate(script.items())}
    ) as server:
        run = bring(store, "dcat-rdf", f"{server.url}/1")
    assert (run.status, run.withdrawn) == ("partial", 0)
    assert rules(store, run) == ["paging"]
    assert len(server.requests) == 3


def test_a_server_that_ignores_page_numbers_is_noticed(store):
    with Answers({"/c": page(1, "", "a", "b")}) as server:
        held = source("canals", type="dcat-rdf", url=f"{server.url}/c", options={"page_parameter": "page"})
        store.sources.replace(held)
        with Client(IMPATIENT, allow_private=True) as client:
            run = line.harvest(HarvestRun.begin(held, store, BASE), harvester("dcat-rdf"), client)
    assert (run.status, len(server.requests)) == ("partial", 2)
