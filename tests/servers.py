"""Servers on the loopback address: a folder, a script, and a recorded CKAN. Those that misbehave are in hostile.py."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from hostile import Hostile
from requests.structures import CaseInsensitiveDict

__all__ = ["Answers", "Asked", "Folder", "Hostile", "RecordedCkan", "Reply", "Server", "numbered_packages"]


class Asked(NamedTuple):
    """One request. `path` has its query; the names of headers know no case."""

    method: str
    path: str
    headers: Mapping[str, str]


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Server:
    """`with Folder(path) as server: server.url, server.requests`, without questions for a robots.txt that is not there."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.connections = 0
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def reply(self, asked: Asked, body: bytes) -> Reply:
        raise NotImplementedError

    def secured(self, context: ssl.SSLContext) -> Self:
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.url = f"https://localhost:{self._http.server_port}"
        return self

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def answer(self) -> None:
            asked = Asked(self.command, self.path, CaseInsensitiveDict(self.headers.items()))
            server.requests.append(asked)
            status, headers, body = server.reply(asked, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            if asked.path == "/robots.txt" and status == 404:
                server.requests.remove(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD" and status != 304:
                self.wfile.write(body)

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


TYPES = {
    ".ttl": "text/turtle; charset=utf-8",
    ".rdf": "application/rdf+xml",
    ".owl": "application/rdf+xml",
    ".xml": "application/xml",
    ".jsonld": "application/ld+json",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".nt": "application/n-triples",
    ".nq": "application/n-quads",
    ".n3": "text/n3; charset=utf-8",
    ".trig": "application/trig",
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".html": "text/html; charset=utf-8",
    ".txt": "text/plain",
}


class Folder(Server):
    """A folder's files, read anew at each request. `address("a b/c.ttl")` is a file's, whatever its name is made of."""

    def __init__(self, folder: Path, types: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.folder = folder.resolve()
        self.types = {**TYPES, **(types or {})}

    def address(self, file: str | Path) -> str:
        return (self.folder / file).as_uri().replace(self.folder.as_uri(), self.url, 1)

    def reply(self, asked: Asked, body: bytes) -> Reply:
        file = (self.folder / unquote(urlsplit(asked.path).path).lstrip("/")).resolve()
        if not file.is_relative_to(self.folder) or not file.is_file():
            return Reply(404, {"Content-Type": "text/plain"}, b"No such file here.")
        content = file.read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"Content-Type": self.types.get(file.suffix.lower(), "application/octet-stream"), "ETag": tag}
        return Reply(304, headers) if asked.headers.get("If-None-Match") == tag else Reply(200, headers, content)


Script = tuple[int, Mapping[str, str], "bytes | str | Callable[[Asked], bytes | str]"]


class Answers(Server):
    """`Answers({"/path": (200, {"Content-Type": "text/csv"}, "id,title")})`; a list is said in turn, its last for ever.

    A path with its query comes first, then the path alone. A body may be a function of the request.
    """

    def __init__(self, script: Mapping[str, Script | list[Script]]) -> None:
        super().__init__()
        self.script = script
        self.asked: dict[str, int] = {}

    def reply(self, asked: Asked, body: bytes) -> Reply:
        path = asked.path if asked.path in self.script else urlsplit(asked.path).path
        written = self.script.get(path, (404, {"Content-Type": "text/plain"}, "Nobody wrote this."))
        answers = written if isinstance(written, list) else [written]
        nth = self.asked[path] = self.asked.get(path, 0) + 1
        status, headers, said = answers[min(nth, len(answers)) - 1]
        said = said(asked) if callable(said) else said
        return Reply(status, headers, said.encode() if isinstance(said, str) else said)


Package = dict[str, Any]


class RecordedCkan(Server):
    """CKAN's action API over a list of packages, read-only, at `/api/3/action/` and `/api/action/`, by GET and POST.

    `packages` may be changed at any time. `mutate(n, packages)` is called after the n-th search, so between two pages;
    `fail_at={200: 503}` fails every search that starts there; `ignore_paging` answers every page with the first.
    """

    def __init__(
        self,
        packages: list[Package],
        cap: int = 1000,
        *,
        ignore_paging: bool = False,
        fail_at: dict[int, int] | None = None,
        mutate: Callable[[int, list[Package]], None] | None = None,
        version: str = "2.11.3",
    ) -> None:
        super().__init__()
        self.packages, self.cap, self.ignore_paging, self.version = packages, cap, ignore_paging, version
        self.fail_at = fail_at or {}
        self.mutate = mutate
        self.searches = 0

    def reply(self, asked: Asked, body: bytes) -> Reply:
        found = re.fullmatch(r"/api/(?:3/)?action/(\w+)/?", urlsplit(asked.path).path)
        if not found:
            return Reply(404, {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html><h1>404 Not Found</h1>")
        try:
            sent = json.loads(body or b"{}") if asked.method == "POST" else dict(parse_qsl(urlsplit(asked.path).query))
        except ValueError:
            return _json(400, "Bad request - JSON Error: Error decoding JSON data.")
        action = getattr(self, f"do_{found[1]}", None)
        if action is None:
            return _json(400, f"Bad request - Action name not known: {found[1]}")
        said = {"help": f"{self.url}/api/3/action/help_show?name={found[1]}"}
        try:
            return _json(200, said | {"success": True, "result": action(sent)})
        except CkanError as error:
            return _json(error.status, said | {"success": False, "error": error.said})
        except ServerDown as down:
            return Reply(down.status, {"Content-Type": "text/html"}, b"<html><h1>Internal Server Error</h1></html>")

    def do_package_search(self, sent: Package) -> object:
        start, rows = _whole(sent, "start", 0), min(_whole(sent, "rows", 10), self.cap)
        if start in self.fail_at:
            raise ServerDown(self.fail_at[start])
        order = sent.get("sort") or "score desc, metadata_modified desc"
        clauses = _clauses(sent.get("q", "")) + _clauses(sent.get("fq", ""))
        found = _sorted([package for package in self.public() if all(clause(package) for clause in clauses)], order)
        first = 0 if self.ignore_paging else start
        result: Package = {"count": len(found), "sort": order, "facets": {}, "search_facets": {}}
        result["results"] = json.loads(json.dumps(found[first : first + rows]))
        self.searches += 1
        if self.mutate:
            self.mutate(self.searches, self.packages)
        return result

    def public(self) -> list[Package]:
        return [p for p in self.packages if not p.get("private") and p.get("state", "active") == "active"]

    def do_package_show(self, sent: Package) -> object:
        return _one(self.packages, sent)

    def do_package_list(self, sent: Package) -> object:
        names = sorted(package["name"] for package in self.public())
        first = _whole(sent, "offset", 0)
        return names[first : first + _whole(sent, "limit", len(names))]

    def do_organization_list(self, sent: Package) -> object:
        return _listed(self.organisations(), sent)

    def do_organization_show(self, sent: Package) -> object:
        return _one(self.organisations(), sent)

    def organisations(self) -> list[Package]:
        return _counted(package["organization"] for package in self.public() if package.get("organization"))

    def do_group_list(self, sent: Package) -> object:
        return _listed(_counted(group for package in self.public() for group in package.get("groups", ())), sent)

    def do_tag_list(self, sent: Package) -> object:
        return sorted({tag["name"] for package in self.public() for tag in package.get("tags", ())})

    def do_status_show(self, sent: Package) -> object:
        return {"ckan_version": self.version, "site_url": self.url, "site_title": "CKAN", "extensions": []}


class CkanError(Exception):
    def __init__(self, status: int, kind: str, **said: object) -> None:
        self.status, self.said = status, {"__type": kind, **said}


class ServerDown(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


def _json(status: int, said: object) -> Reply:
    return Reply(status, {"Content-Type": "application/json;charset=utf-8"}, json.dumps(said).encode())


def _whole(sent: Package, name: str, default: int) -> int:
    value = str(sent.get(name, default))
    if not value.isdecimal():
        raise CkanError(409, "Validation Error", **{name: ["Invalid integer"]})
    return int(value)


def _one(things: list[Package], sent: Package) -> Package:
    if not sent.get("id"):
        raise CkanError(409, "Validation Error", id=["Missing value"])
    thing = next((thing for thing in things if sent["id"] in (thing.get("id"), thing["name"])), None)
    if thing is None or thing.get("state") == "deleted":
        raise CkanError(404, "Not Found Error", message="Not found")
    if thing.get("private"):
        raise CkanError(403, "Authorization Error", message="Access denied: User not authorized to read package")
    return thing


def _counted(things: Iterator[Package]) -> list[Package]:
    found: dict[str, Package] = {}
    for thing in things:
        held = found.setdefault(thing["name"], {**thing, "package_count": 0})
        held["package_count"] += 1
    return [found[name] for name in sorted(found)]


def _listed(things: list[Package], sent: Package) -> list[Any]:
    in_full = str(sent.get("all_fields", "")).lower() in ("true", "1", "yes")
    return things if in_full else [thing["name"] for thing in things]


def _sorted(packages: list[Package], order: str) -> list[Package]:
    for part in reversed(order.split(",")):
        name, _, way = part.strip().partition(" ")
        if name not in ("score", "id", "name", "title", "title_string", "metadata_modified", "metadata_created"):
            raise CkanError(400, "Search Query Error", message=f"Search Query is invalid: Unknown sort field {name!r}")
        key = name.removesuffix("_string")
        packages = sorted(packages, key=lambda p: str(p.get(key) or ""), reverse=way.strip() == "desc")
    return packages


CLAUSE = re.compile(r'([+-]?)(?:(\w+|\*):)?([\[{][^\]}]*[\]}]|"[^"]*"|\S+)')
FIELDS: dict[str, Callable[[Package], list[Any]]] = {
    "*": lambda p: [""],
    "organization": lambda p: [(p.get("organization") or {}).get("name")],
    "groups": lambda p: [group["name"] for group in p.get("groups", ())],
    "tags": lambda p: [tag["name"] for tag in p.get("tags", ())],
    "res_format": lambda p: [resource.get("format") for resource in p.get("resources", ())],
    "dataset_type": lambda p: [p.get("type", "dataset")],
    "": lambda p: re.findall(r"\w+", f"{p.get('title')} {p.get('name')} {p.get('notes')}".lower()) + FIELDS["tags"](p),
}


def _clauses(query: str) -> list[Callable[[Package], bool]]:
    """The part of Solr's language that harvesters use: words, field:value, -field:value, field:[a TO b], {a TO *]."""
    found = CLAUSE.findall(re.sub(r"\bAND\b|\bNOT\s+", lambda m: "-" if m[0].startswith("NOT") else " ", query))
    return [_clause(sign, field, value) for sign, field, value in found]


def _clause(sign: str, field: str, value: str) -> Callable[[Package], bool]:
    read: Callable[[Package], list[Any]] = FIELDS.get(field) or (lambda package: [package.get(field)])
    bounds = re.fullmatch(r"([\[{])\s*(\S+) TO (\S+?)\s*([\]}])", value)
    wanted = value.strip('"')

    def holds(said: str) -> bool:
        if not bounds:
            return wanted == "*" or said == (wanted if field else wanted.lower())
        low, high = bounds[2].strip('"').rstrip("Z"), bounds[3].strip('"').rstrip("Z")
        above = low == "*" or said > low or (said == low and bounds[1] == "[")
        return above and (high == "*" or said < high or (said == high and bounds[4] == "]"))

    return lambda package: any(holds(str(v)) for v in read(package) if v is not None) != (sign == "-")


def numbered_packages(number: int, **said: object) -> list[Package]:
    """So many small packages, pkg-0000 and on, one changed each minute."""
    return [
        {
            "id": f"id-{n:05d}",
            "name": f"pkg-{n:05d}",
            "title": f"Package {n}",
            "notes": "",
            "type": "dataset",
            "state": "active",
            "private": False,
            "metadata_created": "2024-01-01T00:00:00",
            "metadata_modified": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1735689600 + 60 * n)),
            "organization": {"id": f"org-{n % 3}", "name": f"org-{n % 3}", "title": f"Organisation {n % 3}"},
            "groups": [],
            "tags": [],
            "resources": [],
            "extras": [],
            **said,
        }
        for n in range(number)
    ]
