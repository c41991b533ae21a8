"""Documents that are too large for memory: the same records as from small ones, little memory, and nothing left behind."""

from __future__ import annotations

import gc
import io
import os
import random
import subprocess
import sys
from itertools import chain

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import normalised

from catalogue import rdf
from catalogue.dcat import IRI
from catalogue.errors import SourceUnavailable
from catalogue.http import Response
from catalogue.rdf import spool
from catalogue.rdf.spool import Spool
from harvesters.json_elements import Element, Lists, elements
from vocab.namespaces import DCAT, RDF

SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
HEAD = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @base <https://x.example/> .
"""
WRITE = {
    "text/turtle": rdf.turtle,
    "application/n-triples": rdf.ntriples,
    "application/rdf+xml": rdf.rdfxml,
    "application/ld+json": rdf.jsonld,
}


def large(document: str | bytes, media_type: str = "text/turtle", held: int = 100) -> rdf.Graph:
    """A document read as one that does not fit into memory."""
    stream = io.BytesIO(document.encode() if isinstance(document, str) else document)
    return rdf.graph(stream, media_type, small=0, held=held)


def small(document: str | bytes, media_type: str = "text/turtle") -> rdf.Graph:
    return rdf.graph(document.encode() if isinstance(document, str) else document, media_type)


def records(graph: rdf.Graph) -> list[tuple[str, bytes]]:
    """What a harvester keeps of a graph; what has no address goes by what it says."""
    reader = rdf.Reader(graph)
    cut = ((subject, rdf.excerpt(reader, subject)) for subject in reader.resources)
    return sorted(("" if subject[:2] == "_:" else subject, content) for subject, content in cut)


def spooled(graph: rdf.Graph) -> bool:
    return isinstance(graph.said, Spool)


# -- The same


@SOME
@given(resources=st.lists(normalised(), min_size=1, max_size=3), media_type=st.sampled_from(sorted(WRITE)))
def test_a_large_document_gives_the_records_of_a_small_one(resources, media_type):
    document = WRITE[media_type](resources)
    graph = large(document, media_type)
    assert spooled(graph)
    assert records(graph) == records(small(document, media_type))


@SOME
@given(resource=normalised(), seed=st.integers(0, 9), held=st.sampled_from((0, 200, 2000)))
def test_the_order_of_statements_does_not_count(resource, seed, held):
    lines = rdf.ntriples([resource]).splitlines(keepends=True)
    random.Random(seed).shuffle(lines)
    graph = large(b"".join(lines), "application/n-triples", held)
    whole = small(rdf.ntriples([resource]), "application/n-triples")
    assert records(graph) == records(whole)
    assert sorted(graph.said) == sorted(whole.said)
    assert graph.statements == whole.statements


def test_a_blank_node_that_two_datasets_share_hangs_below_both():
    document = HEAD + "".join(f'<{n}> a dcat:Dataset ; dct:title "{n}" ; dct:creator _:b .\n' for n in range(50))
    document += '_:b foaf:name "Ann" ; foaf:page [ dct:title "Home" ] .'
    assert records(large(document)) == records(small(document))
    assert all(b"Ann" in content and b"Home" in content for _, content in records(large(document)))


def test_types_that_stand_at_the_end_of_the_file_are_in_time():
    document = HEAD + "".join(f'<{n}> dct:title "{n}" ; dct:publisher <canals> .\n' for n in range(50))
    document += '<canals> foaf:name "Canal Trust" .' + "".join(f"<{n}> a dcat:Dataset .\n" for n in range(50))
    found = records(large(document))
    assert len(found) == 50
    assert found == records(small(document))
    assert all(b"Canal Trust" in content for _, content in found)


def test_datasets_stand_in_the_order_of_the_file():
    document = HEAD + "".join(f'<{n}> a dcat:Dataset ; dct:title "{n}" .\n' for n in (3, 1, 2) * 20)
    assert rdf.resources(large(document)) == [f"https://x.example/{n}" for n in (3, 1, 2)]


def test_a_file_that_names_its_dataset_belongs_to_it():
    document = HEAD + '<1> a dcat:Dataset ; dct:title "1" .\n<f> a dcat:Distribution ; dcat:isDistributionOf <1> .'
    assert records(large(document)) == records(small(document))
    assert (DCAT.distribution, IRI("https://x.example/f")) in large(document).of("https://x.example/1")


def test_damaged_lines_in_the_middle_cost_themselves_only():
    good = [f'<{n}> a dcat:Dataset ; dct:title "{n}" .\n' for n in range(100)]
    document = HEAD + "".join(chain.from_iterable((line, "<x> dct:title bad .\n") for line in good))
    graph = large(document)
    assert len(records(graph)) == 100
    assert records(graph) == records(small(document))
    assert [problem.where for problem in graph.problems] == [problem.where for problem in small(document).problems]
    assert len(graph.problems) == 100


@pytest.mark.parametrize("read", [small, large])
def test_a_line_end_inside_an_address_stays_inside(read):
    document = (
        HEAD + '<a> a dcat:Dataset ; dct:title "1"^^<http://x\\u000Ay> ; dct:relation <http://x\\u000A\\u003Ey> .'
    )
    ((subject, content),) = records(read(document))
    assert subject == "https://x.example/a"
    assert content.count(b"\n") == 2
    assert b'"1"^^<http://x%0Ay>' in content


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_mended(encoding):
    xml = f"""<?xml version="1.0" encoding="{"utf-8" if encoding == "latin-1" else encoding}"?>
        <rdf:RDF xmlns:rdf="{RDF}" xmlns:dct="http://purl.org/dc/terms/" xmlns:dcat="{DCAT}">
        <dcat:Dataset rdf:about="https://x.example/1"><dct:title>Pont y Tŵr</dct:title></dcat:Dataset></rdf:RDF>"""
    document = xml.replace("ŵ", "ô").encode(encoding)
    graph = large(document, "application/rdf+xml", 0)
    assert "Pont y Tôr" in records(graph)[0][1].decode()
    assert [problem.rule for problem in graph.problems] == ["encoding"] * (encoding == "latin-1")


@pytest.mark.parametrize("charset", ["zlib", "unicode-escape", "idna", "undefined", "klingon"])
def test_an_encoding_that_no_document_is_in_is_none(charset):
    graph = rdf.graph(io.BytesIO(b"<http://a> <http://b> 'x' ."), "text/turtle", charset=charset)
    assert [problem.rule for problem in graph.problems] == ["encoding"]


# -- JSON-LD in pieces


def json_ld(count: int, shape: str) -> bytes:
    nodes = ",\n".join(
        f'{{"@id": "https://x.example/{n}", "@type": "Dataset", "title": "{n}, {{]\\"", "publisher": {{"@id": "_:p"}}}}'
        for n in range(count)
    )
    nodes += ', {"@id": "_:p", "http://xmlns.com/foaf/0.1/name": "Ann"}'
    return (shape % nodes).encode()


CONTEXT = f'{{"Dataset": "{DCAT.Dataset}", "title": "http://purl.org/dc/terms/title", ' + (
    f'"publisher": "http://purl.org/dc/terms/publisher", "dataset": "{DCAT.dataset}"}}'
)
SHAPES = {
    "a graph": f'{{"@context": {CONTEXT}, "@graph": [%s]}}',
    "its context last": f'{{"@graph": [%s], "@context": {CONTEXT}}}',
    "a catalogue": f'{{"@context": {CONTEXT}, "@type": "{DCAT.Catalog}", "title": "All", "dataset": [%s]}}',
    "a list": "[%s]",
    "a remote context": '{"@context": "https://x.example/context.json", "@graph": [%s]}',
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_large_json_ld_file_is_read_in_pieces(shape, monkeypatch):
    document = json_ld(300, SHAPES[shape])
    whole = small(document, "application/ld+json")
    monkeypatch.setattr("catalogue.rdf.json_ld.PIECE", 1000)
    pieces = large(document, "application/ld+json")
    assert records(pieces) == records(whole)
    assert len(records(pieces)) == {"a list": 0, "a catalogue": 301}.get(shape, 300)
    assert len(list(pieces.saying(frozenset({f"<{DCAT.dataset}>"})))) == (shape == "a catalogue")
    assert pieces.problems == whole.problems
    assert [problem.rule for problem in whole.problems if problem.rule == "remote-context"] == (
        ["remote-context"] * (shape == "a remote context")
    )


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (json_ld(9, SHAPES["a graph"])[:-30], "not-json"),
        (json_ld(9, SHAPES["a graph"]) + b"x", "not-json"),
        (json_ld(9, "[%s [,]"), "not-json"),
        (b'{"@graph": [' + b"[" * 100_000, "too-deep"),
        (b'{"@graph": ["' + b"x" * 20_000_000, "too-large"),
    ],
)
def test_a_large_json_ld_file_that_cannot_be_bounded_is_refused(document, rule):
    with pytest.raises(SourceUnavailable) as refused:
        large(document, "application/ld+json")
    assert refused.value.rule == rule


# -- Bounded


BOMB = """<?xml version="1.0"?><!-- {before} --><rdf:RDF xmlns:rdf="{RDF}" xmlns:dct="http://purl.org/dc/terms/"
xmlns:dcat="{DCAT}"><!DOCTYPE x [<!ENTITY a {a}>{more}]><dcat:Dataset rdf:about="https://x.example/1"><dct:title>{use}</dct:title>
</dcat:Dataset></rdf:RDF>"""
BOMBS = {
    "behind a long comment": {"before": "x" * 5000, "more": '<!ENTITY b "&a;&a;">'},
    "behind two pieces": {"before": "x" * 3_000_000, "more": '<!ENTITY b "&a;&a;">'},
    "with the other quote inside": {"more": '<!ENTITY b "\'&a;">'},
    "used often": {"a": f'"{"x" * 100_000}"', "use": "&a;" * 200},
    "in parameters": {"more": '<!ENTITY % p "x">'},
    "that never ends": {"more": '<!ENTITY z "'},
}


@pytest.mark.parametrize("read", [small, large])
@pytest.mark.parametrize("chunk", [50, 1 << 20])
@pytest.mark.parametrize("bomb", BOMBS)
def test_an_entity_bomb_is_refused_wherever_it_stands(bomb, chunk, read, monkeypatch):
    monkeypatch.setattr("catalogue.rdf.document.CHUNK", chunk)
    document = BOMB.format(
        **{"before": "", "more": "", "use": "&a;", "RDF": RDF, "DCAT": DCAT, "a": '"x"'} | BOMBS[bomb]
    )
    with pytest.raises(SourceUnavailable) as refused:
        read(document, "application/rdf+xml")
    assert refused.value.rule == "xml-entities"


def test_entities_that_abbreviate_are_read():
    document = BOMB.format(RDF=RDF, DCAT=DCAT, before="", a='"Tor"', more='<!ENTITY b "it\'s">', use="&a;, &b;, &amp;")
    ((_, content),) = records(large(document, "application/rdf+xml", 0))
    assert b"Tor, it's, &" in content


@pytest.mark.parametrize("read", [small, large])
def test_long_prefixes_do_not_fill_memory_or_disk(read, monkeypatch):
    monkeypatch.setattr(spool, "MOST", 50_000_000)
    document = f"@prefix a: <http://a.example/{'x' * 20_000}/> .\n" + "a:a a:b a:c .\n" * 2000
    with pytest.raises(SourceUnavailable) as refused:
        read(document)
    assert refused.value.rule == "too-large"


def test_temporary_files_go_with_the_graph():
    before = temporary_files()
    graph = large(HEAD + '<1> a dcat:Dataset ; dct:title "1" .', held=0)
    reader = rdf.Reader(graph)
    assert len(temporary_files()) == len(before) + 1
    del graph, reader
    assert temporary_files() == before


def test_temporary_files_go_when_a_document_is_refused(monkeypatch):
    monkeypatch.setattr(spool, "MOST", 1000)
    before = temporary_files()
    with pytest.raises(SourceUnavailable):
        large(HEAD + '<1> dct:title "1" .' * 100)
    assert temporary_files() == before


def temporary_files() -> set[str]:
    """The files without a name that this process holds open."""
    gc.collect()
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return {os.readlink(link) for link in links if os.path.lexists(link) and "(deleted)" in os.readlink(link)}


READ = """
import sys
from catalogue import rdf
with open(sys.argv[1], "rb") as stream:
    reader = rdf.Reader(rdf.graph(stream, sys.argv[2]))
    print(sum(bool(rdf.excerpt(reader, subject)) for subject in reader.resources))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_twenty_thousand_datasets_need_little_memory(tmp_path):
    file = tmp_path / "catalog.ttl"
    with file.open("w") as stream:
        stream.write(HEAD)
        stream.writelines(described(number) for number in range(20_000))
    assert file.stat().st_size > 40_000_000
    command = [sys.executable, "-c", READ, str(file), "text/turtle"]
    found, kilobytes = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.split()
    assert int(found) == 20_000
    assert int(kilobytes) < 130_000


