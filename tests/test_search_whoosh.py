"""What the Whoosh engine promises beyond the contract: the answers that Whoosh itself and plain reading give, few segments."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import query, scoring, sorting
from whoosh.index import FileIndex

from catalogue.search import Document, Query
from catalogue.search.filters import FACETS
from catalogue.search.whoosh import WhooshIndex
from catalogue.search.whoosh_build import SIBLINGS, crowded
from catalogue.search.whoosh_fields import facet_field, indexed, stem
from catalogue.search.whoosh_files import NAME, MappedStorage, contents
from catalogue.search.whoosh_postings import PLACES, Terms
from catalogue.search.whoosh_segment import Cache
from catalogue.search.whoosh_spelling import mistakes
from catalogue.search.words import All, Either, Node, Not, Phrase, Prefix, Word, parse, words
from catalogue.testing.documents import documents


@pytest.fixture
def index(tmp_path) -> WhooshIndex:
    return WhooshIndex(f"whoosh:{tmp_path}/index", patience=20)


def again(index: WhooshIndex) -> WhooshIndex:
    """The same index as another process sees it."""
    return WhooshIndex(f"whoosh:{index.folder}", patience=20)


def batch(serial: int, size: int = 30) -> list[Document]:
    """Documents that say which batch they are from."""
    return [Document(id=f"n-{n}", title=f"Number {n}", keywords=(f"batch{serial}",)) for n in range(size)]


# ---- the same answers as Whoosh and as common sense


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> WhooshIndex:
    """300 documents in several segments, some of them deleted."""
    index = WhooshIndex(f"whoosh:{tmp_path_factory.mktemp('filled')}")
    for start, size in ((0, 200), (200, 60), (260, 40)):
        index.apply(documents(size, start=start), (), 1)
    index.apply((), [each.id for each in documents(300) if each.id.endswith(("0", "7"))], 2)
    return index


def test_postings_are_what_whooshs_own_matcher_gives(filled):
    files = MappedStorage(str(filled.folder))
    toc = contents(files)
    longest = 0
    for segment in toc.segments:
        formats = dict(indexed(toc.schema))
        reader = segment.codec().terms_reader(files, segment)
        terms = Terms(reader, formats)
        for field, kept in formats.items():
            names = list(terms.beginning(field))
            for term in (term for number, term in enumerate(names) if term.count > 1 or number % 10 == 0):
                expected = list(by_matcher(reader.matcher(field, term.text, kept), field == "words"))
                found = terms.postings(field, terms.term(field, term.text))
                assert found.ids.tolist() == list(found.bitmap) == [number for number, _, _ in expected]
                assert found.weights.tolist() == [weight for _, weight, _ in expected]
                assert list(terms.entries(field, term)) == expected
                longest = max(longest, len(expected))
                if field == "words":
                    stands = [n * PLACES + p for n, _, (v,) in expected for p in np.frombuffer(v, np.uint16).tolist()]
                    assert (terms.stands(field, term, found.bitmap, 0) - PLACES // 2).tolist() == stands
            assert terms.counts(field, b"") == ([n.text.decode() for n in names], [n.count for n in names])
        assert terms.term("text", b"never there") is None
        terms.close()
    assert longest > 128  # more than one block


def by_matcher(matcher, placed: bool):
    while matcher.is_active():
        yield matcher.id(), matcher.weight(), (matcher.value(),) if placed else ()
        matcher.next()


def test_counts_are_those_of_whooshs_groupedby(filled):
    searcher = FileIndex(MappedStorage(str(filled.folder)), indexname=NAME).searcher(weighting=scoring.Frequency())
    facets = sorting.Facets()
    for name in FACETS:
        facets.add_facet(
            facet_field(name), sorting.FieldFacet(facet_field(name), allow_overlap=True, maptype=sorting.Count)
        )
    for typed in ("", "road", "data", "annual report", "school OR traffic"):
        answer = filled.search(Query(words=typed))
        slow = searcher.search(as_whoosh(parse(typed).tree), limit=None, groupedby=facets)
        assert len(slow) == answer.total > 0
        for facet in answer.facets:
            theirs = {
                as_text(value): count
                for value, count in slow.groups(facet_field(facet.name)).items()
                if value is not None
            }
            assert theirs == {value.value: value.count for value in facet.values}
    searcher.close()


def as_text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def as_whoosh(node: Node | None) -> query.Query:
    """The same question in Whoosh's terms; not minus, since its AndNotMatcher lets a first document through."""
    if isinstance(node, All):
        return query.And([as_whoosh(part) for part in node.of])
    if isinstance(node, Either):
        return query.Or([as_whoosh(part) for part in node.of])
    return query.Term("text", stem(node.text)) if isinstance(node, Word) else query.Every()


