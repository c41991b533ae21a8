"""What people type into the search box, read into a small tree. Nothing that can be typed raises.

Words are joined by AND; "quoted words" stand together and exactly so; -word and -"quoted words" (or NOT before them) take
results away; OR joins the terms on either side of it; a star at the end of a word stands for any ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

MAX_TYPED = 2_000
MAX_WORDS = 32
MAX_LETTERS = 64

# Words too common to tell one description from another. Kept short: "it", "who", "no" and "us" mean something here.
COMMON = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "in", "is", "of", "on", "or", "that", "the", "this", "to",
    "was", "were", "which", "with",
))  # fmt: skip

# A word is letters and digits; marks that Unicode cannot compose stay with their letter, an apostrophe inside joins.
_LETTER = r"(?:[^\W_]|[\u0300-\u036f])"
_WORD = re.compile(rf"{_LETTER}+(?:['’ʼ＇]{_LETTER}+)*")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_PLAIN_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
_PIECES = re.compile(r'(?P<minus>-?)"(?P<quoted>[^"]*)"|(?P<chunk>[^\s"]+)|(?P<stray>")')


@dataclass(frozen=True, slots=True)
class Word:
    """One word, folded; where it stands in what was typed is kept for correcting it."""

    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Prefix:
    """The beginning of a word."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand together: each with its distance from the first, since common words between them are not kept."""

    words: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Everything but this."""

    of: Node


@dataclass(frozen=True, slots=True)
class All:
    """Each of these."""

    of: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    of: tuple[Node, ...]


Node = Word | Prefix | Phrase | Not | All | Either


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed, what was understood (None: no restriction), and what was left out, a sentence each."""

    text: str
    tree: All | None
    notes: tuple[str, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether it is words and nothing else."""
        nodes = self.tree.of if self.tree else ()
        return all(isinstance(leaf, Word) for node in nodes for leaf in (node.of if isinstance(node, All) else (node,)))


def parse(typed: str) -> Typed:
    """Read what was typed, understanding as much of it as can be understood."""
    text = composed(typed).translate(_QUOTES)
    reader = _Reader()
    for piece in _PIECES.finditer(text[:MAX_TYPED]):
        reader.read(piece)
    if len(text) > MAX_TYPED:
        reader.notes.append(f"Only the first {MAX_TYPED:,} characters were used.")
    if reader.words > MAX_WORDS:
        reader.notes.append(f"Only the first {MAX_WORDS} words were used.")
    if reader.common and not reader.nodes:
        reader.notes.append(f"Nearly every description has these words: {', '.join(dict.fromkeys(reader.common))}.")
    nodes = tuple(dict.fromkeys(reader.nodes))
    return Typed(text, All(nodes) if nodes else None, tuple(reader.notes))


class _Reader:
    """Collects the pieces of what was typed, one after another."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.notes: list[str] = []
        self.common: list[str] = []
        self.words = 0
        self._negative = False
        self._either = False
        self._joinable = False  # whether the last piece is one that OR may take

    def read(self, piece: re.Match[str]) -> None:
        """One piece: an operator, a quotation or a run of other characters."""
        if piece["stray"]:
            self.notes.append("A quotation mark without its partner was left out.")
        elif piece["quoted"] is not None:
            self._add(self._phrase(piece["quoted"]), negative=bool(piece["minus"]))
        elif piece["chunk"] in _OPERATORS:
            _OPERATORS[piece["chunk"]](self)
        else:
            self._chunk(piece["chunk"], piece.start("chunk"))

    def no(self) -> None:
        """NOT: the next term takes away."""
        self._negative = True

    def either(self) -> None:
        """OR: the next term is an alternative to the last one, if there is one."""
        self._either = self._joinable

    def nothing(self) -> None:
        """AND and lone signs: what they say goes without saying."""

    def _chunk(self, chunk: str, start: int) -> None:
        """A run without spaces: one word, or several as in road-traffic or 10.1234/abc:def."""
        negative = len(chunk) > 1 and chunk.startswith("-")
        found = [Word(word, start + at, start + end) for at, end, word in spans(chunk)]
        if not found:
            return
        if negative and len(found) > 1:
            self._add(self._phrase(chunk), negative=True)
            return
        last: list[Node] = [Prefix(found.pop().text)] if chunk.endswith("*") else []
        self.common.extend(word.text for word in found if word.text in COMMON)
        nodes = self._counted([*(word for word in found if word.text not in COMMON), *last])
        self._add(nodes[0] if len(nodes) == 1 else All(tuple(nodes)) if nodes else None, negative=negative)

    def _phrase(self, quoted: str) -> Phrase | None:
        kept = [(at, word) for at, word in enumerate(words(quoted)) if word not in COMMON]
        if not kept:
            self.common.extend(words(quoted))
        kept = self._counted(kept)
        return Phrase(tuple((at - kept[0][0], word) for at, word in kept)) if kept else None

    def _counted(self, terms: list[T]) -> list[T]:
        """As many of the terms as there is room for."""
        room = max(0, MAX_WORDS - self.words)
        self.words += len(terms)
        return terms[:room]

    def _add(self, node: Node | None, *, negative: bool) -> None:
        if node is not None:
            signed: Node = Not(node) if negative or self._negative else node
            if self._either:
                before = self.nodes.pop()
                signed = Either((*(before.of if isinstance(before, Either) else (before,)), signed))
            self.nodes.append(signed)
        self._joinable = node is not None
        self._negative = self._either = False


_OPERATORS = {
    "OR": _Reader.either, "|": _Reader.either, "||": _Reader.either, "NOT": _Reader.no,
    "AND": _Reader.nothing, "&": _Reader.nothing, "&&": _Reader.nothing, "+": _Reader.nothing, "-": _Reader.nothing,
}  # fmt: skip


def leaves(node: Node | None) -> Iterator[Word | Prefix | Phrase]:
    """What a match has to show: every term but those that take away."""
    if isinstance(node, All | Either):
        for part in node.of:
            yield from leaves(part)
    elif isinstance(node, Word | Prefix | Phrase):
        yield node


def words(text: str) -> list[str]:
    """The words of a text, folded, in order."""
    return [folded for word in _WORD.findall(composed(text)) if (folded := fold(word))]


def spans(text: str) -> Iterator[tuple[int, int, str]]:
    """The words of a composed text with where each begins and ends."""
    for match in _WORD.finditer(text):
        if folded := fold(match.group()):
            yield match.start(), match.end(), folded


@lru_cache(maxsize=200_000)
def fold(word: str) -> str:
    """A word as it is compared: small letters, no accents (Dŵr is dwr), no apostrophes."""
    if word.isascii():
        return word.lower().replace("'", "")[:MAX_LETTERS]
    apart = unicodedata.normalize("NFKD", word.casefold()).casefold().translate(_PLAIN_LETTERS)
    return "".join(letter for letter in apart if letter.isalnum())[:MAX_LETTERS]


def literally(text: str) -> str:
    """A title, id or address as it is recognised when somebody types all of it, signs included."""
    return " ".join(composed(text).translate(_QUOTES).casefold().split())


def composed(text: str) -> str:
    """The text with letters and their accents put together, so that a letter is one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
