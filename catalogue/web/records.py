"""`/source/<name>/record`: one record as its source gave it, what we made of it, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from flask import Blueprint, Response, request

from catalogue import rdf
from catalogue.dcat import Resource
from catalogue.differences import Difference, differences
from catalogue.errors import NotFound
from catalogue.http.words import shown
from catalogue.search.filters import WrongParameter
from catalogue.source import HarvestSource
from catalogue.store import Change, Kept, Mapped
from catalogue.web import present, urls
from catalogue.web.problems import Told
from catalogue.web.site import Site, here, show

pages = Blueprint("records", __name__)

LONGEST = 100_000
"""Characters of a record that a page shows; all of it can be downloaded."""
MOST_MAPPED = 10
PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class Made:
    """What we made of a record for one dataset, and what its last change was."""

    mapped: Mapped
    turtle: str
    cut: bool
    change: Change | None
    differences: Sequence[Difference]


@dataclass(frozen=True, slots=True)
class RecordPage:
    template: ClassVar[str] = "record.html"

    source: HarvestSource
    kept: Kept
    address: str
    text: str
    cut: bool
    """Whether there is more than the page shows."""
    is_text: bool
    made: Sequence[Made]
    problems: Sequence[Told]
    run_kept: bool
    """Whether the run that brought it still has a page."""

    @property
    def size(self) -> str:
        return present.size(str(len(self.kept.record.content)))

    @property
    def raw(self) -> str:
        return urls.source_record(self.source.name, self.kept.record.identifier, "raw")


@pages.get("/source/<name:name>/record")
def record(name: str) -> Response:
    site = here()
    held, kept = _asked(name, site)
    content = kept.record.content
    text = _text(content)
    return show(
        RecordPage(
            source=held,
            kept=kept,
            address=shown(kept.record.address),
            text=text[:LONGEST] if text is not None else "",
            cut=text is not None and len(text) > LONGEST,
            is_text=text is not None,
            made=[_made(mapped, site) for mapped in kept.mapped],
            problems=[Told(one, "") for one in site.store.runs.about(name, kept.record.identifier, PROBLEMS)],
            run_kept=kept.run in site.store.history.runs({kept.run}),
        )
    )


@pages.get("/source/<name:name>/record.raw")
def record_raw(name: str) -> Response:
    """Every byte as it came, for a file: never as a page, whatever the source says that it is."""
    _, kept = _asked(name, here())
    content = kept.record.content
    kind = "text/plain; charset=utf-8" if _text(content) is not None else "application/octet-stream"
    answer = Response(content, content_type=kind)
    file = re.sub(r"[^A-Za-z0-9]+", "-", kept.record.identifier)[:80].strip("-") or "record"
    answer.headers["Content-Disposition"] = f"attachment; filename={name}-{file}.txt"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _asked(name: str, site: Site) -> tuple[HarvestSource, Kept]:
    """The record that `identifier` names. Raises NotFound, and WrongParameter when none is named."""
    identifier = request.args.get("identifier", "")
    if not identifier:
        raise WrongParameter("identifier", "'identifier' is missing; it names the record, as its source does.")
    if "\0" in identifier:
        raise NotFound("No record has such an identifier.")
    return site.store.sources.get(name), site.store.records.kept(name, identifier, MOST_MAPPED)


def _text(content: bytes) -> str | None:
    """The words that these bytes are, None for what is no text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def _made(mapped: Mapped, site: Site) -> Made:
    node = _resource(mapped.body, mapped.iri)
    turtle = _short(rdf.turtle([node]).decode())
    history = site.store.history
    change = next(iter(history.of(mapped.dataset, 1)), None)
    before = history.before(mapped.dataset, change.serial) if change else None
    changed: Sequence[Difference] = ()
    if change and before:
        bodies = history.bodies(mapped.dataset, [before, change.serial])
        if len(bodies) == 2:
            changed = differences(*(_resource(bodies[serial], mapped.iri) for serial in (before, change.serial)))
    return Made(mapped, turtle[:LONGEST], len(turtle) > LONGEST, change if before else None, changed)


def _short(turtle: str) -> str:
    """Without the prefixes that it does not use: there are dozens."""
    heads, _, said = turtle.partition("\n\n")
    used = [
        line for line in heads.split("\n") if (name := line.removeprefix("@prefix ").split(" ")[0]) and name in said
    ]
    return "\n".join([*used, "", said])


def _resource(body: bytes, iri: str) -> Resource:
    node = rdf.Reader(rdf.kept(body)).read(iri)
    assert isinstance(node, Resource)
    return node
