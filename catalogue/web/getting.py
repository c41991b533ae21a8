"""How to get a dataset: what its access level means, what can be downloaded, whom to ask and what to write to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from catalogue.dcat import DataService, Dataset, Distribution, Node, Resource, Text
from catalogue.facts import formats, licence, plain
from catalogue.web import present
from catalogue.web.people import Person
from catalogue.web.present import Label
from vocab import scheme

NOT_GIVEN = "Nobody has said who may have this data. Ask before you count on having it."

WHAT_TO_DO = {
    "open": "You do not have to ask anybody.",
    "restricted": "Write to whoever answers for it.",
    "commercial": "Write to whoever answers for it and ask for the terms.",
    "internal": "If you work for a public body, write to whoever answers for it.",
}
"""What to do, by the notation of the access right."""


@dataclass(frozen=True, slots=True)
class Question:
    """What an owner asks of everybody: how a page puts it, how a letter does, and what belongs in the answer."""

    asked: str
    written: str
    answer: str


THEY_WILL_NEED = (
    Question("Who you are", "Who I am", "your name, your organisation and your part in it, and how to reach you"),
    Question("What it is for", "What it is for", "the decision, the service or the research that it will serve"),
    Question(
        "Which part", "Which part I need", "the years, the area, the columns, and whether it would do without names"
    ),
    Question("For how long", "For how long", "when you need it first, and when you will need it no longer"),
    Question(
        "Your legal basis",
        "My legal basis",
        "the law that lets you have it, if it is about people; say if you are not sure",
    ),
    Question("How it is kept safe", "How I will keep it safe", "where it is held, who will see it, when it is deleted"),
)


@dataclass(frozen=True, slots=True)
class File:
    """One way in which the data comes: a file, a page or a service."""

    title: Text | None
    formats: tuple[Label, ...]
    download: str
    access: str
    size: str
    updated: Text | None
    licence: Label | None
    services: tuple[Label, ...]
    facts: tuple[tuple[str, Any], ...]
    """What else is said of it: label and value."""

    @property
    def kind(self) -> str:
        """download, service or page."""
        if self.download:
            return "download"
        served = self.services or any(_kind(form) == "service" for form in self.formats)
        return "service" if served else "page"

    @property
    def href(self) -> str:
        return self.download or self.access

    @property
    def name(self) -> str:
        return self.title.value if self.title else ", ".join(form.text.value for form in self.formats) or "The data"


@dataclass(frozen=True, slots=True)
class Letter:
    """What to write. `mailto` opens it in a letter program; "" when nobody's address is known."""

    to: str
    subject: str
    body: str

    @property
    def mailto(self) -> str:
        if not self.to:
            return ""
        said = urlencode({"subject": self.subject, "body": self.body.replace("\n", "\r\n")}, quote_via=quote)
        return f"mailto:{quote(self.to, safe='@+')}?{said}"


@dataclass(frozen=True, slots=True)
class Getting:
    """Everything under "How to get this data"."""

    access: Label | None
    what_to_do: str
    files: tuple[File, ...]
    pages: tuple[Label, ...]
    licence: Label | None
    licence_open: bool | None
    """Whether anybody may use it for anything; None when that is not known."""
    conditions: tuple[Text, ...]
    contact: Person | None
    contact_by: str
    """Who names the contact: "dataset" for this description, "organisation" for others of the same body, "" for nobody."""
    letter: Letter
    correction: Letter
    """What to write when the description is wrong."""

    @property
    def is_open(self) -> bool:
        return bool(self.access and self.access.notation == "open")

    @property
    def asks(self) -> bool:
        """Whether one has to ask: it is not open, or there is nothing to take."""
        return not self.is_open or not (self.files or self.pages)

    @property
    def first(self) -> File | None:
        """What to offer on the button: the first download, else the first service or page."""
        usable = [file for file in self.files if file.href]
        return min(usable, key=lambda file: ("download", "service", "page").index(file.kind), default=None)


def getting(resource: Resource, page: str, organisation: str, own: Person | None, other: Person | None) -> Getting:
    """Work it out. `page` is the dataset's public address; `own` is whom it says to ask, `other` whom its organisation does."""
    access = present.concept("access-rights", resource.access_rights)
    contact = own if own and (own.reachable or other is None) else other
    terms = scheme("licences").get(licence(resource))
    return Getting(
        access=access,
        what_to_do=WHAT_TO_DO.get(access.notation, "Ask before you count on having it.") if access else NOT_GIVEN,
        files=tuple(files(resource)),
        pages=tuple(_addresses(resource.landing_pages)),
        licence=_licence(resource),
        licence_open={"true": True, "false": False}.get(terms.facts.get("open", "")) if terms else None,
        conditions=tuple(_conditions(resource)),
        contact=contact,
        contact_by="" if contact is None else "dataset" if contact is own else "organisation",
        letter=letter(resource, page, organisation, contact),
        correction=_correction(resource, page, contact),
    )


