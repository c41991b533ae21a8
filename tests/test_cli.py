"""Every command through its front door: what it prints, how it ends, and that a mistake is one sentence."""

from __future__ import annotations

import json
import shutil
import socket
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from servers import Folder

from catalogue.cli import fedcat
from catalogue.dcat import Slug
from catalogue.harvest.sources import FIELDS
from catalogue.source import HarvestSource, harvesters
from catalogue.store import Store

CANALS = """\
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .

<https://canals.example/id/locks> a dcat:Dataset ;
    dct:title "Lock gates [listed] :boat:"@en, "Gatiau lociau"@cy ;
    dct:description "Every lock gate, with its width and the year in which it was last mended."@en ;
    dct:publisher "Canal & River Trust" ;
    dct:license <http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/> ;
    dcat:distribution [ a dcat:Distribution ; dct:format "CSV" ; dcat:downloadURL <https://canals.example/locks.csv> ] .

<https://canals.example/id/bridges> a dcat:Dataset ;
    dct:title "Bridges and their weights"@en ;
    dct:description "What each bridge may carry."@en ;
    dct:publisher "Canal & River Trust" .

<https://canals.example/id/tolls> a dcat:Dataset ;
    dct:title "Tolls"@en ;
    dct:description "What boats paid, month by month."@en ;
    dct:publisher "Canal & River Trust" .
"""
HARVEST_KEYS = [
    "source", "run", "status", "fetched", "added", "updated", "unchanged", "withdrawn", "held", "rejected", "problems",
    "seconds",
]  # fmt: skip


