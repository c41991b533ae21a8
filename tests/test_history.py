"""History: every change is kept with who made it, every version can be had as data, and what is gone says why."""

from __future__ import annotations

from contextlib import closing
from html.parser import HTMLParser

import pytest
import strategies
from hypothesis import Phase, given, settings
from world import BASE, empty_store, harvest

from catalogue import rdf
from catalogue.dcat import IRI, NOUNS, Dataset, Distribution, Text, properties
from catalogue.differences import LABELS, SCHEMES, Difference, differences
from catalogue.errors import NotFound
from catalogue.feeds import FEEDS
from catalogue.normalise import normalise
from catalogue.search import open_index
from catalogue.search.follow import catch_up
from catalogue.settings import load
from catalogue.store import Cause
from catalogue.web import create_app
from catalogue.web.history import PER_PAGE
from vocab import SCHEMES as INSTALLED

PAGE = {"Accept": "text/html"}
LOCKS = {"title": "Locks", "description": "Every lock.", "publisher": "Canal Board", "keywords": ["gates"]}


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


@pytest.fixture
def client(store, tmp_path):
    with closing(open_index(f"whoosh:{tmp_path}/index")) as index:
        catch_up(store, index)
        app = create_app(load({"FEDCAT_HOME": str(tmp_path), "FEDCAT_BASE_URL": BASE}), store, index)
        app.testing = False
        yield app.test_client()


def only(store):
    (entry,) = store.datasets.each()
    return entry


def words(answer):
    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(answer.text)
    return " ".join(" ".join(found).split())


def gone(store, reason="The survey has ended.", successor="", actor="Jo"):
    """Withdraw everything of the source, as a person decides."""
    source = store.sources.get("canals")
    held = sorted(store.records.identifiers("canals"))
    store.records.withdraw(source, held, Cause(actor=actor, reason=reason, successor=successor))


# ---- the log


def test_every_change_is_kept_with_what_was_said_after_it(store):
    said = []
    for description in ("Every lock.", "Some locks.", "No lock."):
        harvest(store, {"1": LOCKS | {"description": description}})
        said.append(only(store).body)
    id_ = only(store).id
    changes = store.history.of(id_)
    assert [change.outcome for change in changes] == ["updated", "updated", "added"]
    assert [change.serial for change in changes] == sorted((change.serial for change in changes), reverse=True)
    assert {change.source for change in changes} == {"canals"}
    assert len({change.run for change in changes}) == store.history.count(id_) == 3
    assert [store.history.body(id_, change.serial) for change in reversed(changes)] == said
    assert store.history.of(id_, limit=1, offset=1) == changes[1:2]


def test_a_harvest_that_changes_nothing_adds_no_history(store):
    harvest(store, {"1": LOCKS})
    harvest(store, {"1": LOCKS})
    assert store.history.count(only(store).id) == 1


def test_a_version_of_another_dataset_or_of_none_is_not_found(store, client):
    harvest(store, {"1": LOCKS, "2": {"title": "Tolls"}})
    one, two = store.datasets.each()
    for serial in (two.row.serial, 99_999):
        with pytest.raises(NotFound):
            store.history.body(one.id, serial)
        for end in ("", ".ttl"):
            assert client.get(f"/dataset/{one.id}/version/{serial}{end}", headers=PAGE).status_code == 404
    for path in ("/dataset/none/history", f"/dataset/{one.id}/history?page=2", "/dataset/none/version/1"):
        assert client.get(path, headers=PAGE).status_code == 404


# ---- the pages


def test_the_history_says_who_changed_what_when_and_why_in_words(store, client):
    harvest(store, {"1": LOCKS}, said={"title": "Canal register"})
    harvest(
        store, {"1": LOCKS | {"description": "Some locks.", "keywords": ["water"]}}, said={"title": "Canal register"}
    )
    id_ = only(store).id
    store.corrections.set(id_, "titles", Dataset(titles=frozenset({Text("Lock gates", "en")})), "Jo", "As on the sign")
    run = store.history.of(id_)[1].run
    page = client.get(f"/dataset/{id_}/history", headers=PAGE)
    said = words(page)
    assert "3 changes of this description" in said
    assert said.index("Corrected title. As on the sign") < said.index("Description Every lock. Some locks.")
    for expected in (
        "History of Lock gates", "By Jo Why", "Title Locks Lock gates", "Keywords gates water", "First seen,",
        "By Canal register In the harvest",
    ):  # fmt: skip
        assert expected in said
    assert f'href="/source/canals/run/{run}"' in page.text
    assert f'href="/dataset/{id_}/history"' in client.get(f"/dataset/{id_}", headers=PAGE).text


