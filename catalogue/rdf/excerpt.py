"""A graph's words on one subject, cut out as sorted N-Triples: what a record keeps of a page."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from hashlib import blake2b

from catalogue.dcat import IRI
from catalogue.rdf.parse import BlankNode, Pairs, Term
from catalogue.rdf.tree import HOPS, TYPE, Reader
from catalogue.rdf.write import canonical, encoded, leaf


def excerpt(reader: Reader, subject: str) -> bytes:
    """What is said of one of the graph's own subjects and of what hangs below it, in the words of the graph.

    Equal descriptions give equal bytes: what a blank node says names it. Where blank nodes lead back to each other, that is
    left to the tree, which may raise RecordRejected.
    """
    said = _below(reader, subject)
    try:
        blank = [key for key in TopologicalSorter(_hanging(said)).static_order() if key in said]
    except CycleError:
        return canonical(reader.read(subject))
    names: dict[str, str] = {}
    words: dict[str, list[str]] = {}
    implied = f"<{TYPE}> <{reader.tops[subject].TYPE}> ."
    for key in (*blank, *(key for key in said if not key.startswith("_:"))):
        stated = {f"<{predicate}> {_token(term, names)} ." for predicate, term in said[key]}
        own = sorted(stated | {implied} if key == subject else stated)
        names[key] = _label(own) if key.startswith("_:") else f"<{key}>"
        words[names[key]] = own
    return encoded("\n".join(f"{name} {word}" for name in sorted(words) for word in words[name]))


def _below(reader: Reader, subject: str) -> dict[str, Pairs]:
    """What the graph says of a subject, of the blank nodes below it, and of described addresses as far as a tree reaches."""
    subjects, tops = reader.graph.subjects, reader.tops
    found: dict[str, Pairs] = {}
    level = [subject]
    for _ in range(HOPS + (2 if subject.startswith("_:") else 1)):
        further: list[str] = []
        while level:
            key = level.pop()
            if key in found or key not in subjects:
                continue
            found[key] = subjects[key]
            for _, term in found[key]:
                if isinstance(term, IRI):
                    if term in subjects and term not in tops:
                        further.append(term)
                elif isinstance(term, BlankNode):
                    level.append("_:" + term.value)
        level = further
    return found


def _hanging(said: dict[str, Pairs]) -> dict[str, list[str]]:
    """Each blank node with those that it points at."""
    return {
        key: ["_:" + term.value for _, term in pairs if isinstance(term, BlankNode)]
        for key, pairs in said.items()
        if key.startswith("_:")
    }


def _token(term: Term, names: dict[str, str]) -> str:
    return names.get("_:" + term.value) or _label([]) if isinstance(term, BlankNode) else leaf(term)


def _label(words: list[str]) -> str:
    return "_:h" + blake2b("\n".join(words).encode("utf-8", "replace"), digest_size=10).hexdigest()
