"""A server on the loopback address with one fault of your choice: everything that can go wrong on the way to a source."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import Self


class Hostile:
    """A server with one fault, by its name in FAULTS. `requests` counts what it was asked."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        if self.kind != "refuse":  # bound, so that nobody else takes the port, but not listening
            self._socket.listen(16)
            threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._socket.close()

    def _accept(self) -> None:
        self._socket.settimeout(0.05)
        while not self.over.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    more = connection.recv(65536)
                    if not more:
                        return
                    head += more
                self.requests.append(head)
                for piece in FAULTS[self.kind](self):
                    if self.over.is_set():
                        return
                    connection.sendall(piece)
                if self.kind == "reset":  # without lingering the other side sees a reset, not an end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                return  # the client has had enough, as it should


def _head(status: int = 200, *headers: str, type: str = "text/turtle") -> bytes:
    lines = (f"HTTP/1.1 {status} Said", f"Content-Type: {type}", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode()


def _said(status: int, body: bytes, *headers: str, type: str = "text/turtle") -> tuple[bytes, bytes]:
    return _head(status, f"Content-Length: {len(body)}", *headers, type=type), body


def _slowly(server: Hostile, head: bytes, piece: bytes) -> Iterator[bytes]:
    yield head
    while not server.over.wait(0.05):
        yield piece


def _silence(server: Hostile, *before: bytes) -> Iterator[bytes]:
    yield from before
    server.over.wait()


def _in_turn(server: Hostile, *answers: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return answers[min(len(server.requests), len(answers)) - 1]


CHUNKED = "Transfer-Encoding: chunked"
ZEROS = bytes(1 << 16)
BOMB = gzip.compress(bytes(1 << 24))  # 16 KB that become 16 MB
TURTLE = b"<https://example.org/a> <https://example.org/b> <https://example.org/c> .\n"
LOGIN = b"<!DOCTYPE html><html><title>Sign in</title><form action='/login'><input type='password'></form></html>"
FAULTS: dict[str, Callable[[Hostile], Iterator[bytes] | Sequence[bytes]]] = {
    "refuse": lambda s: (),
    "silent": lambda s: _silence(s),
    "silent-midway": lambda s: _silence(s, _head(200, "Content-Length: 1000"), TURTLE),
    "closes": lambda s: (),
    "not-http": lambda s: (b"220 mail.example ESMTP ready\r\n\r\n",),
    "drip-body": lambda s: _slowly(s, _head(200, "Content-Length: 100000"), b"#"),
    "drip-headers": lambda s: _slowly(s, b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "drip-status": lambda s: _slowly(s, b"HTTP/1.1 200 ", b"O"),
    "continue-for-ever": lambda s: _slowly(s, b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-headers": lambda s: (b"HTTP/1.1 200 OK\r\n", *(b"X-%d: y\r\n" % n for n in range(5000))),
    "truncated": lambda s: (_head(200, "Content-Length: 1000"), TURTLE),
    "truncated-once": lambda s: (
        (_head(200, "Content-Length: 1000"), TURTLE) if len(s.requests) == 1 else _said(200, TURTLE)
    ),
    "truncated-chunks": lambda s: (_head(200, CHUNKED), b"1000\r\n", TURTLE),
    "missing-last-chunk": lambda s: (_head(200, CHUNKED), b"%x\r\n" % len(TURTLE), TURTLE, b"\r\n"),
    "bad-chunk": lambda s: (_head(200, CHUNKED), b"banana\r\n", TURTLE),
    "endless-chunk-size": lambda s: chain([_head(200, CHUNKED)], repeat(b"0" * (1 << 16))),
    "truncated-gzip": lambda s: _said(200, gzip.compress(ZEROS)[:-20], "Content-Encoding: gzip"),
    "not-gzip": lambda s: _said(200, TURTLE, "Content-Encoding: gzip"),
    "broken-gzip": lambda s: _said(200, gzip.compress(TURTLE)[:10] + b"\xff" * 40, "Content-Encoding: gzip"),
    "unasked-packing": lambda s: _said(200, TURTLE, "Content-Encoding: br"),
    "short-length": lambda s: (_head(200, f"Content-Length: {len(TURTLE)}"), TURTLE * 20),
    "long-length": lambda s: _silence(s, _head(200, f"Content-Length: {len(TURTLE) + 1}"), TURTLE),
    "odd-length": lambda s: (_head(200, "Content-Length: banana"), TURTLE),
    "reset": lambda s: (_head(200, "Content-Length: 100000"), TURTLE),
    "claims-10-gb": lambda s: (_head(200, "Content-Length: 10737418240"), *repeat(ZEROS, 4)),
    "endless": lambda s: chain([_head(200)], repeat(ZEROS)),
    "endless-error": lambda s: chain([_head(404)], repeat(ZEROS)),
    "gzip-bomb": lambda s: chain([_head(200, "Content-Encoding: gzip")], repeat(BOMB)),
    "redirect-loop": lambda s: _said(302, b"", "Location: /"),
    "redirect-chain": lambda s: _said(302, b"", f"Location: /{len(s.requests)}"),
    "redirect-endless-body": lambda s: chain([_head(302, "Location: /next")], repeat(ZEROS)),
    "redirect-to-private": lambda s: _said(302, b"", "Location: http://10.255.255.1/catalogue.ttl"),
    "redirect-to-loopback": lambda s: _said(302, b"", "Location: http://127.0.0.2:1/catalogue.ttl"),
    "redirect-to-link-local": lambda s: _said(302, b"", "Location: http://169.254.7.7/catalogue.ttl"),
    "redirect-to-file": lambda s: _said(302, b"", "Location: file:///etc/passwd"),
    "redirect-with-password": lambda s: _said(302, b"", "Location: http://user:secret@127.0.0.1/"),
    "html": lambda s: _said(200, b"<!DOCTYPE html><html><h1>Our data</h1></html>", type="text/html"),
    "login": lambda s: _said(200, LOGIN, type="text/html; charset=utf-8"),
    "empty": lambda s: _said(200, b""),
    "broken-utf8": lambda s: _said(200, b"# Caf\xe9\n" + TURTLE, type="text/turtle; charset=utf-8"),
    "busy-once": lambda s: _in_turn(s, _said(429, b"", "Retry-After: 1"), _said(200, TURTLE)),
    "busy-for-hours": lambda s: _said(429, b"", "Retry-After: 7200"),
    "down-twice": lambda s: _in_turn(s, _said(503, b""), _said(503, b""), _said(200, TURTLE)),
    "down": lambda s: _said(500, b"<html>Internal Server Error</html>", type="text/html"),
}
