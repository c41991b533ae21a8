"""The rules of the harvest, each through the whole line."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa
from world import BASE, Fake, dataset, empty_store, harvest, numbered, source, titles

from catalogue.dcat import IRI, DataService, Statement, Text
from catalogue.errors import Problem, SourceUnavailable
from catalogue.harvest import line
from catalogue.harvest.quarantine import believed
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import remove
from catalogue.store.tables import metadata


@pytest.fixture
def store():
    with empty_store() as made:
        yield made


def everything(store):
    """Every row but the runs' own."""
    with store.database.reading() as c:
        return {
            name: [tuple(row) for row in c.execute(sa.select(table))]
            for name, table in metadata.tables.items()
            if name not in ("runs", "problems")
        }


def errors(store, run):
    return [problem for problem in store.runs.problems(run.id) if problem.severity == "error"]


# ---- added, updated, unchanged, withdrawn


def test_what_a_source_says_is_found_in_the_catalogue(store):
    run = harvest(store, {"1": {"title": "Trade"}, "2": {"title": "Tolls"}})
    assert (run.status, run.fetched, run.added) == ("complete", 2, 2)
    assert titles(store) == ["Tolls", "Trade"]


def test_a_second_harvest_writes_nothing(store):
    harvest(store, numbered(30))
    before = everything(store)
    run = harvest(store, numbered(30))
    assert (run.added, run.updated, run.unchanged) == (0, 0, 30)
    assert everything(store) == before


def test_a_changed_title_keeps_the_address(store):
    harvest(store, {"1": {"title": "Trade"}})
    before = next(store.datasets.each())
    run = harvest(store, {"1": {"title": "Trade, revised"}})
    after = next(store.datasets.each())
    assert run.updated == 1
    assert (after.id, after.iri) == (before.id, before.iri)
    assert after.row.title == "Trade, revised"


def test_a_record_whose_bytes_change_but_not_its_meaning_is_unchanged(store):
    harvest(store, {"1": {"title": "Trade", "keywords": ["a", "b"]}})
    serial = store.datasets.serial()
    run = harvest(store, {"1": {"keywords": ["b", "a"], "title": "Trade"}})
    assert (run.updated, run.unchanged) == (0, 1)
    assert store.datasets.serial() == serial


def test_a_record_taken_away_is_withdrawn_and_its_page_knows(store):
    harvest(store, numbered(5))
    gone = next(store.datasets.each()).id
    run = harvest(store, {k: v for k, v in numbered(5).items() if k != "r0"})
    assert (run.status, run.withdrawn) == ("complete", 1)
    assert store.datasets.get(gone).row.state == "withdrawn"
    assert store.datasets.changes()[-1].outcome == "withdrawn"


def test_what_returns_has_its_old_address(store):
    harvest(store, numbered(3))
    before = {e.row.title: (e.id, e.iri) for e in store.datasets.each()}
    harvest(store, {"r0": {"title": "Dataset 0"}})
    run = harvest(store, numbered(3))
    assert run.added == 2
    assert {e.row.title: (e.id, e.iri) for e in store.datasets.each()} == before


# ---- disappearances


def test_a_fetch_that_breaks_off_withdraws_nothing(store):
    harvest(store, numbered(5))
    run = harvest(store, Fake({"r0": {"title": "Dataset 0"}}, breaks=(1, SourceUnavailable("It went away."))))
    assert (run.status, run.withdrawn, len(titles(store))) == ("partial", 0, 5)


def test_a_source_that_empties_itself_is_held(store):
    harvest(store, numbered(3))
    run = harvest(store, {})
    assert (run.status, run.held, run.withdrawn) == ("quarantined", 3, 0)
    assert len(titles(store)) == 3


def test_what_is_held_is_held_again_until_somebody_says_so(store):
    harvest(store, numbered(40))
    few = numbered(10)
    assert harvest(store, few).held == 30
    assert harvest(store, few).held == 30
    run = harvest(store, few, trusting=True)
    assert (run.status, run.withdrawn, len(titles(store))) == ("complete", 30, 10)


