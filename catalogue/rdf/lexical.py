"""Which words a datatype takes: "2025-02-30" is no xsd:date, whatever the source calls it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from vocab.namespaces import RDF, XSD

_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))?"
_YEAR, _MONTH, _DAY = r"([0-9]{4})", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12][0-9]|3[01])"
_TIME = r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"


def _matching(pattern: str) -> Callable[[str], bool]:
    matches = re.compile(pattern).fullmatch
    return lambda words: matches(words) is not None


def _anything(_: str) -> bool:
    return True


def _on_the_calendar(pattern: str) -> Callable[[str], bool]:
    matches = re.compile(pattern).fullmatch

    def valid(words: str) -> bool:
        found = matches(words)
        if not found:
            return False
        try:
            date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return False
        return True

    return valid


LEXICAL: Mapping[str, Callable[[str], bool]] = {
    XSD.gYear: _matching(_YEAR + _ZONE),
    XSD.gYearMonth: _matching(f"{_YEAR}-{_MONTH}{_ZONE}"),
    XSD.date: _on_the_calendar(f"{_YEAR}-{_MONTH}-{_DAY}{_ZONE}"),
    XSD.dateTime: _on_the_calendar(f"{_YEAR}-{_MONTH}-{_DAY}{_TIME}{_ZONE}"),
    XSD.integer: _matching(r"[+-]?[0-9]+"),
    XSD.nonNegativeInteger: _matching(r"\+?[0-9]+|-0+"),
    XSD.decimal: _matching(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"),
    XSD.string: _anything,
    RDF.langString: _anything,
}
"""By datatype, whether a value may be written so. Dates have a year of four digits and exist."""

DATES = (XSD.dateTime, XSD.date, XSD.gYearMonth, XSD.gYear)
