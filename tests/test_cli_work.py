"""The worker and the quarantine as people use them: what they print, and how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

from catalogue.store import Store

pytest_plugins = ("commands",)

NOTHING = "@prefix dcat: <http://www.w3.org/ns/dcat#> .\n<https://canals.example/> a dcat:Catalog .\n"
EVERY_MINUTE = ("--schedule", "* * * * *")


def held(world):
    """Twelve datasets, and then a source that has come back empty."""
    world.write(many(12))
    world.harvest("canals")
    world.write(NOTHING)
    return world.harvest("canals", code=3)[0]


def many(count: int, names: str = "d") -> str:
    return "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n" + "".join(
        f'<https://canals.example/{names}/{n}> a dcat:Dataset ; dct:title "Canal {n}" ; dct:description "Of canal {n}." ; '
        f"dcat:landingPage <https://canals.example/page/{n}> .\n"
        for n in range(count)
    )


def home(world) -> Store:
    return Store(f"sqlite:///{os.environ['FEDCAT_HOME']}/fedcat.db")


def test_what_is_held_is_listed_with_evidence_and_approved(world):
    run = held(world)
    assert (run["status"], run["held"], run["withdrawn"]) == ("quarantined", 12, 0)
    [waits] = world.facts("quarantine", "list")
    assert (waits["source"], waits["size"], waits["counts"]) == ("canals", 12, [12, 0])
    shown = world.says("quarantine", "show", str(waits["id"]))
    assert "came back empty" in shown
    assert "Canal 3" in shown
    assert f"fedcat quarantine approve {waits['id']}" in shown
    assert len(world.facts("quarantine", "show", str(waits["id"]))["missing"]) == 12
    said = world.says("quarantine", "approve", str(waits["id"]), "--note", "They have closed")
    assert "12 records of 'canals' were withdrawn." in said
    assert world.titles() == []
    assert world.facts("quarantine", "list") == []
    [decided] = world.facts("quarantine", "list", "--all")
    assert (decided["state"], decided["note"]) == ("approved", "They have closed")
    assert "is approved already" in world.refuses("quarantine", "approve", str(waits["id"]))
    assert "There is no quarantine 99" in world.refuses("quarantine", "show", "99")


def test_what_is_rejected_stays_and_is_not_asked_again(world):
    held(world)
    assert "12 records of 'canals' stay" in world.says("quarantine", "reject", "1")
    assert world.harvest("canals")[0]["status"] == "complete"
    assert len(world.titles()) == 12
    world.harvest("canals", "--force")
    assert world.titles() == []


def test_renamed_records_keep_their_pages(world):
    world.write(many(12))
    world.harvest("canals")
    before = {found["title"]: found["id"] for found in world.facts("search", "canal")["results"]}
    world.write(many(12, "neu"))
    assert world.harvest("canals", code=3)[0]["held"] == 12
    shown = world.says("quarantine", "show", "1")
    assert "https://canals.example/neu/3" in shown
    assert "--renamed" in shown
    assert "go on under their new identifiers" in world.says("quarantine", "approve", "1", "--renamed")
    after = {found["title"]: found["id"] for found in world.facts("search", "canal")["results"]}
    assert before == after
    assert world.harvest("canals")[0]["unchanged"] == 12
    assert world.facts("quarantine", "list") == []


def test_a_worker_harvests_what_is_due_and_the_index_follows(world):
    world("source", "remove", "canals")
    world("source", "add", "tolls", "--type", "dcat-rdf", "--url", world.server.address("canals.ttl"), *EVERY_MINUTE)
    assert "0 attempts; nothing else is due." in world.says("worker", "--once")  # now it knows when
    with closing(home(world)) as store:
        [(source, due)] = store.sources.scheduled()
        assert due > datetime.now(UTC)
        assert store.sources.set_next(source.name, due, datetime.now(UTC) - timedelta(minutes=1))
    said = world.says("worker", "--once")
    assert "tolls: complete (run" in said
    assert "1 attempt; nothing else is due." in said
    assert "Tolls" in world.says("search", "tolls")


def test_harvest_due_does_without_a_worker(world):
    world("source", "add", "tolls", "--type", "dcat-rdf", "--url", world.server.address("canals.ttl"), *EVERY_MINUTE)
    assert world.harvest("--due") == []
    with closing(home(world)) as store:
        [(source, due)] = store.sources.scheduled()
        store.sources.set_next(source.name, due, datetime.now(UTC) - timedelta(minutes=1))
    assert [run["source"] for run in world.harvest("--due")] == ["tolls"]
    assert world.harvest("--due") == []


def test_the_contact_is_written_to_once_when_datasets_are_held(world):
    world("source", "remove", "canals")
    url = world.server.address("canals.ttl")
    world("source", "add", "tolls", "--type", "dcat-rdf", "--url", url, "--contact", "dana@canals.example")
    world.write(many(12))
    world.harvest("tolls")
    world.write(NOTHING)
    for _ in range(2):
        world.harvest("tolls", code=3)
    with closing(home(world)) as store:
        [letter] = store.letters.some()
    assert letter.letter.to == "dana@canals.example"
    assert "12 datasets" in letter.letter.subject
    assert "/source/tolls/quarantine/1" in letter.letter.body
    assert letter.sent is None


def test_both_owners_are_told_once_where_their_sources_disagree(world):
    said = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
        <https://canals.example/id/locks> a dcat:Dataset ; dct:title "%s" ; dct:description "Of locks." ."""
    world("source", "remove", "canals")
    for name, title in (("one", "Lock gates"), ("two", "Gates of locks")):
        world.write(said % title, f"{name}.ttl")
        world("source", "add", name, "--type", "dcat-rdf", "--url", world.server.address(f"{name}.ttl"),
              "--contact", f"{name}@canals.example")  # fmt: skip
    for _ in range(2):
        world.harvest("one")
        world.harvest("two")
    with closing(home(world)) as store:
        written = {letter.letter.to: letter.letter.body for letter in store.letters.some()}
        assert len(store.letters.some()) == 2
    assert set(written) == {"one@canals.example", "two@canals.example"}
    assert all("Lock gates" in body and "Gates of locks" in body for body in written.values())


def test_a_removed_source_comes_back_with_the_same_addresses(world):
    world.harvest("canals")
    before = {found["id"] for found in world.facts("search", "")["results"]}
    assert "fedcat source restore canals" in world.says("source", "remove", "canals")
    assert world.titles() == []
    assert "was removed" in world.refuses("source", "add", "canals", "--type", "dcat-rdf", "--url", "http://x.example")
    world("source", "restore", "canals")
    assert world.harvest("canals")[0]["added"] == 3
    assert {found["id"] for found in world.facts("search", "")["results"]} == before
    assert "No source called 'canals' was removed." in world.refuses("source", "restore", "canals")


def test_a_worker_stops_when_it_is_told_to(world):
    worker = subprocess.Popen(
        [sys.executable, "-m", "catalogue", "worker"], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert worker.stdout is not None
    assert "Looking for work" in worker.stdout.readline()
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
    assert time.monotonic() - began < 15
    worker.stdout.close()