@pytest.mark.parametrize(
    ("gone", "held", "is_believed"),
    [
        (1, 3, True),
        (3, 3, False),
        (10, 40, True),
        (11, 40, False),
        (100, 1000, True),
        (101, 1000, False),
        (1, 1, False),
    ],
)
def test_a_few_disappearances_are_believed(gone, held, is_believed):
    assert believed(gone, held) is is_believed


# ---- bad records


def test_a_rejected_record_leaves_the_last_good_one_up(store):
    harvest(store, {"1": {"title": "Trade"}, "2": {"title": "Tolls"}})
    run = harvest(store, {"1": {"title": "Trade", "rude": True}, "2": {"title": "Tolls"}})
    assert (run.status, run.rejected, run.withdrawn) == ("complete", 1, 0)
    assert titles(store) == ["Tolls", "Trade"]
    [marked] = [e for e in store.datasets.each() if e.row.title == "Trade"]
    assert marked.routes[0].refused
    [problem] = store.runs.problems(run.id)
    assert (problem.record, problem.fix) == ("1", "Be kind.")


def test_a_record_that_is_mended_loses_its_mark(store):
    for rude in (False, True, False):
        harvest(store, {"1": {"title": "Trade", "rude": rude}})
    assert not next(store.datasets.each()).routes[0].refused


def test_half_a_record_is_no_record(store):
    def one_good_one_bad(said):
        return [dataset(said["title"]), dataset("")]

    run = harvest(store, Fake({"1": {"title": "Trade"}}, mapping=one_good_one_bad))
    assert (run.rejected, titles(store)) == (1, [])


def test_a_rude_harvester_costs_one_record(store):
    def map_(said):
        yield dataset(said["title"])
        if said["title"] == "Dataset 1":
            raise ZeroDivisionError("oops")

    run = harvest(store, Fake(numbered(3), mapping=map_))
    assert (run.status, run.added, run.rejected) == ("complete", 2, 1)
    assert "ZeroDivisionError" in store.runs.problems(run.id)[0].message


def test_a_harvester_that_breaks_ends_its_own_run(store):
    run = harvest(store, Fake(numbered(3), breaks=(2, ValueError("oops"))))
    assert (run.status, run.added) == ("partial", 2)
    assert "ValueError" in run.message


def test_a_problem_of_the_fetch_is_told_and_the_rest_is_kept(store):
    told = Problem(rule="row", message="Row 3 has no title.", fix="Give it one.", where="row 3")
    run = harvest(store, {"1": {"title": "Trade"}, "x": told})
    assert (run.added, run.rejected) == (1, 1)
    assert [p.message for p in errors(store, run)] == ["Row 3 has no title."]


def test_a_repeated_identifier_is_told_once_and_the_first_stands(store):
    class Twice(Fake):
        def fetch(self, source, client, visit=None):
            yield from super().fetch(source, client)
            yield from Fake({"1": {"title": "Impostor"}}).fetch(source, client)

    run = harvest(store, Twice({"1": {"title": "Trade"}}))
    assert (titles(store), run.rejected) == (["Trade"], 1)
    assert store.runs.problems(run.id)[0].rule == "identifier-repeated"


def test_a_monstrous_record_is_one_problem(store):
    huge = {"title": "Huge", "description": "x" * (line.MAX_RECORD + 1)}
    run = harvest(store, {"1": {"title": "Trade"}, "2": huge, "3": {"title": "Tolls"}})
    assert (titles(store), run.rejected, len(errors(store, run))) == (["Tolls", "Trade"], 1, 1)


def test_ten_thousand_files_are_one_problem(store):
    many = {"title": "Many", "files": [f"https://canals.example/{n}.csv" for n in range(10_000)]}
    run = harvest(store, {"1": {"title": "Trade"}, "2": many})
    assert (titles(store), run.rejected) == (["Trade"], 1)


def test_a_refused_batch_goes_in_one_by_one(store):
    """Two different records of one batch that claim one address: the second is the first's update, and both are kept."""
    same = {"iri": "https://canals.example/d/1"}
    run = harvest(
        store, {"1": {"title": "Trade", **same}, "2": {"title": "Trade again", **same}, "3": {"title": "Tolls"}}
    )
    assert run.rejected == 0
    assert len(titles(store)) == 2
    assert len(store.datasets.get("https://canals.example/d/1").routes) == 2


