"""SHACL shapes become plain functions over the nouns. What we cannot check stops the program when the shapes are read.

A rule is a shape with a severity, a message and a fix; its name is the last word of its address. Shapes without them are what
rules ask for. The part of SHACL Core that is spoken here is the keys of VALUE_TESTS and COUNTS, with sh:property and sh:path.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalogue.dcat import IRI, Literal, Node, Text, Value, once, properties
from catalogue.errors import SettingsError, Severity
from catalogue.rdf import graph
from catalogue.rdf.lexical import LEXICAL
from catalogue.rdf.parse import Graph, Term
from vocab.namespaces import FEDCAT, RDF, SH, XSD

SEVERITIES: Mapping[str, Severity] = {SH.Violation: "error", SH.Warning: "warning", SH.Info: "note"}

WRITTEN = (Text, Literal)
Test = Callable[[Value], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong when it is broken, and how to mend it."""

    name: str
    path: str
    """The property that it is about; "" when it is about the thing as a whole."""
    severity: Severity
    message: str
    fix: str
    tests: tuple[Test, ...]
    """Each value must pass each of them."""
    least: int = 0
    most: int | None = None


def compiled(files: Iterable[tuple[str, bytes]]) -> Mapping[str, tuple[Rule, ...]]:
    """The rules for each class. Raises SettingsError, naming the shape and what it says that nobody checks."""
    found: dict[str, list[Rule]] = defaultdict(list)
    for name, data in files:
        shapes = Shapes(graph(data, "text/turtle"), name)
        for class_, rules in shapes.by_class():
            found[class_].extend(rules)
    return {class_: tuple(rules) for class_, rules in found.items()}


