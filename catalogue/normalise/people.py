"""Publishers and contacts that were given as words become somebody with a name, a mailbox, a number, a page."""

from __future__ import annotations

import re

from catalogue.dcat import IRI, Agent, ContactPoint, Node, Text, Value
from catalogue.normalise.addresses import address, dialled, email
from catalogue.normalise.words import Mended, line, says_nothing

_NAME_AND_MAILBOX = re.compile(
    r"(?P<name>[^<>@]*?)[\s,:;-]*[<(\[](?:mailto:)?\s*(?P<mailbox>[^\s<>()\[\]]+@[^\s<>()\[\]]+)[>)\]]"
)


def agent(value: Value) -> Mended:
    """A publisher in words: `"Ofcom"` → `[ foaf:name "Ofcom" ]`; `"https://www.gov.uk/ofcom"` → that address."""
    if isinstance(value, Node | IRI):
        return value
    said = _said(value)
    if not isinstance(said, Text):
        return Agent(iri=said) if said else None
    names, mailboxes = _apart(said)
    return Agent(names=names, mailboxes=mailboxes)


def contact(value: Value) -> Mended:
    """A contact in words: `"Jo <jo@x.gov.uk>"` → `[ vcard:fn "Jo" ; vcard:hasEmail <mailto:jo@x.gov.uk> ]`."""
    if isinstance(value, Node | IRI):
        return value
    said = _said(value)
    if not isinstance(said, Text):
        return ContactPoint(pages=frozenset((said,))) if said else None
    if number := dialled(said.value):
        return ContactPoint(telephones=frozenset((number,)))
    names, emails = _apart(said)
    return ContactPoint(names=names, emails=emails)


def _said(value: Value) -> Text | IRI | None:
    mended = line(value if type(value) is Text else Text(getattr(value, "value", "")))
    if type(mended) is not Text or says_nothing(mended.value):
        return None
    return address(mended.value) or mended


def _apart(said: Text) -> tuple[frozenset[Text], frozenset[IRI]]:
    """The name and the mailbox in words that may hold either or both."""
    found = _NAME_AND_MAILBOX.fullmatch(said.value)
    mailbox = email(Text(found["mailbox"] if found else said.value))
    emails = (
        frozenset(one for one in mailbox if isinstance(one, IRI)) if isinstance(mailbox, tuple) else frozenset[IRI]()
    )
    if not emails:
        return frozenset((said,)), emails
    name = found["name"].strip(" \"',") if found else ""
    return frozenset((Text(name, said.lang),) if name else ()), emails