@dataclass
class World:
    """A home folder, a folder that is served, and the commands."""

    folder: Path
    server: Folder

    def __call__(self, *words: str, code: int = 0) -> Result:
        """Run a command; an exception that nobody meant is one here too."""
        result = CliRunner().invoke(fedcat, list(words), catch_exceptions=False, prog_name="fedcat")
        assert result.exit_code == code, result.output
        return result

    def says(self, *words: str, code: int = 0) -> str:
        return self(*words, code=code).stdout

    def refuses(self, *words: str, code: int = 2) -> str:
        """The one sentence of a command that will not do it."""
        result = self(*words, code=code)
        assert result.stdout == ""
        said = result.stderr.strip()
        assert said.startswith("fedcat: ")
        assert "\n" not in said
        return said.removeprefix("fedcat: ")

    def facts(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.says(*words, "--json", code=code))

    def harvest(self, *words: str, code: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.says("harvest", *words, "--json", code=code).splitlines()]

    def write(self, text: str, name: str = "canals.ttl") -> None:
        (self.folder / name).write_text(text, "utf-8")

    def add(self, name: str = "canals", file: str = "canals.ttl", type_: str = "dcat-rdf") -> None:
        self("source", "add", name, "--type", type_, "--url", self.server.address(file))

    def titles(self) -> list[str]:
        lines = self.says("export", "csv").splitlines()[1:]
        return sorted(line.split(",")[3] for line in lines)


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """Nothing is set up yet."""
    for name, value in {
        "FEDCAT_HOME": str(tmp_path / "home"),
        "FEDCAT_ALLOW_PRIVATE_SOURCES": "1",
        "FEDCAT_BASE_URL": "https://catalogue.example",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "served"
    folder.mkdir()
    with Folder(folder) as server:
        world = World(folder, server)
        world.write(CANALS)
        yield world


@pytest.fixture
def world(bare):
    """A database and one source."""
    bare("init")
    bare.add()
    return bare


@pytest.fixture
def filled(world):
    """The source is harvested."""
    world("harvest", "canals")
    return world


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
        "schedule": "0 3 * * *", "priority": 10, "paused": False, "options": {"format": "text/turtle"}, "datasets": 0,
        "last_run": None,
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
    assert filled.says("source", "remove", "canals") == "Removed 'canals'. Withdrew what 3 records said.\n"
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
    filled.write(CANALS.replace("Tolls", "Tolls and fees").partition("<https://canals.example/id/locks>")[0] + TOLLS)
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
    world.write(CANALS + '\n<https://canals.example/id/x> a dcat:Dataset ; dct:description "[/bold] :no title:" .\n')
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


# ---- search, show


def test_a_search_finds_and_shows_titles_as_their_owners_wrote_them(filled):
    said = filled.says("search", "lock gates")
    assert "1 found" in said
    assert "Lock gates [listed] :boat:" in said
    found = filled.facts("search", "lock gates")
    assert found["total"] == 1
    assert found["results"][0]["iri"] == "https://canals.example/id/locks"
    assert {"value", "count", "selected"} == set(found["facets"][0]["values"][0])


def test_a_search_filters_sorts_and_turns_pages(filled):
    slug = filled.facts("search", "tolls")["results"][0]["organisation"]
    assert filled.facts("search", "--filter", f"organisation={slug}", "--filter", "format=csv")["total"] == 1
    titles = [found["title"] for found in filled.facts("search", "--sort", "title")["results"]]
    assert titles == sorted(titles)
    assert filled.facts("search", "--page", "2")["results"] == []


def test_a_search_that_cannot_be_is_told(filled):
    assert "--filter 'csv' has to be NAME=VALUE" in filled.refuses("search", "--filter", "csv")
    assert "'sort'" in filled.refuses("search", "--sort", "newest")
    assert "'page'" in filled.refuses("search", "--page", "0")


@pytest.mark.parametrize(
    ("format_", "within"),
    [("ttl", "dct:title"), ("jsonld", '"@context"'), ("rdf", "<rdf:RDF"), ("nt", " <http://"), ("json", '"title"')],
)
def test_a_dataset_is_shown_in_each_format_by_id_and_by_address(filled, format_, within):
    id_ = filled.facts("search", "tolls")["results"][0]["id"]
    by_id = filled.says("show", id_, "--format", format_)
    assert within in by_id
    assert "What boats paid" in by_id
    assert filled.says("show", "https://canals.example/id/tolls", "--format", format_) == by_id


def test_what_is_not_there_is_told_and_what_was_withdrawn_says_when(filled):
    assert filled.refuses("show", "no-such-12345678") == "The catalogue holds nothing called 'no-such-12345678'."
    id_ = filled.facts("search", "tolls")["results"][0]["id"]
    filled("source", "remove", "canals")
    assert f"'{id_}' was withdrawn on " in filled.refuses("show", id_)


# ---- index


def test_the_index_says_how_far_it_is(filled):
    said = filled.facts("index", "status")
    assert (said["documents"], said["datasets"]) == (3, 3)
    assert said["serial"] == said["last_change"] > 0
    assert "documents" in filled.says("index", "status")
    assert filled.says("index", "update") == "Applied 0 changes.\n"


def test_a_deleted_index_is_built_by_the_next_command(filled):
    index = filled.folder.parent / "home" / "index"
    assert index.is_dir()
    shutil.rmtree(index)
    assert filled.facts("search", "tolls")["total"] == 1
    shutil.rmtree(index)
    assert filled.says("index", "rebuild") == "Indexed 3 datasets and services.\n"
    assert filled.facts("index", "status")["documents"] == 3


# ---- export


@pytest.mark.parametrize("format_", ["ttl", "nt", "nq", "jsonld", "rdf", "data.json", "csv"])
def test_the_catalogue_is_written_in_each_format(filled, format_):
    file = filled.folder / "out" / f"catalogue.{format_}"
    assert filled.says("export", format_, "-o", str(file)) == f"Wrote 3 datasets and services to {file}.\n"
    assert file.read_bytes().decode("utf-8-sig").count("What boats paid") == 1
    assert filled("export", format_).stdout_bytes == file.read_bytes()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_an_export_that_cannot_be_written_is_told_and_leaves_nothing(filled):
    (filled.folder / "file").touch()
    assert "cannot be written" in filled.refuses("export", "ttl", "-o", str(filled.folder / "file" / "x.ttl"))
    assert "cannot be written" in filled.refuses("export", "ttl", "-o", str(filled.folder))
    assert sorted(path.name for path in filled.folder.parent.iterdir()) == ["home", "served"]
    filled("export", "docx", code=2)


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
        "source import", "source types", "preview", "harvest", "remap", "runs", "run", "search", "show", "index status",
        "index update", "index rebuild", "export", "serve", "demo", "doctor",
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
