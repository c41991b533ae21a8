"""Words as people meant them: one form of white space and of letters, no control characters, no HTML, no fillers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from functools import lru_cache
from unicodedata import is_normalized, normalize

from catalogue.dcat import IRI, Literal, Resource, Text, Value, replace
from catalogue.normalise.markup import has_markup, plain
from catalogue.rdf import repaired
from vocab import scheme

LONGEST_MARKUP = 1_000_000
"""Characters. What is longer is no description, and `validate` says so: it is not worth parsing."""

ROUNDS = 5
"""HTML may hold escaped HTML. What does not settle in so many rounds was written to annoy, and keeps its markup."""

Mended = Value | tuple[Value, ...] | None
"""What a repair gives: the value itself when all is well, another, several, or none."""

SAYS_NOTHING = frozenset((
    "-", "--", "–", "—", ".", "..", "...", "?", "n/a", "na", "n.a.", "n.a", "nan", "#n/a", "null", "nil", "none",
    "(none)", "tbc", "tba", "tbd", "undefined", "unknown", "unspecified", "", "not applicable", "not available",
    "not known", "not specified", "not provided", "no data", "to be confirmed",
))  # fmt: skip
"""What people and programs write into a field that they have nothing to say in."""


def line(value: Value) -> Mended:
    """Words on one line: `"  Road\\n traffic &amp; trade "` → `"Road traffic & trade"`; `""` → nothing."""
    return _text(value, one_line) if type(value) is Text else written(value)


def prose(value: Value) -> Mended:
    """Words in paragraphs: `"<p>Counts.</p><ul><li>Cars</li></ul>"` → `"Counts.\\n\\n- Cars"`; `""` → nothing."""
    return _text(value, paragraphs) if type(value) is Text else written(value)


def name(value: Value) -> Mended:
    """An identifier, trimmed and otherwise as it was said: `" A&amp;E-7 "` → `"A&amp;E-7"`."""
    return _text(value, _bare_line) if type(value) is Text else written(value)


def keyword(value: Value) -> Mended:
    """A list of keywords in one cell: `"Roads, bridges; tunnels"` → `"Roads"`, `"bridges"`, `"tunnels"`."""
    mended = line(value)
    if type(mended) is not Text or (";" not in mended.value and mended.value.count(",") + mended.value.count("|") < 2):
        return mended
    parts = (part.strip() for part in re.split("[,;|]", mended.value))
    return tuple(Text(part, mended.lang) for part in parts if part)


def one_spelling(resource: Resource) -> Resource:
    """Of keywords that differ only in capitals, the one first in order stays: `"Trade"`, `"trade"` → `"Trade"`."""
    if len(resource.keywords) < 2:
        return resource
    kept: dict[tuple[str, str], Text] = {}
    for word in sorted(
        resource.keywords, key=lambda word: (word.lang, word.value)
    ):  # capitals come before small letters
        kept.setdefault((word.value.casefold(), word.lang), word)
    return resource if len(kept) == len(resource.keywords) else replace(resource, keywords=frozenset(kept.values()))


def says_nothing(words: str) -> bool:
    """Whether a field that is no text was filled in without saying anything: "n/a", "-", "None"."""
    return len(words) <= 20 and words.strip().lower() in SAYS_NOTHING


def written(value: Value) -> Value | None:
    """Anything else as it was said, but for characters and language tags that no graph can hold."""
    if type(value) is IRI:
        return safe(value)
    if type(value) is Text and value.lang and (lang := language(value.lang)) != value.lang:
        value = Text(value.value, lang)
    if isinstance(value, Literal | Text) and not value.value.isprintable():
        words = value.value.translate(_UNWRITABLE)
        return value if words == value.value else dataclasses.replace(value, value=words)
    return value


def safe(value: IRI) -> IRI | None:
    """An address without the characters that no address may hold: `<https://x.gov.uk/a b>` → `<https://x.gov.uk/a%20b>`."""
    if value and value.isascii() and not _SUSPECT.search(value):
        return value
    mended = repaired(value.encode(errors="ignore").decode())
    return (value if mended == value else IRI(mended)) or None


_SUSPECT = re.compile(r"[\x00-\x20<>\"{}|\\^`%\[\]\x7f]|#.*#")
"""Whether an address needs a closer look. Most do not, and that is seen at once."""


def _text(value: Text, tidy: Callable[[str], str]) -> Text | None:
    words, lang = tidy(value.value), language(value.lang) if value.lang else ""
    if words == value.value and lang == value.lang:
        return value if words else None
    return Text(words, lang) if words else None


# ---- One line, and paragraphs


def one_line(words: str) -> str:
    """Every run of white space becomes one space. Usually there is nothing to do, and that is seen at once."""
    if words.isprintable() and "  " not in words and words.strip() == words and _settled(words):
        return words
    return _settle(words, _bare_line)


def paragraphs(words: str) -> str:
    """Line ends as \\n, no blanks before them, at most one empty line."""
    if (
        words.replace("\n", "").isprintable()
        and " \n" not in words
        and "\n\n\n" not in words
        and words.strip() == words
        and _settled(words)
    ):
        return words
    return _settle(words, _bare_paragraphs)


def _settled(words: str) -> bool:
    return (words.isascii() or is_normalized("NFC", words)) and (
        ("<" not in words and "&" not in words) or len(words) > LONGEST_MARKUP or not has_markup(words)
    )


def _settle(words: str, layout: Callable[[str], str]) -> str:
    """Lay out and take HTML away until nothing changes, so that mending twice is mending once."""
    first = words = layout(words)
    if len(first) > LONGEST_MARKUP:
        return first
    for _ in range(ROUNDS):
        if not has_markup(words):
            return words
        words = layout(plain(words))
    return first


def _bare_line(words: str) -> str:
    return " ".join(_letters(words).split())


def _bare_paragraphs(words: str) -> str:
    words = _letters(words).translate(_SPACES)
    laid_out = "\n".join(line.rstrip() for line in words.split("\n")).strip()
    return re.sub(r"\n{3,}", "\n\n", laid_out)


def _letters(words: str) -> str:
    """Characters that can be read, composed: accents are one with their letter, control characters are gone."""
    if not words.isprintable():
        words = words.replace("\r\n", "\n").translate(_INVISIBLE)
    return words if words.isascii() else normalize("NFC", words)


_UNWRITABLE: dict[int, str | None] = dict.fromkeys(
    (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
)
"""XML, UTF-8 or a database refuses them."""

_INVISIBLE: dict[int, str | None] = {
    **_UNWRITABLE,
    **{code: bytes([code]).decode("cp1252", "ignore") for code in range(0x7F, 0xA0)},  # "\x92" was meant as ’
    **dict.fromkeys((0x7F, 0xAD, 0x200B, 0x2060, 0xFEFF)),
    **dict.fromkeys((0x0B, 0x0C, 0x0D, 0x2028), "\n"),
    0x2029: "\n\n",
}
_SPACES = dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " ")


# ---- Languages

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*|x(-[a-z0-9]{1,8})+")


@lru_cache(maxsize=1000)
def language(said: str) -> str:
    """The tag of a text's language: `en_GB` → `en-gb`, `English` → `en`; what no graph can hold → none."""
    tag = said.strip().replace("_", "-").lower()
    if _TAG.fullmatch(tag):
        return tag
    known = scheme("languages").find(said)
    return known.facts.get("tag", "") if known else ""
