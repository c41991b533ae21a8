"""For each promise of the search contract, an engine that breaks it, and is caught."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from catalogue.search import Facet, Query, Results
from catalogue.search.whoosh import WhooshIndex
from catalogue.search.words import COMMON
from catalogue.testing.search import SearchContract

PROMISES = {name for name in vars(SearchContract) if name.startswith("test_")}
NOTHING = Results(total=0, page=1, per_page=10, hits=())


class Spoilt:
    """A good engine, spoilt in one place: what it is asked, what it answers, or what it is told."""

    def __init__(self, index: WhooshIndex, spoilt: dict[str, Callable[..., Any]]) -> None:
        self.index, self.spoilt = index, spoilt

    def __getattr__(self, name: str) -> Any:
        honest = getattr(self.index, name)
        return partial(self.spoilt[name], honest) if name in self.spoilt else honest


def asked(change: Callable[[Query], Query]) -> dict[str, Callable[..., Any]]:
    return {"search": lambda search, query: search(change(query))}


def answered(change: Callable[[Query, Results], Results]) -> dict[str, Callable[..., Any]]:
    return {"search": lambda search, query: change(query, search(query))}


def typed(change: Callable[[str], str]) -> dict[str, Callable[..., Any]]:
    return asked(lambda query: replace(query, words=change(query.words)))


def told(change: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    return {
        "apply": lambda apply, documents, removed, serial: apply(map(change, documents), removed, serial),
    }


def faceted(change: Callable[[Query, Facet], Facet]) -> dict[str, Callable[..., Any]]:
    return answered(
        lambda query, answer: replace(answer, facets=tuple(change(query, facet) for facet in answer.facets))
    )


def only(facet: Facet, keep: Callable[[Any], bool]) -> Facet:
    return replace(facet, values=tuple(value for value in facet.values if keep(value)))


def backwards(_: Query, answer: Results) -> Results:
    return replace(answer, hits=answer.hits[::-1])


def fussy(search: Callable[[Query], Results], query: Query) -> Results:
    if query.words.count('"') % 2:
        raise AssertionError("there is no partner for this quotation mark")
    return search(query)


def swallowing(apply: Any, documents: Any, removed: Any, serial: int) -> None:
    read = []
    with suppress(OSError):
        read.extend(documents)
    apply(read, removed, serial)


BREAKS: dict[str, dict[str, Callable[..., Any]]] = {
    "test_words_are_joined_by_and": typed(lambda words: " OR ".join(words.split())),
    "test_quoted_words_stand_together": typed(lambda words: words.replace('"', "")),
    "test_a_quotation_does_not_run_from_one_keyword_into_the_next": told(
        lambda document: replace(document, keywords=(" ".join(document.keywords),))
    ),
    "test_minus_takes_results_away": typed(lambda words: words.replace("-", "")),
    "test_or_joins_the_words_beside_it": typed(lambda words: words.replace(" OR ", " ")),
    "test_a_star_stands_for_any_ending": typed(lambda words: words.replace("*", "")),
    "test_inflections_find_the_same": typed(lambda words: f'"{words}"'),
    "test_capitals_accents_and_typographic_signs_do_not_matter": answered(
        lambda query, answer: answer if query.words.isascii() else NOTHING
    ),
    "test_common_words_are_not_asked_for": answered(
        lambda query, answer: NOTHING if COMMON & set(query.words.split()) else answer
    ),
    "test_every_section_is_searched_and_named": told(lambda document: replace(document, columns=())),
    "test_what_was_not_said_is_not_found": told(lambda document: replace(document, description="None")),
    "test_an_id_or_an_address_finds_its_document": typed(lambda words: f"({words})"),
    "test_nothing_that_is_typed_raises": {"search": fussy},
    "test_an_exact_title_comes_first": answered(backwards),
    "test_every_title_finds_itself_first": asked(lambda query: replace(query, sort="title")),
    "test_a_word_in_the_title_counts_more": answered(backwards),
    "test_results_are_sorted_by_title_when_asked": asked(lambda query: replace(query, sort="relevance")),
    "test_results_are_sorted_by_date_when_asked": asked(lambda query: replace(query, sort="title")),
    "test_pages_are_complete_and_do_not_overlap": asked(lambda query: replace(query, page=max(query.page - 1, 1))),
    "test_an_empty_search_finds_everything_with_facets": answered(
        lambda query, answer: answer if query.words else replace(answer, facets=())
    ),
    "test_each_count_is_what_choosing_it_finds": faceted(
        lambda _, facet: replace(facet, values=tuple(replace(value, count=value.count + 1) for value in facet.values))
    ),
    "test_counts_leave_their_own_facet_out": faceted(
        lambda query, facet: only(facet, lambda value: value.selected) if facet.name in query.filters else facet
    ),
    "test_a_chosen_value_is_listed_even_at_nought": faceted(
        lambda _, facet: only(facet, lambda value: value.count > 0)
    ),
    "test_values_are_alternatives_and_filters_all_hold": asked(
        lambda query: replace(query, filters={name: frozenset(sorted(v)[:1]) for name, v in query.filters.items()})
    ),
    "test_every_filter_filters": asked(
        lambda query: replace(query, filters={n: v for n, v in query.filters.items() if n != "mission"})
    ),
    "test_a_period_finds_what_covers_some_of_it": asked(lambda query: replace(query, covers_to="")),
    "test_a_box_finds_what_touches_it": asked(lambda query: replace(query, bbox=None)),
    "test_a_misspelt_word_is_put_right": answered(lambda _, answer: replace(answer, did_you_mean=None)),
    "test_a_correction_finds_something": answered(lambda _, answer: replace(answer, did_you_mean="school river")),
    "test_a_beginning_is_completed": {"suggest": lambda *_: ()},
    "test_a_snippet_marks_what_the_engine_matched": {"stem": lambda _, word: word},
    "test_a_new_index_is_empty_at_serial_nought": {"count": lambda _: 1},
    "test_an_update_takes_the_place_of_what_had_its_id": {
        "apply": lambda apply, documents, removed, serial: apply(
            [replace(document, id=f"{document.id}-{serial}") for document in documents], removed, serial
        )
    },
    "test_the_later_of_two_in_one_batch_stands": {
        "apply": lambda apply, documents, removed, serial: apply(list(documents)[::-1], removed, serial)
    },
    "test_what_is_removed_is_gone_from_everywhere": {
        "apply": lambda apply, documents, removed, serial: apply(documents, (), serial)
    },
    "test_a_rebuilt_index_equals_one_that_followed": {
        "replace": lambda replace_, documents, serial: replace_(list(documents)[1:], serial)
    },
    "test_a_lower_serial_changes_nothing": {
        "apply": lambda apply, documents, removed, serial: apply(documents, removed, max(serial, 7))
    },
    "test_a_batch_that_fails_leaves_everything_as_it_was": {"apply": swallowing},
    "test_replacing_may_go_back": {"replace": lambda replace_, documents, serial: replace_(documents, max(serial, 7))},
    "test_a_cleared_index_is_as_new": {"clear": lambda _: None},
    "test_a_closed_index_opens_itself": {"close": lambda close: close.__self__.clear()},
}


def test_every_promise_has_its_breaker():
    assert set(BREAKS) == PROMISES


@pytest.mark.parametrize("promise", sorted(PROMISES))
def test_breaking_a_promise_is_noticed(promise, tmp_path):
    index = Spoilt(WhooshIndex(f"whoosh:{tmp_path}/index"), BREAKS[promise])
    with pytest.raises(AssertionError):
        getattr(SearchContract(), promise)(index)
