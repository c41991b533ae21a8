"""Layers: a correction outlives every harvest, an enrichment speaks only where nobody else does, and each says who says it."""

from __future__ import annotations

import itertools
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from world import BASE, Fake, dataset, empty_store, harvest

from catalogue import rdf
from catalogue.cli import fedcat
from catalogue.cli.corrections import correct
from catalogue.dcat import IRI, Agent, ContactPoint, Dataset, Text, properties
from catalogue.enrich import themes_of_keywords
from catalogue.errors import NotFound, WrongUse
from catalogue.layers import CORRECTION, ENRICHMENT, Layer, agreed, alone, heard, layered, mark, said_by, says
from catalogue.search import Query, open_index
from catalogue.search.follow import catch_up
from catalogue.settings import load
from catalogue.store.database import unpacked
from catalogue.store.tables import acts, catalog_bodies, corrections, layered_bodies
from catalogue.web import create_app
from vocab import scheme

pytest_plugins = ("commands",)

LOCKS = {"1": {"title": "Locks", "description": "Every lock.", "publisher": "Canal Board"}}
WRONG = {"1": LOCKS["1"] | {"description": "Every luck."}}
OTHER = {"1": LOCKS["1"] | {"description": "Some locks."}}
PAGE = {"Accept": "text/html"}


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def only(store):
    (entry,) = store.datasets.each()
    return entry


def described(words):
    return Dataset(descriptions=frozenset({Text(words)}))


def put_right(store, words="Every lock.", note="A slip"):
    store.corrections.set(only(store).id, "descriptions", described(words), "Jo", note)


def descriptions(store):
    return {text.value for text in only(store).resource.descriptions}


def layer_of(store, name="descriptions"):
    (found,) = [one for one in store.corrections.of(only(store).id) if one.property == name]
    return found


# ---- T52: a local correction is overwritten at the next run


def test_a_correction_stands_through_every_harvest_and_a_change_of_the_source_is_flagged(store):
    harvest(store, WRONG)
    put_right(store)
    assert descriptions(store) == {"Every lock."}
    serial = store.datasets.serial()
    harvest(store, WRONG)
    assert store.datasets.serial() == serial
    assert layer_of(store).drifted is None
    harvest(store, OTHER)
    assert descriptions(store) == {"Every lock."}
    since = layer_of(store).drifted
    assert since is not None
    harvest(store, {"1": OTHER["1"] | {"title": "All locks"}})
    assert only(store).row.title == "All locks"
    assert descriptions(store) == {"Every lock."}
    assert layer_of(store).drifted == since


def test_the_flag_goes_when_the_source_returns_to_what_it_said(store):
    harvest(store, WRONG)
    put_right(store)
    harvest(store, OTHER)
    harvest(store, WRONG)
    assert (layer_of(store).drifted, agreed(layer_of(store))) == (None, False)


def test_a_source_that_comes_round_agrees_and_is_flagged_when_it_leaves_again(store):
    harvest(store, WRONG)
    put_right(store)
    harvest(store, OTHER)
    harvest(store, LOCKS)
    assert (layer_of(store).drifted, agreed(layer_of(store))) == (None, True)
    harvest(store, WRONG)
    assert layer_of(store).drifted is not None
    assert descriptions(store) == {"Every lock."}


def test_what_the_source_said_is_kept_under_the_correction_and_returns_with_it_taken_back(store):
    harvest(store, WRONG)
    before = only(store).body
    put_right(store)
    assert bodies(store) == [before]
    store.corrections.remove(only(store).id, "descriptions", "Jo", "They were right")
    assert only(store).body == before
    with store.database.reading() as c:
        assert c.execute(sa.select(layered_bodies)).all() == []
        done = [(row.actor, row.did, row.about, row.why) for row in c.execute(sa.select(acts).order_by(acts.c.id))]
    about = f"dataset:{only(store).id}"
    assert done == [
        ("Jo", "corrected description", about, "A slip"),
        ("Jo", "took back the correction of description", about, "They were right"),
    ]
    changes = store.history.of(only(store).id)
    assert [(change.outcome, change.actor, change.source) for change in changes[:2]] == [("updated", "Jo", "")] * 2
    assert changes[1].reason == "Corrected description. A slip"


