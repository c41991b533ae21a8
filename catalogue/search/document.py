"""What a search engine is told of an entry."""

from __future__ import annotations

from dataclasses import fields

from catalogue.facts import Facts, facts
from catalogue.search import Document
from catalogue.store import Entry

_FACTS = tuple(field.name for field in fields(Facts))


def document(entry: Entry) -> Document:
    """The searchable form of a current entry: its facts, and what the catalogue knows beside them."""
    said = facts(entry.resource)
    return Document(
        id=entry.id,
        iri=entry.iri,
        kind=entry.row.kind,  # type: ignore[arg-type]  # the store keeps the same three words
        organisation=entry.row.organisation,
        sources=tuple(dict.fromkeys(route.source for route in entry.routes)),
        **{name: getattr(said, name) for name in _FACTS},
    )
