"""In a real browser: every kind of page against the rules of accessibility, and the journeys, with scripts and without."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from filled import Filled, filled, kinds
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from catalogue.dcat import Dataset, Text

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NARROWEST = 320  # what is left of 1280 pixels when everything is enlarged four times
KINDS = (
    "home", "search", "filtered", "second page", "nothing found", "open", "restricted", "welsh", "only welsh", "service",
    "series", "odd", "long", "organisations", "organisation", "sources", "source", "run", "problems", "rule",
    "source record", "odd record", "history", "version", "feeds", "accessibility", "privacy", "gone", "missing", "wrong",
)  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    with filled(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture(scope="session")
def paths(site: Filled) -> dict[str, str]:
    """An address for every kind of page, those of what is not there included."""
    gone = next(change for change in site.store.datasets.changes() if change.outcome == "withdrawn")
    odd = {"odd record": "/source/planted/record?identifier=script"}
    errors = odd | {"gone": f"/dataset/{gone.dataset}", "missing": "/dataset/none", "wrong": "/search?sort=best"}
    return kinds(site) | corrected(site) | errors


def corrected(site: Filled) -> dict[str, str]:
    """The history of a dataset that a person put right, and one version of it."""
    id_ = site.id("Flood zones")
    site.store.corrections.set(id_, "keywords", Dataset(keywords=frozenset({Text("floods", "en")})), "Jo", "As we say")
    serial = site.store.datasets.get(id_).row.serial
    return {"history": f"/dataset/{id_}/history", "version": f"/dataset/{id_}/version/{serial}"}


@pytest.fixture(scope="session")
def base_url(site: Filled) -> Iterator[str]:
    """The site on a free port."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def plain(browser: Browser, base_url: str) -> Iterator[Page]:
    """A page in a browser that runs no scripts."""
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    yield context.new_page()
    context.close()


def test_every_kind_of_page_is_among_those_looked_at(paths: dict[str, str]) -> None:
    assert set(KINDS) == set(paths)


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_breaks_no_rule_and_fits(page: Page, paths: dict[str, str], kind: str, width: int) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(paths[kind])
    found = Axe().run(page, options={"runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()
    assert overflow(page) <= 0
    if width == 375:
        page.set_viewport_size({"width": NARROWEST, "height": 900})
        assert overflow(page) <= 0
    # that a page is not there, or wrongly asked for, is told on the console as well
    assert not [words for words in said if not words.startswith("Failed to load resource")]


def overflow(page: Page) -> Any:
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


# ---------------------------------------------------------------- without scripts


def test_find_read_and_learn_whom_to_ask(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_role("searchbox").fill("properties flooding")
    plain.get_by_role("button", name="Search").click()
    plain.get_by_role("link", name="Properties at risk of flooding").click()
    card = plain.get_by_role("complementary", name="How to get this data, in short")
    expect(card.get_by_text("Restricted")).to_be_visible()
    expect(card.get_by_text("Flood data team")).to_be_visible()
    letter = card.get_by_role("link", name="Write to ask for this data").get_attribute("href")
    assert letter is not None
    assert letter.startswith("mailto:floods@rivers.example?subject=Request%20for%20data")
    card.get_by_role("link", name="What to ask, and a letter").click()
    expect(plain.get_by_text("What they will need to know")).to_be_visible()
    plain.get_by_role("link", name="Environment Agency").first.click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Environment Agency")


def test_narrow_a_search_and_widen_it_again(plain: Page) -> None:
    plain.goto("/search")
    everything = plain.locator("#results h2").inner_text()
    plain.get_by_role("checkbox", name=re.compile("Restricted")).check()
    plain.get_by_role("button", name="Apply filters").click()
    assert "access=restricted" in plain.url
    assert plain.locator("#results h2").inner_text() != everything
    plain.get_by_role("link", name="Remove filter Access: Restricted").click()
    expect(plain.locator("#results h2")).to_have_text(everything)


def test_on_a_phone_filters_open_without_scripts(plain: Page) -> None:
    plain.set_viewport_size({"width": 375, "height": 800})
    plain.goto("/search?q=data")
    expect(plain.get_by_role("button", name="Apply filters")).not_to_be_visible()
    plain.locator("#filters > summary").click()
    expect(plain.get_by_role("button", name="Apply filters")).to_be_visible()


def test_from_a_source_to_what_its_owner_can_put_right(plain: Page) -> None:
    plain.goto("/")
    plain.get_by_role("navigation").get_by_role("link", name="Sources").click()
    plain.get_by_role("link", name="Health and care data inventory").click()
    expect(plain.get_by_text("To fix it:").first).to_be_visible()
    plain.get_by_text("Where", exact=True).first.click()
    expect(plain.locator(".app-problem details[open] li").first).to_be_visible()


# ---------------------------------------------------------------- with a keyboard, with scripts, on paper


def test_a_keyboard_is_enough_to_find_and_open_a_dataset(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("bathing water")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    link = page.get_by_role("link", name="Bathing water quality")
    for _ in range(80):
        page.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bathing water quality")


def test_filters_act_at_once_keep_the_focus_are_announced_and_survive_back(page: Page) -> None:
    page.goto("/search?q=river")
    before = page.locator("#results h2").inner_text()
    page.locator("#format-csv").focus()
    page.keyboard.press("Space")
    expect(page.locator("#announcement")).to_have_text(re.compile(r"\d+ results? for “river”"))
    expect(page.locator("#format-csv")).to_be_focused()
    assert "format=csv" in page.url
    page.go_back()
    expect(page.locator("#results h2")).to_have_text(before)
    expect(page.locator("#format-csv")).not_to_be_checked()


def test_a_letter_can_be_copied(page: Page, paths: dict[str, str]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(paths["restricted"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_text("Copied").first).to_be_visible()
    assert "Who I am:" in page.evaluate("navigator.clipboard.readText()")


def test_paper_has_the_description_and_no_menus(page: Page, paths: dict[str, str]) -> None:
    page.goto(paths["restricted"])
    page.emulate_media(media="print")
    for hidden in (".app-header nav", ".govuk-breadcrumbs", ".app-contents", ".app-footer"):
        expect(page.locator(hidden).first).not_to_be_visible()
    expect(page.get_by_text("Whom to ask").first).to_be_visible()
