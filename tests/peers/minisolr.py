"""One Solr core in memory, as much of it as CKAN 2.12 asks for, so that the peer tests need no Java.

    tests/.run/ckan/bin/python tests/peers/minisolr.py PORT

Field types, stored fields and copies are those of CKAN's own schema.xml, which it also serves. What a real Solr has and
this has not: scores, stemming, edismax, cursors. A plain search (`dismax`) wants all of its words.
"""

import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

from flask import Flask, Response, jsonify, request
from luqum import tree
from luqum.exceptions import ParseError
from luqum.parser import parser
from werkzeug.serving import make_server

SCHEMA = Path(find_spec("ckan").origin).parent / "config" / "solr" / "schema.xml"
WORDS = {"text", "text_general", "text_ngram"}  # the types that match word by word; the others match whole
KEY = "index_id"
DEFAULT_FIELD = "text"

Document = dict[str, list]
Test = Callable[[Document], bool]


class Schema:
    """What CKAN's schema says of each field: its type, whether it is given back or repeats, where it is copied."""

    def __init__(self, path: Path) -> None:
        root = ElementTree.parse(path).getroot()
        self.fields = {field.get("name"): field.attrib for field in root.iter("field")}
        self.patterns = [(re.compile(translate(each.get("name"))), each.attrib) for each in root.iter("dynamicField")]
        self.copies = [(re.compile(translate(copy.get("source"))), copy.get("dest")) for copy in root.iter("copyField")]

    def field(self, name: str) -> dict[str, str]:
        return self.fields.get(name) or next(field for pattern, field in self.patterns if pattern.match(name))

    def by_words(self, name: str) -> bool:
        return self.field(name)["type"] in WORDS

    def document(self, said: dict) -> Document:
        """What was sent, every value in a list, with the schema's copies; `url` reaches `text` through `urls`."""
        document = {name: listed(value) for name, value in said.items() if value is not None}
        for source, dest in self.copies:
            for name in [name for name in document if source.match(name) and name != dest]:
                document[dest] = [*document.get(dest, ()), *document[name]]
        return document

    def stored(self, document: Document, wanted: set[str]) -> dict:
        """The fields to give back: lists where the schema says so, one value elsewhere."""
        return {
            name: values if self.field(name).get("multiValued") == "true" else values[0]
            for name, values in document.items()
            if values and self.field(name)["stored"] == "true" and (name in wanted or "*" in wanted)
        }


class Core:
    """The documents, by key."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.documents: dict[str, Document] = {}

    def add(self, said: Iterable[dict]) -> None:
        for each in said:
            self.documents[each[KEY]] = self.schema.document(each)

    def delete(self, *, keys: Iterable[str] = (), queries: Iterable[str] = ()) -> None:
        doomed = set(keys).union(*(map(itemkey, self.matching([query])) for query in queries))
        self.documents = {key: document for key, document in self.documents.items() if key not in doomed}

    def matching(self, queries: Iterable[str], plain: str | None = None) -> list[Document]:
        tests = [Lucene(self.schema).test(query) for query in queries]
        if plain is not None:
            tests.append(plain_test(plain))
        return [document for document in self.documents.values() if all(test(document) for test in tests)]


def listed(value: object) -> list:
    return list(value) if isinstance(value, list) else [value]


def itemkey(document: Document) -> str:
    return document[KEY][0]


def words(value: object) -> list[str]:
    return re.findall(r"\w+", str(value).casefold())


def plain_test(text: str) -> Test:
    """A search without fields or operators, as a person types it."""
    wanted = set(words(text))
    return lambda document: wanted <= {word for value in document.get(DEFAULT_FIELD, ()) for word in words(value)}


def everything(document: Document) -> bool:
    return True


def instant(text: str) -> str:
    """A bound of a range: a value as it is, or Solr's NOW with days or hours taken away."""
    found = re.fullmatch(r"NOW(?:-(\d+)(DAYS?|HOURS?))?", text)
    if not found:
        return text.strip('"').replace("\\", "")
    count, unit = int(found[1] or 0), "days" if (found[2] or "").startswith("DAY") else "hours"
    return (datetime.now(UTC) - timedelta(**{unit: count})).strftime("%Y-%m-%dT%H:%M:%SZ")


