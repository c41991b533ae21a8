"""What is wrong with a description: the shapes of `vocab/shapes`, and limits that keep one record from costing the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple, cast

from catalogue.dcat import IRI, Dataset, Node, Resource, Text, Value, properties
from catalogue.errors import Problem
from catalogue.rdf.tree import MAX_STATEMENTS
from catalogue.rdf.write import compact
from catalogue.validate.shapes import Rule, Test, compiled, text_of
from vocab import shapes

__all__ = ["LIMITS", "Limit", "validate"]

LONGEST_FOUND = 200
"""Characters of a value that a problem quotes."""


class Limit(NamedTuple):
    """How much of something one description may have."""

    name: str
    most: int
    count: Callable[[Resource], int]
    what: str
    fix: str


LIMITS = (
    Limit(
        "distributions", 5_000, lambda resource: len(resource.distributions) if isinstance(resource, Dataset) else 0,
        "distributions", "Describe the parts as datasets of a series, or offer one file or service for all of them.",
    ),
    Limit(
        "keywords", 2_000, lambda resource: len(resource.keywords),
        "keywords", "Keep the keywords that describe the whole, and leave the names of its parts to the data.",
    ),
    Limit(
        "title", 10_000, lambda resource: _longest(resource.titles),
        "characters in its title", "Keep the title to one short line, and move the rest to the description.",
    ),
    Limit(
        "description", 1_000_000, lambda resource: _longest(resource.descriptions),
        "characters in its description", "A description should describe: move data and long lists into files of their own.",
    ),
)  # fmt: skip
STATEMENTS = Limit(
    "statements", MAX_STATEMENTS, lambda resource: _Visit().see(resource).statements,
    "statements", "Describe one dataset in one record, and list its files, not its contents.",
)  # fmt: skip
"""Counted while the rules are checked."""


def validate(resource: Resource) -> list[Problem]:
    """What a resource breaks of the rules for its class and those below it. Over a limit, only that is said."""
    over = [_exceeded(limit, count) for limit in LIMITS if (count := limit.count(resource)) > limit.most]
    if over:
        return over
    visit = _Visit().see(resource)
    if visit.statements > STATEMENTS.most:
        return [_exceeded(STATEMENTS, visit.statements)]
    return visit.problems


def _longest(texts: Iterable[Text]) -> int:
    return max((len(text.value) for text in texts), default=0)


def _exceeded(limit: Limit, count: int) -> Problem:
    return Problem(
        rule=f"too-many-{limit.name}" if limit.name.endswith("s") else f"{limit.name}-over-limit",
        message=f"It has {count:,} {limit.what}; {limit.most:,} is the most we take.",
        fix=limit.fix,
        found=f"{count:,}",
    )


# ---- From the root of the tree to its leaves


@dataclass(slots=True)
class _Visit:
    """One walk through a tree: every thing is held to the rules of its classes, once."""

    problems: list[Problem] = field(default_factory=list)
    statements: int = 0
    seen: set[IRI] = field(default_factory=set)

    def see(self, node: Node, path: str = "") -> _Visit:
        noun = type(node)
        held, rest = _reader(noun)(node), node.rest
        own = noun.TYPE if rest or not path or any(held) else ""
        plan = _plan(noun, own, node.types)
        again = node.iri is not None and node.iri in self.seen
        if node.iri is not None:
            self.seen.add(node.iri)
        if not again and (plan.counted or plan.about_itself):
            self._whole(node, plan, held, path)
        for (predicate, many, deep, checks), values in compress(zip(plan.columns, held, strict=True), held):
            if not many:
                values = (values,)
            self.statements += len(values)
            if checks and not again:
                for rule, test in checks:
                    for value in values:
                        if not test(value):
                            self.problems.append(_problem(rule, path, value))
            if deep:
                for value in values:
                    if isinstance(value, Node):
                        self.see(value, f"{path}{predicate}\n")
        for statement in rest:
            self.statements += 1
            if not again and statement.predicate in plan.checks:
                self._each(plan.checks[statement.predicate], (statement.object,), path)
            if isinstance(statement.object, Node):
                self.see(statement.object, f"{path}{statement.predicate}\n")
        return self

    def _whole(self, node: Node, plan: Plan, held: tuple[Any, ...], path: str) -> None:
        """The rules that count values, and those about the thing itself."""
        for rule, place in plan.counted:
            values = held[place] if place is not None else None
            if values and rule.most is None and rule.least == 1:
                continue
            count = 0 if not values else len(values) if isinstance(values, frozenset) else 1
            count += sum(statement.predicate == rule.path for statement in node.rest)
            if count < rule.least or (rule.most is not None and count > rule.most):
                self.problems.append(_problem(rule, path, None))
        self._each(plan.about_itself, (node,), path)

    def _each(self, checks: Checks, values: Iterable[Value], path: str) -> None:
        for rule, test in checks:
            for value in values:
                if not test(value):
                    self.problems.append(_problem(rule, path, value))


def _problem(rule: Rule, path: str, value: Value | None) -> Problem:
    steps = [step for step in (*path.split("\n"), rule.path) if step]
    found = (text_of(value) or "") if value is not None else ""
    return Problem(
        rule=rule.name,
        message=rule.message,
        fix=rule.fix,
        where="/".join(map(compact, steps)),
        found=found if len(found) <= LONGEST_FOUND else found[: LONGEST_FOUND - 1] + "…",
        severity=rule.severity,
    )


# ---- What there is to check of a noun, worked out once


Checks = tuple[tuple[Rule, Test], ...]


class Column(NamedTuple):
    """One property of a noun, with what its values are held to."""

    predicate: str
    many: bool
    deep: bool
    """Whether things may hang there."""
    checks: Checks


class Plan(NamedTuple):
    """What a noun of certain types is held to."""

    columns: tuple[Column, ...]
    checks: Mapping[str, Checks]
    """By property."""
    counted: tuple[tuple[Rule, int | None], ...]
    """With the place of the property among the noun's own."""
    about_itself: Checks


@cache
def _rules() -> Mapping[str, tuple[Rule, ...]]:
    return compiled(shapes())


@cache
def _reader(noun: type[Node]) -> Callable[[Node], tuple[Any, ...]]:
    names = [prop.name for prop in properties(noun)]
    return cast("Callable[[Node], tuple[Any, ...]]", attrgetter(*names)) if names else lambda node: ()


@cache
def _plan(noun: type[Node], own: str, types: frozenset[IRI]) -> Plan:
    by_class = _rules()
    rules = tuple({rule: None for class_ in sorted({own, *types}) for rule in by_class.get(class_, ())})
    stated = properties(noun)
    places = {prop.predicate: place for place, prop in enumerate(stated)}
    checks = {path: tuple((r, test) for r in rules if r.path == path for test in r.tests) for path in {r.path for r in rules}}
    return Plan(
        columns=tuple(
            Column(
                prop.predicate,
                prop.many,
                any(issubclass(kind, Node) for kind in prop.kinds),
                checks.get(prop.predicate, ()),
            )
            for prop in stated
        ),
        checks=checks,
        counted=tuple((rule, places.get(rule.path)) for rule in rules if rule.least or rule.most is not None),
        about_itself=checks.get("", ()),
    )
