"""The commands that bring descriptions in: what they print, and how they end."""

from __future__ import annotations

import json
import shutil
from contextlib import closing

from catalogue.dcat import Slug
from catalogue.source import HarvestSource
from catalogue.store import Store

pytest_plugins = ("commands",)

HARVEST_KEYS = [
    "source", "run", "status", "fetched", "added", "updated", "unchanged", "withdrawn", "held", "rejected", "problems",
    "seconds",
]  # fmt: skip


# ---- preview


def test_a_preview_shows_what_would_come_and_writes_nothing(world):
    said = world.says("preview", "canals")
    assert "3 read, 0 unchanged, 0 rejected. Nothing was written." in said
    assert "Lock gates [listed] :boat:" in said
    seen = world.facts("preview", "canals")
    assert (seen["fetched"], seen["counts"]["added"], seen["counts"]["updated"]) == (3, 3, 0)
    assert world.titles() == []
    assert world.facts("runs") == []


def test_a_preview_of_a_source_that_is_not_set_up(world):
    words = ("preview", "--type", "dcat-rdf", "--url", world.server.address("canals.ttl"))
    assert len(world.facts(*words)["added"]) == 3
    assert "--option 'format' has to be NAME=VALUE" in world.refuses(*words, "--option", "format")
    assert "give --type and --url" in world.refuses("preview", "--type", "dcat-rdf")


def test_a_preview_shows_what_would_change_and_go(filled):
    filled.write(
        filled.text.replace("Tolls", "Tolls and fees").partition("<https://canals.example/id/locks>")[0] + TOLLS
    )
    seen = filled.facts("preview", "canals")
    assert (seen["updated"], seen["unchanged"]) == (["Tolls and fees"], 0)
    assert seen["withdrawn"] == ["https://canals.example/id/bridges", "https://canals.example/id/locks"]
    assert "Would go (2)" in filled.says("preview", "canals")
    assert len(filled.titles()) == 3


TOLLS = """\
<https://canals.example/id/tolls> a dcat:Dataset ;
    dct:title "Tolls and fees"@en ;
    dct:description "What boats paid, month by month."@en ;
    dct:publisher "Canal & River Trust" .
"""


def test_a_preview_that_breaks_off_says_so_and_fails(world):
    world.write("<!doctype html><title>Log in</title>")
    assert "It broke off: " in world.says("preview", "canals", code=1)
    assert world.facts("preview", "canals", code=1)["withdrawn"] is None


# ---- harvest, remap


def test_harvest_prints_one_object_a_line_with_the_keys_that_scripts_rely_on(world):
    world.add("again")
    runs = world.harvest("canals", "again")
    assert [list(run) for run in runs] == [HARVEST_KEYS, HARVEST_KEYS]
    assert [(run["source"], run["status"], run["added"]) for run in runs] == [
        ("canals", "complete", 3), ("again", "complete", 3),
    ]  # fmt: skip
    assert world.facts("search")["total"] == 3


def test_a_second_harvest_finds_nothing_new(filled):
    [run] = filled.harvest("--all")
    assert (run["fetched"], run["unchanged"], run["added"], run["updated"]) == (3, 3, 0, 0)
    assert "canals: complete, 3 unchanged in" in filled.says("harvest", "canals")


def test_what_to_harvest_has_to_be_said(world):
    assert "or say --all" in world.refuses("harvest")
    assert "or say --all" in world.refuses("harvest", "canals", "--all")
    assert "No source is called 'cannals'" in world.refuses("harvest", "cannals")


def test_a_source_that_fails_stops_no_other_and_the_command_says_so(world):
    world.add("bad", "nowhere.ttl")
    bad, good = world.harvest("--all", code=1)
    assert (bad["source"], bad["status"], bad["problems"]) == ("bad", "failed", 1)
    assert (good["source"], good["status"], good["added"]) == ("canals", "complete", 3)
    assert world.facts("search")["total"] == 3


def test_a_source_whose_harvester_is_gone_stops_no_other(world):
    with closing(Store(f"sqlite:///{world.folder.parent}/home/fedcat.db")) as store:
        store.sources.add(HarvestSource(name=Slug("atlas"), type="gopher", url="http://atlas.example"))
    atlas, canals = world.harvest("--all", code=1)
    assert (atlas["status"], atlas["problems"], canals["status"]) == ("failed", 1, "complete")
    assert "No harvester is called 'gopher'" in world.says("run", str(atlas["run"]))
    assert "Nothing installed reads: atlas" in world.says("doctor", code=1)


def test_a_source_that_came_back_empty_waits_for_a_person(filled):
    filled.write("@prefix dcat: <http://www.w3.org/ns/dcat#> . <https://canals.example/> a dcat:Catalog .")
    [run] = filled.harvest("canals", code=3)
    assert (run["status"], run["held"], run["withdrawn"]) == ("quarantined", 3, 0)
    assert len(filled.titles()) == 3
    [run] = filled.harvest("canals", "--force")
    assert (run["status"], run["withdrawn"], filled.titles()) == ("complete", 3, [])


def test_a_failure_counts_for_more_than_a_quarantine(filled):
    filled.add("bad", "nowhere.ttl")
    filled.write("@prefix dcat: <http://www.w3.org/ns/dcat#> . <https://canals.example/> a dcat:Catalog .")
    assert {run["status"] for run in filled.harvest("--all", code=1)} == {"failed", "quarantined"}


def test_a_limited_harvest_is_partial_and_withdraws_nothing(world):
    [run] = world.harvest("canals", "--limit", "2", code=1)
    assert (run["status"], run["added"], run["withdrawn"]) == ("partial", 2, 0)
    [run] = world.harvest("canals")
    assert (run["status"], run["added"], run["unchanged"]) == ("complete", 1, 2)


def test_remap_needs_no_network(filled):
    shutil.rmtree(filled.folder)
    [run] = [json.loads(line) for line in filled.says("remap", "canals", "--json").splitlines()]
    assert (list(run), run["status"], run["fetched"], run["unchanged"]) == (HARVEST_KEYS, "complete", 3, 3)
    assert "canals: complete, 3 unchanged" in filled.says("remap")


# ---- runs


def test_runs_are_listed_newest_first(filled):
    filled("harvest", "canals")
    assert [run["id"] for run in filled.facts("runs")] == [2, 1]
    assert [run["id"] for run in filled.facts("runs", "canals", "--limit", "1")] == [2]
    assert "complete" in filled.says("runs")
    assert filled.facts("source", "list")[0]["last_run"]["id"] == 2
    assert "No source is called 'cannals'" in filled.refuses("runs", "cannals")
    filled("runs", "--limit", "0", code=2)


def test_a_run_shows_its_problems_and_how_to_mend_them(world):
    world.write(
        world.text + '\n<https://canals.example/id/x> a dcat:Dataset ; dct:description "[/bold] :no title:" .\n'
    )
    [run] = world.harvest("canals")
    assert (run["status"], run["added"], run["rejected"]) == ("complete", 3, 1)
    shown = world.facts("run", str(run["run"]))
    assert shown["rejected"] == 1
    problem = next(found for found in shown["problems_found"] if found["severity"] == "error")
    assert problem["record"] == "https://canals.example/id/x"
    assert problem["fix"]
    said = world.says("run", str(run["run"]))
    assert problem["message"] in said
    assert f"to mend it: {problem['fix']}" in said


def test_an_unknown_run_is_told(world):
    assert world.refuses("run", "12") == "There is no run 12. 'fedcat runs' lists those there are."
