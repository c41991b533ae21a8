"""What is wrong with a description: the shapes of `vocab/shapes`, and limits that keep one record from costing the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple, cast

from catalogue.dcat import IRI, Dataset, Node, Resource, Value, properties
from catalogue.errors import Problem
from catalogue.rdf.tree import MAX_STATEMENTS
from catalogue.rdf.write import compact, described
from catalogue.validate.shapes import Rule, Test, compiled, text_of
from vocab import shapes

__all__ = ["LIMITS", "Limit", "validate"]

LONGEST_FOUND = 200
"""Characters of a value that a problem quotes."""


class Limit(NamedTuple):
    """How much of something one description may have."""

    most: int
    what: str
    fix: str


LIMITS = {
    "distributions": Limit(
        5_000, "distributions",
        "Describe the parts as datasets of a series, or offer one file or service for all of them.",
    ),
    "keywords": Limit(
        2_000, "keywords",
        "Keep the keywords that describe the whole, and leave the names of its parts to the data.",
    ),
    "title": Limit(
        10_000, "characters in its title",
        "Keep the title to one short line, and move the rest to the description.",
    ),
    "description": Limit(
        1_000_000, "characters in its description",
        "A description should describe: move data and long lists into files of their own.",
    ),
    "statements": Limit(
        MAX_STATEMENTS, "statements",
        "Describe one dataset in one record, and list its files, not its contents.",
    ),
}  # fmt: skip
"""By name; the rule that is broken is called `<name>-limit`."""


def validate(resource: Resource) -> list[Problem]:
    """What a resource breaks of the rules for its class and those below it. Over a limit, only that is said."""
    if over := _exceeded(_sizes(resource)):
        return over
    visit = _Visit().see(resource)
    if over := _exceeded({"statements": visit.statements}):
        return over
    # sorted: a set keeps no order, and two runs should say the same
    return sorted(visit.problems, key=lambda problem: (problem.where, problem.rule, problem.found))


def _sizes(resource: Resource) -> dict[str, int]:
    return {
        "distributions": len(resource.distributions) if isinstance(resource, Dataset) else 0,
        "keywords": len(resource.keywords),
        "title": max([len(title.value) for title in resource.titles], default=0),
        "description": max([len(description.value) for description in resource.descriptions], default=0),
    }


def _exceeded(sizes: Mapping[str, int]) -> list[Problem]:
    return [
        Problem(
            rule=f"{name}-limit",
            message=f"It has {size:,} {LIMITS[name].what}; {LIMITS[name].most:,} is the most we take.",
            fix=LIMITS[name].fix,
            found=f"{size:,}",
        )
        for name, size in sizes.items()
        if size > LIMITS[name].most
    ]


# ---- From the root of the tree to its leaves


@dataclass(slots=True)
class _Visit:
    """One walk through a tree: every thing is held to the rules of its classes, once."""

    problems: list[Problem] = field(default_factory=list)
    statements: int = 0
    seen: set[IRI] = field(default_factory=set)

    def see(self, node: Node, path: str = "") -> _Visit:
        noun, held = type(node), vars(node)
        own = noun.TYPE if not path or described(node) else ""
        columns, by_path, counted, about_itself = _plan(noun, own, node.types)
        again = node.iri is not None and node.iri in self.seen
        if node.iri is not None:
            self.seen.add(node.iri)
        if counted and not again:
            self._count(node, counted, held, path)
        if about_itself and not again:
            self._each(about_itself, (node,), path)
        for name, predicate, many, deep, checks in columns:
            if name not in held:
                continue
            values = held[name] if many else (held[name],)
            self.statements += len(values)
            if checks and not again:
                self._each(checks, values, path)
            if deep:
                for value in values:
                    if isinstance(value, Node):
                        self.see(value, f"{path}{predicate}\n")
        for statement in node.rest:
            self.statements += 1
            if not again and statement.predicate in by_path:
                self._each(by_path[statement.predicate], (statement.object,), path)
            if isinstance(statement.object, Node):
                self.see(statement.object, f"{path}{statement.predicate}\n")
        return self

    def _count(self, node: Node, counted: Counted, held: Mapping[str, Any], path: str) -> None:
        """The rules on how many values there may be."""
        for rule, name in counted:
            values = held.get(name)
            if values and rule.most is None and rule.least == 1:
                continue
            count = 0 if not values else len(values) if isinstance(values, frozenset) else 1
            count += sum(statement.predicate == rule.path for statement in node.rest)
            if count < rule.least or (rule.most is not None and count > rule.most):
                self.problems.append(_problem(rule, path, None))

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
Counted = tuple[tuple[Rule, str], ...]
"""With the name of the property, "" where the noun has none."""


class Column(NamedTuple):
    """One property of a noun, with what its values are held to."""

    name: str
    predicate: str
    many: bool
    deep: bool
    """Whether things may hang there."""
    checks: Checks


class Plan(NamedTuple):
    """What a noun of certain types is held to."""

    columns: tuple[Column, ...]
    by_path: Mapping[str, Checks]
    counted: Counted
    about_itself: Checks


@cache
def _rules() -> Mapping[str, tuple[Rule, ...]]:
    return compiled(shapes())


def _planned(noun: type[Node], own: str, types: frozenset[IRI]) -> Plan:
    by_class = _rules()
    rules = tuple({rule: None for class_ in sorted({own, *types}) for rule in by_class.get(class_, ())})
    stated = properties(noun)
    names: dict[str, str] = {prop.predicate: prop.name for prop in stated}
    checks = {
        path: tuple((r, test) for r in rules if r.path == path for test in r.tests) for path in {r.path for r in rules}
    }
    return Plan(
        columns=tuple(
            Column(
                prop.name,
                prop.predicate,
                prop.many,
                any(issubclass(kind, Node) for kind in prop.kinds),
                checks.get(prop.predicate, ()),
            )
            for prop in stated
        ),
        by_path=checks,
        counted=tuple((rule, names.get(rule.path, "")) for rule in rules if rule.least or rule.most is not None),
        about_itself=checks.get("", ()),
    )


_plan = cast("Callable[[type[Node], str, frozenset[IRI]], Plan]", lru_cache(maxsize=10_000)(_planned))
