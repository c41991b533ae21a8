"""Any catalogue that speaks DCAT in RDF, another fedcat included: one file, or pages that lead to each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from catalogue import rdf
from catalogue.dcat import IRI, DataService, Identifier, Literal, Node, Resource, Text, words
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Response
from catalogue.source import HarvestSource, Option, SourceRecord
from vocab.namespaces import HYDRA

NEXT = (HYDRA.next, HYDRA.nextPage, "http://www.w3.org/ns/ldp#nextPage", "https://www.w3.org/ns/activitystreams#next")
MAX_PAGES = 100_000


class DcatRdf:
    """Each dataset, series and service is a record: what the document says of it, as N-Triples."""

    name = "dcat-rdf"
    title = "DCAT in RDF: Turtle, RDF/XML, JSON-LD, N-Triples, TriG"
    sample = "https://data.example.gov.uk/catalog.ttl"
    options = (
        Option("page_parameter", "the parameter that asks for a page, where pages do not name the next one: 'page'"),
        Option("format", "the media type to read it as, where the server's own is wrong"),
    )

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        """Page after page. A page that cannot be read whole, repeats another or leads back ends the run as incomplete."""
        damaged = 0
        for page in pages(source, client):
            for problem in page.reader.graph.problems:
                damaged += problem.severity == "error"
                yield problem.about("", page.address)
            yield from records(page)
        if damaged:
            raise SourceUnavailable(
                f"{damaged} statements of {source.url} cannot be read, so what is missing may only be damaged.",
                fix="Mend the lines that the other problems name; until then nothing is withdrawn.",
                address=source.url,
                rule="damaged",
            )

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterable[Resource]:  # noqa: ARG002  no option changes it
        """The tree of the record's own subject."""
        reader = rdf.Reader(rdf.kept(record.content))
        named = [subject for subject in reader.resources if subject == record.identifier]
        for subject in named or (root for root in reader.roots if root.startswith("_:")):
            node = reader.read(subject)
            assert isinstance(node, Resource)
            return [node]
        raise RecordRejected(_no_resource())


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a catalogue: where it came from and what it says."""

    address: str
    reader: rdf.Reader
    next: str


def records(page: Page) -> Iterator[SourceRecord | Problem]:
    """The records of a page; what nothing names is a problem."""
    reader = page.reader
    for subject in reader.resources:
        try:
            identifier = named_otherwise(reader.read(subject)) if subject.startswith("_:") else subject
            content = rdf.excerpt(reader, subject)
        except RecordRejected as rejected:
            yield from (problem.about(subject, subject) for problem in rejected.problems)
            continue
        if identifier:
            where = "" if subject.startswith("_:") else subject
            yield SourceRecord(Identifier(identifier), content, "application/n-triples", page.address, where)
        elif reader.tops[subject] is not DataService:
            yield _unnamed(reader.read(subject), page.address)


def named_otherwise(resource: Node) -> str:
    """What a resource without an address goes by: its identifier, else its landing page. "" when it has neither."""
    assert isinstance(resource, Resource)
    for said in (resource.identifiers, resource.landing_pages):
        for word in sorted(_word(value) for value in said):
            if word:
                return word
    return ""


def pages(source: HarvestSource, client: Client) -> Iterator[Page]:
    """Every page of a source, once.

    Raises SourceUnavailable when the pages lead in a circle, or when the server gives the same page for every number.
    """
    numbered = source.option("page_parameter")
    address = _numbered(source.url, numbered, 1) if numbered else source.url
    asked: set[str] = set()
    seen: set[str] = set()
    for number in range(2, MAX_PAGES):
        asked.add(urldefrag(address)[0])
        page = read(client.get(address, accept=rdf.ACCEPT), source.option("format"))
        described = {subject for subject in page.reader.resources if not subject.startswith("_:")}
        if described and described <= seen:
            raise _going_round(address, "gives what an earlier page gave")
        if numbered and not page.reader.resources:
            return
        seen |= described
        yield page
        address = _numbered(source.url, numbered, number) if numbered else page.next
        if not address:
            return
        if urldefrag(address)[0] in asked:
            raise _going_round(address, "is named as the next page after it was read already")


def read(response: Response, format_: str) -> Page:
    """A page and the address of the one after it."""
    graph = rdf.graph(response.content, format_ or response.content_type, charset=response.charset, base=response.url)
    return Page(response.url, rdf.Reader(graph), next_page(graph, response))


def next_page(graph: rdf.Graph, response: Response) -> str:
    """The page after this one, as hydra, LDP, ActivityStreams or the Link header name it. "" on the last."""
    named = {predicate: _word(value) for predicate, value in graph.under(*NEXT)}
    found = next((named[p] for p in NEXT if named.get(p)), "") or linked(response.headers.get("Link", ""))
    address = urljoin(response.url, found) if found else ""
    return "" if urldefrag(address)[0] == urldefrag(response.url)[0] else address


def linked(header: str) -> str:
    """The next page that a Link header names (RFC 8288)."""
    for part in header.split(","):
        address, _, parameters = part.partition(";")
        if re.search(r'rel="?next\b', parameters):
            return address.strip().strip("<>")
    return ""


def _word(value: object) -> str:
    """The text of an address or a literal; "" for anything described."""
    return str(value.value if isinstance(value, Text | Literal) else value if isinstance(value, IRI) else "").strip()


def _numbered(address: str, parameter: str, number: int) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode({parameter: number})}"


def _going_round(address: str, what: str) -> SourceUnavailable:
    return SourceUnavailable(
        f"{address} {what}, so the rest of the catalogue is out of reach.",
        fix="Ask the source's owner to mend its paging; until then nothing is withdrawn.",
        address=address,
        rule="paging",
    )


def _unnamed(resource: Node, address: str) -> Problem:
    assert isinstance(resource, Resource)
    return Problem(
        rule="identifier-missing",
        where=address,
        found=words(resource.titles),
        message="A description has neither an address nor an identifier, so it could not be told from another next time.",
        fix="Give it an IRI, or a dct:identifier that stays the same.",
    )


def _no_resource() -> Problem:
    return Problem(
        rule="no-resource",
        message="The record describes no dataset, series or service.",
        fix="Give what it describes the type dcat:Dataset, dcat:DatasetSeries or dcat:DataService.",
    )