FEW = ("road", "roads", "rail", "school", "schooling", "river", "the", "of", "wales", "rain")
PLAIN = [
    Document(
        id=f"p-{n}", title=random.Random(n).choice(FEW), description=" ".join(random.Random(n).choices(FEW, k=n % 9))
    )
    for n in range(80)
]
TERMS = st.one_of(
    st.sampled_from(FEW),
    st.sampled_from(FEW).map(lambda word: f"-{word}"),
    st.sampled_from(FEW).map(lambda word: f"{word[:2]}*"),
    st.lists(st.sampled_from(FEW), min_size=1, max_size=3).map(lambda some: f'"{" ".join(some)}"'),
    st.just("OR"),
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> WhooshIndex:
    index = WhooshIndex(f"whoosh:{tmp_path_factory.mktemp('plain')}")
    for start in range(0, len(PLAIN), 17):
        index.apply(PLAIN[start : start + 17], (), 1)
    return index


@given(st.lists(TERMS, max_size=5).map(" ".join))
@settings(max_examples=150, deadline=None)
def test_what_is_found_is_what_reading_every_document_finds(plain, typed):
    tree = parse(typed).tree
    expected = {each.id for each in PLAIN if tree is None or matches(each, tree) or each.title == typed}
    assert set(plain.search(Query(words=typed, per_page=100, facets=False))) == expected


def matches(document: Document, node: Node) -> bool:
    texts = [words(document.title), words(document.description)]
    match node:
        case Word():
            return any(stem(word) == stem(node.text) for text in texts for word in text)
        case Prefix():
            endings = {stem(word) for word in FEW if word.startswith(node.text) and word not in ("the", "of")}
            return any(stem(word) in endings for text in texts for word in text)
        case Phrase():
            return any(
                all(text[at + distance : at + distance + 1] == [word] for distance, word in node.words)
                for text in texts
                for at in range(len(text))
            )
        case Not():
            return not matches(document, node.of)
        case All():
            return all(matches(document, part) for part in node.of)
        case Either():
            return any(matches(document, part) for part in node.of)


def test_mistakes_are_counted_as_people_make_them():
    for one, other, expected in (
        ("road", "road", 0), ("raod", "road", 1), ("rod", "road", 1), ("roads", "road", 1), ("rpad", "road", 1),
        ("aord", "road", 2), ("road", "river", 3), ("", "ab", 2),
    ):  # fmt: skip
        assert mistakes(one, other, 2) == expected


# ---- many small commits


def test_many_small_commits_leave_few_segments(index):
    for serial in range(1, 71):
        index.apply([Document(id=f"s-{serial}", title=f"Small {serial}", keywords=("commit",))], (), serial)
    segments = contents(MappedStorage(str(index.folder))).segments
    assert len(segments) < 3 * SIBLINGS
    assert not crowded(segments)
    assert index.count() == index.search(Query(words="commit")).total == 70
    assert index.search(Query(words='"small 57"')).total == 1


def test_what_was_deleted_does_not_pile_up(index):
    for serial in range(1, 30):
        index.apply(batch(serial, 20), (), serial)
    segments = contents(MappedStorage(str(index.folder))).segments
    assert sum(segment.doc_count_all() for segment in segments) <= 2 * index.count()
    index.apply((), [each.id for each in batch(1, 20)], 30)
    assert contents(MappedStorage(str(index.folder))).segments == []


def test_a_commit_loads_only_what_is_new(index):
    index.apply(documents(50), (), 1)
    index.search(Query())
    before = index._view().parts[0].segment
    again(index).apply(batch(2), (), 2)
    assert [part.segment is before for part in index._view().parts] == [True, False]


def test_the_cache_keeps_to_its_limit():
    cache = Cache(100)
    for number in range(50):
        assert cache.get(number, lambda number=number: "x" * number, len) == "x" * number
        assert cache.size <= 100
    made = []
    assert cache.get(49, lambda: made.append(1), lambda _: 1) == "x" * 49
    assert made == []
