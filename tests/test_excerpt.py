"""What a record keeps of a page, and what the store keeps of a resource: cut out, read and written again, nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import normalised

from catalogue import rdf
from catalogue.dcat import Resource
from catalogue.errors import SourceUnavailable

SOME = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PAGE = """
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://x.example/locks> a dcat:Dataset ; dct:title "Locks" ; dct:publisher <https://x.example/canals> ;
  dcat:contactPoint %s ; dct:relation <https://x.example/weirs> .
<https://x.example/weirs> a dcat:Dataset ; dct:title "Weirs" .
<https://x.example/canals> foaf:name "Canal Trust" .
"""


@dataclass
class Kept:
    """A resource as the store keeps it."""

    resource: Resource

    @property
    def body(self) -> bytes:
        return rdf.canonical(self.resource)


def cut(page: str, subject: str = "https://x.example/locks") -> str:
    return rdf.excerpt(rdf.Reader(rdf.graph(page.encode(), "text/turtle")), subject).decode()


def test_a_record_keeps_what_hangs_below_its_subject_and_no_other_dataset():
    said = cut(PAGE % '[ foaf:name "Ann" ]')
    assert "Canal Trust" in said
    assert "Ann" in said
    assert "Weirs" not in said
    assert said.count("\n") + 1 == 7


def test_the_names_of_blank_nodes_and_the_order_of_a_page_do_not_count():
    one = cut(PAGE % '[ foaf:name "Ann" ; foaf:mbox "a@x.example" ]')
    other = cut(
        '@prefix foaf: <http://xmlns.com/foaf/0.1/> . _:who foaf:mbox "a@x.example" ; foaf:name "Ann" .'
        + PAGE % "_:who"
    )
    assert one == other
    assert one != cut(PAGE % '[ foaf:name "Bea" ; foaf:mbox "a@x.example" ]')


def test_blank_nodes_that_lead_back_to_each_other_are_kept_as_the_tree_has_them():
    page = PAGE % "_:a" + "_:a foaf:knows _:b . _:b foaf:knows _:a ; foaf:name 'Ann' ."
    assert cut(page) == cut(page.replace("_:b", "_:c"))
    assert "Ann" in cut(page)


def test_what_a_dataset_is_stays_known_where_only_the_catalogue_said_so():
    page = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        <https://x.example/> dcat:dataset <https://x.example/locks> . <https://x.example/locks> dct:title "Locks" ."""
    assert rdf.read(cut(page).encode()).titles


@SOME
@given(resource=normalised())
def test_an_excerpt_says_all_that_the_page_said(resource):
    page = rdf.Reader(rdf.graph(rdf.ntriples([resource]), "application/n-triples"))
    subject = page.roots[0]
    again = rdf.Reader(rdf.kept(rdf.excerpt(page, subject)))
    assert again.read(again.roots[0]) == page.read(subject)


@SOME
@given(resource=normalised())
def test_lines_of_our_own_are_read_as_any_reader_reads_them(resource):
    body = rdf.canonical(resource)
    assert rdf.kept(body).subjects == rdf.graph(body, "application/n-triples").subjects


@pytest.mark.parametrize("damaged", [b"\xff\xfe", b"<a", b"<http://x.example/a> <http://x.example/b> <http://x.ex"])
def test_what_we_did_not_write_is_left_to_the_parser(damaged):
    def read(reader):
        try:
            return reader()
        except SourceUnavailable as told:
            return str(told)

    assert read(lambda: rdf.kept(damaged)) == read(lambda: rdf.graph(damaged, "application/n-triples"))


@SOME
@given(resource=normalised())
def test_what_is_kept_is_written_as_its_nouns_are(resource):
    for write in (rdf.turtle, rdf.ntriples, rdf.rdfxml, rdf.jsonld):
        assert write([Kept(resource)]) == write([resource])
