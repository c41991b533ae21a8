"""Every way to name a licence, a format, a frequency … becomes the one address that `vocab/` knows it by."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal as OneOf

from catalogue.dcat import IRI, Concept, Distribution, Literal, Text, Thing, Value, replace
from catalogue.normalise.addresses import words_or_address
from catalogue.normalise.words import Mended, safe
from vocab import LONGEST, fold, scheme
from vocab.namespaces import DCT, RDF, RDFS, SCHEMA, SKOS

NAMES = frozenset(
    {RDFS.label, SKOS.prefLabel, SKOS.altLabel, SKOS.notation, DCT.title, DCT.identifier, RDF.value, SCHEMA.name}
)
"""What a node says that only names it."""

IANA = ("https://www.iana.org/assignments/media-types/", "http://www.iana.org/assignments/media-types/")


def concept(name: str, *, narrower: OneOf["replaced", "kept"] = "replaced") -> Callable[[Value], Mended]:
    """The repair for a property whose values are in scheme `name`. Words and addresses that it does not know stay as said.

    `narrower="kept"` leaves an address alone that stands for something narrower than our concept, and would lose by it.
    """

    def mend(value: Value) -> Mended:
        """`"OGL v3"`, `"uk-ogl"` → `<http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/>`."""
        if type(value) is IRI:
            found = _found(name, value, narrower)
            if found is None:
                return safe(value)
            return (value if found == value else found) or None
        if isinstance(value, Text | Literal):
            said = value.value
            found = None if len(said) > LONGEST else _found(name, said, narrower)
            return words_or_address(value) if found is None else found or None
        if type(value) is Thing:
            return _named(value, name, narrower)
        return value

    return mend


@lru_cache(maxsize=20_000)
def _found(name: str, said: str, narrower: str) -> IRI | None:
    """The concept's address; "" when what was said says nothing; None when it is not known."""
    known = scheme(name)
    found = known.find(said)
    if found is None:
        return IRI("") if known.says_nothing(said) else None
    if narrower == "kept" and fold(said) in {fold(inside) for inside in found.covers}:
        return None
    return IRI(found.iri)


def _named(value: Thing, name: str, narrower: str) -> Value:
    """A node that says no more than its name gives way to the concept: `[ rdfs:label "CSV" ]` → CSV's own address."""
    if not value.rest and value.types and value.iri is None:
        return value
    meant = {_found(name, value.iri, narrower)} if value.iri is not None else set[IRI | None]()
    for statement in value.rest:
        if statement.predicate not in NAMES or not isinstance(statement.object, Text | Literal):
            return value
        meant.add(_found(name, statement.object.value[: LONGEST + 1], narrower))
    if len(meant) != 1 or not (found := meant.pop()) or found == value.iri:
        return value
    return found


def one_format(distribution: Distribution) -> Distribution:
    """A format is said once: as dcat:mediaType where the register of media types has it, else as dct:format.

    `dct:format "CSV "`, `dcat:mediaType "text/csv"` → `dcat:mediaType <…/media-types/text/csv>`. What differs from a media
    type that was given (a GeoJSON file served as application/json) stays beside it.
    """
    formats, media_types = distribution.formats, distribution.media_types
    down = frozenset(value for value in media_types if _elsewhere(value))
    if not formats and not down:
        return distribution
    media_types -= down
    given = {_address(value) for value in media_types}
    registered = frozenset(value for value in formats if _address(value).startswith(IANA))
    up = frozenset(value for value in registered if _address(value) in given) if given else registered
    formats = (formats - up) | down
    media_types |= frozenset(value for value in up if _address(value) not in given)
    if formats == distribution.formats and media_types == distribution.media_types:
        return distribution
    return replace(distribution, formats=formats, media_types=media_types)


def _elsewhere(value: Concept) -> bool:
    """Whether this is a format of ours that is in another list than that of media types."""
    address = _address(value)
    return bool(address) and not address.startswith(IANA) and scheme("media-types").get(address) is not None


def _address(value: Concept) -> str:
    return value if isinstance(value, str) else (value.iri or "") if isinstance(value, Thing) else ""
