"""Lines that we wrote ourselves become a graph again without a parser: the way in to what the store keeps."""

from __future__ import annotations

import re

from catalogue.dcat import IRI, Dataset, Distribution, replace
from catalogue.rdf.parse import Graph, graph, split
from catalogue.rdf.tree import Reader
from catalogue.rdf.write import canonical
from vocab.namespaces import DCAT


def kept(body: bytes) -> Graph:
    """The graph of canonical N-Triples. Anything not as we write it is left to the parser, which says what is wrong."""
    try:
        return Graph(split(body.decode()))
    except (ValueError, IndexError):
        return graph(body, "application/n-triples")


_LINKED = "|".join(re.escape(p) for p in (DCAT.accessURL, DCAT.downloadURL, DCAT.landingPage, DCAT.endpointURL))
_LINK = re.compile(rf"<(?:{_LINKED})> <([^>]*)>".encode())


def links(body: bytes) -> frozenset[str]:
    """The addresses of data and pages that canonical N-Triples name."""
    return frozenset(found.decode() for found in _LINK.findall(body))


def renamed(body: bytes, old: str, new: str, ids: tuple[str, str] = ("", "")) -> bytes:
    """The canonical N-Triples of a description whose subject has another address.

    What it says of the old address stays: only its subject is another. Distributions that have an address of ours, by the
    dataset's id, move along: `ids` are the old one and the new. Labels of blank nodes tell their place, so they change too.
    """
    node = Reader(kept(body)).read(old)
    if isinstance(node, Dataset):
        node = replace(node, distributions=frozenset(_moved(one, *ids) for one in node.distributions))
    return canonical(replace(node, iri=IRI(new)))


def _moved(distribution: Distribution, old: str, new: str) -> Distribution:
    page, mark, name = (distribution.iri or "").partition(f"/dataset/{old}#distribution-")
    return replace(distribution, iri=IRI(f"{page}/dataset/{new}#distribution-{name}")) if mark else distribution
