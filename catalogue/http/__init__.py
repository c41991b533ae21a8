"""The one polite way out: deadlines, bounded repeats and a size cap on every request, and public addresses only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import TracebackType
from typing import cast

from catalogue.http.limits import Limits
from catalogue.http.response import BodyReader, Response, looks_like_html
from catalogue.http.session import Session, is_success, retry_after
from catalogue.http.wire import Resolve, addresses_of, is_public, is_public_or_private
from catalogue.http.words import refuse_status

__all__ = ["AGENT", "Client", "Limits", "Response", "Session", "looks_like_html"]

AGENT = "fedcat (a catalogue of dataset descriptions)"
LIMITS = Limits()


class Client:
    """What a harvester goes out with. Whatever goes wrong is a SourceUnavailable: what, where and how to mend it."""

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
        """How many requests were made, redirects and repeats included."""
        return self.session.adapter.requests

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        accept: str = "*/*",
        headers: Mapping[str, str] | None = None,
        allow: Collection[int] = (),
    ) -> Response:
        """The whole answer. A status outside 2xx is an error, except those that the caller allows."""
        sent = {"Accept": accept, **(headers or {})}
        answer = self.session.fetch("GET", url, params=params, headers=sent, stream=True)
        if not is_success(answer.status_code) and answer.status_code not in allow:
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
