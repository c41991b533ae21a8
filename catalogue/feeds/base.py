"""The syntaxes in which we offer RDF."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from catalogue import rdf


@dataclass(frozen=True, slots=True)
class Feed:
    """One syntax: its extension, its media types (the first is sent), what people call it, how it is written."""

    extension: str
    media_types: tuple[str, ...]
    label: str
    write: Callable[[Iterable[rdf.Writable]], bytes]

    @property
    def media_type(self) -> str:
        return self.media_types[0]


FEEDS = (
    Feed("ttl", ("text/turtle", "application/x-turtle", "text/n3"), "Turtle", rdf.turtle),
    Feed("jsonld", ("application/ld+json", "application/json"), "JSON-LD", rdf.jsonld),
    Feed("rdf", ("application/rdf+xml", "application/xml", "text/xml"), "RDF/XML", rdf.rdfxml),
    Feed("nt", ("application/n-triples", "text/plain"), "N-Triples", rdf.ntriples),
)


def feed_for(extension: str) -> Feed | None:
    """The syntax of an extension; "xml" is RDF/XML as well."""
    wanted = "rdf" if extension == "xml" else extension
    return next((feed for feed in FEEDS if feed.extension == wanted), None)
