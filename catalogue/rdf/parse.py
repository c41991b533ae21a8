"""Bytes of any RDF syntax become a graph, dirty ones too: what cannot be read is reported and the rest is kept."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import pyoxigraph as ox

from catalogue.dcat import IRI, Literal, Number, Text, When
from catalogue.errors import Problem, SourceUnavailable
from vocab.namespaces import RDF, XSD

FORMATS: dict[str, ox.RdfFormat] = {
    "text/turtle": ox.RdfFormat.TURTLE,
    "application/x-turtle": ox.RdfFormat.TURTLE,
    "text/n3": ox.RdfFormat.N3,
    "text/rdf+n3": ox.RdfFormat.N3,
    "application/rdf+xml": ox.RdfFormat.RDF_XML,
    "application/ld+json": ox.RdfFormat.JSON_LD,
    "application/n-triples": ox.RdfFormat.N_TRIPLES,
    "application/n-quads": ox.RdfFormat.N_QUADS,
    "application/trig": ox.RdfFormat.TRIG,
}
ACCEPT = "text/turtle, application/ld+json;q=0.9, application/rdf+xml;q=0.8, application/n-triples;q=0.7, */*;q=0.1"

MAX_ERRORS = 1000
MAX_ENTITY_GROWTH = 10_000_000
"""How many characters the entities of an XML file may add, together."""

DATES = frozenset({XSD.gYear, XSD.gYearMonth, XSD.date, XSD.dateTime})
NUMBERS = frozenset(
    XSD[name]
    for name in (
        "integer",
        "decimal",
        "double",
        "float",
        "nonNegativeInteger",
        "positiveInteger",
        "int",
        "long",
        "short",
    )
)

BlankNode = ox.BlankNode
Term = IRI | Text | Literal | BlankNode
Pairs = list[tuple[str, Term]]


@dataclass(slots=True)
class Graph:
    """Statements by subject. A subject is an address, or "_:" and a label for a blank node."""

    subjects: dict[str, Pairs] = field(default_factory=lambda: defaultdict(list))
    problems: list[Problem] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """How many there are."""
        return sum(map(len, self.subjects.values()))

    def of(self, subject: str) -> Pairs:
        """What is said of a subject; nothing when it is not described."""
        return self.subjects.get(subject, [])

    def typed(self, *types: str) -> Iterator[str]:
        """Subjects with one of these types, in the order of the file."""
        wanted = set(types)
        for subject, pairs in self.subjects.items():
            if any(p == RDF.type and o in wanted for p, o in pairs):
                yield subject


def graph(data: bytes, media_type: str = "", *, charset: str | None = None, base: str | None = None) -> Graph:
    """Read a document. Problems of single statements are kept in `.problems`.

    Raises SourceUnavailable when it is no RDF at all: a web page, an empty answer, a file whose errors outnumber its facts,
    or an XML file that would grow without bound.
    """
    syntax = sniff(data, media_type)
    result = Graph()
    data = _decoded(data, syntax, charset, result.problems)
    if syntax is ox.RdfFormat.RDF_XML:
        _refuse_entity_bombs(data)
    if syntax is ox.RdfFormat.JSON_LD:
        data = _with_safe_contexts(data, result.problems)
    _collect(data, syntax, base, result)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if len(errors) > max(3, result.statements):
        raise SourceUnavailable(
            f"This is not {syntax.name}: {len(errors)} errors and {result.statements} facts. First: {errors[0].message}",
            fix="Check that the address leads to the catalogue itself, and that its media type is right.",
            rule="not-rdf",
        )
    return result


def sniff(data: bytes, media_type: str = "") -> ox.RdfFormat:
    """Which syntax a document is in: by looking, else by its media type. Raises SourceUnavailable for anything else."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").lower().replace(b"\x00", b"")
    if not head:
        raise SourceUnavailable(
            "The answer is empty.", fix="Ask the source's owner what happened to it.", rule="empty-answer"
        )
    if re.match(rb"(<!doctype html|<html)", head) or b"<html" in head[:600]:
        raise SourceUnavailable(
            "The answer is a web page, not a catalogue.",
            fix="Look for the address of the catalogue file itself; the page may also be asking for a log-in.",
            rule="web-page",
        )
    if re.match(rb"<\?xml|<rdf:rdf|<!doctype rdf|<!--|<[a-z]+:rdf\b", head):
        return ox.RdfFormat.RDF_XML
    declared = FORMATS.get(media_type.split(";")[0].strip().lower())
    if head[:1] == b"{" or (head[:1] == b"[" and not re.match(rb"\[\s*(a |\]|<)", head)):
        return ox.RdfFormat.TRIG if declared is ox.RdfFormat.TRIG else ox.RdfFormat.JSON_LD
    if declared not in (None, ox.RdfFormat.RDF_XML, ox.RdfFormat.JSON_LD):
        return declared
    return ox.RdfFormat.TURTLE  # N-Triples is Turtle; TriG is only told by its media type or its braces


