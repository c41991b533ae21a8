"""The example sources hold what a demonstration needs, as independent readers see them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO, StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, ORG, RDF, Namespace
from rdflib.term import Node

from catalogue.demo import examples, sources
from catalogue.demo.server import served
from catalogue.organisations import registered

# rdflib says so of itself, whenever it reads JSON-LD
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")

EU_THEME = "http://publications.europa.eu/resource/authority/data-theme/"
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
SERIES = URIRef(f"{DCAT}DatasetSeries")
RDF_FILES = {
    "environment.ttl": "turtle",
    "environment-page-2.ttl": "turtle",
    "welsh-government.jsonld": "json-ld",
    "communities.rdf": "xml",
}
OTHER_PEOPLES_WORDS = {  # vocabularies, licences and the names of public bodies; everything else is a made-up host
    "creativecommons.org", "data.europa.eu", "inspire.ec.europa.eu", "opendatacommons.org", "project-open-data.cio.gov",
    "publications.europa.eu", "purl.org", "reference.data.gov.uk", "spdx.org", "w3id.org", "www.data.gov.uk",
    "www.gov.uk", "www.iana.org", "www.nationalarchives.gov.uk", "www.opendefinition.org", "www.opengis.net",
    "www.w3.org", "xmlns.com",
}  # fmt: skip
INVENTED_NUMBERS = re.compile(r"(\+44|0)(1632960\d{3}|2079460\d{3}|2920180\d{3})")


@dataclass(frozen=True)
class Said:
    """What one source says of one dataset, as an independent reader finds it."""

    source: str
    title: str
    publisher: str
    identifier: str
    text: str
    iri: str = ""


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with served() as address:
        yield address


def raw(name: str) -> bytes:
    return examples().joinpath(*name.split("/")).read_bytes()


@cache
def graph(name: str) -> Graph:
    return Graph().parse(data=raw(name), format=RDF_FILES[name], publicID=f"http://example.org/{name}")


def language(words: Node) -> str:
    return str(words.language or "") if isinstance(words, Literal) else ""


def packages() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw("transport-ckan/packages.json"))
    return found


def justice() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(raw("justice-data.json"))["dataset"]
    return found


def health() -> list[dict[str, str]]:
    lines = raw("health-inventory.csv").decode("cp1252").splitlines()
    return list(csv.DictReader(StringIO("\n".join(lines[2:]))))


def sheets() -> dict[str, Worksheet]:
    return {sheet.title: sheet for sheet in load_workbook(BytesIO(raw("work-and-pensions.xlsx"))).worksheets}


def register() -> list[dict[str, Any]]:
    """Both sheets' rows under their own headers, empty rows left out."""
    rows = []
    for sheet, header in zip(sheets().values(), (3, 1), strict=True):
        names, *body = list(sheet.iter_rows(min_row=header, values_only=True))
        rows += [dict(zip(map(str, names), row, strict=True)) for row in body if any(row)]
    return rows


def from_ckan() -> Iterator[Said]:
    for package in packages():
        extras = {extra["key"]: extra["value"] for extra in package["extras"]}
        words = " ".join([package["notes"], *(tag["name"] for tag in package["tags"])])
        publisher = extras.get("publisher_name") or package["organization"]["title"]
        yield Said(
            "transport",
            package["title"],
            publisher,
            extras.get("identifier", package["id"]),
            words,
            extras.get("uri", ""),
        )


def from_rdf(name: str) -> Iterator[Said]:
    said = graph(name)
    for dataset in said.subjects(RDF.type, DCAT.Dataset):
        titles = {str(title) for title in said.objects(dataset, DCTERMS.title)}
        words = [str(word) for term in (DCTERMS.description, DCAT.keyword) for word in said.objects(dataset, term)]
        publisher = said.value(dataset, DCTERMS.publisher)
        names = sorted(said.objects(publisher, FOAF.name), key=lambda name: language(name) != "en")
        identifier = str(said.value(dataset, DCTERMS.identifier))
        yield Said(name, min(titles), str(names[0]), identifier, " ".join(words), str(dataset))


