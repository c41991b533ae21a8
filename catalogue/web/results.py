"""What a search found, ready to be shown: results, facets, the filters in use, and help when nothing was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from markupsafe import Markup

from catalogue.dcat import Text
from catalogue.search import Document, Facet, Query, Results
from catalogue.search.document import document
from catalogue.search.filters import FILTERS, to_parameters
from catalogue.search.highlight import Snippet, snippet
from catalogue.store import Entry
from catalogue.web import present, urls
from catalogue.web.site import Site

SORTS = (("relevance", "Most relevant"), ("updated", "Recently updated"), ("title", "Title, A to Z"))
FIRST = ("access", "organisation", "theme", "format")
"""Facets that come first and are unfolded to begin with."""
KINDS = {"series": "Series", "service": "Service"}
NEAREST = 5
MOST_OPTIONS = 40
"""Values of a facet that a page offers. Beyond that, words find faster than lists; machines get them all."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the list."""

    kind: str
    title: Text
    href: str
    access: str
    access_label: str
    organisation: str
    updated: str
    formats: tuple[str, ...]
    summary: Text | Markup | None
    snippet: Markup | None = None
    matched: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a facet."""

    value: str
    label: str
    count: int
    selected: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """One facet of the panel."""

    name: str
    label: str
    options: tuple[Option, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Pill:
    """A filter in use, and the search without it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Help:
    """What to try when nothing was found."""

    without_filters: int
    nearest: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    template: ClassVar[str] = "search.html"
    sorts: ClassVar = SORTS

    query: Query
    total: int
    last: int
    results: Sequence[Result]
    facets: Sequence[Choices]
    pills: Sequence[Pill]
    clear: str
    explained: Sequence[str]
    did_you_mean: str
    help: Help | None
    hidden: Sequence[tuple[str, str]]
    """What the form has to carry along, because nothing on the page shows it."""

    @property
    def count(self) -> str:
        return present.many(self.total, "result")

    @property
    def address(self) -> Callable[[int], str]:
        """A page number's address."""
        return lambda number: urls.search(replace(self.query, page=number))

    @property
    def first_number(self) -> int:
        return (self.query.page - 1) * self.query.per_page + 1

    @property
    def whole(self) -> Query:
        """The search without its page."""
        return replace(self.query, page=1)

    def instead(self, words: str) -> str:
        """The same search for other words."""
        return urls.search(replace(self.query, words=words, page=1))


def search_page(query: Query, results: Results, last: int, site: Site) -> SearchPage:
    """The page that shows one answer."""
    facets = [_limited(shown) for facet in _ordered(results.facets) if (shown := _choices(facet, site)).options]
    return SearchPage(
        query=query,
        total=results.total,
        last=last,
        results=lines(results, query, site),
        facets=facets,
        pills=_pills(query, site),
        clear=urls.search(Query(words=query.words, sort=query.sort)),
        explained=results.explained,
        did_you_mean=results.did_you_mean or "",
        help=_help(query, site) if not results.total else None,
        hidden=_hidden(query, facets),
    )


def lines(results: Results, query: Query, site: Site) -> list[Result]:
    """A page of results; what has been withdrawn since it was indexed is left out."""
    entries = site.store.datasets.some(list(results))
    return [_line(entry, query, site) for entry in entries]


def _line(entry: Entry, query: Query, site: Site) -> Result:
    seen, resource = document(entry), entry.resource
    summary = present.best(resource.summaries) or present.best(resource.descriptions)
    updated = present.date(resource.modified, time=False)
    return Result(
        kind=KINDS.get(entry.row.kind, ""),
        title=present.best(resource.titles) or Text(entry.row.title),
        href=urls.dataset(entry.id),
        access=seen.access,
        access_label=present.choice("access", seen.access) if seen.access else "",
        organisation=site.organisation(seen.organisation) if seen.organisation else "",
        updated=updated.value if updated else "",
        formats=tuple(present.choice("format", form) for form in seen.formats),
        **_found(seen, summary, query, site),
    )


def _found(seen: Document, summary: Text | None, query: Query, site: Site) -> dict[str, Any]:
    """The summary, and where else the words were found; words found in the description stand in the summary's place."""
    found = snippet(seen, query.words, site.index.stem) if query.words else Snippet()
    beginning = replace(summary, value=present.shortened(summary.value)) if summary else None
    if not found.matched or found.field == "title":
        return {"summary": beginning}
    if found.field in ("summary", "description"):
        return {"summary": _marked(found)}
    return {"summary": beginning, "snippet": _marked(found), "matched": found.label}


def _marked(found: Snippet) -> Markup:
    """A snippet with its matches marked; values that are written with hyphens in addresses are words here."""
    coded = found.field in ("organisation", "themes", "formats")
    parts = ((text.replace("-", " ") if coded else text, marked) for text, marked in found.parts)
    return Markup("").join(Markup("<mark>{}</mark>").format(text) if marked else text for text, marked in parts)


# ---- facets and the filters in use


def labels(parameter: str, site: Site) -> Callable[[str], str]:
    """What the values of a filter are called."""
    if parameter == "organisation":
        return site.organisation
    return partial(present.choice, parameter)


