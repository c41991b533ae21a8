"""`/dataset/<id>` and `/record/<id>`: one dataset, series or service, as a page and as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import Blueprint, Response, abort, redirect
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from catalogue.dcat import Text
from catalogue.errors import NotFound
from catalogue.feeds import FEEDS, Feed, dataset_nodes, record_node
from catalogue.rdf import framed
from catalogue.search.document import document
from catalogue.store import Change, Entry, Route
from catalogue.web import details, errors, negotiate, people, present, provenance, urls
from catalogue.web.details import Fact, Said
from catalogue.web.getting import THEY_WILL_NEED, Getting, getting
from catalogue.web.people import Person
from catalogue.web.present import Label
from catalogue.web.provenance import Word
from catalogue.web.relations import Relation, members, relations
from catalogue.web.schema_org import structured
from catalogue.web.site import Site, here, show

pages = Blueprint("datasets", __name__)

EXTENSIONS = "any(ttl, jsonld, rdf, xml, nt)"

PARTS = (
    ("get", "How to get this data"),
    ("people", "Who looks after it"),
    ("details", "Details"),
    ("routes", "Where this description comes from"),
    ("metadata", "Take this description along"),
)


@dataclass(frozen=True, slots=True)
class Citation:
    text: str
    bibtex: str


@dataclass(frozen=True, slots=True)
class DatasetPage:
    template: ClassVar[str] = "dataset.html"
    questions: ClassVar = THEY_WILL_NEED
    feeds: ClassVar = FEEDS

    id: str
    iri: str
    address: str
    kind: str
    title: Text
    other_titles: Sequence[Text]
    organisation: str
    organisation_slug: str
    summary: Sequence[Text]
    descriptions: Sequence[tuple[Text, Markup]]
    strip: Sequence[Fact]
    ways: Getting
    people: Sequence[tuple[str, Sequence[Person]]]
    details: Sequence[Fact]
    provenance: Sequence[Word]
    """Who says each thing, and since when."""
    members: Sequence[Label]
    """The datasets of a series."""
    relations: Sequence[Relation]
    routes: Sequence[Route]
    said: Sequence[Said]
    citation: Citation
    structured: dict[str, Any]

    @property
    def about(self) -> str:
        return f"About this {'series' if self.kind.startswith('Series') else self.kind.lower()}"

    @property
    def parts(self) -> list[tuple[str, str]]:
        """The sections of the page: id and title."""
        related = [("related", "What it belongs with")] if self.relations else []
        return [("about", self.about), *PARTS[:3], *related, *PARTS[3:]]

    @property
    def is_service(self) -> bool:
        return self.kind == details.KINDS["service"]

    @property
    def letter_helps(self) -> bool:
        """Whether one has to ask. The datasets of an open series each say how to get them."""
        return self.ways.asks and not (self.members and (self.ways.is_open or self.ways.access is None))

    @property
    def layered(self) -> list[Word]:
        """What the source did not say itself."""
        return [word for word in self.provenance if word.layer]

    @property
    def refused(self) -> bool:
        """Whether what is shown is the last good version, because a newer one was rejected."""
        return any(route.leads and route.refused for route in self.routes)


@dataclass(frozen=True, slots=True)
class GonePage:
    template: ClassVar[str] = "gone.html"

    id: str
    title: str
    iri: str
    organisation: str
    organisation_slug: str
    when: str
    known_since: str
    why: str
    source: str
    """The name of the source that took it back, "" when a person did, or it is not set up any more."""
    who: str
    run: int
    """The harvest that took it back, 0 when it is not kept any more."""
    successor: Label | None
    """What took its place."""


@pages.get("/dataset/<name:id_>")
def dataset(id_: str) -> Response:
    entry = _current(id_)
    feed = negotiate.wanted()
    return negotiate.varied(_data(entry, feed) if feed else show(dataset_page(entry, here())))


@pages.get(f"/dataset/<name:id_>.<{EXTENSIONS}:extension>")
def dataset_data(id_: str, extension: str) -> Response:
    return _data(_current(id_), negotiate.by_extension(extension))


@pages.get("/dataset/<name:id_>.json")
def dataset_json(id_: str) -> Response:
    entry = _current(id_)
    said = {"id": entry.id, "url": urls.absolute(urls.dataset(entry.id)), **framed(entry.resource)}
    return Response(json.dumps(said, ensure_ascii=False, indent=2), content_type="application/json")


@pages.get("/record/<name:id_>")
def record(id_: str) -> ResponseReturnValue:
    """Our own word on a dataset; people are sent to the page that shows it."""
    entry = _current(id_)
    if feed := negotiate.wanted():
        return negotiate.varied(negotiate.data(feed.write([record_node(entry, here().settings.base_url)]), feed))
    return redirect(urls.dataset(entry.id), 303)


def _data(entry: Entry, feed: Feed) -> Response:
    return negotiate.data(feed.write(dataset_nodes(entry, here().settings)), feed)


def _current(id_: str) -> Entry:
    """An entry that is there to be shown. Answers 410 at once for one that was withdrawn."""
    entry = here().store.datasets.get(id_)
    if entry.row.state == "new":
        raise NotFound(id_)
    if entry.row.state != "current":
        abort(_gone(entry, here()))
    return entry


# ---- the page


def dataset_page(entry: Entry, site: Site) -> DatasetPage:
    """Everything that a page says of an entry."""
    resource = entry.resource
    seen = document(entry)
    slug = entry.row.organisation
    organisation = site.organisation(slug) if slug else ""
    address = urls.absolute(urls.dataset(entry.id))
    named = people.people(resource)
    own = people.to_ask(named)
    elsewhere = slug and not (own and own.reachable)
    other = people.best_of(site.store.datasets.contacts(slug)) if elsewhere else None
    ways = getting(resource, address, organisation, own, other)
    title = present.best(resource.titles) or Text(entry.row.title)
    words = provenance.provenance(entry, site)
    return DatasetPage(
        id=entry.id,
        iri=entry.iri,
        address=address,
        kind=details.KINDS[entry.row.kind],
        title=title,
        other_titles=[text for text in present.spoken(resource.titles) if text.value != title.value],
        organisation=organisation,
        organisation_slug=slug,
        summary=present.spoken(resource.summaries),
        descriptions=[(text, present.paragraphs(text.value)) for text in present.spoken(resource.descriptions)],
        strip=details.in_short(resource, seen, ways.licence),
        ways=ways,
        people=people.by_role(named),
        details=provenance.marked(details.details(resource, seen, _publisher(organisation, slug)), words),
        provenance=words,
        members=members(entry, site),
        relations=relations(entry, site),
        routes=entry.routes,
        said=details.unplaced(resource),
        citation=_citation(entry, title.value, organisation, address),
        structured=structured(
            entry, seen, ways, address, {"name": site.settings.title, "url": urls.absolute(urls.home())}, organisation
        ),
    )


def _publisher(organisation: str, slug: str) -> Markup | None:
    return present.link(present.Label(Text(organisation)), urls.organisation(slug)) if slug else None


def _citation(entry: Entry, title: str, organisation: str, address: str) -> Citation:
    """How to name it in a report: the words, and BibTeX."""
    resource = entry.resource
    said = present.date(resource.modified or resource.issued)
    year = next((word for word in said.value.split() if word.isdigit() and len(word) == 4), "") if said else ""
    version = f"Version of {said.value}. " if resource.modified and said else ""
    who = " ".join(filter(None, (organisation, f"({year})" if year else "")))
    text = f"{who + '. ' if who else ''}{title}. {version}{address}"
    fields = {
        "title": title,
        "author": f"{{{_tex(organisation)}}}" if organisation else "",
        "year": year,
        "url": address,
    }
    lines = [
        f"  {name} = {{{value if name in ('author', 'url') else _tex(value)}}}"
        for name, value in fields.items()
        if value
    ]
    return Citation(text, "@misc{" + entry.id + ",\n" + ",\n".join(lines) + "\n}")


def _tex(words: str) -> str:
    """Words that BibTeX takes as they are."""
    return "".join(f"\\{letter}" if letter in "&%$#_" else letter for letter in words if letter not in "{}\\~^")


# ---- withdrawn


def _gone(entry: Entry, site: Site) -> Response:
    """When, why, by whom, and what took its place: as a page, or as problem details."""
    row = entry.row
    when, successor = present.just_day(row.changed), _successor(row.successor, site)
    last = _withdrawal(entry, site)
    sources = site.store.history.sources([last.source])
    who = last.actor or sources.get(last.source, last.source)
    if errors.for_machines():
        by = f" by {last.actor}" if last.actor else f" by the source '{last.source}'" if last.source else ""
        said = f"'{row.title}' was withdrawn on {when}{by}." + (f" {row.reason}" if row.reason else "")
        more = {
            "last_title": row.title,
            "withdrawn": row.changed.isoformat(),
            "reason": row.reason,
            "source": last.source,
        }
        if successor:
            more["successor"] = urls.absolute(successor.href)
        more["history"] = urls.absolute(urls.history(entry.id))
        return negotiate.varied(errors.problem(410, "Withdrawn", said, id=entry.id, **more))
    slug = row.organisation
    known = last.source in sources
    page = GonePage(
        id=entry.id,
        title=row.title,
        iri=entry.iri,
        organisation=site.organisation(slug) if slug else "",
        organisation_slug=slug,
        when=when,
        known_since=present.just_day(row.first_seen),
        why=row.reason,
        source=last.source if known and not last.actor else "",
        who=who,
        run=last.run if known and site.store.history.runs([last.run]) else 0,
        successor=successor,
    )
    return negotiate.varied(show(page, 410))


def _withdrawal(entry: Entry, site: Site) -> Change:
    """The change that withdrew an entry, which is its last."""
    row = entry.row
    found = site.store.history.of(entry.id, 1)
    return found[0] if found else Change(row.serial, row.id, row.iri, "withdrawn", row.changed)


def _successor(id_: str, site: Site) -> Label | None:
    if not id_:
        return None
    try:
        row = site.store.datasets.get(id_).row
    except NotFound:
        return None
    return Label(Text(row.title), urls.dataset(row.id))