def letter(resource: Resource, page: str, organisation: str, contact: Person | None) -> Letter:
    """A request with blanks for what only its writer knows."""
    title = present.best(resource.titles)
    name = present.shortened(title.value, 150) if title else "this dataset"
    whom = contact.name.value if contact and contact.name else organisation
    blanks = "\n\n".join(f"{question.written}: [{question.answer}]" for question in THEY_WILL_NEED)
    body = (
        f"Dear {whom or 'data owner'},\n\nI would like to ask for this data:\n{name}\n{page}\n\n{blanks}\n\n"
        "If you are not the right person to ask, please tell me who is.\n\nThank you\n[your name]"
    )
    return Letter(contact.email if contact else "", f"Request for data: {name}", body)


def _correction(resource: Resource, page: str, contact: Person | None) -> Letter:
    title = present.best(resource.titles)
    name = present.shortened(title.value, 150) if title else "this dataset"
    body = f"Your description of this data:\n{name}\n{page}\n\nis wrong here:\n\n[what is wrong, and what would be right]\n"
    return Letter(contact.email if contact else "", f"Please correct: {name}", body)


def files(resource: Resource) -> Iterable[File]:
    """Every way in which the data comes, what can be downloaded first."""
    if isinstance(resource, DataService):
        return [_endpoint(resource)]
    if not isinstance(resource, Dataset):
        return []
    found = [_file(distribution) for distribution in resource.distributions]
    kinds = ("download", "service", "page")
    return sorted(found, key=lambda file: (kinds.index(file.kind), file.name, file.href))


def _file(said: Distribution) -> File:
    facts: list[tuple[str, Any]] = [
        ("About", [present.in_language(text) for text in present.spoken(said.descriptions)]),
        ("Packed as", _label("media-types", said.compress_format or said.package_format)),
        ("Availability", _label("", said.availability)),
        ("Status", _label("", said.status)),
        ("Who may have it", _label("access-rights", said.access_rights)),
        ("Terms", [present.link(present.called(right)) for right in sorted(said.rights, key=plain)]),
        ("Follows", [present.link(label) for label in _addresses(said.conforms_to)]),
        ("About it", [present.link(label) for label in _addresses(said.pages)]),
        ("Detail in time", present.duration(plain(said.temporal_resolution))),
        ("Checksum", _checksum(said)),
    ]
    return File(
        title=present.best(said.titles),
        formats=_formats(said),
        download=_first(said.download_urls),
        access=_first(said.access_urls),
        size=present.size(said.byte_size),
        updated=present.date(said.modified or said.issued),
        licence=next((present.concept("licences", value) for value in sorted(said.licences, key=plain)), None),
        services=tuple(_service(service) for service in sorted(said.access_services, key=lambda s: str(s.iri))),
        facts=tuple((label, value) for label, value in facts if value),
    )


def _endpoint(service: DataService) -> File:
    """A service as the one way to itself."""
    about = [present.link(label) for label in _addresses(service.endpoint_descriptions)]
    return File(
        title=present.best(service.titles),
        formats=tuple(_choice(value) for value in formats(service)),
        download="",
        access=_first(service.endpoint_urls),
        size="",
        updated=None,
        licence=None,
        services=(_service(service),),
        facts=(("What it can do", about),) if about else (),
    )


def _service(service: DataService) -> Label:
    own = present.words_of(service)
    address = _first(service.endpoint_urls)
    return Label(own or Text(address or str(service.iri or "")), address or present.web(str(service.iri or "")))


def _formats(said: Distribution) -> tuple[Label, ...]:
    """The media type, else the format, each once."""
    found = [present.concept("media-types", value) for value in sorted(said.media_types or said.formats, key=plain)]
    return tuple({label.text.value: label for label in found if label}.values())


def _choice(value: str) -> Label:
    return Label(Text(present.choice("format", value)), notation=value)


def _kind(form: Label) -> str:
    known = scheme("media-types").get(form.notation) if form.notation else None
    return known.facts.get("kind", "") if known else ""


def _licence(resource: Resource) -> Label | None:
    """The licence of the dataset, else the one that its files share."""
    said: set[Any] = set(resource.licences)
    if not said and isinstance(resource, Dataset):
        said = {value for distribution in resource.distributions for value in distribution.licences}
    return next((present.concept("licences", value) for value in sorted(said, key=plain)), None)


def _conditions(resource: Resource) -> list[Text]:
    """What the source says about getting and using it, in words or as the address of the words."""
    return present.spoken(present.called(right).text for right in resource.rights)


def _addresses(values: Iterable[Any]) -> list[Label]:
    return sorted({present.called(value) for value in values}, key=lambda label: (label.text.value, label.href))


def _first(values: Iterable[Any]) -> str:
    """The first address that may become a link."""
    return next(filter(None, (present.web(_address(value)) for value in sorted(values, key=_address))), "")


def _address(value: Any) -> str:
    return str(value.iri or "") if isinstance(value, Node) else plain(value)


def _label(name: str, value: Any) -> Any:
    """A concept's words; a plain code of a list that we do not have is shown by its last word."""
    if value is None:
        return ""
    if name:
        return present.link(present.concept(name, value))
    said = present.called(value).text.value
    return (
        said.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1].replace("_", " ").capitalize() if "://" in said else said
    )


def _checksum(said: Distribution) -> str:
    if said.checksum is None or said.checksum.value is None:
        return ""
    algorithm = plain(said.checksum.algorithm).rsplit("_", 1)[-1].upper() if said.checksum.algorithm else ""
    return f"{algorithm} {said.checksum.value.value}".strip()