def test_control_characters_and_lone_surrogates_do_no_harm(store):
    run = harvest(store, {"1": {"title": "Tr\x00ade\x07 \ud800"}})
    assert run.added + run.rejected == 1


# ---- one dataset, several records


def test_one_address_in_two_sources_is_one_dataset(store):
    said = {"title": "Flood zones", "iri": "https://water.example/id/flood"}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": {**said, "title": "Flood zones (copy)"}}, "maps")
    [entry] = store.datasets.each()
    assert [route.source for route in entry.routes] == ["water", "maps"]
    assert entry.row.title == "Flood zones"


def test_one_identifier_of_one_publisher_is_one_dataset(store):
    said = {"title": "Flood zones", "identifier": "EA-0042", "publisher": "Environment Agency"}
    harvest(store, {"a": said}, "water")
    harvest(store, {"b": {**said, "publisher": "The Environment Agency"}}, "maps")
    harvest(store, {"c": {**said, "publisher": "Natural England"}}, "nature")
    assert len(titles(store)) == 2


def test_short_identifiers_prove_nothing(store):
    said = {"identifier": "1", "publisher": "Environment Agency"}
    harvest(store, {"a": {"title": "Rivers", **said}}, "water")
    harvest(store, {"b": {"title": "Parks", **said}}, "maps")
    assert len(titles(store)) == 2


def test_the_more_authoritative_source_leads_whenever_it_comes(store):
    said = {"iri": "https://water.example/id/flood"}
    harvest(store, {"b": {"title": "Copy", **said}}, "maps")
    harvest(store, {"a": {"title": "Original", **said}}, "water", said={"priority": 10})
    [entry] = store.datasets.each()
    assert (entry.row.title, entry.routes[0].source) == ("Original", "water")


def test_a_dataset_goes_with_its_last_record(store):
    said = {"title": "Flood zones", "iri": "https://water.example/id/flood"}
    harvest(store, {"a": said, "z": {"title": "Other"}}, "water")
    harvest(store, {"b": said, "z": {"title": "Another"}}, "maps")
    harvest(store, {"z": {"title": "Other"}}, "water")
    assert [r.source for r in store.datasets.get(said["iri"]).routes] == ["maps"]
    harvest(store, {"z": {"title": "Another"}}, "maps")
    assert store.datasets.get(said["iri"]).row.state == "withdrawn"


def test_a_source_taken_away_takes_only_its_own(store):
    said = {"title": "Flood zones", "iri": "https://water.example/id/flood"}
    harvest(store, {"a": said, "z": {"title": "Rivers"}}, "water")
    harvest(store, {"b": said}, "maps")
    assert remove(store, "water", keep_datasets=False) == 2
    assert titles(store) == ["Flood zones"]


def test_a_source_taken_away_may_leave_its_datasets(store):
    harvest(store, numbered(3), "water")
    remove(store, "water", keep_datasets=True)
    assert len(titles(store)) == 3


def test_a_resource_no_longer_mentioned_is_withdrawn(store):
    def both(said):
        service = DataService(titles=frozenset({Text("Service")}))
        return [dataset(said["title"]), service][: said["parts"]]

    harvest(store, Fake({"1": {"title": "Trade", "parts": 2}}, mapping=both))
    assert titles(store) == ["Service", "Trade"]
    harvest(store, Fake({"1": {"title": "Trade", "parts": 1}}, mapping=both))
    assert titles(store) == ["Trade"]


# ---- kept, and mapped again


def test_a_mapping_fix_needs_no_network(store):
    harvest(store, {"1": {"title": "Trade"}})
    better = Fake({}, mapping=lambda said: [dataset(said["title"] + " (mended)")])
    run = line.remap(HarvestRun.begin(source(), store, BASE), better)
    assert (run.updated, titles(store), better.fetched) == (1, ["Trade (mended)"], [])


def test_what_was_said_is_kept_byte_for_byte(store):
    harvest(store, {"1": {"title": "Cafés  in Llŷn"}})
    assert store.records.verbatim("canals", "1").content == b'{"title": "Caf\\u00e9s  in Ll\\u0177n"}'


