"""What a description says, as rows of label and value: what people look for first, then whatever else was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from catalogue.dcat import Dataset, Location, Node, PeriodOfTime, Resource, Statement, Text, properties
from catalogue.facts import ends, plain
from catalogue.rdf import sort_key
from catalogue.rdf.write import compact
from catalogue.search import Document
from catalogue.web import present, urls
from vocab import scheme

Fact = tuple[str, Any]

KINDS = {"dataset": "Dataset", "series": "Series of datasets", "service": "Service"}


def in_short(resource: Resource, seen: Document, licence: present.Label | None) -> list[Fact]:
    """The strip below the title. What a service cannot have is not asked of it."""
    covered = [
        ("How often", _concept("frequencies", getattr(resource, "frequency", None))),
        ("Covers", _covers(resource)),
    ]
    return [
        ("Updated", present.date(resource.modified)),
        *(covered if isinstance(resource, Dataset) else ()),
        ("Formats", present.joined(escape(present.choice("format", value)) for value in seen.formats) or None),
        ("Licence", licence.text if licence else None),
    ]


def details(resource: Resource, seen: Document, organisation: Markup | None) -> list[Fact]:
    """Everything else, in the order people ask for it. The first rows stand there even when nothing was said."""
    always: list[Fact] = [
        ("Published by", organisation),
        ("Identifier", _list(resource.identifiers)),
        ("Themes", [present.link(_label("theme", value), urls.choice("theme", value)) for value in seen.themes]),
        ("Keywords", _keywords(resource)),
        ("First published", present.date(resource.issued)),
        ("Last updated", present.date(resource.modified)),
        *(_coverage(resource) if isinstance(resource, Dataset) else ()),
        ("Languages", _concepts("languages", resource.languages)),
        ("Legal basis", _list(resource.legal_bases)),
    ]
    return always + [(label, value) for label, read in MORE if (value := read(resource))]


def _coverage(dataset: Dataset) -> list[Fact]:
    often = _concept("frequencies", dataset.frequency)
    return [("How often it is updated", often), ("Period", _periods(dataset)), ("Place", _places(dataset))]


def _list(values: Iterable[Any]) -> list[Markup]:
    return [shown for value in sorted(values, key=plain) if (shown := present.link(present.called(value)))]


def _concept(name: str, value: Any) -> Markup | None:
    """A concept in words; its address would help nobody."""
    label = present.concept(name, value)
    return present.in_language(label.text) if label else None


def _concepts(name: str, values: Iterable[Any]) -> list[Markup]:
    return [shown for value in sorted(values, key=plain) if (shown := _concept(name, value))]


def _label(parameter: str, value: str) -> present.Label:
    return present.Label(Text(present.choice(parameter, value)))


def _keywords(resource: Resource) -> Markup | None:
    """English first, then by language, each in the order of the alphabet."""
    words = sorted(resource.keywords, key=lambda word: (word.lang not in ("", "en"), word.lang, word.value.casefold()))
    found = [present.link(present.Label(word), urls.choice("q", word.value)) for word in words]
    return present.joined(found) if found else None


def _covers(resource: Resource) -> list[Any]:
    return [*_places(resource), *_periods(resource)][:2]


def _periods(resource: Resource) -> list[Any]:
    return [_period(said) for said in sorted(getattr(resource, "temporal", ()), key=repr)]


def _period(said: PeriodOfTime | Text) -> Any:
    if isinstance(said, Text):
        return said
    covered = present.period(*ends(said))
    return covered[:1].upper() + covered[1:] or present.best(said.labels) or str(said.iri or "")


def _places(resource: Resource) -> list[Any]:
    named = (_place(said) for said in sorted(getattr(resource, "spatial", ()), key=repr))
    return [place for place in named if place]


def _place(said: Location | Text) -> Any:
    """The name of a place in every language; a shape without a name is only a shape."""
    if isinstance(said, Text):
        return present.link(present.called(said))
    names = present.spoken({text.value: text for text in sorted(said.labels | said.names, key=sort_key)}.values())
    if names:
        return present.joined((present.in_language(name) for name in names), " / ")
    address = str(said.iri or "")
    return (
        present.link(present.called(said))
        if address
        else "An area given by its coordinates"
        if said != Location()
        else ""
    )


def _resolution(resource: Resource) -> list[str]:
    said = sorted(plain(value) for value in getattr(resource, "spatial_resolution", ()))
    return [f"{value.removesuffix('.0')} metres" if value.replace(".", "", 1).isdigit() else value for value in said]


def _classification(resource: Resource) -> Markup | None:
    label = present.concept("security-classification", resource.security_classification)
    if label is None:
        return None
    shown = present.in_language(label.text)
    return Markup("{}<br>{}").format(shown, label.meaning) if label.meaning else shown


def _missions(resource: Resource) -> list[Markup]:
    named = (scheme("missions").find(plain(value)) for value in resource.keywords | resource.themes)
    found = {concept.notation for concept in named if concept}
    shown = (present.link(_label("mission", value), urls.choice("mission", value)) for value in sorted(found))
    return [mission for mission in shown if mission]


def _listed(name: str) -> Callable[[Resource], Any]:
    return lambda resource: _list(getattr(resource, name, ()))


def _texts(name: str) -> Callable[[Resource], Any]:
    return lambda resource: present.spoken(getattr(resource, name, ()))


MORE: tuple[tuple[str, Callable[[Resource], Any]], ...] = (
    ("Also called", _texts("alternative_titles")),
    ("Missions", _missions),
    ("Created", lambda resource: present.date(resource.created)),
    ("Version", lambda resource: plain(resource.version)),
    ("What is new in it", _texts("version_notes")),
    ("State", lambda resource: present.link(present.called(resource.status)) if resource.status else None),
    ("Kind", _listed("kinds")),
    ("Subjects", _listed("subjects")),
    ("Detail in space", _resolution),
    ("Detail in time", lambda resource: present.duration(plain(getattr(resource, "temporal_resolution", None)))),
    ("Security classification", _classification),
    ("Law that it follows from", _listed("applicable_legislation")),
    ("High-value category", _listed("high_value_categories")),
    ("Purposes", _listed("purposes")),
    ("Personal data", _listed("personal_data")),
    ("Policy on its use", _listed("policies")),
    ("Follows the standard", _listed("conforms_to")),
    ("How it came about", _listed("provenance")),
    ("Made by", _listed("generated_by")),
    ("Documentation", _listed("pages")),
    ("Other identifiers", _listed("other_identifiers")),
)
"""What is shown only where it was said."""


# ---- what nobody has a place for

DEEPEST = 4
MOST = 200
AS_MADE = ("quality_measurements", "in_catalogs")
"""Properties whose values are shown as the statements that they are."""


@dataclass(frozen=True, slots=True)
class Said:
    """A statement in the source's own terms: the property, its value, and what hangs below it."""

    property: str
    value: Markup | str
    depth: int


def unplaced(resource: Resource) -> list[Said]:
    """Statements of the description, and of its files, for which there is no property here or no line on the page."""
    found: list[Said] = list(_rest(resource, 0))
    if isinstance(resource, Dataset):
        for distribution in sorted(resource.distributions, key=sort_key):
            if _as_made(distribution):
                own = present.words_of(distribution)
                found.append(Said("File", own.value if own else str(distribution.iri or ""), 0))
                found += _rest(distribution, 1)
    return found[:MOST]


def _rest(node: Node, depth: int) -> Iterator[Said]:
    for said in sorted(_as_made(node), key=lambda said: (said.predicate, sort_key(said.object))):
        name = compact(said.predicate).strip("<>")
        if isinstance(said.object, Node):
            yield Said(name, present.link(present.called(said.object)) or "", depth)
            if depth < DEEPEST:
                yield from _rest(said.object, depth + 1)
        else:
            yield Said(name, present.link(present.called(said.object)) or "", depth)


def _as_made(node: Node) -> set[Statement]:
    placed = [prop for prop in properties(type(node)) if prop.name in AS_MADE]
    return {*node.rest, *(Statement(prop.predicate, value) for prop in placed for value in getattr(node, prop.name))}
