"""What a resource says in the short words that lists, filters and files use: notations, ISO dates, a bounding box."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from catalogue.dcat import (
    IRI,
    DataService,
    Dataset,
    Literal,
    Location,
    Node,
    PeriodOfTime,
    Resource,
    Text,
    Thing,
    When,
    words,
)
from catalogue.organisations import slug
from vocab import Concept, scheme
from vocab.namespaces import TIME

Box = tuple[float, float, float, float]
LONGEST = 100_000
"""Characters of a description that are searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One resource in short. Values of a vocabulary are its notations; what is not said is "" or empty."""

    title: str
    titles: tuple[str, ...]
    summary: str
    description: str
    keywords: tuple[str, ...]
    themes: tuple[str, ...]
    formats: tuple[str, ...]
    licence: str
    access: str
    frequency: str
    missions: tuple[str, ...]
    modified: str
    issued: str
    covers_from: str
    covers_to: str
    bbox: Box | None
    """West, south, east, north, in degrees."""


def facts(resource: Resource) -> Facts:
    """What a resource says, in short."""
    title = words(resource.titles)
    covers_from, covers_to = _covers(resource)
    return Facts(
        title=title,
        titles=tuple(sorted(t.value for t in resource.titles | resource.alternative_titles if t.value != title)),
        summary=_joined(resource.summaries),
        description=_joined(resource.descriptions)[:LONGEST],
        keywords=tuple(sorted({t.value for t in resource.keywords})),
        themes=_notations("themes", resource.themes | resource.subjects),
        formats=formats(resource),
        licence=licence(resource),
        access=next(iter(_notations("access-rights", [resource.access_rights])), ""),
        frequency=next(iter(_notations("frequencies", [getattr(resource, "frequency", None)])), ""),
        missions=_notations("missions", (*resource.keywords, *resource.themes)),
        modified=iso_date(resource.modified),
        issued=iso_date(resource.issued),
        covers_from=covers_from,
        covers_to=covers_to,
        bbox=next(_boxes(resource), None),
    )


def formats(resource: Resource) -> tuple[str, ...]:
    """The formats in which something can be had, as short words: known ones by their notation, others as they are written."""
    said: list[Any] = []
    if isinstance(resource, DataService):
        said += resource.formats
    if isinstance(resource, Dataset):
        for distribution in resource.distributions:
            said += distribution.media_types or distribution.formats
    known, unknown = scheme("media-types"), set()
    for value in said:
        found = known.find(plain(value))
        unknown.add(found.notation if found else slug(plain(value).rsplit("/", 1)[-1], 30))
    return tuple(sorted(unknown - {""}))


def licence(resource: Resource) -> str:
    """The licence of a resource, else the one that its distributions share. "" when none is stated."""
    said: set[Any] = set(resource.licences)
    if not said and isinstance(resource, Dataset):
        said = {value for distribution in resource.distributions for value in distribution.licences}
    found = sorted({concept.notation for concept in _concepts("licences", said)})
    return found[0] if found else "other" if said else ""


def iso_date(said: When | Text | None) -> str:
    """The day, as precisely as it is known: "2024", "2024-03" and "2024-03-01" sort among each other. "" for anything else."""
    found = re.match(r"\d{4}(-\d{2}(-\d{2})?)?", said.value) if said is not None else None
    return found[0] if found and (isinstance(said, When) or found[0] == said.value.strip()) else ""  # type: ignore[union-attr]


def plain(value: Any) -> str:
    """What a value is called: words, an address, or the label of a described thing."""
    if isinstance(value, Text | Literal):
        return value.value
    if isinstance(value, Node):
        labels = [
            s.object
            for s in value.rest
            if isinstance(s.object, Text) and s.predicate.endswith(("abel", "title", "value"))
        ]
        return str(value.iri or "") or words(labels)
    return str(value or "")


def _concepts(name: str, said: Iterable[Any]) -> Iterator[Concept]:
    known = scheme(name)
    for value in said:
        if value is not None and (found := known.find(plain(value))):
            yield found


def _notations(name: str, said: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({concept.notation for concept in _concepts(name, said)}))


def _joined(texts: Iterable[Text]) -> str:
    """Every language, English first."""
    return "\n\n".join(t.value for t in sorted(texts, key=lambda t: (t.lang[:2] not in ("", "en"), t.lang, t.value)))


def _covers(resource: Resource) -> tuple[str, str]:
    """The earliest start and the latest end that are stated; "" for an open end."""
    periods = [p for p in getattr(resource, "temporal", ()) if isinstance(p, PeriodOfTime)]
    both = [ends(period) for period in periods]
    first = sorted(filter(None, (iso_date(start) for start, _ in both)))
    last = sorted(filter(None, (iso_date(end) for _, end in both)))
    return (first[0] if first else ""), (last[-1] if last and all(end for _, end in both) else "")


def ends(period: PeriodOfTime) -> tuple[When | Text | None, When | Text | None]:
    """When a period begins and ends, whether it says so in dates or in instants (`time:hasBeginning`)."""
    return period.start or _instant(period.beginnings), period.end or _instant(period.endings)


def _instant(said: Iterable[IRI | Thing]) -> When | None:
    dates = [s.object for one in said if isinstance(one, Thing) for s in one.rest if s.predicate.startswith(IN_XSD)]
    return min((date for date in dates if isinstance(date, When)), key=lambda date: date.value, default=None)


IN_XSD = TIME["inXSD"]
"""How the predicates begin that date an instant: inXSDDate, inXSDDateTimeStamp, inXSDgYear …"""


def _boxes(resource: Resource) -> Iterator[Box]:
    """Bounding boxes of the places that are stated, by the first shape that can be read."""
    for place in sorted((p for p in getattr(resource, "spatial", ()) if isinstance(p, Location)), key=repr):
        for said in (*place.boxes, *place.geometries, *place.centroids):
            for read in _SHAPES:
                if box := read(said.value if isinstance(said, Text | Literal) else ""):
                    yield box


def _wkt(text: str) -> Box | None:
    """WKT: every pair of numbers is a corner, whatever the shape."""
    if not re.match(
        r"\s*(<[^>]*>\s*)?(SRID=\d+;)?\s*(ENVELOPE|POLYGON|MULTIPOLYGON|POINT|LINESTRING)", text, re.IGNORECASE
    ):
        return None
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?(?:[eE]-?\d+)?", text[text.find("(") :])]
    if "ENVELOPE" in text.upper() and len(numbers) == 4:  # west, east, north, south
        return _box([numbers[0], numbers[1]], [numbers[3], numbers[2]])
    return _box(numbers[0::2], numbers[1::2]) if len(numbers) % 2 == 0 else None


def _geojson(text: str) -> Box | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return None
    pairs = list(_pairs(held.get("coordinates") if isinstance(held, dict) else None))
    return _box([x for x, _ in pairs], [y for _, y in pairs])


def _pairs(value: Any, depth: int = 0) -> Iterator[tuple[float, float]]:
    if not isinstance(value, list) or depth > 6:
        return
    if len(value) >= 2 and all(isinstance(n, int | float) for n in value[:2]):
        yield float(value[0]), float(value[1])
        return
    for item in value:
        yield from _pairs(item, depth + 1)


def _box(xs: list[float], ys: list[float]) -> Box | None:
    """West, south, east, north in degrees; None for anything that lies off the globe."""
    if not xs or not ys or max(map(abs, xs)) > 180 or max(map(abs, ys)) > 90:
        return None
    return min(xs), min(ys), max(xs), max(ys)


_SHAPES: tuple[Callable[[str], Box | None], ...] = (_wkt, _geojson)