def bodies(store):
    with store.database.reading() as c:
        return [unpacked(body) for body in c.execute(sa.select(catalog_bodies.c.body)).scalars()]


def test_lists_contacts_search_and_feeds_follow_what_was_put_right(store, tmp_path):
    harvest(store, LOCKS)
    id_ = only(store).id
    with closing(open_index(f"whoosh:{tmp_path}/index")) as index:
        catch_up(store, index)
        store.corrections.set(id_, "titles", Dataset(titles=frozenset({Text("Sluices")})), "Jo")
        desk = ContactPoint(names=frozenset({Text("Desk")}), emails=frozenset({IRI("mailto:desk@canals.example")}))
        store.corrections.set(id_, "contact_points", Dataset(contact_points=frozenset({desk})), "Jo")
        agency = Dataset(publisher=Agent(names=frozenset({Text("Sluice Agency")})))
        store.corrections.set(id_, "publisher", agency, "Jo")
        catch_up(store, index)
        assert [hit.id for hit in index.search(Query(words="sluices")).hits] == [id_]
        row = only(store).row
        assert (row.title, row.organisation) == ("Sluices", "sluice-agency")
        assert [body.slug for body in store.datasets.organisations()] == ["sluice-agency"]
        assert [contact.email for contact in store.datasets.contacts("sluice-agency")] == ["desk@canals.example"]
        client = app(store, index, tmp_path).test_client()
        assert "Sluices" in client.get("/catalog.ttl").text
        assert client.get(f"/dataset/{id_}.nt").data.split(b"\n")[0] in store.history.body(id_, row.serial)


def app(store, index, home):
    return create_app(load({"FEDCAT_HOME": str(home), "FEDCAT_BASE_URL": BASE}), store, index)


def test_what_cannot_be_corrected_is_refused_and_leaves_nothing(store):
    harvest(store, LOCKS)
    id_, serial = only(store).id, store.datasets.serial()
    with pytest.raises(WrongUse, match="no property 'colour'"):
        store.corrections.set(id_, "colour", described("Red"), "Jo")
    with pytest.raises(WrongUse, match="needs a title"):
        store.corrections.set(id_, "titles", Dataset(), "Jo")
    with pytest.raises(NotFound):
        store.corrections.set("no-such", "descriptions", described("Red"), "Jo")
    with pytest.raises(NotFound):
        store.corrections.remove(id_, "descriptions", "Jo")
    assert store.datasets.serial() == serial
    with store.database.reading() as c:
        assert c.execute(sa.select(acts)).all() == []


def test_the_same_correction_made_again_is_no_change(store):
    harvest(store, WRONG)
    put_right(store)
    serial = store.datasets.serial()
    put_right(store)
    assert store.datasets.serial() == serial


def test_what_a_source_says_wrongly_can_be_taken_out(store):
    harvest(store, WRONG)
    store.corrections.set(only(store).id, "descriptions", Dataset(), "Jo", "It is about another canal")
    assert descriptions(store) == set()
    harvest(store, OTHER)
    assert descriptions(store) == set()
    assert layer_of(store).drifted is not None


def test_a_correction_returns_with_its_dataset_under_the_same_id(store):
    harvest(store, WRONG)
    put_right(store)
    id_ = only(store).id
    harvest(store, {}, trusting=True)
    assert store.datasets.get(id_).body == b""
    harvest(store, WRONG)
    assert only(store).id == id_
    assert descriptions(store) == {"Every lock."}


def test_a_correction_lies_over_whichever_source_leads(store):
    iri = {"iri": "https://canals.example/id/locks"}
    harvest(store, {"1": WRONG["1"] | iri}, "canals")
    put_right(store)
    harvest(store, {"1": OTHER["1"] | iri}, "rivers", said={"priority": 1})
    assert next(route for route in only(store).routes if route.leads).source == "rivers"
    assert descriptions(store) == {"Every lock."}
    assert layer_of(store).drifted is not None


