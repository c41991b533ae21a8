"""How large a file is, in bytes."""

from __future__ import annotations

import re
from decimal import Decimal

from catalogue.dcat import IRI, Literal, Number, Text, Value
from catalogue.normalise.words import Mended, line, says_nothing, written
from catalogue.rdf.lexical import LEXICAL
from vocab.namespaces import XSD

UNITS = {
    "": 1, "b": 1, "byte": 1, "bytes": 1, "k": 10**3, "kb": 10**3, "kib": 2**10, "m": 10**6, "mb": 10**6, "mib": 2**20,
    "g": 10**9, "gb": 10**9, "gib": 2**30, "tb": 10**12, "tib": 2**40,
}  # fmt: skip
"""kB and MB by the thousand, as the International System has it; KiB and MiB say otherwise."""

_SIZE = re.compile(
    r"((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,18})(?:\.[0-9]{1,18})?)(?:[eE]\+?([0-9]{1,2}))? ?([A-Za-z]{0,5})"
)


def byte_size(value: Value) -> Mended:
    """A whole number of bytes: `"12 MB"` → `12000000`, `"12,345"` → `12345`; "large" stays as it is."""
    if isinstance(value, Literal):
        if value.datatype == XSD.nonNegativeInteger and LEXICAL[XSD.nonNegativeInteger](value.value):
            return value
        return _bytes(value.value.strip()) or written(value)
    mended = line(value)
    if type(mended) is Text:
        return None if says_nothing(mended.value) else _bytes(mended.value) or mended
    return mended


def _bytes(words: str) -> Number | None:
    found = _SIZE.fullmatch(words)
    unit = UNITS.get(found[3].lower()) if found else None
    if not found or not unit:
        return None
    size = Decimal(found[1].replace(",", "")) * 10 ** int(found[2] or 0) * unit
    return Number(str(int(size)), IRI(XSD.nonNegativeInteger)) if size == int(size) and size < 10**20 else None
