"""Boxes and shapes that were given as text become places with a geometry; the names of places stay as they are."""

from __future__ import annotations

import json
import re
from typing import Any

from catalogue.dcat import IRI, Literal, Location, Text, Value
from catalogue.normalise.addresses import address
from catalogue.normalise.words import Mended, prose, says_nothing
from vocab.namespaces import GSP

WKT, GEOJSON = IRI(GSP.wktLiteral), IRI(GSP.geoJSONLiteral)

_NUMBER = r"(-?[0-9]{1,3}(?:\.[0-9]{1,20})?)"
_BOX = re.compile(rf"[\[(]?\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*[\])]?")
_ENVELOPE = re.compile(
    rf"ENVELOPE\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)", re.IGNORECASE
)
_WKT = re.compile(
    r"(?:<[^<>\s]+>\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(?:Z|M|ZM)?\s*\([-+0-9.,eE\s()A-Z]+\)",
    re.IGNORECASE,
)
_SHAPES = frozenset(
    ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
)


def place(value: Value) -> Mended:
    """A place in figures: `"-5.7,49.9,1.8,55.8"` (west, south, east, north) → `[ dcat:bbox "POLYGON((…))" ]`."""
    mended = prose(value)
    if type(mended) is not Text:
        return mended
    if says_nothing(mended.value):
        return None
    if named := address(mended.value):
        return Location(iri=named)
    if box := _box(mended.value):
        return Location(boxes=frozenset((box,)))
    if geometry := _geometry(mended.value):
        return Location(geometries=frozenset((geometry,)))
    return mended


def box(value: Value) -> Mended:
    """A box in figures: `"ENVELOPE(-5.7,1.8,55.8,49.9)"` → `"POLYGON((-5.7 49.9,…))"^^gsp:wktLiteral`."""
    mended = prose(value)
    if type(mended) is not Text:
        return mended
    return None if says_nothing(mended.value) else _box(mended.value) or _geometry(mended.value) or mended


def geometry(value: Value) -> Mended:
    """A shape with its type: `"POINT(-3.2 51.5)"` → `"POINT(-3.2 51.5)"^^gsp:wktLiteral`; GeoJSON likewise."""
    mended = prose(value)
    if type(mended) is not Text:
        return mended
    return None if says_nothing(mended.value) else _geometry(mended.value) or mended


def _box(words: str) -> Literal | None:
    if found := _BOX.fullmatch(words):
        return _rectangle(found[1], found[2], found[3], found[4])
    if found := _ENVELOPE.fullmatch(words):
        return _rectangle(found[1], found[4], found[2], found[3])
    shape = _json(words)
    if shape.get("type") == "Polygon" and len(shape["coordinates"]) == 1:
        ring = shape["coordinates"][0]
        xs, ys = ({point[axis] for point in ring} for axis in (0, 1))
        if len(ring) == 5 and len(xs) == len(ys) == 2 and len(set(map(tuple, ring))) == 4:
            return _rectangle(min(xs, key=float), min(ys, key=float), max(xs, key=float), max(ys, key=float))
    return None


def _rectangle(west: str, south: str, east: str, north: str) -> Literal | None:
    """The box as Well-Known Text, its numbers as they were said; None where they are no degrees."""
    if not (-180 <= float(west) <= float(east) <= 180 and -90 <= float(south) <= float(north) <= 90):
        return None
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    return Literal(f"POLYGON(({','.join(f'{x} {y}' for x, y in corners)}))", WKT)


def _geometry(words: str) -> Literal | None:
    if _WKT.fullmatch(words):
        return Literal(words, WKT)
    return Literal(words, GEOJSON) if _json(words) else None


def _json(words: str) -> dict[str, Any]:
    """The GeoJSON geometry that words are, its numbers as text; nothing when they are none."""
    if not (words.startswith("{") and words.endswith("}") and '"type"' in words):
        return {}
    try:
        shape = json.loads(words, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return {}
    if shape.get("type") not in _SHAPES or (shape["type"] == "Polygon" and not _is_polygon(shape.get("coordinates"))):
        return {}
    return dict(shape) if "coordinates" in shape or "geometries" in shape else {}


def _is_polygon(rings: object) -> bool:
    return (
        isinstance(rings, list)
        and bool(rings)
        and all(
            isinstance(ring, list)
            and all(isinstance(point, list) and len(point) >= 2 and all(map(_is_number, point)) for point in ring)
            for ring in rings
        )
    )


def _is_number(words: object) -> bool:
    return isinstance(words, str) and re.fullmatch(r"-?[0-9]{1,3}(?:\.[0-9]{1,30})?", words) is not None
