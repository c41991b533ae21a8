"""Any catalogue that speaks DCAT in RDF, another fedcat included: one file, or pages that lead to each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit

from catalogue import rdf
from catalogue.dcat import IRI, DataService, Identifier, Literal, Node, Resource, Text, words
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Response
from catalogue.source import FIRST, Fetched, HarvestSource, Option, PageEnd, SourceRecord, Visit, page_end
from harvesters.read import moment
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
        Option(
            "changed_parameter",
            "the parameter that asks for what changed since a moment, where there is one: 'modified_since'",
        ),
        Option("format", "the media type to read it as, where the server's own is wrong"),
    )

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        """Page after page. A page that cannot be read whole, repeats another or leads back ends the run as incomplete."""
        damaged, found, said = 0, len(visit.seen), 0
        for page in pages(source, client, visit):
            if isinstance(page, PageEnd):
                found += len(page.held)
                yield page
                continue
            for problem in page.reader.graph.problems:
                damaged += problem.severity == "error"
                yield problem.about("", page.address)
            for record in records(page):
                found += 1
                yield record
            if page.end.next or page.end.at:  # a single page has all there is
                said = max(said, page.total)  # one taken away moves up those behind it, and each page counts those left
            yield page.end
        if damaged:
            raise SourceUnavailable(
                f"{damaged} statements of {source.url} cannot be read, so what is missing may only be damaged.",
                fix="Mend the lines that the other problems name; until then nothing is withdrawn.",
                address=source.url,
                rule="damaged",
            )
        if found < said:
            raise SourceUnavailable(
                f"{source.url} says that it has {said:,} descriptions, and its pages gave {found:,}: it changed meanwhile.",
                fix="Harvest it again. If that lasts, ask its owner whether pages leave something out.",
                address=source.url,
                rule="source-incomplete",
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
    """One page of a catalogue: where it came from, what it says, and how many descriptions all pages have, if it says so."""

    address: str
    reader: rdf.Reader
    total: int
    end: PageEnd


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


def pages(source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Page | PageEnd]:
    """Every page of a source, once; of those that are as they were, only the end. Cursors are the pages' addresses.

    Raises SourceUnavailable when the pages lead in a circle, or when the server gives the same page for every number.
    """
    numbered, changed = source.option("page_parameter"), source.option("changed_parameter")
    only_changes = bool(changed and visit.since)
    start = _with(source.url, changed, earlier(visit.since)) if only_changes else source.url
    first = _with(start, numbered, 1) if numbered else start
    asked: set[str] = set()
    seen: set[str] = set(visit.seen)
    at, mark = visit.cursor, ""
    number = int(at.rpartition("=")[2]) if at and numbered else 1
    while len(asked) < MAX_PAGES:
        address = at or first
        asked.add(urldefrag(address)[0])
        before = FIRST if only_changes else visit
        answer = before.get(client, address, at, accept=rdf.ACCEPT)
        mark = mark or (moment(answer.headers.get("Date", "")) if changed and not isinstance(answer, PageEnd) else "")
        if isinstance(answer, PageEnd):
            page: Page | PageEnd = answer
            described, following = set(answer.held), answer.next
            if described and described <= seen:
                raise _going_round(address, "gives what an earlier page gave")
        else:
            reader, named, total = read(answer, source.option("format"))
            described = {subject for subject in reader.resources if not subject.startswith("_:")}
            if described and described <= seen:
                raise _going_round(address, "gives what an earlier page gave")
            if numbered and not reader.resources:
                return
            asked.add(urldefrag(answer.url)[0])
            if urldefrag(named)[0] in asked and 0 < total <= len(seen | described):
                named = ""  # all has been read, so this is a last page that names itself
            following = _with(start, numbered, number + 1) if numbered else named
            end = replace(page_end(answer, at, following, mark), changes_only=only_changes)
            page = Page(answer.url, reader, total, end)
        seen |= described
        yield page
        if not following:
            return
        if urldefrag(following)[0] in asked:
            raise _going_round(following, "is named as the next page after it was read already")
        at, number = following, number + 1


def read(response: Response, format_: str) -> tuple[rdf.Reader, str, int]:
    """What a page says, the address of the one after it, and how many descriptions all have together; 0 when it does not say."""
    graph = rdf.graph(response.open(), format_ or response.content_type, charset=response.charset, base=response.url)
    totals = [_word(value) for _, value in graph.under(HYDRA.totalItems)]
    total = max((int(word) for word in totals if word.isdecimal()), default=0)
    return rdf.Reader(graph), next_page(graph, response), total


OVERLAP = timedelta(hours=1)
"""Asked for twice, so that nothing slips between two visits."""


def earlier(mark: str) -> str:
    return (datetime.fromisoformat(mark) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%SZ")


def next_page(graph: rdf.Graph, response: Response) -> str:
    """The page after this one, as hydra, LDP, ActivityStreams or the Link header name it. "" on the last."""
    named = {predicate: _word(value) for predicate, value in graph.under(*NEXT)}
    found = next((named[p] for p in NEXT if named.get(p)), "") or linked(response.headers.get("Link", ""))
    return urljoin(response.url, found) if found else ""


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


def _with(address: str, parameter: str, value: int | str) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode({parameter: value})}"


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
