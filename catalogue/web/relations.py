"""What a dataset stands beside: its series, its parts, its versions, and whatever else it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from catalogue.dcat import DataService, Dataset, DatasetSeries, Literal, Node, Relationship, Resource, Text
from catalogue.search import IndexBusy, IndexUnusable, Query
from catalogue.store import Entry
from catalogue.web import present, urls
from catalogue.web.present import Label
from catalogue.web.site import Site

RELATIONS = (
    ("in_series", "Part of the series"),
    ("previous", "The one before it in the series"),
    ("following", "The one after it in the series"),
    ("first", "First of the series"),
    ("last", "Newest of the series"),
    ("members", "Its datasets"),
    ("part_of", "Part of"),
    ("parts", "Its parts"),
    ("replaced_by", "Replaced by"),
    ("replaces", "Takes the place of"),
    ("current_version", "Current version"),
    ("versions", "Its versions"),
    ("version_of", "A version of"),
    ("previous_version", "The version before it"),
    ("next_versions", "The version after it"),
    ("sources", "Made from"),
    ("serves_datasets", "Gives access to"),
    ("relations", "Related"),
    ("referenced_by", "Mentioned in"),
    ("samples", "Sample"),
)
"""Every property that leads to another resource, and what a page calls it."""

SHOWN = 60
"""How many related resources a page looks up; what is beyond that is shown by its address."""


@dataclass(frozen=True, slots=True)
class Relation:
    """One kind of neighbour. Those that this catalogue describes lead to their pages, others to their own address."""

    title: str
    targets: tuple[Label, ...]


def relations(entry: Entry, site: Site) -> tuple[Relation, ...]:
    """The neighbours that a description names, by kind."""
    found = [(title, _said(getattr(entry.resource, name, None))) for name, title in RELATIONS]
    found.append(("Served by", _said(_services(entry.resource))))
    found += [_qualified(said) for said in sorted(entry.resource.qualified_relations, key=repr)]
    here = _held({label.href for _, labels in found for label in labels if label.href}, site)
    return tuple(
        Relation(title, tuple(here.get(label.href, label) for label in labels)) for title, labels in found if labels
    )


def _said(value: Any) -> list[Label]:
    """What a property says, as labels that carry the address that was given."""
    given: Any = () if value is None else value if isinstance(value, frozenset) else (value,)
    return sorted(map(_target, given), key=lambda label: (label.text.value, label.href))


def _target(value: Any) -> Label:
    label = present.called(value)
    iri = value.iri if isinstance(value, Node) else None if isinstance(value, Text | Literal) else value
    return replace(label, href=present.web(str(iri or "")) or label.href)


def _services(resource: Resource) -> frozenset[DataService]:
    """The services through which the files of a dataset are had."""
    files = resource.distributions if isinstance(resource, Dataset) else ()
    return frozenset(service for file in files for service in file.access_services)


def _qualified(said: Relationship) -> tuple[str, list[Label]]:
    role = next((present.called(role).text.value for role in sorted(said.roles, key=repr)), "Related")
    word = role.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]
    return word.replace("_", " ").replace("-", " ").capitalize(), _said(said.relations)


def _held(addresses: Iterable[str], site: Site) -> dict[str, Label]:
    """Those of these addresses that the catalogue describes: their titles, and our pages on them."""
    wanted = sorted(addresses)[:SHOWN]
    if not wanted:
        return {}
    ours = f"{site.settings.base_url}/dataset/"
    ids = {address: address.removeprefix(ours) for address in wanted if address.startswith(ours)}
    known = site.store.records.known(f"iri:{address}" for address in wanted).ids
    ids |= {address: known[f"iri:{address}"] for address in wanted if f"iri:{address}" in known}
    titles = {entry.id: _own(entry) for entry in site.store.datasets.some(list(set(ids.values())))} if ids else {}
    return {address: titles[id_] for address, id_ in ids.items() if id_ in titles}


def members(entry: Entry, site: Site) -> tuple[Label, ...]:
    """Datasets that say they belong to this series, looked for where they are likely: under its organisation and words."""
    if not isinstance(entry.resource, DatasetSeries):
        return ()
    filters = {"organisation": frozenset({entry.row.organisation})} if entry.row.organisation else {}
    words = " ".join(re.findall(r"\w+", entry.row.title.lower()))  # in small letters, no word is an operator
    try:
        near = site.index.search(Query(words=words, filters=filters, per_page=SHOWN, facets=False))
    except (IndexUnusable, IndexBusy):
        return ()  # the page can be read without them
    found = site.store.datasets.some([hit.id for hit in near.hits])
    mine = [other for other in found if entry.iri in _series(other.resource)]
    return tuple(_own(other) for other in sorted(mine, key=lambda other: other.row.title))


def _series(resource: Resource) -> set[str]:
    said: frozenset[Any] = getattr(resource, "in_series", frozenset())
    return {str(value.iri if isinstance(value, Node) else value) for value in said}


def _own(entry: Entry) -> Label:
    return Label(present.best(entry.resource.titles) or Text(entry.row.title), urls.dataset(entry.id))
