"""Why a document was found: the part of it that shows most of the words, cut to a line or two, with the words marked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from catalogue.search import SECTIONS, Document, Section
from catalogue.search.words import Prefix, Word, composed, fold, leaves, parse, spans

LIMIT = 300
BEFORE = 60  # characters shown before the first match
SEARCHED = 20_000  # characters of a section, so that a page of results is made quickly whatever they hold
PROSE = ("description", "summary", "title", "titles")

# Where several sections show as many of the words, the first of these; the title comes last, it is on the page anyway.
_ORDER = (
    "description",
    "summary",
    "keywords",
    "columns",
    "titles",
    "organisation",
    "themes",
    "formats",
    "identifiers",
    "title",
)
_SECTIONS = sorted(SECTIONS, key=lambda section: _ORDER.index(section.field))

Parts = tuple[tuple[str, bool], ...]
Span = tuple[int, int, str]  # where a match begins and ends, and which of the words it shows


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a document: the field it is from, what people call that, and the text in parts, matches marked.

    Where nothing matches it is the beginning of the summary or description, unmarked, and where there is none it is empty.
    """

    field: str = ""
    label: str = ""
    parts: Parts = ()

    @property
    def text(self) -> str:
        """The piece as plain text."""
        return "".join(text for text, _ in self.parts)

    @property
    def matched(self) -> bool:
        """Whether it shows any of the words."""
        return any(marked for _, marked in self.parts)


def snippet(document: Document, words: str, stem: Callable[[str], str] = fold) -> Snippet:
    """The part of a document that shows why these words found it. `stem` is the engine's: the form in which it compares."""
    shows = _shows(words, stem)
    found = {section: {shown for _, _, shown in _matches(_text(section, document), shows)} for section in _SECTIONS}
    best = max(_SECTIONS, key=lambda section: len(found[section]))
    if not found[best]:
        return _beginning(document)
    if best.field in PROSE:
        text = _text(best, document)
        return Snippet(best.field, best.label, _cut(text, _matches(text, shows)))
    return Snippet(best.field, best.label, _values(best.said(document), shows))


def _shows(words: str, stem: Callable[[str], str]) -> Callable[[str], str]:
    """A function that says which of the words looked for a word shows, "" for none."""
    stems: set[str] = set()
    prefixes: list[str] = []
    for leaf in leaves(parse(words).tree):
        if isinstance(leaf, Prefix):
            prefixes.append(leaf.text)
        else:
            stems.update(map(stem, [leaf.text] if isinstance(leaf, Word) else [word for _, word in leaf.words]))

    def shows(word: str) -> str:
        stemmed = stem(word)
        return stemmed if stemmed in stems else next((prefix for prefix in prefixes if word.startswith(prefix)), "")

    return shows


def _beginning(document: Document) -> Snippet:
    for section in SECTIONS:
        if section.field in ("summary", "description") and section.said(document):
            return Snippet(section.field, section.label, _cut(_text(section, document), ()))
    return Snippet()


def _text(section: Section, document: Document) -> str:
    return " ".join(composed("; ".join(section.said(document))[:SEARCHED]).split())


def _matches(text: str, shows: Callable[[str], str]) -> list[Span]:
    return [(start, end, shown) for start, end, word in spans(text) if (shown := shows(word))]


def _values(values: Iterable[str], shows: Callable[[str], str]) -> Parts:
    """The values that match, as many as there is room for."""
    text = ""
    for value in (" ".join(composed(value).split()) for value in values):
        longer = f"{text}, {value}" if text else value
        if _matches(value, shows) and (not text or len(longer) <= LIMIT):
            text = longer
    return _cut(text, _matches(text, shows))


def _cut(text: str, matches: Sequence[Span]) -> Parts:
    """At most LIMIT characters around the matches, beginning and ending with whole words where there are any."""
    start = _start(text, matches)
    room = LIMIT - (2 if start else 0)
    end = len(text)
    if end - start > room:
        end = start + room - 2
        space = text.rfind(" ", start + 1, end + 1)
        end = space if space > 0 else end
    parts: list[tuple[str, bool]] = [("… ", False)] if start else []
    at = start
    for first, last, _ in matches:
        if at <= first and last <= end:
            parts += [(text[at:first], False), (text[first:last], True)]
            at = last
    parts += [(text[at:end], False), (" …" if end < len(text) else "", False)]
    return tuple(part for part in parts if part[0])


def _start(text: str, matches: Sequence[Span]) -> int:
    """Where to begin so that as many different words as possible are shown, and the first of them in its context."""
    if len(text) <= LIMIT or not matches:
        return 0

    def shown(at: int) -> int:
        window = matches[at][0] + LIMIT - BEFORE - 10
        return len({word for _, end, word in matches[at:] if end <= window})

    first = matches[max(range(len(matches)), key=lambda at: (shown(at), -at))][0]
    if first <= BEFORE:
        return 0
    space = text.find(" ", first - BEFORE, first)
    return space + 1 if space >= 0 else first
