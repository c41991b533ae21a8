"""RDF in and out. Oxigraph works inside; `rdflib` is what plug-ins and tests may hand over or ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogue.dcat import Node, Resource
from catalogue.errors import NotFound
from catalogue.rdf.excerpt import excerpt
from catalogue.rdf.kept import kept, links, renamed
from catalogue.rdf.parse import ACCEPT, FORMATS, Graph, graph, sniff
from catalogue.rdf.terms import repaired
from catalogue.rdf.tree import Reader, resources, tops
from catalogue.rdf.write import (
    Writable,
    canonical,
    context,
    described,
    fingerprint,
    framed,
    jsonld,
    lines,
    ntriples,
    rdfxml,
    sort_key,
    turtle,
)

if TYPE_CHECKING:
    import rdflib

__all__ = [
    "ACCEPT", "FORMATS", "Graph", "Reader", "Writable", "canonical", "context", "described", "excerpt", "fingerprint", "framed",
    "from_rdflib", "graph", "jsonld", "kept", "lines", "links", "ntriples", "rdfxml", "read", "renamed", "repaired", "resources",
    "sniff", "sort_key", "to_rdflib", "tops", "turtle",
]  # fmt: skip


def read(data: bytes, media_type: str = "application/n-triples") -> Resource:
    """The one resource that a document describes, the first where there are several. Raises NotFound."""
    found = graph(data, media_type)
    for subject in resources(found):
        node = Reader(found).read(subject)
        assert isinstance(node, Resource)
        return node
    raise NotFound("The document describes no dataset, series or service.")


def to_rdflib(*nodes: Node) -> rdflib.Graph:
    """The same statements as an rdflib graph."""
    import rdflib  # half a second to load, and only plug-ins and tests ask

    return rdflib.Graph().parse(data=ntriples(nodes), format="nt")


def from_rdflib(given: rdflib.Graph) -> Graph:
    """An rdflib graph as one of ours."""
    return graph(given.serialize(format="nt", encoding="utf-8"), "application/n-triples")
