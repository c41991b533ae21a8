"""A document's bytes as UTF-8, a piece at a time, whatever its size and whatever encoding it is in."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from catalogue.errors import Problem, SourceUnavailable

CHUNK = 1 << 20
MAX_ENTITY_GROWTH = 10_000_000
"""How many characters the entities of an XML file may add, together."""
LONGEST_NAME = 1000
"""Of an entity."""

MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
NEVER_MEANT = frozenset({"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape"})
"""What Python can decode and no document is in."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that can be read from its beginning as often as needed; `xml` when a declaration is to be left out."""

    stream: BinaryIO
    encoding: str = "utf-8"
    xml: bool = False

    @property
    def size(self) -> int:
        return self.stream.seek(0, io.SEEK_END)

    def words(self) -> Iterator[str]:
        """What it says. Raises ValueError where that is not in its encoding, LookupError when there is none of that name."""
        if self.encoding.lower().replace("-", "_") in NEVER_MEANT:
            raise LookupError(self.encoding)
        self.stream.seek(0)
        marked = "replace" if self.encoding == "cp1252" else "strict"
        reader = io.TextIOWrapper(self.stream, self.encoding, marked, newline="")
        try:
            first = reader.read(CHUNK)
            yield re.sub(r"^\s*<\?xml[^>]*\?>", "", first, count=1) if self.xml else first
            while words := reader.read(CHUNK):
                yield words
        finally:
            with suppress(ValueError):  # somebody closed it
                reader.detach()  # else it would close the stream when it goes

    def chunks(self) -> Iterator[bytes]:
        """The same as UTF-8."""
        return (words.encode("utf-8", "replace") for words in self.words())

    def open(self) -> BinaryIO:
        """The same as a file that is read once."""
        return cast(BinaryIO, io.BufferedReader(Flow(self.chunks()), CHUNK))


class Flow(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.rest:
            chunk = next(self.chunks, None)
            if chunk is None:
                return 0
            self.rest = memoryview(chunk)
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def decoded(stream: BinaryIO, head: bytes, charset: str | None, xml: bool, problems: list[Problem]) -> Document:
    """Byte order mark, then the server's word, then the XML declaration (RFC 7303), then a guess."""
    mark = next((name for mark, name in MARKS if head.startswith(mark)), None)
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)[\"']", head[:200].lstrip()) if xml else None
    said = mark or charset or (declared[1].decode("ascii") if declared else None)
    document = Document(stream, said or "utf-8", xml)
    try:
        for _ in document.words():
            pass
    except (ValueError, LookupError):
        problems.append(_not_in(said))
        return Document(stream, "cp1252", xml)
    return document


def refuse_entity_bombs(document: Document) -> None:
    """Entities may abbreviate addresses; they may not contain each other, nor grow the file past a bound.

    Looked for in the whole file: oxigraph takes a declaration anywhere.
    """
    lengths: dict[bytes, int] = {}
    for name, value in _entities(document):
        if len(name) > LONGEST_NAME or re.search(rb"&(?!#|amp;|lt;|gt;|quot;|apos;)", value):
            raise _entity_bomb()
        lengths[name] = max(len(value), lengths.get(name, 0))
    if sum(length * count for length, count in _uses(document, lengths).items()) > MAX_ENTITY_GROWTH:
        raise _entity_bomb()


_DECLARED = re.compile(rb"<!ENTITY\s+(?:([^\s%\"']+)\s+(?:(?:SYSTEM|PUBLIC)\b[^>]*|\"([^\"]*)\"|'([^']*)')\s*>|%)")


def _entities(document: Document) -> Iterator[tuple[bytes, bytes]]:
    """The entities that a file declares, name and value. What looks like one and cannot be read is a bomb, too."""
    rest = b""
    for chunk in document.chunks():
        rest, at = rest + chunk, 0
        while (start := rest.find(b"<!ENTITY", at)) >= 0 and (found := _DECLARED.match(rest, start)):
            if not found[1]:  # a parameter entity, which can hold declarations
                raise _entity_bomb()
            yield found[1], found[2] or found[3] or b""
            at = found.end()
        rest = rest[max(at, start if start >= 0 else len(rest) - len(b"<!ENTIT")) :]
        if len(rest) > MAX_ENTITY_GROWTH:
            break
    if rest.startswith(b"<!ENTITY"):
        raise _entity_bomb()


def _uses(document: Document, lengths: dict[bytes, int]) -> Counter[int]:
    """How often entities of each length are used."""
    used: Counter[int] = Counter()
    rest = b""
    for chunk in document.chunks() if lengths else ():
        *whole, rest = (rest + chunk).split(b"&")
        used.update(lengths.get(part.partition(b";")[0], 0) for part in whole)
        rest = rest[: LONGEST_NAME + 1]
    used[lengths.get(rest.partition(b";")[0], 0)] += 1
    return used


def _not_in(charset: str | None) -> Problem:
    return Problem(
        rule="encoding",
        severity="warning",
        message=f"The file is not in {charset or 'UTF-8'}, as it should be; read as Windows-1252 instead.",
        fix="Save the file as UTF-8 and send it with 'charset=utf-8'.",
    )


def _entity_bomb() -> SourceUnavailable:
    return SourceUnavailable(
        "The XML declares entities that contain each other or grow without bound; it was not read.",
        fix="Write the values out instead of declaring entities.",
        rule="xml-entities",
    )
