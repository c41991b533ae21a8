"""The whole catalogue as one file, written as it is read: memory stays the same however large it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from catalogue import rdf
from catalogue.dcat import words
from catalogue.errors import WrongUse
from catalogue.facts import facts
from catalogue.feeds.catalog import catalog_node, dataset_nodes, record_node
from catalogue.feeds.data_json import dataset_json
from catalogue.rdf.write import TURTLE_HEADER
from catalogue.settings import Settings
from catalogue.store import Entry, Store

TOGETHER = 50

Portions = Iterator[tuple[rdf.Writable, ...]]


def export(
    store: Store, settings: Settings, format_: str, file: BinaryIO, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Write every current entry; the number of entries. Raises WrongUse for a format that we do not write."""
    if format_ not in EXPORTS:
        raise WrongUse(f"There is no export called '{format_}'. Choose one of: {', '.join(EXPORTS)}.")
    count = 0

    def counted() -> Iterator[Entry]:
        nonlocal count
        for count, entry in enumerate(store.datasets.each(), start=1):
            yield entry
            progress(count)

    for piece in EXPORTS[format_](counted(), settings):
        file.write(piece)
    return count


def _turtle(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    yield TURTLE_HEADER.encode()
    yield rdf.turtle([catalog_node(settings, [])], header=False)
    for nodes in _portions(entries, settings):
        yield b"\n" + rdf.turtle(nodes, header=False)


def _ntriples(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    yield rdf.ntriples([catalog_node(settings, [])])
    for nodes in _portions(entries, settings):
        yield rdf.ntriples(nodes)


def _nquads(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    """Each dataset's statements in a graph named by its catalogue record. Only the ends of lines change."""
    for entry in entries:
        said = entry.body + b"\n" + rdf.ntriples([record_node(entry, settings.base_url)])
        yield said.replace(b" .\n", f" <{settings.base_url}/record/{entry.id}> .\n".encode())


def _rdfxml(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    """One document from many: the first portion gives the head, each gives its elements, the end closes."""
    head, _, first = rdf.rdfxml([catalog_node(settings, [])]).partition(b"<rdf:RDF")
    root, _, rest = first.partition(b">")
    yield head + b"<rdf:RDF" + root + b">" + _inside(rest)
    for nodes in _portions(entries, settings):
        yield _inside(rdf.rdfxml(nodes).partition(b"<rdf:RDF")[2].partition(b">")[2])
    yield b"</rdf:RDF>\n"


def _inside(elements: bytes) -> bytes:
    return elements.rpartition(b"</rdf:RDF>")[0]


def _jsonld(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    yield b'{"@context":' + _json(rdf.context()) + b',"@graph":[\n' + _json(rdf.framed(catalog_node(settings, [])))
    for entry in entries:
        yield b"".join(b",\n" + _json(rdf.framed(node)) for node in dataset_nodes(entry, settings))
    yield b"\n]}\n"


def _data_json(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    """DCAT-US 1.1; services have no place in it."""
    head = {
        "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
        "@id": f"{settings.base_url}/data.json",
        "@type": "dcat:Catalog",
        "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
        "describedBy": "https://project-open-data.cio.gov/v1.1/schema/catalog.json",
    }
    yield _json(head)[:-1] + b',"dataset":[\n'
    separator = b""
    for entry in entries:
        if entry.row.kind != "service":
            yield separator + _json(dataset_json(entry))
            separator = b",\n"
    yield b"\n]}\n"


COLUMNS = (
    "id", "iri", "kind", "title", "description", "organisation", "access", "licence", "formats", "themes", "frequency",
    "modified", "keywords", "sources", "page",
)  # fmt: skip


def _csv(entries: Iterator[Entry], settings: Settings) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + csv_line(COLUMNS)  # the mark tells spreadsheets that this is UTF-8
    for entry in entries:
        said = facts(entry.resource)
        formats, themes, keywords = map("; ".join, (said.formats, said.themes, said.keywords))
        sources = "; ".join(dict.fromkeys(route.source for route in entry.routes))
        page = f"{settings.base_url}/dataset/{entry.id}"
        yield csv_line(
            (
                entry.id, entry.iri, entry.row.kind, said.title, words(entry.resource.descriptions), entry.row.organisation,
                said.access, said.licence, formats, themes, said.frequency, said.modified, keywords, sources, page,
            )
        )  # fmt: skip


def csv_line(cells: Iterable[str]) -> bytes:
    """One row. A cell that a spreadsheet would take for a formula is given a quote, so that it stays words."""
    written = io.StringIO()
    csv.writer(written).writerow(f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells)
    return written.getvalue().encode()


def _portions(entries: Iterator[Entry], settings: Settings) -> Portions:
    waiting: list[rdf.Writable] = []
    for number, entry in enumerate(entries, start=1):
        waiting += dataset_nodes(entry, settings)
        if number % TOGETHER == 0:
            yield tuple(waiting)
            waiting = []
    if waiting:
        yield tuple(waiting)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


EXPORTS: dict[str, Callable[[Iterator[Entry], Settings], Iterator[bytes]]] = {
    "ttl": _turtle,
    "nt": _ntriples,
    "nq": _nquads,
    "jsonld": _jsonld,
    "rdf": _rdfxml,
    "data.json": _data_json,
    "csv": _csv,
}
