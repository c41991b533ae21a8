"""The one polite way out: deadlines, bounded repeats and a size cap on every request, and public addresses only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib.metadata import version
from types import TracebackType
from typing import cast
from urllib.parse import quote

from catalogue.http.limits import Limits
from catalogue.http.response import BodyReader, Response, looks_like_html
from catalogue.http.session import CONDITIONAL, Session, is_success, retry_after
from catalogue.http.wire import Resolve, addresses_of, is_public, is_public_or_private
from catalogue.http.words import refuse_status

__all__ = ["AGENT", "Client", "Limits", "Response", "Session", "agent_of", "looks_like_html"]


def agent_of(base_url: str) -> str:
    """Who we say we are: name, version, and the address of the catalogue, where its owners can be found."""
    return f"{AGENT} (+{quote(base_url, safe=':/[]%')})"


AGENT = f"fedcat/{version('fedcat')}"
LIMITS = Limits()


class Client:
    """What a harvester goes out with. Whatever goes wrong is a SourceUnavailable: what, where and how to mend it.

    It makes one request at a time and is for one run: that a source never gets two at once from a run needs no counting.
    A client is not to be shared between threads. Its time (`Limits.run`) begins with it, or with `begin`.
    """

    def __init__(
        self,
        limits: Limits = LIMITS,
        *,
        allow_private: bool = False,
        agent: str = AGENT,
        resolve: Resolve = addresses_of,
    ) -> None:
        self.limits = limits
        self.agent = agent
        self.session = Session(limits, agent, is_public_or_private if allow_private else is_public, resolve)

    @property
    def requests(self) -> int:
        """How many requests were made, redirects and repeats included, and those for robots.txt not."""
        return self.session.adapter.requests

    def begin(self) -> None:
        """A run begins now: its time is counted from here."""
        self.session.begin()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
        etag: str = "",
        last_modified: str = "",
    ) -> Response:
        """The whole answer. A status outside 2xx is an error, except those that the caller allows.

        Told the `etag` and `last_modified` of an earlier answer, a source may say that it is `unchanged`.
        """
        known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        sent = {"Accept": accept, **{name: value for name, value in known.items() if value}, **(headers or {})}
        allowed = {*allow, *({304} if any(name.lower() in CONDITIONAL for name in sent) else ())}
        answer = self.session.fetch("GET", url, params=params, headers=sent, stream=True)
        if not is_success(answer.status_code) and answer.status_code not in allowed:
            refuse_status(answer.url, answer.status_code, retry_after(answer.headers))
        return Response(answer.url, answer.status_code, answer.headers, cast(BodyReader, answer.raw).body)

    def close(self) -> None:
        self.session.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
