"""The benchmark: its made-up data have a realistic shape, and a tiny run of it measures everything that it should."""

from __future__ import annotations

import json
import re
from statistics import mean

import pytest

from catalogue import rdf
from catalogue.bench import corpus
from catalogue.bench.__main__ import main
from catalogue.bench.machine import percentile
from catalogue.bench.table import Row, table

TARGETS = (
    "harvest, new, RDF, per core", "harvest, new, CKAN, per core", "harvest, unchanged, RDF, per core",
    "harvest, RDF, peak memory", "search, 10 results + 8 facets, p95", "dataset page, p95", "search page, p95",
    "dataset page over HTTP, p95", "search page over HTTP, p95", "feed page of 100 in Turtle, p95",
    "feed page unchanged (304), p95", "full dump as N-Quads", "harvest, resumed half way, RDF, per core",
    "harvest, 1 % changed, RDF, per core", "harvest, unchanged, pages with ETags", "list of 1,000 sources, p95",
)  # fmt: skip


@pytest.fixture(scope="module")
def page():
    """A page of the made-up catalogue, read."""
    return rdf.Reader(rdf.graph(corpus.turtle_page(list(corpus.made(100)), 1, 2), "text/turtle"))


def test_made_up_datasets_have_as_many_statements_and_files_as_real_ones(page):
    found = [page.read(subject) for subject in page.resources]
    assert len(found) == 100
    assert 60 < mean(len(rdf.lines(dataset)) for dataset in found) < 76
    assert 2.5 < mean(len(dataset.distributions) for dataset in found) < 3.5
    assert all(dataset.rest for dataset in found)
    assert not page.graph.problems


def test_made_up_datasets_are_the_same_for_the_same_seed():
    first, again, other = (corpus.turtle_page(list(corpus.made(3, seed)), 1, 1) for seed in (1, 1, 2))
    assert first == again != other


def test_both_portals_tell_of_the_same_datasets(page):
    packages = [json.loads(corpus.package(one)) for one in corpus.made(100)]
    titles = {text.value for subject in page.resources for text in page.read(subject).titles if text.lang == "en"}
    assert {package["title"] for package in packages} == titles


def test_a_figure_stands_beside_its_target_and_its_reference():
    row = Row("harvest", 1600, "/s", 800, 100)
    assert row.cells() == ("harvest", "1,600/s", "≥ 800/s", "yes", "100/s", "16.0×")
    assert Row("page", 40, "ms", 30).cells() == ("page", "40.0 ms", "≤ 30.0 ms", "NO", "", "")
    assert Row("dump", 2, "s", None, 10).cells() == ("dump", "2.0 s", "", "", "10.0 s", "5.0×")
    assert len({len(line) for line in table([row]).splitlines()}) == 1


def test_a_percentile_is_the_figure_that_so_many_do_not_exceed():
    assert [percentile([5.0, 1.0, 3.0], share) for share in (0.0, 0.5, 0.95)] == [1.0, 3.0, 5.0]


@pytest.mark.slow
def test_a_tiny_run_measures_everything(capsys):
    main(["--datasets", "240"])
    told = capsys.readouterr().out
    figures = dict(re.findall(r"^\| (.+?) +\| +([\d,.]+)", told, re.MULTILINE))
    assert set(TARGETS) <= set(figures)
    assert all(float(figure.replace(",", "")) > 0 for figure in figures.values())
    assert "cores" in told
    assert "240 datasets" in told
