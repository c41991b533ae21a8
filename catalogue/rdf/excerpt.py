"""A graph's words on one subject, cut out as sorted N-Triples: what a record keeps of a page."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from hashlib import blake2b

from catalogue.rdf.parse import Tokens
from catalogue.rdf.terms import token_of
from catalogue.rdf.tree import HOPS, TYPE, Reader
from catalogue.rdf.write import canonical, encoded

Said = dict[str, Tokens]


def excerpt(reader: Reader, subject: str) -> bytes:
    """What is said of one of the graph's own subjects and of what hangs below it, in the words of the graph.

    Equal descriptions give equal bytes: what a blank node says names it. Where blank nodes lead back to each other, that is
    left to the tree, which may raise RecordRejected.
    """
    own = token_of(subject)
    said = _below(reader, own)
    try:
        blank = [key for key in TopologicalSorter(_hanging(said)).static_order() if key in said]
    except CycleError:
        return canonical(reader.read(subject))
    names: dict[str, str] = {}
    words: dict[str, list[str]] = {}
    implied = f"{TYPE} <{reader.own[own].TYPE}> ."
    for key in (*blank, *(key for key in said if key[0] == "<")):
        stated = {
            f"{predicate} {value if value[0] != '_' else names.get(value) or _label([])} ."
            for predicate, value in said[key]
        }
        ordered = sorted(stated | {implied} if key == own else stated)
        names[key] = _label(ordered) if key[0] == "_" else key
        words[names[key]] = ordered
    return encoded("\n".join(f"{name} {word}" for name in sorted(words) for word in words[name]))


def _below(reader: Reader, subject: str) -> Said:
    """What the graph says of a subject, of the blank nodes below it, and of described addresses as far as a tree reaches."""
    said, own = reader.graph.said, reader.own
    found: Said = {}
    level = [subject]
    for _ in range(HOPS + (2 if subject[0] == "_" else 1)):
        further: list[str] = []
        while level:
            key = level.pop()
            if key in found or key not in said:
                continue
            found[key] = said[key]
            for _, value in found[key]:
                if value[0] == "_":
                    level.append(value)
                elif value[0] == "<" and value in said and value not in own:
                    further.append(value)
        level = further
    return found


def _hanging(said: Said) -> dict[str, list[str]]:
    """Each blank node with those that it points at."""
    return {key: [value for _, value in pairs if value[0] == "_"] for key, pairs in said.items() if key[0] == "_"}


def _label(words: list[str]) -> str:
    return "_:h" + blake2b("\n".join(words).encode("utf-8", "replace"), digest_size=10).hexdigest()