def _ordered(facets: Sequence[Facet]) -> list[Facet]:
    return sorted(facets, key=lambda facet: FIRST.index(facet.name) if facet.name in FIRST else len(FIRST))


def _choices(facet: Facet, site: Site) -> Choices:
    """Options that would find nothing are left out, unless they are chosen."""
    called = labels(facet.name, site)
    options = tuple(
        Option(value.value, called(value.value), value.count, value.selected)
        for value in facet.values
        if value.count or value.selected
    )
    chosen = any(option.selected for option in options)
    title = next(each.label for each in FILTERS if each.parameter == facet.name)
    return Choices(facet.name, title, options, chosen or facet.name in FIRST)


def _limited(choices: Choices) -> Choices:
    shown = choices.options[:MOST_OPTIONS]
    return replace(
        choices, options=shown + tuple(option for option in choices.options[MOST_OPTIONS:] if option.selected)
    )


def _pills(query: Query, site: Site) -> list[Pill]:
    found = [
        Pill(
            f"{each.label}: {labels(each.parameter, site)(value)}", urls.search(_without(query, each.parameter, value))
        )
        for each in FILTERS
        for value in sorted(query.filters.get(each.parameter, ()))
    ]
    if query.covers_from or query.covers_to:
        shown = f"Covers {present.period(query.covers_from, query.covers_to)}"
        found.append(Pill(shown, urls.search(replace(query, covers_from="", covers_to="", page=1))))
    if query.bbox:
        found.append(Pill("Inside an area", urls.search(replace(query, bbox=None, page=1))))
    return found


def _hidden(query: Query, facets: Sequence[Choices]) -> list[tuple[str, str]]:
    shown = {(facet.name, option.value) for facet in facets for option in facet.options}
    chosen = [
        (name, value)
        for name, values in query.filters.items()
        for value in sorted(values)
        if (name, value) not in shown
    ]
    return chosen + [pair for pair in to_parameters(Query(bbox=query.bbox)) if pair[1]]


def _without(query: Query, parameter: str, value: str) -> Query:
    filters = {**query.filters, parameter: query.filters[parameter] - {value}}
    return replace(query, filters=filters, page=1)


def _help(query: Query, site: Site) -> Help:
    """How many there are without filters, and the datasets that have some of the words."""
    bare = Query(words=query.words, per_page=NEAREST, facets=False)
    filtered = bool(query.filters or query.covers_from or query.covers_to or query.bbox)
    found = site.index.search(bare).total if filtered else 0
    some = [word for word in query.words.split() if not word.startswith("-")]
    if found or len(some) < 2:
        return Help(found, ())
    loose = replace(bare, words=" OR ".join(word.strip('"') for word in some))
    return Help(0, tuple(lines(site.index.search(loose), loose, site)))


# ---- the same for machines


def as_json(results: Results, site: Site) -> dict[str, Any]:
    """The answer of `/api/v1/search`. What was not said is null."""
    scores = {hit.id: hit.score for hit in results.hits}
    entries = site.store.datasets.some(list(results))
    return {
        "total": results.total,
        "page": results.page,
        "per_page": results.per_page,
        "results": [_json(entry, scores[entry.id], site) for entry in entries],
        "facets": {facet.name: _facet_json(facet, site) for facet in results.facets},
    }


def _json(entry: Entry, score: float, site: Site) -> dict[str, Any]:
    seen = document(entry)
    summary = seen.summary or seen.description
    slug = seen.organisation
    return {
        "id": entry.id,
        "iri": entry.iri,
        "url": urls.absolute(urls.dataset(entry.id)),
        "title": seen.title,
        "summary": present.shortened(summary) or None,
        "organisation": {"slug": slug, "title": site.organisation(slug)} if slug else None,
        "access": seen.access or None,
        "licence": seen.licence or None,
        "formats": list(seen.formats),
        "themes": list(seen.themes),
        "modified": seen.modified or None,
        "score": score,
    }


def _facet_json(facet: Facet, site: Site) -> list[dict[str, Any]]:
    return [
        {"value": option.value, "label": option.label, "count": option.count, "selected": option.selected}
        for option in _choices(facet, site).options
    ]


@dataclass(frozen=True, slots=True)
class AtomEntry:
    """One entry of a feed of news."""

    iri: str
    url: str
    title: str
    summary: str
    organisation: str
    changed: str
    first_seen: str


def atom_entries(results: Results, site: Site) -> list[AtomEntry]:
    return [_atom(entry, site) for entry in site.store.datasets.some(list(results))]


def _atom(entry: Entry, site: Site) -> AtomEntry:
    resource = entry.resource
    summary = present.best(resource.summaries) or present.best(resource.descriptions)
    return AtomEntry(
        iri=entry.iri,
        url=urls.absolute(urls.dataset(entry.id)),
        title=entry.row.title,
        summary=present.shortened(summary.value, 500) if summary else "",
        organisation=site.organisation(entry.row.organisation) if entry.row.organisation else "",
        changed=entry.row.changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        first_seen=entry.row.first_seen.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
