"""The small worlds that the peer tests put into a real CKAN and a Turtle file: varied, invented, always the same."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .stack import Ckan

PACKAGES = 60
ORGANISATIONS = {
    "ministry-of-lighthouses": "Ministry of Lighthouses",
    "adran-yr-afonydd": "Adran yr Afonydd / Department of Rivers",
    "office-for-hedges": "Office for Hedges, Walls & Ditches",
}
GROUPS = {"coast": "Coast", "trafnidiaeth": "Trafnidiaeth"}
HIDDEN = {"name": "lights-hidden", "title": "Not for everyone", "owner_org": "office-for-hedges", "private": True}
LICENCES = ("uk-ogl", "cc-by", "odc-pddl", "other-closed", "notspecified", "")
NOTES = (
    "Counts by month.",
    "<p>Counts by <b>month</b> &amp; place.</p><script>alert('no')</script><ul><li>One</li><li>Two</li></ul>",
    "Mae'r set ddata hon yn rhoi nifer y goleudai ŵyr-gam ym mhob sir, gyda'u dyddiadau cynnau.",
    "",
    "# Heading\n\nA *marked-down* paragraph with a [link](https://example.org/a?b=c&d=e).\n\n" + "Long. " * 400,
    "Naïve “quotes”, a dash – an emoji 🌊 and a tab\there.",
)
RESOURCES = (
    {
        "name": "Table",
        "url": "https://data.example.org/table.csv",
        "format": "CSV",
        "mimetype": "text/csv",
        "size": 1024,
    },
    {
        "name": "Workbook",
        "url": "https://data.example.org/a book.xlsx",
        "format": ".xlsx",
        "description": "Every <i>year</i>",
    },
    {"url": "https://api.example.org/v1/things", "format": "API"},
    {
        "name": "Tir a môr",
        "url": "https://data.example.org/tir.geojson",
        "format": "GeoJSON",
        "language": "cy",
        "created": "2024-02-29T10:00:00",
        "last_modified": "2026-03-01T09:30:00",
        "hash": "d41d8cd98f00b204e9800998ecf8427e",
    },
)
CARDIFF_BAY = {"type": "Polygon", "coordinates": [[[-3.2, 51.4], [-3.1, 51.4], [-3.1, 51.5], [-3.2, 51.4]]]}
EXTRAS: tuple[dict[str, str], ...] = (
    {},
    {"issued": "2021-04-01", "modified": "2026-01-31T08:00:00Z", "frequency": "quarterly", "language": '["en", "cy"]'},
    {
        "publisher_name": "Trinity Example House",
        "publisher_uri": "https://example.org/id/trinity",
        "publisher_email": "lights@example.org",
        "contact_name": "Light desk",
        "contact_email": "mailto:desk@example.org",
    },
    {
        "theme": '["http://publications.europa.eu/resource/authority/data-theme/ENVI"]',
        "access_rights": "restricted",
        "conforms_to": '["https://example.org/standard/1"]',
        "documentation": '["https://example.org/guide"]',
    },
    {
        "temporal_start": "2019-01-01",
        "temporal_end": "2019-12-31",
        "spatial": json.dumps(CARDIFF_BAY),
        "spatial_uri": "http://statistics.data.gov.uk/id/statistical-geography/W06000015",
    },
    {"Unheard-of field": "kept: yes", "empty": " ", "version_notes": "Ailgyhoeddwyd", "provenance": "Counted by hand"},
)


def packages() -> Iterator[dict[str, Any]]:
    """What `package_create` is asked for, in many mixtures of notes, licence, resources, tags, groups and extras."""
    owners, groups = list(ORGANISATIONS), list(GROUPS)
    for number in range(PACKAGES):
        extras = EXTRAS[number % len(EXTRAS)] | {"identifier": f"lights-{number}"}
        yield {
            "name": f"lights-{number:03}",
            "title": f"Goleudai ac ŵyn {number}" if number % 7 == 2 else f"Lights and buoys, part {number}",
            "notes": NOTES[number // 2 % len(NOTES)],
            "owner_org": owners[number % len(owners)],
            "license_id": LICENCES[number // 3 % len(LICENCES)],
            "author": "Ann Example" if number % 2 else "",
            "maintainer_email": "team@example.org" if number % 5 == 0 else "",
            "version": f"1.{number}" if number % 4 == 0 else "",
            "tags": [{"name": tag} for tag in ("lights", "môr", "open-data", "two words")[: number % 5]],
            "groups": [{"name": name} for name in groups[: number % 3]],
            "resources": [{**each, "url": f"{each['url']}?{number}"} for each in islice(RESOURCES, number % 5)],
            "extras": [{"key": key, "value": value} for key, value in extras.items()],
        }


def fill(ckan: Ckan) -> list[dict[str, Any]]:
    """Make the organisations, groups and packages, and one private package; give the public ones as CKAN shows them."""
    for name, title in ORGANISATIONS.items():
        ckan.action("organization_create", name=name, title=title, description=f"{title} is invented.")
    for name, title in GROUPS.items():
        ckan.action("group_create", name=name, title=title)
    ckan.action("package_create", **HIDDEN)
    return [ckan.action("package_create", **package) for package in packages()]


def empty(ckan: Ckan) -> None:
    """Leave CKAN as it was before `fill`."""
    for package in (HIDDEN, *packages()):
        ckan.action("dataset_purge", id=package["name"])
    for name in ORGANISATIONS:
        ckan.action("organization_purge", id=name)
    for name in GROUPS:
        ckan.action("group_purge", id=name)


PREFIXES = """\
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


