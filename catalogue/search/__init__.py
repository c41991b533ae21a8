"""What searching is: the question, the answer, and the port that every search engine stands behind.

An engine is a projection of the store. It keeps the serial of the last change that it has applied, in the same commit as
the documents themselves, catches up from there, and can be deleted and built again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Literal, Protocol, cast

from catalogue.errors import FedcatError, SettingsError

Kind = Literal["dataset", "series", "service"]
Sort = Literal["relevance", "updated", "title"]
Box = tuple[float, float, float, float]

SORTS: tuple[Sort, ...] = ("relevance", "updated", "title")
ENGINES = "fedcat.engines"


class IndexUnusable(FedcatError):
    """The index is damaged or was not written by this version: clear it and build it again."""


class IndexBusy(FedcatError):
    """Another process is writing to the index and did not finish in time: try again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One resource as a search engine sees it: its words, its facet values as used in addresses, its dates and its place.

    Dates are ISO dates or "". `bbox` is west, south, east, north; `quality` lies between 0 and 1.
    """

    id: str
    title: str
    iri: str = ""
    kind: Kind = "dataset"
    titles: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    organisation: str = ""
    themes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    licence: str = ""
    access: str = ""
    frequency: str = ""
    sources: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    missions: tuple[str, ...] = ()
    modified: str = ""
    issued: str = ""
    covers_from: str = ""
    covers_to: str = ""
    bbox: Box | None = None
    quality: float = 0.0


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document that is searched: its field, what people call it, and how much a word in it weighs."""

    field: str
    label: str
    weight: float

    def said(self, document: Document) -> tuple[str, ...]:
        """What the document says there, one text per value."""
        value = getattr(document, self.field)
        return tuple(text for text in ((value,) if isinstance(value, str) else value) if text)


SECTIONS = (
    Section("title", "title", 1.0),
    Section("titles", "other titles", 1.0),
    Section("keywords", "keywords", 2.0),
    Section("summary", "summary", 1.0),
    Section("description", "description", 1.0),
    Section("columns", "column names", 0.5),
    Section("organisation", "organisation", 0.5),
    Section("themes", "themes", 0.5),
    Section("formats", "formats", 0.5),
    Section("identifiers", "shared identifiers", 0.5),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What somebody looks for. Values of one filter are alternatives; filters, words, period and box all have to hold.

    `filters` is keyed by the parameters of `catalogue.search.filters`. A period matches what covers any part of it, a box
    what it touches; what does not say which time or place it covers matches neither.
    """

    words: str = ""
    filters: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    covers_from: str = ""
    covers_to: str = ""
    bbox: Box | None = None
    sort: Sort = "relevance"
    page: int = 1
    per_page: int = 10
    facets: bool = True


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet and how many results have it."""

    value: str
    count: int
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """How the results divide, commonest value first. Counts leave this facet's own choice out, so another can be added."""

    name: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: which document, and how well it matches."""

    id: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One page of the answer. `explained` says, a sentence each, what in the question was left out or limited."""

    total: int
    page: int
    per_page: int
    hits: tuple[Hit, ...]
    facets: tuple[Facet, ...] = ()
    did_you_mean: str | None = None
    explained: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        """The ids of this page."""
        return (hit.id for hit in self.hits)


class SearchIndex(Protocol):
    """A search engine with one index. Every method may raise `IndexUnusable`, but `replace`, `clear` and `close` never do.

    Safe to share between the threads of a server; each call sees everything that any process has committed before it.
    """

    @property
    def serial(self) -> int:
        """The last change applied; 0 for an index that is new or was cleared."""

    def apply(self, documents: Iterable[Document], removed: Iterable[str], serial: int) -> None:
        """Put these documents in, or in the place of what had their id, take the removed ids out, and remember the serial.

        All of it in one commit. A serial below the index's own does nothing: somebody else was faster.
        """

    def replace(self, documents: Iterable[Document], serial: int) -> None:
        """Make these documents the whole index, whatever state it is in. One commit: until then searches see the old one."""

    def search(self, query: Query) -> Results:
        """Answer one question."""

    def suggest(self, prefix: str, limit: int = 8) -> tuple[str, ...]:
        """Titles and words that complete what somebody has begun to type."""

    def stem(self, word: str) -> str:
        """The form in which this engine compares words, so that a snippet marks what the engine matched."""

    def count(self) -> int:
        """How many documents the index holds."""

    def clear(self) -> None:
        """Forget everything and go back to serial 0, whatever state the index is in."""

    def close(self) -> None:
        """Let go of files and connections; the index opens itself again when it is used again."""


def open_index(url: str) -> SearchIndex:
    """The index at an address such as `whoosh:/var/lib/fedcat/index`; its engine is looked up among those installed."""
    name = url.partition(":")[0].partition("+")[0]
    engines = {engine.name: engine for engine in entry_points(group=ENGINES)}
    if ":" not in url or name not in engines:
        installed = ", ".join(sorted(engines)) or "none"
        raise SettingsError(
            f"FEDCAT_SEARCH_URL is {url!r}: no search engine is called {name!r}. Installed: {installed}."
        )
    return cast(SearchIndex, _load(engines[name])(url))


def _load(engine: EntryPoint) -> type:
    """The engine's class; an extra whose library is missing is said by name."""
    try:
        return cast(type, engine.load())
    except ImportError as problem:
        raise SettingsError(f"The search engine {engine.name!r} cannot be used, because {problem}.") from problem
