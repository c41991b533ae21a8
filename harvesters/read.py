"""What was said, as values: readers of words, addresses, dates and places, and tables that say which key is which property.

Nothing is repaired here: what is not well written stays words, for `normalise` to mend or to tell of.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, date
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypeVar

from catalogue.dcat import IRI, Literal, Location, Node, Number, Property, Statement, Text, Value, When, properties
from vocab.namespaces import FEDCAT, GSP, XSD

N = TypeVar("N", bound=Node)
Reader = Callable[[Any], Iterable[Value]]
Row = tuple[str, Reader, tuple[str, ...]]
"""A property, the reader of its values, and the keys it may stand under: the first that says something counts."""


def rows(reader: Reader, **properties: str) -> tuple[Row, ...]:
    """Rows of a mapping table: by property, the keys it may stand under. "a b" is a, else b; "a, b" is both."""
    return tuple((name, reader, tuple(keys.split())) for name, said in properties.items() for keys in said.split(","))


def describe(
    noun: type[N],
    said: Mapping[str, Any],
    rows: Iterable[Row] = (),
    *,
    iri: IRI | None = None,
    types: Iterable[str] = (),
    more: Iterable[tuple[str, Value]] = (),
    rest: Iterable[Statement] = (),
    apart: Collection[str] = (),
    predicate: Callable[[str], str] | None = None,
    reader: Reader | None = None,
) -> N:
    """A noun from what a source said of it by key. `more` are values read elsewhere, `apart` the keys they came from.

    A key that no row reads goes to `rest` under `predicate(key)`, and so does what a property cannot hold.
    """
    used, stated = set(apart), list[tuple[str, Value]]()
    for name, read, keys in rows:
        for key in keys:
            if key in said and _says_something(said[key]):
                used.add(key)
                stated.extend((name, value) for value in read(said[key]))
                break
    kept = set(rest)
    for key in said.keys() - used:
        kept.update(Statement(IRI((predicate or own)(key)), value) for value in (reader or concepts)(said[key]))
    return _build(noun, [*stated, *more], kept, iri, frozenset(map(IRI, types)) - {noun.TYPE})


def nodes(noun: type[N], table: Iterable[Row]) -> Reader:
    """A reader of objects as nouns, their address under `uri`; an address alone names one, words stay words."""

    def read(said: Any) -> Iterator[Value]:
        for one in flat(said):
            iri = web_address(one.get("uri") if isinstance(one, dict) else one)
            if not isinstance(one, dict):
                yield noun(iri=iri) if iri else Text(written(one))
            elif (found := describe(noun, one, table, iri=iri, apart=("uri",) if iri else ())) != noun():
                yield found

    return read


def _build(
    noun: type[N], stated: Iterable[tuple[str, Value]], rest: set[Statement], iri: IRI | None, types: frozenset[IRI]
) -> N:
    key: Any = noun  # mypy holds classes of dataclasses for unhashable
    known, held = _by_name(key), dict[str, set[Value]]()
    for name, value in stated:
        prop, taken = known[name], held.setdefault(name, set())
        if isinstance(value, prop.kinds) and (prop.many or not taken):
            taken.add(value)
        elif value not in taken:
            rest.add(Statement(prop.predicate, value))
    facts: dict[str, Any] = {
        name: _without_twins(taken) if known[name].many else next(iter(taken)) for name, taken in held.items() if taken
    }
    return noun(iri=iri, types=types, rest=frozenset(rest), **facts)


@cache
def _by_name(noun: type[Node]) -> dict[str, Property]:
    return {prop.name: prop for prop in properties(noun)}


def _without_twins(taken: set[Value]) -> frozenset[Value]:
    """Words that are also said with their language are said once."""
    tagged = {value.value for value in taken if isinstance(value, Text) and value.lang}
    return frozenset(v for v in taken if not (isinstance(v, Text) and not v.lang and v.value in tagged))


def own(key: str) -> str:
    """The predicate of a key that no vocabulary knows."""
    bare = (
        unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", key))
        .encode("ascii", "ignore")
        .decode()
        .lower()
    )
    return FEDCAT["extra-" + (re.sub(r"[^a-z0-9]+", "-", bare).strip("-") or "field")]


def flat(said: Any) -> Iterator[Any]:
    """What was said, one by one: lists opened, nothings left out, JSON-LD's literals as plain values or by language."""
    if isinstance(said, str):  # as most of it is
        if said.strip():
            yield said
        return
    waiting = [said]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and "@value" in item:
            language = item.get("@language")
            item = {language: item["@value"]} if isinstance(language, str) else item["@value"]
        if isinstance(item, list):
            waiting.extend(reversed(item))
        elif _says_something(item):
            yield item


def _says_something(item: Any) -> bool:
    return bool(item.strip()) if isinstance(item, str) else item not in (None, [], {})


LANGUAGE = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z0-9]{2,8})*")


def texts(said: Any) -> Iterator[Text]:
    """Words: plain, or by language as in {"en": "Budget", "cy": "Cyllideb"}."""
    for item in flat(said):
        if isinstance(item, dict) and all(LANGUAGE.fullmatch(key) for key in item):
            for language, words in item.items():
                yield from (Text(written(word), language.replace("_", "-").lower()) for word in flat(words))
        else:
            yield Text(written(item))


