"""Words for what is shown: labels, dates, sizes, links, and text of other people made safe for a page."""

from __future__ import annotations

import re
from calendar import day_name, month_name
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import inf
from typing import Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape

from catalogue.dcat import Literal, Node, Text
from catalogue.facts import plain
from catalogue.search.filters import day
from vocab import scheme

LONGEST = 40_000
"""Characters of a text that a page shows; the rest is in the metadata, and the page says so."""

LINKED = ("http", "https", "mailto", "tel", "ftp")
"""Only these become links. Whatever else a source gives as an address is shown as words."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a value is called, where that leads, and what it means; `notation` is its short name in addresses."""

    text: Text
    href: str = ""
    meaning: str = ""
    notation: str = ""


# ---- labels


def concept(name: str, value: Any) -> Label | None:
    """The label of a value of a scheme; one that the scheme does not know is called what its source called it."""
    if value is None:
        return None
    found = scheme(name).find(plain(value))
    if found is None:
        return called(value)
    return Label(Text(found.label, "en"), web(found.iri), found.definition or "", found.notation)


def called(value: Any) -> Label:
    """What a source calls something, linked when it is an address."""
    if isinstance(value, Text):
        return Label(value, web(value.value))
    if isinstance(value, Node):
        own = words_of(value)
        return Label(own or Text(str(value.iri or "")), web(str(value.iri or "")))
    said = value.value if isinstance(value, Literal) else str(value)
    return Label(Text(said), web(said))


def words_of(node: Node) -> Text | None:
    """The title, name or label of a described thing, in English where there is one."""
    for field in ("titles", "names", "labels"):
        if found := best(getattr(node, field, ())):
            return found
    said = (s.object for s in node.rest if s.predicate.endswith(("abel", "title", "name", "value")))
    return best(text for text in said if isinstance(text, Text))


FACETS = {
    "theme": "themes", "format": "media-types", "licence": "licences", "access": "access-rights",
    "frequency": "frequencies", "mission": "missions",
}  # fmt: skip


def choice(parameter: str, value: str) -> str:
    """What a value of a filter is called, where a scheme says so."""
    found = scheme(FACETS[parameter]).get(value) if parameter in FACETS else None
    if found:
        return found.label
    return {"format": value.upper(), "licence": "Other terms"}.get(parameter, value)


# ---- languages


def best(texts: Iterable[Any]) -> Text | None:
    """The text for a reader of English, with its language."""
    return next(iter(spoken(text for text in texts if isinstance(text, Text))), None)


def spoken(texts: Iterable[Text]) -> list[Text]:
    """Every text: English first, then what does not say its language, then by language."""
    return sorted(texts, key=lambda t: (0 if t.lang[:2] == "en" else 1 if not t.lang else 2, t.lang, t.value))


def language(tag: str) -> str:
    """What the speakers of a language call it: `cy` is Cymraeg."""
    found = scheme("languages").find(tag.partition("-")[0])
    return found.label_in(tag) if found else tag


# ---- dates and numbers

_MONTHS = tuple(month_name)
_TIME = re.compile(r"[T ](\d\d):(\d\d)")


def date(said: Any, *, time: bool = True) -> Text | None:
    """A date as people write it, as precisely as it was said; what is no date stays as it is. None when nothing was said."""
    if said is None or said == "":
        return None
    value = said.value if isinstance(said, Text | Literal) else str(said)
    found = day(value.strip())
    if found is None:
        return said if isinstance(said, Text) else Text(value)
    precision = value.strip().partition("T")[0].count("-")
    shown = (f"{found.year}", f"{_MONTHS[found.month]} {found.year}")
    hour = _TIME.search(value) if time else None
    at = f" at {hour[1]}:{hour[2]}" if hour and hour.groups() != ("00", "00") else ""
    return Text((*shown, f"{found.day} {_MONTHS[found.month]} {found.year}{at}")[min(precision, 2)])


def moment(at: datetime | None) -> str:
    """The minute of something that we did ourselves."""
    return f"{at.day} {at:%B %Y} at {at:%H:%M}" if at else ""


def minute(at: datetime) -> str:
    """The same where room is short."""
    return f"{at.day} {at:%b %Y}, {at:%H:%M}"


def just_day(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def period(start: Any, end: Any) -> str:
    """ "1988 to 2026", "since 2010", "until 2020"."""
    first, last = date(start), date(end)
    if first and last:
        return first.value if first == last else f"{first.value} to {last.value}"
    return f"since {first.value}" if first else f"until {last.value}" if last else ""


def schedule(cron: str) -> str:
    """A simple rhythm in words; one that is not simple as it is written."""
    found = _RHYTHM.fullmatch(cron.strip())
    if not found:
        return cron
    minute, hour, month_day, week_day = (int(part) if part != "*" else None for part in found.groups())
    if minute is None or hour is None or (month_day is not None and week_day is not None):
        return cron
    at = f"at {hour:02}:{minute:02}"
    if week_day is not None:
        return f"Every {day_name[(week_day - 1) % 7]} {at}"
    return f"Every month on day {month_day} {at}" if month_day is not None else f"Every day {at}"


_RHYTHM = re.compile(r"(\d{1,2}|\*) (\d{1,2}|\*) (\d{1,2}|\*) \* ([0-7]|\*)")


def duration(said: str) -> str:
    """PT15M is 15 minutes; what is no simple duration stays as it is."""
    found = _DURATION.fullmatch(said.strip())
    if not found:
        return said
    number, unit = next((int(value), name) for name, value in found.groupdict().items() if value)
    return many(number, unit)


_DURATION = re.compile(
    r"P(?:(?P<year>\d+)Y|(?P<month>\d+)M|(?P<week>\d+)W|(?P<day>\d+)D|T(?P<hour>\d+)H|T(?P<minute>\d+)M|T(?P<second>\d+)S)"
)


def lasted(seconds: float) -> str:
    """How long something took, in the unit that suits it."""
    if seconds < 1:
        return "Less than a second"
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min {left} s"


def size(said: Any) -> str:
    """A number of bytes as people say it: 18874368 is 18.9 MB. "" when nothing was said; words that are no number stay."""
    value = said.value.strip() if isinstance(said, Text | Literal) else str(said or "")
    try:
        count = float(value)
    except ValueError:
        return value
    if not 0 <= count < inf:
        return value
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:,.0f} {unit}" if unit in ("bytes", "kB") or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return value