def test_a_long_history_has_pages_and_each_change_its_difference(store, client):
    for number in range(PER_PAGE + 2):
        harvest(store, {"1": LOCKS | {"description": f"State {number}."}})
    id_ = only(store).id
    first, second = (words(client.get(f"/dataset/{id_}/history?page={n}", headers=PAGE)) for n in (1, 2))
    assert f"Description State 1. State {2}." in first
    assert "Description State 0. State 1." in second
    assert "First seen," in second
    assert "First seen," not in first


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.extension)
def test_any_version_can_be_had_as_rdf_by_its_address_and_by_negotiation(store, client, feed):
    harvest(store, {"1": LOCKS})
    before = only(store)
    harvest(store, {"1": LOCKS | {"description": "Other."}})
    path = f"/dataset/{before.id}/version/{before.row.serial}"
    by_address, asked_for = (
        client.get(f"{path}.{feed.extension}"),
        client.get(path, headers={"Accept": feed.media_type}),
    )
    assert by_address.mimetype == asked_for.mimetype == feed.media_type
    assert by_address.data == asked_for.data
    assert rdf.canonical(rdf.read(by_address.data, feed.media_type)) == before.body


def test_the_page_of_a_version_says_what_was_said_then_and_where_now_is(store, client):
    harvest(store, {"1": LOCKS})
    serial = only(store).row.serial
    harvest(store, {"1": LOCKS | {"title": "Sluices", "description": "Other."}})
    id_ = only(store).id
    then = client.get(f"/dataset/{id_}/version/{serial}", headers=PAGE)
    assert "This is what it said then." in words(then)
    assert "Description Every lock." in words(then)
    for extension in ("ttl", "jsonld", "rdf", "nt"):
        assert f'href="/dataset/{id_}/version/{serial}.{extension}"' in then.text
    now = words(client.get(f"/dataset/{id_}/version/{only(store).row.serial}", headers=PAGE))
    assert "This is what it says now." in now
    assert "Title Locks Sluices" in now


# ---- T10: what is withdrawn keeps its page and its history, and returns as itself


def test_a_withdrawn_dataset_says_when_why_from_where_and_what_replaced_it(store, client):
    harvest(store, {"1": LOCKS, "2": {"title": "Sluices"}})
    locks, sluices = sorted(store.datasets.each(), key=lambda entry: entry.row.title)
    held = store.sources.get("canals")
    store.records.withdraw(held, ["1"], Cause(actor="Jo", reason="The survey has ended.", successor=sluices.id))
    answer = client.get(f"/dataset/{locks.id}", headers=PAGE)
    said = words(answer)
    assert answer.status_code == 410
    for expected in (
        "Locks",
        "withdrawn on",
        "by Jo",
        "The survey has ended.",
        "It was replaced by Sluices",
        "see its history",
    ):
        assert expected in said
    assert f'href="/dataset/{sluices.id}"' in answer.text
    history = client.get(f"/dataset/{locks.id}/history", headers=PAGE)
    assert history.status_code == 200
    assert "Withdrawn," in words(history)
    assert client.get(f"/dataset/{locks.id}/version/{locks.row.serial}.nt").data.strip() == locks.body


@pytest.mark.parametrize("end", [".ttl", ".jsonld", ".rdf", ".nt", ".json", ""])
def test_machines_get_problem_details_that_name_the_successor(store, client, end):
    harvest(store, {"1": LOCKS, "2": {"title": "Sluices"}})
    locks, sluices = sorted(store.datasets.each(), key=lambda entry: entry.row.title)
    why = Cause(reason="The survey has ended.", successor=sluices.id)
    store.records.withdraw(store.sources.get("canals"), ["1"], why)
    answer = client.get(f"/dataset/{locks.id}{end}", headers={"Accept": "text/turtle"})
    assert (answer.status_code, answer.mimetype) == (410, "application/problem+json")
    said = answer.get_json()
    assert said["successor"] == f"{BASE}/dataset/{sluices.id}"
    assert (said["id"], said["last_title"], said["source"]) == (locks.id, "Locks", "canals")
    assert "by the source 'canals'. The survey has ended." in said["detail"]
    assert client.get(said["history"].removeprefix(BASE), headers=PAGE).status_code == 200


