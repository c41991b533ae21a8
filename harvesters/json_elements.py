"""The elements of the lists in a JSON text, one at a time, however large the text is and however broken some of them are.

The text is never parsed whole. Brackets are counted to find where each element ends: one that is broken, huge or nested
without end costs only itself, and memory holds one element at a time.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Response, looks_like_html

MB = 1 << 20
LARGEST = 8 * MB
"""Bytes of one element. Many small values take thirty times as much room once they are read."""
DEEPEST = 100
MOST_NESTED = 20
MOST_ASTRAY = 8 * LARGEST
"""Bytes read in vain behind elements that do not close, before we give up looking for the next."""
MOST_FAULTS = 100_000
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Element:
    """One element: where it stands ("$.dataset[3]"), its bytes, and what they say."""

    where: str
    content: bytes
    said: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Under which keys of an object the lists are. A text that is one list needs no key."""

    records: frozenset[str]
    members: frozenset[str] = frozenset()
    """Lists within a record whose elements are records too."""
    nested: frozenset[str] = frozenset()
    """Lists whose elements are objects like the whole."""
    alone: frozenset[str] = frozenset()
    """Keys that show that the whole is itself a record."""


Found = Iterator[Element | Problem]


def elements(answer: Response, lists: Lists) -> Found:
    """Every element of every list. Raises SourceUnavailable when the text breaks off, or is something else."""
    head = answer.open().read(4096)
    if looks_like_html(head):
        fix = "Give the address of the JSON itself: in a browser it shows braces and brackets."
        raise SourceUnavailable(f"{answer.url} is a web page, not JSON.", fix=fix, address=answer.url, rule="not-json")
    encoding = json.detect_encoding(head[:4])
    with answer.open() if "utf-8" in encoding else recoded(answer.open(), encoding) as stream:
        document, faults = Document(stream, answer.url, lists), 0
        for found in document.elements():
            yield found
            faults += isinstance(found, Problem)
            if faults > MOST_FAULTS:
                raise document.unavailable(f"has more than {MOST_FAULTS:,} broken elements")


def recoded(stream: BinaryIO, encoding: str) -> BinaryIO:
    """The same text in UTF-8: in memory when it is short, else in a temporary file."""
    copy = cast(BinaryIO, SpooledTemporaryFile(max_size=LARGEST))  # noqa: SIM115 - whoever reads it closes it
    with io.TextIOWrapper(stream, encoding, "replace", newline="") as reader:
        while words := reader.read(CHUNK):
            copy.write(words.encode("utf-8", "replace"))
    return copy


