"""One dataset, many routes: which records mean the same, who leads, what a person joins and parts, and where routes disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from click.testing import CliRunner
from world import BASE, Fake, dataset, empty_store, harvest, numbered, source, titles

from catalogue import rdf
from catalogue.cli.datasets import dataset as dataset_command
from catalogue.cli.here import Here
from catalogue.dcat import IRI, DatasetSeries, Distribution, Text, Thing, When
from catalogue.errors import Busy, NotFound, WrongUse
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.store.offers import likeness, tokens

GUID = "3c9bd4f1-6c1b-4f0e-9f5e-2f8f5e1b7a60"
FLOOD = {"title": "Flood zones", "iri": "https://water.example/id/flood"}
AGENCY = "Environment Agency"


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


class Richer(Fake):
    """Says also where a landing page is, what it is called elsewhere, when it changed; and may say it of a series."""

    def map(self, record, source):
        said = json.loads(record.content)
        pages, guid, kind, day = (said.pop(name, None) for name in ("pages", "guid", "kind", "modified"))
        found = dataset(**said)
        if kind == "series":
            found = DatasetSeries(titles=found.titles, publisher=found.publisher, distributions=found.distributions)
        return [
            replace(
                found,
                landing_pages=frozenset(map(IRI, pages or [])),
                other_identifiers=frozenset({Text(guid)} if guid else ()),
                modified=When(day, IRI("http://www.w3.org/2001/XMLSchema#date")) if day else None,
            )
        ]


def bring(store, records, name, **said):
    return harvest(store, Richer(records), name, said=said)


def routes(store):
    """The sources of every dataset, by title."""
    return {entry.row.title: [route.source for route in entry.routes] for entry in store.datasets.each()}


def only(store):
    [entry] = store.datasets.each()
    return entry


# ---- keys


EVIDENCE = {
    "iri": {"iri": "https://water.example/id/flood"},
    "identifier and publisher": {"identifier": "EA-0042", "publisher": AGENCY},
    "GEMINI file identifier": {"identifier": GUID},
    "file identifier elsewhere": {"guid": f"urn:uuid:{GUID.upper()}"},
    "landing page": {"pages": ["https://water.example/flood-zones"]},
    "the same files": {"files": ["https://water.example/a.csv", "https://water.example/b.csv"]},
}


@pytest.mark.parametrize("said", EVIDENCE.values(), ids=EVIDENCE)
def test_what_two_sources_say_alike_makes_one_dataset(store, said):
    bring(store, {"a": {"title": "Flood zones", **said}}, "water")
    bring(store, {"b": {"title": "Flood zones (copy)", **said}}, "maps")
    assert routes(store) == {"Flood zones": ["water", "maps"]}


@pytest.mark.parametrize("said", list(EVIDENCE.values())[1:], ids=list(EVIDENCE)[1:])
@pytest.mark.parametrize("batch", [1, 500])
def test_within_one_source_the_same_evidence_makes_two_datasets(store, said, batch, monkeypatch):
    monkeypatch.setattr(line, "BATCH", batch)
    records = {name: {"title": name, **said} for name in ("rivers", "lakes")}
    bring(store, records, "water")
    assert titles(store) == ["lakes", "rivers"]
    bring(store, {name: {**said, "keywords": ["new"]} for name, said in records.items()}, "water")
    assert titles(store) == ["lakes", "rivers"]


@pytest.mark.parametrize(
    "said",
    [
        {"pages": ["https://water.example/"]},
        {"pages": ["https://water.example"]},
        {"pages": ["https://water.example/?lang=cy"]},
        {"files": ["https://water.example/"]},
        {"identifier": "00000000-0000-0000-0000-000000000000"},
        {"guid": "EA-0042"},
    ],
)
def test_what_any_dataset_might_say_is_no_evidence(store, said):
    bring(store, {"a": {"title": "Rivers", **said}}, "water")
    bring(store, {"b": {"title": "Lakes", **said}}, "maps")
    assert titles(store) == ["Lakes", "Rivers"]


@pytest.mark.parametrize("weak", ["landing page", "the same files"])
@pytest.mark.parametrize(
    "contradiction", [{"publisher": "Natural England"}, {"kind": "series"}], ids=["another publisher", "another kind"]
)
def test_a_page_or_files_prove_nothing_against_a_contradiction(store, weak, contradiction):
    said = {**EVIDENCE[weak], "publisher": AGENCY}
    bring(store, {"a": {"title": "Rivers", **said}}, "water")
    bring(store, {"b": {"title": "Lakes", **said, **contradiction}}, "maps")
    assert len(titles(store)) == 2


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.parametrize("order", ["portal first", "portal last"])
def test_the_common_landing_page_of_a_portal_joins_nothing(store, batch, order, monkeypatch):
    monkeypatch.setattr(line, "BATCH", batch)
    said = {"pages": ["https://www.example.gov.uk/statistics"], "publisher": AGENCY}
    portal = {f"p{n}": {"title": f"Table {n}", **said} for n in range(4)}
    own = {"a": {"title": "Flood zones", **said}}
    calls = [(portal, "portal"), (own, "water")]
    for records, name in calls if order == "portal first" else reversed(calls):
        bring(store, records, name)
    joined = [found for found in routes(store).values() if len(found) > 1]
    # one by one, the first of them is not yet known to share its page; a person parts the two
    assert len(joined) <= (1 if (batch, order) == (1, "portal last") else 0)
    bring(store, {"b": {"title": "Another", **said}}, "late")
    assert routes(store)["Another"] == ["late"]


def test_a_page_that_is_no_longer_named_is_no_evidence_any_more(store):
    page = EVIDENCE["landing page"]
    bring(store, {"a": {"title": "Rivers", **page}}, "water")
    bring(store, {"a": {"title": "Rivers", "pages": ["https://water.example/rivers"]}}, "water")
    bring(store, {"b": {"title": "Flood zones", **page}}, "maps")
    assert len(titles(store)) == 2


def test_a_page_of_what_was_withdrawn_revives_nothing(store):
    page = EVIDENCE["landing page"]
    bring(store, {"a": {"title": "Rivers", **page}, "z": {"title": "Tolls"}}, "water")
    bring(store, {"z": {"title": "Tolls"}}, "water")
    bring(store, {"a2": {"title": "Lakes", **page}, "z": {"title": "Tolls"}}, "water")
    assert titles(store) == ["Lakes", "Tolls"]
    assert not store.datasets.get(next(e.id for e in store.datasets.each() if e.row.title == "Lakes")).id.startswith(
        "rivers"
    )


def test_a_file_identifier_that_a_series_shares_with_its_member_joins_no_two_kinds(store):
    bring(store, {"a": {"title": "Rivers 2024", "guid": GUID}}, "water")
    bring(store, {"b": {"title": "Rivers", "guid": GUID, "kind": "series"}}, "maps")
    assert len(titles(store)) == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whichever_source_comes_first_there_is_one_dataset(store, order):
    said = {"pages": ["https://water.example/flood-zones"], "publisher": AGENCY}
    calls = [("water", "Flood zones"), ("maps", "Zones"), ("portal", "Floods")]
    for n in order:
        name, title = calls[n]
        bring(store, {"x": {"title": title, **said}}, name)
    assert sorted(only(store).routes, key=lambda r: r.source) and len(only(store).routes) == 3


# ---- traps of others (reference/peers.md)


def test_t18_a_second_source_with_a_known_identifier_overwrites_nothing(store):
    said = {"identifier": "EA-0042", "publisher": AGENCY}
    harvest(store, {"a": {"title": "Flood zones", **said}}, "water")
    before = only(store)
    run = harvest(store, {"b": {"title": "Something else", **said}}, "maps")
    assert (only(store).id, only(store).body) == (before.id, before.body)
    [conflict] = store.joins.conflicts()
    assert (conflict.property, conflict.source, conflict.other) == ("titles", "water", "maps")
    assert (conflict.said, conflict.other_said) == ("Flood zones", "Something else")
    assert store.joins.conflicts("water") == store.joins.conflicts("maps") == [conflict]
    assert "routes-disagree" in [problem.rule for problem in store.runs.problems(run.id)]


def test_t19_two_sources_of_one_organisation_do_not_flip_a_record_back_and_forth(store):
    said = {"identifier": "EA-0042", "publisher": AGENCY}
    owner = {"organisation": "environment-agency"}
    for _ in range(5):
        harvest(store, {"a": {"title": "Flood zones", **said}}, "water", said=owner)
        harvest(store, {"b": {"title": "Zones of flood", **said}}, "maps", said=owner)
    assert [change.outcome for change in store.datasets.changes()] == ["added", "updated"]
    assert only(store).row.title == "Flood zones"
    assert len(store.joins.conflicts()) == 1


def test_t20_a_clash_is_told_with_both_values_and_what_to_do(store):
    harvest(store, {"a": FLOOD}, "water", said={"title": "Water data"})
    run = harvest(store, {"b": {**FLOOD, "title": "Zones"}}, "maps")
    [told] = [problem for problem in store.runs.problems(run.id) if problem.rule == "routes-disagree"]
    assert (told.severity, told.record, told.location, told.found) == ("warning", "b", "titles", "Zones")
    assert "'Water data' (water)" in told.message and "'Flood zones'" in told.message
    assert f"fedcat dataset split {only(store).id}" in told.fix
    assert [one.other for one in store.joins.conflicts("water")] == ["maps"]


def test_t21_links_follow_neither_title_nor_organisation_nor_kind_of_source(store):
    harvest(store, {"a": {"title": "Flood zones", "publisher": AGENCY}}, "water")
    before = only(store)
    harvest(store, {"a": {"title": "Zones", "publisher": "Natural England"}}, "water", said={"type": "other"})
    assert (only(store).id, only(store).iri) == (before.id, before.iri)


def test_t22_without_an_identifier_an_edited_title_is_the_same_dataset(store):
    harvest(store, {"a": {"title": "Flood zones"}}, "water")
    before = only(store)
    run = harvest(store, {"a": {"title": "Zones of flood"}}, "water")
    assert (run.updated, run.added, run.withdrawn, only(store).id) == (1, 0, 0, before.id)


def test_t23_a_hundred_shuffled_runs_make_no_copies(store):
    records = numbered(5, publisher=AGENCY, files=["https://water.example/a.csv"])
    orders = list(permutations(records))[:100]
    for day, order in enumerate(orders):
        stamped = {name: {**records[name], "keywords": [f"harvested {day}"]} for name in order}
        assert harvest(store, stamped, "water").withdrawn == 0
    assert len(titles(store)) == 5
    assert store.datasets.serial() == 500


def test_t24_a_new_slug_with_the_same_address_is_the_same_dataset(store):
    harvest(store, {"flood-zones": FLOOD, "z": {"title": "Tolls"}}, "water")
    before = store.datasets.get(FLOOD["iri"])
    harvest(store, {"flood-zones-2": {**FLOOD, "title": "Zones"}, "z": {"title": "Tolls"}}, "water")
    after = store.datasets.get(FLOOD["iri"])
    assert (after.id, [route.record for route in after.routes]) == (before.id, ["flood-zones-2"])
    assert len(titles(store)) == 2


@pytest.mark.parametrize("word", ["TODO", "N/A", "tbc", "unknown"])
def test_t25_a_placeholder_is_no_identifier(store, word):
    said = {"identifier": word, "publisher": AGENCY}
    harvest(store, {"a": {"title": "Rivers", **said}}, "water")
    harvest(store, {"b": {"title": "Lakes", **said}}, "maps")
    assert len(titles(store)) == 2


def test_t25_two_records_called_todo_are_both_rejected_and_overwrite_nothing(store):
    class Twice(Fake):
        def fetch(self, source, client, visit=None):
            yield from super().fetch(source, client)
            yield from Fake({"TODO": {"title": "Lakes"}}).fetch(source, client)

    harvest(store, {"a": {"title": "Tolls"}, "b": {"title": "Locks"}}, "water")
    run = harvest(store, Twice({"a": {"title": "Tolls"}, "TODO": {"title": "Rivers"}}), "water")
    told = [problem for problem in store.runs.problems(run.id) if problem.severity == "error"]
    assert [(problem.rule, problem.found) for problem in told] == [("identifier-missing", "TODO")] * 2
    assert (run.rejected, run.withdrawn, titles(store)) == (2, 0, ["Locks", "Tolls"])


# ---- conflicts


def test_a_conflict_goes_when_the_routes_agree(store):
    harvest(store, {"a": FLOOD}, "water")
    harvest(store, {"b": {**FLOOD, "title": "Zones"}}, "maps")
    assert len(store.joins.conflicts()) == 1
    harvest(store, {"a": {**FLOOD, "title": "Zones"}}, "water")
    assert store.joins.conflicts() == []


def test_a_conflict_goes_with_the_route(store):
    both = {"z": {"title": "Tolls"}}
    harvest(store, {"a": FLOOD}, "water")
    harvest(store, {"b": {**FLOOD, "title": "Zones"}, **both}, "maps")
    harvest(store, both, "maps")
    assert store.joins.conflicts() == []


def test_a_conflict_follows_who_leads(store):
    harvest(store, {"a": FLOOD}, "water")
    harvest(store, {"b": {**FLOOD, "title": "Zones"}}, "maps")
    store.sources.replace(source("maps", priority=1))
    [conflict] = store.joins.conflicts()
    assert (conflict.source, conflict.said, conflict.other) == ("maps", "Zones", "water")


@pytest.mark.parametrize(
    ("one", "other", "disagree"),
    [
        ({}, {"publisher": AGENCY}, []),
        ({"publisher": "EA"}, {"publisher": AGENCY}, []),
        ({"publisher": "Natural England"}, {"publisher": AGENCY}, ["publisher"]),
        ({"modified": "2024-05-01"}, {"modified": "2024-05-01"}, []),
        ({"modified": "2024-05-01"}, {"modified": "2025-05-01"}, ["modified"]),
        ({"title": "flood  ZONES"}, {}, []),
        ({"description": "One thing."}, {"description": "Another."}, []),
    ],
)
def test_silence_and_another_spelling_are_no_disagreement(store, one, other, disagree):
    bring(store, {"a": {**FLOOD, **one}}, "water")
    bring(store, {"b": {**FLOOD, **other}}, "maps")
    assert [conflict.property for conflict in store.joins.conflicts()] == disagree


# ---- by hand: merge and split


def twins(store):
    """Two datasets that no key joins, of two sources."""
    harvest(store, {"a": {"title": "Flood zones", "files": ["https://water.example/a.csv"]}}, "water")
    harvest(
        store,
        {"b": {"title": "Zones", "iri": "https://maps.example/zones", "files": ["https://x.example/b.csv"]}},
        "maps",
    )
    water, maps = sorted(store.datasets.each(), key=lambda entry: entry.row.number)
    return water.id, maps.id


def again(store, changed=False):
    """Both sources are harvested again, unchanged or changed, and mapped again."""
    more = {"keywords": ["new"]} if changed else {}
    files = {"water": ["https://water.example/a.csv"], "maps": ["https://x.example/b.csv"]}
    harvest(store, {"a": {"title": "Flood zones", "files": files["water"], **more}}, "water")
    said = {"title": "Zones", "iri": "https://maps.example/zones", "files": files["maps"], **more}
    harvest(store, {"b": said}, "maps")
    return [line.remap(HarvestRun.begin(source(name), store, BASE), Fake({})) for name in ("water", "maps")]


def test_a_merge_joins_records_keys_and_pages(store):
    water, maps = twins(store)
    store.joins.merge(water, maps, "ann", "The portal's copy")
    assert [(route.source, route.leads) for route in only(store).routes] == [("water", True), ("maps", False)]
    gone = store.datasets.get(maps).row
    assert (gone.state, gone.successor, gone.reason) == ("withdrawn", water, "The portal's copy")
    last = {change.dataset: change for change in store.datasets.changes()}
    assert (last[maps].outcome, last[maps].actor, last[water].outcome) == ("withdrawn", "ann", "updated")
    [join] = store.joins.decided(water)
    assert (join.kind, join.other, join.actor) == ("merge", maps, "ann")


@pytest.mark.parametrize("changed", [False, True])
def test_a_merge_outlasts_harvests_and_remaps(store, changed):
    water, maps = twins(store)
    store.joins.merge(water, maps, "ann", "One")
    serial = store.datasets.serial()
    runs = again(store, changed)
    assert [run.updated for run in runs] == [0, 0], "what the merge wrote is what a harvest writes"
    assert store.datasets.serial() == serial + (2 if changed else 0)
    assert (only(store).id, len(only(store).routes)) == (water, 2)
    third = {"c": {"title": "Zones", "iri": "https://maps.example/zones"}}
    harvest(store, third, "late")
    assert len(only(store).routes) == 3


def test_a_merge_the_other_way_round_shows_the_old_page_again(store):
    water, maps = twins(store)
    store.joins.merge(water, maps, "ann", "One")
    store.joins.merge(maps, water, "ann", "The other is older")
    assert (only(store).id, store.datasets.get(water).row.successor) == (maps, maps)
    again(store)
    assert only(store).id == maps


@pytest.mark.parametrize("changed", [False, True])
def test_a_split_undoes_a_merge_and_outlasts_harvests(store, changed):
    water, maps = twins(store)
    before = {entry.id: (entry.iri, entry.body) for entry in store.datasets.each()}
    store.joins.merge(water, maps, "ann", "One")
    assert store.joins.split(water, "maps", "b", base=BASE, actor="bob", why="Two after all") == maps
    assert {entry.id: (entry.iri, entry.body) for entry in store.datasets.each()} == before
    again(store, changed)
    assert [len(entry.routes) for entry in store.datasets.each()] == [1, 1]


def test_a_merge_undoes_a_split(store):
    harvest(store, {"a": FLOOD}, "water")
    harvest(store, {"b": FLOOD}, "maps")
    whole = only(store)
    own = store.joins.split(whole.id, "maps", "b", base=BASE, actor="ann", why="Two")
    store.joins.merge(whole.id, own, "ann", "One after all")
    assert (only(store).id, only(store).iri, len(only(store).routes)) == (whole.id, whole.iri, 2)
    harvest(store, {"b": {**FLOOD, "keywords": ["new"]}}, "maps")
    assert len(only(store).routes) == 2
    assert [join.kind for join in store.joins.decided(whole.id)] == ["merge"]
    assert store.joins.split(whole.id, "maps", "b", base=BASE, actor="ann", why="Two") == own


@pytest.mark.parametrize("strong", list(EVIDENCE.values()), ids=EVIDENCE)
def test_strong_evidence_never_pulls_back_what_a_person_parted(store, strong):
    bring(store, {"a": {"title": "Flood zones", **strong}}, "water")
    bring(store, {"b": {"title": "Zones", **strong}}, "maps")
    whole = only(store)
    own = store.joins.split(whole.id, "maps", "b", base=BASE, actor="ann", why="It is the edition of 2019")
    parted = {whole.id: ["water"], own: ["maps"]}

    def now():
        return {entry.id: [route.source for route in entry.routes] for entry in store.datasets.each()}

    assert now() == parted
    assert own.startswith("zones-") and store.datasets.get(own).iri == f"{BASE}/dataset/{own}"
    serial = store.datasets.serial()
    bring(store, {"a": {"title": "Flood zones", **strong}}, "water")
    bring(store, {"b": {"title": "Zones", **strong}}, "maps")
    for name in ("water", "maps"):
        line.remap(HarvestRun.begin(source(name), store, BASE), Richer({}))
    assert (now(), store.datasets.serial()) == (parted, serial)
    bring(store, {"a": {"title": "Flood zones", "keywords": ["new"], **strong}}, "water")
    bring(store, {"b": {"title": "Zones", "keywords": ["new"], **strong}}, "maps")
    assert now() == parted


def test_a_parted_record_whose_address_changes_is_not_pulled_back_by_its_identifier(store):
    said = {"identifier": "EA-0042", "publisher": AGENCY}
    harvest(store, {"a": {"title": "Flood zones", **said}}, "water")
    harvest(store, {"b": {"title": "Zones", "iri": "https://maps.example/1", **said}}, "maps")
    whole = only(store)
    own = store.joins.split(whole.id, "maps", "b", base=BASE, actor="ann", why="Two")
    assert store.datasets.get(own).iri == "https://maps.example/1", "it goes by the address its source gives it"
    harvest(store, {"b": {"title": "Zones", "iri": "https://maps.example/2", **said}}, "maps")
    assert {entry.id: len(entry.routes) for entry in store.datasets.each()} == {whole.id: 1, own: 1}


def test_what_was_parted_stays_apart_when_the_other_is_merged_on(store):
    said = {"identifier": "EA-0042", "publisher": AGENCY}
    for name in ("water", "maps"):
        harvest(store, {"x": {"title": name, **said}}, name)
    whole = only(store)
    own = store.joins.split(whole.id, "maps", "x", base=BASE, actor="ann", why="Two")
    harvest(store, {"z": {"title": "Floods"}}, "portal")
    floods = next(entry.id for entry in store.datasets.each() if entry.row.title == "Floods")
    store.joins.merge(floods, whole.id, "ann", "One")
    harvest(store, {"x": {"title": "maps", "iri": "https://maps.example/new", **said}}, "maps")
    assert {entry.id: len(entry.routes) for entry in store.datasets.each()} == {floods: 2, own: 1}


def test_what_cannot_be_joined_or_parted_is_refused_and_says_why(store):
    water, _ = twins(store)
    bring(store, {"s": {"title": "A series", "kind": "series"}}, "series")
    series = next(entry.id for entry in store.datasets.each() if entry.row.title == "A series")
    with pytest.raises(NotFound, match="nothing called 'x'"):
        store.joins.merge(water, "x", "ann", "")
    with pytest.raises(WrongUse, match="one dataset already"):
        store.joins.merge(water, water, "ann", "")
    with pytest.raises(WrongUse, match="cannot be one"):
        store.joins.merge(water, series, "ann", "")
    with pytest.raises(NotFound, match="Records that do: 'a' of water"):
        store.joins.split(water, "maps", "nobody", base=BASE, actor="ann", why="")
    with pytest.raises(WrongUse, match="nothing to split"):
        store.joins.split(water, "water", "a", base=BASE, actor="ann", why="")
    assert len(titles(store)) == 3


def test_nothing_is_joined_while_a_source_is_being_harvested(store, tmp_path):
    with empty_store(f"sqlite:///{tmp_path}/busy.db") as shared:
        water, maps = twins(shared)
        run = shared.leases.start(source("maps"))
        with shared.database.writing() as c:  # as if another process held it
            c.exec_driver_sql(f"UPDATE runs SET owner = 'elsewhere/1/1' WHERE id = {run.id}")
        with pytest.raises(Busy, match="'maps' is being harvested"):
            shared.joins.merge(water, maps, "ann", "One")


def test_a_description_under_another_address_is_what_would_be_written_of_it():
    here, there = "https://maps.example/zones", "https://water.example/id/flood"
    page = f"{BASE}/dataset/zones-aaaaaaaa#distribution-01234567"
    made = replace(
        dataset("Zones", iri=here, publisher=AGENCY),
        distributions=frozenset({Distribution(iri=IRI(page), titles=frozenset({Text("A file")})), Distribution()}),
        licences=frozenset({Thing(types=frozenset({IRI("https://x.example/Licence")}))}),
        relations=frozenset({IRI(here)}),
    )
    moved = rdf.renamed(rdf.canonical(made), here, there, ("zones-aaaaaaaa", "flood-bbbbbbbb"))
    wanted = replace(
        made,
        iri=IRI(there),
        distributions=frozenset(
            replace(one, iri=one.iri and IRI(one.iri.replace("zones-aaaaaaaa", "flood-bbbbbbbb")))
            for one in made.distributions
        ),
    )
    assert moved == rdf.canonical(wanted)


# ---- offers


def offered(store):
    return [(one.title, one.other_title) for one in store.joins.offers()]


def test_titles_that_are_alike_are_offered_and_never_joined(store):
    harvest(store, {"a": {"title": "Flood risk zones of England", "publisher": AGENCY}}, "water")
    harvest(store, {"b": {"title": "Flood Risk Zones (England)", "publisher": AGENCY}}, "maps")
    assert len(titles(store)) == 2
    [offer] = store.joins.offers()
    assert (offer.title, offer.score, offer.organisation) == ("Flood risk zones of England", 1.0, "environment-agency")


@pytest.mark.parametrize(
    "other",
    [
        {"publisher": "Natural England"},
        {"publisher": ""},
        {"title": "Bathing water quality in England"},
        {"title": "Flood risk zones of England 2019"},
    ],
    ids=["another body", "nobody", "another title", "another year"],
)
def test_what_is_not_alike_is_not_offered(store, other):
    said = {"title": "Flood risk zones of England", "publisher": AGENCY}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": {**said, **other}}, "maps")
    assert offered(store) == []


def test_within_one_source_nothing_is_offered(store):
    said = {"title": "Flood risk zones", "publisher": AGENCY}
    harvest(store, {"a": said, "b": said}, "water")
    harvest(store, {"z": {"title": "Tolls"}}, "maps")
    harvest(store, {"a": {**said, "keywords": ["new"]}, "b": said}, "water")
    assert offered(store) == []


def test_a_title_that_many_have_is_not_offered(store):
    said = {"title": "Annual report", "publisher": AGENCY}
    harvest(store, {f"a{n}": said for n in range(5)}, "water")
    harvest(store, {"b": said}, "maps")
    assert offered(store) == []


def test_an_offer_goes_when_a_title_changes_and_when_it_is_taken(store):
    said = {"title": "Flood risk zones", "publisher": AGENCY}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": said}, "maps")
    assert len(offered(store)) == 1
    harvest(store, {"b": {**said, "title": "Bathing water"}}, "maps")
    assert offered(store) == []
    harvest(store, {"b": said}, "maps")
    [offer] = store.joins.offers()
    store.joins.merge(offer.dataset, offer.other, "ann", "One")
    assert (offered(store), len(titles(store))) == ([], 1)


def test_what_was_declined_or_parted_is_not_offered_again(store):
    said = {"title": "Flood risk zones", "publisher": AGENCY}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": said}, "maps")
    [offer] = store.joins.offers()
    store.joins.decline(offer.dataset, offer.other, "ann", "One is the edition of 2019")
    harvest(store, {"b": {**said, "keywords": ["new"]}}, "maps")
    assert offered(store) == []
    assert [join.kind for join in store.joins.decided(offer.other)] == ["declined"]


def test_looking_for_likeness_looks_at_few(store):
    """Ten thousand titles against ten thousand: each is compared with a handful, and what is alike is found."""
    from catalogue.store.offers import Titles

    class Row:
        def __init__(self, number):
            self.id, self.title = f"d{number}", f"Survey of species alpha{number} in parish beta{number % 97}"

    from string import ascii_lowercase

    def lettered(row):
        row.title = row.title.translate(str.maketrans("0123456789", ascii_lowercase[:10]))
        return row

    held = Titles(lettered(Row(n)) for n in range(3000))
    found = [held.like(lettered(Row(n)).title) for n in range(3000)]
    assert all(one[0] == (f"d{n}", 1.0) for n, one in enumerate(found))
    assert sum(map(len, held._holding.values())) <= 2 * 3000


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("Spending over £25,000 in May", "Spending over £25,000 in June", False),
        ("Spending over £25,000", "Spending over £25,000", True),
        ("Road traffic counts", "The road traffic counts", True),
        ("Road traffic counts", "Rail traffic counts", False),
    ],
)
def test_issues_of_a_series_are_not_alike(one, two, alike):
    assert (likeness(tokens(one), tokens(two)) >= 0.8) is alike


# ---- the commands


@pytest.fixture
def command(tmp_path, monkeypatch):
    """The command over a store in a folder."""
    monkeypatch.setenv("FEDCAT_HOME", str(tmp_path))
    monkeypatch.setenv("FEDCAT_BASE_URL", BASE)
    with empty_store(f"sqlite:///{tmp_path}/fedcat.db") as store:

        def run(*words):
            with Here() as here:
                return CliRunner().invoke(dataset_command, words, obj=here)

        yield store, run


def test_the_commands_merge_split_offer_and_decline(command):
    store, run = command
    said = {"title": "Flood risk zones", "publisher": AGENCY}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": said}, "maps")
    [offer] = json.loads(run("offers", "--json").output)
    assert "Flood risk zones" in run("offers").output
    assert run("merge", offer["dataset"], offer["other"], "--why", "One").exit_code == 0
    assert only(store).id == offer["dataset"]
    parted = run("split", offer["dataset"], "--source", "maps", "--record", "b", "--why", "Two", "--json")
    assert json.loads(parted.output)["dataset"] == offer["other"]
    assert run("decline", offer["dataset"], offer["other"]).exit_code == 0
    assert json.loads(run("offers", "--json").output) == []
    assert run("merge", offer["dataset"], offer["other"]).exit_code == 2, "a reason is asked for"


def test_the_command_lists_where_routes_disagree(command):
    store, run = command
    harvest(store, {"a": FLOOD}, "water")
    harvest(store, {"b": {**FLOOD, "title": "Zones"}}, "maps")
    [told] = json.loads(run("conflicts", "--source", "maps", "--json").output)
    assert (told["said"], told["other_said"]) == ("Flood zones", "Zones")
    assert "Zones" in run("conflicts").output