class Shapes:
    """The shapes of one file."""

    def __init__(self, found: Graph, file: str) -> None:
        self.graph = found
        self.file = file
        self.open: list[str] = []
        """The shapes that are being read, outermost first."""
        if found.problems:
            raise SettingsError(f"vocab/shapes/{file}: {found.problems[0].message}")
        for shape in list(found.subjects):
            self._check(shape)

    def _check(self, shape: str) -> None:
        """Raise for anything that would otherwise be passed over in silence."""
        said = self._said(shape)
        for key in said:
            if key not in HANDLED:
                raise self._wrong(shape, f"says <{key}>")
        for type_ in said.get(RDF.type, []):
            if type_ not in (SH.NodeShape, SH.PropertyShape):
                raise self._wrong(shape, f"is a <{type_}>")
        if SH.path in said and SH.property in said:
            raise self._wrong(shape, "has a sh:property beside its sh:path: put it into a sh:node")

    def by_class(self) -> Iterable[tuple[str, list[Rule]]]:
        for shape in list(self.graph.subjects):
            classes = [str(term) for term in self._values(shape, SH.targetClass)]
            if classes:
                rules = [self._rule(_key(term)) for term in self._values(shape, SH.property)]
                if any(key in self._said(shape) for key in (*VALUE_TESTS, SH.path)):
                    rules.append(self._rule(shape))
                for class_ in classes:
                    yield class_, rules

    def _rule(self, shape: str) -> Rule:
        said = self._said(shape)
        severity = SEVERITIES.get(str(self._one(shape, SH.severity)))
        message, fix = self._one(shape, SH.message), self._one(shape, FEDCAT.fix)
        if severity is None or not isinstance(message, Text) or not isinstance(fix, Text) or SH.name not in said:
            raise self._wrong(shape, "needs sh:severity, sh:name, sh:message and fedcat:fix")
        path = self._one(shape, SH.path)
        if path is not None and not isinstance(path, IRI):
            raise self._wrong(shape, "has a sh:path that is not one property")
        counts = {name: self._number(shape, key) for key, name in COUNTS.items() if key in said}
        if counts and path is None:
            raise self._wrong(shape, "counts values without a sh:path")
        name = shape.rsplit("/", 1)[-1]
        return Rule(name, path or "", severity, message.value, fix.value, self._tests(shape), **counts)

    def _tests(self, shape: str) -> tuple[Test, ...]:
        """What a shape asks of each value."""
        return tuple(
            VALUE_TESTS[key](self, shape, term)
            for key, terms in self._said(shape).items()
            if key in VALUE_TESTS
            for term in terms
        )

    # What nested shapes ask for: a value conforms or it does not.

    def conforms(self, shape: str) -> Test:
        """Whether a value passes everything that a shape asks."""
        if shape in self.open:
            raise self._wrong(shape, "asks for itself")
        self.open.append(shape)
        if SH.path in self._said(shape):
            raise self._wrong(shape, "is about a property, where a shape of a value is meant")
        tests = (*self._tests(shape), *(self._property(_key(term)) for term in self._values(shape, SH.property)))
        if not tests:
            raise self._wrong(shape, "asks for nothing")
        self.open.pop()
        return _all_of(tests)

    def _property(self, shape: str) -> Test:
        path = self._one(shape, SH.path)
        if not isinstance(path, IRI):
            raise self._wrong(shape, "has a sh:path that is not one property")
        tests = self._tests(shape)
        counts: dict[str, Any] = {
            name: self._number(shape, key) for key, name in COUNTS.items() if key in self._said(shape)
        }
        least, most = counts.get("least", 0), counts.get("most")
        if not tests and most is None and least == 1:
            return lambda value: states(value, path)
        each = _all_of(tests)

        def test(value: Value) -> bool:
            held = said(value, path)
            return least <= len(held) <= (len(held) if most is None else most) and all(map(each, held))

        return test

    # Parameters

    def nodes(self, list_: Term) -> list[Term]:
        """The members of an RDF list."""
        found: list[Term] = []
        while list_ != RDF.nil:
            first, rest = self._one(_key(list_), RDF.first), self._one(_key(list_), RDF.rest)
            if first is None or rest is None:
                raise self._wrong(_key(list_), "is a list without an end")
            found.append(first)
            list_ = rest
        return found

    def flags(self, shape: str) -> re.RegexFlag:
        given = self._one(shape, SH.flags)
        if given is not None and given != Text("i"):
            raise self._wrong(shape, "has sh:flags other than 'i'")
        return re.IGNORECASE if given else re.NOFLAG

    def known(self, shape: str, term: Term, table: Mapping[str, Any]) -> Any:
        """What a table has under this address."""
        if term not in table:
            raise self._wrong(shape, f"asks for {term}, and known are {', '.join(table)}")
        return table[str(term)]

    def length(self, shape: str, term: Term) -> int:
        if not isinstance(term, Literal) or not LEXICAL[XSD.nonNegativeInteger](term.value):
            raise self._wrong(shape, f"has {term} where a whole number is meant")
        return int(term.value)

    def _number(self, shape: str, key: str) -> int:
        term = self._one(shape, key)
        assert term is not None
        return self.length(shape, term)

    def _said(self, shape: str) -> dict[str, list[Term]]:
        found: dict[str, list[Term]] = {}
        for predicate, term in self.graph.of(shape):
            found.setdefault(predicate, []).append(term)
        return found

    def _values(self, shape: str, key: str) -> list[Term]:
        return self._said(shape).get(key, [])

    def _one(self, shape: str, key: str) -> Term | None:
        found = self._values(shape, key)
        if len(found) > 1:
            raise self._wrong(shape, f"says <{key}> more than once")
        return found[0] if found else None

    def _wrong(self, shape: str, what: str) -> SettingsError:
        allowed = ", ".join(sorted("sh:" + key.rsplit("#", 1)[-1] for key in HANDLED if key.startswith(str(SH))))
        return SettingsError(f"vocab/shapes/{self.file}: {shape} {what}. What can be checked: {allowed}.")


def _key(term: Term) -> str:
    return str(term) if isinstance(term, str) else f"_:{term.value}"


# ---- What is asked of one value


def _all_of(tests: tuple[Test, ...]) -> Test:
    """One test for all of them. Loops, not generators: this runs for every value of every record."""
    if len(tests) == 1:
        return tests[0]

    def test(value: Value) -> bool:
        for one in tests:  # noqa: SIM110
            if not one(value):
                return False
        return True

    return test


def _any_of(tests: tuple[Test, ...]) -> Test:
    def test(value: Value) -> bool:
        for one in tests:  # noqa: SIM110
            if one(value):
                return True
        return False

    return test


