"""What the heading of a column means: the words people use for each property, in whatever spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from catalogue.dcat import Distribution, Value, properties

Reader = Callable[[str, str], Iterable[Value]]
"""What a cell says, given its words and their language."""

About = tuple[str, str, str]

LONGEST = 100  # characters; what is longer is no heading

LANGUAGES = {
    "english": "en", "eng": "en", "en": "en", "saesneg": "en", "welsh": "cy", "cymraeg": "cy", "cy": "cy",
    "gaelic": "gd", "gd": "gd", "irish": "ga", "ga": "ga",
}  # fmt: skip
WELSH = {
    "teitl": "title", "enw": "name", "disgrifiad": "description", "crynodeb": "summary", "allweddeiriau": "keyword",
    "trwydded": "licence", "cyhoeddwr": "publisher",
}  # fmt: skip
OBLIGATIONS = frozenset({"mandatory", "required", "recommended", "optional", "conditional", "mandatory if applicable"})
SPELLINGS = {"organization": "organisation", "license": "licence", "licensing": "licence"}
ABOUT_DATASET = ("dataset", "data asset", "information asset", "asset")
ABOUT_FILE = ("distribution", "resource", "file")
ABOUT_FIELD = "field"


@dataclass(frozen=True, slots=True)
class Column:
    """One property, by its name, of one part of a description; and the headings it goes by, the usual one first."""

    part: str
    term: str
    read: Reader | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's part in a dataset, and the headings that begin with it: 'owner', 'data owner email'."""

    part: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one column says. Without a part it means nothing to us, and is kept under its heading."""

    heading: str
    part: str = ""
    term: str = ""
    read: Reader | None = None
    lang: str = ""
    rank: int = 0
    """Which of two columns that say the same is taken: the lower."""

    @property
    def about(self) -> About:
        """What two columns have in common when they say the same thing."""
        return self.part, self.term or self.heading, self.lang


@dataclass(frozen=True)
class Headings:
    """Every heading we know, and those that a source's owner explained to us."""

    known: dict[str, Meaning]
    explained: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Sequence[Column], people: Sequence[Person], details: Sequence[Column]) -> Headings:
        known: dict[str, Meaning] = {}
        for phrase, column, rank in (*_phrases(columns), *_of_people(people, details), *_prefixed(columns)):
            known.setdefault(canonical(phrase), Meaning("", column.part, column.term, column.read, rank=rank))
        return cls(known)

    def explaining(self, mapping: str) -> Headings:
        """The same, and 'Dataset name=title; Data holder=publisher' besides. To mean nothing, a column is mapped to nothing."""
        pairs = (pair.rpartition("=") for pair in mapping.split(";") if pair.strip())
        return replace(self, explained={canonical(words or said): said.strip() for words, _, said in pairs})

    def unknown(self) -> list[str]:
        """What the owner's mapping says that means nothing here."""
        return [meaning for meaning in self.explained.values() if meaning and not self._known(meaning)]

    def explains(self, word: str) -> bool:
        """Whether the mapping says which column this is."""
        wanted = self.meaning(word)
        return any(found and found.about == wanted.about for found in map(self._known, self.explained.values()))

    def meaning(self, heading: str) -> Meaning:
        heading = heading.strip()
        if len(heading) > LONGEST:
            return Meaning(heading[:LONGEST])
        said = self.explained.get(canonical(heading), heading)
        found = self._known(said)
        return replace(found, heading=heading) if found else Meaning(heading)

    def _known(self, heading: str) -> Meaning | None:
        for phrase, lang in _variants(canonical(heading)):
            if found := self.known.get(phrase):
                return replace(found, lang=lang)
            if phrase.startswith(ABOUT_FIELD + " "):
                return Meaning("", ABOUT_FIELD, phrase.removeprefix(ABOUT_FIELD + " "))
        return None


Phrase = tuple[str, Column, int]


def _phrases(columns: Sequence[Column]) -> Iterator[Phrase]:
    for column in columns:
        for rank, phrase in enumerate(column.words):
            yield phrase, column, rank


def _of_people(people: Sequence[Person], details: Sequence[Column]) -> Iterator[Phrase]:
    """'owner', 'owner name', 'owner email' …"""
    for person in people:
        for rank, who in enumerate(person.words):
            for phrase, detail, second in _phrases(details):
                for prefix in ("", *ABOUT_DATASET):
                    yield f"{prefix} {who} {phrase}".strip(), replace(detail, part=person.part), 100 * rank + second


def _prefixed(columns: Sequence[Column]) -> Iterator[Phrase]:
    """'dataset title', 'distribution title': the second says of a file what the word alone says of the dataset."""
    of_files = {prop.name for prop in properties(Distribution)}
    for phrase, column, rank in _phrases(columns):
        if column.part == "distribution" or column.term in of_files:
            for prefix in ABOUT_FILE:
                yield f"{prefix} {phrase}", replace(column, part="distribution"), rank
        if column.part != "distribution":
            for prefix in ABOUT_DATASET:
                yield f"{prefix} {phrase}", column, rank


def _variants(phrase: str) -> Iterator[tuple[str, str]]:
    """The phrase itself, then without what people add to it: an obligation, 'of the dataset', a language."""
    bare = re.sub(r" (?:of|for) (?:the |thi |each )?(?:dataset|data|asset)$", "", phrase)  # "this" in the singular
    bare = re.sub(rf" (?:{'|'.join(sorted(OBLIGATIONS))})$", "", bare)
    yield phrase, ""
    yield bare, ""
    if bare in WELSH:
        yield WELSH[bare], "cy"
    first, _, after = bare.partition(" ")
    before, _, last = bare.rpartition(" ")
    if last in LANGUAGES:
        yield WELSH.get(before, before), LANGUAGES[last]
    if first in LANGUAGES:
        yield after, LANGUAGES[first]


def canonical(heading: str) -> str:
    """'FileSizeUnit', 'file_size_unit' and 'File size unit*' are one heading. Only ever compared, never shown."""
    return _canonical(heading[: LONGEST + 1])


@lru_cache(10_000)
def _canonical(heading: str) -> str:
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", " ", unicodedata.normalize("NFKC", heading))
    singular = (_singular(word) for word in re.findall(r"\w+", apart.replace("_", " ").casefold()))
    joined = " ".join(SPELLINGS.get(word, word) for word in singular)
    return joined.replace("data set", "dataset").replace("e mail", "email").replace("web site", "website")


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def slug(heading: str) -> str:
    """What an unknown column is called in its IRI."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", unicodedata.normalize("NFKD", heading))
    return re.sub(r"[^a-z0-9]+", "-", apart.encode("ascii", "ignore").decode().lower()).strip("-")
