"""Commands as people type them, in a home folder of their own, over sources that a test may rewrite. `pytest_plugins`."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from servers import Folder

from catalogue.cli import fedcat
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


@dataclass
class World:
    """A home folder, a folder that is served, and the commands."""

    folder: Path
    server: Folder
    text: str = CANALS

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


@pytest.fixture(scope="session")
def database(tmp_path_factory) -> Path:
    """A database as `fedcat init` leaves it, to be copied."""
    folder = tmp_path_factory.mktemp("database")
    with closing(Store(f"sqlite:///{folder}/fedcat.db")) as store:
        store.upgrade()
    return folder


@pytest.fixture
def world(bare, database):
    """A database and one source."""
    shutil.copytree(database, bare.folder.parent / "home")
    bare.add()
    return bare


@pytest.fixture
def filled(world):
    """The source is harvested."""
    world("harvest", "canals")
    return world
