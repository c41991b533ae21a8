"""Lines that we wrote ourselves become a graph again without a parser: the way in to what the store keeps."""

from __future__ import annotations

import re

from catalogue.rdf.parse import Graph, graph, split
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