def from_data_json() -> Iterator[Said]:
    for entry in justice():
        keywords = entry.get("keyword", [])
        words = [entry["description"], *([keywords] if isinstance(keywords, str) else keywords)]
        yield Said("justice", entry.get("title", ""), entry["publisher"]["name"], entry["identifier"], " ".join(words))


def from_tables() -> Iterator[Said]:
    for row in health():
        words = f"{row['What’s in it']} {row['Tags']}"
        yield Said("health", row["Dataset name"], row["Organisation"], row["Ref"], words)
    for row in register():
        words = f"{row['Description']} {row['Keywords']}"
        yield Said("work-and-pensions", row["Title"] or "", row["Publisher"], row["Reference"], words)


@cache
def everything() -> list[Said]:
    rdf = [said for name in RDF_FILES for said in from_rdf(name)]
    return [*from_ckan(), *rdf, *from_data_json(), *from_tables()]


def written() -> str:
    """All that the files say, cells of the workbook included."""
    cells = (str(cell) for sheet in sheets().values() for row in sheet.values for cell in row if cell is not None)
    texts = [raw(name).decode() for name in (*RDF_FILES, "transport-ckan/packages.json", "justice-data.json")]
    return "\n".join([*texts, raw("health-inventory.csv").decode("cp1252"), *cells])


# What is promised


def test_every_kind_of_source_is_there_and_answers(base: str) -> None:
    listed = sources(base)
    assert {source["type"] for source in listed} == {"ckan", "dcat-rdf", "data-json", "table"}
    assert len({source["name"] for source in listed}) == len(listed) >= 6
    for source in listed:
        address = source["url"] + ("/api/3/action/status_show" if source["type"] == "ckan" else "")
        assert requests.get(address, timeout=5).status_code == 200, address
        assert source["title"]
        assert registered(source["organisation"])
        assert len(source["schedule"].split()) == 5


def test_seventy_two_datasets_of_eight_bodies_and_more() -> None:
    described = [said for said in everything() if said.title]
    bodies = Counter(said.publisher for said in described)
    assert len({said.iri or (said.publisher, said.identifier) for said in described}) >= 72
    assert len(bodies) >= 8
    assert len([body for body, count in bodies.items() if count >= 3]) >= 8


@pytest.mark.parametrize(
    ("source", "least"),
    [("transport", 18), ("welsh-government.jsonld", 10), ("justice", 12), ("health", 12), ("work-and-pensions", 12)],
)
def test_each_source_is_large_enough_to_look_at(source: str, least: int) -> None:
    assert len([said for said in everything() if said.source == source and said.title]) >= least


def test_the_environment_has_pages_services_and_a_series() -> None:
    first, second = graph("environment.ttl"), graph("environment-page-2.ttl")
    both = first + second
    assert len(set(both.subjects(RDF.type, DCAT.Dataset))) >= 18
    assert len(set(both.subjects(RDF.type, DCAT.DataService))) >= 3
    hydra = "http://www.w3.org/ns/hydra/core#"
    assert [*map(str, first.objects(None, URIRef(f"{hydra}next")))] == ["http://example.org/environment-page-2.ttl"]
    assert not [*second.objects(None, URIRef(f"{hydra}next"))]
    listed = {*both.objects(None, DCAT.dataset), *both.objects(None, DCAT.service)}
    assert [str(total) for total in first.objects(None, URIRef(f"{hydra}totalItems"))] == [str(len(listed))]
    (series,) = both.subjects(RDF.type, SERIES)
    assert len(set(both.subjects(URIRef(f"{DCAT}inSeries"), series))) == 3


def test_what_the_catalogue_lists_is_described() -> None:
    for name in RDF_FILES:
        said = graph(name)
        described = {*said.subjects(RDF.type, DCAT.Dataset), *said.subjects(RDF.type, SERIES)}
        assert set(said.objects(None, DCAT.dataset)) == described, name


