"""In a real browser without scripts: from signing in to a source that is harvested and guarded; every page by the rules."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
from axe_playwright_python.sync_playwright import Axe
from desk import CSV, Office, listed, office
from playwright.sync_api import Browser, Page, expect
from servers import Answers
from test_browser import NARROWEST, RULES, overflow
from werkzeug.serving import make_server
from werkzeug.wrappers import Response
from world import harvest, numbered

from catalogue.mail import Letter

pytestmark = pytest.mark.browser

NAMES = tuple(f"Lock {number}" for number in range(1, 21))


@dataclass(frozen=True)
class Place:
    """A site on a free port, who works there, and a source beside it."""

    address: str
    office: Office
    shelf: Answers


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, Response("starting"), threaded=True)
    address = f"http://127.0.0.1:{server.server_port}"
    home = tmp_path_factory.mktemp("manage")
    with (
        office(home, f"sqlite:///{home}/fedcat.db", base_url=address) as here,
        Answers({"/locks.csv": (200, CSV, listed(*NAMES))}) as shelf,
    ):
        server.app = here.app
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Place(address, here, shelf)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(browser: Browser, place: Place) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, base_url=place.address)
    yield context.new_page()
    context.close()


def sign_in(page: Page, place: Place, name: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Manage sources").click()
    page.get_by_label("Token").fill(place.office.store.tokens.create(name))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"You are signed in as {name}")).to_be_visible()


def test_a_source_from_the_first_look_to_a_decision(page: Page, place: Place) -> None:
    sign_in(page, place, "Jo Jones")
    page.get_by_role("link", name="Set up a new source").click()
    page.get_by_role("radio", name="Spreadsheet").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Title").fill("Locks")
    page.get_by_label("Short name").fill("locks")
    page.get_by_label("Address").fill("file:///etc/passwd")
    page.get_by_label("Schedule").fill("0 3 * * *")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("alert").get_by_role("link", name="has to be a web address").click()
    expect(page.get_by_label("Schedule")).to_have_value("0 3 * * *")
    page.get_by_label("Address").fill(f"{place.shelf.url}/locks.csv")
    page.get_by_role("button", name="Save and continue").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="Would be added (20)")).to_be_visible()
    page.get_by_role("button", name="Approve this source").click()
    expect(page.get_by_text("It is approved")).to_be_visible()
    page.get_by_role("button", name="Harvest now").click()
    expect(page.get_by_text("the next free worker begins it")).to_be_visible()
    assert place.office.work().added == 20

    place.shelf.script = {"/locks.csv": (200, CSV, listed(*NAMES[:2]))}
    page.get_by_role("button", name="Harvest now").click()
    assert place.office.work().status == "quarantined"
    page.goto("/sign-in")
    page.get_by_role("link", name="18 records gone from locks").click()
    expect(page.get_by_role("link", name="Lock 20")).to_be_visible()
    page.get_by_label("Note").fill("The canal was closed.")
    page.get_by_role("button", name="They are gone: withdraw them").click()
    expect(page.get_by_text("They are withdrawn.")).to_be_visible()
    expect(page.get_by_text("The canal was closed.").first).to_be_visible()
    page.get_by_role("link", name="Lock 20").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Lock 20")

    page.goto("/sign-in")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/source/new")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.fixture(scope="module")
def paths(place: Place) -> dict[str, str]:
    """An address for every kind of page that somebody signed in sees."""
    here, fallen = place.office, {"type": "table", "url": f"{place.shelf.url}/weirs.csv", "title": "Weirs"}
    harvest(here.store, numbered(30), "weirs", said=fallen)
    harvest(here.store, numbered(2, description="Changed"), "weirs", said=fallen)
    changed = listed("r0", "x" * 300, note="Another")
    place.shelf.script = {**place.shelf.script, "/weirs.csv": (200, CSV, changed)}
    here.store.sources.replace(here.store.sources.get("weirs"))
    harvest(here.store, numbered(1), "gone")
    here.store.sources.remove("gone")
    here.store.letters.write(
        Letter("desk@canals.example", "18 datasets are missing", "Dear desk,\n\nwhere?\n", "weirs")
    )
    id_ = here.store.quarantines.some("weirs")[0].id
    return {
        "desk": "/sign-in", "kinds": "/source/new", "form": "/source/new?type=ckan", "edit": "/source/weirs/edit",
        "asked": "/source/weirs/preview", "remove": "/source/weirs/remove", "removed": "/source/removed", "outbox": "/outbox",
        "quarantine": f"/source/weirs/quarantine/{id_}", "source": "/source/weirs", "sources": "/source",
    }  # fmt: skip


KINDS = (
    "desk", "kinds", "form", "edit", "asked", "remove", "removed", "outbox", "quarantine", "source", "sources",
)  # fmt: skip


@pytest.fixture(scope="module")
def desk(browser: Browser, place: Place) -> Iterator[Page]:
    """Somebody signed in, with scripts."""
    context = browser.new_context(base_url=place.address)
    page = context.new_page()
    sign_in(page, place, "Sam")
    yield page
    context.close()


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_the_desk_breaks_no_rule_and_fits(desk: Page, paths: dict[str, str], kind: str, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto(paths[kind])
    looked_at(desk, width)


@pytest.mark.parametrize("width", [1280, 375])
def test_what_a_form_answers_breaks_no_rule_and_fits(desk: Page, paths: dict[str, str], width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto(paths["form"])
    desk.get_by_role("button", name="Save and continue").click()
    expect(desk.get_by_role("alert")).to_be_visible()
    looked_at(desk, width)
    desk.goto(paths["asked"])
    desk.get_by_role("button", name="Preview").click()
    expect(desk.get_by_role("heading", name="What next")).to_be_visible()
    looked_at(desk, width)
    desk.goto(paths["remove"])
    desk.get_by_role("button", name="Remove this source").click()
    expect(desk.get_by_role("alert")).to_be_visible()
    looked_at(desk, width)


def test_the_sign_in_page_breaks_no_rule(page: Page, browser: Browser, place: Place) -> None:
    with browser.new_context(base_url=place.address) as context:
        stranger = context.new_page()
        stranger.goto("/sign-in")
        stranger.get_by_label("Token").fill("guess")
        stranger.get_by_role("button", name="Sign in").click()
        expect(stranger.get_by_role("alert")).to_be_visible()
        looked_at(stranger, 375)


def looked_at(page: Page, width: int) -> None:
    found = Axe().run(page, options={"runOnly": RULES})
    assert found.violations_count == 0, found.generate_report()
    assert overflow(page) <= 0
    if width == 375:
        page.set_viewport_size({"width": NARROWEST, "height": 900})
        assert overflow(page) <= 0