def many(count: int, one: str, more: str = "") -> str:
    """ "1 dataset", "1,204 datasets"."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


# ---- links and text


def web(address: str) -> str:
    """The address itself when it is of a kind that may become a link, else ""."""
    if not address or any(letter <= " " or letter in '<>"\x7f' for letter in address):
        return ""
    try:
        parts = urlsplit(address)
        known = parts.scheme.lower() in LINKED and bool(
            parts.hostname or (parts.scheme in ("mailto", "tel") and parts.path)
        )
    except ValueError:
        return ""
    return address if known else ""


def email(said: str) -> str:
    """An e-mail address without what may stand before it, "" for anything else."""
    bare = said.strip().removeprefix("mailto:")
    return bare if _EMAIL.fullmatch(bare) and len(bare) <= 254 else ""


def link(label: Label | None, href: str = "") -> Markup | None:
    """A label as a link where it leads anywhere, in its language."""
    if label is None or not label.text.value:
        return None
    shown = in_language(label.text)
    target = href or label.href
    return Markup('<a class="govuk-link" href="{}">{}</a>').format(target, shown) if target else shown


def mail(address: str) -> Markup:
    return Markup('<a class="govuk-link" href="mailto:{}">{}</a>').format(quote(address, safe="@+"), address)


def in_language(text: Text) -> Markup:
    """Words that a screen reader is to speak in their own language."""
    if text.lang and text.lang != "en":
        return Markup('<span lang="{}">{}</span>').format(text.lang, printable(text.value))
    return escape(printable(text.value))


def joined(pieces: Iterable[Any], between: str = ", ") -> Markup:
    """Markup or words one after another."""
    return Markup(between).join(pieces)  # noqa: S704 (our own comma)


def printable(text: str) -> str:
    """Words without the characters that no page and no feed of news may hold, whoever put them there."""
    return _UNPRINTABLE.sub("", text) if _UNPRINTABLE.search(text) else text


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_ADDRESS = re.compile(rf"(?P<web>\bhttps?://[^\s<>\"]+)|(?P<mail>(?<![\w.@])(?:{_EMAIL.pattern}))")
_TRAILING = re.compile(r"[.,;:!?'\])}]+\Z")
_BULLET = re.compile(r"[ \t]*[-*•–][ \t]+")


def paragraphs(text: str) -> Markup:
    """A source's plain text as paragraphs and lists, its addresses as links. Everything in it is taken for words."""
    shown, cut = printable(text[:LONGEST]), len(text) > LONGEST
    made = [_block(block) for block in re.split(r"\n[ \t]*\n", shown.replace("\r\n", "\n").replace("\r", "\n").strip())]
    if cut:
        made.append(Markup('<p class="govuk-body app-muted">The description goes on: the metadata has all of it.</p>'))
    return Markup("\n").join(made)


def _block(block: str) -> Markup:
    """A paragraph, or a list where lines begin as items do, or one after the other."""
    made = []
    lines = [line for line in block.split("\n") if line.strip()]
    for is_list, group in groupby(lines, key=lambda line: bool(_BULLET.match(line))):
        if is_list:
            items = [Markup("<li>{}</li>").format(linked(_BULLET.sub("", line, count=1))) for line in group]
            made.append(Markup('<ul class="govuk-list govuk-list--bullet">{}</ul>').format(Markup("").join(items)))
        else:
            said = Markup("<br>").join(linked(line.strip()) for line in group)
            made.append(Markup('<p class="govuk-body">{}</p>').format(said))
    return Markup("\n").join(made)


def linked(text: str) -> Markup:
    """One line with its addresses as links that lend nobody our good name."""
    text = printable(text)
    made, done = [], 0
    for found in _ADDRESS.finditer(text):
        shown = _TRAILING.sub("", found[0]) if found["web"] else found[0]
        if found["web"] and shown.count("(") > shown.count(")") and found[0][len(shown) : len(shown) + 1] == ")":
            shown += ")"
        if found["web"] and not web(shown):
            continue
        made.append(escape(text[done : found.start()]))
        target = shown if found["web"] else f"mailto:{quote(shown, safe='@+')}"
        made.append(Markup('<a class="govuk-link" rel="nofollow" href="{}">{}</a>').format(target, shown))
        done = found.start() + len(shown)
    return Markup("").join([*made, escape(text[done:])])


def shortened(text: str, length: int = 220) -> str:
    """The beginning of a text in one line, cut between words."""
    line = " ".join(text[: length * 4].split())
    if len(line) <= length:
        return line
    return line[:length].rsplit(" ", 1)[0].rstrip(",;:.–- ") + "…"
