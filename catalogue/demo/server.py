"""A small server on the loopback address for the example sources: files with their types, and CKAN's action API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from catalogue.demo import examples

LOOPBACK = "127.0.0.1"
CKAN = "transport-ckan"
JSON = "application/json;charset=utf-8"
ROWS_CAP = 1000
REQUEST_CAP = 1 << 20

MEDIA_TYPES = {
    ".csv": "text/csv",  # no charset: real servers seldom know it, and this file is not in UTF-8
    ".json": "application/json",
    ".jsonld": "application/ld+json",
    ".rdf": "application/rdf+xml",
    ".ttl": "text/turtle; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What is served, by the end of its name; other files stay at home."""

Parameters = Mapping[str, Any]
Package = dict[str, Any]


@contextmanager
def served(port: int = 0) -> Iterator[str]:
    """Serve the examples while the block runs; gives the address. Port 0 takes a free one."""
    server = ExampleServer((LOOPBACK, port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to a client."""

    body: bytes
    media_type: str = JSON
    status: HTTPStatus = HTTPStatus.OK

    @property
    def etag(self) -> str:
        """Strong: the same bytes have the same one, whenever the server was started."""
        return f'"{blake2b(self.body, digest_size=12).hexdigest()}"'


class ExampleServer(ThreadingHTTPServer):
    """Holds the files while it runs: they are few and small."""

    daemon_threads = True

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    @cached_property
    def pages(self) -> dict[str, Answer]:
        """Every file that may be fetched, by path."""
        return dict(_pages(examples()))

    @cached_property
    def packages(self) -> list[Package]:
        packages: list[Package] = json.loads(examples().joinpath(CKAN, "packages.json").read_bytes())
        return packages

    def answer(self, target: str, body: bytes) -> Answer:
        """A file, or what CKAN would say."""
        asked = urlsplit(target)
        path = unquote(asked.path).strip("/")
        if action := _action(path):
            return self.act(action, asked.query, body)
        return self.pages.get(path) or Answer(b"Not found\n", "text/plain; charset=utf-8", HTTPStatus.NOT_FOUND)

    def act(self, name: str, query: str, body: bytes) -> Answer:
        """One call of the action API, in CKAN's envelope."""
        action = ACTIONS.get(name)
        if action is None:
            return _bad_request(f"Bad request: Action name not known: {name}")
        try:
            parameters = json.loads(body) if body else dict(parse_qsl(query))
        except ValueError as error:
            return _bad_request(f"Bad request: JSON Error: {error}")
        if not isinstance(parameters, dict):
            return _bad_request("Bad request: JSON Error: Request data must be a dictionary")
        envelope = {"help": f"{self.address}/{CKAN}/api/3/action/help_show?name={name}"}
        try:
            return _as_json(envelope | {"success": True, "result": action(self, parameters)})
        except Refused as refused:
            return _as_json(envelope | {"success": False, "error": refused.error}, refused.status)


class Refused(Exception):
    """Answer with CKAN's words for what is wrong with the call."""

    def __init__(self, status: HTTPStatus, kind: str, **said: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.error = {"__type": kind, **said}


class Handler(BaseHTTPRequestHandler):
    """Reads a request, writes the server's answer; 304 when the client has it already."""

    server: ExampleServer
    protocol_version = "HTTP/1.1"
    server_version = "fedcat-examples"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        self.write(self.server.answer(self.path, b""))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > REQUEST_CAP:
            self.close_connection = True
            self.write(Answer(b"Too large\n", "text/plain; charset=utf-8", HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self.write(self.server.answer(self.path, self.rfile.read(int(length))))

    def write(self, answer: Answer) -> None:
        known = answer.status is HTTPStatus.OK and self.headers.get("If-None-Match") == answer.etag
        self.send_response(HTTPStatus.NOT_MODIFIED if known else answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("ETag", answer.etag)
        if not known:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not known and self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what the harvest says is what matters."""


def package_search(server: ExampleServer, parameters: Parameters) -> dict[str, Any]:
    """A page of packages. Words of `q` must all occur; of `fq` only "changed since" is spoken here, and others are told so."""
    words = str(parameters.get("q") or "*:*").lower().replace("*:*", "").split()
    since = _changed_since(str(parameters.get("fq") or ""))
    found = [p for p in server.packages if _mentions(p, words) and str(p.get("metadata_modified", "")) >= since]
    sort = str(parameters.get("sort") or "score desc, metadata_modified desc")
    start = _whole_number(parameters, "start", 0)
    rows = min(_whole_number(parameters, "rows", 10), ROWS_CAP)
    return {
        "count": len(found),
        "facets": {},
        "results": _sorted(found, sort)[start : start + rows],
        "search_facets": {},
        "sort": sort,
    }


def _changed_since(fq: str) -> str:
    asked = re.fullmatch(r"metadata_modified:\[(\S+?)Z TO \*\]", fq)
    if fq and not asked:
        message = "Of fq, the examples take metadata_modified:[… TO *] alone"
        raise Refused(HTTPStatus.BAD_REQUEST, "Search Query Error", message=message)
    return asked[1] if asked else ""


def package_show(server: ExampleServer, parameters: Parameters) -> Package:
    return _named(server.packages, parameters)


def package_list(server: ExampleServer, _parameters: Parameters) -> list[str]:
    return sorted(package["name"] for package in server.packages)


def organization_list(server: ExampleServer, parameters: Parameters) -> list[Any]:
    """Names, or whole organisations with `all_fields`; both by title, as CKAN gives them."""
    organisations = sorted(_organisations(server), key=lambda organisation: str(organisation["title"]))
    if str(parameters.get("all_fields", "")).lower() in ("true", "1"):
        return list(organisations)
    return [organisation["name"] for organisation in organisations]


def organization_show(server: ExampleServer, parameters: Parameters) -> dict[str, Any]:
    return _named(_organisations(server), parameters)


def status_show(server: ExampleServer, _parameters: Parameters) -> dict[str, Any]:
    return {
        "ckan_version": "2.11.5",
        "error_emails_to": None,
        "extensions": ["dcat", "harvest"],
        "locale_default": "en_GB",
        "site_description": "Invented packages, to show how fedcat harvests CKAN",
        "site_title": "Transport data portal (example)",
        "site_url": f"{server.address}/{CKAN}",
    }


ACTIONS: dict[str, Callable[[ExampleServer, Parameters], Any]] = {
    action.__name__: action
    for action in (package_search, package_show, package_list, organization_list, organization_show, status_show)
}


def _pages(folder: Traversable, path: str = "") -> Iterator[tuple[str, Answer]]:
    for entry in folder.iterdir():
        media_type = MEDIA_TYPES.get(PurePosixPath(entry.name).suffix)
        if entry.is_dir():
            yield from _pages(entry, f"{path}{entry.name}/")
        elif media_type:
            yield path + entry.name, Answer(entry.read_bytes(), media_type)


def _action(path: str) -> str:
    """The action that a path names, "" for other paths. CKAN answers with and without the version."""
    match path.split("/"):
        case [site, "api", "3", "action", name] | [site, "api", "action", name] if site == CKAN:
            return name
    return ""


def _as_json(value: Any, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), JSON, status)


def _bad_request(words: str) -> Answer:
    """What CKAN says before it looks for an action: a bare string, without its envelope."""
    return _as_json(words, HTTPStatus.BAD_REQUEST)


def _whole_number(parameters: Parameters, name: str, default: int) -> int:
    try:
        number = int(parameters.get(name, default))
    except (TypeError, ValueError):
        number = -1
    if number < 0:
        raise Refused(HTTPStatus.CONFLICT, "Validation Error", **{name: ["Invalid integer"]})
    return number


def _sorted(packages: list[Package], sort: str) -> list[Package]:
    """By each field that `sort` names, the first counting most. Scores are all alike here."""
    for term in reversed(sort.split(",")):
        field, _, direction = term.strip().partition(" ")
        if field == "score":
            continue
        if field not in ("id", "name", "title", "metadata_created", "metadata_modified") or direction not in (
            "", "asc", "desc",
        ):  # fmt: skip
            raise Refused(HTTPStatus.BAD_REQUEST, "Search Query Error", message=f"Cannot sort by {term.strip()}")
        packages = sorted(packages, key=lambda package: str(package[field]), reverse=direction == "desc")
    return packages


def _mentions(package: Package, words: list[str]) -> bool:
    text = f"{package['title']} {package['notes']}".lower()
    return all(word in text for word in words)


def _organisations(server: ExampleServer) -> list[dict[str, Any]]:
    """Every organisation that owns a package, with how many it owns."""
    owned: dict[str, dict[str, Any]] = {}
    for package in server.packages:
        organisation = owned.setdefault(package["owner_org"], package["organization"] | {"package_count": 0})
        organisation["package_count"] += 1
    return list(owned.values())


def _named(things: list[dict[str, Any]], parameters: Parameters) -> dict[str, Any]:
    """The one whose id or name was asked for."""
    if not (wanted := parameters.get("id")):
        raise Refused(HTTPStatus.CONFLICT, "Validation Error", id=["Missing value"])
    for thing in things:
        if wanted in (thing["id"], thing["name"]):
            return thing
    raise Refused(HTTPStatus.NOT_FOUND, "Not Found Error", message="Not found")