def test_some_datasets_speak_english_and_welsh() -> None:
    said = graph("welsh-government.jsonld")
    languages = {
        dataset: {language(title) for title in said.objects(dataset, DCTERMS.title)}
        for dataset in said.subjects(RDF.type, DCAT.Dataset)
    }
    assert len([both for both in languages.values() if both == {"en", "cy"}]) >= 10
    assert {"cy"} in languages.values()


def test_two_sources_describe_one_dataset_by_its_address() -> None:
    twins = {said.iri: said.source for said in from_ckan() if said.iri}
    assert [said.iri for said in from_rdf("environment.ttl") if said.iri in twins] == list(twins)


def test_two_sources_describe_one_dataset_by_identifier_and_publisher() -> None:
    sayers: dict[tuple[str, str], set[str]] = {}
    for said in everything():
        sayers.setdefault((said.identifier, said.publisher), set()).add(said.source)
    assert [name for name, sources_ in sayers.items() if len(sources_) > 1] == [("MOJ-EMP-2024", "Ministry of Justice")]


def test_what_is_not_open_says_who_owns_it_and_what_you_will_need() -> None:
    rows = health() + register()
    closed = [row for row in rows if (row.get("Who can have it") or row.get("Access")) in ("Restricted", "Internal")]
    assert len(closed) >= 12
    assert len([row for row in closed if row.get("What you will need")]) >= 12
    for owner, steward in (("Who owns it", "Who looks after it"), ("Data owner", "Data steward")):
        assert [row for row in closed if row.get(owner) and row.get(steward)]
    roles = {str(role).lower() for name in RDF_FILES for role in graph(name).objects(None, DCAT.hadRole)}
    assert [role for role in roles if "owner" in role]
    assert [role for role in roles if "custodian" in role or "steward" in role]
    assert {entry["accessLevel"] for entry in justice()} == {"public", "restricted public", "non-public"}
    assert {"OFFICIAL", "OFFICIAL-SENSITIVE"} <= {row.get("Marking") or row.get("Classification") for row in rows}


def test_some_have_no_contact_and_some_publishers_have_none_either() -> None:
    assert [row for row in health() if not row["E-mail"] and not row["Who owns it"]]
    said = graph("environment-page-2.ttl")
    silent = {d for d in said.subjects(RDF.type, DCAT.Dataset) if not [*said.objects(d, DCAT.contactPoint)]}
    reachable = {bool([*said.objects(said.value(d, DCTERMS.publisher), FOAF.mbox)]) for d in silent}
    assert reachable == {True, False}


def test_a_publisher_may_have_no_address_and_another_a_parent() -> None:
    said = graph("environment-page-2.ttl")
    publishers = set(said.objects(None, DCTERMS.publisher))
    assert [body for body in publishers if not isinstance(body, URIRef)]
    assert [*said.objects(None, ORG.subOrganizationOf)]


def test_unknown_words_stand_at_several_depths() -> None:
    said = graph("environment.ttl") + graph("environment-page-2.ttl")
    ours = [(s, p) for s, p, _ in said if str(p).startswith("https://data.environment.example/def/survey#")]
    kinds = {kind for s, _ in ours for kind in said.objects(s, RDF.type)}
    assert {DCAT.Dataset, DCAT.Distribution} <= kinds
    assert [s for s, _ in ours if not isinstance(s, URIRef)]


def test_large_and_tiny_files_are_there() -> None:
    sizes = [resource["size"] for package in packages() for resource in package["resources"] if resource["size"]]
    assert min(sizes) < 1000
    assert max(sizes) > 100 * 2**30


def test_every_european_theme_is_there() -> None:
    said = {str(theme) for name in RDF_FILES for theme in graph(name).objects(None, DCAT.theme)}
    codes = {theme.removeprefix(EU_THEME) for theme in said if theme.startswith(EU_THEME)}
    assert " ".join(sorted(codes)) == "AGRI ECON EDUC ENER ENVI GOVE HEAL INTR JUST REGI SOCI TECH TRAN"