# ---- what is worked out


def keyworded(*words, **said):
    return {"1": {"title": "Trout", "keywords": list(words), **said}}


def themed(said):
    return [replace(dataset(**{k: v for k, v in said.items() if k != "theme"}), themes=themes(said.get("theme")))]


def themes(name):
    return frozenset({IRI(scheme("themes")[name].iri)} if name else ())


FARMING = "agriculture-fisheries-forestry"


def test_a_theme_is_worked_out_of_keywords_and_what_the_source_said_is_untouched(store):
    harvest(store, keyworded("FISHERIES ", "trout"))
    assert only(store).resource.themes == themes(FARMING)
    (layer,) = store.corrections.of(only(store).id)
    assert (layer.layer, layer.property, layer.actor) == (ENRICHMENT, "themes", "theme from keywords")
    assert b"theme>" not in bodies(store)[0]
    assert store.corrections.harvested(only(store).id).themes == frozenset()


def test_it_goes_when_the_keyword_goes_or_the_source_names_a_theme_or_a_person_does(store):
    harvest(store, Fake(keyworded("fisheries"), mapping=themed))
    harvest(store, Fake(keyworded("trout"), mapping=themed))
    assert (only(store).resource.themes, store.corrections.of(only(store).id)) == (frozenset(), ())
    harvest(store, Fake(keyworded("fisheries", theme="education"), mapping=themed))
    assert (only(store).resource.themes, store.corrections.of(only(store).id)) == (themes("education"), ())
    harvest(store, Fake(keyworded("fisheries"), mapping=themed))
    store.corrections.set(only(store).id, "themes", Dataset(themes=themes("education")), "Jo")
    assert only(store).resource.themes == themes("education")
    store.corrections.remove(only(store).id, "themes", "Jo")
    assert only(store).resource.themes == themes(FARMING)


def test_a_second_harvest_works_nothing_out_again(store):
    harvest(store, keyworded("fisheries"))
    (before,) = store.corrections.of(only(store).id)
    serial = store.datasets.serial()
    run = harvest(store, keyworded("fisheries"))
    assert (run.unchanged, store.datasets.serial()) == (1, serial)
    harvest(store, keyworded("fisheries", description="Of trout."))
    assert store.corrections.of(only(store).id) == (before,)


def test_a_code_of_a_scheme_is_no_keyword_for_a_theme():
    assert themes_of_keywords(Dataset(keywords=frozenset({Text("af"), Text("AGRI")}))) == frozenset()


def test_a_withdrawn_dataset_keeps_no_layer_but_its_corrections(store):
    harvest(store, keyworded("fisheries"))
    harvest(store, {}, trusting=True)
    with store.database.reading() as c:
        assert c.execute(sa.select(corrections)).all() == c.execute(sa.select(layered_bodies)).all() == []


# ---- the laws, for any description


NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = st.sampled_from([prop.name for prop in properties(Dataset)])


def layer(value, name, kind=CORRECTION, harvested=""):
    return Layer(name, alone(value, name), kind, "Jo", NOW, harvested=harvested)


@settings(max_examples=60, deadline=None)
@given(strategies.datasets(), strategies.datasets(), NAMES)
def test_a_correction_is_all_that_is_said_of_its_property_and_touches_no_other(said, other, name):
    made = layered(said, [layer(other, name)])
    assert mark(made, name) == mark(replace(other, iri=said.iri), name)
    assert all(mark(made, prop.name) == mark(said, prop.name) for prop in properties(Dataset) if prop.name != name)
    assert layered(made, [layer(other, name)]) == made
    assert layered(said, []) is said


@settings(max_examples=60, deadline=None)
@given(strategies.datasets(), strategies.datasets(), NAMES)
def test_an_enrichment_is_seen_where_neither_source_nor_person_says_anything(said, other, name):
    worked_out = layer(other, name, ENRICHMENT)
    assert (layered(said, [worked_out]) == said) or not says(said, name)
    assert said_by(said, [worked_out, layer(said, name)])[name].layer == CORRECTION


