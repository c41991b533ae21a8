"""The headers of every answer: what a browser may do with it, and whether it has it already."""

from __future__ import annotations

import base64
import re
from hashlib import sha256

from flask import Flask, Response, g, request

FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
A_YEAR = 31_536_000


def protect(app: Flask) -> None:
    """Add the headers, whatever the answer."""
    fixed = FIXED | {"Content-Security-Policy": policy(app)}

    def protected(answer: Response) -> Response:
        for name, value in fixed.items():
            answer.headers.setdefault(name, value)
        if answer.mimetype != "text/html":
            # what machines read is public and goes by no cookie, so a script of any site may read it too
            answer.headers.setdefault("Access-Control-Allow-Origin", "*")
        return answer

    app.after_request(protected)
    app.after_request(_validated)  # Flask takes the last one first: it may turn the answer into a 304


def _validated(answer: Response) -> Response:
    """A strong ETag for every whole answer, and 304 for who holds it. Nothing is kept without asking again."""
    if request.endpoint == "static":
        answer.cache_control.public, answer.cache_control.immutable = True, True
        answer.cache_control.max_age = A_YEAR
        return answer
    if g.get("private") and answer.mimetype == "text/html":
        # made for one person: nobody keeps it, the browser's own history aside
        answer.headers["Cache-Control"] = "private, no-store"
        return answer
    answer.headers.setdefault("Cache-Control", "no-cache")
    if answer.status_code == 200 and not answer.is_streamed and request.method in ("GET", "HEAD"):
        answer.add_etag()
        answer.make_conditional(request)
    return answer


def policy(app: Flask) -> str:
    """Everything from here, nothing from anywhere else, no style and no script within a page.

    The one script that upstream's template holds is let in by its hash. A nonce would make every answer a different one, and
    a page could have no strong ETag.
    """
    loader = app.jinja_env.loader
    assert loader is not None
    source = loader.get_source(app.jinja_env, "govuk_frontend_jinja/template.html")[0]
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", source, flags=re.DOTALL)
    hashes = " ".join(f"'sha256-{base64.b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    return (
        f"default-src 'self'; script-src 'self' {hashes}; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
