"""Real catalogues, harvested and published again: what was counted without our code is what we count."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import pytest
import rdflib
from click.testing import CliRunner
from rdflib.namespace import DCAT, RDF
from servers import Folder, RecordedCkan
from shared import shared_data, shared_files
from world import BASE, empty_store, source

from catalogue.cli import fedcat
from catalogue.dcat import NOUNS, properties
from catalogue.feeds import export
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.settings import load
from catalogue.source import harvester
from vocab.namespaces import PREFIXES

SYNTAXES = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}
NORMAL_FORMS = {
    "dct": "license format accrualPeriodicity language accessRights issued modified created description title publisher"
    " creator rights temporal spatial conformsTo provenance identifier alternative",
    "dcat": "mediaType keyword byteSize contactPoint theme landingPage distribution version accessURL downloadURL",
    "foaf": "page",
    "rdfs": "comment",
    "adms": "status",
}
"""Predicates whose values docs/normalisation.md gives one form; for these it is enough that something is said."""


@pytest.fixture(autouse=True, scope="module")
def literals_as_written():
    rdflib.NORMALIZE_LITERALS = False
    yield
    rdflib.NORMALIZE_LITERALS = True


@pytest.fixture
def expected(shared):
    def read(name):
        return json.loads((shared / "EXPECTED" / f"{name}.json").read_text("utf-8"))

    return read


def test_one_source_of_each_kind_gives_the_counts_that_were_expected(shared, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("FEDCAT_HOME", str(tmp_path))
    monkeypatch.setenv("FEDCAT_ALLOW_PRIVATE_SOURCES", "1")
    packages = json.loads((shared / "ckan/recorded_api/package_search_default10.json").read_text("utf-8"))["result"][
        "results"
    ]
    files = {
        "treasury": ("data-json", "dcat_us/real_agencies/treasury.2025-07-24.json"),
        "edinburgh": ("table", "csv_xlsx/scotland_open_data/edinburgh.csv"),
        "series": ("dcat-rdf", "dcat_rdf/w3c_dcat3_examples/series-versions.ttl"),
    }
    with Folder(shared) as server, RecordedCkan(packages) as ckan:
        listed = [
            ("portal", "ckan", ckan.url),
            *((name, kind, server.address(file)) for name, (kind, file) in files.items()),
        ]
        toml = tmp_path / "sources.toml"
        toml.write_text(
            "".join(f'[[source]]\nname = "{n}"\ntype = "{t}"\nurl = "{u}"\n' for n, t, u in listed), "utf-8"
        )
        assert run("init").exit_code == 0
        assert run("source", "import", str(toml)).exit_code == 0
        first, second = counts(run("harvest", "--all", "--json")), counts(run("harvest", "--all", "--json"))
    rdf_classes = expected("rdf_counts")[files["series"][1]]["classes"]
    wanted = {
        "portal": len(packages),
        "treasury": expected("json_counts")[files["treasury"][1]]["datasets"],
        "edinburgh": expected("tabular_counts")[files["edinburgh"][1]]["distinct_datasets"],
        "series": sum(n for c, n in rdf_classes.items() if c.endswith(("Dataset", "DatasetSeries"))),
    }
    assert {name: found["added"] for name, found in first.items()} == wanted
    assert {name: found["unchanged"] for name, found in second.items()} == wanted
    assert all(found["added"] + found["updated"] + found["withdrawn"] == 0 for found in second.values())
    assert all(found["status"] == "complete" for found in second.values())


def run(*words: str):
    return CliRunner().invoke(fedcat, words)


def counts(result) -> dict[str, dict]:
    assert result.exit_code == 0, result.output
    return {found["source"]: found for found in map(json.loads, result.output.splitlines())}


# ---- every RDF file


RDF_FILES = [
    str(path.relative_to(shared_data() or path))
    for suffix in ("ttl", "rdf", "xml", "jsonld")
    for path in shared_files(f"dcat_rdf/**/*.{suffix}")
]


@pytest.mark.parametrize("file", RDF_FILES)
def test_every_statement_about_a_dataset_is_published_again(shared, expected, file, tmp_path):
    counted = expected("rdf_counts").get(file)
    with Folder(shared) as server, empty_store() as store, Client(allow_private=True) as client:
        held = source("real", type="dcat-rdf", url=server.address(file))
        store.sources.replace(held)
        line.harvest(HarvestRun.begin(held, store, BASE), harvester("dcat-rdf"), client)
        given = parsed(shared / file, server.address(file))
        if given is None or counted is None:
            return  # no other reader reads it; that it harms nobody was the test
        settings = load({"FEDCAT_HOME": str(tmp_path), "FEDCAT_BASE_URL": BASE})
        held_now = {entry.iri for entry in store.datasets.each()}
        for syntax, name in SYNTAXES.items():
            written = io.BytesIO()
            export(store, settings, syntax, written)
            again = rdflib.Graph().parse(data=written.getvalue(), format=name)
            assert list(missing(given, again, held_now)) == []


def parsed(path: Path, address: str) -> rdflib.Graph | None:
    """The file as rdflib reads it, without the network; None where it cannot."""
    data = path.read_bytes()
    if (path.suffix == ".jsonld" and b'"@context": "http' in data) or b'"@context":"http' in data:
        return None
    syntax = {".ttl": "turtle", ".jsonld": "json-ld"}.get(path.suffix, "xml")
    try:
        found = rdflib.Dataset(default_union=True)
        found.parse(data=data, format=syntax, publicID=address)
    except Exception:  # noqa: BLE001  rdflib raises whatever it met
        return None
    return found


def missing(given: rdflib.Graph, again: rdflib.Graph, datasets: set[str]):
    """Statements about datasets with an address, and about what hangs on them, that did not come out again."""
    normal = {rdflib.URIRef(PREFIXES[prefix] + word) for prefix, said in NORMAL_FORMS.items() for word in said.split()}
    for subject in set(given.subjects(RDF.type, DCAT.Dataset)) | set(given.subjects(RDF.type, DCAT.DatasetSeries)):
        if not isinstance(subject, rdflib.URIRef):
            continue
        if str(subject) not in datasets:
            if any(given.objects(subject, rdflib.DCTERMS.title)):
                yield subject, "is not in the catalogue"
            continue
        files = [o for o in given.objects(subject, DCAT.distribution) if isinstance(o, rdflib.URIRef)]
        for s, p, o in itertools.chain.from_iterable(given.triples((each, None, None)) for each in (subject, *files)):
            same = (s, p, o) in again
            said = (s, p, None) in again
            if (
                not same
                and not (said and (p in normal or isinstance(o, rdflib.BNode)))
                and not moved(p, again, subject)
            ):
                yield subject, p, o


MOVED = {
    rdflib.URIRef(older): rdflib.URIRef(p.predicate) for noun in NOUNS for p in properties(noun) for older in p.also
}
"""Older predicates that are written as today's."""


def moved(predicate: rdflib.URIRef, again: rdflib.Graph, subject: rdflib.URIRef) -> bool:
    today = MOVED.get(predicate)
    return today is not None and (subject, today, None) in again
