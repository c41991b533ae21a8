"""What is looked at before anything happens, what waits for a person, and what was written to owners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import BASE, CSV, HOSTILE, Desk, Office, answers, listed, office, set_up
from servers import Answers
from world import Fake, harvest, numbered, source, titles

from catalogue.harvest.preview import preview
from catalogue.mail import Letter
from catalogue.store import Store
from catalogue.web import manage


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def desk(here: Office) -> Desk:
    return here.desk()


@pytest.fixture
def shelf() -> Iterator[Answers]:
    """A source whose table a test changes."""
    with Answers({"/canals.csv": (200, CSV, listed("Locks", "Bridges"))}) as server:
        yield server


# ---------------------------------------------------------------- previews


def test_a_preview_of_an_unsaved_source_saves_nothing_and_keeps_the_answers(
    here: Office, desk: Desk, shelf: Answers
) -> None:
    said = answers(f"{shelf.url}/canals.csv", do="preview")
    seen = desk.send("/source/new", "/source/new?type=table", **said)
    assert "Would be added (2)" in seen.text
    assert here.store.sources.all() == []
    again = desk.submit(seen, "/source/new", do="change")
    assert f'value="{shelf.url}/canals.csv"' in again.text
    assert desk.submit(seen, "/source/new", do="save").status_code == 303
    assert here.store.sources.get("canals").url == f"{shelf.url}/canals.csv"


def test_a_preview_shows_what_differs_property_by_property(here: Office, desk: Desk, shelf: Answers) -> None:
    set_up(desk, f"{shelf.url}/canals.csv")
    desk.send("/source/canals/approve", "/source/canals/preview")
    desk.send("/source/canals/harvest", "/source/canals/preview")
    here.work()
    shelf.script = {"/canals.csv": (200, CSV, listed("Locks", "Weirs", note="Another list"))}
    seen = desk.send("/source/canals/preview", "/source/canals/preview").text
    assert "Would be updated (1)" in seen
    assert re.search(r"Description</th><td[^>]*>A list</td><td[^>]*>Another list</td>", seen)
    assert "Would be added (1)" in seen
    assert "Would be withdrawn (1)" in seen
    assert "Bridges</a>" in seen
    assert titles(here.store) == ["Bridges", "Locks"]


def test_a_preview_that_broke_off_judges_nothing_gone(here: Office, desk: Desk, shelf: Answers) -> None:
    """T13: of what a preview has not read nobody can say that it is gone."""
    harvest(here.store, numbered(100), said={"type": "table", "url": f"{shelf.url}/gone.csv"})
    seen = desk.send("/source/canals/preview", "/source/canals/preview").text
    assert "Not assessed" in seen
    assert "It broke off" in seen
    found = preview(source(), Fake(numbered(3)), None, here.store, BASE, seconds=-1)  # type: ignore[arg-type]
    assert found.withdrawn is None
    assert found.message.startswith("The preview stopped")


def test_a_preview_tells_what_would_wait_for_a_person(store: Store) -> None:
    harvest(store, numbered(30))
    seen = preview(source(), Fake(numbered(3)), None, store, BASE)  # type: ignore[arg-type]
    assert seen.held
    assert len(seen.withdrawn or ()) == 27
    assert seen.gone[0].title.startswith("Dataset")
    few = preview(source(), Fake(numbered(25)), None, store, BASE)  # type: ignore[arg-type]
    assert not few.held
    harvest(store, numbered(3))
    waits = preview(source(), Fake(numbered(3)), None, store, BASE)  # type: ignore[arg-type]
    assert (waits.withdrawn, waits.waiting, waits.held) == ([], 27, False)


def test_a_preview_compares_only_so_many(store: Store) -> None:
    harvest(store, numbered(120))
    seen = preview(source(), Fake(numbered(120, description="New")), None, store, BASE)  # type: ignore[arg-type]
    assert seen.counts["updated"] == 120
    assert len(seen.changed) == 100
    assert {one.label for change in seen.changed for one in change.differences} == {"Description"}


def test_one_preview_at_a_time(here: Office, desk: Desk, shelf: Answers) -> None:
    set_up(desk, f"{shelf.url}/canals.csv")
    with manage._PREVIEWING:
        busy = desk.send("/source/canals/preview", "/source/canals/preview")
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "60"
    assert shelf.requests == []
    assert desk.send("/source/canals/preview", "/source/canals/preview").status_code == 200


@pytest.fixture
def store(here: Office) -> Store:
    return here.store


# ---------------------------------------------------------------- quarantines


def held_back(here: Office, count: int = 30) -> int:
    harvest(here.store, numbered(count))
    harvest(here.store, {"new": {"title": "New"}})
    return here.store.quarantines.some()[0].id


def test_everybody_may_read_what_is_gone(here: Office) -> None:
    id_ = held_back(here, 130)
    page = here.desk("").get(f"/source/canals/quarantine/{id_}")
    assert page.status_code == 200
    assert "130 records are gone" in page.text
    assert page.text.count("/dataset/") == 100
    assert "Sign in to decide" in page.text
    assert "withdraw them" not in page.text
    assert here.desk("").get(f"/source/canals/quarantine/{id_}?page=2").text.count("/dataset/") == 30
    assert here.desk("").get(f"/source/canals/quarantine/{id_}?page=3").status_code == 404
    assert here.desk("").get(f"/source/canals/quarantine/{id_ + 1}").status_code == 404
    harvest(here.store, numbered(1), "rivers")
    assert here.desk("").get(f"/source/rivers/quarantine/{id_}").status_code == 404


def test_approving_withdraws_and_the_index_follows(here: Office, desk: Desk) -> None:
    address = f"/source/canals/quarantine/{held_back(here)}"
    done = desk.send(f"{address}/approve", address, note="The owner says so.")
    assert done.status_code == 303
    assert titles(here.store) == ["New"]
    assert here.index.count() == 1
    page = desk.get(done.headers["Location"]).text
    assert "They are withdrawn." in page
    assert "The owner says so." in page
    assert "by Jo Jones" in page
    again = desk.send(f"{address}/reject", "/sign-in")
    assert again.status_code == 409


def test_renamed_records_keep_their_pages(here: Office, desk: Desk) -> None:
    files = {f"r{n}": {"title": f"Dataset {n}", "files": [f"https://canals.example/{n}.csv"]} for n in range(30)}
    harvest(here.store, files)
    before = {entry.row.title: entry.id for entry in here.store.datasets.each()}
    harvest(here.store, {f"new-{name}": said for name, said in files.items()})
    id_ = here.store.quarantines.some()[0].id
    address = f"/source/canals/quarantine/{id_}"
    assert "new-r7" in desk.get(address).text
    assert desk.send(f"{address}/renamed", address).status_code == 303
    assert {entry.row.title: entry.id for entry in here.store.datasets.each()} == before
    assert here.index.count() == 30


def test_rejecting_keeps_them(here: Office, desk: Desk) -> None:
    address = f"/source/canals/quarantine/{held_back(here)}"
    assert desk.send(f"{address}/reject", address).status_code == 303
    assert len(titles(here.store)) == 31


# ---------------------------------------------------------------- letters


def test_the_outbox_shows_what_waits_and_what_failed(here: Office, desk: Desk) -> None:
    letters = here.store.letters
    for n in range(60):
        letters.write(Letter("desk@canals.example", f"Letter {n} {HOSTILE}", f"Body {n} {HOSTILE}", "canals"))
    letters.posted(60, "550 No such mailbox")
    letters.posted(59)
    page = desk.get("/outbox").text
    assert "550 No such mailbox" in page
    assert [page.count(state) for state in (">\n  Not sent\n", ">\n  Sent\n", ">\n  Waits\n")] == [1, 1, 48]
    assert "<script>alert(1)" not in page
    assert "Body 9 " in desk.get("/outbox?page=2").text
    assert desk.get("/outbox?page=3").status_code == 404
