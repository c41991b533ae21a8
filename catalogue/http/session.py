"""A requests session with manners: each hop is looked at, repeats and pauses are bounded, bodies capped, no cookies."""

from __future__ import annotations

import gzip
import itertools
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as library

from catalogue.errors import SourceUnavailable
from catalogue.http.limits import MB, Limits
from catalogue.http.response import Body, BodyReader
from catalogue.http.robots import crawl_delay
from catalogue.http.wire import POOLS, UNDER_WAY, Allowed, Journey, Resolve, addresses_of
from catalogue.http.words import in_plain_words, refuse, refuse_status, shown

CHUNK = 1 << 16
ERROR_PAGE = MB  # of an answer that is no success, no more than this is read
ROBOTS = MB // 2  # the largest robots.txt


class Session(requests.Session):
    """For libraries that want a session, such as `ckanapi.RemoteCKAN(url, session=client.session)`.

    No cookies; no proxies, passwords or certificates from the environment. 429 and 5xx end in SourceUnavailable; other
    statuses are left to the library, which knows what its service means by them.

    Whoever comes back to a host first asks its robots.txt how long to wait between requests. Only that `Crawl-delay` is
    honoured, and not `Disallow`, which is meant for those who follow links: a source was set up with its owner's consent.
    """

    def __init__(self, limits: Limits, agent: str, allowed: Allowed, resolve: Resolve = addresses_of) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = limits.redirects
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.update({"User-Agent": agent, "Accept-Encoding": "gzip"})
        self.adapter = Adapter(limits)
        self.mount("http://", self.adapter)
        self.mount("https://", self.adapter)
        self._limits, self._agent, self._allowed, self._resolve = limits, agent, allowed, resolve
        self.begin()

    def begin(self) -> None:
        """A run begins now: its time is counted from here."""
        self._run_ends = time.monotonic() + self._limits.run

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        answer = self.fetch(method, url, *args, **kwargs)
        if answer.status_code == 429 or answer.status_code >= 500:
            refuse_status(answer.url, answer.status_code, retry_after(answer.headers))
        return answer

    def fetch(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer, whatever its status."""
        address = url if isinstance(url, str) else url.decode("ascii", "replace")
        with self._journey(address), in_plain_words(address, self._limits):
            check(address)
            return super().request(method, url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """One hop: redirects come back through here."""
        address = request.url or ""
        with self._journey(address), in_plain_words(address, self._limits):
            check(address)
            self._learn_pause(address, UNDER_WAY.get())
            return super().send(request, **kwargs)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Before a redirect is followed. Keys are for the host they were given to: another gets none of them."""
        check(prepared_request.url or "", led_by=response.url)
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            for name in [name for name in prepared_request.headers if name.lower() not in CARRIED]:
                del prepared_request.headers[name]

    @contextmanager
    def _journey(self, address: str) -> Iterator[None]:
        if UNDER_WAY.get(None):
            yield
            return
        token = UNDER_WAY.set(Journey(address, self._limits, self._allowed, self._resolve, self._run_ends))
        try:
            yield
        finally:
            UNDER_WAY.reset(token)

    def _learn_pause(self, address: str, journey: Journey) -> None:
        """Asked before the second request to a host, as there is no pause before the first."""
        place, began = urlsplit(address), time.monotonic()
        if self._limits.crawl_delay and self.adapter.should_learn(place.netloc, journey):
            robots = f"{place.scheme}://{place.netloc}/robots.txt"
            wish = Context().run(self._wished, robots)  # a journey of its own, with repeats and a deadline of its own
            self.adapter.pauses[place.netloc] = min(wish, self._limits.crawl_delay)
            journey.paused += time.monotonic() - began

    def _wished(self, robots: str) -> float:
        """Seconds between requests. Nobody has to have a robots.txt, so whatever is wrong with one says nothing."""
        ours = self._limits
        total = min(ours.total, ours.glance, max(0.0, self._run_ends - time.monotonic()))
        limits = replace(ours, total=total, body=min(ours.body, ROBOTS), retries=0, crawl_delay=0)
        with Session(limits, self._agent, self._allowed, self._resolve) as session:
            session.verify = self.verify
            try:
                answer = session.fetch("GET", robots)
            except SourceUnavailable:
                return 0.0
            text = answer.content.decode("utf-8", "replace") if is_success(answer.status_code) else ""
            return crawl_delay(text, self._agent)


CONDITIONAL = {"if-none-match", "if-modified-since"}
CARRIED = {"accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent"} | CONDITIONAL


def check(url: str, led_by: str = "") -> None:
    parts, led = urlsplit(url), f"{shown(led_by)} leads on, but " if led_by else ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        fix = "Give an address that begins with https:// or http://. Files are read from a web server only."
        refuse(f"{led}'{shown(url)}' is not a web address.", fix, led_by or url, "address-not-allowed")
    if "@" in parts.netloc:
        fix = "Take the user name and password out of the address; ask its owner for open access or a key."
        refuse(f"{led}'{shown(url)}' has a user name or password in it.", fix, led_by or url, "address-not-allowed")


class Adapter(HTTPAdapter):
    """Asks until there is an answer or no point in asking again. The answer has been read to its end."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.poolmanager.pool_classes_by_scheme = POOLS
        self.limits = limits
        self.requests = 0
        self.pauses: dict[str, float] = {}
        self._asked: dict[str, float] = {}

    def should_learn(self, host: str, journey: Journey) -> bool:
        """Whether an earlier journey led to this host, and its wishes are not known yet."""
        return host not in self.pauses and self._asked.get(host, journey.began) < journey.began

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ARG002 - the limits say
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,  # noqa: ARG002 - a proxy would look names up itself, past every check
    ) -> requests.Response:
        journey = UNDER_WAY.get()
        most = self.limits.body if stream else min(self.limits.body, self.limits.memory)
        for tries in itertools.count():
            outcome = self._attempt(request, most, verify, cert, journey)
            wait = self._wait(request, outcome, tries)
            if wait is None or wait >= journey.left():
                break
            time.sleep(wait)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _attempt(
        self, request: requests.PreparedRequest, most: int, verify: bool | str, cert: Any, journey: Journey
    ) -> requests.Response | Exception:
        self._take_turn(urlsplit(request.url or "").netloc, journey)
        left = journey.left()
        self.requests += 1
        timeout = (min(self.limits.connect, left), min(self.limits.read, left))
        try:
            return read_whole(super().send(request, True, timeout, verify, cert), most, journey)
        except PASSING as error:
            return error

    def _take_turn(self, host: str, journey: Journey) -> None:
        pause = max(self.limits.pause, self.pauses.get(host, 0.0))
        wait = self._asked.get(host, -pause) + pause - time.monotonic()
        if wait > 0:
            journey.pause(wait)
        self._asked[host] = time.monotonic()

    def _wait(
        self, request: requests.PreparedRequest, outcome: requests.Response | Exception, tries: int
    ) -> float | None:
        """Seconds before asking again; None when there is no point in it."""
        safe = request.method in ("GET", "HEAD", "OPTIONS")
        if tries >= self.limits.retries or not may_pass(outcome, safe):
            return None
        asked = retry_after(outcome.headers) if isinstance(outcome, requests.Response) else None
        if asked is not None and asked > self.limits.patience:
            return None
        spread: float = random.uniform(0.5, 1)  # noqa: S311 - so that many clients do not come back together
        return max(asked or 0.0, spread * min(self.limits.patience, self.limits.backoff * 2.0**tries))


PASSING = (requests.ConnectionError, requests.Timeout, library.ProtocolError, library.TimeoutError, EOFError)
BUSY = {429, 502, 503, 504}
NEVER_MENDS = {501, 505}


def may_pass(outcome: requests.Response | Exception, safe: bool) -> bool:
    """Whether asking again may help, and cannot do a thing twice: what is not safe may have been done already."""
    if isinstance(outcome, requests.Response):
        status = outcome.status_code
        return status in BUSY or (safe and status >= 500 and status not in NEVER_MENDS)
    if isinstance(outcome, requests.exceptions.SSLError):
        return False
    reason = getattr(outcome.args[0], "reason", None) if outcome.args else None
    return safe or isinstance(outcome, requests.ConnectTimeout) or isinstance(reason, library.NewConnectionError)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the source asks us to stay away, given as a number or as a date."""
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def read_whole(answer: requests.Response, most: int, journey: Journey) -> requests.Response:
    """The answer with its body taken from the network: at most so many bytes, counted unpacked."""
    body, success = Body(), is_success(answer.status_code)
    with closing(answer):
        if success and (answer.raw.length_remaining or 0) > most:
            too_large(answer.url, most)
        read = unpacked(answer)
        while chunk := read(CHUNK):
            journey.left()
            if body.size + len(chunk) > (most if success else ERROR_PAGE):
                if success:
                    too_large(answer.url, most)
                break
            body.write(chunk)
    answer.raw = BodyReader(body)
    return answer


def is_success(status: int) -> bool:
    return 200 <= status < 300


def unpacked(answer: requests.Response) -> Callable[[int], bytes]:
    """Reads the body unpacked. Only gzip is asked for: its reader notices an end that comes too soon."""
    packing = answer.headers.get("Content-Encoding", "").strip().lower() if answer.status_code != 304 else ""
    if packing in ("gzip", "x-gzip"):
        return gzip.GzipFile(fileobj=answer.raw, mode="rb").read
    if packing in ("br", "zstd", "compress", "x-compress") or "," in packing:
        fix = "Ask its owner to send gzip, or nothing packed, to those who ask for gzip."
        refuse(f"{shown(answer.url)} packs its answer as '{packing}', which was not asked for.", fix, answer.url)
    return lambda amount: cast(bytes, answer.raw.read(amount, decode_content=packing == "deflate"))


def too_large(url: str, most: int) -> NoReturn:
    size = f"{most / MB:g} MB" if most >= MB else f"{most} bytes"
    fix = "Ask its owner for pages or smaller files, and give the address of those."
    refuse(f"{shown(url)} is larger than {size}, the most that is taken.", fix, url, "answer-too-large")
