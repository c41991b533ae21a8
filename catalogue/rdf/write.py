"""Nouns become RDF again: N-Triples, nested Turtle, RDF/XML and framed JSON-LD. The same input gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, Protocol

import pyoxigraph as ox

from catalogue.dcat import IRI, NOUNS, PLAIN, Literal, Node, Text, Value, once, properties
from vocab.namespaces import PREFIXES, RDF

TYPE = RDF.type
_TYPE = f"<{TYPE}>"


class Kept(Protocol):
    """A description as the store keeps it. What its canonical N-Triples say can be written again without being understood."""

    @property
    def body(self) -> bytes: ...
    @property
    def resource(self) -> Node: ...


Writable = Node | Kept
_quoted = json.encoder.encode_basestring  # N-Triples and Turtle escape what JSON does, and this is written in C


# ---- N-Triples and the canonical form


def lines(node: Node) -> list[str]:
    """A tree as N-Triples lines without their ends. A blank node is named by its place and content: equal trees, equal lines."""
    found: dict[str, None] = {}
    _describe(node, _name(node, ""), found)
    return list(found)


def ntriples(things: Iterable[Writable]) -> bytes:
    """N-Triples, each statement once: thing after thing, and what is said of each in alphabetical order."""
    found = dict.fromkeys(line for thing in things for line in _sorted_lines(thing))
    return encoded("".join(f"{line}\n" for line in found))


def _sorted_lines(thing: Writable) -> list[str]:
    if isinstance(thing, Node):
        return sorted(lines(thing))
    return (
        thing.body.decode().split("\n") if thing.body else []
    )  # splitlines would also cut at U+2028, inside a literal


def canonical(node: Node) -> bytes:
    """Sorted N-Triples of one tree: equal descriptions give equal bytes."""
    return encoded("\n".join(sorted(lines(node))))


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate, which JSON can smuggle in and no file may hold, becomes a question mark."""
    return text.encode("utf-8", "replace")


def fingerprint(node: Node) -> str:
    """32 hexadecimal digits that change when the description does."""
    return blake2b(canonical(node), digest_size=16).hexdigest()


def _describe(node: Node, name: str, found: dict[str, None]) -> None:
    """Add a node's statements, and those of what hangs below it."""
    said = _statements(node)
    for type_ in _types(node, said):
        found[f"{name} <{TYPE}> <{type_}> ."] = None
    for predicate, value in said:
        if isinstance(value, Node):
            below = _name(value, f"{name} {predicate}")
            found[f"{name} <{predicate}> {below} ."] = None
            _describe(value, below, found)
        else:
            found[f"{name} <{predicate}> {leaf(value)} ."] = None


def _name(node: Node, place: str) -> str:
    """An address, or for a blank node a label that its place and content decide."""
    if node.iri is not None:
        return f"<{node.iri}>"
    return "_:h" + blake2b(f"{place}\n{_content(node)}".encode("utf-8", "replace"), digest_size=10).hexdigest()


def _content(node: Node) -> str:
    """What a blank node says, whatever it is called."""
    said = _statements(node)
    words = [f"<{TYPE}> <{type_}>" for type_ in _types(node, said)]
    for predicate, value in said:
        if isinstance(value, Node):
            words.append(f"<{predicate}> " + (f"<{value.iri}>" if value.iri is not None else f"[{_content(value)}]"))
        else:
            words.append(f"<{predicate}> {leaf(value)}")
    return "\n".join(sorted(words))


Said = list[tuple[IRI, Value]]


def _statements(node: Node) -> Said:
    """What a node says, in no particular order."""
    said: Said = [(statement.predicate, statement.object) for statement in node.rest]
    predicates = _predicates(type(node))
    for name, value in vars(node).items():
        predicate = predicates.get(name)
        if predicate is None:  # its address, its types, the rest
            continue
        if isinstance(value, frozenset):
            said += [(predicate, one) for one in value]
        else:
            said.append((predicate, value))
    return said


@once
def _predicates(noun: type[Node]) -> dict[str, IRI]:
    """Of a noun's properties by their names, in stated order."""
    return {prop.name: prop.predicate for prop in properties(noun)}


def described(node: Node) -> bool:
    """Whether a node is more than a name."""
    return not vars(node).keys() <= {"iri", "types"}


def _types(node: Node, said: Any) -> list[str]:
    """The types that were said, and the one that its place implies once it is described."""
    return sorted({node.TYPE} | node.types if said and node.TYPE else node.types)


def leaf(value: Value) -> str:
    """An address or a literal in N-Triples."""
    if isinstance(value, str):
        return f"<{value}>"
    if isinstance(value, Text):
        return f"{_quoted(value.value)}@{value.lang}" if value.lang else _quoted(value.value)
    assert isinstance(value, Literal)
    return _quoted(value.value) if value.datatype == PLAIN else f"{_quoted(value.value)}^^<{value.datatype}>"


