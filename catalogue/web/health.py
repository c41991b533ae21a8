"""`/healthz`, `/readyz`, `/robots.txt`, the site map: what machines ask of a site rather than of a catalogue."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalogue.errors import NotFound
from catalogue.web import urls
from catalogue.web.site import Site, here

pages = Blueprint("health", __name__)

IN_A_PART = 10_000


@pages.get("/healthz")
def alive() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify({"status": "ok"})


@pages.get("/readyz")
def ready() -> Response:
    """Whether the site can do its work: database, index."""
    site = here()
    found = {name: _state(ask, site) for name, ask in CHECKS.items()}
    answer = jsonify({"status": "ok" if all(state == "ok" for state in found.values()) else "not ready", **found})
    answer.status_code = 200 if all(state == "ok" for state in found.values()) else 503
    return answer


def _database(site: Site) -> bool:
    return site.store.is_current()


def _index(site: Site) -> bool:
    return site.index.serial >= 0


CHECKS: dict[str, Callable[[Site], bool]] = {"database": _database, "index": _index}


def _state(ask: Callable[[Site], bool], site: Site) -> str:
    """What is wrong goes to the log: outsiders learn that it is, not what it is."""
    try:
        return "ok" if ask(site) else "not up to date"
    except Exception:  # whatever it is, the answer is that the site is not ready
        current_app.logger.exception("Not ready")
        return "not available"


@pages.get("/robots.txt")
def robots() -> Response:
    """Everything may be read; searches have no end, so nobody should follow them."""
    words = f"User-agent: *\nDisallow: {urls.search()}?\nAllow: /\n\nSitemap: {urls.absolute(urls.sitemap())}\n"
    return Response(words, content_type="text/plain; charset=utf-8")


@pages.get("/sitemap.xml")
def sitemap() -> Response:
    parts = ceil(here().store.datasets.count() / IN_A_PART)
    places = [urls.absolute(urls.sitemap(number + 1)) for number in range(parts)]
    return _xml(render_template("sitemaps.xml", places=places))


@pages.get("/sitemap-<number:number>.xml")
def sitemap_part(number: int) -> Response:
    """The home page stands in the first part."""
    shown = here().store.datasets.page_serials(number, IN_A_PART)
    if not shown:
        raise NotFound(f"The site map has no part {number}.")
    places = [urls.absolute(urls.dataset(id_)) for id_, _ in shown]
    first = (
        [urls.absolute(address) for address in (urls.home(), urls.organisations(), urls.sources())]
        if number == 1
        else []
    )
    return _xml(render_template("sitemap.xml", places=first + places))


@pages.get("/favicon.ico")
def favicon() -> ResponseReturnValue:
    return redirect(url_for("static", filename="icon.svg"), 301)


def _xml(body: str) -> Response:
    return Response(body, content_type="application/xml; charset=utf-8")
