"""What goes wrong on the network, in plain words: what, where, and how to mend it."""

from __future__ import annotations

import gzip
import re
import ssl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException
from typing import NoReturn

import requests
from urllib3 import exceptions as library

from catalogue.errors import SourceUnavailable
from catalogue.http.limits import Limits


@contextmanager
def in_plain_words(url: str, limits: Limits) -> Iterator[None]:
    """Whatever the libraries below may raise comes out as SourceUnavailable."""
    try:
        yield
    except LOWER as error:
        sentence, fix = next((sentence, fix) for kinds, sentence, fix in WORDS if isinstance(error, kinds))
        host = (shown(url).split("/")[2:3] or [shown(url)])[0]
        said = sentence.format(url=shown(url), host=host, limits=limits, why=_why(error))
        raise SourceUnavailable(said, fix=fix, address=shown(url)) from error


LOWER = (requests.RequestException, library.HTTPError, HTTPException, OSError, EOFError, zlib.error, ValueError)
WORDS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (  # the first that fits
    (
        (requests.TooManyRedirects,),
        "{url} leads on from address to address, more than {limits.redirects} times.",
        "Open it in a browser and give the address where it ends. Some sites go round in circles for want of cookies.",
    ),
    (
        (requests.exceptions.SSLError, library.SSLError, ssl.SSLError),
        "{host} could not prove that it is {host}: {why}.",
        "Ask its owner to renew its certificate or to send the whole chain.",
    ),
    (
        (requests.exceptions.ContentDecodingError, library.DecodeError, gzip.BadGzipFile, zlib.error),
        "{url} sent a packed answer that cannot be unpacked: {why}.",
        "Ask its owner to check how the server compresses its answers.",
    ),
    (
        (requests.ReadTimeout, library.ReadTimeoutError),
        "{host} fell silent for more than {limits.read:g} seconds.",
        "Try again later; if it lasts, ask its owner for smaller pages.",
    ),
    (
        (requests.Timeout, TimeoutError),
        "{host} did not take up the connection within {limits.connect:g} seconds.",
        "Check that the address is right and can be reached from here.",
    ),
    (
        (requests.exceptions.ChunkedEncodingError, library.ProtocolError, HTTPException, EOFError),
        "{url} broke off before the whole answer had come.",
        "Try again later; if it lasts, tell its owner that the answer is cut short.",
    ),
    (
        (ValueError,),
        "'{url}' cannot be asked: {why}.",
        "Check the address for missing or forbidden characters.",
    ),
    (
        LOWER,
        "The connection to {host} failed: {why}.",
        "Check the address, and whether its server is up.",
    ),
)


def _why(error: BaseException) -> str:
    """The first cause, in the words of whoever noticed it."""
    for cause in (getattr(error, "reason", None), *reversed(error.args), error.__cause__):
        if isinstance(cause, Exception):
            return _why(cause)
    said = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
    return " ".join(str(said).split()).rstrip(".")[:300]  # a server's own words may be many


ADVICE = {
    304: "Nothing was asked that this could answer: ask its owner to see to the cache in front of the server.",
    401: "It wants a key or a login: ask its owner for a key, or for open access.",
    403: "It does not let us in: ask its owner for permission or a key.",
    404: "The address has changed: look for the new one on the owner's site and change the source.",
    406: "It does not have the form we asked for: give the address of one that it has.",
    410: "Its owner took it away for good: ask what replaced it, or remove the source.",
    429: "It wants fewer requests: harvest it less often, or ask its owner for a higher limit.",
}
THEIRS = "The fault is on their side: try again later; if it lasts, tell its owner."
OURS = "Open the address in a browser to see what it says, then correct the source or ask its owner."


def refuse_status(url: str, status: int, retry_after: float | None) -> NoReturn:
    known = {known.value: known.phrase for known in HTTPStatus}
    later = f" It asks us to stay away for {retry_after:.0f} s." if retry_after else ""
    fix = ADVICE.get(status) or (THEIRS if status >= 500 else OURS)
    said = f"{shown(url)} answered {status} ({known.get(status, 'not a standard status')}).{later}"
    refuse(said, fix, url, retry_after=retry_after)


def refuse(
    sentence: str, fix: str, url: str, rule: str = "source-unavailable", retry_after: float | None = None
) -> NoReturn:
    raise SourceUnavailable(sentence, fix=fix, address=shown(url), rule=rule, retry_after=retry_after)


PASSWORD = r"(//)[^/?#]*(?=@)"  # noqa: S105 - where one would stand
KEY = r"([?&;][\w.-]*(?:key|token|secret|password|sig|signature)=)[^&;#]+"
SECRETS = re.compile(f"{PASSWORD}|{KEY}", re.IGNORECASE)


def shown(url: str) -> str:
    """The address as everyone may see it, for run pages are public."""
    return SECRETS.sub(r"\1\2…", url)[:500]
