"""Sockets that go only to the address that was checked, and never wait longer than the request may last."""

from __future__ import annotations

import io
import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from catalogue.http.limits import Limits
from catalogue.http.words import refuse, shown

Resolve = Callable[[str, int], Sequence[str]]
Allowed = Callable[[str], bool]


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Every address that the name has now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(slots=True)
class Journey:
    """One request, with its redirects and repeats: where it set out for, what it may do, when it has to be back."""

    address: str
    limits: Limits
    allowed: Allowed
    resolve: Resolve
    run_ends: float
    began: float = field(default_factory=time.monotonic)
    paused: float = 0.0

    def left(self) -> float:
        """Seconds left. Raises SourceUnavailable when there are none."""
        run_left = self._run_left()
        left = self.began + self.limits.total + self.paused - time.monotonic()
        if left < ALL_BUT_OVER:
            fix = "Ask its owner why it is so slow, or for smaller pages; the next run tries again."
            refuse(f"{shown(self.address)} had not finished after {self.limits.total:g} seconds.", fix, self.address)
        return min(left, run_left)

    def pause(self, seconds: float) -> None:
        """Wait out of courtesy. That is not the source's slowness, so it costs the run time but not the request."""
        self._run_left(seconds)
        time.sleep(seconds)
        self.paused += seconds

    def _run_left(self, wanted: float = 0.0) -> float:
        left = self.run_ends - time.monotonic()
        if left - wanted < ALL_BUT_OVER:
            run = self.limits.run
            lasts = f"{run / 60:g} minutes" if run >= 60 else f"{run:g} seconds"
            said = f"{shown(self.address)} was not read to its end: a run may last {lasts}, and they are over."
            fix = "What came before is kept. If the source needs longer, raise FEDCAT_MAX_RUN_MINUTES."
            refuse(said, fix, self.address, "run-deadline")
        return left


ALL_BUT_OVER = 0.01  # seconds; a socket that is given less would fail for a reason of its own


# Sockets are made deep inside the library, on behalf of whatever request is under way. Without one there is no way out.
UNDER_WAY: ContextVar[Journey] = ContextVar("under_way")


class Wire(io.RawIOBase):
    """What a socket sends. One byte a second does not get round the total: the clock is read for every byte."""

    def __init__(self, sock: socket.socket, journey: Journey) -> None:
        self._sock, self._journey = sock, journey
        self.ended = False
        self._plain = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._journey.limits.read, self._journey.left()))
        try:
            count = self._plain.readinto(buffer)
        except TimeoutError:
            self._journey.left()  # says so when it is the whole that took too long
            raise
        self.ended = self.ended or count == 0
        return count

    def close(self) -> None:
        self._plain.close()
        super().close()


class TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self._wire = Wire(sock, UNDER_WAY.get())
        self.fp = io.BufferedReader(self._wire)

    def begin(self) -> None:
        """The library takes the end of the connection for the end of the headers: the answer would seem to be empty."""
        super().begin()
        if self._wire.ended:
            raise RemoteDisconnected("the answer ended before its headers did")


class CheckedConnection(HTTPConnection):
    """Connects to the very address that was checked: asked again, the name server might give another."""

    response_class = TimedResponse

    def _new_conn(self) -> socket.socket:
        journey, name = UNDER_WAY.get(), self._dns_host
        trouble: Exception = NewConnectionError(self, f"{name} has no address")
        for address in permitted(self, journey):
            self.timeout = min(journey.limits.connect, journey.left())
            self._dns_host = address
            try:
                return super()._new_conn()
            except (NewConnectionError, ConnectTimeoutError) as error:
                trouble = error
            finally:
                self._dns_host = name  # the certificate has to be that of the name
        raise trouble


class CheckedSecureConnection(CheckedConnection, HTTPSConnection):
    """The same under TLS."""


class CheckedPool(HTTPConnectionPool):
    ConnectionCls = CheckedConnection


class CheckedSecurePool(HTTPSConnectionPool):
    ConnectionCls = CheckedSecureConnection


POOLS = {"http": CheckedPool, "https": CheckedSecurePool}


def permitted(connection: HTTPConnection, journey: Journey) -> Sequence[str]:
    """The addresses of the connection's host that we may go to."""
    host, port = connection._dns_host, connection.port
    try:
        found = journey.resolve(host, port)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:  # the name server did not answer; it may yet
            raise NameResolutionError(host, connection, error) from error
        refuse(f"There is no host called '{host}'.", "Check the spelling of the address.", journey.address)
    allowed = [address for address in found if journey.allowed(address)]
    if found and not allowed:
        fix = (
            "Give the source's public address; or, for one in your own network, set FEDCAT_ALLOW_PRIVATE_SOURCES=1. "
            "Link-local addresses are never asked."
        )
        said = f"'{host}' is at {found[0]}, which is not a public address, so it is not asked."
        refuse(said, fix, journey.address, "address-not-allowed")
    return allowed


NAT64 = ipaddress.ip_network("64:ff9b::/96")
UNICAST = ipaddress.ip_network("2000::/3")  # of IPv6, no more than this is given out
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    ip = _meant(address)
    return ip.is_global and not ip.is_private and not ip.is_multicast and (ip.version == 4 or ip in UNICAST)


def is_public_or_private(address: str) -> bool:
    """Link-local ones are never meant: there, clouds hand the keys of a machine to whoever asks from it."""
    ip = _meant(address)
    return ip.is_loopback or not (ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved)


def _meant(address: str) -> Address:
    """An IPv4 address can travel inside an IPv6 one: then that one counts."""
    ip = ipaddress.ip_address(address)
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    inside = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or inside or ip
