"""Sources managed in the site: what is asked, what is refused, what is on record, and what can be undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import BASE, CSV, HOSTILE, Desk, Office, answers, listed, office, set_up
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import Answers
from world import harvest, numbered, source, titles

from catalogue.dcat import Slug
from catalogue.errors import Busy, WrongUse
from catalogue.harvest.preview import preview
from catalogue.harvest.sources import checked, faults, from_toml, remove
from catalogue.http import Client
from catalogue.source import HarvestSource, harvester


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


# ---------------------------------------------------------------- setting up


def test_a_kind_is_chosen_and_its_options_are_asked_for(desk: Desk) -> None:
    kinds = desk.get("/source/new").text
    assert 'value="ckan"' in kinds
    page = desk.get("/source/new?type=ckan").text
    assert 'name="option-rows"' in page
    assert "Only what these organisations publish" in page
    assert "When left empty: 500." in page
    assert desk.get("/source/new?type=none").status_code == 404


def test_a_new_source_waits_for_its_preview_and_approval(here: Office, desk: Desk, shelf: Answers) -> None:
    made = set_up(desk, f"{shelf.url}/canals.csv", schedule="0 3 * * *", contact="desk@canals.example", share="25")
    assert made.headers["Location"] == "/source/canals/preview?done=saved"
    held = here.store.sources.get("canals")
    assert (held.approved, held.schedule, held.contact, held.share) == (False, "0 3 * * *", "desk@canals.example", 0.25)
    assert here.store.sources.scheduled() == []
    early = desk.send("/source/canals/harvest", "/source/canals/preview")
    assert early.status_code == 409
    assert here.store.leases.claim() is None
    seen = desk.send("/source/canals/preview", "/source/canals/preview")
    assert "Locks" in seen.text
    assert "Would be added (2)" in seen.text
    assert titles(here.store) == []
    desk.submit(seen, "/source/canals/approve")
    assert [one.name for one, _ in here.store.sources.scheduled()] == ["canals"]
    assert desk.send("/source/canals/harvest", "/source/canals/preview").status_code == 303
    assert here.work().status == "complete"
    assert titles(here.store) == ["Bridges", "Locks"]
    assert [act.did for act in here.store.acts.about("source:canals")] == [
        "asked for a harvest", "approved it", "set it up",
    ]  # fmt: skip


BAD = {
    "url": [
        "file:///etc/passwd", "/etc/passwd", "ftp://files.example/a", "gopher://a.example/", "javascript:alert(1)", "",
        "https://jo:secret@a.example/", "https://[::1", "https://a.example:99999/",
    ],
    "name": ["", "Canals", "two words", "new", "removed", "é"],
    "schedule": ["daily", "0 3 * *", "61 3 * * *", "0 3 31 2 *"],
    "time_zone": ["Mars/Base", "../etc"],
    "blackout": ["always", "Mon-Sun 00:00-24:00"],
    "contact": ["nobody", "a@b@c", "Jo <jo@a.example>"],
    "few": ["many", "-1", "1.5", "99999999999"],
    "share": ["101", "-1", "nan", "x"],
    "sweep": ["0", "400"],
    "priority": ["first"],
    "organisation": ["Ministry of Silly Walks"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_wrong_answer_is_told_at_its_field_and_everything_is_kept(
    desk: Desk, here: Office, name: str, value: str
) -> None:
    """T32 among them: an address of a file, or of anything but the web, is refused when it is saved."""
    said = {"url": "https://canals.example/list.csv", "title": "My own title", name: value}
    answer = set_up(desk, **{"url": said.pop("url"), **said})  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert f'href="#{name}"' in answer.text
    assert f'id="{name}-error"' in answer.text
    assert "<title>\n  Error:" in answer.text or "Error: New source" in answer.text
    assert 'value="My own title"' in answer.text
    assert here.store.sources.all() == []


def test_a_private_address_is_refused_where_it_is_not_allowed(tmp_path: Path) -> None:
    with office(tmp_path, allow_private_sources="0") as here:
        desk = here.desk()
        for url in ("http://127.0.0.1/a.csv", "http://[::1]/a.csv", "http://localhost:8000/", "http://192.168.0.1/"):
            answer = set_up(desk, url)
            assert answer.status_code == 400
            assert "is on a private network" in answer.text
        assert here.store.sources.all() == []
        assert set_up(desk, "https://canals.example/a.csv").status_code == 303


def test_a_name_that_leads_to_a_private_address_is_refused_by_the_preview(here: Office) -> None:
    held = source(type="table", url="http://inside.example/a.csv")
    with Client(resolve=lambda host, port: ["10.0.0.1"]) as client:
        seen = preview(held, harvester("table"), client, here.store, BASE)
    assert "is not a public address" in seen.message
    assert seen.withdrawn is None


def test_a_name_that_is_taken_or_was_removed_is_told(desk: Desk, here: Office) -> None:
    harvest(here.store, numbered(1))
    assert "exists already" in set_up(desk, "https://canals.example/").text
    here.store.sources.remove("canals")
    assert "was removed" in set_up(desk, "https://canals.example/").text


def test_hostile_words_stay_words(here: Office, desk: Desk) -> None:
    for name in ("title", "url", "organisation", "schedule", "contact", "option-sheet"):
        answer = set_up(desk, "https://canals.example/", **{name: HOSTILE} if name != "url" else {})
        assert "<script>alert(1)" not in answer.text
    said = {"title": HOSTILE, "type": "table"}
    harvest(here.store, {"a": {"title": HOSTILE}, "b": {"title": "B"}}, said=said)
    harvest(here.store, {}, said=said)
    held = here.store.quarantines.some()[0]
    here.store.acts.add(HOSTILE, HOSTILE, f"quarantine:{held.id}", HOSTILE)
    for path in ("edit", "preview", "remove", f"quarantine/{held.id}"):
        page = desk.get(f"/source/canals/{path}")
        assert page.status_code == 200
        assert "<script>alert(1)" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


def test_a_source_is_changed_and_the_change_is_on_record(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(1), said={"type": "table"})
    page = desk.get("/source/canals/edit")
    assert 'name="name"' not in page.text
    sent = desk.submit(
        page, "/source/canals/edit", title="Canals and rivers", organisation="dft", name="other", share="5"
    )
    assert sent.headers["Location"] == "/source/canals?done=changed"
    held = here.store.sources.get("canals")
    assert (held.title, held.organisation, held.share) == ("Canals and rivers", "department-for-transport", 0.05)
    assert held.approved
    act = here.store.acts.about("source:canals")[0]
    assert act.actor == "Jo Jones"
    assert "share: ‘10’ → ‘5’" in act.why


def test_pause_and_resume(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(1), said={"type": "table"})
    desk.send("/source/canals/pause", "/source/canals/edit")
    assert here.store.sources.get("canals").paused
    desk.send("/source/canals/resume", "/source/canals/edit")
    assert not here.store.sources.get("canals").paused


def test_a_source_whose_harvester_is_gone_can_still_be_removed(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(1))
    for path in ("edit", "preview"):
        assert desk.send(f"/source/canals/{path}", "/source/canals/remove").status_code == 409
    assert "No harvester is called" in desk.get("/source/canals/edit").text
    assert desk.send("/source/canals/remove", "/source/canals/remove", datasets="keep").status_code == 303


# ---------------------------------------------------------------- removing


def test_removing_needs_a_choice_and_can_be_undone(here: Office, desk: Desk) -> None:
    """T17: what becomes of the datasets is asked for, it is on record, and it can be taken back."""
    records = numbered(3)
    harvest(here.store, records)
    assert "3 datasets" in desk.get("/source/canals/remove").text
    assert desk.send("/source/canals/remove", "/source/canals/remove").status_code == 400
    assert len(titles(here.store)) == 3
    done = desk.send("/source/canals/remove", "/source/canals/remove", datasets="withdraw", note="Closed for good")
    assert done.headers["Location"] == "/source/removed?done=removed"
    assert titles(here.store) == []
    assert here.index.count() == 0
    page = desk.get("/source/removed").text
    assert "Closed for good" in page
    assert "Jo Jones" in page
    desk.send("/source/canals/restore", "/source/removed")
    assert here.store.sources.get("canals").name == "canals"
    harvest(here.store, records)
    assert len(titles(here.store)) == 3


def test_a_source_removed_without_its_datasets_leaves_them(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(3))
    desk.send("/source/canals/remove", "/source/canals/remove", datasets="keep")
    assert len(titles(here.store)) == 3
    assert here.store.sources.all() == []


def test_a_source_that_is_being_harvested_is_not_removed(here: Office, desk: Desk) -> None:
    harvest(here.store, numbered(3))
    here.store.leases.start(here.store.sources.get("canals"))
    with pytest.raises(Busy):
        remove(here.store, "canals", keep_datasets=True)
    answer = desk.send("/source/canals/remove", "/source/canals/remove", datasets="withdraw")
    assert answer.status_code == 409
    assert len(titles(here.store)) == 3


# ---------------------------------------------------------------- whatever is sent


@pytest.fixture(scope="module")
def anybody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with office(tmp_path_factory.mktemp("anybody")) as made:
        yield made.desk()


@settings(max_examples=60, deadline=None)
@given(said=st.dictionaries(st.sampled_from([*BAD, "title", "option-sheet", "do", "type"]), st.text(max_size=40)))
def test_no_answer_breaks_the_form(anybody: Desk, said: dict[str, str]) -> None:
    written = {name: value.encode("utf-8", "replace").decode() for name, value in said.items() if value != "preview"}
    sent = {**answers("https://canals.example/a.csv", do="change"), **written}
    assert anybody.send("/source/new", "/source/new?type=table", **sent).status_code < 500


def test_a_site_below_a_path_keeps_to_it(tmp_path: Path) -> None:
    with office(tmp_path, base_url="https://data.example/catalogue") as here:
        client, secret = here.app.test_client(), here.store.tokens.create("jo")
        where = {"base_url": "https://data.example", "headers": {"Accept": "text/html"}}
        page = client.get("/catalogue/sign-in?next=/source/new", **where)  # type: ignore[arg-type]
        assert "Path=/catalogue" in page.headers["Set-Cookie"]
        said = dict(re.findall(r'name="(csrf|next)" value="([^"]+)"', page.text))
        sent = client.post("/catalogue/sign-in", data={**said, "token": secret}, **where)  # type: ignore[arg-type]
        assert sent.headers["Location"] == "/catalogue/source/new"


# ---------------------------------------------------------------- what is checked


def test_sources_of_a_file_may_say_how_careful_to_be() -> None:
    table = {
        "name": "a",
        "type": "table",
        "url": "https://a.example/",
        "few": 3,
        "share": 0.5,
        "contact": "a@b.example",
    }
    [found] = from_toml({"source": [table]})
    assert (found.few, found.share, found.contact, found.sweep) == (3, 0.5, "a@b.example", 7)
    for name, value in {"few": "3", "share": "x", "sweep": True, "schedule": "daily", "blackout": "never"}.items():
        with pytest.raises(WrongUse, match=name):
            from_toml({"source": [table | {name: value}]})


def test_a_fault_names_its_field() -> None:
    fine = HarvestSource(name=Slug("a"), type="table", url="https://a.example/")
    assert faults(fine) == {}
    assert checked(fine).title == "a"
    wrong = HarvestSource(name=Slug("a"), type="table", url="https://a.example/", schedule="x", time_zone="y", few=-1)
    assert list(faults(wrong)) == ["schedule", "time_zone", "few"]
    assert faults(wrong)["schedule"].startswith("The schedule 'x' has to be five fields")
    assert faults(HarvestSource(name=Slug("a"), type="none", url="x")).keys() == {"type", "url"}
