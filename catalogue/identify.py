"""The id and IRI that a resource keeps for life, and the keys by which another source's record is known to mean the same one."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from operator import attrgetter
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
    replace,
    words,
)
from catalogue.errors import Problem, RecordRejected
from catalogue.organisations import Organisation
from catalogue.source import HarvestSource, SourceRecord, is_name
from vocab import scheme
from vocab.namespaces import FEDCAT, OWL, SKOS

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
class Facts:
    """What tells whether two records can mean one dataset at all."""

    kind: str
    organisation: str
    """The slug of the body that answers for it; "" when nobody is known to."""
    current: bool = True

    def allow(self, other: Facts) -> bool:
        """Whether kind and organisation do not contradict each other; what is not said contradicts nothing."""
        bodies = {self.organisation, other.organisation} - {""}
        return self.kind == other.kind and len(bodies) < 2


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalogue holds already: ids by key. The line asks for a batch's keys at once."""

    ids: dict[str, str]
    iris: dict[str, str]
    ours: dict[str, str]
    """By dataset, the record of the source at work that describes it."""
    facts: dict[str, Facts] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    """Weak keys that several datasets of one source have: they prove nothing."""
    apart: dict[tuple[str, str], str] = field(default_factory=dict)
    """By record and dataset: the dataset that a person gave the record instead of that one."""

    def doubt(self, own_keys: Iterable[Iterable[str]]) -> None:
        """What several resources of one source have in common means none of them."""
        counts = Counter(key for some in own_keys for key in some if is_weak(key))
        self.shared.update(key for key, count in counts.items() if count > 1)

    def id_of(self, own_keys: Iterable[str], record: SourceRecord, facts: Facts) -> str | None:
        """The dataset that a record means, by its strongest key that is known. What a person kept apart stays apart."""
        for key in own_keys:
            held = self.ids.get(key)
            if held is None:
                continue
            if own := self.apart.get((record.identifier, held)):
                return own
            if self._means(key, held, record, facts):
                return held
        return None

    def _means(self, key: str, held: str, record: SourceRecord, facts: Facts) -> bool:
        """Whether a key that leads to a dataset is evidence enough.

        One source's records with one identifier are several datasets ("2024" and "2024"): only other sources' mean the same.
        """
        if is_weak(key):
            there = self.facts.get(held)
            return (
                bool(there and there.current and there.allow(facts))
                and held not in self.ours
                and key not in self.shared
            )
        if key.startswith("guid:") and held in self.facts and self.facts[held].kind != facts.kind:
            return False  # one metadata record describes one thing: a series or a service bears a copied identifier
        return not key.startswith(LOCAL) or self.ours.get(held, record.identifier) == record.identifier

    def learn(self, resource: Identified, record: SourceRecord) -> None:
        """Records later in the batch may mean the same dataset."""
        for key in resource.keys:
            held = self.ids.setdefault(key, resource.id)
            if held != resource.id and held in self.ours and is_weak(key):
                self.shared.add(key)
        self.iris.setdefault(resource.id, resource.iri)
        self.ours.setdefault(resource.id, record.identifier)
        self.facts.setdefault(resource.id, _facts(resource.kind, resource.organisation))


LOCAL = ("id:", "guid:")
"""Keys that a source may use twice for different datasets."""
WEAK = ("page:", "files:")
"""Keys that are circumstance rather than a name: they join only what other sources describe, and only without contradiction."""


def is_weak(key: str) -> bool:
    return key.startswith(WEAK)


def keys(resource: Resource, record: SourceRecord, source: HarvestSource, position: int) -> tuple[str, ...]:
    """Every key by which a resource may be known, strongest first.

    Its place in its source, its IRI, identifier + publisher, GEMINI file identifier, landing page, the set of its files.
    """
    found = [f"record:{source.name}:{record.identifier}:{resource.iri or position}"]
    if _is_address(resource.iri):
        found.append(f"iri:{resource.iri}")
    body = organisations.organisation(resource.publisher)
    said = sorted(set(_identifiers(resource)))
    if body:
        found += [f"id:{body.slug}:{kind_of(resource)}:{one}" for one in said]
    found += sorted({f"guid:{guid}" for one in (*said, *_other_identifiers(resource)) if (guid := _guid(one))})
    found += sorted({f"page:{place}" for place in _places(resource.landing_pages)})
    if isinstance(resource, Dataset) and (files := _files(resource)):
        found.append(f"files:{files}")
    return tuple(found)


