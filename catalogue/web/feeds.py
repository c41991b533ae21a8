"""`/catalog`: the whole catalogue as DCAT for other catalogues, a page at a time; a page about the feeds for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flask import Blueprint, Response, request

from catalogue.feeds import FEEDS, PAGE, CatalogPage, Feed, catalog_nodes, catalog_page
from catalogue.feeds.catalog import page_address
from catalogue.web import negotiate, parameters, urls
from catalogue.web.datasets import EXTENSIONS
from catalogue.web.site import here, show

pages = Blueprint("feeds", __name__)


@dataclass(frozen=True, slots=True)
class FeedsPage:
    template: ClassVar[str] = "feeds.html"
    feeds: ClassVar = FEEDS
    per_page: ClassVar[int] = PAGE

    total: int
    pages: int
    base: str


@pages.get("/catalog")
def catalog() -> Response:
    feed = negotiate.wanted(usual=FEEDS[0])
    parameters.page()
    return negotiate.varied(_feed(feed, "") if feed else show(_about()))


@pages.get(f"/catalog.<{EXTENSIONS}:extension>")
def catalog_data(extension: str) -> Response:
    return _feed(negotiate.by_extension(extension), extension)


def _about() -> FeedsPage:
    page = catalog_page(here().store, 1, FEEDS[0])
    return FeedsPage(page.total, page.pages, here().settings.base_url)


def _feed(feed: Feed, extension: str) -> Response:
    """A page of the feed. Whoever holds it already is told so before any dataset is read."""
    site = here()
    page = catalog_page(site.store, parameters.page(), feed)
    tag = f"{page.tag}-{site.edition}"
    address = urls.absolute(urls.catalog(extension))
    if request.if_none_match.contains(tag):
        return _dressed(negotiate.data(b"", feed), 304, tag, page, address)
    body = feed.write(catalog_nodes(site.store, site.settings, page, address))
    return _dressed(negotiate.data(body, feed), 200, tag, page, address)


def _dressed(answer: Response, status: int, tag: str, page: CatalogPage, address: str) -> Response:
    answer.status_code = status
    answer.set_etag(tag)
    steps = {"first": 1, "prev": page.number - 1, "next": page.number + 1, "last": page.pages}
    links = (f'<{page_address(address, n)}>; rel="{rel}"' for rel, n in steps.items() if 1 <= n <= page.pages)
    answer.headers["Link"] = ", ".join(links)
    return answer
