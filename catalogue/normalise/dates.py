"""Dates in the forms people write them become the four that a graph knows; what is no date stays as words."""

from __future__ import annotations

import re
from functools import lru_cache

from catalogue.dcat import IRI, Literal, PeriodOfTime, Text, Value, When
from catalogue.normalise.addresses import address
from catalogue.normalise.words import SAYS_NOTHING, Mended, line, prose, written
from catalogue.rdf.lexical import DATES, LEXICAL
from vocab.namespaces import XSD

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan ionawr", "february feb chwefror", "march mar mawrth", "april apr ebrill", "may mai",
            "june jun mehefin", "july jul gorffennaf", "august aug awst", "september sept sep medi", "october oct hydref",
            "november nov tachwedd", "december dec rhagfyr",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
"""By their English and Welsh names."""

_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}(?:[.,][0-9]+)?))?"
_ZONE = r" ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?"
_TIME = rf"(?:(?:T|,? (?:at )?){_CLOCK}{_ZONE})?"
_YEAR, _DAY = r"(?P<year>[0-9]{4})", r"(?P<day>[0-9]{1,2})"
_NAME = r"(?P<name>[A-Za-z]{3,10})"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?,? )?"

FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}([-/.])(?P<month>[0-9]{{1,2}})\2{_DAY}{_TIME}",
        r"(?P<year>[12][0-9]{3})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        rf"{_DAY}([-/.])(?P<month>[0-9]{{1,2}})\2{_YEAR}{_TIME}",  # day first, as in the United Kingdom
        rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)?[ -](?:of )?{_NAME}\.?,?[ -]{_YEAR}{_TIME}",
        rf"{_WEEKDAY}{_NAME}\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR}{_TIME}",
        rf"{_NAME}\.?,?[ -]{_YEAR}",
        rf"{_YEAR}-(?P<month>[0-9])",
        rf"(?P<month>[0-9]{{1,2}})/{_YEAR}",
    )
)
"""How people write a date, other than the forms of XML Schema. The first that fits decides."""

_BETWEEN = re.compile(r" (?:to|until|[-–—]) |[–—/]|--|(?<=[0-9]{4})-(?=[0-9]{4}$)")
_OPEN = frozenset(("", "..", "open", "ongoing", "present", "now", "to date"))


def date(value: Value) -> Mended:
    """A date with the right type: `"31 March 2025"`, `"2025-03-31"^^xsd:dateTime` → `"2025-03-31"^^xsd:date`.

    `03/04/2025` is 3 April. "TBC", "31/02/2025" and whatever else is no date stay as words, so that somebody can be told.
    """
    if isinstance(value, Literal):
        if value.datatype in DATES and LEXICAL[value.datatype](value.value):
            return value
        said = Text(value.value)
    elif type(value) is Text:
        said = value
    else:
        return written(value)
    tidy = line(said)
    if type(tidy) is not Text or tidy.value.lower() in _NO_DATE:
        return None
    return understood(tidy.value) or (value if tidy == value else tidy)


_NO_DATE = SAYS_NOTHING - {"tbc", "tba", "tbd", "to be confirmed"}
"""These four promise a date: the owner is reminded of it."""


@lru_cache(maxsize=10_000)
def understood(words: str) -> When | None:
    """The date that words stand for; as they were said where XML Schema has that form."""
    if len(words) > 60:
        return None
    for datatype in DATES:
        if LEXICAL[datatype](words):
            return When(words, IRI(datatype))
    for form in FORMS:
        if found := form.fullmatch(words):
            return _when(found.groupdict())
    return None


def _when(said: dict[str, str | None]) -> When | None:
    """None where the calendar has no such day, month or hour."""
    month = said.get("month") or MONTHS.get((said.get("name") or "").lower())
    if not month:
        return None
    words, datatype = f"{said['year']}-{int(month):02}", XSD.gYearMonth
    if day := said.get("day"):
        words, datatype = f"{words}-{int(day):02}", XSD.date
    if hour := said.get("hour"):
        seconds = (said["second"] or "00").replace(",", ".")
        words, datatype = f"{words}T{int(hour):02}:{said['minute']}:{seconds}{_zone(said['zone'])}", XSD.dateTime
    return When(words, IRI(datatype)) if LEXICAL[datatype](words) else None


def _zone(said: str | None) -> str:
    if not said:
        return ""
    return "Z" if said[0].isalpha() else f"{said[:3]}:{said[-2:]}"


def period(value: Value) -> Mended:
    """A time covered: `"2020-04-01/2021-03-31"`, `"April 2020 to March 2021"` → a period with a start and an end."""
    mended = prose(value)
    if type(mended) is not Text:
        return mended
    if mended.value.lower() in SAYS_NOTHING:
        return None
    for found in _BETWEEN.finditer(mended.value[:100]):
        before, after = mended.value[: found.start()].strip(), mended.value[found.end() :].strip()
        start, end = understood(before), understood(after)
        if (start or end) and (start or before.lower() in _OPEN) and (end or after.lower() in _OPEN):
            return PeriodOfTime(start=start, end=end)
    if named := address(mended.value):
        return PeriodOfTime(iri=named)
    return mended
