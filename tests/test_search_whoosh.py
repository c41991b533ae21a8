"""What the Whoosh engine promises beyond the contract: right answers from private files, commits that survive anything."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whoosh import fields, query, scoring, sorting
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex

from catalogue.search import Document, IndexBusy, IndexUnusable, Query
from catalogue.search.filters import FACETS
from catalogue.search.whoosh import WhooshIndex
from catalogue.search.whoosh_build import SIBLINGS, crowded
from catalogue.search.whoosh_fields import facet_field, indexed, stem
from catalogue.search.whoosh_files import NAME, MappedStorage, contents, locked
from catalogue.search.whoosh_postings import PLACES, Terms
from catalogue.search.whoosh_segment import Cache
from catalogue.search.whoosh_spelling import mistakes
from catalogue.search.words import All, Either, Node, Not, Phrase, Prefix, Word, parse, words
from catalogue.testing.documents import documents, questions


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
    checked = 0
    for segment in toc.segments:
        formats = dict(indexed(toc.schema))
        reader = segment.codec().terms_reader(files, segment)
        terms = Terms(reader, formats)
        for field, kept in formats.items():
            names = list(terms.beginning(field))
            for term in names:
                matcher, expected = reader.matcher(field, term.text, kept), []
                while matcher.is_active():
                    places = (matcher.value(),) if field == "words" else ()
                    expected.append((matcher.id(), matcher.weight(), places))
                    matcher.next()
                found = terms.postings(field, terms.term(field, term.text))
                assert found.ids.tolist() == list(found.bitmap) == [number for number, _, _ in expected]
                assert found.weights.tolist() == [weight for _, weight, _ in expected]
                assert list(terms.entries(field, term)) == expected
                assert term.count == len(expected)
                checked += 1
                if field == "words":
                    stands = [n * PLACES + p for n, _, (v,) in expected for p in np.frombuffer(v, np.uint16).tolist()]
                    assert (terms.stands(field, term, found.bitmap, 0) - PLACES // 2).tolist() == stands
            assert terms.counts(field, b"") == ([n.text.decode() for n in names], [n.count for n in names])
        assert terms.term("text", b"never there") is None
        terms.close()
    assert checked > 10_000


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
    if isinstance(node, All):
        away = [as_whoosh(part) for part in node.of if isinstance(part, Not)]
        wanted = query.And([as_whoosh(part) for part in node.of if not isinstance(part, Not)])
        return query.AndNot(wanted, query.Or(away)) if away else wanted
    if isinstance(node, Either):
        return query.Or([as_whoosh(part) for part in node.of])
    if isinstance(node, Not):
        return as_whoosh(node.of)
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
        ("road", "road", 0), ("raod", "road", 1), ("rod", "road", 1), ("roads", "road", 1), ("rpad", "road", 1), ("aord", "road", 2),
        ("road", "river", 3), ("", "ab", 2),
    ):  # fmt: skip
        assert mistakes(one, other, 2) == expected


# ---- commits that survive

WRITER = """
import sys
from catalogue.search import Document
from catalogue.search.whoosh import WhooshIndex
index = WhooshIndex("whoosh:" + sys.argv[1])
for serial in range(index.serial + 1, 1000):
    batch = [Document(id=f"n-{n}", title=f"Number {n}", keywords=(f"batch{serial}",)) for n in range(30)]
    index.apply(batch, [], serial)
    print(serial, flush=True)
"""


def writing(index: WhooshIndex) -> subprocess.Popen[str]:
    """Another process that commits one batch after the other and says so."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(index.folder)], stdout=subprocess.PIPE, text=True)


def test_a_writer_killed_at_any_moment_leaves_content_and_serial_together(index):
    chance = random.Random(7)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(index.folder), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            acknowledged = int(writer.stdout.readline())
            time.sleep(chance.uniform(0, 0.4))
            writer.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, writer.stdout.read().split())])
        serial = again(index).serial
        assert acknowledged <= serial <= acknowledged + 1
        assert again(index).count() == again(index).search(Query(words=f"batch{serial}")).total == 30
    index.apply(batch(2000), (), 2000)
    assert not [name for name in index.folder.iterdir() if name.name.endswith(".tmp")]
    named = contents(MappedStorage(str(index.folder))).schema.stamp.sizes
    assert {path.name for path in index.folder.iterdir() if path.suffix in (".trm", ".pst", ".col")} == set(named)


def test_readers_see_whole_commits_while_another_process_writes(index):
    index.apply(batch(1), (), 1)
    seen = []
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(index.folder), str(Path(__file__).parent)], stdout=subprocess.PIPE, text=True
    ) as writer:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            answer = index.search(Query(words="number", per_page=30))
            assert answer.total == 30
            assert counted(answer.facets) == {}
            seen.append(index.serial)
        writer.kill()
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


