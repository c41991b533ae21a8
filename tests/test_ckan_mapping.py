"""What the CKAN harvester makes of a package: what was said, under the property it was said of, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalogue.dcat import IRI, Dataset, DatasetSeries, Distribution, Resource, Slug, Statement, Text, When
from catalogue.errors import RecordRejected
from catalogue.source import HarvestSource, SourceRecord
from harvesters.ckan import Ckan
from vocab.namespaces import DCAT, FEDCAT, XSD

HARVESTER = Ckan()
SOURCE = HarvestSource(name=Slug("portal"), type="ckan", url="https://ckan.example.gov.uk")


def described(package: dict[str, Any]) -> Resource:
    content = json.dumps({"id": "p-1", "name": "p-1", "title": "P"} | package).encode()
    record = SourceRecord(
        package.get("id", "p-1"), content, "application/json", "https://ckan.example.gov.uk/dataset/p-1"
    )
    [resource] = HARVESTER.map(record, SOURCE)
    return resource


def distribution(**fields: Any) -> Distribution:
    resource = described({"resources": [{"id": "r-1", **fields}]})
    assert isinstance(resource, Dataset)
    [found] = resource.distributions
    return found


def test_what_is_said_is_what_is_described():
    assert described(
        {"title": "Traffic", "notes": "<b>Counts</b> ", "url": "https://x.gov.uk/t", "version": "2"}
    ) == Dataset(
        titles=frozenset({Text("Traffic")}),
        descriptions=frozenset({Text("<b>Counts</b> ")}),
        identifiers=frozenset({Text("p-1")}),
        landing_pages=frozenset({IRI("https://x.gov.uk/t")}),
        version=Text("2"),
    )


def test_dates_are_dates_where_they_are_well_written_and_words_elsewhere():
    said = {
        "2024": XSD.gYear,
        "2024-02": XSD.gYearMonth,
        "2024-02-29": XSD.date,
        "2024-02-03T04:05:06.789": XSD.dateTime,
    }
    for value, kind in said.items():
        assert described({"issued": value}).issued == When(value, IRI(kind))
    for value in ("2023-02-29", "TBC", "3/2/2024", "2024-02-03 04:05", "2024-13", "20240203", "２０２４"):
        assert described({"issued": value}).issued == Text(value)


def test_the_dates_of_the_record_serve_where_the_data_have_none():
    both = {"metadata_created": "2020-01-01", "metadata_modified": "2021-01-01"}
    assert described(both).issued == When("2020-01-01", IRI(XSD.date))
    assert described(both | {"extras": [{"key": "issued", "value": "1999"}]}).issued == When("1999", IRI(XSD.gYear))
    assert described(both | {"modified": "2024"}).rest == frozenset()


def test_addresses_that_could_not_stand_in_a_graph_stay_words():
    odd = (
        "https://x.gov.uk/a b",
        "https://x.gov.uk/100%",
        "http://x.gov.uk/?a[]=1",
        "http://u:p@x.gov.uk/",
        "x.gov.uk",
        "http://",
    )
    for address in odd:
        assert described({"url": address}).landing_pages == {Text(address)}
    for address in ("https://x.gov.uk/Ŵy?a=1#b", "http://[::1]:8000/", " https://x.gov.uk/%20 "):
        assert described({"url": address}).landing_pages == {IRI(address.strip())}


def test_the_source_names_the_dataset_by_uri_or_guid():
    extras = lambda **said: {"extras": [{"key": key, "value": value} for key, value in said.items()]}  # noqa: E731
    assert described(extras(uri="https://x.gov.uk/id/1", guid="https://x.gov.uk/g")).iri == "https://x.gov.uk/id/1"
    assert described(extras(guid="https://x.gov.uk/g")).iri == "https://x.gov.uk/g"
    unnamed = described(extras(uri="urn:x:1", guid="9df8"))
    assert unnamed.iri is None
    assert unnamed.identifiers == {Text("9df8")}
    assert Statement(IRI(FEDCAT["extra-uri"]), Text("urn:x:1")) in unnamed.rest


def test_lists_are_read_from_json_text_from_lists_and_from_commas():
    for value in (["en", "cy"], '["en", "cy"]', "en,cy", "en, cy"):
        assert described({"extras": [{"key": "language", "value": value}]}).languages == {Text("en"), Text("cy")}
    theme = "https://x.gov.uk/a,https://x.gov.uk/b"
    assert described({"theme": theme}).themes == {IRI("https://x.gov.uk/a"), IRI("https://x.gov.uk/b")}
    assert described({"theme": "Towns, cities and roads"}).themes == {Text("Towns, cities and roads")}
    assert described({"conforms_to": "[not JSON"}).conforms_to == {Text("[not JSON")}


def test_words_know_their_language_and_are_said_once():
    title = {"title": "Budget", "title_translated": {"en": "Budget", "cy": "Cyllideb", "fr": ""}}
    assert described(title).titles == {Text("Budget", "en"), Text("Cyllideb", "cy")}
    assert described({"title": {"de": "Haushalt", "fr": "Budget"}}).titles == {
        Text("Haushalt", "de"),
        Text("Budget", "fr"),
    }
    tags = {"tags": [{"name": "bus"}], "tags_translated": {"en": ["bus"], "cy": ["bws"]}}
    assert described(tags).keywords == {Text("bus", "en"), Text("bws", "cy")}


def test_the_licence_is_its_address_else_its_title_and_an_unspecified_one_is_none():
    licence = {"license_id": "uk-ogl", "license_title": "OGL"}
    assert described(licence | {"license_url": "https://x.gov.uk/ogl"}).licences == {IRI("https://x.gov.uk/ogl")}
    found = described(licence)
    assert found.licences == {Text("OGL")}
    assert found.rest == {Statement(IRI(FEDCAT["extra-license-id"]), Text("uk-ogl"))}
    nothing = described({"license_id": "notspecified", "license_title": "License not specified"})
    assert (nothing.licences, nothing.rest) == (frozenset(), frozenset())


def test_the_organisation_publishes_unless_a_publisher_is_named():
    body = {"id": "o", "name": "tow", "title": "Transport Office", "description": "…", "image_url": "https://x/y.png"}
    only = described({"organization": body}).publisher
    assert (only.names, only.identifiers, only.rest) == ({Text("Transport Office")}, {Text("tow")}, frozenset())
    named = described({"organization": body, "publisher_name": "Regulator", "publisher_email": "r@x.gov.uk"})
    assert (named.publisher.names, named.publisher.mailboxes) == ({Text("Regulator")}, {Text("r@x.gov.uk")})
    [part] = named.qualified_attributions
    assert [agent.names for agent in part.agents] == [{Text("Transport Office")}]
    same = described({"organization": body, "publisher": [{"name": "Transport Office"}]})
    assert same.qualified_attributions == frozenset()


def test_contacts_are_found_wherever_they_are_said():
    uk = described(
        {
            "contact-name": "Desk",
            "contact-email": "d@x.gov.uk",
            "foi-name": "FOI team",
            "foi-web": "https://x.gov.uk/foi",
        }
    )
    [contact] = uk.contact_points
    assert (contact.names, contact.emails) == ({Text("Desk")}, {Text("d@x.gov.uk")})
    [part] = uk.qualified_attributions
    assert part.roles == {Text("FOI")}
    extras = {"contact_email": "mailto:a@x.gov.uk", "contact_uri": "https://x.gov.uk/c"}
    dcat = described({"extras": [{"key": key, "value": value} for key, value in extras.items()]})
    [contact] = dcat.contact_points
    assert (contact.iri, contact.emails) == ("https://x.gov.uk/c", {IRI("mailto:a@x.gov.uk")})
    people = described({"maintainer": "Ann", "maintainer_email": "ann@x.gov.uk", "author": "Bob", "author_email": ""})
    assert [point.names for point in people.contact_points] == [{Text("Ann")}]
    assert [agent.names for agent in people.creators] == [{Text("Bob")}]
    for one in (uk, dcat, people):
        assert one.rest == frozenset()


def test_time_and_place_are_found_wherever_they_are_said():
    ends = [
        {"temporal_start": "2020", "temporal_end": "2021"},
        {"temporal_coverage": '[{"start": "2020", "end": "2021"}]'},
    ]
    ends += [{"temporal_coverage-from": ["2020"], "temporal_coverage-to": "2021"}]
    for said in ends:
        [period] = described(said).temporal
        assert (period.start, period.end) == (When("2020", IRI(XSD.gYear)), When("2021", IRI(XSD.gYear)))
    shape = '{"type":"Point", "coordinates":[ 1,2]}'
    [place] = described({"extras": [{"key": "spatial", "value": shape}]}).spatial
    assert [geometry.value for geometry in place.geometries] == [shape]  # to the letter
    [place] = described({"spatial": shape, "spatial_text": "Arfon", "spatial_uri": "https://x.gov.uk/arfon"}).spatial
    assert (place.iri, place.labels, len(place.geometries)) == ("https://x.gov.uk/arfon", {Text("Arfon")}, 1)
    assert described({"spatial": "England"}).spatial == {Text("England")}


def test_a_resource_is_a_distribution():
    found = distribution(
        name="Counts", format="CSV ", mimetype="text/csv", size="1024", hash="00ff", url="https://x.gov.uk/c.csv",
        created="2024-01-01", last_modified="2024-02-01", metadata_modified="2024-03-01", rights="Ask", schema_url="https://x.gov.uk/s",
        date="2023", cache_url="https://x.gov.uk/cache", position=3,
    )  # fmt: skip
    assert (found.titles, found.formats, found.media_types) == ({Text("Counts")}, {Text("CSV ")}, {Text("text/csv")})
    assert (found.byte_size.value, found.byte_size.datatype) == ("1024", XSD.nonNegativeInteger)
    assert (found.checksum.value.value, found.checksum.value.datatype) == ("00ff", XSD.hexBinary)
    assert (found.access_urls, found.download_urls) == ({IRI("https://x.gov.uk/c.csv")}, frozenset())
    assert (found.issued.value, found.modified.value) == ("2024-01-01", "2024-02-01")
    assert found.rest == {Statement(IRI(FEDCAT["extra-date"]), Text("2023"))}
    assert distribution(size="42 octets").byte_size == Text("42 octets")


def test_only_what_is_called_a_file_can_be_downloaded():
    url = "https://x.gov.uk/c.csv"
    assert distribution(url=url, url_type="upload").download_urls == {IRI(url)}
    assert distribution(url=url, resource_type="file").download_urls == {IRI(url)}
    both = distribution(url=url, download_url=url, access_url="https://x.gov.uk/about")
    assert (both.access_urls, both.download_urls) == ({IRI("https://x.gov.uk/about")}, {IRI(url)})


def test_services_behind_a_resource_are_described_or_named():
    service = {"title": "API", "endpoint_url": ["https://x.gov.uk/v1"], "uri": ""}
    empty = {"title": "", "endpoint_url": [], "uri": ""}
    [found] = distribution(access_services=json.dumps([service, empty])).access_services
    assert (found.titles, found.endpoint_urls) == ({Text("API")}, {IRI("https://x.gov.uk/v1")})
    [named] = distribution(access_services=["https://x.gov.uk/v1"]).access_services
    assert named.iri == "https://x.gov.uk/v1"


def test_a_series_is_a_series_and_its_members_say_so():
    assert isinstance(described({"type": "dataset_series"}), DatasetSeries)
    assert described({"in_series": ["https://x.gov.uk/s"]}).in_series == {IRI("https://x.gov.uk/s")}
    assert described({"in_series": ["a-name"]}).rest == {Statement(IRI(DCAT.inSeries), Text("a-name"))}


def test_what_nobody_has_a_property_for_is_kept():
    extras = [{"key": "Côd mewnol", "value": "J/1"}]
    found = described({"extras": extras, "odi": {"level": "gold"}, "flags": [True, 3], "none": "[]"})
    kept = {(statement.predicate.removeprefix(FEDCAT["extra-"]), statement.object.value) for statement in found.rest}
    assert kept == {("cod-mewnol", "J/1"), ("odi", '{"level": "gold"}'), ("flags", "true"), ("flags", "3")}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 5000, b"\xff\xfe"])
def test_a_damaged_record_is_rejected(content):
    record = SourceRecord("p-1", content, "application/json", "https://ckan.example.gov.uk/dataset/p-1")
    with pytest.raises(RecordRejected, match="not a package"):
        list(HARVESTER.map(record, SOURCE))
