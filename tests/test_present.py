"""Words for values, and other people's text made safe for a page."""

from __future__ import annotations

from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.dcat import IRI, Text, Thing, When
from catalogue.web import present

DATE = IRI("http://www.w3.org/2001/XMLSchema#date")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-09-02", "2 September 2026"), ("2017-04", "April 2017"), ("2012", "2012"), ("TBC", "TBC"),
        ("2026-11-21T05:15:00Z", "21 November 2026 at 05:15"), ("2026-11-21T00:00:00Z", "21 November 2026"),
        ("2024-02-31", "2024-02-31"),
    ],
)  # fmt: skip
def test_a_date_is_shown_as_precisely_as_it_was_said(said: str, shown: str) -> None:
    assert present.date(When(said, DATE)) == Text(shown)
    assert present.date(None) is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("512", "512 bytes"), ("18874368", "18.9 MB"), ("3758096384", "3.8 GB"), ("150000", "150 kB"), ("big", "big"),
        ("nan", "nan"), ("-1", "-1"),
    ],
)  # fmt: skip
def test_a_size_is_shown_as_people_say_it(said: str, shown: str) -> None:
    assert present.size(Text(said)) == shown


def test_a_size_that_was_not_said_is_not_shown() -> None:
    assert present.size(None) == ""


@pytest.mark.parametrize(
    ("cron", "shown"),
    [
        ("0 3 * * *", "Every day at 03:00"), ("40 4 * * 1", "Every Monday at 04:40"), ("5 6 * * 0", "Every Sunday at 06:05"),
        ("0 5 1 * *", "Every month on day 1 at 05:00"), ("*/5 * * * *", "*/5 * * * *"), ("", ""),
    ],
)  # fmt: skip
def test_a_simple_schedule_is_said_in_words(cron: str, shown: str) -> None:
    assert present.schedule(cron) == shown


@pytest.mark.parametrize(
    ("said", "shown"), [("PT15M", "15 minutes"), ("P1D", "1 day"), ("P1Y6M", "P1Y6M"), ("often", "often")]
)
def test_a_simple_duration_is_said_in_words(said: str, shown: str) -> None:
    assert present.duration(said) == shown


@pytest.mark.parametrize(
    ("address", "leads"),
    [
        ("https://example.org/a?b=1", True), ("http://llŷn.example/", True), ("mailto:a@example.org", True),
        ("tel:+44163296", True),
        ("ftp://example.org/file.csv", True), ("javascript:alert(1)", False), ("JaVaScRiPt:alert(1)", False),
        ("data:text/html,x", False), ("https://exa mple.org", False), ("java\nscript:alert(1)", False), ("//example.org", False),
        ("http://[::1", False), ("vbscript:x", False), ("", False),
    ],
)  # fmt: skip
def test_only_addresses_of_known_kinds_become_links(address: str, leads: bool) -> None:
    assert bool(present.web(address)) is leads


def test_text_becomes_paragraphs_lists_and_links() -> None:
    html = present.paragraphs("One <b>\ntwo\n\nSee:\n- https://example.org/a(b).\n- me@example.org")
    assert html == (
        '<p class="govuk-body">One &lt;b&gt;<br>two</p>\n<p class="govuk-body">See:</p>\n'
        '<ul class="govuk-list govuk-list--bullet"><li><a class="govuk-link" rel="nofollow" href="https://example.org/a(b)">https://example.org/a(b)</a>.</li>'
        '<li><a class="govuk-link" rel="nofollow" href="mailto:me@example.org">me@example.org</a></li></ul>'
    )


WORDS = st.text(st.one_of(st.sampled_from("<>&\"'()-•*. \n:/@"), st.characters(codec="utf-8")), max_size=60) | st.lists(
    st.sampled_from(["http://a.example/<x>", "javascript:x", "- ", "\n\n", "a@b.example", "</p>", "<script>"])
).map("".join)


@given(WORDS)
def test_whatever_a_source_writes_is_well_formed_and_harmless(text: str) -> None:
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree: Any = parser.parseFragment(str(present.paragraphs(text)))
    assert not parser.errors
    for element in tree.iter():
        assert element.tag in ("DOCUMENT_FRAGMENT", "p", "br", "ul", "li", "a")
        assert set(element.attrib) <= {"class", "rel", "href"}
        assert element.get("href", "https:").startswith(("https:", "http:", "mailto:"))
    shown = "".join(tree.itertext())
    assert [letter for letter in shown if letter.isalnum()] == [letter for letter in text if letter.isalnum()], (
        "every word is there"
    )


def test_the_best_words_are_english_then_unmarked_then_any() -> None:
    assert present.best([Text("Cyllid", "cy"), Text("Finance", "en")]) == Text("Finance", "en")
    assert present.best([Text("Cyllid", "cy"), Text("Money")]) == Text("Money")
    assert present.best([Text("Cadw", "cy"), Text("Cadw", "en")]) == Text("Cadw", "en")
    assert present.best([]) is None


def test_what_has_no_label_is_called_by_its_address_and_nothing_is_made_up() -> None:
    assert present.called(IRI("https://example.org/x")).text.value == "https://example.org/x"
    assert present.called(Thing()).text.value == ""
    assert present.link(present.called(Thing())) is None
    assert present.concept("access-rights", None) is None