def described(number: int) -> str:
    files = "".join(
        f'<d/{number}/{file}> a dcat:Distribution ; dct:title "File {file}" ; dct:description "{"word " * 60}" .\n'
        for file in range(2)
    )
    return f"""<d/{number}> a dcat:Dataset ; dct:title "Dataset {number}" ; dct:publisher <o/{number % 99}> ;
        dct:description "{"some words " * 120}" ; dcat:contactPoint [ foaf:name "Team {number}" ] ;
        dcat:distribution <d/{number}/0>, <d/{number}/1> .\n{files}"""


# -- data.json


def test_a_large_data_json_in_another_encoding_goes_to_a_file(monkeypatch):
    monkeypatch.setattr("harvesters.json_elements.LARGEST", 10_000)
    words = '{"dataset": [' + ", ".join(f'{{"identifier": "{n}", "title": "Tŵr"}}' for n in range(1000)) + "]}"
    before = temporary_files()
    reading = elements(Response.of(words.encode("utf-16"), "application/json"), Lists(records=frozenset({"dataset"})))
    first = next(reading)
    assert isinstance(first, Element) and first.said["title"] == "Tŵr"
    assert len(temporary_files()) == len(before) + 1
    assert sum(isinstance(one, Element) for one in reading) == 999
    assert temporary_files() == before