def sort_key(value: Value) -> str:
    """A stable order for values of any kind."""
    if not isinstance(value, Node):
        return leaf(value)
    return f"<{value.iri or ''}>\n{_content(value)}"


# ---- Turtle

TURTLE_HEADER = "".join(f"@prefix {prefix}: <{address}> .\n" for prefix, address in sorted(PREFIXES.items())) + "\n"
_LOCAL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Tokens = dict[str, dict[str, list[str]]]
"""What is said, by subject and predicate, each as N-Triples writes it."""


def turtle(things: Iterable[Writable], *, header: bool = True) -> bytes:
    """Nested Turtle: a block for each thing with an address, blank nodes inside their owner's block."""
    blocks: dict[str, None] = {}
    for thing in things:
        blocks |= dict.fromkeys(_blocks(_sorted_lines(thing)))
    return encoded((TURTLE_HEADER if header else "") + "\n".join(blocks))


def _blocks(lines: Iterable[str]) -> Iterator[str]:
    """The block of what nothing else points at, then those of all else that is described under an address."""
    said: Tokens = {}
    named: set[str] = set()
    for line in lines:
        subject, predicate, value = line[:-2].split(" ", 2)
        groups = said.get(subject)
        if groups is None:
            said[subject] = {predicate: [value]}
        elif predicate in groups:
            groups[predicate].append(value)
        else:
            groups[predicate] = [value]
        if value[0] != '"' and value != subject:
            named.add(value)
    for subject in sorted(said, key=named.__contains__):
        if subject[0] == "<":
            yield f"{_short(subject)}{_body(subject, 1, said)} .\n"
        elif subject not in named:
            yield f"[]{_body(subject, 1, said)} .\n"


def _body(subject: str, depth: int, said: Tokens) -> str:
    indent = "    " * depth
    groups = said[subject]
    types = groups.get(_TYPE, ())
    entries = []
    for predicate, written in _arranged(tuple(types), tuple(groups)):
        values = groups[predicate]
        if predicate == _TYPE:
            entries.append("a " + ", ".join(sorted(map(_short, values))))
        elif len(values) == 1:
            entries.append(f"{written} {_object(values[0], depth, said)}")
        else:
            entries.append(f"{written}{_listed([_object(value, depth, said) for value in values], indent)}")
    return f"\n{indent}" + f" ;\n{indent}".join(entries)


def _listed(written: list[str], indent: str) -> str:
    """Objects in one line, or each in a line of its own where that would be long."""
    written.sort()
    together = ", ".join(written)
    if "\n" in together or len(together) - 2 * (len(written) - 1) <= 80:
        return f" {together}"
    return f"\n{indent}    " + f",\n{indent}    ".join(written)


def _object(value: str, depth: int, said: Tokens) -> str:
    if value[0] == "<":
        return _short(value)
    if value[0] == "_":
        return f"[{_body(value, depth + 1, said)}\n{'    ' * depth}]" if value in said else "[]"
    if value[-1] != ">":
        return value
    quoted, typed, datatype = value.rpartition('"^^')
    return f"{quoted}{typed}{_short(datatype)}" if typed else value


