"""Who answers for a dataset: owner, steward, custodian and contact, each apart, as their sources name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from catalogue.dcat import Agent, ContactPoint, Literal, Node, Resource, Text
from catalogue.store import StoredContact
from catalogue.web import present

ROLES = {
    "owner": "Owner",
    "steward": "Steward",
    "custodian": "Custodian",
    "approver": "Approver",
    "contact": "Contact",
    "publisher": "Publisher",
    "creator": "Created by",
}
"""The parts that people have, in the order in which a page names them; others follow, called what their source calls them."""

ALWAYS = ("owner", "contact")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a team, with the ways to reach them that can be used. `role` is a key of ROLES or a source's word."""

    role: str
    name: Text | None
    email: str = ""
    phone: str = ""
    url: str = ""

    @property
    def reachable(self) -> bool:
        return bool(self.email or self.phone or self.url)

    @property
    def title(self) -> str:
        return _title(self.role)


def _title(role: str) -> str:
    return ROLES.get(role) or role.replace("-", " ").capitalize()


def people(resource: Resource) -> list[Person]:
    """Everybody whom a description names, by their part in it."""
    found = dict.fromkeys(person for person in _said(resource) if person.name or person.reachable)
    order = list(ROLES)
    return sorted(
        found, key=lambda p: (order.index(p.role) if p.role in order else len(order), p.role, str(p.name), p.email)
    )


def by_role(found: Iterable[Person]) -> list[tuple[str, list[Person]]]:
    """The same people under the names of their parts. Owner and contact stand there even when nobody has that part."""
    groups: dict[str, list[Person]] = {role: [] for role in ROLES}
    for person in found:
        groups.setdefault(person.role, []).append(person)
    return [(_title(role), held) for role, held in groups.items() if held or role in ALWAYS]


ASKED = ("contact", "owner", "steward", "custodian", "publisher")
"""Whom to ask first."""


def to_ask(found: Sequence[Person]) -> Person | None:
    """Whom to ask, of those whom a description names: the first who can be reached, else a contact with a name alone."""
    reachable = [person for person in found if person.reachable and person.role in ASKED]
    named = next((person for person in found if person.role == "contact"), None)
    return min(reachable, key=lambda person: ASKED.index(person.role), default=named)


def from_store(held: StoredContact) -> Person:
    """Somebody whom the datasets of an organisation name."""
    name = Text(held.name) if held.name else None
    return Person(held.role, name, present.email(held.email), _phone(held.telephone), present.web(held.page))


def best_of(held: Iterable[StoredContact]) -> Person | None:
    """Whom to ask at an organisation: who is named for contact most often and can be reached, else the publisher's address."""
    found = [person for person in map(from_store, held) if person.reachable]
    order = ("contact", "publisher", "steward", "custodian")
    return min((p for p in found if p.role in order), key=lambda p: order.index(p.role), default=None)


def _said(resource: Resource) -> Iterator[Person]:
    for point in resource.contact_points:
        yield _contact(point)
    for part in resource.qualified_attributions:
        for agent in part.agents:
            yield _agent(_role(part.roles), agent)
    for role, bodies in (("owner", resource.rights_holders), ("creator", resource.creators)):
        for body in bodies:
            yield Person(role, body) if isinstance(body, Text) else _agent(role, body)
    publisher = resource.publisher
    if isinstance(publisher, Agent) and _agent("publisher", publisher).reachable:
        yield _agent("publisher", publisher)


def _contact(point: ContactPoint | Text) -> Person:
    if isinstance(point, Text):
        address = present.email(point.value)
        return Person("contact", None if address else point, address, url=present.web(point.value))
    name = present.best(point.names) or present.best(point.units) or present.best(point.organisation_names)
    return Person("contact", name, _email(point.emails), _number(point.telephones), _web(point.pages))


def _agent(role: str, agent: Agent) -> Person:
    name = present.best(agent.names) or (Text(str(agent.iri)) if agent.iri else None)
    return Person(role, name, _email(agent.mailboxes), _number(agent.phones), _web(agent.homepages))


def _role(roles: Iterable[object]) -> str:
    """The plain word for a part: the first of ROLES that a role's name holds, else the last word of that name."""
    said = sorted(_words(role) for role in roles)
    for known in ROLES:
        if any(known in name.lower() for name in said):
            return known
    return said[0].replace("#", "/").rstrip("/").rsplit("/", 1)[-1] if said else "contributor"


def _email(values: Iterable[object]) -> str:
    return next(filter(None, map(present.email, _sorted(values))), "")


def _number(values: Iterable[object]) -> str:
    return next(filter(None, map(_phone, _sorted(values))), "")


def _web(values: Iterable[object]) -> str:
    return next((address for said in _sorted(values) if (address := present.web(said)).startswith("http")), "")


def _phone(said: str) -> str:
    """A number that can be dialled, "" for words."""
    bare = said.removeprefix("tel:").strip()
    return bare if sum(map(str.isdigit, bare)) >= 5 and not any(map(str.isalpha, bare)) else ""


def _sorted(values: Iterable[object]) -> list[str]:
    return sorted(map(_words, values))


def _words(value: object) -> str:
    if isinstance(value, Text | Literal):
        return value.value
    if isinstance(value, Node):
        said = sorted(str(s.object) for s in value.rest if isinstance(s.object, str))
        return str(value.iri or next(iter(said), "") or getattr(present.words_of(value), "value", ""))
    return str(value)
