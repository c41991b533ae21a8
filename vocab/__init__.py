"""The lists we speak: what each value is called, in which languages, and every way in which people write it.

Each `*.ttl` beside this file is one concept scheme, found by its file name: `scheme("licences").find("OGL v3")`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from vocab.namespaces import DCT, FEDCAT, ORG, RDF, SKOS

__all__ = ["SCHEMES", "Concept", "Scheme", "UnknownConcept", "UnknownScheme", "fold", "read", "scheme", "shapes"]

HERE = files(__name__)
SCHEMES: tuple[str, ...] = tuple(sorted(file.name[:-4] for file in HERE.iterdir() if file.name.endswith(".ttl")))
"""The names of the installed schemes: one file each, so a new list needs no line of code."""

LONGEST = 400
"""Characters. Nobody's word for a licence is longer, and a page of text pasted there is not worth folding."""


class UnknownScheme(KeyError):
    """Ask for one of the schemes that the message names."""

    def __str__(self) -> str:
        return f"No scheme is called {self.args[0]!r}. Installed: {', '.join(SCHEMES)}."


class UnknownConcept(KeyError):
    """Use `find` for what people write, `get` where a miss is fine; indexing wants the IRI or the notation itself."""

    def __str__(self) -> str:
        title, name = self.args
        return f"{title} has no concept with the IRI or notation {name!r}."


@dataclass(frozen=True, slots=True)
class Concept:
    """One value of a scheme."""

    iri: str
    notation: str
    labels: Mapping[str, str] = field(hash=False)
    definition: str | None = None
    synonyms: frozenset[str] = frozenset()
    matches: frozenset[str] = frozenset()
    """IRIs that others use for exactly this."""
    covers: frozenset[str] = frozenset()
    """IRIs of others that lie wholly inside this; they resolve here too."""
    close: frozenset[str] = frozenset()
    """IRIs of others that come near or are broader: what to write for them, never what to read them as."""
    broader: str | None = None
    """The concept above it; for an organisation, the body that it belongs to."""
    successors: tuple[str, ...] = ()
    """Who took over, when the organisation has ended."""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """What else the file says of it, by the last word of the property: `open`, `maxDays`, `extension`, `homepage`."""

    @property
    def label(self) -> str:
        return self.label_in("en")

    def label_in(self, language: str) -> str:
        """The label in that language, else in English, else the notation."""
        return self.labels.get(language.partition("-")[0]) or self.labels.get("en") or self.notation


@dataclass(frozen=True, slots=True)
class Scheme:
    """A list of concepts in the order of its file, and an index of every way to name one."""

    iri: str
    title: str
    concepts: tuple[Concept, ...]
    spaces: tuple[str, ...] = ()
    """Addresses under which registries keep codes for these concepts: what follows one is a code."""
    not_given: frozenset[str] = frozenset()
    """Words that fill this field and say nothing, as CKAN's `notspecified` does."""
    _named: Mapping[str, Concept] = field(default_factory=dict, repr=False, compare=False)
    _index: Mapping[str, Concept] = field(default_factory=dict, repr=False, compare=False)
    _silent: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _folded_spaces: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def __getitem__(self, name: str) -> Concept:
        try:
            return self._named[name]
        except KeyError:
            raise UnknownConcept(self.title, name) from None

    def __iter__(self) -> Iterator[Concept]:
        return iter(self.concepts)

    def __len__(self) -> int:
        return len(self.concepts)

    def __contains__(self, name: object) -> bool:
        return name in self._named

    def get(self, name: str) -> Concept | None:
        """The concept with this IRI or notation."""
        return self._named.get(name)

    def find(self, text: str) -> Concept | None:
        """What somebody meant by `text`: an IRI, a code, a label or a synonym, however it is spaced and capitalised."""
        found = (self._index.get(words) for words in _readings(text, self._folded_spaces))
        return next((concept for concept in found if concept), None)

    def says_nothing(self, text: str) -> bool:
        """True for an empty value and for words such as "n/a": the value was not given."""
        return fold(text[:LONGEST]) in self._silent and self.find(text) is None


def scheme(name: str) -> Scheme:
    """The scheme kept in `<name>.ttl`, read once."""
    if name not in SCHEMES:
        raise UnknownScheme(name)
    return _installed(name)


@cache
def _installed(name: str) -> Scheme:
    return read((HERE / f"{name}.ttl").read_bytes())


@cache
def shapes() -> tuple[tuple[str, bytes], ...]:
    """Every file of SHACL shapes, by name."""
    folder = HERE / "shapes"
    found = [file for file in folder.iterdir() if file.name.endswith(".ttl")] if folder.is_dir() else []
    return tuple((file.name, file.read_bytes()) for file in sorted(found, key=lambda file: file.name))


# Words ----------------------------------------------------------------------------------------------------------------

_ADDRESS = re.compile(r"^(?:https?:)?/*(?:www\.)?")
_GAP = re.compile(r"((?<=\d)[\W_]+(?=\d))|[\W_]+")
_CURIE = re.compile(r"[A-Za-z][\w-]*:(?!//)(?=\S)")
_PARAMETERS = re.compile(r"(\w+/[\w.+-]+)\s*;")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """What remains of `text` when case, accents, spaces, punctuation, `http(s)://www.` and a last slash do not count.

    Between two digits a gap becomes a point, so that 4.0, 4-0 and 4_0 are one version and 40 is another.
    """
    plain = unicodedata.normalize("NFKD", unquote(text)).casefold().strip().replace("&amp;", "&").replace("&", " and ")
    return _GAP.sub(lambda gap: "." if gap[1] else "", _ADDRESS.sub("", plain))


