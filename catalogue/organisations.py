"""Who is who: publishers as sources spell them become organisations with one name and one address."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from catalogue.dcat import IRI, Agent, Slug, Text, replace, words
from catalogue.rdf import described
from vocab import scheme
from vocab.namespaces import FOAF


@dataclass(frozen=True, slots=True)
class Organisation:
    """A public body: its entry in the register, or the name a source gave when the register has none."""

    slug: Slug
    title: str
    iri: str = ""

    @property
    def registered(self) -> bool:
        """Whether the register knows it."""
        return bool(self.iri)


@lru_cache(maxsize=10_000)
def organisation(agent: Agent | Text | None) -> Organisation | None:
    """The organisation that a publisher stands for. None when nothing names it."""
    if agent is None:
        return None
    names = [agent.value] if isinstance(agent, Text) else [str(agent.iri or ""), *sorted(t.value for t in agent.names)]
    for name in filter(None, names):
        if found := registered(name):
            return found
    title = agent.value if isinstance(agent, Text) else words(agent.names)
    if not title and not isinstance(agent, Text) and agent.iri:
        title = re.sub(r"[-_]+", " ", agent.iri.rstrip("/#").replace("#", "/").rsplit("/", 1)[-1])
    title = " ".join(title.split())
    named = slug(title)
    return Organisation(named, title) if named else None


@lru_cache(maxsize=10_000)
def registered(name: str) -> Organisation | None:
    """The register's entry for a name, abbreviation, address or slug."""
    if found := scheme("organisations").find(name):
        return Organisation(Slug(found.notation), found.label, found.iri)
    return None


def agent(body: Organisation) -> Agent:
    """The register's entry as an agent: one address, one set of names, the same on every dataset."""
    labels = scheme("organisations")[body.iri].labels
    names = frozenset(Text(label, lang) for lang, label in labels.items())
    return Agent(iri=IRI(body.iri), types=frozenset({IRI(FOAF.Organization)}), names=names)


def says_more(said: Agent) -> bool:
    """Whether a source says of an organisation anything that the register's entry would not."""
    return described(replace(said, types=frozenset(), names=frozenset()))


def slug(words_: str, limit: int = 80) -> Slug:
    """Lower-case letters, digits and single hyphens, cut at a word where it gets long. "" when nothing is left."""
    plain = unicodedata.normalize("NFKD", words_.replace("&", " and ").replace("'", "").replace("’", ""))
    made = re.sub(r"[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode().lower()).strip("-")
    if len(made) > limit:
        made = made[: limit + 1].rsplit("-", 1)[0][:limit].strip("-")
    return Slug(made)
