"""What can be worked out where a source says nothing. An enrichment never speaks over a source or over a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from catalogue.dcat import IRI, Resource
from vocab import fold, scheme


@dataclass(frozen=True, slots=True)
class Enrichment:
    """One way to work a property out: which, how a page names the way, and the way itself, which may find nothing."""

    property: str
    actor: str
    find: Callable[[Resource], frozenset[Any]]


def themes_of_keywords(resource: Resource) -> frozenset[IRI]:
    """The themes that keywords name: by label or synonym, however they are spaced and capitalised."""
    if resource.themes or not resource.keywords:
        return frozenset()
    named = _themes()
    return frozenset(named[word] for keyword in resource.keywords if (word := fold(keyword.value)) in named)


@cache
def _themes() -> dict[str, IRI]:
    """Every theme by each of its names, folded. Codes are left out: as a keyword, "af" or "so" is something else."""
    return {
        fold(name): IRI(theme.iri)
        for theme in scheme("themes")
        for name in (*theme.labels.values(), *theme.synonyms)
    }  # fmt: skip


ENRICHMENTS = (Enrichment("themes", "theme from keywords", themes_of_keywords),)


def enrichments(resource: Resource) -> Iterator[tuple[Enrichment, Resource]]:
    """What can be worked out of a description: each as the resource with that property alone."""
    for enrichment in ENRICHMENTS:
        if found := enrichment.find(resource):
            said: dict[str, Any] = {enrichment.property: found}
            yield enrichment, type(resource)(iri=resource.iri, **said)
