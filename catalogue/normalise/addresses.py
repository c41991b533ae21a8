"""Addresses that were given as words: of pages and files, mailboxes, telephones. What could be something else stays as words."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from catalogue.dcat import IRI, Literal, Text, Thing, Value
from catalogue.normalise.words import Mended, line, prose, safe, says_nothing, written
from catalogue.rdf import repaired
from vocab.namespaces import VCARD, XSD

_ADDRESS = re.compile(
    r"(?:https?|ftp)://(?:[^\s/?#@]*@)?(?:[^\s/?#@:\[\]<>\"{}|\\^`,;()]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:[/?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_SECOND = re.compile(r"[\s,;](?:https?|ftp)://|[\s,;]www\.", re.IGNORECASE)


def link(value: Value) -> Mended:
    """Where something can be fetched or read: `"https://x.gov.uk/my file.csv"` → `<https://x.gov.uk/my%20file.csv>`.

    `www.x.gov.uk` stays as words: whether that is http or https, or answers at all, only its owner knows.
    """
    if type(value) is IRI:
        return safe(value)
    if isinstance(value, Literal):
        return address(value.value) or written(value) if value.datatype == XSD.anyURI else written(value)
    return _words(value, line, address)


def words_or_address(value: Value) -> Mended:
    """Words that are nothing but an address become one: `"https://x.gov.uk/spec"` → `<https://x.gov.uk/spec>`."""
    if type(value) is IRI:
        return safe(value)
    if isinstance(value, Literal):
        return absolute(value) or written(value)
    return _words(value, prose, lambda words: address(words) if " " not in words and "\n" not in words else None)


def _words(value: Value, tidy: Callable[[Value], Mended], meant: Callable[[str], Value | None]) -> Mended:
    mended = tidy(value)
    if type(mended) is not Text:
        return mended
    return None if says_nothing(mended.value) else meant(mended.value) or mended


def address(words: str) -> IRI | None:
    """The web address that words are; None where there are two, or something else beside it."""
    words = words.strip()
    if not _ADDRESS.fullmatch(words) or _SECOND.search(words):
        return None
    scheme, rest = words.split(":", 1)
    return IRI(repaired(f"{scheme.lower()}:{rest}"))


def absolute(value: Literal) -> IRI | None:
    """What was typed xsd:anyURI and is one."""
    said = value.value.strip()
    return IRI(repaired(said)) if value.datatype == XSD.anyURI and _ABSOLUTE.fullmatch(said) else None


# ---- Mailboxes

_MAILBOX = r"[^\s<>()\[\],;:\"@/]+@[^\s<>()\[\],;:\"@/.]+(?:\.[^\s<>()\[\],;:\"@/.]+)+"
_MAIL = re.compile(rf"(?:mailto:\s*)?({_MAILBOX})", re.IGNORECASE)
_MAIL_LIST = re.compile(r"\s*[;,]\s*|\s+(?:or|and|/|\|)\s+|\s+")
_AFTER_MAILTO = re.compile(r"mailto:\s+", re.IGNORECASE)
_AFTER_A_BASE = re.compile(rf"https?://[^?#]*/(?:mailto:)?({_MAILBOX})", re.IGNORECASE)


def email(value: Value) -> Mended:
    """A mailbox as an address: `"jo@x.gov.uk"` → `<mailto:jo@x.gov.uk>`. "jo at x.gov.uk" stays as words."""
    value = _plainly(value)
    if type(value) is IRI:
        return _email_address(value)
    said = line(value)
    if type(said) is not Text:
        return said
    parts = _MAIL_LIST.split(_AFTER_MAILTO.sub("mailto:", said.value))
    found = [_MAIL.fullmatch(part) for part in parts if part]
    if found and all(found):
        return tuple(_mailto(one[1]) for one in found if one)
    return None if says_nothing(said.value) else said


def _email_address(value: IRI) -> IRI | None:
    """Also an address that a file gave bare, and a reader took for a page beside it: `<https://x.gov.uk/jo@x.gov.uk>`."""
    said = value.replace("%20", " ").strip()
    found = _MAIL.fullmatch(said) or _AFTER_A_BASE.fullmatch(said)
    mended = _mailto(found[1]) if found else None
    return safe(value) if mended is None or mended == value else mended


def _mailto(mailbox: str) -> IRI:
    return IRI("mailto:" + repaired(mailbox))


# ---- Telephones

_LABEL = re.compile(r"^(?:telephone|tel|phone|ffôn)\b[.:]* *", re.IGNORECASE)
_ZERO_TO_LEAVE_OUT = re.compile(r"^((?:\+|00) *44) *\(0\)")
_EXTENSION = re.compile(r",?;? *(?:ext\.?|extension|x|;ext=) *([0-9]{1,7})$", re.IGNORECASE)
_PHONE_LIST = re.compile(r" *[;/|] *| or ")
_PHONE = re.compile(r"(?P<abroad>\+|00)?(?P<number>[0-9]{5,15})")
_UK_NUMBER = re.compile(r"[1235789][0-9]{8,9}")


def telephone(value: Value) -> Mended:
    """A number that can be dialled from anywhere: `"020 7946 0000"` → `<tel:+442079460000>`. "ask Bob" stays as words."""
    value = _plainly(value)
    if type(value) is IRI:
        found = dialled(unquote(value[4:])) if value.lower().startswith("tel:") else None
        return safe(value) if found is None or found == value else found
    said = line(value)
    if type(said) is not Text:
        return said
    numbers = [dialled(part) for part in _PHONE_LIST.split(said.value)]
    if all(numbers):
        return tuple(number for number in numbers if number)
    return None if says_nothing(said.value) else dialled(said.value) or said


@lru_cache(maxsize=5_000)
def dialled(words: str) -> IRI | None:
    """The address of a number that is certain: an international one, or one of the United Kingdom with its area code."""
    words = _LABEL.sub("", words)
    extension = _EXTENSION.search(words)
    digits = _ZERO_TO_LEAVE_OUT.sub(r"\1", _EXTENSION.sub("", words))
    found = _PHONE.fullmatch(re.sub(r"[\s().‑–-]", "", digits))
    if not found:
        return None
    number = found["number"]
    if not found["abroad"]:
        number = "44" + number[1:] if number[0] == "0" else ""
    if number.startswith("44"):
        number = "44" + number[2:].removeprefix("0")
        if not _UK_NUMBER.fullmatch(number[2:]):
            return None
    if not 7 <= len(number) <= 15:
        return None
    return IRI(f"tel:+{number}" + (f";ext={extension[1]}" if extension else ""))


# ---- Both


def _plainly(value: Value) -> Value:
    """vCard may hang an address in a node of its own, `[ vcard:hasValue <tel:+441632960000> ]`, or type it as xsd:anyURI."""
    while type(value) is Thing and value.iri is None and not value.types and len(value.rest) == 1:
        (said,) = value.rest
        if said.predicate != VCARD.hasValue:
            break
        value = said.object
    if type(value) is Literal and value.datatype == XSD.anyURI:
        return absolute(value) or Text(value.value)
    return value
