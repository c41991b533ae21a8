"""The commands that set up, explain and look after a catalogue; a mistake is one sentence."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from catalogue.cli import fedcat
from catalogue.harvest.sources import FIELDS
from catalogue.source import harvesters

pytest_plugins = ("commands",)

# ---- init


def test_init_makes_the_database_once(bare):
    assert bare.says("init") == "The database is ready.\n"
    assert bare.says("init") == "The database is up to date already.\n"


def test_before_init_a_command_says_what_to_do(bare):
    assert "Run 'fedcat init' first." in bare.refuses("source", "list")


def test_a_wrong_setting_is_one_sentence(bare, monkeypatch):
    monkeypatch.setenv("FEDCAT_BASE_URL", "catalogue")
    assert bare.refuses("init").startswith("FEDCAT_BASE_URL is 'catalogue'; it has to be ")


def test_an_unknown_command_and_an_unknown_option_are_wrong_use(bare):
    assert "No such command" in bare("harvets", code=2).stderr
    assert "No such option" in bare("init", "--quick", code=2).stderr


# ---- sources


def test_a_source_is_added_listed_and_shown(bare):
    bare("init")
    url = bare.server.address("canals.ttl")
    said = bare.says(
        "source", "add", "canals", "--type", "dcat-rdf", "--url", url, "--title", "Canals", "--organisation", "canal-trust",
        "--schedule", "0 3 * * *", "--priority", "10", "--option", "format=text/turtle",
    )  # fmt: skip
    assert "fedcat harvest canals" in said
    assert "canals" in bare.says("source", "list")
    [listed] = bare.facts("source", "list")
    assert bare.facts("source", "show", "canals") == {k: v for k, v in listed.items() if k != "last_run"}
    assert listed == {
        "name": "canals", "title": "Canals", "type": "dcat-rdf", "url": url, "organisation": "canal-trust",
        "schedule": "0 3 * * *", "priority": 10, "paused": False, "options": {"format": "text/turtle"}, "contact": "",
        "time_zone": "Europe/London", "blackout": "", "few": 10, "share": 0.1, "sweep": 7, "approved": True,
        "datasets": 0, "last_run": None,
    }  # fmt: skip
    assert "text/turtle" in bare.says("source", "show", "canals")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("canals", "--type", "dcat-rdf", "--url", "http://x.example"), "'canals' exists already"),
        (("New Canals", "--type", "dcat-rdf", "--url", "http://x.example"), "'new-canals'"),
        (("locks", "--type", "tabel", "--url", "http://x.example"), "No harvester is called 'tabel'. Installed: "),
        (("locks", "--type", "dcat-rdf", "--url", "x.example/catalog.ttl"), "begins with http:// or https://"),
        (("locks", "--type", "dcat-rdf", "--url", "http://[x.example"), "begins with http:// or https://"),
        (("locks", "--type", "dcat-rdf", "--url", "http://me:word@x.example"), "carries a password"),
        (("locks", "--type", "dcat-rdf", "--url", "http://x.example", "--option", "rows"), "has to be NAME=VALUE"),
        (("locks", "--type", "dcat-rdf", "--url", "http://x.example", "--option", "rows=9"), "no option 'rows'"),
        (("locks", "--type", "dcat-rdf", "--url", "http://x.example", "--schedule", "daily"), "'0 3 * * *'"),
        (("locks", "--type", "dcat-rdf", "--url", "http://x.example", "--organisation", "The Trust"), "'the-trust'"),
    ],
)  # fmt: skip
def test_a_source_that_is_wrong_is_not_added(world, words, sentence):
    assert sentence in world.refuses("source", "add", *words)
    assert len(world.facts("source", "list")) == 1


def test_an_unknown_source_is_told_with_those_there_are(world):
    for command in ("show", "pause", "resume", "remove"):
        assert world.refuses("source", command, "cannals") == "No source is called 'cannals'. Sources: canals."


def test_a_paused_source_is_left_out_until_it_is_resumed(world):
    world("source", "pause", "canals")
    assert world.facts("source", "show", "canals")["paused"] is True
    assert "paused" in world.says("source", "list")
    assert world.harvest("--all") == []
    world("source", "resume", "canals")
    assert [run["added"] for run in world.harvest("--all")] == [3]


def test_a_removed_source_takes_its_datasets_with_it(filled):
    assert filled.says("source", "remove", "canals") == (
        "Removed 'canals'. Withdrew what 3 records said. 'fedcat source restore canals' brings it back.\n"
    )
    assert filled.titles() == []
    assert filled.facts("search")["total"] == 0


def test_a_removed_source_may_leave_its_datasets(filled):
    filled("source", "remove", "canals", "--keep-datasets")
    assert filled.facts("source", "list") == []
    assert filled.facts("search")["total"] == 3


SOURCES = """
[[source]]
name = "canals"
type = "dcat-rdf"
url = "{url}"
title = "Canals"
priority = 10
[source.options]
format = "text/turtle"

