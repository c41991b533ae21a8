"""Bytes of any RDF syntax become a graph, dirty ones too: what cannot be read is reported and the rest is kept."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

import pyoxigraph as ox

from catalogue.errors import Problem, SourceUnavailable
from catalogue.rdf.document import Document, decoded, refuse_entity_bombs
from catalogue.rdf.json_ld import pieces
from catalogue.rdf.spool import Spool
from catalogue.rdf.spool import Tokens as Tokens
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

SMALL = 8_000_000
"""Bytes of a document that is read in one go: as N-Triples, which oxigraph writes faster than Python looks at a statement."""
HELD = 4 * SMALL
"""Characters of statements that are held in memory; a document that has more goes to a temporary file."""
MAX_ERRORS = 1000

INVERSE = f"<{DCAT.isDistributionOf}>"
DEFAULT = ox.DefaultGraph()
BATCH = 8_000_000
"""Characters of statements that go to the temporary file at once; what stands together there is read together."""

Pairs = list[tuple[str, Term]]


@dataclass(slots=True)
class Graph:
    """Statements by subject, every term as N-Triples writes it: most are only handed on, and need not be understood."""

    said: Mapping[str, Tokens] = field(default_factory=dict)
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
        found = self.saying(frozenset(map(token_of, predicates)))
        return [(subject_of(predicate), term(value)) for _, pairs in found for predicate, value in pairs]

    def saying(self, predicates: frozenset[str]) -> Iterator[tuple[str, Tokens]]:
        """The subjects of which something is said under these predicates, and what; all as tokens."""
        if isinstance(self.said, Spool):
            yield from self.said.saying(predicates)
            return
        for subject, pairs in self.said.items():
            if found := [pair for pair in pairs if pair[0] in predicates]:
                yield subject, found


def graph(
    data: bytes | BinaryIO,
    media_type: str = "",
    *,
    charset: str | None = None,
    base: str | None = None,
    small: int = SMALL,
    held: int = HELD,
) -> Graph:
    """Read a document: bytes, or a file that can be read again from its beginning. Problems of statements are in `.problems`.

    Raises SourceUnavailable when it is no RDF at all: a web page, an empty answer, a file whose errors outnumber its facts,
    or one that would grow without bound.
    """
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    stream.seek(0)
    head = stream.read(4096)
    syntax = sniff(head, media_type)
    problems: list[Problem] = []
    document = decoded(stream, head, charset, syntax is ox.RdfFormat.RDF_XML, problems)
    if document.xml:
        refuse_entity_bombs(document)
    result = _read(document, syntax, _usable_base(base), small, held)
    result.problems[:0] = problems
    _say_directly(result)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    if len(errors) > 3 and len(errors) > result.statements:
        raise SourceUnavailable(
            f"This is not {syntax.name}: {len(errors)} errors and {result.statements} facts. First: {errors[0].message}",
            fix="Check that the address leads to the catalogue itself, and that its media type is right.",
            rule="not-rdf",
        )
    return result


def _say_directly(result: Graph) -> None:
    """A file that says which dataset it belongs to is one of that dataset's files, also where the dataset does not say so."""
    added: dict[str, Tokens] = defaultdict(list)
    for subject, pairs in result.saying(frozenset({INVERSE})):
        direct = (f"<{DCAT.distribution}>", subject)
        for _, value in pairs:
            if value in result.said and direct not in (*result.said[value], *added.get(value, ())):
                added[value].append(direct)
    if isinstance(result.said, Spool):
        result.said.extend(added)
    elif added:
        result.said = {**result.said, **{subject: [*result.said[subject], *pairs] for subject, pairs in added.items()}}


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


def _read(document: Document, syntax: ox.RdfFormat, base: str, small: int, held: int) -> Graph:
    """What a document states: in one go where it is small and clean, else statement by statement."""
    told: list[Problem] = []
    if document.size <= small:
        try:
            written = Written(held)
            for parser in _parsers(document, syntax, base, small, told):
                ox.serialize(parser, written, format=ox.RdfFormat.N_TRIPLES)
            return Graph(split(written.getvalue().decode().removesuffix("\n")), told)
        except (SyntaxError, ValueError):  # of which a graph with a name is one
            told.clear()
    result = _by_statement(_parsers(document, syntax, base, small, told), syntax, held)
    result.problems[:0] = told
    return result


