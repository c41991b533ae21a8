"""The wheel: it carries everything that fedcat needs, nothing that is ours alone, and works far from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from shared import CHECKOUT

NEEDED = ("catalogue/web/static/app.css", "catalogue/web/static/govuk-frontend.min.js", "catalogue/web/static/icon.svg")
CARRIED = {
    "catalogue": (".html", ".xml", ".mako", ".ttl", ".rdf", ".jsonld", ".json", ".csv", ".xlsx", ".toml", ".typed"),
    "harvesters": (".typed",),
    "vocab": (".ttl", ".typed"),
}
"""Files that are no code, by the package that they belong to: each of these in the checkout is in the wheel."""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """Built once; the front end is taken as it was built when fedcat was installed here."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [file] = folder.glob("*.whl")
    return zipfile.ZipFile(file)


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that holds the wheel and nothing else, as `pip install --no-deps --target` leaves it."""
    folder = tmp_path_factory.mktemp("installed")
    wheel.extractall(folder)
    return folder


def python(installed: Path, *words: str, **environment: str) -> str:
    """What Python says with the installed packages before any other, in a folder that is not the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FEDCAT_")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=installed.parent,
        env={**kept, "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_carries_every_file_that_is_no_code(wheel):
    wanted = {
        str(path.relative_to(CHECKOUT))
        for package, endings in CARRIED.items()
        for path in (CHECKOUT / package).rglob("*")
        if path.suffix in endings
    }
    assert len(wanted) > 30
    assert wanted <= set(wheel.namelist())


def test_it_carries_every_module(wheel):
    wanted = {str(p.relative_to(CHECKOUT)) for package in CARRIED for p in (CHECKOUT / package).rglob("*.py")}
    assert wanted <= set(wheel.namelist())


def test_it_carries_the_front_end(wheel):
    assert set(NEEDED) <= set(wheel.namelist())
    assert all(wheel.getinfo(name).file_size for name in NEEDED)


def test_it_carries_what_our_packages_are_and_nothing_else(wheel):
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == set(CARRIED)
    assert not [name for name in wheel.namelist() if "__pycache__" in name or "node_modules" in name]


def test_it_names_its_command_its_harvesters_and_its_engines(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    said = wheel.read(name).decode()
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    for points in (project["scripts"], *project["entry-points"].values()):
        assert all(f"{point} = {target}" in said for point, target in points.items())


def test_it_carries_the_licence_and_the_readme(wheel):
    [licence] = [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]
    [metadata] = [name for name in wheel.namelist() if name.endswith("METADATA")]
    assert wheel.read(licence) == (CHECKOUT / "LICENSE").read_bytes()
    assert (CHECKOUT / "README.md").read_text("utf-8").splitlines()[0] in wheel.read(metadata).decode()


def test_it_knows_nothing_of_the_machine_that_built_it(wheel):
    ours = {str(CHECKOUT), str(Path.home()), sys.prefix, sys.base_prefix} - {"/", ""}
    found = [
        (name, place) for name in wheel.namelist() for place in ours if f"{place}/".encode() in wheel.read(name)
    ]  # fmt: skip
    assert found == []


def test_the_names_of_our_packages_belong_to_fedcat(installed):
    code = "import json; from importlib.metadata import packages_distributions as owners; print(json.dumps(owners()))"
    owners = json.loads(python(installed, "-S", "-c", code))  # without what else is installed here
    assert {name: owners[name] for name in CARRIED} == {name: ["fedcat"] for name in CARRIED}


def test_it_speaks_its_vocabulary_far_from_the_checkout(installed):
    code = (
        "import vocab; print(vocab.__file__); print(*vocab.SCHEMES); print(vocab.scheme('licences').find('OGL v3').iri)"
    )
    file, schemes, licence = python(installed, "-c", code).splitlines()
    assert Path(file).is_relative_to(installed)
    assert set(schemes.split()) == {path.stem for path in (CHECKOUT / "vocab").glob("*.ttl")}
    assert "open-government-licence/version/3" in licence


SITE = """
import sys
from pathlib import Path
import catalogue.web
from catalogue.cli.here import Here
from catalogue.search.follow import catch_up
with Here() as here:
    here.bare_store.upgrade()
    catch_up(here.store, here.index)
    client = catalogue.web.create_app(here.settings, here.store, here.index).test_client()
    for path in ("/", "/static/app.css", "/catalog.ttl"):
        print(client.get(path).status_code, client.get(path).content_type.split(";")[0])
    print(catalogue.web.__file__)
"""


def test_it_serves_a_page_a_static_file_and_a_feed_far_from_the_checkout(installed, tmp_path):
    *answers, file = python(installed, "-c", SITE, FEDCAT_HOME=str(tmp_path / "home")).splitlines()
    assert answers == ["200 text/html", "200 text/css", "200 text/turtle"]
    assert Path(file).is_relative_to(installed)


def test_it_harvests_its_examples_far_from_the_checkout(installed, tmp_path):
    words = ("-m", "catalogue", "demo", "--once", "--examples-port", "0")
    said = python(installed, *words, FEDCAT_HOME=str(tmp_path / "home"))
    assert "datasets and services, harvested and indexed in" in said
    assert (tmp_path / "home" / "fedcat.db").is_file()