[[source]]
name = "locks"
type = "ckan"
url = "https://locks.example"
"""


def test_sources_are_imported_and_a_second_time_changes_nothing(world):
    file = world.folder / "sources.toml"
    file.write_text(SOURCES.format(url=world.server.address("canals.ttl")))
    assert world.says("source", "import", str(file)) == "2 sources set up or changed: canals, locks.\n"
    assert "all were as they should be" in world.says("source", "import", str(file))
    canals, locks = world.facts("source", "list")
    assert (canals["priority"], canals["options"]) == (10, {"format": "text/turtle"})
    assert (locks["title"], locks["type"]) == ("locks", "ckan")


def test_a_paused_source_stays_paused_when_it_is_imported_again(world):
    file = world.folder / "sources.toml"
    file.write_text(SOURCES.format(url=world.server.address("canals.ttl")))
    world("source", "pause", "canals")
    world("source", "import", str(file))
    assert world.facts("source", "show", "canals")["paused"] is True
    assert world.facts("source", "show", "canals")["title"] == "Canals"


ONE = '[[source]]\nname = "good"\ntype = "ckan"\nurl = "https://a.example"\n\n'


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("", "The file names no source"),
        ('source = ["a"]', "The file names no source"),
        ("[[source]", "is not valid TOML"),
        (ONE + '[[source]]\nname = "a"\nurl = "https://a.example"\n', "Source 2 (a) lacks type."),
        (ONE + '[[source]]\nname = "a"\ntype = "ckan"\nurl = "https://a.example"\nuri = "b"\n', "says 'uri'"),
        (ONE + '[[source]]\nname = "a"\ntype = "ckan"\nurl = "https://a.example"\npriority = "high"\n', "'high'"),
        (ONE + '[[source]]\nname = "a"\ntype = "ckan"\nurl = "https://a.example"\noptions = "b"\n', "no table"),
        (ONE + '[[source]]\nname = "a"\ntype = "tabel"\nurl = "https://a.example"\n', "No harvester is called 'tabel'"),
        (ONE + ONE, "two sources called 'good'"),
    ],
)
def test_a_file_with_one_wrong_source_sets_up_none(world, file, sentence):
    path = world.folder / "sources.toml"
    path.write_text(file)
    assert sentence in world.refuses("source", "import", str(path))
    assert [source["name"] for source in world.facts("source", "list")] == ["canals"]


def test_the_kinds_of_source_are_listed_with_their_options(bare):
    assert set(bare.facts("source", "types")) == set(harvesters()) >= {"ckan", "dcat-rdf", "data-json", "table"}
    said = bare.says("source", "types")
    for name, harvester in harvesters().items():
        assert f"{name}: {harvester.title}" in said
        assert harvester.sample in said
        assert all(option.name in said for option in harvester.options)


# ---- demo, serve, doctor


def test_the_demonstration_fills_a_catalogue_and_repeats_nothing(bare):
    demo = ("demo", "--once", "--examples-port", str(free_port()))
    assert "datasets and services, harvested and indexed in" in bare.says(*demo)
    assert bare.facts("search")["total"] >= 60
    assert {source["type"] for source in bare.facts("source", "list")} == set(harvesters())
    assert {run["status"] for run in bare.facts("runs")} == {"complete"}
    serial = bare.facts("index", "status")["serial"]
    bare(*demo)
    sources = len(bare.facts("source", "list"))
    again = bare.facts("runs", "--limit", str(sources))
    assert [(run["added"], run["updated"], run["withdrawn"]) for run in again] == [(0, 0, 0)] * sources
    assert bare.facts("index", "status")["serial"] == serial


def test_a_port_in_use_is_told_with_the_way_out(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = world.refuses("demo", "--once", "--examples-port", str(port))
        assert said.endswith("Choose another with --examples-port.")
        said = world.refuses("serve", "--port", str(port))
        assert said.startswith(f"Port {port} of 127.0.0.1 cannot be used: ")
        assert said.endswith("Choose another with --port.")
    world("serve", "--port", "70000", code=2)


def test_the_doctor_finds_nothing_wrong_where_nothing_is(filled):
    found = filled.facts("doctor")
    assert all(finding["good"] for finding in found), found
    assert {"Python", "Package names", "Settings", "Database", "Search index", "Sources", "Disk", "Clock"} <= {
        finding["what"] for finding in found
    }
    assert "ok   Search index: 3 documents" in filled.says("doctor")


def test_the_doctor_names_what_is_wrong_and_its_fix(bare):
    said = bare.says("doctor", code=1)
    assert "BAD  Database" in said
    assert "Run 'fedcat init'." in said


def test_the_doctor_survives_a_database_that_is_none(world, monkeypatch):
    monkeypatch.setenv("FEDCAT_DATABASE_URL", f"sqlite:///{world.folder / 'canals.ttl'}")
    found = {finding["what"]: finding for finding in world.facts("doctor", code=1)}
    assert not found["Database"]["good"]
    assert found["Python"]["good"]
    assert found["Disk"]["good"]


# ---- help


def commands(group: Any = fedcat, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found += commands(command, (*above, name)) if hasattr(command, "commands") else [(*above, name)]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(bare, words):
    said = bare.says(*words, "--help")
    assert "Example" in said
    assert f"fedcat {' '.join(words)}" in said.partition("Example")[2]


def test_the_commands_are_those_of_the_contract():
    wanted = {
        "init", "source add", "source list", "source show", "source pause", "source resume", "source remove",
        "source restore", "source import", "source types", "preview", "harvest", "remap", "runs", "run",
        "quarantine list", "quarantine show", "quarantine approve", "quarantine reject", "worker",
        "dataset merge", "dataset split", "dataset offers", "dataset decline", "dataset conflicts", "correct",
        "token create", "token list", "token revoke",
        "search", "show", "index status", "index update", "index rebuild", "export", "serve", "demo", "doctor",
    }  # fmt: skip
    assert {" ".join(words) for words in commands()} == wanted


def test_fedcat_says_its_version(bare):
    assert bare.says("--version").startswith("fedcat, version ")


def test_a_source_file_may_say_whatever_a_command_may(world):
    options = {option.name for option in fedcat.commands["source"].commands["add"].params} - {"options", "type_"}
    assert {*options, "options", "type"} == set(FIELDS)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