def _decoded(data: bytes, syntax: ox.RdfFormat, charset: str | None, problems: list[Problem]) -> bytes:
    """The document as UTF-8: byte order mark, then the server's word, then the XML declaration (RFC 7303), then a guess."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            charset = name
            break
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']", data[:200].lstrip())
    if syntax is ox.RdfFormat.RDF_XML and declared:
        charset = charset or declared[1].decode("ascii")
    try:
        text = data.decode(charset or "utf-8")
    except (UnicodeDecodeError, LookupError):
        text = data.decode("cp1252", errors="replace")
        problems.append(
            Problem(
                rule="encoding",
                severity="warning",
                message=f"The file is not in {charset or 'UTF-8'}, as it should be; read as Windows-1252 instead.",
                fix="Save the file as UTF-8 and send it with 'charset=utf-8'.",
            )
        )
    if syntax is ox.RdfFormat.RDF_XML:
        text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
    return text.encode("utf-8", errors="replace")


def _refuse_entity_bombs(data: bytes) -> None:
    """Entities may abbreviate addresses; they may not contain each other, nor grow the file past a bound."""
    head = data[: data.find(b"]>") + 2] if b"<!DOCTYPE" in data[:4096] else b""
    declared = re.findall(rb"<!ENTITY\s+(%\s+)?(\S+)\s+(?:SYSTEM|PUBLIC|[\"']([^\"']*)[\"'])", head)
    growth = sum(len(value) * data.count(b"&" + name + b";") for _, name, value in declared)
    nested = any(re.search(rb"&(?!#|amp;|lt;|gt;|quot;|apos;)", value) or parameter for parameter, _, value in declared)
    if nested or growth > MAX_ENTITY_GROWTH:
        raise SourceUnavailable(
            "The XML declares entities that contain each other or grow without bound; it was not read.",
            fix="Write the values out instead of declaring entities.",
            rule="xml-entities",
        )


def _with_safe_contexts(data: bytes, problems: list[Problem]) -> bytes:
    """JSON-LD with every remote context replaced by our own: nothing a document names is ever fetched."""
    try:
        document = json.loads(data)
    except RecursionError as wrong:
        raise SourceUnavailable(
            "The JSON is nested too deep to read.",
            fix="Flatten it; a catalogue needs fewer than 50 levels.",
            rule="too-deep",
        ) from wrong
    except ValueError as wrong:
        raise SourceUnavailable(
            f"This is not JSON: {wrong}.", fix="Check the file with any JSON checker.", rule="not-json"
        ) from wrong
    remote: set[str] = set()
    safe = _safe(document, remote)
    problems.extend(
        Problem(
            rule="remote-context",
            severity="warning",
            message=f"The document names the context {address}, which is never fetched; DCAT's own terms were used instead.",
            fix="Write the context into the document.",
            found=address,
        )
        for address in sorted(remote)
    )
    return json.dumps(safe).encode() if remote else data


def _safe(value: Any, remote: set[str]) -> Any:
    if isinstance(value, list):
        return [_safe(item, remote) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _safe_context(held, remote) if key == "@context" else _safe(held, remote)
        for key, held in value.items()
        if key != "@import"
    }


def _safe_context(held: Any, remote: set[str]) -> Any:
    from catalogue.rdf.write import context  # the one cycle: our context stands in for those we refuse to fetch

    if isinstance(held, str):
        remote.add(held)
        return context()
    if isinstance(held, list):
        return [_safe_context(item, remote) for item in held]
    return _safe(held, remote)


def _collect(data: bytes, syntax: ox.RdfFormat, base: str | None, result: Graph) -> None:
    """Every statement under its subject."""
    subjects, unmapped = result.subjects, dict[str, None]()
    for subject, predicate, value, _ in _quads(data, syntax, base, result):
        said = _address(predicate)
        if ":" not in said:  # what JSON-LD gives for words without a meaning
            unmapped[said] = None
            continue
        term = literal(value) if isinstance(value, ox.Literal) else _term(value)
        subjects[key(subject)].append((said, term))
    result.problems.extend(map(_unmapped, unmapped))


def _quads(data: bytes, syntax: ox.RdfFormat, base: str | None, result: Graph) -> Iterator[ox.Quad]:
    """The statements one by one; after a syntax error the parser goes on at the next one it understands."""
    reader = ox.parse(data, format=syntax, base_iri=_usable_base(base), lenient=True)
    while True:
        try:
            yield from reader
            return
        except (SyntaxError, ValueError) as wrong:
            if syntax is ox.RdfFormat.JSON_LD and not result.subjects:
                raise SourceUnavailable(
                    f"The JSON-LD cannot be read: {wrong}.", fix="Mend its context.", rule="json-ld"
                ) from wrong
            result.problems.append(_syntax_problem(wrong))
            if len(result.problems) >= MAX_ERRORS or syntax is ox.RdfFormat.JSON_LD:
                return


def _syntax_problem(wrong: Exception) -> Problem:
    line = getattr(wrong, "lineno", None)
    return Problem(
        rule="syntax",
        message=f"A statement cannot be read: {wrong}.",
        where=f"line {line}" if line else "",
        fix="Mend this line; the record that it belongs to may be read in part only.",
    )


def _unmapped(predicate: str) -> Problem:
    return Problem(
        rule="unmapped-term",
        severity="warning",
        message=f"'{predicate}' has no meaning in this document's context; it was left out.",
        fix="Add it to the context, or use a DCAT term.",
        found=predicate,
    )


def _usable_base(base: str | None) -> str:
    """What relative addresses are relative to; without one they would name nothing, and other readers stop at them."""
    return repaired(base) if base and base.startswith(("http://", "https://")) else "http://relative.invalid/"


_ILLEGAL = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


def repaired(address: str) -> str:
    """An address with the characters percent-encoded that no IRI may hold (RFC 3987 §2.2)."""
    return _ILLEGAL.sub(lambda m: f"%{ord(m[0]):02X}", address.strip())


# the same few thousand names fill a whole catalogue


@lru_cache(maxsize=20_000)
def key(subject: Any) -> str:
    """How a Graph names a subject: a NamedNode or a BlankNode."""
    return "_:" + subject.value if isinstance(subject, BlankNode) else repaired(subject.value)


@lru_cache(maxsize=20_000)
def _address(predicate: Any) -> str:
    return str(predicate.value)


@lru_cache(maxsize=20_000)
def _term(term: Any) -> Term:
    if isinstance(term, ox.NamedNode):
        return IRI(repaired(term.value))
    assert isinstance(term, BlankNode)
    return term


def literal(said: ox.Literal) -> Text | Literal:
    """The noun for a literal: words, a date, a number, or something typed otherwise."""
    value = without_nul(said.value)
    if lang := said.language:
        return Text(value, lang.replace("_", "-").lower())
    return noun_of(said.datatype.value)(value)


def without_nul(words: str) -> str:
    """No database keeps it, and no reader sees it."""
    return words.replace("\x00", "") if "\x00" in words else words


@lru_cache(maxsize=1000)
def noun_of(datatype: str) -> Callable[[str], Text | Literal]:
    """What values of a datatype become."""
    if datatype in (XSD.string, RDF.langString):
        return Text
    if datatype.startswith("xsd:"):  # a prefix that the document forgot to declare
        datatype = str(XSD) + datatype[4:]
    return partial(When if datatype in DATES else Number if datatype in NUMBERS else Literal, datatype=IRI(datatype))
