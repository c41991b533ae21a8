"""HTML becomes words: paragraphs, "- " for what is listed, "text (address)" for links. Text that is no HTML stays as it is."""

from __future__ import annotations

import re
from html import unescape
from html.entities import html5
from html.parser import HTMLParser

TAGS = frozenset((
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "big", "blockquote", "body", "br", "button",
    "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "fieldset", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head",
    "header", "hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "li", "link", "main",
    "mark", "menu", "meta", "nav", "noscript", "object", "ol", "optgroup", "option", "p", "param", "pre", "q", "s",
    "samp", "script", "section", "select", "small", "source", "span", "strike", "strong", "style", "sub", "summary",
    "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr", "tt",
    "u", "ul", "var", "video", "wbr",
))  # fmt: skip
PARAGRAPHS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "details", "div", "dl", "fieldset", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "main", "menu", "nav", "ol", "p",
    "pre", "section", "table", "ul",
))  # fmt: skip
LINES = frozenset((
    "br", "caption", "dd", "dt", "figcaption", "legend", "li", "option", "summary", "tr",
))  # fmt: skip
CELLS = frozenset(("td", "th"))
SILENT = ("head", "iframe", "object", "script", "style", "svg", "template", "textarea", "title")

_NAMED = "(?:" + "|".join(sorted(TAGS, key=len, reverse=True)) + r"|(?:m|o|st1|v|w):\w+)"  # the last are Word's own
_TAG = rf"</?{_NAMED}(?:\s[^<>]*)?/?>"
_ENTITY = r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});"
_MARKUP = re.compile(f"{_TAG}|{_ENTITY}|<!--", re.IGNORECASE)
_ANY_TAG = re.compile(f"{_TAG}|<!--", re.IGNORECASE)
_BREAKING = re.compile(rf"</?(?:{'|'.join(sorted(PARAGRAPHS | LINES))})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_NOT_A_TAG = re.compile(f"<(?!{_TAG[1:]})", re.IGNORECASE)
_AMPERSAND = re.compile(r"&(?:(?:amp|AMP|#0*38|#[xX]0*26);)*")
_FOLLOWED = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_UNSEEN = re.compile(rf"<!--|<({'|'.join(SILENT)})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ENDS = {"<!--": re.compile("-->")} | {tag: re.compile(rf"</{tag}\s*>", re.IGNORECASE) for tag in SILENT}
_LONE_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_LINKED = re.compile(r"(?:https?|ftp)://|mailto:", re.IGNORECASE)


def has_markup(words: str) -> bool:
    """Whether there is an HTML tag or a character reference: "a < b & c" has neither."""
    return ("<" in words or "&" in words) and any(_means_something(found[0]) for found in _MARKUP.finditer(words))


def plain(words: str) -> str:
    """What a reader of the page would have read. Works once through; what comes out may be HTML again."""
    words = _AMPERSAND.sub(_one_ampersand, words)
    if not _ANY_TAG.search(words):
        return re.sub(_ENTITY, lambda found: unescape(found[0]), words)
    words = _seen(words)
    if _BREAKING.search(words):
        words = _LONE_LINE_END.sub(" ", words)
    reader = _Reader()
    reader.feed(_NOT_A_TAG.sub("&lt;", words))
    reader.close()
    return "\n".join(line.strip() for line in "".join(reader.said).split("\n") if line.strip() != "-")


def _means_something(found: str) -> bool:
    return found[0] == "<" or found[1] == "#" or found[1:] in html5


def _one_ampersand(found: re.Match[str]) -> str:
    """An ampersand that stands for itself, however often it was escaped, written so that the parser leaves it alone."""
    follows = _FOLLOWED.match(found.string, found.end())
    return "&" if follows and _means_something("&" + follows[0]) else "&amp;"


def _seen(words: str) -> str:
    """Without comments, scripts and the like. One that never ends loses its beginning only: the rest may be meant to be read.

    One pattern for both ends would take quadratic time where many begin and none ends.
    """
    kept, place, endless = [], 0, set[str]()
    while found := _UNSEEN.search(words, place):
        kept.append(words[place : found.start()])
        place, kind = found.end(), (found[1] or "<!--").lower()
        end = None if kind in endless else _ENDS[kind].search(words, place)
        if end:
            place = end.end()
        else:
            endless.add(kind)
    return "".join((*kept, words[place:]))


class _Reader(HTMLParser):
    """Collects what would be seen. It is fed well-formed tags of known names only."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.gap = ""
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._break(tag)
        if tag == "li":
            self._say("- ")
        elif tag == "a":
            self.links.append((given.get("href", "").strip(), len(self.said)))
        elif tag == "img":
            self._say(given.get("alt", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.links:
            self._link(*self.links.pop())
        if tag in CELLS:
            self.said.append("  ")
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in ("br", "hr", "img"):
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        self._say(re.sub(r"[^\S\n]+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in PARAGRAPHS:
            self.gap = "\n\n"
        elif tag in LINES:
            self.gap = self.gap or "\n"

    def _say(self, words: str) -> None:
        if not words.strip():
            if not self.gap:
                self.said.append(words)
            return
        if self.gap and self.said and self.said[-1] != "- ":  # <li><p> begins one line, not two
            self.said.append(self.gap)
        self.gap = ""
        self.said.append(words)

    def _link(self, address: str, begun: int) -> None:
        label = "".join(self.said[begun:]).strip()
        if _LINKED.match(address) and address.removeprefix("mailto:").rstrip("/") != label.rstrip("/"):
            self._say(f" ({address.removeprefix('mailto:')})" if label else address)
