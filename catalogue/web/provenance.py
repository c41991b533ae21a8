"""Who said what, and when: for each property of a dataset its source, the person who put it right, or how it was worked out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from catalogue.dcat import Resource, Text, properties
from catalogue.differences import label, worded
from catalogue.layers import CORRECTION, Layer, agreed, said_by, says
from catalogue.store import Entry
from catalogue.web import present
from catalogue.web.details import Fact
from catalogue.web.site import Site


@dataclass(frozen=True, slots=True)
class Word:
    """One property: who says it, since when, and what else there is to know."""

    label: str
    who: str
    when: str
    layer: str
    """correction, enrichment, or "" for what a source says."""
    note: str = ""
    drifted: str = ""
    """The day since when the source says something else than when it was corrected."""
    source_says: Sequence[Text] = ()
    agreed: bool = False

    @property
    def in_short(self) -> str:
        if self.layer == CORRECTION:
            return f"Put right by {self.who} on {self.when}"
        return f"Worked out by us: {self.who}" if self.layer else ""


def provenance(entry: Entry, site: Site) -> list[Word]:
    """Who says each thing that a dataset says now, in the order of the nouns."""
    layers = site.store.corrections.of(entry.id)
    # without layers what is shown is what was harvested, and need not be read again
    harvested = site.store.corrections.harvested(entry.id) if layers else entry.resource
    over = said_by(harvested, layers)
    lead = next((route for route in entry.routes if route.leads), None)
    return [
        _layered(over[prop.name], harvested)
        if prop.name in over
        else Word(
            label(prop.name), lead.source_title if lead else "", present.just_day(lead.changed) if lead else "", ""
        )
        for prop in properties(type(entry.resource))
        if prop.name in over or says(entry.resource, prop.name)
    ]


def _layered(layer: Layer, harvested: Resource) -> Word:
    return Word(
        label=label(layer.property),
        who=layer.actor,
        when=present.just_day(layer.at),
        layer=layer.layer,
        note=layer.note,
        drifted=present.just_day(layer.drifted) if layer.drifted else "",
        source_says=worded(harvested, layer.property),
        agreed=agreed(layer),
    )


def marked(facts: Iterable[Fact], words: Iterable[Word]) -> list[Fact]:
    """Details of which those say so that the source did not say itself."""
    layered: Mapping[str, Word] = {word.label: word for word in words if word.layer}
    return [(name, _marked(value, layered[name])) if name in layered else (name, value) for name, value in facts]


def _marked(value: Any, word: Word) -> list[Any]:
    shown = list(value) if isinstance(value, list | tuple) else [value] if value else []
    return [*shown, Markup('<span class="app-muted">{}</span>').format(word.in_short)]
