"""`/sign-in`: who is at the desk. A token opens a session of eight hours; every form that is sent is checked here."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from typing import ClassVar, ParamSpec
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, redirect, request, session
from markupsafe import Markup

from catalogue.settings import Settings, secret_key
from catalogue.store import Quarantine
from catalogue.web import errors, urls
from catalogue.web.errors import Step, Trouble
from catalogue.web.site import here, show

P = ParamSpec("P")

pages = Blueprint("sign_in", __name__)

COOKIE = "fedcat-session"
LASTS = timedelta(hours=8)
FORM_BYTES = 1 << 18
SAFE = ("GET", "HEAD", "OPTIONS")
WRONG = "That is no token of ours, or it was taken back. Check that you have copied all of it."


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The form; for somebody signed in, what they can do here."""

    template: ClassVar[str] = "sign_in.html"

    to: str = ""
    wrong: str = ""
    waiting: tuple[Quarantine, ...] = ()


@dataclass
class Patience:
    """How many wrong tokens an address may try in a while. It remembers so many addresses, those longest quiet are forgotten."""

    tries: int = 10
    seconds: float = 900.0
    most: int = 10_000
    clock: Callable[[], float] = time.monotonic
    _wrong: OrderedDict[str, list[float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def left(self, address: str) -> float:
        """Seconds until this address may try again; 0 when it may now."""
        with self._lock:
            recent = [at for at in self._wrong.get(address, ()) if at > self.clock() - self.seconds]
            return 0.0 if len(recent) < self.tries else recent[-self.tries] + self.seconds - self.clock()

    def failed(self, address: str) -> None:
        with self._lock:
            self._wrong[address] = [*self._wrong.pop(address, ()), self.clock()][-self.tries :]
            while len(self._wrong) > self.most:
                self._wrong.popitem(last=False)


def keep(app: Flask, settings: Settings) -> None:
    """Teach an app its sessions, and let no form through that is not of this site."""
    base = urlsplit(settings.base_url)
    app.config.update(
        SECRET_KEY=secret_key(settings),
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_PATH=base.path or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=base.scheme == "https",
        SESSION_REFRESH_EACH_REQUEST=False,  # eight hours from signing in, however busy they are
        PERMANENT_SESSION_LIFETIME=LASTS,
        MAX_CONTENT_LENGTH=FORM_BYTES,
    )
    app.extensions["fedcat-patience"] = Patience()
    app.before_request(_look)
    app.before_request(_checked)
    app.context_processor(lambda: {"actor": actor(), "csrf_field": csrf_field})


def actor() -> str:
    """Who is signed in, "" for nobody. Asks nothing: it was looked up when the request came in."""
    return str(g.get("actor", ""))


def required(view: Callable[P, Response]) -> Callable[P, Response]:
    """A page for those who are signed in: others are asked to sign in and then brought back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        if actor():
            return view(*args, **kwargs)
        if request.method in SAFE:
            back = request.full_path if request.query_string else request.path
            return redirect(urls.sign_in(back), 303)  # type: ignore[return-value]
        return _sign_in_first()

    return guarded


def csrf_field() -> Markup:
    """What every form carries, so that no other site can send it."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
        session.permanent = True
    g.private = True
    return Markup('<input type="hidden" name="csrf" value="{}">').format(session["csrf"])


@pages.get("/sign-in")
def sign_in() -> Response:
    waiting = tuple(here().store.quarantines.some()) if actor() else ()
    return show(SignInPage(local(request.args.get("next", "")), waiting=waiting))


@pages.post("/sign-in")
def enter() -> Response:
    store, patience, address = here().store, _patience(), request.remote_addr or ""
    to = local(request.form.get("next", ""))
    if wait := patience.left(address):
        return _too_often(wait)
    name = store.tokens.holder(request.form.get("token", "").strip())
    token = store.tokens.valid(name) if name else None
    if token is None:
        patience.failed(address)
        return show(SignInPage(to, WRONG), 403)
    session.clear()  # what was there before signing in, its form's secret among it, is worth nothing afterwards
    session.permanent = True
    session.update(name=token.name, since=token.created.isoformat(), csrf=secrets.token_urlsafe(32))
    return redirect(request.script_root + to if to else urls.sign_in(), 303)  # type: ignore[return-value]


@pages.post("/sign-out")
def leave() -> Response:
    session.clear()
    g.actor, g.private = "", True
    return redirect(urls.home(), 303)  # type: ignore[return-value]


def local(path: str) -> str:
    """The path itself when it is one of this site, else "": nobody is led elsewhere from here."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return ""
    strange = parts.scheme or parts.netloc or "\\" in path or not path.isascii() or not path.isprintable()
    return "" if strange or not path.startswith("/") or path.startswith("//") else path


def _look() -> None:
    """Who is it? A request without our cookie is nobody's, and its session is not even looked at."""
    if COOKIE not in request.cookies or request.endpoint == "static":
        return
    g.private = True
    name, since = session.get("name"), session.get("since")
    token = here().store.tokens.valid(name) if isinstance(name, str) else None
    if token is not None and token.created.isoformat() == since:
        g.actor = token.name
    elif name:
        session.clear()  # the token was taken back


def _checked() -> Response | None:
    """Every form has to carry the secret of the session that it was made for."""
    if request.method in SAFE or request.routing_exception is not None:
        return None
    sent, held = request.form.get("csrf", ""), str(session.get("csrf", ""))
    if held and hmac.compare_digest(sent.encode("utf-8", "replace"), held.encode()):
        return None
    if request.endpoint not in ("sign_in.enter", "sign_in.leave") and not actor():
        return _sign_in_first()
    message = "It was not sent from a page of this site, or that page has grown old. Nothing was done."
    steps = (Step("Go back, load the page anew and send it again"), Step("Sign in", urls.sign_in()))
    return errors.answer(Trouble(400, "That form cannot be taken", message, steps))


def _sign_in_first() -> Response:
    message = "You are not signed in, or no longer. Nothing was done."
    return errors.answer(Trouble(403, "Sign in first", message, (Step("Sign in", urls.sign_in()),)))


def _too_often(wait: float) -> Response:
    message = "Too many wrong tokens came from your address. Wait a quarter of an hour."
    answer = errors.answer(Trouble(429, "Too many tries", message))
    answer.headers["Retry-After"] = str(int(wait) + 1)
    return answer


def _patience() -> Patience:
    patience: Patience = current_app.extensions["fedcat-patience"]
    return patience
