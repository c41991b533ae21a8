"""The id and IRI that a resource keeps for life, and the keys by which another source's record is known to mean the same one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TypeVar

from catalogue import organisations, rdf
from catalogue.dcat import (
    IRI,
    Agent,
    Attribution,
    ContactPoint,
    Dataset,
    Distribution,
    Literal,
    Node,
    Resource,
    Slug,
    Statement,
    Text,
    Thing,
    kind_of,
    words,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.organisations import Organisation
from catalogue.source import HarvestSource, SourceRecord
from vocab import scheme
from vocab.namespaces import OWL

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to reach somebody about a resource, with the part they have in it."""

    role: str
    name: str
    email: str = ""
    telephone: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """A resource with its name for life, and what the store keeps beside its description."""

    id: str
    iri: IRI
    kind: str
    resource: Resource
    keys: tuple[str, ...]
    body: bytes
    """Its canonical N-Triples."""
    fingerprint: str
    title: str
    organisation: Organisation | None
    modified: str
    restricted: bool
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue holds already: ids by key. The line asks for a batch's keys at once."""

    ids: dict[str, str]
    iris: dict[str, str]
    ours: dict[str, str]
    """By dataset, the record of the source at work that describes it."""

    def id_of(self, own_keys: Iterable[str], record: SourceRecord) -> str | None:
        """The dataset that a record means, by its strongest key that is known.

        One source's records with one identifier are several datasets ("2024" and "2024"): only other sources' mean the same.
        """
        for key in own_keys:
            held = self.ids.get(key)
            if held and (not key.startswith("id:") or self.ours.get(held, record.identifier) == record.identifier):
                return held
        return None

    def learn(self, resource: Identified, record: SourceRecord) -> None:
        """Records later in the batch may mean the same dataset."""
        for key in resource.keys:
            self.ids.setdefault(key, resource.id)
        self.iris.setdefault(resource.id, resource.iri)
        self.ours.setdefault(resource.id, record.identifier)


def keys(resource: Resource, record: SourceRecord, source: HarvestSource, position: int) -> tuple[str, ...]:
    """Every key by which a resource may be known, strongest first: its place in its source, its IRI, identifier + publisher."""
    found = [f"record:{source.name}:{record.identifier}:{resource.iri or position}"]
    if _is_address(resource.iri):
        found.append(f"iri:{resource.iri}")
    body = organisations.organisation(resource.publisher)
    if body:
        found += sorted(f"id:{body.slug}:{kind_of(resource)}:{said}" for said in _identifiers(resource))
    return tuple(found)


def identify(
    resource: Resource, record: SourceRecord, source: HarvestSource, known: Known, base: str, position: int = 0
) -> Identified:
    """Name a resource for life. Raises RecordRejected when there is nothing to name it by."""
    title = words(resource.titles)
    if not title:
        raise RecordRejected(_nameless())
    own_keys = keys(resource, record, source, position)
    id_ = known.id_of(own_keys, record) or _new_id(title, own_keys)
    iri = IRI(known.iris.get(id_) or (resource.iri if _is_address(resource.iri) else f"{base}/dataset/{id_}"))
    publisher = organisations.organisation(resource.publisher)
    if publisher and publisher.registered:
        resource = _published_by(publisher, resource)
    resource = replace(_with_addresses(_with_agents_apart(resource), f"{base}/dataset/{id_}"), iri=iri)
    body = rdf.canonical(resource)
    answering = publisher or organisations.registered(source.organisation or "") or _unregistered(source)
    return Identified(
        id=id_,
        iri=iri,
        kind=kind_of(resource),
        resource=resource,
        keys=own_keys if f"iri:{iri}" in own_keys else (*own_keys, f"iri:{iri}"),  # others may pass on the IRI we gave
        body=body,
        fingerprint=blake2b(body, digest_size=16).hexdigest(),
        title=title,
        organisation=answering,
        modified=resource.modified.value if resource.modified else "",
        restricted=is_restricted(resource),
        contacts=tuple(contacts(resource)),
    )


def _published_by(body: Organisation, resource: R) -> R:
    """A resource whose publisher is the register's entry; what else was said of it stands in an attribution of its own."""
    said = resource.publisher
    if isinstance(said, Agent) and said.iri not in (None, body.iri):
        return replace(resource, publisher=_apart(said))
    if isinstance(said, Agent) and organisations.says_more(said):
        own = Attribution(agents=frozenset({_apart(said)}), roles=frozenset({IRI(PUBLISHER)}))
        resource = replace(resource, qualified_attributions=resource.qualified_attributions | {own})
    return replace(resource, publisher=organisations.agent(body))


def _with_agents_apart(resource: R) -> R:
    """A resource on which shared organisations are named, and described only in words of its own."""
    creators = frozenset(_apart(agent) if isinstance(agent, Agent) else agent for agent in resource.creators)
    parts = frozenset(
        replace(part, agents=frozenset(map(_apart, part.agents))) for part in resource.qualified_attributions
    )
    if (creators, parts) == (resource.creators, resource.qualified_attributions):
        return resource
    return replace(resource, creators=creators, qualified_attributions=parts)


