"""What is said when something cannot be shown: a page that says what to do, or `application/problem+json` for machines."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, current_app, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from catalogue.errors import Busy, NotFound, StoreAway, WrongUse
from catalogue.search import IndexBusy, IndexUnusable
from catalogue.search.filters import WrongParameter
from catalogue.web import negotiate, urls

MACHINE_ENDS = (".json", ".jsonld", ".ttl", ".rdf", ".xml", ".nt", ".csv", ".atom", ".txt")
RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be done now."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happened, for both kinds of reader."""

    status: int
    title: str
    message: str = ""
    steps: tuple[Step, ...] = ()
    reference: str = ""
    parameter: str = ""


MISSING = {
    "datasets": (
        "We do not have that dataset",
        "The address may be mistyped, or it may never have been in this catalogue.",
    ),
    "history": ("We do not have that version", "The address may be mistyped: its history lists every version."),
    "organisations": ("We do not know that organisation", "It may go by another name here."),
    "sources": ("There is no such source", "It may have been removed, or go by another name."),
    "runs": (
        "There is no such run",
        "Old runs are forgotten after a time; a source that was removed takes its runs along.",
    ),
    "problems": ("There is no such list of problems", "What was put right is gone from it."),
    "records": (
        "We hold no such record",
        "Its source may have taken it back, or it was never taken: see the source's problems.",
    ),
    "feeds": ("The feed has no such page", "It is shorter now, or the address is mistyped."),
    "search": ("There are not so many results", "The search has fewer pages than that."),
}
"""What is missing, by the part of the site that was asked: its title and a sentence."""

OTHERWISE = {
    400: ("That request could not be read", "The address or what was sent with it is not in a form that we take."),
    404: ("There is no page at this address", "It may be mistyped, or the page may have moved."),
    405: ("This address is only for reading", "It takes GET and HEAD."),
    410: ("This is gone", ""),
    413: ("That is too much at once", "Send less."),
    414: ("That address is too long", "Use fewer filters."),
}


def explain(app: Flask) -> None:
    """Answer every error of this app."""
    app.register_error_handler(WrongUse, _wrong_use)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(StoreAway, _no_store)
    app.register_error_handler(IndexUnusable, _no_index)
    app.register_error_handler(IndexBusy, _no_index)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def answer(trouble: Trouble) -> Response:
    """A page or problem details, whichever the client reads."""
    if for_machines():
        return problem(
            trouble.status, trouble.title, trouble.message, parameter=trouble.parameter, reference=trouble.reference
        )
    return negotiate.varied(make_response(render_template("error.html", error=trouble), trouble.status))


def problem(status: int, title: str, detail: str = "", **more: Any) -> Response:
    """Problem details (RFC 9457)."""
    said = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    body = json.dumps({name: value for name, value in said.items() if value != ""}, ensure_ascii=False)
    return Response(body, status, content_type="application/problem+json")


def for_machines() -> bool:
    """Whether whoever asks would rather have data than a page."""
    return request.path.startswith("/api/") or request.path.endswith(MACHINE_ENDS) or not negotiate.reads_pages()


def _wrong_use(wrong: WrongUse) -> Response:
    parameter = wrong.name if isinstance(wrong, WrongParameter) else ""
    steps = (Step("Go back and change it"), Step("Start a new search", urls.search()))
    return answer(
        Trouble(400, "Part of that address has a value that we do not take", str(wrong), steps, parameter=parameter)
    )


def _not_found(_: NotFound) -> Response:
    title, message = MISSING.get(request.blueprint or "", OTHERWISE[404])
    return answer(Trouble(404, title, message, _ways_on()))


def _busy(wrong: Busy) -> Response:
    return answer(Trouble(409, "Somebody else is at work on it", str(wrong), (Step("Try again when that has ended"),)))


def _no_store(_: StoreAway) -> Response:
    current_app.logger.exception("The database cannot be used")
    away = answer(Trouble(503, "The catalogue cannot be read just now", "Try again in a minute. Nothing is lost.", ()))
    away.headers["Retry-After"] = str(RETRY_SECONDS)
    return away


def _no_index(_: Exception) -> Response:
    current_app.logger.exception("The search index cannot be used")
    message = "It is being built again. Pages of datasets and organisations can be read meanwhile."
    busy = answer(
        Trouble(503, "The search is not ready", message, (Step("See every organisation", urls.organisations()),))
    )
    busy.headers["Retry-After"] = str(RETRY_SECONDS)
    return busy


def _http(wrong: HTTPException) -> Response:
    """What Flask itself refuses, redirects included."""
    if wrong.response is not None:
        return wrong.response  # type: ignore[return-value]  # ours, or a redirect of werkzeug's
    status = wrong.code or 500
    if status < 400:
        return wrong.get_response()  # type: ignore[return-value]
    title, message = OTHERWISE.get(status, (wrong.name, ""))
    made = answer(Trouble(status, title, message, _ways_on()))
    if allowed := getattr(wrong, "valid_methods", None):
        made.headers["Allow"] = ", ".join(sorted(allowed))
    return made


def _broken(_: Exception) -> Response:
    reference = secrets.token_hex(4)
    current_app.logger.exception("Reference %s: %s %s", reference, request.method, request.path)
    message = "This is our fault, and it has been noted."
    return answer(Trouble(500, "Something went wrong here", message, (Step("Try again in a minute"),), reference))


def _ways_on() -> tuple[Step, ...]:
    return (
        Step("Search the catalogue", urls.search()),
        Step("See every organisation that describes its data here", urls.organisations()),
        Step("Check the address: letters and hyphens have to be exactly so"),
    )