def test_what_we_have_no_property_for_comes_out_again(store):
    unknown = Statement(IRI("https://canals.example/terms/depth"), Text("2.5 m"))
    harvest(
        store, Fake({"1": {"title": "Trade"}}, mapping=lambda s: [replace(dataset(**s), rest=frozenset({unknown}))])
    )
    assert unknown in next(store.datasets.each()).resource.rest


def test_nothing_is_invented(store):
    harvest(store, {"1": {"title": "Trade"}})
    said = next(store.datasets.each()).resource
    assert said.publisher is None
    assert not (said.descriptions or said.licences or said.contact_points or said.keywords)


def test_a_reader_never_skips_a_change(store):
    for n in range(1, 4):
        harvest(store, numbered(n * 5))
    seen, after = [], 0
    while found := store.datasets.changes(after, limit=4):
        seen += [change.serial for change in found]
        after = seen[-1]
    assert seen == sorted(set(seen))
    assert len(seen) == 15


# ---- the same end by any road


KILLED = """
import os, sys
sys.path[:0] = {path!r}
from world import Fake, empty_store, harvest, numbered
from catalogue.harvest import line
line.BATCH = 20
class Dies(Fake):
    def map(self, record, source):
        if record.identifier == "r{at}":
            os.kill(os.getpid(), 9)
        return super().map(record, source)
with empty_store({url!r}) as store:
    harvest(store, Dies(numbered(200)))
"""


@pytest.mark.parametrize("at", [0, 37, 120, 199])
def test_a_killed_harvest_ends_as_an_undisturbed_one(tmp_path, at, monkeypatch):
    monkeypatch.setattr(line, "BATCH", 20)
    url = f"sqlite:///{tmp_path}/killed.db"
    dead = subprocess.run([sys.executable, "-c", KILLED.format(path=sys.path, url=url, at=at)], check=False)
    assert dead.returncode == -9
    with empty_store(url) as store, empty_store() as undisturbed:
        assert harvest(store, numbered(200)).status == "complete"
        harvest(undisturbed, numbered(200))
        assert [(r.status, r.token) for r in store.runs.some()] == [("complete", 2)]
        assert {(e.id, e.iri, e.body) for e in store.datasets.each()} == {
            (e.id, e.iri, e.body) for e in undisturbed.datasets.each()
        }


def test_one_bad_source_stops_no_other(store):
    bad = harvest(store, Fake({}, breaks=(0, SourceUnavailable("Down."))), "bad")
    good = harvest(store, numbered(2), "good")
    assert (bad.status, good.status) == ("failed", "complete")


def test_a_problem_stands_as_long_as_what_it_was_told_of(store):
    said = {"1": {"title": "Trade"}, "2": {"title": "Tolls"}}
    first = harvest(store, said)
    told = {(p.record, p.rule) for p in store.runs.problems(first.id)}
    second = harvest(store, said)
    assert told
    assert store.runs.problems(second.id) == []
    assert {(p.record, p.rule) for p in store.runs.standing("canals")} == told
    harvest(store, {**said, "2": {"title": "Tolls", "description": "What was paid.", "publisher": "Home Office"}})
    now = {(p.record, p.rule) for p in store.runs.standing("canals")}
    assert {pair for pair in now if pair[0] == "1"} == {pair for pair in told if pair[0] == "1"}
    assert {pair for pair in now if pair[0] == "2"} < {pair for pair in told if pair[0] == "2"}


@pytest.mark.parametrize("batch", [1, 500])
def test_one_identifier_twice_in_one_source_is_two_datasets(store, batch, monkeypatch):
    monkeypatch.setattr(line, "BATCH", batch)
    said = {"identifier": "2024", "publisher": "Environment Agency"}
    records = {
        name: {"title": name, "iri": f"https://water.example/{name}", **said} for name in ("rivers", "lakes", "wells")
    }
    assert harvest(store, records, "water").added == 3
    assert titles(store) == ["lakes", "rivers", "wells"]
    assert harvest(store, records, "water").unchanged == 3