class Document:
    """A JSON text, and how far it has been read."""

    def __init__(self, stream: BinaryIO, address: str, lists: Lists, path: str = "$") -> None:
        self.stream, self.address, self.lists, self.path = stream, address, lists, path
        self.ahead = Ahead(stream, 3 if stream.read(3) == b"\xef\xbb\xbf" else 0)
        self.astray = 0

    def elements(self) -> Found:
        opening = self.ahead.token()
        start = self.ahead.place - 1
        if opening == b"[":
            yield from self.listed(f"{self.path}[")
        elif opening == b"{":
            keys = yield from self.under_keys(self.path, self.lists.records)
            if keys and keys <= self.lists.alone:
                self.ahead = Ahead(self.stream, start)
                yield from self.element(self.path, start, self.ahead.token())
            elif not keys:
                raise self.unavailable(
                    f"has none of the lists that hold records ({', '.join(sorted(self.lists.records))})"
                )
        else:
            raise self.unavailable("is not JSON" if opening else "is empty")
        if self.ahead.token():
            raise self.unavailable(f"goes on after its end, at byte {self.ahead.place}")

    def under_keys(self, path: str, records: frozenset[str]) -> Generator[Element | Problem, None, set[str]]:
        """The elements of an object's lists; the object has been opened. Returns those of its keys that tell what it is."""
        telling = self.lists.records | self.lists.nested | self.lists.alone
        keys, word, key = set[str](), b"", ""
        while (token := self.ahead.token()) != b"}":
            if token == b":":
                key = word.strip(b'"').decode("utf-8", "replace")
                keys |= {key} & telling
            elif token == b"[" and key in records | self.lists.nested:
                yield from self.listed(f"{path}.{key}[", key in self.lists.nested)
            elif token == b"{" and key in records:
                yield from self.element(f"{path}.{key}", self.ahead.place - 1, token)
            elif token in CLOSING and not self.close(token):
                raise self.unavailable(f"breaks off in {path}.{key}")
            elif token in (b"", b"]"):
                raise self.unavailable(f"breaks off after {path}.{key}")
            word = token
        return keys

    def listed(self, path: str, nested: bool = False) -> Found:
        """The elements of a list that has been opened."""
        count = 0
        while (token := self.ahead.token()) != b"]":
            where = f"{path}{count}]"
            if not token:
                raise self.unavailable(f"breaks off before {where}")
            if token == b"{" and nested and where.count("[") <= MOST_NESTED:
                yield from self.under_keys(where, self.lists.records)
            elif token in CLOSING:
                yield from self.element(where, self.ahead.place - 1, token)
            elif token != b",":
                yield broken(where, "This is not a JSON object.")
            count += token not in (b",", b"}", b":")

    def element(self, where: str, start: int, opening: bytes) -> Found:
        """A record that has been opened. A broken one ends where the next begins, as far as indentation shows that."""
        depth = self.close(opening)
        size = self.ahead.place - start
        if depth > DEEPEST:
            yield broken(where, f"This is nested {depth} levels deep; {DEEPEST} are the most that is read.", "too-deep")
        elif depth and size > LARGEST:
            yield broken(
                where, f"This has {size / MB:.0f} MB; {LARGEST // MB} MB are the most that is read.", "too-large"
            )
        elif depth and isinstance(said := parsed(content := self.cut(start, start + size)), dict):
            yield Element(where, content, said)
            if not self.lists.members.isdisjoint(said):
                inside = Document(io.BytesIO(content), self.address, self.lists, where)
                inside.ahead.token()
                yield from inside.under_keys(where, self.lists.members)
        elif depth and opening == b"[":
            yield broken(where, "This is a list, not a JSON object.")
        else:
            yield broken(where, "This is not JSON.")
            following = self.following(start, start + size if depth else start + LARGEST)
            self.astray += size
            if following and self.astray < MOST_ASTRAY:
                self.ahead = Ahead(self.stream, following)
            elif not depth:
                raise self.unavailable(f"breaks off in {where}")

    def following(self, start: int, end: int) -> int:
        """Where the next element begins: at the next brace on a line that is indented like this one's. 0 when none is."""
        line = self.cut(max(0, start - 1000), start).rpartition(b"\n")[2]
        indent = line[: len(line) - len(line.lstrip())]
        found = re.search(rb"\n" + re.escape(indent) + rb"(?:\}[^\S\n]*,[^\S\n]*)?\{", self.cut(start, end))
        return start + found.end() - 1 if found else 0

    def close(self, opening: bytes) -> int:
        """Go behind the bracket that closes what was opened. Returns how deep it goes; 0 when it does not close."""
        waiting, deepest = bytearray(CLOSING[opening]), 1
        while waiting:
            bracket = self.ahead.bracket()
            if closing := CLOSING.get(bracket):
                waiting += closing
                deepest = max(deepest, len(waiting))
            elif not bracket or waiting.pop() != ord(bracket):
                return 0
        return deepest

    def cut(self, start: int, end: int) -> bytes:
        """The bytes between two places."""
        if self.ahead.base <= start and end <= self.ahead.base + len(self.ahead.text):
            return self.ahead.text[start - self.ahead.base : end - self.ahead.base]
        back = self.stream.tell()
        self.stream.seek(start)
        content = self.stream.read(end - start)
        self.stream.seek(back)
        return content

    def unavailable(self, what: str) -> SourceUnavailable:
        fix = "Open the address and look at that place with a JSON checker. Until it is mended, nothing is withdrawn."
        return SourceUnavailable(f"{self.address} {what}.", fix=fix, address=self.address, rule="not-json")


_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+'
TOKEN = re.compile(rb"\s*+(" + _STRING + rb'(?:"|\Z)|[{}\[\],:]|[^\s"{}\[\],:]+)', re.DOTALL)
BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + _STRING + rb'")*+([{}\[\]])?', re.DOTALL)
CLOSING = {b"{": b"}", b"[": b"]"}


class Ahead:
    """What has been read of a stream from a place on, and is not yet used."""

    def __init__(self, stream: BinaryIO, place: int) -> None:
        self.stream, self.base, self.at, self.text, self.ended = stream, place, 0, b"", False
        stream.seek(place)

    @property
    def place(self) -> int:
        return self.base + self.at

    def token(self) -> bytes:
        """The next word or sign; b"" at the end."""
        while True:
            found = TOKEN.match(self.text, self.at)
            if found and (self.ended or found.end() < len(self.text)):  # else it may go on
                self.at = found.end()
                return found[1]
            if not self.more():
                return b""

    def bracket(self) -> bytes:
        """The next bracket outside of words; b"" at the end."""
        while True:
            found = BRACKET.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if found and found[1]:
                return found[1]
            if not self.more():
                return b""

    def more(self) -> bool:
        """Read on, unless at the end, or when a single word is larger than two of the largest records."""
        unused = self.text[self.at :]
        if self.ended or len(unused) > 2 * LARGEST:
            return False
        chunk = self.stream.read(max(CHUNK, len(unused)))
        self.base, self.at, self.text, self.ended = self.place, 0, unused + chunk, not chunk
        return True


def decoded(content: bytes) -> str:
    """UTF-8; where it is broken in places, these are marked; where nothing is UTF-8, Windows-1252 or Latin-1."""
    if re.search(rb"[\xc3-\xf4][\x80-\xbf]", content):
        return content.decode("utf-8", "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def parsed(content: bytes) -> Any:
    """What JSON says; nothing when it is none. Line breaks within words are let pass."""
    try:
        return json.loads(decoded(content), strict=False)
    except (ValueError, RecursionError):
        return None


def broken(where: str, message: str, rule: str = "broken-record") -> Problem:
    fix = "Check this element with a JSON checker, and mend what writes it."
    return Problem(rule=rule, message=message, fix=fix, where=where)