def test_a_harvest_that_took_it_back_is_named_and_linked(store, client):
    harvest(store, {"1": LOCKS, "2": {"title": "Sluices"}}, said={"title": "Canal register"})
    run = harvest(store, {"2": {"title": "Sluices"}}, said={"title": "Canal register"}, trusting=True)
    (locks,) = [change.dataset for change in store.datasets.changes() if change.outcome == "withdrawn"]
    answer = client.get(f"/dataset/{locks}", headers=PAGE)
    assert "by the source Canal register" in words(answer)
    assert f'href="/source/canals/run/{run.id}"' in answer.text


def test_what_returns_is_itself_again_with_its_history(store, client):
    harvest(store, {"1": LOCKS})
    before = only(store)
    gone(store)
    assert client.get(f"/dataset/{before.id}", headers=PAGE).status_code == 410
    harvest(store, {"1": LOCKS | {"description": "New ones."}})
    after = only(store)
    assert (after.id, after.iri, after.row.reason, after.row.successor) == (before.id, before.iri, "", "")
    assert client.get(f"/dataset/{before.id}", headers=PAGE).status_code == 200
    assert [change.outcome for change in store.history.of(before.id)] == ["added", "withdrawn", "added"]
    history = words(client.get(f"/dataset/{before.id}/history", headers=PAGE))
    assert "Back again," in history
    assert "Description Every lock. New ones." in history


def test_the_history_outlives_the_source_that_wrote_it(store, client):
    harvest(store, {"1": LOCKS})
    id_ = only(store).id
    gone(store)
    store.sources.remove("canals")
    for path in (f"/dataset/{id_}", f"/dataset/{id_}/history"):
        page = client.get(path, headers=PAGE)
        assert page.status_code in (200, 410)
        assert "/source/canals" not in page.text


# ---- differences


@settings(max_examples=80, deadline=None, phases=[Phase.generate])  # trees take minutes to shrink
@given(strategies.resources().map(normalise), strategies.resources().map(normalise))
def test_descriptions_differ_exactly_when_there_is_a_difference_to_tell(one, other):
    assert differences(one, one) == []
    same = rdf.canonical(one) == rdf.canonical(other)
    assert (differences(one, other) == []) == same or one.iri != other.iri
    for difference in differences(one, other):
        assert difference.label
        assert difference.before or difference.after
        assert [text.value for text in difference.before] != [text.value for text in difference.after]


@settings(max_examples=40, deadline=None)
@given(strategies.normalised())
def test_a_difference_read_backwards_is_the_opposite(said):
    there = {(d.label, d.after) for d in differences(None, said)}
    assert {(d.label, d.before) for d in differences(said, None)} == there


def test_a_file_that_changes_is_told_as_that_file_and_not_as_two():
    def with_file(**said):
        file = Distribution(
            titles=frozenset({Text("Data")}), download_urls=frozenset({IRI("https://a.example/x.csv")}), **said
        )
        return Dataset(distributions=frozenset({file}))

    csv = frozenset({IRI("https://www.iana.org/assignments/media-types/text/csv")})
    (found,) = differences(with_file(), with_file(media_types=csv))
    assert found == Difference("media_types", "File “Data”: Media types", (), (Text("CSV"),))


def test_only_what_differs_of_a_long_text_is_shown_with_what_stands_before_it():
    before, after = (Dataset(descriptions=frozenset({Text("word " * 1000 + end)})) for end in ("old.", "new."))
    (found,) = differences(before, after)
    assert found.before[0].value.endswith("old.")
    assert found.after[0].value.endswith("new.")
    assert len(found.after[0].value) < 100


def test_two_addresses_of_one_name_are_told_by_their_addresses():
    theirs, ours = (
        "http://purl.org/cld/freq/monthly",
        "http://publications.europa.eu/resource/authority/frequency/MONTHLY",
    )
    (found,) = differences(Dataset(frequency=IRI(theirs)), Dataset(frequency=IRI(ours)))
    assert (found.before, found.after) == ((Text(theirs),), (Text(ours),))


def test_every_label_and_scheme_belongs_to_a_property_that_there_is():
    names = {prop.name for noun in NOUNS for prop in properties(noun)} | {"types"}
    assert set(LABELS) <= names
    assert set(SCHEMES) <= names
    assert set(SCHEMES.values()) <= set(INSTALLED)