def written(item: Any) -> str:
    """A JSON value as words; objects and numbers as JSON writes them."""
    return item if isinstance(item, str) else json.dumps(item, sort_keys=True, ensure_ascii=False)


# What RFC 3987 keeps out of an address; rdflib and oxigraph refuse it too.
_NEVER = r"\x00-\x20\x7f-\xa0<>\"{}|\\^`%\[\]#\ud800-\uf8ff\ufff0-\uffff\U000e0000-\U0010ffff"
_CHAR = rf"(?:[^{_NEVER}]|%[0-9A-Fa-f]{{2}})"
_HOST = rf"(?:[^{_NEVER}/?@:]+|\[[0-9A-Fa-f:.]+\])"
WEB_ADDRESS = re.compile(rf"https?://{_HOST}(?::\d*)?(?:[/?]{_CHAR}*+)?(?:\#{_CHAR}*+)?", re.IGNORECASE)
MAIL_ADDRESS = re.compile(rf"mailto:{_CHAR}+", re.IGNORECASE)


def web_address(said: Any) -> IRI | None:
    """An http(s) address that can name something."""
    bare = said.strip() if isinstance(said, str) else ""
    return IRI(bare) if WEB_ADDRESS.fullmatch(bare) else None


def concepts(said: Any) -> Iterator[IRI | Text]:
    """Addresses where they are addresses, else words."""
    for text in texts(said):
        yield (not text.lang and web_address(text.value)) or text


def emails(said: Any) -> Iterator[IRI | Text]:
    for text in texts(said):
        yield IRI(text.value.strip()) if MAIL_ADDRESS.fullmatch(text.value.strip()) else text


_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
_TIME = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
_DATES = (
    (re.compile(rf"[0-9]{{4}}{_ZONE}"), XSD.gYear),
    (re.compile(rf"[0-9]{{4}}-[0-9]{{2}}{_ZONE}"), XSD.gYearMonth),
    (re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_ZONE}"), XSD.date),
    (re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{_TIME}{_ZONE}"), XSD.dateTime),
)


def dates(said: Any) -> Iterator[When | Text]:
    """Dates where they are well written, and days that exist; else words."""
    for text in texts(said):
        bare = text.value.strip()
        kind = next((kind for pattern, kind in _DATES if pattern.fullmatch(bare)), "")
        yield When(bare, IRI(kind)) if kind and _exists(bare) else text


def _exists(day: str) -> bool:
    known = re.match(r"\d{4}(?:-\d\d){0,2}(?!:)", day)
    try:
        return bool(known and date.fromisoformat((known[0] + "-01-01")[:10]))
    except ValueError:
        return False


def moment(header: str) -> str:
    """A source's own time, by the Date of its answer; "" when it gives none."""
    try:
        return parsedate_to_datetime(header).astimezone(UTC).isoformat()
    except (ValueError, TypeError):
        return ""


def numbers(
    said: Any, pattern: str = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", kind: str = XSD.decimal
) -> Iterator[Number | Text]:
    for text in texts(said):
        bare = text.value.strip()
        yield Number(bare, IRI(kind)) if re.fullmatch(pattern, bare, re.ASCII) else text


def sizes(said: Any) -> Iterator[Number | Text]:
    """A number of bytes."""
    return numbers(said, r"\+?\d+", XSD.nonNegativeInteger)


_DURATION = re.compile(r"-?P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII)


def durations(said: Any) -> Iterator[Literal | Text]:
    for text in texts(said):
        bare = text.value.strip()
        yield Literal(bare, IRI(XSD.duration)) if _DURATION.fullmatch(bare) else text


def hexes(said: Any) -> Iterator[Literal | Text]:
    """A checksum's value."""
    for text in texts(said):
        bare = text.value.strip()
        yield Literal(bare, IRI(XSD.hexBinary)) if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", bare) else text


GEOJSON = IRI("https://www.iana.org/assignments/media-types/application/vnd.geo+json")
_WKT = re.compile(
    r"\s*(?:<[^>]*>\s*)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION|ENVELOPE)\s*(?:Z\s*)?\(", re.IGNORECASE
)
_OF_GEOJSON = {"coordinates", "geometries", "geometry", "features"}


def shapes(said: Any) -> Iterator[Literal | Text]:
    """Geometries as GeoJSON or well-known text, kept as they were written; else words."""
    for item in flat(said):
        if _is_geojson(item):
            yield Literal(written(item), GEOJSON)
        elif isinstance(item, str) and _WKT.match(item):
            yield Literal(item, IRI(GSP.wktLiteral))
        else:
            yield from texts(item)


def _is_geojson(item: Any) -> bool:
    if isinstance(item, str) and item.lstrip().startswith("{"):
        try:
            item = json.loads(item)
        except (ValueError, RecursionError):
            return False
    return isinstance(item, dict) and "type" in item and not _OF_GEOJSON.isdisjoint(item)


def places(said: Any) -> Iterator[Location | Text]:
    """Where the data are about: a shape, an address that names a place, or words."""
    for shape in shapes(said):
        if not isinstance(shape, Text):
            yield Location(geometries=frozenset({shape}))
        else:
            place = web_address(shape.value)
            yield Location(iri=place) if place else shape