@lru_cache(maxsize=5_000)
def _arranged(types: tuple[str, ...], predicates: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The type, a noun's properties as they are stated, then the rest by address: each as a token, and as it is written."""
    order = _order(*types) | {_TYPE: -1}  # most descriptions of a source say the same things of other datasets
    arranged = sorted(predicates, key=lambda predicate: (order.get(predicate, len(order)), predicate))
    return tuple((predicate, _short(predicate)) for predicate in arranged)


@lru_cache(maxsize=1000)
def _order(*types: str) -> dict[str, int]:
    """Where each property of a noun stands among the others."""
    noun = next((noun for noun in NOUNS if f"<{noun.TYPE}>" in types), None)
    return {f"<{prop.predicate}>": place for place, prop in enumerate(properties(noun))} if noun else {}


def compact(address: str) -> str:
    """An address as prefix and word where one of our prefixes fits, else in angle brackets."""
    return _short(f"<{address}>")


@lru_cache(maxsize=50_000)
def _short(address: str) -> str:
    cut = max(address.rfind("#"), address.rfind("/")) + 1
    prefix, word = _BY_ADDRESS.get(address[1:cut]), address[cut:-1]
    return f"{prefix}:{word}" if prefix and _LOCAL.fullmatch(word) else address


_BY_ADDRESS = {address: prefix for prefix, address in PREFIXES.items()}


# ---- RDF/XML


def rdfxml(things: Iterable[Writable]) -> bytes:
    """RDF/XML, one element a subject."""
    by_subject: dict[str, list[str]] = {}
    for thing in things:
        for line in _sorted_lines(thing):
            by_subject.setdefault(line.split(" ", 1)[0], []).append(line)
    ordered = "\n".join(line for said in by_subject.values() for line in sorted(set(said)))
    triples = (quad.triple for quad in ox.parse(ordered, format=ox.RdfFormat.N_TRIPLES, lenient=True))
    written = ox.serialize(_xml_safe(triples), format=ox.RdfFormat.RDF_XML, prefixes=PREFIXES) or b""
    written = written.replace(b"\r", b"&#13;")  # readers of XML turn a bare one into a line end
    return re.sub(rb"<rdf:RDF[^>]*>", _xml_root().encode(), written, count=1)


_NAMES_AN_ELEMENT = re.compile(r"[^\W\d][\w.-]*$")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _xml_safe(triples: Iterable[ox.Triple]) -> Iterator[ox.Triple]:
    """Triples without what XML 1.0 cannot carry: control characters, and predicates after which no element can be named.

    One such element would make the whole feed unreadable; the other syntaxes carry the statement.
    """
    for triple in triples:
        if not _NAMES_AN_ELEMENT.search(triple.predicate.value):
            continue
        value = triple.object
        if isinstance(value, ox.Literal) and _NOT_XML.search(value.value):
            words = _NOT_XML.sub(" ", value.value)
            value = (
                ox.Literal(words, language=value.language)
                if value.language
                else ox.Literal(words, datatype=value.datatype)
            )
            triple = ox.Triple(triple.subject, triple.predicate, value)
        yield triple


@cache
def _xml_root() -> str:
    """The root element with its prefixes in one order; the serialiser's own order differs from run to run."""
    return "<rdf:RDF " + " ".join(f'xmlns:{prefix}="{address}"' for prefix, address in sorted(PREFIXES.items())) + ">"


# ---- JSON-LD


@cache
def context() -> dict[str, Any]:
    """The JSON-LD context that the properties of `dcat.py` imply: their names, and our prefixes."""
    terms: dict[str, Any] = dict(sorted(PREFIXES.items()))
    for noun in NOUNS:
        for prop in properties(noun):
            coerced = _coerced(prop.json)
            terms[prop.json] = {"@id": str(prop.predicate), **({"@type": coerced} if coerced else {})}
        terms[noun.__name__] = noun.TYPE
    return terms


@cache
def _coerced(name: str) -> str:
    """A property that takes addresses and no words may be written as a bare string, if it takes none with any other noun."""
    kinds = {kind for noun in NOUNS for prop in properties(noun) if prop.json == name for kind in prop.kinds}
    return "@id" if not any(issubclass(kind, Text | Literal) for kind in kinds) else ""


def jsonld(things: Iterable[Writable]) -> bytes:
    """Framed JSON-LD with its context written out: a `@graph` of trees, properties by the names of the standard."""
    document = {"@context": context(), "@graph": [framed(thing) for thing in things]}
    return encoded(json.dumps(document, ensure_ascii=False, indent=1))


def framed(thing: Writable) -> dict[str, Any]:
    """One tree as nested JSON under our context."""
    node = thing if isinstance(thing, Node) else thing.resource
    frame: dict[str, Any] = {"@id": str(node.iri)} if node.iri is not None else {}
    groups = _grouped(node)
    types = [_class_name(type_) for type_ in _types(node, groups)]
    if types:
        frame["@type"] = types[0] if len(types) == 1 else types
    names = _json_names(type(node))
    for predicate, held in groups.items():
        name, coerced = names.get(predicate, (predicate, ""))
        written = [_json(value, coerced) for value in sorted(set(held), key=sort_key)]
        frame[name] = written[0] if len(written) == 1 else written
    return frame


def _grouped(node: Node) -> dict[IRI, list[Value]]:
    """A node's values by predicate: stated properties in stated order, then the rest by address."""
    held = vars(node)
    groups: dict[IRI, list[Value]] = {}
    for name, predicate in _predicates(type(node)).items():
        if value := held.get(name):
            groups[predicate] = list(value) if isinstance(value, frozenset) else [value]
    for statement in sorted(node.rest, key=lambda s: (s.predicate, sort_key(s.object))):
        groups.setdefault(statement.predicate, []).append(statement.object)
    return groups


def _json(value: Value, coerced: str) -> Any:
    if isinstance(value, Node):
        return framed(value)
    if isinstance(value, str):
        return str(value) if coerced == "@id" else {"@id": str(value)}
    if isinstance(value, Text):
        return {"@value": value.value, "@language": value.lang} if value.lang else _plain(value.value, coerced)
    assert isinstance(value, Literal)
    return {"@value": value.value, "@type": str(value.datatype)}


def _plain(words: str, coerced: str) -> Any:
    return {"@value": words} if coerced else words


@once
def _json_names(noun: type[Node]) -> dict[str, tuple[str, str]]:
    return {prop.predicate: (prop.json, _coerced(prop.json)) for prop in properties(noun)}


@cache
def _class_name(type_: str) -> str:
    return next((noun.__name__ for noun in NOUNS if type_ == noun.TYPE), type_)
