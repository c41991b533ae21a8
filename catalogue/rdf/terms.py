"""A term as N-Triples writes it, read: an address, words in their language, a date, a number, a blank node."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from json.decoder import scanstring  # type: ignore[attr-defined]
from string import ascii_letters, digits

import pyoxigraph as ox

from catalogue.dcat import IRI, Literal, Number, Text, When
from catalogue.rdf.lexical import DATES
from vocab.namespaces import RDF, XSD

NUMBERS = frozenset(
    XSD[name]
    for name in (
        "integer",
        "decimal",
        "double",
        "float",
        "nonNegativeInteger",
        "positiveInteger",
        "int",
        "long",
        "short",
    )
)

BlankNode = ox.BlankNode
Term = IRI | Text | Literal | BlankNode


def term(token: str) -> Term:
    """What a token stands for."""
    if token[0] == '"':
        return literal(token)
    return BlankNode(token[2:]) if token[0] == "_" else named(token)


def literal(token: str) -> Text | Literal:
    """The noun for a literal: words, a date, a number, or something typed otherwise."""
    return _short(token) if len(token) < SHORT else _literal(token)


SHORT = 80
"""Characters of a literal that may well be said again: a keyword, a date, a format."""


def _literal(token: str) -> Text | Literal:
    """Its escapes are those of JSON."""
    words, end = scanstring(token, 1, False)
    return _noun(token[end:])(words.replace("\x00", "") if "\x00" in words else words)  # no database keeps a NUL


def token_of(subject: str) -> str:
    """How N-Triples writes a subject: an address, or "_:" and a label."""
    return subject if subject[:2] == "_:" else f"<{subject}>"


def subject_of(token: str) -> str:
    """A subject by its token."""
    return token if token[:2] == "_:" else token[1:-1]


_short = lru_cache(maxsize=20_000)(_literal)

# the same few thousand names fill a whole catalogue


@lru_cache(maxsize=20_000)
def named(token: str) -> IRI:
    """The address in a token."""
    return IRI(token[1:-1])


@lru_cache(maxsize=20_000)
def mended(token: str) -> str:
    """A token with an address that may stand in any file. Raises ValueError for what names nothing."""
    if token[:2] == "_:":
        return token
    if token[0] != "<" or token[-1] != ">" or token[1] == "<":  # two of them quote a statement
        raise ValueError(f"{token} names nothing")
    return f"<{repaired(token[1:-1])}>"


@lru_cache(maxsize=20_000)
def absolute(token: str) -> str:
    """The token of a predicate. Raises ValueError for one without a meaning."""
    if ":" not in token or token[0] == "_":
        raise ValueError(f"{token} means nothing")
    return mended(token)


@lru_cache(maxsize=1000)
def _noun(tail: str) -> Callable[[str], Text | Literal]:
    """What words become after which nothing stands, or `@cy`, or `^^<…>`."""
    if tail[:1] == "@":
        return partial(Text, lang=tail[1:].replace("_", "-").lower())
    datatype = tail[3:-1]
    if datatype in ("", XSD.string, RDF.langString):
        return Text
    if datatype.startswith("xsd:"):  # a prefix that the document forgot to declare
        datatype = str(XSD) + datatype[4:]
    noun = When if datatype in DATES else Number if datatype in NUMBERS else Literal
    return partial(noun, datatype=IRI(repaired(datatype)))


_LEGAL = (ascii_letters + digits + "-._~:/?#@!$&'()*+,;=").encode()  # but for "%", which has to be looked at
_ILLEGAL = re.compile(
    r"[\x00-\x20<>\"{}|\\^`\x7f-\x9f\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]"
    r"|%(?![0-9A-Fa-f]{2})"
)
_NUMBERED_HOST = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?\[[0-9A-Fa-f:.]+\]")


def repaired(address: str) -> str:
    """An address with the characters percent-encoded that no IRI may hold (RFC 3987 §2.2): one would spoil a whole feed."""
    if address.isascii() and not address.encode().translate(None, _LEGAL) and address.count("#") < 2:
        return address  # as nearly all are
    mended = _ILLEGAL.sub(lambda m: "".join(f"%{byte:02X}" for byte in m[0].encode()), address.strip())
    return _delimited(mended) if "[" in mended or "]" in mended or mended.count("#") > 1 else mended


def _delimited(address: str) -> str:
    """Brackets are for a host in numbers only, and there is one fragment."""
    host = _NUMBERED_HOST.match(address)
    cut = host.end() if host else 0
    path, mark, fragment = address[cut:].replace("[", "%5B").replace("]", "%5D").partition("#")
    return address[:cut] + path + mark + fragment.replace("#", "%23")
