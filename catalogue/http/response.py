"""An answer, read to its end: bytes that may be larger than memory should hold, and text in whatever encoding."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from requests.structures import CaseInsensitiveDict

HELD = 8 << 20  # bytes; a larger body goes to a temporary file
LONGEST_VALIDATOR = 1000  # characters; real ones have fewer than a hundred


@dataclass(frozen=True)
class Response:
    """`url` is where the answer came from after redirects; the names of headers know no case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: Body = field(repr=False)

    @classmethod
    def of(cls, content: bytes, content_type: str = "", *, url: str = "", status: int = 200) -> Response:
        """An answer that no server gave: a recorded one, or a test's."""
        body = Body()
        body.write(content)
        return cls(url, status, CaseInsensitiveDict({"Content-Type": content_type} if content_type else {}), body)

    @property
    def content_type(self) -> str:
        """The bare media type in lower case; "" when none was given."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """As its header says. None when it says nothing, or what many servers say of everything."""
        found = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", self.headers.get("Content-Type", ""), re.IGNORECASE)
        return found[1].lower() if found and found[1].lower() not in HARDLY_MEANT else None

    @property
    def unchanged(self) -> bool:
        """Whether the source says that what we have is what it has still. Then there is no body."""
        return self.status == 304

    @property
    def etag(self) -> str:
        """What to ask with next time; "" when the source gave none."""
        return self._validator("ETag")

    @property
    def last_modified(self) -> str:
        """What to ask with next time, as the source wrote it; "" when it gave none, or one so young that it may stand for two."""
        said = self._validator("Last-Modified")
        modified, now = _moment(said), _moment(self.headers.get("Date", ""))
        return "" if modified and now and now - modified < SETTLED else said

    def _validator(self, name: str) -> str:
        """One that could not be sent back as it came is none: it would spoil every request to come."""
        said = self.headers.get(name, "").strip()
        return said if said.isprintable() and len(said) <= LONGEST_VALIDATOR else ""

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits that change when the body does, however large it is."""
        with self.open() as whole:
            return hashlib.file_digest(whole, partial(hashlib.blake2b, digest_size=16)).hexdigest()  # type: ignore[arg-type]

    @property
    def content(self) -> bytes:
        return self.body.read(0, self.body.size)

    def open(self) -> BinaryIO:
        """A reader of its own, from the first byte."""
        return cast(BinaryIO, io.BufferedReader(BodyReader(self.body)))

    def text(self, default: str = "utf-8") -> str:
        """Read as its byte order mark, its header or its XML declaration says; where they are wrong, as it can be."""
        content = self.content
        for name in _encodings(content, self.charset, default):
            try:
                return content.decode(name)
            except (UnicodeError, LookupError):  # sources declare what is not true, and encodings that do not exist
                continue
        return content.decode("latin-1")


SETTLED = timedelta(minutes=1)
"""A date counts seconds: what was changed twice in one has the same date before and after."""


def _moment(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header).replace(tzinfo=UTC)
    except ValueError:
        return None


MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# Many servers say one of these of everything, because they were installed so: such a body is UTF-8 if it can be.
HARDLY_MEANT = {"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"}
XML_DECLARATION = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.-]+)")


def _encodings(content: bytes, charset: str | None, default: str) -> Iterator[str]:
    yield from (name for mark, name in MARKS if content.startswith(mark))
    declared = XML_DECLARATION.match(content[:400])
    inside = declared[1].decode("ascii").lower() if declared else ""
    if inside.startswith(("utf-16", "utf-32", "ucs")):  # then it could not have been read byte by byte
        inside = ""
    yield from filter(None, (charset, inside if inside not in HARDLY_MEANT else ""))
    yield from (default, "cp1252")


HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|title|meta|script|h1)\b",
    re.IGNORECASE | re.DOTALL,
)


def looks_like_html(head: bytes) -> bool:
    """Whether these first bytes are those of a web page: a login form, an error page, a notice."""
    return bool(HTML.match(head[:4096]))


class Body:
    """The bytes of an answer: in memory when few, else in a temporary file that goes when its last reader has gone."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=HELD)  # noqa: SIM115 - closed with its last reader, by __del__
        self.size = 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size += len(chunk)

    def read(self, place: int, amount: int) -> bytes:
        self._file.seek(place)
        return self._file.read(amount)

    def __del__(self) -> None:
        self._file.close()


class BodyReader(io.RawIOBase):
    """One reader's place in a body."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = max(0, offset + (0, self._place, self.body.size)[whence])
        return self._place

    def readinto(self, buffer: Any) -> int:
        chunk = self.body.read(self._place, len(buffer))
        buffer[: len(chunk)] = chunk
        self._place += len(chunk)
        return len(chunk)
