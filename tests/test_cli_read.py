"""The commands that search, show and write what is there."""

from __future__ import annotations

import shutil

import pytest

pytest_plugins = ("commands",)

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
    assert "--filter 'fromat' is none that there is: access, bbox," in filled.refuses(
        "search", "--filter", "fromat=csv"
    )
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
    assert filled.facts("index", "update") == {"changes": 0}
    assert filled.facts("index", "rebuild") == {"documents": 3}


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