def _pattern(shapes: Shapes, shape: str, term: Term) -> Test:
    assert isinstance(term, Text)
    search = re.compile(term.value, shapes.flags(shape)).search

    return lambda value: (words := text_of(value)) is not None and search(words) is not None


def _at_least(shapes: Shapes, shape: str, term: Term) -> Test:
    least = shapes.length(shape, term)
    return lambda value: (words := text_of(value)) is not None and len(words) >= least


def _at_most(shapes: Shapes, shape: str, term: Term) -> Test:
    most = shapes.length(shape, term)
    return lambda value: (words := text_of(value)) is not None and len(words) <= most


def _datatype(shapes: Shapes, shape: str, term: Term) -> Test:
    """The right type, and written as that type is written."""
    lexical = shapes.known(shape, term, LEXICAL)

    def test(value: Value) -> bool:
        if isinstance(value, Literal):
            return value.datatype == term and bool(lexical(value.value))
        return isinstance(value, Text) and term == (RDF.langString if value.lang else XSD.string)

    return test


def _kind_of_node(shapes: Shapes, shape: str, term: Term) -> Test:
    test: Test = shapes.known(shape, term, NODE_KINDS)
    return test


def _in(shapes: Shapes, _: str, term: Term) -> Test:
    members = shapes.nodes(term)
    return lambda value: (value.iri if isinstance(value, Node) else value) in members


def _or(shapes: Shapes, _: str, term: Term) -> Test:
    return _any_of(tuple(shapes.conforms(_key(member)) for member in shapes.nodes(term)))


def _node(shapes: Shapes, _: str, term: Term) -> Test:
    return shapes.conforms(_key(term))


def _is_iri(value: Value) -> bool:
    return isinstance(value, str) or (isinstance(value, Node) and value.iri is not None)


def _is_blank(value: Value) -> bool:
    return isinstance(value, Node) and value.iri is None


def _is_literal(value: Value) -> bool:
    return isinstance(value, WRITTEN)


NODE_KINDS: Mapping[str, Test] = {
    SH.IRI: _is_iri,
    SH.BlankNode: _is_blank,
    SH.Literal: _is_literal,
    SH.BlankNodeOrIRI: lambda value: not isinstance(value, WRITTEN),
    SH.BlankNodeOrLiteral: lambda value: not _is_iri(value),
    SH.IRIOrLiteral: lambda value: not _is_blank(value),
}
VALUE_TESTS: Mapping[str, Callable[[Shapes, str, Term], Test]] = {
    SH.pattern: _pattern,
    SH.minLength: _at_least,
    SH.maxLength: _at_most,
    SH.datatype: _datatype,
    SH.nodeKind: _kind_of_node,
    SH["in"]: _in,
    SH["or"]: _or,
    SH.node: _node,
}
COUNTS = {SH.minCount: "least", SH.maxCount: "most"}
HANDLED = frozenset(
    (
        *VALUE_TESTS,
        *COUNTS,
        SH.path,
        SH.property,
        SH.targetClass,
        SH.flags,
        SH.severity,
        SH.name,
        SH.message,
        SH.description,
    )
) | {RDF.type, RDF.first, RDF.rest, FEDCAT.fix}


# ---- What the nouns say


def text_of(value: Value) -> str | None:
    """A value as one would read it; None for a blank node, which has no text."""
    if isinstance(value, WRITTEN):
        return value.value
    return value if isinstance(value, str) else value.iri


def said(value: Value, predicate: str) -> list[Value]:
    """What a value says under a property; nothing when it is a bare address or a literal."""
    if not isinstance(value, Node):
        return []
    found: dict[Value, None] = {}
    if name := _names(type(value)).get(predicate):
        held = getattr(value, name)
        found.update(dict.fromkeys(held if isinstance(held, frozenset) else () if held is None else (held,)))
    found.update((statement.object, None) for statement in value.rest if statement.predicate == predicate)
    return list(found)


def states(value: Value, predicate: str) -> bool:
    """Whether a value says anything under a property."""
    if not isinstance(value, Node):
        return False
    name = _names(type(value)).get(predicate)
    if name and getattr(value, name):
        return True
    return any(statement.predicate == predicate for statement in value.rest)


@once
def _names(noun: type[Node]) -> dict[str, str]:
    return {prop.predicate: prop.name for prop in properties(noun)}