class Lucene:
    """Lucene's query language, from luqum's tree to a test of one document; words side by side are joined by AND."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def test(self, query: str) -> Test:
        query = re.sub(r"^\{![^}]*\}", "", query).strip()
        return everything if query in ("", "*:*", "*") else self.compile(parser.parse(query), DEFAULT_FIELD)

    def compile(self, node: tree.Item, field: str) -> Test:
        for kind, make in self.KINDS.items():
            if isinstance(node, kind):
                return make(self, node, field)
        raise ValueError(f"A query cannot hold a {type(node).__name__} here")

    def named(self, node: tree.SearchField, field: str) -> Test:
        return everything if node.name == "*" else self.compile(node.expr, node.name)

    def inside(self, node: tree.Item, field: str) -> Test:
        return self.compile(node.children[0], field)

    def negated(self, node: tree.Item, field: str) -> Test:
        inner = self.compile(node.children[0], field)
        return lambda document: not inner(document)

    def every(self, node: tree.Item, field: str) -> Test:
        parts = [self.compile(part, field) for part in node.children]
        return lambda document: all(part(document) for part in parts)

    def some(self, node: tree.Item, field: str) -> Test:
        parts = [self.compile(part, field) for part in node.children]
        return lambda document: any(part(document) for part in parts)

    def between(self, node: tree.Range, field: str) -> Test:
        low, high = instant(str(node.low).strip()), instant(str(node.high).strip())
        above = {True: str.__ge__, False: str.__gt__}[node.include_low]
        below = {True: str.__le__, False: str.__lt__}[node.include_high]

        def within(value: object) -> bool:
            return (low == "*" or above(str(value), low)) and (high == "*" or below(str(value), high))

        return lambda document: any(map(within, document.get(field, ())))

    def phrase(self, node: tree.Phrase, field: str) -> Test:
        said = re.sub(r"\\(.)", r"\1", node.value[1:-1])
        if not self.schema.by_words(field):
            return lambda document: said in map(str, document.get(field, ()))
        spaced = f" {' '.join(words(said))} "
        return lambda document: any(spaced in f" {' '.join(words(v))} " for v in document.get(field, ()))

    def word(self, node: tree.Word, field: str) -> Test:
        if node.has_wildcard():
            pattern = re.compile(translate(node.value.casefold() if self.schema.by_words(field) else node.value))
            return lambda document: any(map(pattern.match, self.tokens(document, field)))
        said = re.sub(r"\\(.)", r"\1", node.value)
        wanted = set(words(said)) if self.schema.by_words(field) else {said}
        return lambda document: wanted <= set(self.tokens(document, field))

    def tokens(self, document: Document, field: str) -> list[str]:
        values = document.get(field, ())
        return [w for v in values for w in words(v)] if self.schema.by_words(field) else [str(v) for v in values]

    KINDS: ClassVar = {
        tree.SearchField: named,
        tree.Word: word,
        tree.Phrase: phrase,
        tree.Range: between,
        tree.OrOperation: some,
        (tree.AndOperation, tree.UnknownOperation, tree.BoolOperation): every,
        (tree.Not, tree.Prohibit): negated,
        (tree.Group, tree.FieldGroup, tree.Boost, tree.Fuzzy, tree.Proximity, tree.Plus): inside,
    }


def ordered(documents: list[Document], sort: str) -> list[Document]:
    """By the last field first, as a stable sort wants it; all documents have the same score."""
    for part in reversed([part for part in sort.split(",") if part.strip()]):
        field, _, direction = part.strip().partition(" ")
        if direction not in ("asc", "desc"):
            raise ValueError(f"Can't determine a Sort Order (asc or desc) in sort spec '{sort}'")
        if field != "score":
            documents = sorted(documents, key=lambda d: str((d.get(field) or [""])[0]), reverse=direction == "desc")
    return documents


def counted(documents: list[Document], field: str, limit: int) -> list:
    """A facet as Solr writes it: value, count, value, count, the most frequent first."""
    counts = Counter(value for document in documents for value in document.get(field, ()))
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [part for pair in (pairs if limit < 0 else pairs[:limit]) for part in pair]


def make_app(core: Core) -> Flask:
    app = Flask(__name__)
    app.url_map.strict_slashes = False
    turn = threading.Lock()

    @app.errorhandler(ValueError)
    @app.errorhandler(ParseError)
    def refuse(error: Exception) -> tuple[Response, int]:
        return jsonify(error={"msg": str(error), "code": 400}), 400

    @app.route("/solr/ckan/select", methods=["GET", "POST"])
    def select() -> Response:
        said, query = request.values, request.values.get("q", "*:*")
        plain = said.get("defType") == "dismax" and query != "*:*"
        filters = said.getlist("fq") + ([] if plain else [query])
        with turn:
            found = ordered(core.matching(filters, query if plain else None), said.get("sort", ""))
        start, wanted = int(said.get("start", 0)), set(re.split(r"[\s,]+", said.get("fl", "*")))
        page = found[start : start + int(said.get("rows", 10))]
        limit = int(said.get("facet.limit", 100))
        facets = {name: counted(found, name, limit) for name in said.getlist("facet.field")}
        return jsonify(
            responseHeader={"status": 0},
            response={"numFound": len(found), "start": start, "docs": [core.schema.stored(d, wanted) for d in page]},
            facet_counts={"facet_fields": facets},
        )

    @app.post("/solr/ckan/update")
    def update() -> Response:
        with turn:
            if request.is_json:
                core.add(request.get_json())
            else:
                order = ElementTree.fromstring(request.get_data())  # <delete> or <commit/>; what is added comes as JSON
                core.delete(keys=(i.text for i in order.iter("id")), queries=(q.text for q in order.iter("query")))
        return jsonify(responseHeader={"status": 0})

    @app.get("/solr/ckan/schema")
    def schema() -> Response:
        return Response(SCHEMA.read_bytes(), mimetype="text/xml")

    return app


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), make_app(Core(Schema(SCHEMA))), threaded=True).serve_forever()
