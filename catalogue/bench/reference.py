"""What others need for the same work: a plain line on rdflib, and Whoosh as it comes with its own facets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rdflib
from rdflib.compare import to_isomorphic
from rdflib.namespace import DCAT, RDF
from whoosh import fields, index, sorting
from whoosh.analysis.analyzers import StemmingAnalyzer
from whoosh.qparser.default import MultifieldParser
from whoosh.qparser.plugins import PlusMinusPlugin
from whoosh.query.compound import And, Or
from whoosh.query.qcore import Every
from whoosh.query.terms import Term

from catalogue.bench.machine import Watch, timed
from catalogue.bench.searches import Answered
from catalogue.search import Document, Query
from catalogue.search.filters import FACETS, FILTERS
from catalogue.testing.documents import documents, questions


@dataclass(frozen=True, slots=True)
class Plain:
    """Datasets a second of processor time, new and unchanged."""

    new: float
    unchanged: float


def rdflib_line(pages: Iterable[Path], database: Path) -> Plain:
    """Parse, take each dataset with what hangs below it, hash it whatever its blank nodes are called, keep it in SQLite."""
    rates = []
    with closing(sqlite3.connect(database, isolation_level=None)) as held:
        held.execute("PRAGMA journal_mode=WAL")
        held.execute("CREATE TABLE datasets (iri TEXT PRIMARY KEY, hash TEXT NOT NULL, body BLOB NOT NULL)")
        for _ in range(2):
            count = 0
            with Watch() as watch:
                for page in pages:
                    count += _keep(rdflib.Graph().parse(page, format="turtle"), held)
            rates.append(count / watch.cpu)
    return Plain(*rates)


def _keep(graph: rdflib.Graph, held: sqlite3.Connection) -> int:
    """Every dataset of a page that is new or changed, in one transaction."""
    datasets = list(graph.subjects(RDF.type, DCAT.Dataset))
    held.execute("BEGIN")
    for dataset in datasets:
        own = _cut(graph, dataset)
        digest = str(to_isomorphic(own).internal_hash())  # type: ignore[no-untyped-call]
        known = held.execute("SELECT hash FROM datasets WHERE iri = ?", (str(dataset),)).fetchone()
        if known != (digest,):
            body = own.serialize(format="nt", encoding="utf-8")
            held.execute("INSERT OR REPLACE INTO datasets VALUES (?, ?, ?)", (str(dataset), digest, body))
    held.execute("COMMIT")
    return len(datasets)


def _cut(graph: rdflib.Graph, dataset: Any) -> rdflib.Graph:
    own = rdflib.Graph()
    waiting, seen = [dataset], set()
    while waiting:
        subject = waiting.pop()
        seen.add(subject)
        for triple in graph.triples((subject, None, None)):
            own.add(triple)
            if triple[2] not in seen and not isinstance(triple[2], rdflib.Literal):
                waiting.append(triple[2])
    return own


@dataclass(frozen=True, slots=True)
class Stock:
    """Whoosh's own index and facets: documents a second of processor time, and how long a question takes."""

    build: float
    answered: Answered


TEXTS = {"title": 4.0, "keywords": 2.0, "description": 1.0, "columns": 0.5}
KEYWORDS = fields.KEYWORD(commas=True)
SORTABLE = fields.ID(sortable=True)


def stock_whoosh(folder: Path, size: int, count: int) -> Stock:
    """Index the same made-up documents as the manual shows it, and ask the same questions with `groupedby`."""
    schema = fields.Schema(
        id=fields.ID(stored=True, unique=True),
        modified=fields.ID(sortable=True),
        **{name: fields.TEXT(StemmingAnalyzer(), field_boost=boost) for name, boost in TEXTS.items()},
        **{each.parameter: KEYWORDS if each.many else SORTABLE for each in FILTERS},
    )
    folder.mkdir(parents=True)
    made = index.create_in(str(folder), schema)
    with Watch() as watch, made.writer(limitmb=256) as writer:
        for document in documents(size):
            writer.add_document(**dict(_stated(document)))
    parser = MultifieldParser(list(TEXTS), schema)
    parser.add_plugin(PlusMinusPlugin())  # type: ignore[no-untyped-call]
    facets = sorting.Facets()
    for each in FILTERS:
        if each.parameter in FACETS:
            facets.add_field(each.parameter, allow_overlap=each.many)
    with made.searcher() as searcher:
        asked = list(questions(count, size))
        return Stock(size / watch.cpu, Answered.of([timed(_answer, searcher, parser, facets, each) for each in asked]))


def _stated(document: Document) -> Iterator[tuple[str, str]]:
    yield "id", document.id
    yield "modified", document.modified
    for name in TEXTS:
        said = getattr(document, name)
        yield name, said if isinstance(said, str) else " ".join(said)
    for each in FILTERS:
        yield each.parameter, ",".join(each.values(document))


def _answer(searcher: Any, parser: Any, facets: Any, asked: Query) -> None:
    """One page with every facet."""
    wanted = parser.parse(asked.words) if asked.words else Every()  # type: ignore[no-untyped-call]
    chosen = [Or([Term(name, value) for value in values]) for name, values in asked.filters.items()]
    searcher.search_page(
        wanted,
        asked.page,
        pagelen=asked.per_page,
        filter=And(chosen) if chosen else None,
        groupedby=facets,
        sortedby=asked.sort.replace("updated", "modified") if asked.sort == "updated" else None,
    )
