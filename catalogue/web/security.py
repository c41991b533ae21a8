"""The headers of every answer: what a browser may do with it, and whether it has it already."""

from __future__ import annotations

import base64
import re
from functools import cache
from hashlib import sha256

from flask import Flask, Response, current_app, request

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def protect(app: Flask) -> None:
    """Add the headers, whatever the answer."""
    app.after_request(_headers)
    app.after_request(_validators)  # runs first: it may turn the answer into a 304


def _headers(answer: Response) -> Response:
    for name, value in FIXED.items():
        answer.headers.setdefault(name, value)
    answer.headers.setdefault("Content-Security-Policy", policy())
    if answer.mimetype != "text/html":
        # what machines read is public and carries no cookie, so a script of any site may read it too
        answer.headers.setdefault("Access-Control-Allow-Origin", "*")
    return answer


def _validators(answer: Response) -> Response:
    """A strong ETag for every whole answer, and 304 for who holds it. Nothing is kept without asking again."""
    if request.endpoint == "static":
        answer.cache_control.public, answer.cache_control.max_age = True, 31_536_000
        answer.cache_control.immutable = True
        return answer
    answer.headers.setdefault("Cache-Control", "no-cache")
    if answer.status_code == 200 and not answer.is_streamed and request.method in ("GET", "HEAD"):
        answer.add_etag()
        answer.make_conditional(request)
    return answer


def policy() -> str:
    """Everything from here, nothing from anywhere else, no style and no script within a page.

    The one script that upstream's template holds is let in by its hash: a nonce would make every answer another one, and
    pages could have no strong ETag.
    """
    return (
        f"default-src 'self'; script-src 'self' {_inline_scripts()}; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def _inline_scripts() -> str:
    loader = current_app.jinja_env.loader
    assert loader is not None
    return _hashes(loader.get_source(current_app.jinja_env, "govuk_frontend_jinja/template.html")[0])


@cache
def _hashes(source: str) -> str:
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", source, flags=re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