@pytest.mark.parametrize("mission", ["economic growth", "clean energy", "safer streets", "opportunity", "NHS"])
def test_every_mission_is_there_in_words(mission: str) -> None:
    assert len([said for said in everything() if mission in said.text]) >= 2


@pytest.mark.parametrize("name", ["UPRN", "LSOA", "NHS number", "company number", "National Insurance number"])
def test_identifiers_that_people_join_on_are_named(name: str) -> None:
    assert len([said for said in everything() if name in said.text]) >= 3


# Nothing is real


def test_every_entry_says_that_it_is_illustrative() -> None:
    assert not [said for said in everything() if not re.search("Illustrative entry|Cofnod enghreifftiol", said.text)]


def test_no_mailbox_is_real() -> None:
    mailboxes = re.findall(r"[\w.+-]+@([\w.-]+\w)", written())
    assert len(mailboxes) > 100
    assert not [domain for domain in mailboxes if not domain.endswith(".example")]


def test_no_address_is_real() -> None:
    hosts = {urlsplit(url).hostname for url in re.findall(r"https?://[^\s\"<>\\]+", written())}
    assert not {host for host in hosts - OTHER_PEOPLES_WORDS if not str(host).endswith(".example")}


def test_no_telephone_number_is_real() -> None:
    """Numbers come from the ranges that are kept free for drama."""
    said = [str(number) for name in RDF_FILES for number in graph(name).objects(None, VCARD.hasTelephone)]
    said += [extra["value"] for package in packages() for extra in package["extras"] if extra["key"] == "contact-phone"]
    said += [str(row.get("Telephone") or row.get("Contact phone") or "") for row in health() + register()]
    numbers = [re.sub(r"^tel:|\(0\)| ", "", number) for number in said if re.search(r"\d", number)]
    assert len(numbers) >= 15
    assert not [number for number in numbers if not INVENTED_NUMBERS.fullmatch(number)]


# Some of it is dirty


def test_the_dirt_is_there_to_be_found() -> None:
    everywhere = written()
    assert everywhere.count("ask Bob") >= 3
    assert everywhere.count("see website") >= 3
    assert re.search(r"https://\S+/\w+ \w+[ \w]*\.(csv|gpkg)", everywhere)
    assert "TBC" in {entry["modified"] for entry in justice()}
    assert {"CSV ", ".xlsx", ".zip"} <= {r["format"] for package in packages() for r in package["resources"]}
    assert "uk-ogl" in {package["license_id"] for package in packages()}
    assert len([package for package in packages() if "<p>" in package["notes"]]) >= 3


def test_one_entry_repeats_an_identifier_one_has_no_title_and_one_no_keyword() -> None:
    repeated = [name for name, count in Counter(entry["identifier"] for entry in justice()).items() if count > 1]
    assert len(repeated) == 1
    assert len([entry for entry in justice() if "title" not in entry]) == 1
    assert len([entry for entry in justice() if "keyword" not in entry]) == 1
    assert {"R/P1Y", "R/P1M", "R/P1W", "R/P1D"} <= {entry.get("accrualPeriodicity") for entry in justice()}


def test_the_inventory_is_not_in_utf_8_and_begins_with_two_other_lines() -> None:
    with pytest.raises(UnicodeDecodeError):
        raw("health-inventory.csv").decode()
    before, also_before, header = list(csv.reader(StringIO(raw("health-inventory.csv").decode("cp1252"))))[:3]
    assert [bool(cell) for cell in before].count(True) == [bool(cell) for cell in also_before].count(True) == 1
    assert {"Dataset name", "Who owns it", "How often updated"} <= set(header)
    assert "31/03/2026" in {row["Last updated"] for row in health()}


def test_the_workbook_has_merged_headers_an_empty_row_and_a_row_without_a_title() -> None:
    ours, partners = sheets().values()
    assert len(ours.merged_cells.ranges) >= 3
    assert [row for row in ours.iter_rows(min_row=4, values_only=True) if not any(row)]
    assert len([row for row in register() if not row["Title"]]) == 1
    assert partners.max_row > 5
