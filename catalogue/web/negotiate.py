"""Which form of a thing a client wants, by its `Accept` header. One that wants nothing we have gets the usual form."""

from __future__ import annotations

from flask import Response, request

from catalogue.feeds import FEEDS, Feed, feed_for

PAGE = ("text/html", "application/xhtml+xml")
_BY_TYPE = {media_type: feed for feed in FEEDS for media_type in feed.media_types}


def wanted(usual: Feed | None = None) -> Feed | None:
    """The syntax that is wanted, None for a page. `usual` is what a client gets that takes anything."""
    offered = (*_BY_TYPE, *PAGE) if usual else (*PAGE, *_BY_TYPE)
    best = request.accept_mimetypes.best_match(offered, offered[0])
    return _BY_TYPE.get(best) if best else usual


def by_extension(extension: str) -> Feed:
    """The syntax of an address that names it. The address is ours, so there is one."""
    found = feed_for(extension)
    assert found is not None
    return found


def reads_pages() -> bool:
    """Whether a person asks, or a program that takes pages before data."""
    machine = ("application/problem+json", "application/json", "application/atom+xml", "text/csv", *_BY_TYPE)
    return request.accept_mimetypes.best_match((*PAGE, *machine), PAGE[0]) in PAGE


def varied(answer: Response) -> Response:
    """Mark an answer whose form depends on what was wanted."""
    answer.vary.add("Accept")
    return answer


def data(body: bytes, feed: Feed) -> Response:
    """RDF, with the type that its syntax has."""
    charset = "; charset=utf-8" if feed.media_type.startswith("text/") else ""
    return Response(body, content_type=feed.media_type + charset)