def counted(facets) -> Counter[str]:
    return Counter(value.value for facet in facets for value in facet.values)


def test_two_writers_take_turns(index):
    def write(letter: str) -> None:
        for n in range(8):
            again(index).apply([Document(id=f"{letter}-{n}-{each}", title="Both") for each in range(5)], (), 1)

    threads = [Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert index.count() == index.search(Query(words="both")).total == 80


def test_a_writer_that_waits_too_long_says_so(index):
    index.apply(batch(1), (), 1)
    with locked(MappedStorage(str(index.folder))):
        hurried = WhooshIndex(f"whoosh:{index.folder}", patience=0.2)
        for attempt in (lambda: hurried.apply(batch(2), (), 2), hurried.clear):
            with pytest.raises(IndexBusy, match="try again"):
                attempt()
        assert hurried.serial == 1


def test_threads_of_a_server_may_share_an_index(filled):
    asked = [replace(each, per_page=5) for each in questions(40, 300)]
    expected = [filled.search(each) for each in asked]
    fresh, wrong = again(filled), []

    def ask(seed: int) -> None:
        for number in random.Random(seed).sample(range(len(asked)), len(asked)):
            if fresh.search(asked[number]) != expected[number]:
                wrong.append(asked[number])

    threads = [Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_open_index_sees_what_another_did(index):
    other = again(index)
    assert index.count() == other.count() == 0
    for serial in (1, 2, 3):
        other.apply(batch(serial), (), serial)
        assert index.serial == serial
        assert index.search(Query(words=f"batch{serial}")).total == 30
    other.clear()
    assert (index.serial, index.count()) == (0, 0)
    other.apply(batch(1), (), 1)
    for path in index.folder.iterdir():
        path.unlink()
    assert (index.serial, index.count()) == (0, 0)


# ---- damage


def damages(path: Path) -> list[bytes | None]:
    """A file gone, cut short, emptied, and of the right size but overwritten."""
    content = path.read_bytes()
    return [None, content[: len(content) // 2], b"", bytes(len(content))]


def test_damage_is_noticed_and_mended(index):
    index.apply(documents(30), (), 5)
    healthy = index.search(Query(words="road data"))
    for path in sorted(index.folder.iterdir()):
        if path.name.endswith(("_stored.col", "row.col", "LOCK")):
            continue
        for damage in damages(path):
            path.unlink() if damage is None else path.write_bytes(damage)
            with suppress(IndexUnusable):
                broken = again(index)
                if broken.serial:
                    broken.search(Query(words='"road data" ro*', sort="title"))
                    raise AssertionError(f"{path.name} with {damage and damage[:9]} was taken for healthy")
                assert path.suffix == ".toc"  # without its table of contents an index is a new one
            index.clear()
            index.replace(documents(30), 5)
            assert index.search(Query(words="road data")) == healthy
            path = next(
                each for each in index.folder.iterdir() if each.name.partition(".")[2] == path.name.partition(".")[2]
            )


def test_half_a_row_file_is_noticed(index):
    index.apply(documents(30), (), 5)
    row = next(index.folder.glob("*.row.col"))
    row.write_bytes(row.read_bytes()[:-1])
    with pytest.raises(IndexUnusable, match="rebuild"):
        assert again(index).serial


def test_an_index_of_somebody_else_is_not_touched_but_replaced_when_told(index):
    index.folder.mkdir(parents=True)
    (index.folder / "notes.txt").write_text("keep me")
    FileIndex.create(FileStorage(str(index.folder)), fields.Schema(title=fields.TEXT), NAME)
    for attempt in (index.count, lambda: index.apply(batch(1), (), 1), lambda: index.search(Query())):
        with pytest.raises(IndexUnusable, match="another version"):
            attempt()
    index.replace(batch(1), 1)
    assert (index.serial, index.count()) == (1, 30)
    assert (index.folder / "notes.txt").read_text() == "keep me"


def test_an_index_of_an_earlier_version_is_built_again(index):
    index.apply(batch(1), (), 1)
    files = MappedStorage(str(index.folder))
    toc = contents(files)
    toc.schema.stamp = replace(toc.schema.stamp, version=0)
    TOC(toc.schema, toc.segments, toc.generation + 1).write(files, NAME)
    with pytest.raises(IndexUnusable, match="another version"):
        index.count()


# ---- many small commits


def test_many_small_commits_leave_few_segments(index):
    for serial in range(1, 101):
        index.apply([Document(id=f"s-{serial}", title=f"Small {serial}", keywords=("commit",))], (), serial)
    segments = contents(MappedStorage(str(index.folder))).segments
    assert len(segments) < 3 * SIBLINGS
    assert not crowded(segments)
    assert index.count() == index.search(Query(words="commit")).total == 100
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
