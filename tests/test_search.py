"""What people type, the parameters of an address, why something was found, and the door to the engines."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalogue.errors import SettingsError, WrongUse
from catalogue.search import SORTS, Document, Query, SearchIndex, open_index
from catalogue.search.filters import FACETS, FILTERS, WrongParameter, day, from_parameters, to_parameters
from catalogue.search.highlight import LIMIT, snippet
from catalogue.search.whoosh import WhooshIndex
from catalogue.search.words import (
    MAX_LETTERS,
    MAX_WORDS,
    All,
    Either,
    Node,
    Not,
    Phrase,
    Prefix,
    Word,
    fold,
    leaves,
    parse,
    words,
)
from catalogue.testing.search import NASTY, ROADS, SearchContract

TYPED = st.lists(
    st.one_of(st.text(max_size=12), st.sampled_from([*NASTY[:40], "road", "OR", "-", '"', "*", "NOT", " "]))
).map(" ".join)


class TestWhoosh(SearchContract):
    @pytest.fixture
    def index(self, tmp_path) -> SearchIndex:
        return WhooshIndex(f"whoosh:{tmp_path}/index")


# ---- what people type


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("road accidents", [Word("road"), Word("accidents")]),
        ("road AND accidents", [Word("road"), Word("accidents")]),
        ("“Road accidents”", [Phrase(((0, "road"), (1, "accidents")))]),
        ('"ministry of justice"', [Phrase(((0, "ministry"), (2, "justice")))]),
        ("the road to Wales", [Word("road"), Word("wales")]),
        ("road -wales", [Word("road"), Not(Word("wales"))]),
        ("road NOT wales", [Word("road"), Not(Word("wales"))]),
        ('road -"north wales"', [Word("road"), Not(Phrase(((0, "north"), (1, "wales"))))]),
        ("road -north-wales", [Word("road"), Not(Phrase(((0, "north"), (1, "wales"))))]),
        ("road OR rail OR bus stops", [Either((Word("road"), Word("rail"), Word("bus"))), Word("stops")]),
        ("accid*", [Prefix("accid")]),
        ("road-accid*", [All((Word("road"), Prefix("accid")))]),
        ("road–rail", [All((Word("road"), Word("rail")))]),
        ("driver’s O'Brien", [Word("drivers"), Word("obrien")]),
        ("Dŵr yr Ŵyl ŷd", [Word("dwr"), Word("yr"), Word("wyl"), Word("yd")]),
        ("10.1234/abc:def", [All((Word("10"), Word("1234"), Word("abc"), Word("def")))]),
        ("100023336956", [Word("100023336956")]),
        ("local_authority_name", [All((Word("local"), Word("authority"), Word("name")))]),
        ("title:road", [All((Word("title"), Word("road")))]),
        ("road road ROAD", [Word("road")]),
        ('unbalanced "quote', [Word("unbalanced"), Word("quote")]),
        ("OR road", [Word("road")]),
        ("road OR", [Word("road")]),
        ("road OR the OR rail", [Word("road"), Word("rail")]),
        ("- * AND OR ( ) |", []),
        ("the of", []),
        ("", []),
    ],
)
def test_what_is_typed_is_understood(typed, understood):
    assert parse(typed).tree == (All(tuple(understood)) if understood else None)


def test_what_is_left_out_is_said():
    assert parse("road rail").notes == ()
    assert parse('road "rail').notes == ("A quotation mark without its partner was left out.",)
    assert parse("the of").notes == ("Nearly every description has these words: the, of.",)
    assert parse("road " * 3 + "w " * 90).notes == ("Only the first 32 words were used.",)
    assert parse("a" * 3_000).notes == ("Only the first 2,000 characters were used.",)


@given(TYPED)
@example("".join(NASTY))
def test_nothing_that_is_typed_raises_or_explodes(typed):
    understood = parse(typed)
    found = list(leaves(understood.tree))
    every = [leaf.text if not isinstance(leaf, Phrase) else " ".join(word for _, word in leaf.words) for leaf in found]
    assert len(" ".join(every).split()) <= MAX_WORDS
    assert all(0 < len(word) <= MAX_LETTERS for text in every for word in text.split())
    assert all(distance >= 0 for leaf in found if isinstance(leaf, Phrase) for distance, _ in leaf.words)
    assert depth(understood.tree) <= 5  # all, either, not, all, word


def depth(node: Node | None) -> int:
    if isinstance(node, All | Either):
        return 1 + max(map(depth, node.of))
    return 1 + depth(node.of) if isinstance(node, Not) else int(node is not None)


@given(st.text())
def test_folding_twice_changes_nothing(text):
    assert all(fold(word) == word for word in words(text))


# ---- the parameters of an address

DAYS = st.one_of(st.just(""), st.dates().map(str), st.dates().map(lambda each: str(each)[:4]))
BOX = st.tuples(st.floats(-180, 180), st.floats(-90, 0), st.floats(-180, 180), st.floats(0, 90))
VALUE = st.text(min_size=1, max_size=20).map(str.strip).filter(bool)
QUERIES = st.builds(
    Query,
    words=st.text().map(str.strip),
    filters=st.dictionaries(
        st.sampled_from([each.parameter for each in FILTERS]), st.frozensets(VALUE, min_size=1, max_size=3)
    ),
    covers_from=DAYS,
    bbox=st.none() | BOX.map(lambda box: tuple(float(f"{side:.6g}") for side in box)),
    sort=st.sampled_from(SORTS),
    page=st.integers(1, 1000),
)


@given(QUERIES)
def test_a_query_survives_its_address(query):
    assert from_parameters(to_parameters(query)) == query


def test_the_usual_address_is_short():
    assert to_parameters(Query()) == []
    assert to_parameters(Query(words="road", filters={"theme": frozenset({"b", "a"})}, page=2)) == [
        ("q", "road"),
        ("theme", "a"),
        ("theme", "b"),
        ("page", "2"),
    ]


def test_parameters_that_are_not_ours_and_empty_ones_are_ignored():
    assert from_parameters([("utm_source", "x"), ("theme", ""), ("page", " "), ("from", "")]) == Query()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("page", value) for value in ("0", "-1", "1.5", "x", "１", "1_0", "9" * 30, "100001")),
        *(("from", value) for value in ("yesterday", "2024-13", "2024-02-30", "24-01-01", "2024-01-01T00:00", "0000")),
        *(("to", value) for value in ("x", "2024-1-1", "2023")),
        *(("bbox", value) for value in ("1", "1,2,3", "a,b,c,d", "0,2,0,1", "0,0,nan,0", "-181,0,0,1", "0,-91,0,1")),
        ("sort", "best"),
        ("theme", "x" * 501),
    ],
)
def test_a_wrong_parameter_is_named(name, value):
    with pytest.raises(WrongParameter) as problem:
        from_parameters([("from", "2024"), (name, value)])
    assert problem.value.name == name
    assert f"'{name}'" in str(problem.value)


@given(st.text())
def test_no_parameter_does_worse_than_be_refused(value):
    for name in ("q", "from", "to", "bbox", "sort", "page", "theme"):
        with suppress(WrongParameter):
            query = from_parameters([(name, value)])
            assert from_parameters(to_parameters(query)) == query


def test_days_are_read_at_either_end():
    assert [str(day(text)) for text in ("2024", "2024-02", "2024-02-03", "2024-02-03T10:00Z")] == [
        "2024-01-01",
        "2024-02-01",
        "2024-02-03",
        "2024-02-03",
    ]
    assert [str(day(text, last=True)) for text in ("2024", "2024-02", "2024-02-03")] == [
        "2024-12-31",
        "2024-02-29",
        "2024-02-03",
    ]
    assert day("soon") is day("") is day("2024-00") is day("2024-02-30") is None


def test_filters_agree_with_documents_and_design():
    assert [each.parameter for each in FILTERS] == (
        ["organisation", "theme", "format", "licence", "access", "frequency", "source", "identifier", "mission"]
    )
    assert len(FACETS) == 8
    assert all(each.values(ROADS) for each in FILTERS)
    assert not any(each.values(Document(id="a", title="A")) for each in FILTERS)


# ---- why something was found


def test_a_snippet_shows_the_words_in_their_place():
    long = replace(ROADS, description="Filler text. " * 40 + ROADS.description + " More filler." * 40)
    shown = snippet(long, "police collision", stem=lambda word: word.rstrip("s"))
    assert (shown.field, shown.label) == ("description", "description")
    assert [text for text, marked in shown.parts if marked] == ["Collisions", "police"]
    assert shown.text.startswith("… ")
    assert shown.text.endswith(" …")
    assert "Collisions reported to the police on public roads." in shown.text


@pytest.mark.parametrize(
    ("typed", "field", "text"),
    [
        ("safety", "keywords", "safety"),
        ("district", "columns", "local_authority_district"),
        ("accidents", "title", "Road accidents"),
        ("ros*", "description", ROADS.description),
        ("json", "formats", "json"),
        ('"public roads" police', "description", ROADS.description),
        ("police -road", "description", ROADS.description),
        ("nowhere", "description", ROADS.description),
        ("", "description", ROADS.description),
    ],
)
def test_a_snippet_says_where_it_is_from(typed, field, text):
    shown = snippet(ROADS, typed)
    assert (shown.field, shown.text) == (field, text)
    assert shown.matched == (typed not in ("nowhere", "", "ros*"))


def test_a_document_without_words_has_an_empty_snippet():
    assert snippet(Document(id="a", title="A"), "road").parts == ()


@given(TYPED, st.text(max_size=2_000), st.lists(st.text(max_size=200), max_size=8).map(tuple))
@settings(max_examples=200)
def test_a_snippet_is_short_and_made_of_what_was_said(typed, description, keywords):
    document = Document(id="a", title="Roads", description=description, keywords=keywords)
    shown = snippet(document, typed)
    assert len(shown.text) <= LIMIT
    assert all(text for text, _ in shown.parts)
    assert all(word in parse_all(typed) or any(map(word.startswith, parse_all(typed))) for word in marked(shown))
    assert all(not (one and other) for (_, one), (_, other) in pairwise(shown.parts))


def parse_all(typed: str) -> set[str]:
    return {word for leaf in leaves(parse(typed).tree) for word in said(leaf)}


def said(leaf: Word | Prefix | Phrase) -> list[str]:
    return [word for _, word in leaf.words] if isinstance(leaf, Phrase) else [leaf.text]


def marked(shown) -> list[str]:
    return [fold(text) for text, is_match in shown.parts if is_match]


# ---- the door to the engines


@pytest.mark.parametrize("url", ["lucene:/var/index", "whoosh", "", "/var/index", "lucene+http://host/x"])
def test_an_unknown_engine_is_refused_with_those_there_are(url):
    with pytest.raises(SettingsError, match=r"Installed: .*whoosh"):
        open_index(url)


def test_an_address_without_a_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for url in ("whoosh:", "whoosh:/", "whoosh://"):
        with pytest.raises(SettingsError, match="directory"):
            open_index(url)
    with pytest.raises(SettingsError, match="not a usable directory"):
        assert open_index(f"whoosh:{tmp_path}/file/index").serial


def test_whoosh_is_found_by_its_name(tmp_path):
    index = open_index(f"whoosh://{tmp_path}/index")
    assert isinstance(index, WhooshIndex)
    assert index.folder == tmp_path / "index"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Somebody else's distribution with two engines, one of which misses its library."""
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (tmp_path / "other-1.0.dist-info" / "entry_points.txt").write_text(
        "[fedcat.engines]\nlist = other_engine:Engine\nbroken = other_engine_without_library:Engine\n"
    )
    (tmp_path / "other_engine.py").write_text("class Engine:\n    def __init__(self, url):\n        self.url = url\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("other_engine", None)


@pytest.mark.usefixtures("installed")
def test_engines_of_others_come_through_the_same_door():
    assert open_index("list+http://host:9200/fedcat").url == "list+http://host:9200/fedcat"
    with pytest.raises(SettingsError, match="'broken' cannot be used, because No module named"):
        open_index("broken:x")


def test_a_filter_that_does_not_exist_is_wrong_use(tmp_path):
    index = open_index(f"whoosh:{tmp_path}/index")
    for query in (Query(filters={"colour": frozenset({"red"})}), Query(page=0), Query(per_page=-1)):
        with pytest.raises(WrongUse):
            index.search(query)
