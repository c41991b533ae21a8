"""Bytes of any RDF syntax become a graph, dirty ones too: what cannot be read is reported and the rest is kept."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pyoxigraph as ox

from catalogue.errors import Problem, SourceUnavailable
from catalogue.rdf.terms import Term as Term
from catalogue.rdf.terms import absolute, mended, repaired, subject_of, term, token_of
from vocab.namespaces import DCAT

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

SMALL = 16_000_000
"""Bytes of a document that is read in one go: as N-Triples, which oxigraph writes faster than Python looks at a statement."""
MAX_ERRORS = 1000
MAX_ENTITY_GROWTH = 10_000_000
"""How many characters the entities of an XML file may add, together."""

INVERSE = "isDistributionOf"

Tokens = list[tuple[str, str]]
Pairs = list[tuple[str, Term]]


@dataclass(slots=True)
class Graph:
    """Statements by subject, every term as N-Triples writes it: most are only handed on, and need not be understood."""

    said: dict[str, Tokens] = field(default_factory=lambda: defaultdict(list))
    problems: list[Problem] = field(default_factory=list)

    @property
    def statements(self) -> int:
        """How many there are."""
        return sum(map(len, self.said.values()))

    @property
    def subjects(self) -> dict[str, Pairs]:
        """Every statement read, by subject: an address, or "_:" and a label for a blank node."""
        return {subject_of(token): self.of(subject_of(token)) for token in self.said}

    def of(self, subject: str) -> Pairs:
        """What is said of a subject; nothing when it is not described."""
        return [(subject_of(predicate), term(value)) for predicate, value in self.said.get(token_of(subject), [])]

    def under(self, *predicates: str) -> Pairs:
        """What is said under these predicates, of whatever subject."""
        wanted = set(map(token_of, predicates))
        found = [pair for pairs in self.said.values() for pair in pairs if pair[0] in wanted]
        return [(subject_of(predicate), term(value)) for predicate, value in found]


def graph(data: bytes, media_type: str = "", *, charset: str | None = None, base: str | None = None) -> Graph:
    """Read a document. Problems of single statements are kept in `.problems`.

    Raises SourceUnavailable when it is no RDF at all: a web page, an empty answer, a file whose errors outnumber its facts,
    or an XML file that would grow without bound.
    """
    syntax = sniff(data, media_type)
    problems: list[Problem] = []
    data = _decoded(data, syntax, charset, problems)
    if syntax is ox.RdfFormat.RDF_XML:
        _refuse_entity_bombs(data)
    if syntax is ox.RdfFormat.JSON_LD:
        data = _with_safe_contexts(data, problems)
    result = _read(data, syntax, base)
    result.problems[:0] = problems
    if INVERSE.encode() in data:
        _say_directly(result)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if len(errors) > max(3, result.statements):
        raise SourceUnavailable(
            f"This is not {syntax.name}: {len(errors)} errors and {result.statements} facts. First: {errors[0].message}",
            fix="Check that the address leads to the catalogue itself, and that its media type is right.",
            rule="not-rdf",
        )
    return result


def _say_directly(result: Graph) -> None:
    """A file that says which dataset it belongs to is one of that dataset's files, also where the dataset does not say so."""
    for subject, pairs in list(result.said.items()):
        for predicate, value in pairs:
            direct = (f"<{DCAT.distribution}>", subject)
            if predicate == f"<{DCAT[INVERSE]}>" and value in result.said and direct not in result.said[value]:
                result.said[value].append(direct)


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


def _read(data: bytes, syntax: ox.RdfFormat, base: str | None) -> Graph:
    """What a document states: in one go where it is small and clean, else statement by statement."""
    if len(data) < SMALL:
        try:
            written = ox.serialize(_parser(data, syntax, base), format=ox.RdfFormat.N_TRIPLES) or b""
            return Graph(split(written.decode().removesuffix("\n")))
        except (SyntaxError, ValueError):  # of which a graph with a name is one
            pass
    result = Graph()
    unmapped: dict[str, None] = {}
    quoting = 0
    for subject, predicate, value, _ in _quads(_parser(data, syntax, base), syntax, result.problems):
        if isinstance(value, ox.Triple):  # a statement about a statement
            quoting += 1
        elif ":" not in predicate.value:  # what JSON-LD gives for words without a meaning
            unmapped[predicate.value] = None
        else:
            result.said[_token(subject)].append((_token(predicate), _token(value)))
    result.problems += map(_unmapped, unmapped)
    result.problems += [_quoting(quoting)] if quoting else []
    return result


def _parser(data: bytes, syntax: ox.RdfFormat, base: str | None) -> ox.QuadParser:
    return ox.parse(data, format=syntax, base_iri=_usable_base(base), lenient=True)


def _quads(parser: ox.QuadParser, syntax: ox.RdfFormat, problems: list[Problem]) -> Iterator[ox.Quad]:
    """The statements one by one; after a syntax error the parser goes on at the next one it understands."""
    any_yet = False
    while True:
        try:
            for quad in parser:
                any_yet = True
                yield quad
            return
        except (SyntaxError, ValueError) as wrong:
            if syntax is ox.RdfFormat.JSON_LD and not any_yet:
                raise SourceUnavailable(
                    f"The JSON-LD cannot be read: {wrong}.", fix="Mend its context.", rule="json-ld"
                ) from wrong
            problems.append(_syntax_problem(wrong))
            if len(problems) >= MAX_ERRORS or syntax is ox.RdfFormat.JSON_LD:
                return


def _token(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> str:
    return _address(term) if isinstance(term, ox.NamedNode) else str(term)


@lru_cache(maxsize=20_000)
def _address(node: ox.NamedNode) -> str:
    return f"<{repaired(node.value)}>"


def split(ntriples: str) -> dict[str, Tokens]:
    """The statements of N-Triples as oxigraph and we write them, one on each line. Raises ValueError for any other text."""
    said: dict[str, Tokens] = defaultdict(list)
    statements = ntriples.removesuffix(" .").split(" .\n") if ntriples else []
    if len(statements) != ntriples.count("\n") + bool(ntriples):
        raise ValueError("There is a line that ends no statement.")
    for statement in statements:
        subject, predicate, value = statement.split(" ", 2)
        said[mended(subject)].append((absolute(predicate), value if value[0] == '"' else mended(value)))
    return said


def _syntax_problem(wrong: Exception) -> Problem:
    line = getattr(wrong, "lineno", None)
    return Problem(
        rule="syntax",
        message=f"A statement cannot be read: {wrong}.",
        where=f"line {line}" if line else "",
        fix="Mend this line; the record that it belongs to may be read in part only.",
    )


def _quoting(count: int) -> Problem:
    return Problem(
        rule="quoted-triple",
        severity="warning",
        message=f"{count:,} statements speak of another statement, as RDF 1.2 allows; they were left out.",
        fix="Say it of the dataset itself, or of a catalogue record.",
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
