"""Lines that we wrote ourselves become a graph again without a parser: the way in to what the store keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from json.decoder import scanstring  # type: ignore[attr-defined]

from catalogue.dcat import IRI, Literal, Text
from catalogue.rdf.parse import BlankNode, Graph, Term, graph, noun_of, repaired, without_nul


def kept(body: bytes) -> Graph:
    """The graph of canonical N-Triples. Anything not as we write it is left to the parser, which says what is wrong."""
    found = Graph()
    subjects = found.subjects
    try:
        for line in body.decode().split("\n"):
            subject, predicate, value = line.split(" ", 2)
            term = _literal(value) if value[0] == '"' else _named(value)
            subjects[_key(subject)].append((_address(predicate), term))
    except (ValueError, IndexError):
        return graph(body, "application/n-triples")
    return found


def _literal(value: str) -> Text | Literal:
    """The writer escapes as JSON does, so JSON's reader finds the end of the words."""
    words, end = scanstring(value, 1)
    return _noun(value[end:])(without_nul(words))


# the same few thousand names fill a whole catalogue


@lru_cache(maxsize=1000)
def _noun(tail: str) -> Callable[[str], Text | Literal]:
    """What words become that end so: ` .`, `@cy .` or `^^<…> .`."""
    if tail == " .":
        return Text
    if tail[:1] == "@" and tail[-2:] == " .":
        return partial(Text, lang=tail[1:-2])
    if tail[:3] == "^^<" and tail[-3:] == "> .":
        return noun_of(tail[3:-3])
    raise ValueError(tail)


@lru_cache(maxsize=20_000)
def _named(value: str) -> Term:
    if value[-2:] != " .":
        raise ValueError(value)
    return BlankNode(value[2:-2]) if value[:2] == "_:" else IRI(_address(value[:-2]))


@lru_cache(maxsize=20_000)
def _key(subject: str) -> str:
    return subject if subject[:2] == "_:" else _address(subject)


@lru_cache(maxsize=20_000)
def _address(token: str) -> str:
    if token[0] != "<" or token[-1] != ">" or ":" not in token:
        raise ValueError(token)
    return repaired(token[1:-1])
