"""data.json: DCAT-US 1.1 and the JSON of 3.0, and what data.gov.uk takes for it. Every element of its lists is a record."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from catalogue.dcat import (
    IRI,
    Agent,
    Attribution,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    DatasetSeries,
    Distribution,
    Identifier,
    Location,
    Node,
    PeriodOfTime,
    Relationship,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client, Response, looks_like_html
from catalogue.source import HarvestSource, Option, SourceRecord
from harvesters import read
from harvesters.read import Reader, Row, describe, flat, rows, web_address
from vocab.namespaces import ADMS, DCAT, DCATUS, DCT, DQV, FEDCAT, FOAF, ORG, PROV, RDFS, SCHEMA, SKOS

Said = dict[str, Any]
MB = 1 << 20
LARGEST = 16 * MB
DEEPEST = 100


class DataJson:
    """Each dataset, series and service is a record: its bytes, as they stand in the file."""

    name = "data-json"
    title = "data.json (DCAT-US 1.1 and 3.0)"
    sample = "https://www.example.gov.uk/data.json"
    options: tuple[Option, ...] = ()

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        answer = client.get(source.url, accept="application/json, */*;q=0.1")
        seen: dict[Identifier, str] = {}
        for element in Document(readable(answer), answer.url).elements():
            if isinstance(element, Problem):
                yield element
                continue
            identifier, said = identified(element.said)
            if not identifier:
                yield _unnamed(element.where, said)
            elif identifier not in seen:
                seen[identifier] = element.where
                yield SourceRecord(identifier, element.content, "application/json", answer.url, element.where)
                yield from misencoded(element, identifier)
            elif MEMBER not in element.where + seen[identifier]:  # the members of a series may stand in the list as well
                yield _repeated(identifier, seen[identifier], element.where)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:  # noqa: ARG002  no option changes it
        said = parsed(record.content)
        if not isinstance(said, dict):
            raise RecordRejected(_broken(record.where, "It is not a JSON object.").about(record.identifier))
        noun, table = KINDS.get(_kind(said) or _list_of(record.where), KINDS["dataset"])
        yield node(noun, table, said, iri=web_address(said.get("@id")) or web_address(_identifier(said.get("identifier"))))


# -- Fetching -----------------------------------------------------------------------------------------------------------
# A document is never parsed whole: brackets are counted to find where each element of its lists ends, so that one that
# is broken, huge or nested without end costs only itself, and memory holds one element at a time.

LISTS = {"dataset": "dataset", "datasets": "dataset", "service": "service", "datasetSeries": "series", "seriesMember": "dataset"}
MEMBER = ".seriesMember["
CATALOGUES = "catalog"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
TOKEN = re.compile(rb'[\s]*+(' + _STRING + rb'(?:"|\Z)|[{}\[\],:]|[^\s"{}\[\],:]+)', re.DOTALL)
BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb'")*+([{}\[\]])', re.DOTALL)
CLOSES = {b"{": b"}", b"[": b"]"}
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a list: where, its bytes, and what they say."""

    where: str
    content: bytes
    said: Said


class Document:
    """A JSON text, read from its beginning to its end, with a place."""

    def __init__(self, stream: BinaryIO, address: str, path: str = "$") -> None:
        self.stream, self.address, self.path = stream, address, path
        self._text, self._base, self._at, self._ended = b"", 0, 0, False
        self.move(3 if stream.read(3) == b"\xef\xbb\xbf" else 0)

    def elements(self) -> Iterator[Element | Problem]:
        """The elements of every list of records. Raises SourceUnavailable where the text breaks off or is none of ours."""
        opening = self.token()
        if opening == b"[":
            yield from self.list_of(f"{self.path}[")
        elif opening == b"{":
            start = self.place - 1
            keys = yield from self.catalogue(self.path, 0)
            if keys.isdisjoint(LISTS.keys() | {CATALOGUES}):
                if keys.isdisjoint({"distribution", "accessLevel"}):
                    raise self.unavailable("has no list called 'dataset'")
                yield self.element(self.path, start, self.place)
        else:
            raise self.unavailable("is not JSON" if opening else "is empty")

    def catalogue(self, path: str, depth: int) -> Iterator[Element | Problem]:
        ...
