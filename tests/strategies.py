"""Whole descriptions for property-based tests: every noun and property, nested, with statements of its own, clean or dirty.

`datasets()`, `series()`, `services()`, `resources()` give trees as harvesters make them, dirt included; `normalised()` gives them
as they are stored. `everything()` is one fixed dataset that uses every property with every kind of value.
Things with an address have one of their own, so that no two of a tree describe the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from hypothesis import strategies as st

from catalogue.dcat import (
    IRI,
    DataService,
    Dataset,
    DatasetSeries,
    Literal,
    Node,
    Number,
    Property,
    Resource,
    Statement,
    Text,
    Thing,
    Value,
    When,
    properties,
)
from catalogue.normalise import normalise
from vocab.namespaces import DCAT, DCT, GSP, RDFS, SKOS, XSD

R = TypeVar("R", bound=Resource)
Draw = Callable[[st.SearchStrategy[Any]], Any]

HOPS = 3
"""A reader of graphs follows addresses so deep below the root."""

PREDICATES = tuple(
    IRI(address)
    for address in (
        "http://example.org/ns#note", "https://example.org/terms/costCode", "urn:example:flag", RDFS.seeAlso,
        SKOS.altLabel, "http://purl.org/dc/elements/1.1/source", "http://www.w3.org/ns/dqv#hasQualityAnnotation",
    )
)  # fmt: skip
"""What no noun has a property for."""

TYPES = tuple(map(IRI, (SKOS.Concept, DCT.Policy, "http://example.org/ns#Kind")))
BARE = tuple(
    map(
        IRI,
        (
            "http://example.org/a", "https://example.org/caf%C3%A9/llŷn", "https://example.org/b?x=1&y=(2)#z",
            "urn:isbn:0451450523", "mailto:data@example.gov.uk", "tel:+441632960000", "https://www.iana.org/assignments/media-types/text/csv",
            "http://publications.europa.eu/resource/authority/access-right/RESTRICTED",
            "http://publications.europa.eu/resource/authority/frequency/ANNUAL", "http://purl.org/cld/freq/weekly",
            "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            "http://publications.europa.eu/resource/authority/file-type/CSV", "http://inspire.ec.europa.eu/theme/hy",
            "http://publications.europa.eu/resource/authority/data-theme/TRAN",
        ),
    )
)  # fmt: skip
DIRTY_ADDRESSES = tuple(
    map(IRI, ("https://example.org/my file.csv", "http://example.org/{id}", "mailto: jo@example.org", ""))
)

CLEAN_WORDS = (
    "Road traffic counts", "Cyfrif traffig ar y ffyrdd", "CSV", "OGL", "weekly", "en", "Transport", "open",
    "restricted", "OFFICIAL", "Births, deaths and marriages", "a < b & c", "2 > 1", "Ofcom", "12", "x",
    "Jo <jo@example.gov.uk>",
)  # fmt: skip
DIRTY_WORDS = (
    "", " ", "-", "n/a", "None", "TBC", "  Road\ttraffic \r\n counts ", "R&amp;D", "&lt;p&gt;Twice&lt;/p&gt;",
    "<p>One.</p><p>Two", "<ul><li>a<li>b</ul>", "See <a href='https://example.org/?a=1&amp;b=2'>this</a>",
    "<script>x</script>y", "<!-- c -->", "&amp;amp;", "Cafe\u0301 \u00a0 bar\u200b", "It\x92s \x07 here\x00",
    "half \ud83d of a pair", "line\u2028line", "\ufeffmark", "\ufffe", "a, b; c", "Trade|trade|TRADE", "one,two,three",
    ".csv", "CSV ", "text/csv; charset=utf-8", "uk-ogl", "R/P1Y", "31/03/2025", "31 March 2025", "March 2025", "2025",
    "20250331", "31/02/2025", "2024-01-02T03:04:05.678901", "2025-13", "2020-04-01/2021-03-31",
    "April 2020 to March 2021", "2020-", "https://example.org/a b.csv", "www.example.org",
    "https://example.org/x https://example.org/y", "jo@example.gov.uk", "mailto:jo@example.gov.uk; al@example.gov.uk",
    "jo at example", "020 7946 0000", "+44 (0)20 7946 0000 ext 12", "tel: 01632 960000", "ask Bob", "12 MB", "12,345",
    "large", "-5.7,49.9,1.8,55.8", "ENVELOPE(-5.7,1.8,55.8,49.9)", "POINT(-3.2 51.5)",
    '{"type":"Point","coordinates":[-3.2,51.5]}',
    '{"type":"Polygon","coordinates":[[[0,50],[1,50],[1,51],[0,51],[0,50]]]}', "test", "Untitled dataset 1",
)  # fmt: skip
LANGUAGES = ("", "", "en", "cy", "en-gb")
DIRTY_LANGUAGES = ("en_GB", "Welsh", "not a language")

DATES = (
    ("2025", XSD.gYear), ("2025-03", XSD.gYearMonth), ("2025-03-31", XSD.date), ("2025-03-31Z", XSD.date),
    ("2025-03-31T10:11:12", XSD.dateTime), ("2024-01-02T03:04:05.678901", XSD.dateTime),
    ("2025-03-31T10:11:12+01:00", XSD.dateTime),
)  # fmt: skip
DIRTY_DATES = (
    ("2025-03-31", XSD.dateTime), ("2025-02-30", XSD.date), ("TBC", XSD.date), ("", XSD.date), ("31/03/2025", XSD.date),
    ("2025-03-31T10:11", XSD.dateTime), ("2025-03", XSD.date), ("2025-03-31T25:00:00", XSD.dateTime),
)  # fmt: skip
NUMBERS = (("1024", XSD.nonNegativeInteger), ("0.5", XSD.decimal), ("-3", XSD.integer), ("1.5E2", XSD.double))
DIRTY_NUMBERS = (("5120.0", XSD.decimal), ("12 MB", XSD.integer), ("", XSD.integer), ("1E999999999", XSD.double))
LITERALS = (
    ("P1D", XSD.duration), ("POINT(-3.2 51.5)", GSP.wktLiteral), ("true", XSD.boolean),
    ("https://example.org/typed", XSD.anyURI), ("anything\n\tat all", "http://example.org/ns#type"),
)  # fmt: skip
DIRTY_LITERALS = (
    ("www.example.org", XSD.anyURI),
    ("mailto:jo@example.gov.uk", XSD.anyURI),
    ("bell \x07", "http://example.org/ns#type"),
)


def datasets() -> st.SearchStrategy[Dataset]:
    """Datasets as harvesters make them."""
    return trees(Dataset)


def series() -> st.SearchStrategy[DatasetSeries]:
    return trees(DatasetSeries)


def services() -> st.SearchStrategy[DataService]:
    return trees(DataService)


def resources() -> st.SearchStrategy[Resource]:
    return st.one_of(datasets(), datasets(), series(), services())


def normalised() -> st.SearchStrategy[Resource]:
    """Resources as they are stored: nothing is left to mend."""
    return resources().map(normalise)


@st.composite
def trees(draw: Draw, noun: type[R]) -> R:
    """One resource of a kind: it has a title, and some of everything else."""
    tree = Tree(draw)
    said = tree.said(noun, 0, 0, most=10)
    said["titles"] = frozenset(draw(st.lists(texts(dirty=False), min_size=1, max_size=3)))
    iri = draw(st.sampled_from((None, IRI("https://example.org/dataset/1"))))
    return noun(iri=iri, types=tree.types(), rest=tree.rest(noun, 0, int(iri is not None)), **said)


def texts(*, dirty: bool = True) -> st.SearchStrategy[Text]:
    words = st.one_of(
        st.sampled_from((*CLEAN_WORDS, *DIRTY_WORDS) if dirty else CLEAN_WORDS),
        st.text(max_size=30) if dirty else st.text("abc éŷ日😀'\"\\\n", min_size=1, max_size=20).filter(str.strip),
    )
    return st.builds(Text, words, st.sampled_from((*LANGUAGES, *DIRTY_LANGUAGES) if dirty else LANGUAGES))


LEAVES: dict[type, st.SearchStrategy[Any]] = {
    IRI: st.sampled_from((*BARE, *DIRTY_ADDRESSES)),
    Text: texts(),
    When: st.sampled_from((*DATES, *DIRTY_DATES)).map(lambda said: When(said[0], IRI(said[1]))),
    Number: st.sampled_from((*NUMBERS, *DIRTY_NUMBERS)).map(lambda said: Number(said[0], IRI(said[1]))),
    Literal: st.sampled_from((*LITERALS, *DIRTY_LITERALS)).map(lambda said: Literal(said[0], IRI(said[1]))),
}
CONCLUSIVE = frozenset((DCAT.isDistributionOf,))
"""From these a reader concludes something about what they name, if that is described: more comes out than went in."""
ANY_LEAF = st.one_of(*LEAVES.values())


def kinds_of(prop: Property) -> tuple[type, ...]:
    return tuple(kind for kind in prop.kinds if prop.predicate not in CONCLUSIVE or not issubclass(kind, Node))


class Tree:
    """Draws the things of one tree, each with an address that no other has, or none."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.numbers = itertools.count(1)

    def said(self, noun: type[Node], depth: int, hops: int, most: int) -> dict[str, Any]:
        """Values for some of a noun's properties."""
        stated = properties(noun)
        if not stated:
            return {}
        chosen = self.draw(st.lists(st.sampled_from(stated), max_size=most, unique_by=lambda prop: prop.name))
        return {prop.name: self._held(prop, depth, hops) for prop in chosen}

    def _held(self, prop: Property, depth: int, hops: int) -> Any:
        if not prop.many:
            return self.value(prop, depth, hops)
        return frozenset(self.value(prop, depth, hops) for _ in range(self.draw(st.integers(1, 2))))

    def value(self, prop: Property, depth: int, hops: int) -> Value:
        kind = self.draw(st.sampled_from(kinds_of(prop)))
        if kind in LEAVES:
            return self.draw(LEAVES[kind])
        return self.node(kind, depth + 1, hops)

    def node(self, noun: type[Node], depth: int, hops: int) -> Node:
        iri = None
        if hops < HOPS and self.draw(st.booleans()):
            iri, hops = IRI(f"https://example.org/thing/{next(self.numbers)}"), hops + 1
        if depth > 3:
            return noun(iri=iri)
        said = self.said(noun, depth, hops, most=3)
        return noun(iri=iri, types=self.types(), rest=self.rest(noun, depth, hops), **said)

    def types(self) -> frozenset[IRI]:
        return frozenset(self.draw(st.lists(st.sampled_from(TYPES), max_size=1)))

    def rest(self, noun: type[Node], depth: int, hops: int) -> frozenset[Statement]:
        """Statements for which a noun has no property, and such as have one that takes no value of this form."""
        predicates = (*PREDICATES, *(prop.predicate for prop in properties(noun)))
        found = set()
        for predicate in self.draw(st.lists(st.sampled_from(predicates), max_size=2)):
            if depth < 3 and predicate not in CONCLUSIVE and self.draw(st.booleans()):
                found.add(Statement(predicate, self._thing(depth + 1, hops)))
            else:
                found.add(Statement(predicate, self.draw(ANY_LEAF)))
        return frozenset(found)

    def _thing(self, depth: int, hops: int) -> Thing:
        node = self.node(Thing, depth, hops)
        assert isinstance(node, Thing)
        return node