@dataclass(frozen=True)
class Described:
    """A dataset to be written as Turtle, and what any reader of it must find."""

    number: int
    edition: str = ""

    @property
    def iri(self) -> str:
        return f"https://data.example.org/id/dataset/{self.number}"

    @property
    def title(self) -> str:
        return f"River levels “{self.number}”{self.edition}"

    @property
    def resources(self) -> int:
        return self.number % 4

    @property
    def turtle(self) -> str:
        parts = [f"dct:title {json.dumps(self.title, ensure_ascii=False)}@en"]
        if self.number % 3 == 0:
            parts.append(f'dct:title "Lefelau afonydd {self.number}"@cy ; dcat:keyword "afon"@cy')
        if self.number % 4 == 1:
            parts.append('dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2020-01-01"^^xsd:date ]')
        parts += [
            f'dct:identifier "rivers-{self.number}" ; dcat:keyword "river"@en, "level"@en',
            f'dct:description "Levels at gauge {self.number}, every\\nfifteen minutes."@en',
            'dct:publisher <https://example.org/id/rivers> ; dct:issued "2024-05-06"^^xsd:date',
            'dcat:contactPoint [ a vcard:Kind ; vcard:fn "Gauge desk" ; vcard:hasEmail <mailto:gauge@example.org> ]',
            "dct:license <http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/>",
            *(f"dcat:distribution <{self.iri}/{part}>" for part in range(self.resources)),
        ]
        files = "".join(
            f'<{self.iri}/{part}> a dcat:Distribution ; dct:title "Part {part}"@en ;'
            f" dcat:downloadURL <https://data.example.org/files/{self.number}-{part}.csv> ;"
            " dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> .\n"
            for part in range(self.resources)
        )
        said = " ;\n    ".join(["a dcat:Dataset", *parts])
        return f"<{self.iri}> {said} .\n{files}"


def turtle(datasets: list[Described]) -> str:
    """A catalogue of them, in one file."""
    members = ", ".join(f"<{dataset.iri}>" for dataset in datasets)
    return (
        f'{PREFIXES}\n<https://data.example.org/id/catalogue> a dcat:Catalog ; dct:title "Rivers"@en ;\n'
        f"    dcat:dataset {members} .\n"
        '<https://example.org/id/rivers> a foaf:Organization ; foaf:name "Rivers Agency"@en .\n\n'
        + "\n".join(dataset.turtle for dataset in datasets)
    )
