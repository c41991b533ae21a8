"""`/catalog`: the whole catalogue, what changed in it or what a search finds, as DCAT; a page about the feeds for people."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import ClassVar

from flask import Blueprint, Response, request

from catalogue.feeds import FEEDS, PAGE, CatalogPage, Feed, Place, catalog_nodes, found_page, numbered_page, page_after
from catalogue.rdf.lexical import LEXICAL
from catalogue.search import Query
from catalogue.search.filters import WrongParameter, from_parameters, to_parameters
from catalogue.web import negotiate, present, urls
from catalogue.web.datasets import EXTENSIONS
from catalogue.web.site import here, show
from vocab.namespaces import XSD

pages = Blueprint("feeds", __name__)

MOST_DIGITS = 15
_BLANK_ZONE = re.compile(r" (?=[0-9]{2}:[0-9]{2}$)")  # the + of a zone, where it was not escaped
RELATIONS = {"previous": "prev"}
"""What the Link header calls a page that hydra calls otherwise."""


@dataclass(frozen=True, slots=True)
class FeedsPage:
    template: ClassVar[str] = "feeds.html"
    feeds: ClassVar = FEEDS
    per_page: ClassVar[int] = PAGE

    total: int
    pages: int
    base: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: a page of what a query finds, or of the whole feed where it asks for nothing, or what follows a number."""

    query: Query
    since: datetime | None
    after: int | None
    kept: tuple[tuple[str, str], ...]
    """What every page of this feed has in its address."""

    @property
    def searches(self) -> bool:
        return bool(to_parameters(replace(self.query, page=1)))


@pages.get("/catalog")
def catalog() -> Response:
    feed, wanted = negotiate.wanted(usual=FEEDS[0]), asked()
    return negotiate.varied(_feed(feed, wanted, "") if feed else show(_about()))


@pages.get(f"/catalog.<{EXTENSIONS}:extension>")
def catalog_data(extension: str) -> Response:
    return _feed(negotiate.by_extension(extension), asked(), extension)


def asked() -> Asked:
    """What this request wants. Raises WrongParameter; parameters that are not ours are ignored, as in a search."""
    query = from_parameters(request.args.items(multi=True), per_page=PAGE, facets=False)
    since, after = _BLANK_ZONE.sub("+", _said("modified_since")), _said("after")
    kept = [*to_parameters(replace(query, page=1)), *([("modified_since", since)] if since else [])]
    wanted = Asked(query, _moment(since) if since else None, _number(after) if after else None, tuple(kept))
    if after and (wanted.searches or _said("page")):
        raise WrongParameter(
            "after", "'after' is for the whole feed, without 'page'; what a search finds has numbered pages."
        )
    return wanted


def _said(name: str) -> str:
    """The last value of a parameter; an empty one does not count."""
    return next(filter(None, map(str.strip, reversed(request.args.getlist(name)))), "")


def _moment(said: str) -> datetime:
    """The instant of an xsd:date, which is when that day begins, or of an xsd:dateTime; in UTC unless a zone is named."""
    if not (LEXICAL[XSD.date](said) or LEXICAL[XSD.dateTime](said)):
        raise _wrong("modified_since", said, "write a day or a moment, such as 2026-11-22 or 2026-11-22T03:00:00Z")
    day, zone = said[:10], said[10:]
    try:
        found = datetime.fromisoformat(said if "T" in said else f"{day}T00:00:00{zone}")
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong("modified_since", said, "write a year from 1 to 9999") from None


def _number(said: str) -> int:
    if not (said.isascii() and said.isdigit() and len(said) <= MOST_DIGITS):
        raise _wrong("after", said, "follow the links of the feed, which have the right one")
    return int(said)


def _wrong(name: str, said: str, remedy: str) -> WrongParameter:
    return WrongParameter(name, f"{name!r} is {present.shortened(said, 40)!r}; {remedy}.")


def _about() -> FeedsPage:
    total = here().store.datasets.count()
    return FeedsPage(total, max(1, ceil(total / PAGE)), here().settings.base_url)


def _feed(feed: Feed, wanted: Asked, extension: str) -> Response:
    """A page of the feed. Whoever holds it already is told so before any dataset is read."""
    site = here()
    page = _page(wanted, Place(urls.absolute(urls.catalog(extension)), wanted.kept))
    tag = f"{page.tag(feed)}-{site.edition}"
    if request.if_none_match.contains(tag):
        return _dressed(negotiate.data(b"", feed), 304, tag, page)
    body = feed.write(catalog_nodes(site.store, site.settings, page))
    return _dressed(negotiate.data(body, feed), 200, tag, page)


def _page(wanted: Asked, place: Place) -> CatalogPage:
    site, number = here(), wanted.query.page
    if wanted.after is not None:
        return page_after(site.store, place, wanted.after, wanted.since)
    if not wanted.searches:
        return numbered_page(site.store, place, number, wanted.since)
    found = site.index.search(wanted.query)
    return found_page(site.store, place, number, list(found), found.total, wanted.since, found.explained)


def _dressed(answer: Response, status: int, tag: str, page: CatalogPage) -> Response:
    answer.status_code = status
    answer.set_etag(tag)
    links = (f'<{address}>; rel="{RELATIONS.get(name, name)}"' for name, address in page.links.items())
    answer.headers["Link"] = ", ".join(links)
    return answer
