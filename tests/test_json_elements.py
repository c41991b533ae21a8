"""The reader of JSON lists: elements to the byte, one problem for each broken one, and an end for whatever bytes there are."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.errors import Problem, SourceUnavailable
from catalogue.http import Response
from harvesters import json_elements
from harvesters.json_elements import Document, Element, Lists, elements

LISTS = Lists(
    records=frozenset({"dataset"}),
    members=frozenset({"member"}),
    nested=frozenset({"catalog"}),
    alone=frozenset({"distribution"}),
)
Found = list[Element | Problem | SourceUnavailable]


def scanned(body: str | bytes) -> Found:
    """Elements and problems in order, and last why it broke off, if it did."""
    found: Found = []
    try:
        found.extend(elements(Response.of(body.encode() if isinstance(body, str) else body, "application/json"), LISTS))
    except SourceUnavailable as ended:
        found.append(ended)
    return found


def wheres(found: Found) -> list[str]:
    return [one.where for one in found if isinstance(one, Element)]


def problems(found: Found) -> dict[str, str]:
    return {one.where: one.rule for one in found if isinstance(one, Problem)}


def ending(found: Found) -> str:
    return next((str(one) for one in found if isinstance(one, SourceUnavailable)), "")


def in_three(element: str) -> Found:
    """An element between two good ones, on lines of their own."""
    return scanned(f'{{\n  "dataset": [\n    {{"n": 1}},\n    {element},\n    {{"n": 3}}\n  ]\n}}')


BROKEN = {
    "a bare word": '{"id": nope}',
    "a missing value": '{"id": "b", "title": }',
    "a missing brace": '{"id": "b", "publisher": {"name": "P"',
    "a missing quote": '{"id": "b,\n    "title": "T"}',
    "a missing quote later": '{"id": "b",\n      "title": T", "x": "y"\n    }',
    "a wrong bracket": '{"id": "b", "keyword": ["x"}',
    "half of it": '{"id": "b", "tit',
}


@pytest.mark.parametrize("element", BROKEN)
def test_a_broken_element_is_one_problem_and_the_rest_is_read(element):
    found = in_three(BROKEN[element])
    assert wheres(found) == ["$.dataset[0]", "$.dataset[2]"]
    assert problems(found) == {"$.dataset[1]": "broken-record"}
    assert ending(found) == ""


@pytest.mark.parametrize("element", ['"text"', "7", "null", "[]", '[{"n": 2}]', "words-of-no-meaning"])
def test_what_is_no_object_is_one_problem(element):
    found = in_three(element)
    assert wheres(found) == ["$.dataset[0]", "$.dataset[2]"]
    assert problems(found) == {"$.dataset[1]": "broken-record"}


def test_a_bracket_too_many_is_one_problem():
    found = in_three('{"n": 2}}')
    assert wheres(found) == ["$.dataset[0]", "$.dataset[1]", "$.dataset[2]"]
    assert len(problems(found)) == 1


def test_broken_elements_on_one_line_cost_only_themselves_while_their_brackets_close():
    found = scanned('[{"n": 1}, {"n": }, {"n": 3}, {nope}, {"n": "]}"}]')
    assert wheres(found) == ["$[0]", "$[2]", "$[4]"]
    assert list(problems(found)) == ["$[1]", "$[3]"]


def test_line_breaks_within_words_are_let_pass():
    [element] = scanned('[{"n": "one\ntwo\t}"}]')
    assert isinstance(element, Element)
    assert element.said == {"n": "one\ntwo\t}"}


@pytest.mark.parametrize("levels", [101, 10_000, 200_000])
def test_an_element_nested_without_end_costs_only_itself(levels):
    found = in_three('{"x": ' + "[" * levels + "]" * levels + "}")
    assert wheres(found) == ["$.dataset[0]", "$.dataset[2]"]
    assert problems(found) == {"$.dataset[1]": "too-deep"}


def test_lists_of_lists_without_end_do_not_end_us():
    found = scanned('{"catalog": [' * 5000 + '{"dataset": [{"n": 1}]}' + "]}" * 5000)
    assert set(problems(found).values()) == {"too-deep"}


def test_an_element_of_enormous_size_costs_only_itself(monkeypatch):
    monkeypatch.setattr(json_elements, "LARGEST", 50_000)
    found = in_three(json.dumps({"words": ["word"] * 20_000}))
    assert wheres(found) == ["$.dataset[0]", "$.dataset[2]"]
    assert problems(found) == {"$.dataset[1]": "too-large"}
    endless = scanned('{"dataset": [{"n": 1}, {"n": "' + "b" * 1_000_000 + '"}]}')
    assert wheres(endless) == ["$.dataset[0]"]
    assert "breaks off in $.dataset[1]" in ending(endless)


def test_a_text_with_nothing_but_faults_is_given_up(monkeypatch):
    monkeypatch.setattr(json_elements, "MOST_FAULTS", 50)
    assert "more than 50 broken" in ending(scanned("[" + "1," * 100 + "]"))
    unclosed = "[\n" + ' {"n": {,\n' * 45 + "]"
    assert len(problems(scanned(unclosed))) == 45
    monkeypatch.setattr(json_elements, "MOST_ASTRAY", 2_000)
    assert 1 < len(problems(scanned(unclosed))) < 10  # each would be looked for to the end of the text
    assert "breaks off" in ending(scanned(unclosed))


CUT_OFF = {
    "after a record": ('{"dataset": [{"n": 1}', 1),
    "after a comma": ('{"dataset": [{"n": 1},', 1),
    "within a record": ('{"dataset": [{"n": 1}, {"n": "b', 1),
    "before its end": ('{"dataset": [{"n": 1}]', 1),
    "in another field": ('{"dataset": [{"n": 1}], "publisher": {"name": ', 1),
    "by another document": ('[{"n": 1}]\n[{"n": 2}]', 1),
    "with the list still open": ('{"dataset": [{"n": 1}}', 1),
    "before anything": ("", 0),
    "before a list": ('{"title": "T"}', 0),
}


@pytest.mark.parametrize("cut", CUT_OFF)
def test_a_text_that_breaks_off_is_incomplete(cut):
    body, before = CUT_OFF[cut]
    found = scanned(body)
    assert len(wheres(found)) == before
    assert ending(found)


# -- On anything

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "member"), JSON_VALUES, max_size=5)


@settings(max_examples=100, deadline=None)
@given(st.lists(OBJECTS, max_size=6), st.sampled_from([None, 1]), st.booleans(), st.booleans(), st.integers(1, 40))
def test_what_json_writes_is_found_element_by_element(said, indent, ascii_only, bare, chunk):
    whole = said if bare else {"a": said, "dataset": said, "z": {"dataset": said}}
    body = json.dumps(whole, indent=indent, ensure_ascii=ascii_only).encode()
    kept, json_elements.CHUNK = json_elements.CHUNK, chunk
    try:
        found = scanned(body)
    finally:
        json_elements.CHUNK = kept
    assert [element.said for element in found if isinstance(element, Element)] == said
    assert len(found) == len(said)
    for number, element in enumerate(found):
        assert isinstance(element, Element)
        assert element.where == (f"$[{number}]" if bare else f"$.dataset[{number}]")
        assert json.loads(element.content) == element.said
        assert element.content in body


@settings(max_examples=100, deadline=None)
@given(st.lists(OBJECTS, min_size=1, max_size=4), st.data())
def test_damage_costs_at_most_a_clean_end(said, data):
    body = bytearray(json.dumps({"dataset": said}, indent=1).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    found = scanned(bytes(body))
    assert all(isinstance(one.said, dict) for one in found if isinstance(one, Element))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_records_problems_or_a_sentence(body):
    scanned(body)


def test_memory_holds_one_element_at_a_time():
    class Counted(io.BytesIO):
        largest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            Counted.largest = max(Counted.largest, size if size is not None and size >= 0 else 1 << 40)
            return super().read(size)

    body = json.dumps([{"n": n, "words": "x" * 1000} for n in range(3000)]).encode()
    document = Document(Counted(body), "https://x.gov.uk/data.json", LISTS)
    assert sum(1 for _ in document.elements()) == 3000
    assert len(document.ahead.text) < 4 * json_elements.CHUNK
    assert Counted.largest <= 2 * json_elements.CHUNK
