"""The made-up catalogue on a loopback address, in a process of its own: what it costs to serve is not ours."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LOOPBACK = "127.0.0.1"
ROWS_CAP = 1000
PLAIN, TAGGED, REVISED = "/catalog.ttl", "/tagged.ttl", "/revised.ttl"
"""The same pages: as they are, with ETags, and with one dataset in a hundred changed."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve what `corpus.write` left in a folder while the block runs; gives the address."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(folder, theirs), daemon=True)
    process.start()
    try:
        yield f"http://{LOOPBACK}:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, told: Connection) -> None:
    server = Portal((LOOPBACK, 0), Handler)
    server.folder = folder
    server.places = _places(folder / "packages.jsonl")
    told.send(server.server_port)
    server.serve_forever()


def _places(path: Path) -> list[int]:
    """Where each line begins, and where the last ends."""
    places = [0]
    with path.open("rb") as lines:
        for line in lines:
            places.append(places[-1] + len(line))
    return places


class Portal(ThreadingHTTPServer):
    """Holds where the packages are, and reads them from disk when they are asked for."""

    daemon_threads = True
    folder: Path
    places: list[int]

    def answer(self, target: str) -> tuple[str, bytes]:
        asked = urlsplit(target)
        said = dict(parse_qsl(asked.query))
        if asked.path.endswith("/package_search"):
            return "application/json;charset=utf-8", self.packages(int(said["start"]), int(said["rows"]))
        page = (self.folder / f"page-{int(said.get('page', 1))}.ttl").read_bytes()
        return "text/turtle", revised(page) if asked.path == REVISED else page

    def packages(self, start: int, rows: int) -> bytes:
        """One page in CKAN's envelope."""
        count = len(self.places) - 1
        end = min(start + min(rows, ROWS_CAP), count)
        with (self.folder / "packages.jsonl").open("rb") as lines:
            lines.seek(self.places[min(start, end)])
            found = lines.read(self.places[end] - self.places[min(start, end)])
        head = json.dumps({"success": True, "result": {"count": count, "results": []}})
        return head[:-3].encode() + found.strip().replace(b"\n", b",") + b"]}}"


def revised(page: bytes) -> bytes:
    """A page on which the first of its datasets, one in a hundred, says something new."""
    first = re.search(rb"<([^>]+)> a dcat:Dataset", page)
    assert first is not None
    return page + b'<%s> dcat:keyword "revised" .\n' % first[1]


class Handler(BaseHTTPRequestHandler):
    """Answers GET. Pages below TAGGED have an ETag, and are not sent again to those who hold them; others are sent whole."""

    server: Portal
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        try:
            media_type, body = self.server.answer(self.path)
        except FileNotFoundError:
            self.send_error(404)
            return
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"' if urlsplit(self.path).path == TAGGED else ""
        held = bool(tag) and self.headers.get("If-None-Match") == tag
        body = b"" if held else body
        self.send_response(304 if held else 200)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
