"""What differs between two descriptions, property by property, in words that a person can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

from catalogue.dcat import (
    IRI,
    ContactPoint,
    Distribution,
    Literal,
    Node,
    PeriodOfTime,
    Property,
    Text,
    Value,
    properties,
    values,
)
from catalogue.facts import ends
from catalogue.rdf import lines, sort_key
from catalogue.rdf.write import compact, leaf
from vocab import scheme

LABELS = {
    "titles": "Title", "alternative_titles": "Also called", "summaries": "Summary", "descriptions": "Description",
    "identifiers": "Identifier", "publisher": "Published by", "creators": "Made by", "contact_points": "Contact",
    "qualified_attributions": "Who has a part in it", "access_rights": "Who may have it", "licences": "Licence",
    "applicable_legislation": "Law that it follows from", "legal_bases": "Legal basis", "policies": "Policy on its use",
    "high_value_categories": "High-value category", "kinds": "Kind", "types": "Type", "issued": "First published",
    "modified": "Last updated", "version_notes": "What is new in it", "status": "State", "landing_pages": "Page",
    "pages": "Documentation", "conforms_to": "Follows the standard", "distributions": "Files",
    "frequency": "How often it is updated", "spatial": "Place", "temporal": "Period", "in_series": "Belongs to",
    "spatial_resolution": "Detail in space", "temporal_resolution": "Detail in time", "provenance": "How it came about",
    "generated_by": "Made in", "access_urls": "Address of access", "download_urls": "Address of the file",
    "endpoint_urls": "Address of the service", "byte_size": "Size in bytes",
}  # fmt: skip
"""What a page calls a property. Others go by their name."""

SCHEMES = {
    "themes": "themes", "subjects": "themes", "licences": "licences", "access_rights": "access-rights",
    "frequency": "frequencies", "languages": "languages", "formats": "media-types", "media_types": "media-types",
    "security_classification": "security-classification",
}  # fmt: skip
"""The scheme that knows what the values of a property are called."""

ROOM = 300
"""Characters of a long text that are shown: those around the place where it differs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One property: what is no longer said, and what is said now. What stayed the same is in neither."""

    property: str
    """Its name in catalogue/dcat.py, or the address of what we have no property for."""
    label: str
    before: tuple[Text, ...]
    after: tuple[Text, ...]


def label(name: str) -> str:
    """What a page calls a property."""
    return LABELS.get(name) or name.replace("_", " ").capitalize()


def differences(before: Node | None, after: Node | None) -> list[Difference]:
    """Everything in which two descriptions differ, in the order of the nouns. None stands for saying nothing."""
    return list(_between(before, after, ""))


def said(node: Node) -> list[tuple[str, list[Text]]]:
    """Everything that a description says, in the order of the nouns: label and values."""
    held = _by_property(node)
    return [
        (_called(key), _listed(held[key], partial(in_words, key=key)))
        for key in dict.fromkeys((*_order(node), *held))
        if held.get(key)
    ]


def worded(node: Node, name: str) -> list[Text]:
    """What a description says in one property."""
    return _listed(_by_property(node).get(name, ()), partial(in_words, key=name))


def _between(before: Node | None, after: Node | None, where: str) -> Iterator[Difference]:
    was, now = _by_property(before), _by_property(after)
    for key in dict.fromkeys((*_order(after or before), *now, *was)):
        gone, come = was.get(key, set()) - now.get(key, set()), now.get(key, set()) - was.get(key, set())
        inside: list[Difference] = []
        for old, new in _pairs(gone, come):
            name = in_words(new, key).value
            inside += _between(old, new, f"{where}{'File' if isinstance(new, Distribution) else label(key)} “{name}”: ")
            gone.discard(old)
            come.discard(new)
        if gone or come:
            yield Difference(key, where + _called(key), *_worded(gone, come, key))
        yield from inside


def _called(key: str) -> str:
    return label(key) if "/" not in key else compact(key).strip("<>")


def _order(node: Node | None) -> Iterable[str]:
    return (prop.name for prop in properties(type(node))) if node is not None else ()


def _by_property(node: Node | None) -> dict[str, set[Value]]:
    """What a node says, by the name of the property, or by the predicate where there is none."""
    found: dict[str, set[Value]] = {}
    if node is None:
        return found
    names = {prop.predicate: prop.name for prop in properties(type(node))}
    for prop, value in values(node):
        found.setdefault(prop.name, set()).add(value)
    for statement in node.rest:
        found.setdefault(names.get(statement.predicate, statement.predicate), set()).add(statement.object)
    if types := node.types | ({IRI(node.TYPE)} if found and node.TYPE else set()):
        found["types"] = set(types)
    return found


def _pairs(gone: Iterable[Value], come: Iterable[Value]) -> list[tuple[Node, Node]]:
    """Described things that are one thing before and after: by their address, for files by where they lie or their title."""
    old, new = _nodes(gone), _nodes(come)
    found: list[tuple[Node, Node]] = []
    for names in (_address, _links, _titles):
        for node in list(new):
            same = [one for one in old if names(one) and type(one) is type(node) and names(one) & names(node)]
            if len(same) == 1:
                found.append((same[0], node))
                old.remove(same[0])
                new.remove(node)
    return found


def _nodes(held: Iterable[Value]) -> list[Node]:
    return sorted((one for one in held if isinstance(one, Node)), key=sort_key)


def _address(node: Node) -> frozenset[Any]:
    return frozenset({node.iri} if node.iri else ())


def _links(node: Node) -> frozenset[Any]:
    return node.download_urls or node.access_urls if isinstance(node, Distribution) else frozenset()


def _titles(node: Node) -> frozenset[Any]:
    return node.titles if isinstance(node, Distribution) else frozenset()


# ---- words


def _worded(gone: set[Value], come: set[Value], key: str) -> tuple[tuple[Text, ...], tuple[Text, ...]]:
    for in_form in (partial(in_words, key=key), in_words, _as_data):  # plainer where the words alone would be the same
        before, after = _listed(gone, in_form), _listed(come, in_form)
        if [text.value for text in before] != [text.value for text in after]:
            break
    if len(before) == len(after) == 1:
        one, other = _around(before[0].value, after[0].value)
        return (Text(one, before[0].lang),), (Text(other, after[0].lang),)
    return tuple(map(_short, before)), tuple(map(_short, after))


def _as_data(value: Value) -> Text:
    return Text("\n".join(sorted(lines(value))) if isinstance(value, Node) else leaf(value))


def _listed(held: Iterable[Value], in_form: Callable[[Value], Text]) -> list[Text]:
    """English first, then by language, each in the order of the alphabet."""
    return sorted(map(in_form, held), key=lambda text: (text.lang[:2] not in ("en", ""), text.lang, text.value))


def _around(before: str, after: str) -> tuple[str, str]:
    """Two texts from shortly before the place where they part, when they are long."""
    if max(len(before), len(after)) <= ROOM:
        return before, after
    start = max(
        0, sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))) - ROOM // 5
    )
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int) -> str:
    return ("…" if start else "") + text[start : start + ROOM] + ("…" if len(text) > start + ROOM else "")


def _short(text: Text) -> Text:
    return Text(_cut(text.value, 0), text.lang)


def in_words(value: Value, key: str = "") -> Text:
    """A value as people would write it; dates stay as they were said, so that every difference shows."""
    if isinstance(value, Text):
        return value
    if isinstance(value, Literal):
        return Text(value.value)
    if isinstance(value, Node):
        return _node(value)
    if key == "types":
        return Text(compact(value).strip("<>"))
    known = scheme(SCHEMES[key]).find(value) if key in SCHEMES else None
    return Text(known.label if known else str(value))


def _node(node: Node) -> Text:
    for noun, words in _NODES:
        if isinstance(node, noun) and (found := words(node)):
            return found
    return _name(node) or Text(", ".join(_leaves(node)) or str(node.iri or ""))


def _name(node: Node) -> Text | None:
    named: list[frozenset[Text]] = [getattr(node, name, frozenset()) for name in ("titles", "names", "labels")]
    found = next((texts for texts in named if texts), frozenset())
    return min(found, key=lambda text: (text.lang not in ("en", ""), text.lang, text.value), default=None)


def _contact(point: ContactPoint) -> Text | None:
    return Text(", ".join(_leaves(point))) if point != ContactPoint() else None


def _period(period: PeriodOfTime) -> Text | None:
    start, end = ends(period)
    return Text(f"{start.value if start else '…'} to {end.value if end else '…'}") if start or end else None


def _file(file: Distribution) -> Text | None:
    return _name(file) or next((in_words(link) for link in sorted(_links(file), key=sort_key)), None)


_NODES: Sequence[tuple[type[Node], Callable[[Any], Text | None]]] = (
    (ContactPoint, _contact),
    (PeriodOfTime, _period),
    (Distribution, _file),
)


def _leaves(node: Node) -> list[str]:
    """What a thing says in single values, its own and those below it, in stated order."""
    found: dict[str, None] = {}
    for value in _stated(node):
        if isinstance(value, Node):
            found |= dict.fromkeys(_leaves(value) or [str(value.iri or "")])
        else:
            found[in_words(value).value.removeprefix("mailto:").removeprefix("tel:")] = None
    return [words for words in found if words]


def _stated(node: Node) -> Iterator[Value]:
    order: list[Property] = list(properties(type(node)))
    yield from (value for _, value in sorted(values(node), key=lambda one: (order.index(one[0]), sort_key(one[1]))))
    yield from sorted((statement.object for statement in node.rest), key=sort_key)
