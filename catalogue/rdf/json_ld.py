"""JSON-LD that fetches nothing, and in documents of a size that memory can hold."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

from catalogue.errors import Problem, SourceUnavailable
from catalogue.rdf.document import Document

PIECE = 1 << 19
"""Characters of a document that is cut out of a large one: oxigraph holds eight times as much while it reads."""
MOST = 1 << 24
"""Characters of one element of a large document: a catalogue that names 200,000 datasets."""
TOP = "_:the-whole-document"
"""What the whole is called in each of its pieces, when it has no name: the statements of all are about the same."""


def pieces(document: Document, small: int, problems: list[Problem]) -> Iterator[bytes]:
    """The documents that together state what a document does; one that is small is left whole.

    The elements of the lists on the outermost level are dealt out; all else that stands there is repeated in every piece.
    Remote contexts are replaced by our own: nothing that a document names is ever fetched.
    """
    remote: set[str] = set()
    try:
        if document.size <= small:
            content = b"".join(document.chunks())
            safe = _safe(json.loads(content), remote)
            yield json.dumps(safe).encode() if remote else content
        else:
            for piece in _cut(document):
                yield json.dumps(_safe(piece, remote)).encode()
    except RecursionError as wrong:
        raise SourceUnavailable(
            "The JSON is nested too deep to read.",
            fix="Flatten it; a catalogue needs fewer than 50 levels.",
            rule="too-deep",
        ) from wrong
    except ValueError as wrong:
        raise SourceUnavailable(
            f"This is not JSON: {wrong}.", fix="Check the file with any JSON checker.", rule="not-json"
        ) from wrong
    problems.extend(_not_fetched(address) for address in sorted(remote))


def _safe(value: Any, remote: set[str]) -> Any:
    if isinstance(value, list):
        return [_safe(item, remote) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _safe_context(held, remote) if key == "@context" else _safe(held, remote)
        for key, held in value.items()
        if key != "@import"
    }


def _safe_context(held: Any, remote: set[str]) -> Any:
    from catalogue.rdf.write import context  # the one cycle: our context stands in for those we refuse to fetch

    if isinstance(held, str):
        remote.add(held)
        return context()
    if isinstance(held, list):
        return [_safe_context(item, remote) for item in held]
    return _safe(held, remote)


def _cut(document: Document) -> Iterator[Any]:
    """A large document in pieces."""
    if Ahead(document).sign() == "[":
        yield from (found[""] for found in _dealt((("", value, size) for value, size in _elements(Ahead(document)))))
        return
    whole: dict[str, Any] = {}
    lists: set[str] = set()
    held = 0
    for key, value, size in _told(Ahead(document)):
        if size < 0:
            lists.add(key)
            continue
        whole[key], held = value, held + size
        if held > MOST:
            raise _too_large(held)
    if not whole.keys() & {"@id", "id"} and any(key[:1] != "@" for key in (*whole, *lists)):
        whole["@id"] = TOP
    listed = ((key, value, -size) for key, value, size in _told(Ahead(document)) if size < 0)
    yield from ({**whole, **found} for found in _dealt(listed))


def _dealt(elements: Iterable[tuple[str, Any, int]]) -> Iterator[dict[str, list[Any]]]:
    """Elements of lists, by key, as many together as make a piece."""
    found: dict[str, list[Any]] = defaultdict(list)
    held = 0
    for key, value, size in elements:
        found[key].append(value)
        held += size
        if held > PIECE:
            yield found
            found, held = defaultdict(list), 0
    yield found


def _told(ahead: Ahead) -> Iterator[tuple[str, Any, int]]:
    """What an object says: key, value and size. Those of lists come one by one, with their size below zero."""
    ahead.take("{")
    while ahead.sign() != "}":
        key, _ = ahead.value()
        if not isinstance(key, str):
            raise ValueError(f"{key} is no key")
        ahead.take(":")
        if ahead.sign() == "[" and (key == "@graph" or key[:1] != "@"):
            yield from ((key, value, -size) for value, size in _elements(ahead, last=False))
        else:
            yield key, *ahead.value()
        ahead.next("}")
    ahead.close("}")


def _elements(ahead: Ahead, last: bool = True) -> Iterator[tuple[Any, int]]:
    """The elements of a list with their sizes."""
    ahead.take("[")
    while ahead.sign() != "]":
        yield ahead.value()
        ahead.next("]")
    ahead.close("]") if last else ahead.take("]")


class Ahead:
    """A JSON text, as far as it has been read."""

    def __init__(self, document: Document) -> None:
        self.words, self.text, self.at = document.words(), "", 0

    def sign(self) -> str:
        """The next character that means something; "" at the end."""
        while not (found := _SIGN.search(self.text, self.at)):
            if not self.more():
                return ""
        self.at = found.start()
        return str(found[0])

    def take(self, sign: str) -> None:
        """Go behind a sign."""
        if (found := self.sign()) != sign:
            raise ValueError(
                f"'{sign}' is missing before '{self.text[self.at : self.at + 30]}'" if found else "it breaks off"
            )
        self.at += 1

    def next(self, last: str) -> None:
        """Go behind a comma, unless the sign stands there that closes what was opened."""
        if self.sign() != last:
            self.take(",")

    def close(self, last: str) -> None:
        """Go behind the last sign of all."""
        self.take(last)
        if self.sign():
            raise ValueError("it goes on after its end")

    def value(self) -> tuple[Any, int]:
        """The next value, and how many characters it has. Raises ValueError when it cannot be read in a bounded space."""
        self.sign()
        while True:
            try:
                value, end = _decode(self.text, self.at)
            except JSONDecodeError as wrong:
                if len(self.text) - self.at > MOST:
                    raise _too_large(MOST) from wrong
                if not self.more():
                    raise
                continue
            if end == len(self.text) and self.more():  # a number may go on
                continue
            size, self.at = end - self.at, end
            return value, size

    def more(self) -> bool:
        """Read on; False at the end."""
        chunk = next(self.words, "")
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)


_SIGN = re.compile(r"[^\s\ufeff]")
_decode = JSONDecoder().raw_decode


def _not_fetched(address: str) -> Problem:
    return Problem(
        rule="remote-context",
        severity="warning",
        message=f"The document names the context {address}, which is never fetched; DCAT's own terms were used instead.",
        fix="Write the context into the document.",
        found=address,
    )


def _too_large(size: int) -> SourceUnavailable:
    return SourceUnavailable(
        f"One element of this large JSON-LD document has more than {size / 1e6:.0f} million characters, or is not closed.",
        fix="Put the descriptions side by side in '@graph', or offer them in pages or as Turtle.",
        rule="too-large",
    )
