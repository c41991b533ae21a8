"""Every address of the site: one function per kind of page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from flask import Flask, current_app, request
from werkzeug.routing import BaseConverter

from catalogue.search import Query
from catalogue.search.filters import to_parameters

Link = dict[str, str]
_Start = Callable[..., Any]


def home() -> str:
    return _at("/")


def search(query: Query | None = None, form: str = "") -> str:
    """A search; `form` is json, csv or atom, "" for the page."""
    chosen = to_parameters(query) if query else []
    return _at(f"/search{_dot(form)}" + ("?" + urlencode(chosen) if chosen else ""))


def choice(parameter: str, value: str) -> str:
    """The search for one thing, such as `choice("theme", "energy")`."""
    return _at(f"/search?{urlencode({parameter: value})}")


def dataset(id_: str, extension: str = "") -> str:
    return _at(f"/dataset/{quote(id_)}{_dot(extension)}")


def history(id_: str, page: int = 1) -> str:
    return _at(f"/dataset/{quote(id_)}/history") + _page(page)


def version(id_: str, serial: int, extension: str = "") -> str:
    """What a dataset said after a change."""
    return _at(f"/dataset/{quote(id_)}/version/{serial}{_dot(extension)}")


def record(id_: str) -> str:
    return _at(f"/record/{quote(id_)}")


def organisations() -> str:
    return _at("/organisation")


def organisation(slug: str, page: int = 1) -> str:
    return _at(f"/organisation/{quote(slug)}") + _page(page)


def sources(state: str = "", q: str = "", page: int = 1) -> str:
    said = {"state": state, "q": q, "page": str(page) if page > 1 else ""}
    return _at("/source") + _query(said)


def source(name: str) -> str:
    return _at(f"/source/{quote(name)}")


def new_source(type_: str = "") -> str:
    """The form for a new source; of a kind, or first the choice of one."""
    return _at("/source/new") + (f"?{urlencode({'type': type_})}" if type_ else "")


def removed_sources(done: str = "") -> str:
    return _at("/source/removed") + _done(done)


def manage(source_name: str, what: str, done: str = "") -> str:
    """What somebody who is signed in does with a source: edit, preview, remove, harvest, pause, resume, approve, restore."""
    return source(source_name) + f"/{quote(what)}" + _done(done)


def managed(source_name: str, done: str) -> str:
    """The page of a source, after something was done with it."""
    return source(source_name) + _done(done)


def quarantine(source_name: str, id_: int, page: int = 1) -> str:
    """What is gone from a source and waits for a person."""
    return source(source_name) + f"/quarantine/{id_}" + _page(page)


def decide(source_name: str, id_: int, decision: str) -> str:
    """Where a decision on it is sent: approve, renamed or reject."""
    return quarantine(source_name, id_) + f"/{quote(decision)}"


def outbox(page: int = 1) -> str:
    return _at("/outbox") + _page(page)


def sign_in(back: str = "") -> str:
    """Where people sign in; afterwards they are led back to a path of the site."""
    return _at("/sign-in") + (f"?{urlencode({'next': back})}" if back else "")


def sign_out() -> str:
    return _at("/sign-out")


def run(source_name: str, id_: int, page: int = 1) -> str:
    return _at(f"/source/{quote(source_name)}/run/{id_}") + _page(page)


def problems(source_name: str, form: str = "", *, rule: str = "", severity: str = "", page: int = 1) -> str:
    """What is wrong with a source; with a rule, everywhere that it is broken. `form` is csv, "" for the page."""
    said = {"rule": rule, "severity": severity, "page": str(page) if page > 1 else ""}
    return source(source_name) + f"/problems{_dot(form)}" + _query(said)


def source_record(source_name: str, identifier: str, form: str = "") -> str:
    """One record of a source; `form` is raw for its bytes as they came."""
    return source(source_name) + f"/record{_dot(form)}" + _query({"identifier": identifier})


def catalog(extension: str = "", page: int = 1) -> str:
    return _at(f"/catalog{_dot(extension)}") + _page(page)


def api_search() -> str:
    return _at("/api/v1/search")


def sitemap(number: int = 0) -> str:
    """A part of the site map; 0 is the list of its parts."""
    return _at(f"/sitemap-{number}.xml" if number else "/sitemap.xml")


def accessibility() -> str:
    return _at("/accessibility")


def privacy() -> str:
    return _at("/privacy")


def absolute(address: str) -> str:
    """The public form of an address of ours."""
    base: str = current_app.extensions["fedcat"].settings.base_url
    return base + address.removeprefix(request.script_root)


def here() -> str:
    """The address of this request within the site, without its parameters."""
    return request.path


def navigation() -> list[Link]:
    """The pages beside the site's name."""
    return _links(
        ("Search", search()), ("Organisations", organisations()), ("Sources", sources()), ("Feeds", catalog())
    )


def footer() -> list[Link]:
    return _links(
        ("Feeds and API", catalog()),
        ("Accessibility", accessibility()),
        ("Privacy and cookies", privacy()),
        ("Manage sources", sign_in()),
    )


def _links(*pairs: tuple[str, str]) -> list[Link]:
    return [{"text": text, "href": href} for text, href in pairs]


def _at(path: str) -> str:
    return request.script_root + path


def _dot(extension: str) -> str:
    return f".{extension}" if extension else ""


def _query(said: dict[str, str]) -> str:
    given = {name: value for name, value in said.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _page(number: int) -> str:
    return f"?page={number}" if number > 1 else ""


def _done(what: str) -> str:
    return f"?done={what}" if what else ""


# ---- how addresses are read


class Name(BaseConverter):
    """An id, a slug, a name: what can be none of these is not found without asking the store."""

    regex = "[a-z0-9][a-z0-9-]{0,149}"


class Number(BaseConverter):
    """The number of a run, small enough for any database."""

    regex = "[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)


class Mounted:
    """A site whose public address has a path, behind a proxy that hands the path on or has taken it off."""

    def __init__(self, app: _Start, root: str) -> None:
        self.app = app
        self.root = root

    def __call__(self, environ: dict[str, Any], start_response: _Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self.root or path.startswith(self.root + "/"):
            environ["PATH_INFO"] = path.removeprefix(self.root) or "/"
        environ["SCRIPT_NAME"] = self.root
        answer: Iterable[bytes] = self.app(environ, start_response)
        return answer


def prepare(app: Flask, base_url: str) -> None:
    """Teach an app our kinds of address, and under which path it lives."""
    app.url_map.converters |= {"name": Name, "number": Number}
    app.url_map.strict_slashes = False
    app.url_defaults(_edition)
    if root := urlsplit(base_url).path.rstrip("/"):
        app.wsgi_app = Mounted(app.wsgi_app, root)  # type: ignore[method-assign]


def _edition(endpoint: str, values: dict[str, Any]) -> None:
    """Assets carry a mark of their content, so that browsers may keep them for ever."""
    folder = current_app.static_folder
    if endpoint == "static" and folder and "v" not in values:
        values["v"] = _mark(Path(folder) / str(values.get("filename", "")))


@cache
def _mark(path: Path) -> str:
    return blake2b(path.read_bytes(), digest_size=6).hexdigest() if path.is_file() else ""