# ---- One of everything


def everything() -> Dataset:
    """A dataset with every property, and in each a value of every kind that it takes."""
    numbers = itertools.count(1)
    dataset = _filled(Dataset, IRI("https://example.org/dataset/everything"), numbers, depth=0)
    assert isinstance(dataset, Dataset)
    return dataset


def _filled(noun: type[Node], iri: IRI | None, numbers: Iterator[int], depth: int) -> Node:
    said: dict[str, Any] = {}
    for prop in properties(noun):
        values = [value for kind in kinds_of(prop) for value in _of(kind, numbers, depth)]
        said[prop.name] = frozenset(values) if prop.many else values[0] if values else None
    rest = frozenset(Statement(predicate, Text(f"kept {next(numbers)}", "en")) for predicate in PREDICATES)
    return noun(iri=iri, rest=rest, **said)


def _of(kind: type, numbers: Iterator[int], depth: int) -> Iterator[Value]:
    number = next(numbers)
    if kind is IRI:
        yield IRI(f"https://example.org/named/{number}")
    elif kind is Text:
        yield from (Text(f'Words {number} "quoted"\\ <b & c>\nŷ 日 😀', lang) for lang in ("", "en", "cy"))
    elif kind in (When, Number, Literal):
        yield from (kind(value, IRI(type_)) for value, type_ in {When: DATES, Number: NUMBERS, Literal: LITERALS}[kind])
    elif depth < 2:
        yield _filled(kind, IRI(f"https://example.org/thing/{number}") if number % 2 else None, numbers, depth + 1)
