"""A large catalogue in pages, told apart by their ETags, that counts what it is asked for; also as a process of its own.

`python feed_server.py COUNT SIZE [no-etags]` prints its address and, for every line that it is sent, its counts as JSON.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE, Popen
from urllib.parse import parse_qsl, urlsplit

HEAD = """\
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
DATASET = """
<{base}/lock/{n}> a dcat:Dataset ;
    dct:title "Lock gates of canal {n}"@en ;
    dct:description "How wide the gates of canal {n} are, and in which year each was last mended."@en ;
    dct:publisher [ a foaf:Agent ; foaf:name "Canal office {office}" ] ;
    dcat:keyword "canal"@en, "lock {keyword}"@en ;
    dct:modified "2026-01-{day:02}"^^xsd:date ;
    dct:license <http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/> ;
    dcat:distribution [ a dcat:Distribution ; dct:format "CSV" ; dcat:downloadURL <{base}/lock/{n}.csv> ] .
"""


@dataclass
class Feed:
    """So many datasets, so many on a page."""

    count: int
    size: int
    etags: bool = True
    base: str = "https://canals.example"
    """Under which the datasets have their addresses, wherever the feed is served."""
    asked: Counter[int] = field(default_factory=Counter)
    """How often each page was asked for."""

    @property
    def pages(self) -> int:
        return -(-self.count // self.size)

    def page(self, number: int, address: str) -> bytes:
        first, last = (number - 1) * self.size, min(self.count, number * self.size)
        next_ = f"<{address}?page={number}> hydra:next <{address}?page={number + 1}> .\n" if last < self.count else ""
        return (HEAD + next_ + "".join(self.dataset(n) for n in range(first, last))).encode()

    def dataset(self, n: int) -> str:
        return DATASET.format(base=self.base, n=n, office=n % 20, keyword=n % 50, day=n % 28 + 1)


def serve(feed: Feed) -> ThreadingHTTPServer:
    """A server of this feed on a free port, started."""
    made = lru_cache(maxsize=1000)(feed.page)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.path != "/catalogue":
                self.answer(404, b"", {})
                return
            number = int(dict(parse_qsl(asked.query)).get("page", "1"))
            feed.asked[number] += 1
            body = made(number, f"http://{self.headers['Host']}/catalogue")
            tag = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'} if feed.etags else {}
            if tag and self.headers.get("If-None-Match") == tag["ETag"]:
                self.answer(304, b"", tag)
            else:
                self.answer(200, body, {"Content-Type": "text/turtle; charset=utf-8", **tag})

        def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Patient(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever asked was killed meanwhile."""

    server = Patient(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def address_of(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}/catalogue"


@contextmanager
def served_apart(count: int, size: int, *, etags: bool = True) -> Iterator[Apart]:
    """A feed served by another process, so that its work is not counted with ours."""
    words = [sys.executable, __file__, str(count), str(size), *([] if etags else ["no-etags"])]
    with Popen(words, stdin=PIPE, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout
            yield Apart(process.stdout.readline().strip(), process)
        finally:
            process.kill()


@dataclass(frozen=True)
class Apart:
    url: str
    process: Popen[str]

    def asked(self) -> Counter[int]:
        """How often each page was asked for so far."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Counter({int(page): times for page, times in json.loads(self.process.stdout.readline()).items()})


def main(count: str, size: str, etags: str = "") -> None:
    feed = Feed(int(count), int(size), etags != "no-etags")
    print(address_of(serve(feed)), flush=True)
    for _ in sys.stdin:
        print(json.dumps(feed.asked), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
