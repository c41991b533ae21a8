"""A dataset in the JSON of DCAT-US 1.1: what was said and has a place there, nothing invented."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalogue.dcat import Agent, ContactPoint, Dataset, Distribution, PeriodOfTime, Resource, Text, words
from catalogue.facts import ends, facts, plain
from catalogue.store import Entry

ACCESS_LEVELS = {"open": "public", "internal": "non-public"}


def dataset_json(entry: Entry) -> dict[str, Any]:
    """One dataset; values that are not given are left out, also where the schema wants them."""
    resource = entry.resource
    seen = facts(resource)
    said = {
        "@type": "dcat:Dataset",
        "identifier": entry.iri,
        "title": seen.title,
        "description": words(resource.descriptions),
        "keyword": list(seen.keywords),
        "modified": seen.modified,
        "issued": seen.issued,
        "publisher": _publisher(resource.publisher),
        "contactPoint": _contact(resource),
        "accessLevel": ACCESS_LEVELS.get(seen.access, "restricted public") if seen.access else "",
        "license": _first(resource.licences),
        "rights": words(resource.rights),
        "accrualPeriodicity": _first([getattr(resource, "frequency", None)]),
        "language": sorted({text.lang for text in resource.titles if text.lang}),
        "theme": list(seen.themes),
        "landingPage": _first(resource.landing_pages),
        "temporal": _temporal(resource),
        "distribution": _distributions(resource),
    }
    return _given(said)


def _distributions(resource: Resource) -> list[dict[str, Any]]:
    if not isinstance(resource, Dataset):
        return []
    return [_distribution(d) for d in sorted(resource.distributions, key=lambda d: str(d.iri))]


def _distribution(distribution: Distribution) -> dict[str, Any]:
    media_type = _first(distribution.media_types)
    return _given(
        {
            "@type": "dcat:Distribution",
            "title": words(distribution.titles),
            "description": words(distribution.descriptions),
            "downloadURL": _first(distribution.download_urls),
            "accessURL": _first(distribution.access_urls),
            "mediaType": media_type.partition("/media-types/")[2] or media_type,
            "format": _first(distribution.formats),
            "license": _first(distribution.licences),
        }
    )


def _publisher(said: Agent | Text | None) -> dict[str, Any]:
    name = said.value if isinstance(said, Text) else words(said.names) if said else ""
    return {"@type": "org:Organization", "name": name} if name else {}


def _contact(resource: Resource) -> dict[str, Any]:
    for point in sorted((p for p in resource.contact_points if isinstance(p, ContactPoint)), key=repr):
        return _given({"@type": "vcard:Contact", "fn": words(point.names), "hasEmail": _first(point.emails)})
    return {}


def _temporal(resource: Resource) -> str:
    for period in getattr(resource, "temporal", ()):
        start, end = ends(period) if isinstance(period, PeriodOfTime) else (None, None)
        if start and end:
            return f"{start.value}/{end.value}"
    return ""


def _first(values: Iterable[Any]) -> str:
    return next(iter(sorted(filter(None, map(plain, values)))), "")


def _given(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value not in ("", [], {}, None)}