@settings(max_examples=60, deadline=None)
@given(strategies.datasets(), strategies.datasets(), NAMES)
def test_a_correction_drifts_exactly_when_the_source_says_a_third_thing(said, later, name):
    later = replace(later, iri=said.iri)
    right = layer(replace(said, **{name: getattr(Dataset() if getattr(said, name) else later, name)}), name)
    right = replace(right, harvested=mark(said, name))
    assert heard(right, said, NOW).drifted is None
    known = {mark(said, name), mark(right.value, name)}
    assert (heard(right, later, NOW).drifted is None) == (mark(later, name) in known)
    assert agreed(heard(right, right.value, NOW))


def test_the_stored_form_with_layers_is_the_canonical_one(store):
    some = strategies.normalised().filter(lambda said: isinstance(said, Dataset))
    numbers = itertools.count()

    @settings(max_examples=60, deadline=None)
    @given(some, st.sampled_from(["fisheries", "Law", "x"]))
    def whatever_is_said(said, word):
        said = replace(said, iri=IRI("https://example.org/dataset/1"), keywords=said.keywords | {Text(word)})
        harvest(store, Fake({"1": {"version": next(numbers)}}, mapping=lambda _: [said]))
        for entry in store.datasets.each():
            layers = store.corrections.of(entry.id)
            assert entry.body == rdf.canonical(layered(store.corrections.harvested(entry.id), layers))

    whatever_is_said()


# ---- the page and the command


def test_the_page_says_who_said_what_and_when(store, tmp_path):
    harvest(store, keyworded("fisheries", description="Every luck."), said={"title": "Canal register"})
    put_right(store, note="They wrote to us")
    with closing(open_index(f"whoosh:{tmp_path}/index")) as index:
        catch_up(store, index)
        client = app(store, index, tmp_path).test_client()
        page = words(client.get(f"/dataset/{only(store).id}", headers=PAGE).text)
        assert "Who says this, and since when (2 values not from the source)" in page
        assert "Jo, who put it right: They wrote to us The source says: Every luck." in page
        assert "Worked out by us: theme from keywords" in page
        assert "Title Canal register" in page
        assert "The source has said something else since" not in page
        harvest(store, keyworded("fisheries", description="Some fish."), said={"title": "Canal register"})
        page = words(client.get(f"/dataset/{only(store).id}", headers=PAGE).text)
        assert page.count("The source has said something else since") == 2
        assert "Some fish." in page


def words(html):
    from html.parser import HTMLParser

    found = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(html)
    return " ".join(" ".join(found).split())


def test_the_command_puts_right_lists_and_takes_back(filled):
    if "correct" not in fedcat.commands:
        fedcat.add_command(correct)
    id_ = filled.facts("search", "tolls")["results"][0]["id"]
    filled("correct", id_, "frequency", "monthly", "--note", "They told us", "--by", "Jo")
    filled("correct", id_, "keywords", "boats", "money", "--lang", "en", "--by", "Jo")
    shown = filled.facts("correct", id_, "--list")
    assert [(one["property"], one["by"], one["note"]) for one in shown] == [
        ("frequency", "Jo", "They told us"), ("keywords", "Jo", ""),
    ]  # fmt: skip
    assert [one["value"] for one in shown] == [["Monthly"], ["boats", "money"]]
    assert "frequency/MONTHLY" in filled.says("show", id_)
    assert filled.facts("search", "money")["total"] == 1
    filled("correct", id_, "keywords", "--remove")
    assert filled.facts("search", "money")["total"] == 0
    assert "no date" in filled.refuses("correct", id_, "modified", "yesterday")
    assert "parts of its own" in filled.refuses("correct", id_, "distributions", "a.csv")
    assert "takes one value" in filled.refuses("correct", id_, "frequency", "monthly", "daily")
    assert "no property 'colour'" in filled.refuses("correct", id_, "colour", "red")
    assert "Monthly" in filled.says("correct", id_, "--list")
