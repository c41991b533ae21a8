"""The vocabularies: whole files, no word claimed twice, and what sources really write finds its concept."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import RDF, SKOS, Graph, URIRef

import vocab
from vocab import SCHEMES, Concept, Scheme, UnknownConcept, UnknownScheme, fold, read, scheme

FILES = Path(vocab.__file__).parent
EU_THEME = "http://publications.europa.eu/resource/authority/data-theme/"
EU_FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
IANA = "https://www.iana.org/assignments/media-types/"


def names_of(concept: Concept) -> set[str]:
    """Every way of naming a concept that its file writes down."""
    words = {concept.iri, concept.notation, *concept.labels.values(), *concept.synonyms}
    return words | concept.matches | concept.covers | {concept.facts.get("homepage", concept.iri)}


def strays(entries: Scheme) -> list[tuple[str, str]]:
    """Names that lead to another concept than the one that claims them."""
    return [(c.notation, name) for c in entries for name in sorted(names_of(c)) if entries.find(name) is not c]


# The files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCHEMES)
def test_rdflib_reads_the_same_concepts_and_each_belongs_to_its_scheme(name: str) -> None:
    graph = Graph().parse(FILES / f"{name}.ttl")
    concepts = {str(concept) for concept in graph.subjects(RDF.type, SKOS.Concept)}
    assert concepts == {concept.iri for concept in scheme(name)}
    assert concepts == {str(member) for member in graph.subjects(SKOS.inScheme, URIRef(scheme(name).iri))}
    assert {str(subject) for subject in graph.subjects()} == {*concepts, scheme(name).iri}


@pytest.mark.parametrize("name", SCHEMES)
def test_every_concept_has_an_english_label_and_a_notation_for_addresses(name: str) -> None:
    entries = scheme(name)
    assert entries.title
    assert all(concept.labels["en"].strip() for concept in entries)
    assert all(re.fullmatch(r"[a-z0-9]+([.-][a-z0-9]+)*", concept.notation) for concept in entries)
    assert len({concept.notation for concept in entries}) == len(entries) == len({c.label for c in entries})


@pytest.mark.parametrize("name", SCHEMES)
def test_no_two_concepts_claim_the_same_word(name: str) -> None:
    assert strays(scheme(name)) == []


def test_a_word_claimed_twice_is_noticed() -> None:
    twice = read(b"""
        @prefix : <https://example.org/> . @prefix dct: <http://purl.org/dc/terms/> .
        @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
        :list a skos:ConceptScheme ; dct:title "List" .
        :a a skos:Concept ; skos:notation "a" ; skos:prefLabel "One"@en ; skos:hiddenLabel "Same thing" .
        :b a skos:Concept ; skos:notation "b" ; skos:prefLabel "Two"@en ; skos:altLabel "same-thing"@en .""")
    assert strays(twice) == [("a", "Same thing")]


@pytest.mark.parametrize("name", SCHEMES)
def test_words_that_say_nothing_belong_to_no_concept(name: str) -> None:
    entries = scheme(name)
    assert [word for word in entries.not_given if entries.find(word) or not entries.says_nothing(word)] == []


@pytest.mark.parametrize("name", SCHEMES)
def test_every_link_within_a_scheme_arrives(name: str) -> None:
    entries = scheme(name)
    for concept in entries:
        for iri in (*concept.successors, *filter(None, [concept.broader])):
            assert entries[iri] is not concept


def test_shapes_are_turtle() -> None:
    assert list(vocab.shapes()) == sorted(vocab.shapes())
    assert all(len(Graph().parse(data=turtle, format="turtle")) for _, turtle in vocab.shapes())


# Asking -------------------------------------------------------------------------------------------------------------


def test_a_scheme_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(UnknownScheme, match=r"No scheme is called 'tabel'\. Installed: access-rights, frequencies, "):
        scheme("tabel")
    assert issubclass(UnknownScheme, KeyError)


def test_indexing_wants_the_exact_name_and_says_so() -> None:
    licences = scheme("licences")
    assert licences["ogl-3.0"] is licences[licences["ogl-3.0"].iri] is licences.get("ogl-3.0")
    assert "ogl-3.0" in licences
    assert "OGL3" not in licences
    assert licences.get("OGL3") is None
    with pytest.raises(UnknownConcept, match="Licence has no concept with the IRI or notation 'OGL3'"):
        licences["OGL3"]


def test_labels_come_in_welsh_where_there_is_one_and_in_english_where_not() -> None:
    access, csv_file = scheme("access-rights")["open"], scheme("media-types")["csv"]
    assert (access.label, access.label_in("cy"), access.label_in("cy-GB")) == ("Open", "Agored", "Agored")
    assert (csv_file.label, csv_file.label_in("cy"), csv_file.label_in("fr")) == ("CSV", "CSV", "CSV")


WRITTEN = {
    "access-rights": {
        "public": "open", "OPEN": "open", "open_login": "open", "ABIERTO": "open",
        "http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/noLimitations": "open",
        "http://publications.europa.eu/resource/authority/access-right/PUBLIC": "open",
        "restricted public": "restricted", "Restricted": "restricted",
        "http://inspire.ec.europa.eu/metadata-codelist/LimitationsOnPublicAccess/INSPIRE_Directive_Article13_1e":
            "restricted",
        "COMMERCIAL": "commercial", "non-public": "internal", "Non Public ": "internal", "INTERNAL": "internal",
        "http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC": "internal",
    },
    "frequencies": {
        "R/P1M": "monthly", "r/p1y": "annual", "R/P3M": "quarterly", "R/P1D": "daily", "R/P1W": "weekly",
        "R/P0.5M": "twice-a-month", "R/P3.5D": "twice-a-week", "R/P6M": "twice-a-year",
        "R/PT1S": "continuously-updated", "eventual": "irregular", "Irregular": "irregular", "annually": "annual",
        "Once a year": "annual", "nal-frequency:NEVER": "never", "freq:biennial": "every-two-years",
        "http://purl.org/cld/freq/quarterly": "quarterly",
        "http://purl.org/linked-data/sdmx/2009/code#freq-W": "weekly", "asNeeded": "as-needed",
        "continual": "continuous", "notPlanned": "not-planned", "biannually": "twice-a-year",
        "fortnightly": "every-two-weeks", "Bob mis": "monthly",
        "http://publications.europa.eu/resource/authority/frequency/ANNUAL_2": "twice-a-year", "unknown": "unknown",
    },
    "languages": {
        "en": "eng", "en-US": "eng", "en_GB": "eng", "lang:ENG": "eng", "English": "eng", '["en"]': "eng",
        "Saesneg": "eng", "http://id.loc.gov/vocabulary/iso639-1/en-us": "eng", "cy": "cym", "Welsh": "cym",
        "Cymraeg": "cym", "wel": "cym", "http://publications.europa.eu/resource/authority/language/CYM": "cym",
        "Gàidhlig": "gla", "Gaelic": "gla", "http://publications.europa.eu/resource/authority/language/CZE": "ces",
        "spa": "spa", "français": "fra", "ga": "gle",
    },
    "licences": {
        "OGL3": "ogl-3.0", "OGL v3": "ogl-3.0", "OGL-UK-3.0": "ogl-3.0", "uk-ogl": "ogl-3.0", "ukogl": "ogl-3.0",
        "UK Open Government Licence (OGL)": "ogl-3.0",
        "http://reference.data.gov.uk/id/open-government-licence": "ogl-3.0",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3": "ogl-3.0",
        "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/2/": "ogl-2.0", "OGL 1.0": "ogl-1.0",
        "Trwydded Llywodraeth Agored": "ogl-3.0", "DATA_SHARE_AGREEMENT": "data-share-agreement", "cc-by": "cc-by",
        "http://www.opendefinition.org/licenses/cc-by": "cc-by", "Creative Commons Atribuição": "cc-by",
        "CC BY 4.0": "cc-by-4.0", "cc_by_4_0": "cc-by-4.0", "http://creativecommons.org/licenses/by/4.0": "cc-by-4.0",
        "http://data.gov/vocabulary/licenses/cc-by/4.0": "cc-by-4.0", "cc-zero": "cc0-1.0",
        "Creative Commons CCZero": "cc0-1.0",
        "http://publications.europa.eu/resource/authority/licence/CC_BYNC_4_0": "cc-by-nc-4.0",
        "http://creativecommons.org/licenses/by-nc/2.0/": "cc-by-nc-2.0", "odc-odbl": "odbl-1.0",
        "http://opendatacommons.org/licenses/odbl/1.0/": "odbl-1.0", "Open Database License (ODbL) v1.0": "odbl-1.0",
        "http://www.usa.gov/publicdomain/label/1.0/": "us-public-domain", "other-pd": "other-pd",
        "https://creativecommons.org/publicdomain/mark/1.0/": "public-domain-mark",
        "Otra (No abierta)": "other-closed", "Canada Open Government Licence": "ogl-canada",
        "Licence Ouverte Version 2.0": "licence-ouverte-2.0", "Ordnance Survey": "os-public-sector",
        "PSEUL": "inspire-end-user",
    },
    "media-types": {
        "CSV\n": "csv", ".csv": "csv", "text/csv; charset=utf-8": "csv",
        "http://www.iana.org/assignments/media-types/text/csv": "csv", "https://w3id.org/uri4uri/mime/text/csv": "csv",
        "ftype:CSV": "csv", "Comma-separated values": "csv", "http://data.gov/resource/authority/file-type/CSV": "csv",
        "MS Excel": "xls", "application/xls": "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx", ".xlsx": "xlsx",
        "Web Page": "html", "ArcGIS GeoServices REST API": "esri-rest", "ESRI REST": "esri-rest",
        "Feature Layer": "esri-rest", "REST": "api",
        "http://publications.europa.eu/resource/authority/file-type/REST": "esri-rest", "OGC WMS": "wms",
        "OGC:WFS": "wfs", "FGDB": "file-geodatabase", "Shapefile": "shp", "application/vnd.geo+json": "geojson",
        "GPX+XML": "gpx", "GPKG": "geopackage", "mime:img/jpeg": "jpeg", "Zipped CSV": "zip", "ZIP+CSV": "zip",
        "RDF": "rdf-xml", "RDF_TURTLE": "turtle", "ttl": "turtle", "application/x-parquet": "parquet",
        "text/ndjson": "json-lines", "rss+xml": "rss", "API": "api", "text/xml": "xml",
    },
    "missions": {"Clean energy": "clean-energy", "knife crime": "safer-streets", "NHS fit for the future": "nhs"},
    "organisations": {
        "HMRC": "hm-revenue-customs", "HM Revenue & Customs": "hm-revenue-customs", "land-registry": "land-registry",
        "Department for Business, Energy & Industrial Strategy":
            "department-for-business-energy-and-industrial-strategy",
        "https://www.gov.uk/government/organisations/natural-resources-wales": "natural-resources-wales",
        "https://www.ons.gov.uk": "office-for-national-statistics", "Scottish Natural Heritage": "naturescot",
        "Llywodraeth Cymru": "welsh-government", "SEPA": "scottish-environment-protection-agency",
        "Defra": "department-for-environment-food-rural-affairs",
    },
    "security-classification": {
        "OFFICIAL": "official", "Official - Sensitive": "official-sensitive",
        "OFFICIAL_SENSITIVE": "official-sensitive", "TOP_SECRET": "top-secret", "NOT_APPLICABLE": "not-applicable",
    },
    "themes": {
        "https://www.data.gov.uk/search?filters%5Btopic%5D=Crime+and+justice": "crime-justice",
        "government": "government-public-sector", "https://www.data.gov.uk/search?filters[topic]=Mapping": "geography",
        "Health and Social Care": "health-care", "http://inspire.ec.europa.eu/theme/hb": "environment-nature",
        "climatologyMeteorologyAtmosphere": "environment-nature", "ECON": "business-economics-finance",
        "JUST": "crime-justice", "http://publications.europa.eu/resource/authority/data-theme/EDUC": "education",
        "Towns and cities": "towns-cities-housing", "Business, Economics and Finance": "business-economics-finance",
        "Transport / Mobility": "transport-infrastructure",
    },
    "update-status": {"overdue": "overdue", "Up to date": "on-time"},
}  # fmt: skip
"""What sources write, most of it seen in real ones, and what they mean."""


@pytest.mark.parametrize(("name", "written", "meant"), [(n, w, m) for n in WRITTEN for w, m in WRITTEN[n].items()])
def test_what_sources_write_is_understood(name: str, written: str, meant: str) -> None:
    found = scheme(name).find(written)
    assert found is not None
    assert found.notation == meant


SILENT = {
    "licences": ("notspecified", "License Not Specified", "None", "https://project-open-data.cio.gov/unknown-license"),
    "media-types": ("application/octet-stream", "application/unknown", "UNKNOWN"),
    "languages": ("und",),
    "themes": ("", "[]", "N/A", "TBC"),
    "access-rights": (" - ", "null", "Not specified"),
}  # fmt: skip
MEANINGLESS = {
    "licences": ("custom", "This is a license.", "Crown copyright 2013", "https://example.org/licence"),
    "media-types": ("notareal/type", "widget", ".zip shapefile, file geodatabase, mapinfo mid/mif"),
    "frequencies": ("http://purl.org/cld/freq/ThisTermDoesNotExist", "R/P7Y", "whenever"),
    "languages": ("en,es,ca", "klingon"),
    "security-classification": ("RESTRICTED", "CONFIDENTIAL", "UNCLASSIFIED"),
    "organisations": ("Department of Justice", "Office of Communications", "Ministry"),
    "themes": ("Wireline", "http://www.eionet.europa.eu/gemet/concept/834"),
}


@pytest.mark.parametrize(("name", "written"), [(name, word) for name in SILENT for word in SILENT[name]])
def test_words_that_fill_a_field_resolve_to_nothing_and_are_known_for_it(name: str, written: str) -> None:
    assert scheme(name).find(written) is None
    assert scheme(name).says_nothing(written)


@pytest.mark.parametrize(("name", "written"), [(name, word) for name in MEANINGLESS for word in MEANINGLESS[name]])
def test_what_is_not_known_resolves_to_nothing_and_still_counts_as_said(name: str, written: str) -> None:
    assert scheme(name).find(written) is None
    assert not scheme(name).says_nothing(written)


def test_a_page_of_text_in_the_place_of_a_word_costs_nothing_and_means_nothing() -> None:
    assert scheme("licences").find("OGL v3 " * 1_000_000) is None
    assert not scheme("licences").says_nothing("OGL v3 " * 1_000_000)


@given(st.sampled_from(SCHEMES), st.text())
def test_any_text_at_all_can_be_asked_for(name: str, text: str) -> None:
    assert scheme(name).find(text) is None or scheme(name).find(text) in scheme(name).concepts


@given(st.data())
def test_case_space_and_punctuation_around_a_word_do_not_matter(data: st.DataObject) -> None:
    entries = scheme(data.draw(st.sampled_from(SCHEMES)))
    concept = data.draw(st.sampled_from(entries.concepts))
    word = data.draw(st.sampled_from(sorted({concept.notation, *concept.labels.values()})))
    dressed = data.draw(st.sampled_from([" {} ", ".{}", "{}/", "“{}”", "{}.", "\t{}\n", "({})"])).format(word)
    assert all(entries.find(way) is concept for way in (dressed, dressed.upper(), dressed.title(), dressed.casefold()))


def test_a_version_is_not_mistaken_for_another() -> None:
    assert fold("4.0") == fold("4-0") == fold("4_0") != fold("40")
    assert fold("http://www.example.org/a/") == fold("https://example.org/a") == fold("example.org/a")


# What each list promises --------------------------------------------------------------------------------------------


def test_access_rights_say_what_to_write_for_each_model() -> None:
    assert [concept.facts["marketplace"] for concept in scheme("access-rights")] == [
        "OPEN", "RESTRICTED", "COMMERCIAL", "INTERNAL",
    ]  # fmt: skip
    assert {concept.facts["mem"] for concept in scheme("access-rights")} == {"OPEN", "COMMERCIAL", "INTERNAL"}
    assert all(concept.definition for concept in scheme("access-rights"))


def test_every_frequency_can_be_written_as_dublin_core() -> None:
    dublin_core = "http://purl.org/cld/freq/"
    for concept in scheme("frequencies"):
        assert sum(iri.startswith(dublin_core) for iri in concept.matches | concept.close) == 1


def test_only_what_has_no_rhythm_can_never_be_overdue() -> None:
    assert {concept.notation for concept in scheme("frequencies") if "maxDays" not in concept.facts} == {
        "as-needed", "irregular", "not-planned", "never", "other", "unknown",
    }  # fmt: skip
    slower = [scheme("frequencies")[name] for name in ("daily", "weekly", "monthly", "annual", "every-ten-years")]
    assert [int(concept.facts["maxDays"]) for concept in slower] == [1, 7, 31, 366, 3653]


def test_every_licence_says_whether_it_is_open() -> None:
    assert {concept.facts["open"] for concept in scheme("licences")} == {"true", "false"}
    closed = {concept.notation for concept in scheme("licences") if concept.facts["open"] == "false"}
    assert {"cc-by-nc-4.0", "cc-by-nd-3.0", "data-share-agreement", "other-closed", "inspire-end-user"} <= closed
    assert not {"ogl-3.0", "cc-by", "cc-by-sa-4.0", "cc0-1.0", "odbl-1.0"} & closed


def test_every_form_says_how_it_is_got() -> None:
    assert {concept.facts["kind"] for concept in scheme("media-types")} == {"file", "service", "page"}
    assert all("extension" in concept.facts for concept in scheme("media-types") if concept.facts["kind"] == "file")


def test_every_theme_goes_with_one_eu_theme_and_every_eu_theme_leads_to_one_of_ours() -> None:
    beside = [[iri for iri in c.matches | c.close if iri.startswith(EU_THEME)] for c in scheme("themes")]
    assert all(len(iris) == 1 for iris in beside)
    assert len({iri for iris in beside for iri in iris}) == 13
    assert all(scheme("themes").find(iri) for iris in beside for iri in iris)


def test_an_organisation_that_ended_leads_to_one_that_answers() -> None:
    register = scheme("organisations")

    def answers(concept: Concept, seen: frozenset[str] = frozenset()) -> bool:
        if not concept.successors:
            return "homepage" in concept.facts
        assert concept.iri not in seen
        return all(answers(register[iri], seen | {concept.iri}) for iri in concept.successors)

    assert all(answers(concept) for concept in register)
    ended = register["department-for-business-energy-and-industrial-strategy"]
    assert [register[iri].notation for iri in ended.successors] == [
        "department-for-energy-security-and-net-zero",
        "department-for-business-and-trade",
        "department-for-science-innovation-and-technology",
    ]


def test_statuses_share_out_every_age() -> None:
    shares = [float(concept.facts["fromShare"]) for concept in scheme("update-status") if "fromShare" in concept.facts]
    assert shares == sorted(shares)
    assert shares[0] == 0


def test_there_are_five_missions() -> None:
    assert [mission.notation for mission in scheme("missions")] == [
        "economic-growth", "clean-energy", "safer-streets", "opportunity", "nhs",
    ]  # fmt: skip


# Against the lists of others ----------------------------------------------------------------------------------------


def test_media_types_are_registered_and_file_types_are_the_eus(shared: Path) -> None:
    registered = json.loads((shared / "shapes/dcat_us_1.1/reference_data/iana_media_types.json").read_bytes())["values"]
    file_types = set(re.findall(rf"{EU_FILE_TYPE}(\w+)", (shared / "vocab/swiss/formats.xml").read_text("utf-8")))
    addresses = {iri for c in scheme("media-types") for iri in {c.iri} | c.matches | c.covers | c.close}
    media_types = {iri.removeprefix(IANA).lower() for iri in addresses if iri.startswith(IANA)}
    assert media_types <= {media_type.lower() for media_type in registered}
    assert {iri.removeprefix(EU_FILE_TYPE) for iri in addresses if iri.startswith(EU_FILE_TYPE)} <= file_types


@pytest.mark.parametrize(
    ("name", "file", "left_out"),
    [
        ("frequencies", "vocab/swiss/frequency.ttl", {"OP_DATPRO"}),
        ("frequencies", "vocab/uk_data_marketplace/updateFrequency.ttl", set()),
        ("themes", "vocab/uk_data_marketplace/themes.ttl", set()),
        ("themes", "vocab/eu_authority/data-theme-skos-ap-act.rdf", {"OP_DATPRO"}),
        ("languages", "vocab/swiss/language.xml", set()),
        ("licences", "vocab/swiss/license.ttl", set()),
    ],
)
def test_every_value_of_an_official_list_resolves(shared: Path, name: str, file: str, left_out: set[str]) -> None:
    syntax = "turtle" if file.endswith(".ttl") else "xml"
    graph = Graph().parse(shared / file, format=syntax)
    lists = set(graph.subjects(RDF.type, SKOS.ConceptScheme))
    values = {str(iri) for iri in graph.subjects(SKOS.prefLabel) if iri not in lists}
    assert values
    assert {iri.rsplit("/", 1)[-1] for iri in values if not scheme(name).find(iri)} == left_out


def test_licences_of_the_eu_list_resolve_but_for_the_first_creative_commons_and_software(shared: Path) -> None:
    graph = Graph().parse(shared / "vocab/eu_authority/licences-skos.rdf", format="xml")
    codes = {str(iri).rsplit("/", 1)[-1] for iri in graph.subjects(RDF.type, SKOS.Concept)}
    missing = {code for code in codes if not scheme("licences").find(code)}
    others = {code for code in missing if not re.fullmatch(r"CC_\w+_1_0|EUPL_\w+", code)}
    assert others == {"ISA_OML", "OP_DATPRO"}


def test_slugs_and_names_are_those_of_the_exchange_model(shared: Path) -> None:
    with (shared / "vocab/mem_organisation_values.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["slug"]: row for row in csv.DictReader(file)}
    register = scheme("organisations")
    held = [concept for concept in register if concept.notation in rows]
    assert len(held) >= 150
    assert [c.notation for c in held if register.find(rows[c.notation]["title"]) is not c] == []
    assert [c.notation for c in held if register.find(rows[c.notation]["meaning"]) is not c] == []