def identify(
    resource: Resource,
    record: SourceRecord,
    source: HarvestSource,
    known: Known,
    base: str,
    own_keys: tuple[str, ...] = (),
) -> Identified:
    """Name a resource for life. Raises RecordRejected when there is nothing to name it by."""
    title = words(resource.titles)
    if not title:
        raise RecordRejected(_nameless())
    own_keys = own_keys or keys(resource, record, source, 0)
    publisher = organisations.organisation(resource.publisher)
    answering = publisher or organisations.registered(source.organisation or "") or _unregistered(source)
    id_ = known.id_of(own_keys, record, _facts(kind_of(resource), answering)) or _new_id(title, own_keys)
    iri = IRI(known.iris.get(id_) or (resource.iri if _is_address(resource.iri) else f"{base}/dataset/{id_}"))
    if publisher and publisher.registered:
        resource = _published_by(publisher, resource)
    resource = replace(_with_addresses(_with_agents_apart(resource), f"{base}/dataset/{id_}"), iri=iri)
    body = rdf.canonical(resource)
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
        contacts=tuple(sorted(contacts(resource), key=attrgetter("role", "name", "email", "telephone", "page"))),
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


def _facts(kind: str, body: Organisation | None) -> Facts:
    return Facts(kind, body.slug if body else "")


def _identifiers(resource: Resource) -> Iterator[str]:
    for said in resource.identifiers:
        value = (said.value if isinstance(said, Text | Literal) else str(said)).strip()
        if len(value) >= MIN_IDENTIFIER and is_name(value):
            yield value


MIN_IDENTIFIER = 4
"""Shorter identifiers ("1", "A2") are local numbers: too many datasets share them to mean the same thing."""


def _other_identifiers(resource: Resource) -> Iterator[str]:
    """What it is called elsewhere: further identifiers, a notation that one of them holds, the portal's own field `guid`."""
    for said in resource.other_identifiers:
        if isinstance(said, Thing):
            yield str(said.iri or "")
            yield from (_words(one.object) for one in said.rest if one.predicate == NOTATION)
        else:
            yield _words(said)
    yield from (_words(one.object) for one in resource.rest if one.predicate == GUID)


NOTATION, GUID = SKOS.notation, FEDCAT["extra-guid"]


def _words(said: object) -> str:
    return said.value if isinstance(said, Text | Literal) else said if isinstance(said, str) else ""


def _guid(said: str) -> str:
    """The UUID that an identifier is, as ISO and GEMINI records have for a file identifier; "" when it is none."""
    found = _UUID.fullmatch(said.strip())
    digits = found[1].replace("-", "").lower() if found else ""
    return found[1].lower() if found and len(set(digits)) > FEWEST_DIGITS else ""


_UUID = re.compile(r"(?:urn:uuid:)?\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)
FEWEST_DIGITS = 3
"""What has no more different digits was made up: 00000000-0000-…, 11111111-2222-…"""


def _files(resource: Dataset) -> str:
    """A digest of where its data are, all of them."""
    found = {
        place for one in resource.distributions for place in (*_places(one.download_urls), *_places(one.access_urls))
    }
    return blake2b("\n".join(sorted(found)).encode(), digest_size=12).hexdigest() if found else ""


def _places(said: Iterable[object]) -> Iterator[str]:
    """Addresses as far as they tell one page from another; the home page of a site tells nothing."""
    for one in said:
        address = str(one.iri or "") if isinstance(one, Node) else _words(one)
        found = _PLACE.match(address)
        if found and len(address) <= LONGEST:
            yield found[1].lower() + found[2].rstrip("/") + (found[3] or "")


_PLACE = re.compile(r"https?://([^/?#]+)(/+[^/?#][^?#]*)(\?[^#]+)?", re.IGNORECASE)
LONGEST = 1_000


def _new_id(title: str, own_keys: tuple[str, ...]) -> str:
    """The same for the same source, record and address, so a rebuilt catalogue keeps its links."""
    return id_for(title, own_keys[1] if len(own_keys) > 1 and own_keys[1].startswith("iri:") else own_keys[0])


def id_for(title: str, key: str) -> str:
    """`<slug>-<8 characters>`: the same for the same title and key."""
    digest = base64.b32encode(blake2b(key.encode(), digest_size=5).digest()).decode().lower()
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