class Written(io.BytesIO):
    """What is written, up to a bound. Raises ValueError beyond it."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def write(self, content: Any) -> int:
        if self.tell() > self.most:
            raise ValueError("There is more than memory should hold.")
        return super().write(content)


def _parsers(
    document: Document, syntax: ox.RdfFormat, base: str, small: int, problems: list[Problem]
) -> Iterator[ox.QuadParser]:
    """The readers of a document, or of the pieces that it is cut into."""
    sources = pieces(document, small, problems) if syntax is ox.RdfFormat.JSON_LD else (document.open(),)
    return (ox.parse(source, format=syntax, base_iri=base, lenient=True) for source in sources)


def _by_statement(parsers: Iterable[ox.QuadParser], syntax: ox.RdfFormat, held: int) -> Graph:
    result = Graph()
    said: dict[str, Tokens] = defaultdict(list)
    spool: Spool | None = None
    unmapped: dict[str, None] = {}
    quoting = size = 0
    for quad in _quads(parsers, syntax, result.problems):
        line = str(quad if quad.graph_name == DEFAULT else quad.triple)
        try:
            subject, predicate, value = line.split(" ", 2)
            subject, predicate = mended(subject), absolute(predicate)
            value = value if value[0] == '"' else mended(value)
            if "\n" in line:
                raise ValueError("There is a line that ends no statement.")
        except ValueError:
            if isinstance(quad.object, ox.Triple) or isinstance(
                quad.subject, ox.Triple
            ):  # a statement about a statement
                quoting += 1
                continue
            if ":" not in quad.predicate.value:  # what JSON-LD gives for words without a meaning
                unmapped[quad.predicate.value] = None
                continue
            subject, predicate, value = _token(quad.subject), _token(quad.predicate), _token(quad.object)
        said[subject].append((predicate, value))
        size += len(line)
        if size > held:
            spool = Spool() if spool is None else spool
            spool.extend(said)
            said, size, held = defaultdict(list), 0, min(held, BATCH)
    if spool is not None:
        spool.extend(said)
    result.said = said if spool is None else spool
    result.problems += map(_unmapped, unmapped)
    result.problems += [_quoting(quoting)] if quoting else []
    return result


def _quads(parsers: Iterable[ox.QuadParser], syntax: ox.RdfFormat, problems: list[Problem]) -> Iterator[ox.Quad]:
    """The statements one by one; after a syntax error the parser goes on at the next one it understands."""
    any_yet = False
    for parser in parsers:
        reading = True
        while reading:
            try:
                for quad in parser:
                    any_yet = True
                    yield quad
                reading = False
            except (SyntaxError, ValueError) as wrong:
                reading = syntax is not ox.RdfFormat.JSON_LD
                if not (reading or any_yet):
                    raise SourceUnavailable(
                        f"The JSON-LD cannot be read: {wrong}.", fix="Mend its context.", rule="json-ld"
                    ) from wrong
                problems.append(_syntax_problem(wrong))
                if len(problems) >= MAX_ERRORS:
                    return


def _token(term: ox.NamedNode | ox.BlankNode | ox.Literal) -> str:
    return _address(term) if isinstance(term, ox.NamedNode) else str(term).replace("\n", "%0A")  # in a datatype


@lru_cache(maxsize=20_000)
def _address(node: ox.NamedNode) -> str:
    return f"<{repaired(node.value)}>"


def split(ntriples: str) -> dict[str, Tokens]:
    """The statements of N-Triples as oxigraph and we write them, one on each line. Raises ValueError for any other text."""
    said: dict[str, Tokens] = defaultdict(list)
    pairs: Tokens = []
    before = ""
    statements = ntriples.removesuffix(" .").split(" .\n") if ntriples else []
    if len(statements) != ntriples.count("\n") + bool(ntriples):
        raise ValueError("There is a line that ends no statement.")
    for statement in statements:
        subject, predicate, value = statement.split(" ", 2)
        if subject != before:  # what is said of one stands together
            before, pairs = subject, said[mended(subject)]
        pairs.append((absolute(predicate), value if value[0] == '"' else mended(value)))
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
