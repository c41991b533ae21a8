"""The documentation is held to the code: what it shows runs, what it lists is all there is, what it links to is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from shared import CHECKOUT
from world import empty_store

from catalogue import rdf
from catalogue.cli import fedcat
from catalogue.cli.harvesting import COUNTS
from catalogue.dcat import Dataset, Identifier, Slug
from catalogue.demo import sources as example_sources
from catalogue.feeds.catalog import CatalogPage, Place, collection_node, record_node
from catalogue.http import Response
from catalogue.search import open_index
from catalogue.settings import SETTINGS, load
from catalogue.source import GROUP, HarvestSource, SourceRecord
from catalogue.store import Entry, Route, Row
from catalogue.testing.harvesters import HarvesterContract
from harvesters.read import describe, rows, texts

README = CHECKOUT / "README.md"
PAGES = [README, CHECKOUT / "CHANGELOG.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
DECISIONS = sorted((CHECKOUT / "docs" / "decisions").glob("*.md"))
PROMISES = [name for name in dir(HarvesterContract) if name.startswith("test_")]


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def section(page: Path, title: str) -> str:
    """What stands under a heading."""
    return page.read_text("utf-8").split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def table(text: str) -> list[tuple[str, ...]]:
    """The rows of the first table below its heading."""
    found = [line for line in text.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in found[2:]]


def commands(group: click.Group = fedcat, above: str = "fedcat") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


# ---- code that is shown


SPECIAL = {"README.md", "docs/harvester.md", "docs/property.md"}
PLAIN = [page for page in PAGES if named(page) not in SPECIAL and blocks(page, "python")]


@pytest.mark.parametrize("file", PLAIN, ids=named)
def test_the_python_of_a_page_runs(file):
    space: dict[str, Any] = {}
    for code in blocks(file, "python"):
        exec(compile(code, named(file), "exec"), space)


@pytest.fixture(scope="module")
def json_lines(tmp_path_factory) -> HarvesterContract:
    """The class, the recorded answer, the graph and the test of docs/harvester.md."""
    page = CHECKOUT / "docs" / "harvester.md"
    code, test = blocks(page, "python")
    module = ModuleType("harvesters.json_lines")
    exec(compile(code, "harvesters/json_lines.py", "exec"), module.__dict__)
    folder = tmp_path_factory.mktemp("recorded") / "json-lines"
    folder.mkdir()
    (folder / "response.jsonl").write_text(*blocks(page, "jsonl"), "utf-8")
    (folder / "expected.ttl").write_text(*blocks(page, "turtle"), "utf-8")
    installed = {module.JsonLines.name: module.JsonLines()}
    space = {"HarvesterContract": HarvesterContract, "harvester": installed.__getitem__, "RECORDED": folder.parent}
    exec(compile(test, "tests/test_harvesters.py", "exec"), space)
    held: HarvesterContract = space["TestJsonLines"]()  # type: ignore[operator]
    return held


@pytest.mark.parametrize("promise", PROMISES)
def test_the_harvester_of_the_page_keeps_every_promise(json_lines, promise):
    getattr(json_lines, promise)()


def test_the_line_of_the_page_leads_to_its_file(json_lines):
    page = CHECKOUT / "docs" / "harvester.md"
    [line] = blocks(page, "toml")
    points = tomllib.loads(line)["project"]["entry-points"][GROUP]
    assert points == {json_lines.harvester.name: "harvesters.json_lines:JsonLines"}
    assert "`harvesters/json_lines.py`" in page.read_text("utf-8")


def test_the_pages_count_the_promises_right():
    words = ("twelve", "one class", "one line")
    assert len(PROMISES) == 12
    assert all("twelve promises" in page.read_text("utf-8") for page in (README, CHECKOUT / "docs" / "architecture.md"))
    assert all(word in README.read_text("utf-8").lower() for word in words)


def test_the_harvester_of_the_readme_reads():
    [code] = [code for code in blocks(README, "python") if "class JsonLines" in code]
    space = {
        "json": json, "Dataset": Dataset, "Identifier": Identifier, "SourceRecord": SourceRecord, "describe": describe,
        "rows": rows, "texts": texts,
    }  # fmt: skip
    exec(code, space)
    harvester: Any = space["JsonLines"]
    source = HarvestSource(name=Slug("canals"), type="json-lines", url=harvester.sample)
    answer = Response.of(
        b'{"id": "a", "title": "Lock gates"}\n{"id": "b", "title": "Tolls", "boats": 3}', url=source.url
    )
    client = type("Recorded", (), {"get": lambda self, url: answer})()
    records = [found for found in harvester().fetch(source, client) if isinstance(found, SourceRecord)]
    found = [resource for record in records for resource in harvester().map(record, source)]
    assert [text.value for resource in found for text in resource.titles] == ["Lock gates", "Tolls"]
    assert len(found[1].rest) == 2  # its id and its boats have no row in the table


@pytest.fixture(scope="module")
def with_property(tmp_path_factory) -> Callable[[str], str]:
    """Python with a copy of the catalogue in which `Dataset` has the line of docs/property.md."""
    line, _ = blocks(CHECKOUT / "docs" / "property.md", "python")
    folder = tmp_path_factory.mktemp("with-property")
    shutil.copytree(
        CHECKOUT / "catalogue", folder / "catalogue", ignore=shutil.ignore_patterns("__pycache__", "examples", "web")
    )
    nouns = folder / "catalogue" / "dcat.py"
    head, place, rest = nouns.read_text("utf-8").partition("    distributions: frozenset[Distribution]")
    assert "class Dataset(Resource):" in head.rsplit("@dataclass", 1)[1]
    assert line.count("\n") == 1
    nouns.write_text(head + line + place + rest, "utf-8")

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_property_is_one_line(with_property):
    _, follows = blocks(CHECKOUT / "docs" / "property.md", "python")
    said = with_property(follows + "\nimport sys; sys.stdout.buffer.write(rdf.canonical(interviews))")
    assert "accrualMethod" in said


def test_what_was_stored_without_the_property_is_the_same_with_it(with_property):
    _, follows = blocks(CHECKOUT / "docs" / "property.md", "python")
    stored = with_property(follows + "\nimport sys; sys.stdout.buffer.write(rdf.canonical(interviews))").encode()
    before = rdf.read(stored)
    assert [said.predicate for said in before.rest] == ["http://purl.org/dc/terms/accrualMethod"]
    assert rdf.canonical(before) == stored
    after = with_property(f"from catalogue import rdf; print(rdf.read({stored!r}).collection_methods)")
    assert "Interviews on the towpath" in after


def test_the_readme_shows_the_same_line():
    line, _ = blocks(CHECKOUT / "docs" / "property.md", "python")
    assert line in blocks(README, "python")


SHOWN = [
    pytest.param(line.strip(), id=f"{named(page)}: {line.strip()}")
    for page in PAGES
    for code in blocks(page, "sh")
    for line in code.splitlines()
    if line.strip()
]


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_can_be_typed(line):
    words = shlex.split(line)
    program = words.pop(0).rsplit("/", 1)[-1]
    if program != "fedcat":
        assert program in ("pip", "python3")
        return
    command: click.Command = fedcat
    path = "fedcat"
    while isinstance(command, click.Group):
        path, command = f"{path} {words[0]}", command.commands[words.pop(0)]
    command.make_context(path, words)  # reads the words as if they had been typed, and runs nothing


def test_there_are_commands_shown_to_type():
    assert len(SHOWN) > 15


# ---- lists that have to be whole


def test_the_table_of_settings_is_that_of_the_code():
    wanted = [
        (f"`{s.name}`", f"`{s.default}`" if s.default else "–", s.meaning[0].upper() + s.meaning[1:]) for s in SETTINGS
    ]
    assert table(section(README, "Settings")) == wanted, rewritten(wanted)


def test_the_table_of_commands_is_that_of_the_code():
    wanted = [(f"`{path}`", first_sentence(command)) for path, command in commands()]
    assert table(section(README, "Commands")) == wanted, rewritten(wanted)


def first_sentence(command: click.Command) -> str:
    assert command.help
    return re.split(r"\.(?:\s|$)", " ".join(command.help.split("\n\n")[0].split()))[0]


def rewritten(rows: list[tuple[str, ...]]) -> str:
    """The table as it should stand, to be put into the page."""
    return "\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_the_object_that_scripts_rely_on_is_shown_with_its_keys():
    [shown] = blocks(README, "json")
    assert list(json.loads(shown)) == ["source", "run", "status", *COUNTS, "seconds"]


def test_every_address_of_the_readme_is_one_of_the_site(tmp_path):
    from catalogue.web import create_app  # most tests here need no site

    settings = load({"FEDCAT_HOME": str(tmp_path)}, tmp_path)
    with empty_store() as store:
        index = open_index(settings.search_url)
        app = create_app(settings, store, index)
        index.close()
    rules = {re.sub(r"<[^>]*>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    shown = [address for row in table(section(README, "Addresses")) for address in re.findall(r"`(/[^`]*)`", row[0])]
    assert len(shown) > 15
    assert {re.sub(r"<[^>]*>", "<>", address) for address in shown} <= rules


def test_the_settings_that_pages_name_are_settings():
    known = {setting.name for setting in SETTINGS}
    named_in = {page.name: set(re.findall(r"\bFEDCAT_[A-Z_]+\b", page.read_text("utf-8"))) for page in PAGES}
    assert {name: said - known for name, said in named_in.items() if said - known} == {}


def test_the_containers_take_every_setting():
    said = set(re.findall(r"^ +(FEDCAT_[A-Z_]+):", (CHECKOUT / "compose.yaml").read_text("utf-8"), re.MULTILINE))
    assert said == {setting.name for setting in SETTINGS}


def test_what_make_can_do_is_what_the_readme_says():
    targets = re.findall(r"^([a-z-]+):.*?## ", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE)
    text = README.read_text("utf-8")
    assert {name for name in targets if f"make {name}" not in text and f"`{name}`" not in text} <= {"help"}


def test_the_demonstration_is_shown_as_it_is():
    [shown] = [code for code in blocks(README, "") if "harvested and indexed in" in code]
    listed = [tuple(line.split()[:2]) for line in shown.splitlines() if " added " in line]
    assert listed == [(source["name"], source["type"]) for source in example_sources("http://example.org")]
    assert len(listed) == 7
    assert "seven invented example catalogues" in README.read_text("utf-8")


SEEN = datetime(2026, 11, 22, 3, 0, 12, tzinfo=UTC)
LOCKS = Entry(
    Row(
        "lock-gates-abcdefgh", 1, "https://canals.example/id/locks", "dataset", "current", "Lock gates", "canal-trust", "",
        False, SEEN, SEEN, 1,
    ),
    b"",
    (Route("canals", "Canals", "1", "https://canals.example/catalog.ttl", SEEN, SEEN, SEEN, 12, True, False),),
)  # fmt: skip


def test_the_feed_is_shown_as_it_is():
    base = "https://data.example.gov.uk"
    feed = Place(f"{base}/catalog.ttl")
    links = {"first": feed.page(1), "next": feed.at(after=100), "last": feed.page(2)}
    page = collection_node(CatalogPage(feed.page(1), links, total=123))
    first, second = blocks(CHECKOUT / "docs" / "rdf.md", "turtle")
    assert first.endswith(rdf.turtle([page], header=False).decode())
    assert second == rdf.turtle([record_node(LOCKS, base)], header=False).decode()


# ---- pages among themselves


LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@pytest.mark.parametrize("file", PAGES, ids=named)
def test_every_link_leads_somewhere(file):
    targets = [target.partition("#")[0] for target in LINK.findall(prose(file)) if "://" not in target]
    assert [target for target in targets if target and not (file.parent / target).exists()] == []


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = [(page.parent / target.partition("#")[0]).resolve() for target in LINK.findall(prose(page))]
        found = {file for target in targets for file in ([target] if target.suffix == ".md" else target.glob("*.md"))}
        waiting += [file for file in found if file not in reached and file.is_file()]
    assert set(PAGES) <= reached


YET_TO_BE_WRITTEN = {"harvesters/x.py", "harvesters/json_lines.py", "tests/harvesters/json-lines/response.jsonl"}
OURS = re.compile(r"`((?:catalogue|harvesters|vocab|tests|static|docs|\.ci)/[\w./*-]*)`")


@pytest.mark.parametrize("file", PAGES, ids=named)
def test_every_file_that_a_page_names_is_there(file):
    built = ("static/dist", "static/node_modules", "catalogue/web/static")  # by installing
    said = set(OURS.findall(prose(file))) - YET_TO_BE_WRITTEN
    assert [name for name in said if not name.startswith(built) and not list(CHECKOUT.glob(name.rstrip("/")))] == []


def test_the_tree_of_the_architecture_is_the_tree():
    [tree] = [code for code in blocks(CHECKOUT / "docs" / "architecture.md", "") if code.startswith("catalogue/\n")]
    inside = {word for line in tree.splitlines() if line.startswith("  ") for word in line[2:23].split()}
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (CHECKOUT / "catalogue").iterdir()
        if not path.name.startswith("__") and path.name != "py.typed"
    }
    assert inside - {"__main__.py"} == there


def test_the_layers_of_the_architecture_are_those_that_are_held():
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    [layers] = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    [shown] = [code for code in blocks(CHECKOUT / "docs" / "architecture.md", "") if code.startswith("__main__")]
    assert " ".join(shown.split()) == " → ".join(layer.replace(" | ", ", ") for layer in layers)


# ---- decisions


PARTS = ("**Decided.**", "**Why.**", "**Refused.**", "**Look again**")
WHY_INSIDE = {"0007-front-end-assets.md"}
"""It gives the reason with each point that was decided."""


@pytest.mark.parametrize("file", DECISIONS, ids=lambda page: page.name)
def test_a_decision_says_what_why_what_was_refused_and_when_to_look_again(file):
    text = file.read_text("utf-8")
    assert text.startswith(f"# {int(file.name[:4])}. ")
    wanted = [part for part in PARTS if part != "**Why.**" or file.name not in WHY_INSIDE]
    places = [text.find(part) for part in wanted]
    assert -1 not in places, wanted[places.index(-1)]
    assert places == sorted(places)


def test_decisions_are_numbered_without_a_gap():
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


# ---- who may import whom


def test_the_import_contracts_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