def _apart(agent: Agent) -> Agent:
    """A registered organisation by its address, or without it when there is more to say.

    An address means the same wherever it stands: what one source says of a shared organisation, all would be saying.
    """
    if agent.parent:
        agent = replace(agent, parent=_apart(agent.parent))
    entry = organisations.registered(str(agent.iri)) if agent.iri else None
    if entry is None or entry.iri != agent.iri:
        return agent
    if not organisations.says_more(agent):
        return organisations.agent(entry)
    return replace(agent, iri=None, rest=agent.rest | {Statement(IRI(OWL.sameAs), agent.iri)})


PUBLISHER = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/publisher"


def is_restricted(resource: Resource) -> bool:
    """Whether the source says that not everybody may have the data."""
    said = resource.access_rights
    concept = scheme("access-rights").find(
        said if isinstance(said, str) else said.value if isinstance(said, Text) else ""
    )
    return bool(concept and concept.notation.lower() != "open")


def _is_address(iri: IRI | None) -> bool:
    return bool(iri) and str(iri).startswith(("http://", "https://"))


def _identifiers(resource: Resource) -> Iterable[str]:
    for said in resource.identifiers:
        value = said.value if isinstance(said, Text | Literal) else str(said)
        if len(value.strip()) >= MIN_IDENTIFIER:
            yield value.strip()


MIN_IDENTIFIER = 4
"""Shorter identifiers ("1", "A2") are local numbers: too many datasets share them to mean the same thing."""


def _new_id(title: str, own_keys: tuple[str, ...]) -> str:
    """`<slug>-<8 characters>`: the same for the same source, record and address, so a rebuilt catalogue keeps its links."""
    strongest = own_keys[1] if len(own_keys) > 1 and own_keys[1].startswith("iri:") else own_keys[0]
    digest = base64.b32encode(blake2b(strongest.encode(), digest_size=5).digest()).decode().lower()
    return f"{organisations.slug(title, 60) or 'dataset'}-{digest}"


def _with_addresses(resource: R, page: str) -> R:
    """Distributions get addresses, as feeds want them: a fragment of the dataset's page made from what they say."""
    if not isinstance(resource, Dataset) or all(d.iri for d in resource.distributions):
        return resource
    named = frozenset(_named(distribution, page) for distribution in resource.distributions)
    return replace(resource, distributions=named)


def _named(distribution: Distribution, page: str) -> Distribution:
    if distribution.iri:
        return distribution
    return replace(distribution, iri=IRI(f"{page}#distribution-{rdf.fingerprint(distribution)[:8]}"))


def _unregistered(source: HarvestSource) -> Organisation | None:
    """The body that the source itself belongs to answers for what names no publisher."""
    return (
        Organisation(Slug(source.organisation), source.organisation.replace("-", " ")) if source.organisation else None
    )


def contacts(resource: Resource) -> Iterable[Contact]:
    """Whom a description names, each with their part in it."""
    for point in resource.contact_points:
        if isinstance(point, ContactPoint):
            yield Contact(
                "contact", words(point.names), _bare(point.emails), _bare(point.telephones), _bare(point.pages)
            )
        else:
            yield Contact("contact", point.value)
    for part in resource.qualified_attributions:
        role = _role(part.roles)
        for body in part.agents:
            yield Contact(role, words(body.names) or str(body.iri or ""), _bare(body.mailboxes), _bare(body.phones))
    said = resource.publisher
    if said is not None and not isinstance(said, Text) and said.mailboxes:
        yield Contact("publisher", words(said.names), _bare(said.mailboxes), _bare(said.phones), _bare(said.homepages))


_ROLES: dict[str, Callable[[str], bool]] = {
    "owner": lambda said: "owner" in said,
    "steward": lambda said: "steward" in said,
    "custodian": lambda said: "custodian" in said,
    "approver": lambda said: "approver" in said,
}


def _role(roles: Iterable[IRI | Text | Thing]) -> str:
    """The plain word for a role: owner, steward, custodian, approver; else the last word of what was said."""
    said = sorted(
        str(role if isinstance(role, str) else role.value if isinstance(role, Text) else role.iri) for role in roles
    )
    for name, means in _ROLES.items():
        if any(means(word.lower()) for word in said):
            return name
    return said[0].replace("#", "/").rsplit("/", 1)[-1] if said else "contributor"


def _bare(values: Iterable[object]) -> str:
    """The first address or number, without mailto: and tel:."""
    said = sorted(str(v.value if isinstance(v, Text) else v.iri or "" if isinstance(v, Node) else v) for v in values)
    return next((value.removeprefix("mailto:").removeprefix("tel:") for value in said if value), "")


def _nameless() -> Problem:
    return Problem(
        rule="title-missing",
        message="The record has no title, so nothing could name it.",
        fix="Give it a title that says what the data are about.",
    )