_SAYS_NOTHING = frozenset(
    fold(words)
    for words in (
        "", "n/a", "nil", "none", "not applicable", "not available", "not given", "not known", "not provided", "not set",
        "not specified", "not stated", "null", "tba", "tbc", "tbd", "to be confirmed", "undefined", "unknown",
        "unspecified",
    )
)  # fmt: skip


def _readings(text: str, spaces: tuple[str, ...]) -> Iterator[str]:
    """The ways to take a text, likeliest first: as it stands, as a registry's address, `text/csv;…`, `prefix:code`."""
    if len(text) > LONGEST:
        return
    whole = fold(text)
    yield whole
    yield from _after(whole, spaces)
    if parameters := _PARAMETERS.match(text.strip()):
        yield fold(parameters[1])
    if curie := _CURIE.match(text.strip()):
        yield fold(text.strip()[curie.end() :])


# Files ----------------------------------------------------------------------------------------------------------------

_VOID_SPACE = "http://rdfs.org/ns/void#uriSpace"
_KNOWN = frozenset(
    {
        DCT.isReplacedBy, ORG.subOrganizationOf, RDF.type, SKOS.altLabel, SKOS.broadMatch, SKOS.broader,
        SKOS.closeMatch, SKOS.definition, SKOS.exactMatch, SKOS.hiddenLabel, SKOS.inScheme, SKOS.narrowMatch,
        SKOS.notation, SKOS.prefLabel, SKOS.topConceptOf,
    }
)  # fmt: skip

Statements = dict[str, list[NamedNode | Literal]]
"""What a file says of one subject: the values of each property."""


def read(turtle: bytes) -> Scheme:
    """The scheme that a file describes: one skos:ConceptScheme, and concepts that have a notation and labels."""
    subjects: dict[str, Statements] = {}
    for statement in parse(turtle, format=RdfFormat.TURTLE):
        properties = subjects.setdefault(statement.subject.value, {})
        properties.setdefault(statement.predicate.value, []).append(statement.object)
    (iri,) = (subject for subject, said in subjects.items() if SKOS.ConceptScheme in _values(said, RDF.type))
    return _scheme(iri, subjects.pop(iri), tuple(_concept(subject, said) for subject, said in subjects.items()))


def _scheme(iri: str, said: Statements, concepts: tuple[Concept, ...]) -> Scheme:
    spaces = tuple(_values(said, _VOID_SPACE))
    not_given = frozenset(_values(said, FEDCAT.notGiven))
    folded_spaces = tuple(fold(space) for space in spaces)
    return Scheme(
        iri,
        _values(said, DCT.title)[0],
        concepts,
        spaces,
        not_given,
        _named={name: concept for concept in concepts for name in (concept.iri, concept.notation)},
        # words second: where a registry's code is somebody else's word (REST), the word is what people mean
        _index={code: concept for concept in concepts for code in _codes(concept, folded_spaces)}
        | {words: concept for concept in concepts for words in _names(concept)},
        _silent=_SAYS_NOTHING | {fold(words) for words in not_given},
        _folded_spaces=folded_spaces,
    )


def _concept(iri: str, said: Statements) -> Concept:
    return Concept(
        iri,
        _values(said, SKOS.notation)[0],
        labels=MappingProxyType(_by_language(said, SKOS.prefLabel)),
        definition=_by_language(said, SKOS.definition).get("en"),
        synonyms=frozenset(_values(said, SKOS.altLabel, SKOS.hiddenLabel)),
        matches=frozenset(_values(said, SKOS.exactMatch)),
        covers=frozenset(_values(said, SKOS.narrowMatch)),
        close=frozenset(_values(said, SKOS.closeMatch, SKOS.broadMatch)),
        broader=next(iter(_values(said, SKOS.broader, ORG.subOrganizationOf)), None),
        successors=tuple(_values(said, DCT.isReplacedBy)),
        facts=MappingProxyType(
            {re.split("[#/]", name)[-1]: values[0].value for name, values in said.items() if name not in _KNOWN}
        ),
    )


def _names(concept: Concept) -> Iterator[str]:
    """Everything that means this concept, folded. An organisation's own site means the organisation."""
    addresses = {concept.iri, *concept.matches, *concept.covers, concept.facts.get("homepage", concept.iri)}
    return (fold(words) for words in {concept.notation, *concept.labels.values(), *concept.synonyms, *addresses})


def _codes(concept: Concept, spaces: tuple[str, ...]) -> Iterator[str]:
    """What is left of its addresses after the space that they stand in: `text/csv`, `ANNUAL_2`."""
    for address in map(fold, (concept.iri, *concept.matches, *concept.covers)):
        yield from _after(address, spaces)


def _after(address: str, spaces: tuple[str, ...]) -> Iterator[str]:
    return (address.removeprefix(space) for space in spaces if address.startswith(space))


def _values(said: Statements, *properties: str) -> list[str]:
    return [value.value for name in properties for value in said.get(name, ())]


def _by_language(said: Statements, name: str) -> dict[str, str]:
    return {value.language or "en": value.value for value in said.get(name, ()) if isinstance(value, Literal)}
