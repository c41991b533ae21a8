"""`/search`: the page, and the same results as JSON, CSV and Atom; `/api/v1/search` is the JSON under its lasting address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil

from flask import Blueprint, Response, jsonify, redirect, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from catalogue.errors import NotFound
from catalogue.feeds import EXPORTS
from catalogue.search import Query, Results
from catalogue.search.filters import WrongParameter, from_parameters
from catalogue.store import Entry
from catalogue.web import present, urls
from catalogue.web.results import as_json, atom_entries, search_page
from catalogue.web.site import Site, here, show

pages = Blueprint("search", __name__)

PER_PAGE = 10
MOST_PER_PAGE = 100
CSV_PORTION = 500


@pages.get("/search")
def search() -> Response:
    site, query = here(), asked()
    results = site.index.search(query)
    if query.page > 1 and query.page > last_page(results):
        raise NotFound(f"There is no page {query.page}.")
    return show(search_page(query, results, last_page(results), site))


@pages.get("/search.json")
@pages.get("/api/v1/search")
def search_json() -> Response:
    site, query = here(), asked(per_page=_per_page())
    return jsonify(as_json(site.index.search(query), site))


@pages.get("/search.csv")
def search_csv() -> Response:
    """All results, not a page of them, written while they are read."""
    site, query = here(), replace(asked(per_page=CSV_PORTION, facets=False), page=1)
    first = site.index.search(query)
    rows = EXPORTS["csv"](_entries(query, first, site), site.settings)
    answer = Response(stream_with_context(rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = "attachment; filename=results.csv"
    return answer


@pages.get("/search.atom")
def search_atom() -> Response:
    """A feed to subscribe to: the newest first, unless another order is asked for."""
    site, query = here(), asked(per_page=_per_page(), facets=False)
    query = query if "sort" in request.args else replace(query, sort="updated")
    results = site.index.search(query)
    following = replace(query, page=query.page + 1) if query.page < last_page(results) else None
    entries = atom_entries(results, site)
    body = render_template("search.atom.xml", query=query, results=results, following=following, entries=entries)
    return Response(body, content_type="application/atom+xml; charset=utf-8")


@pages.get("/dataset")
def every_dataset() -> ResponseReturnValue:
    return redirect(urls.search(), 301)


def asked(*, per_page: int = PER_PAGE, facets: bool = True) -> Query:
    """The query of this request. Raises WrongParameter."""
    return from_parameters(request.args.items(multi=True), per_page=per_page, facets=facets)


def last_page(results: Results) -> int:
    return max(1, ceil(results.total / results.per_page))


def _per_page() -> int:
    """How many results machines want at once."""
    said = request.args.get("per_page", "").strip()
    if not said:
        return PER_PAGE
    if not (said.isascii() and said.isdigit() and len(said) < 4 and 1 <= int(said) <= MOST_PER_PAGE):
        shown = present.shortened(said, 40)
        raise WrongParameter("per_page", f"'per_page' is {shown!r}; it is a whole number from 1 to {MOST_PER_PAGE}.")
    return int(said)


def _entries(query: Query, results: Results, site: Site) -> Iterator[Entry]:
    """Every entry that was found, a portion at a time."""
    while results.hits:
        yield from site.store.datasets.some([hit.id for hit in results.hits])
        query = replace(query, page=query.page + 1)
        results = site.index.search(query)
