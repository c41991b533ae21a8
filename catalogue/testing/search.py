"""The promises that every search engine keeps, as tests to inherit.

A subclass has a fixture `index` that gives an empty `SearchIndex`, a new one for every test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from catalogue.search import SECTIONS, Box, Document, Facet, Query, SearchIndex
from catalogue.search.filters import FACETS, FILTERS
from catalogue.search.highlight import snippet
from catalogue.testing.documents import NASTY, RIVERS, ROADS, SAID_NOTHING, SCHOOLS, SMALL, documents

PERIODS: tuple[tuple[str, str, set[str]], ...] = (
    ("2010", "2012", {ROADS.id}),
    ("2015-12-31", "", {ROADS.id, SCHOOLS.id}),
    ("2016", "", {SCHOOLS.id}),
    ("", "2004", set()),
    ("", "2005-01-01", {ROADS.id}),
    ("1900", "2100", {ROADS.id, SCHOOLS.id}),
    ("2016-01-01", "2016-08-31", set()),
)
BOXES: tuple[tuple[Box, set[str]], ...] = (
    ((-3.0, 51.0, -2.0, 52.0), {ROADS.id, SCHOOLS.id}),
    ((-5.65, 51.0, -5.6, 52.0), {SCHOOLS.id}),
    ((10.0, 51.0, 12.0, 52.0), set()),
    ((175.0, 0.0, 176.0, 1.0), {"pacific"}),
    ((-176.0, 0.0, -175.0, 1.0), {"pacific"}),
    ((179.0, 0.0, -179.0, 1.0), {"pacific"}),
    ((-180.0, -90.0, 180.0, 90.0), {ROADS.id, SCHOOLS.id, "pacific"}),
    ((0.0, 0.0, 1.0, 1.0), set()),
)
ODD_TITLES = (
    "Roads -Wales", '"A" roads OR B', "NOT in employment", "The Of", "Rail: 2019/20*", "-", "Dŵr", "a" * 300, "w " * 90,
)  # fmt: skip


class SearchContract:
    """What anybody may rely on, whichever engine answers."""

    # ---- what words find

    def test_words_are_joined_by_and(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, "school road") == {"schools-2"}
        assert found(index, "school river") == set()

    def test_quoted_words_stand_together(self, index: SearchIndex) -> None:
        index.apply([*SMALL, Document(id="apart", title="Public use of roads")], (), 1)
        assert found(index, '"public roads"') == {"road-accidents-1"}
        assert found(index, '"on public roads"') == {"road-accidents-1"}
        assert found(index, '"roads public"') == set()

    def test_a_quotation_does_not_run_from_one_keyword_into_the_next(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, '"safety collisions"') == set()

    def test_minus_takes_results_away(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, "road -school") == {"road-accidents-1"}
        assert found(index, 'road -"public roads"') == {"schools-2"}
        assert found(index, "-road") == {"river-levels-3"}

    def test_or_joins_the_words_beside_it(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, "river OR school") == {"river-levels-3", "schools-2"}
        assert found(index, "river OR school road") == {"schools-2"}

    def test_a_star_stands_for_any_ending(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, "coll*") == {"road-accidents-1"}
        assert found(index, "read* hour*") == {"river-levels-3"}
        assert found(index, "xyz*") == set()

    def test_inflections_find_the_same(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for one, other in (
            ("road", "roads"),
            ("accident", "accidents"),
            ("school", "schools"),
            ("reporting", "reports"),
        ):
            assert found(index, one) == found(index, other) != set()

    def test_capitals_accents_and_typographic_signs_do_not_matter(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for typed in ("dwr cymru", "DŴR CYMRU", "du\u0302r OR dŵr cymru", "“Dŵr Cymru”", '"dwr cymru"'):
            assert found(index, typed) == {"schools-2"}

    def test_common_words_are_not_asked_for(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, "the accidents of the roads") == {"road-accidents-1"}

    def test_every_section_is_searched_and_named(self, index: SearchIndex) -> None:
        for section in SECTIONS:
            words: Any = (
                "zebra crossing" if isinstance(getattr(SAID_NOTHING, section.field), str) else ("zebra crossing",)
            )
            said = replace(SAID_NOTHING, **{section.field: words})
            index.apply([said], (), 1)
            assert found(index, "zebra") == {SAID_NOTHING.id}, section
            assert snippet(said, "zebra", index.stem).field == section.field

    def test_what_was_not_said_is_not_found(self, index: SearchIndex) -> None:
        index.apply([SAID_NOTHING], (), 1)
        for typed in ("none", "null", "unknown", "nan", "dataset", "bare", "title", "0"):
            assert found(index, typed) == set()
        assert all(facet.values == () for facet in index.search(Query()).facets)

    def test_an_id_or_an_address_finds_its_document(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert found(index, ROADS.id) == {ROADS.id}
        assert found(index, ROADS.iri) == {ROADS.id}

    def test_nothing_that_is_typed_raises(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for typed in NASTY:
            answer = index.search(Query(words=typed))
            assert 0 <= answer.total <= len(SMALL)
            index.suggest(typed)
            snippet(ROADS, typed, index.stem)

    # ---- the order

    def test_an_exact_title_comes_first(self, index: SearchIndex) -> None:
        louder = [
            Document(id=f"louder-{n}", title=f"Road accidents road accidents {n}", keywords=("road accidents",))
            for n in range(20)
        ]
        index.apply([*louder, *SMALL], (), 1)
        assert ids(index, Query(words="Road accidents"))[:1] == [ROADS.id]
        assert ids(index, Query(words="road ACCIDENTS"))[:1] == [ROADS.id]

    def test_every_title_finds_itself_first(self, index: SearchIndex) -> None:
        titled = [Document(id=f"odd-{n}", title=odd, titles=(f"{odd} arall",)) for n, odd in enumerate(ODD_TITLES)]
        every = [*documents(150), *titled]
        index.apply(every, (), 1)
        for each in every:
            for title in (each.title, *each.titles):
                first = ids(index, Query(words=title, per_page=1, facets=False))
                assert set(first) <= {other.id for other in every if title in (other.title, *other.titles)} != set(), (
                    title
                )

    def test_a_word_in_the_title_counts_more(self, index: SearchIndex) -> None:
        text, title = (
            Document(id="in-text", title="Other", description="tram"),
            Document(id="in-title", title="Tram stops"),
        )
        index.apply([text, title], (), 1)
        assert ids(index, Query(words="tram")) == ["in-title", "in-text"]

    def test_results_are_sorted_by_title_when_asked(self, index: SearchIndex) -> None:
        titles = ("Zoo", "ape", "Ångström", "bee", "“Cat”")
        index.apply([Document(id=f"n-{number}", title=title) for number, title in enumerate(titles)], (), 1)
        assert ids(index, Query(sort="title")) == ["n-2", "n-1", "n-3", "n-4", "n-0"]

    def test_results_are_sorted_by_date_when_asked(self, index: SearchIndex) -> None:
        index.apply([*SMALL, SAID_NOTHING], (), 1)
        assert ids(index, Query(sort="updated")) == [SCHOOLS.id, ROADS.id, RIVERS.id, SAID_NOTHING.id]

    def test_pages_are_complete_and_do_not_overlap(self, index: SearchIndex) -> None:
        alike = [Document(id=f"alike-{number}", title="Alike", modified="2024-01-01") for number in range(60)]
        index.apply([*alike, *documents(60)], (), 1)
        for sort in ("relevance", "updated", "title"):
            for words in ("", "alike", "-data"):
                whole = ids(index, Query(words=words, sort=sort, per_page=200))
                pages = [ids(index, Query(words=words, sort=sort, page=page, per_page=7)) for page in range(1, 30)]
                assert list(chain.from_iterable(pages)) == whole
                assert len(set(whole)) == len(whole) == index.search(Query(words=words)).total

    # ---- filters and facets

    def test_an_empty_search_finds_everything_with_facets(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        answer = index.search(Query())
        assert answer.total == 3
        assert [facet.name for facet in answer.facets] == list(FACETS)
        assert counts(answer.facets, "format") == {"csv": 2, "json": 2}
        assert index.search(Query(per_page=0)).hits == index.search(Query(page=99)).hits == ()

    def test_each_count_is_what_choosing_it_finds(self, index: SearchIndex) -> None:
        index.apply(documents(150), (), 1)
        for words in ("", "data", "road OR school"):
            for facet in index.search(Query(words=words)).facets:
                for value in facet.values:
                    chosen = Query(words=words, filters={facet.name: frozenset({value.value})}, facets=False)
                    assert index.search(chosen).total == value.count > 0

    def test_counts_leave_their_own_facet_out(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        facets = index.search(Query(filters={"format": frozenset({"csv"})})).facets
        assert counts(facets, "format") == {"csv": 2, "json": 2}
        assert counts(facets, "access") == {"public": 2}

    def test_a_chosen_value_is_listed_even_at_nought(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        answer = index.search(Query(words="river", filters={"format": frozenset({"csv", "never-heard-of"})}))
        assert answer.total == 0
        assert counts(answer.facets, "format") == {"json": 1, "csv": 0, "never-heard-of": 0}
        chosen = {value.value for facet in answer.facets for value in facet.values if value.selected}
        assert chosen == {"csv", "never-heard-of"}

    def test_values_are_alternatives_and_filters_all_hold(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        either = {"organisation": frozenset({"welsh-government", "environment-agency"})}
        assert found(index, filters=either) == {SCHOOLS.id, RIVERS.id}
        assert found(index, filters={**either, "access": frozenset({"public"})}) == {SCHOOLS.id}

    def test_every_filter_filters(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for each in FILTERS:
            assert ROADS.id in found(index, filters={each.parameter: frozenset(each.values(ROADS))}), each
            assert found(index, filters={each.parameter: frozenset({"something else"})}) == set(), each

    def test_a_period_finds_what_covers_some_of_it(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for begins, ends, expected in PERIODS:
            assert set(index.search(Query(covers_from=begins, covers_to=ends))) == expected, (begins, ends)

    def test_a_box_finds_what_touches_it(self, index: SearchIndex) -> None:
        pacific = Document(id="pacific", title="Pacific", bbox=(170.0, -20.0, -170.0, 20.0))
        index.apply([*SMALL, pacific], (), 1)
        for box, expected in BOXES:
            assert set(index.search(Query(bbox=box))) == expected, box

    # ---- help

    def test_a_misspelt_word_is_put_right(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert index.search(Query(words="shcool")).did_you_mean == "school"
        assert index.search(Query(words='Collisoins "public roads"')).did_you_mean == 'collisions "public roads"'
        assert index.search(Query(words="school")).did_you_mean is None
        assert index.search(Query(words="qqqqqqqqqq")).did_you_mean is None

    def test_a_correction_finds_something(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert index.search(Query(words="shcool rivver")).did_you_mean is None

    def test_a_beginning_is_completed(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        assert index.suggest("ro")[:1] == ("Road accidents",)
        assert index.suggest("schools in w")[:1] == ("Schools in Wales",)
        assert "collisions" in index.suggest("colli")
        assert index.suggest("") == index.suggest("zzz") == index.suggest("ro", 0) == ()
        assert len(index.suggest("a", 2)) <= 2

    def test_a_snippet_marks_what_the_engine_matched(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        for words in ("collision", "reporting road", '"public roads"', "coll*", "district"):
            assert found(index, words) == {ROADS.id}
            assert snippet(ROADS, words, index.stem).matched

    # ---- following the catalogue

    def test_a_new_index_is_empty_at_serial_nought(self, index: SearchIndex) -> None:
        assert (index.serial, index.count(), index.search(Query()).total) == (0, 0, 0)

    def test_an_update_takes_the_place_of_what_had_its_id(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        index.apply([replace(ROADS, title="Motorways", description="", organisation="highways")], (), 2)
        assert (index.serial, index.count()) == (2, 3)
        assert found(index, "motorway") == {ROADS.id}
        assert found(index, "police") == set()
        assert "department-for-transport" not in counts(index.search(Query()).facets, "organisation")

    def test_the_later_of_two_in_one_batch_stands(self, index: SearchIndex) -> None:
        index.apply([ROADS, SCHOOLS, replace(ROADS, title="Motorways")], (), 1)
        assert index.count() == 2
        assert ids(index, Query(words="motorways")) == [ROADS.id]

    def test_what_is_removed_is_gone_from_everywhere(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 1)
        index.apply((), [ROADS.id, "never-there"], 2)
        answer = index.search(Query())
        assert (index.serial, index.count(), answer.total) == (2, 2, 2)
        assert found(index, "police") == found(index, "Road accidents") == set()
        assert "annual" not in counts(answer.facets, "frequency")
        assert "Road accidents" not in index.suggest("road")

    def test_a_rebuilt_index_equals_one_that_followed(self, index: SearchIndex) -> None:
        current = {each.id: each for each in documents(60)}
        index.apply(current.values(), (), 1)
        for serial, each in enumerate(list(current.values())[::4], 2):
            current[each.id] = replace(each, title=f"{each.title} revised", description=f"{each.description} revised")
            index.apply([current[each.id]], (), serial)
        gone = list(current)[1::4]
        index.apply((), gone, 100)
        for name in gone:
            del current[name]
        followed = answers(index)
        index.replace(current.values(), 100)
        assert answers(index) == followed
        index.clear()
        index.apply(reversed(current.values()), (), 100)
        assert answers(index) == followed

    def test_a_lower_serial_changes_nothing(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 7)
        index.apply([replace(ROADS, title="Old")], [SCHOOLS.id], 6)
        assert (index.serial, index.count(), found(index, "old")) == (7, 3, set())

    def test_a_batch_that_fails_leaves_everything_as_it_was(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 7)

        def failing() -> Iterator[Document]:
            yield replace(ROADS, title="Half")
            raise OSError("the database went away")

        attempts: tuple[Callable[[], None], ...] = (
            lambda: index.apply(failing(), [SCHOOLS.id], 8),
            lambda: index.replace(failing(), 8),
        )
        for attempt in attempts:
            try:
                attempt()
            except OSError:
                pass
            else:
                raise AssertionError("the error was swallowed")
            assert (index.serial, index.count(), found(index, "half")) == (7, 3, set())

    def test_replacing_may_go_back(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 7)
        index.replace([RIVERS], 3)
        assert (index.serial, index.count(), found(index, "river")) == (3, 1, {RIVERS.id})

    def test_a_cleared_index_is_as_new(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 7)
        index.clear()
        assert (index.serial, index.count(), index.search(Query()).total) == (0, 0, 0)
        index.apply([RIVERS], (), 1)
        assert (index.serial, index.count()) == (1, 1)

    def test_a_closed_index_opens_itself(self, index: SearchIndex) -> None:
        index.apply(SMALL, (), 7)
        index.close()
        assert (index.serial, found(index, "river")) == (7, {RIVERS.id})


def ids(index: SearchIndex, query: Query) -> list[str]:
    """What a query finds, in order."""
    return list(index.search(query))


def found(index: SearchIndex, words: str = "", filters: dict[str, frozenset[str]] | None = None) -> set[str]:
    """What words and filters find."""
    return set(index.search(Query(words=words, filters=filters or {}, per_page=1000, facets=False)))


def counts(facets: Iterable[Facet], name: str) -> dict[str, int]:
    """The values of a facet."""
    return {value.value: value.count for facet in facets if facet.name == name for value in facet.values}


def answers(index: SearchIndex) -> list[object]:
    """What an index says to a few questions: everything that must not depend on how it came about."""
    questions = ["", "revised", "road", "data -road", '"revised"', "re*", "annual OR level"]
    asked = [
        Query(words=words, sort=sort, per_page=100) for words in questions for sort in ("relevance", "updated", "title")
    ]
    return [(index.serial, index.count()), *(index.search(query) for query in asked)]
