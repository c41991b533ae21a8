"""Made-up datasets as a catalogue in Turtle and as a CKAN portal would tell of them, the same for the same seed.

Words, publishers and formats are those of `catalogue.testing.documents`; on average a dataset has 3 files and 68 statements,
8 of them in blank nodes and 5 that no property of ours takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from catalogue.search import Document
from catalogue.testing.documents import documents
from vocab import scheme
from vocab.namespaces import PREFIXES

PAGE = 100
FILES = (22, 26, 20, 14, 8, 5, 3, 2)
"""Of 100 datasets, how many have one file, how many have two …"""
PREFIX_LINES = "".join(f"@prefix {prefix}: <{address}> .\n" for prefix, address in sorted(PREFIXES.items()))
LANGUAGE = "http://publications.europa.eu/resource/authority/language/ENG"
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a made-up dataset."""

    id: str
    title: str
    format: str
    url: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up dataset: its words, and what a description says besides."""

    id: str
    about: Document
    files: tuple[File, ...]
    office: str
    retention: int
    issued: str


def made(count: int, seed: int = 1) -> Iterator[Made]:
    """`count` datasets; each depends on its number and the seed only."""
    for number, about in enumerate(documents(count, seed)):
        random = Random(f"bench:{seed}:{number}")
        id_ = f"{number:08x}-{random.getrandbits(16):04x}-4{random.getrandbits(12):03x}-8000-{random.getrandbits(48):012x}"
        files = tuple(_file(random, about, id_, n) for n in range(random.choices(range(1, 9), FILES)[0]))
        issued = f"{random.randint(2005, 2025)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        yield Made(id_, about, files, about.organisation.replace("-", " ").title(), random.randint(1, 30), issued)


def _file(random: Random, about: Document, id_: str, number: int) -> File:
    kind = random.choice(about.formats)
    return File(
        id=f"{id_[:-4]}{number:04x}",
        title=f"{about.title.split(' ', 1)[0]} {random.randint(2004, 2026)} {kind}",
        format=kind,
        url=f"https://files.example.gov.uk/{about.organisation}/{id_}/{number}.{kind}",
        size=random.randint(1_000, 90_000_000),
        hash=f"{random.getrandbits(256):064x}",
    )


# -- Turtle, in pages that lead to each other -----------------------------------------------------------------------------


def turtle_page(datasets: list[Made], number: int, pages: int) -> bytes:
    """One page of a catalogue as another portal would write it."""
    links = f"    hydra:first <?page=1> ;\n    hydra:last <?page={pages}> ;\n"
    links += f"    hydra:next <?page={number + 1}> ;\n" if number < pages else ""
    head = f"<?page={number}> a hydra:PagedCollection ;\n{links}    hydra:itemsPerPage {PAGE} .\n\n"
    members = ", ".join(f"<{iri(one)}>" for one in datasets)
    catalog = f'<#catalog> a dcat:Catalog ;\n    dct:title "Made up"@en ;\n    dcat:dataset {members} .\n\n'
    offices = "".join(sorted({_office(one) for one in datasets}))
    return (PREFIX_LINES + head + catalog + offices + "".join(map(_dataset, datasets))).encode()


def iri(one: Made) -> str:
    return f"https://data.example.gov.uk/dataset/{one.id}"


def _office_iri(one: Made) -> str:
    return f"https://data.example.gov.uk/organisation/{one.about.organisation}"


def _office(one: Made) -> str:
    home = f"https://www.example.gov.uk/{one.about.organisation}"
    return f'<{_office_iri(one)}> a foaf:Organization ;\n    foaf:name "{one.office}"@en ;\n    foaf:homepage <{home}> .\n\n'


def _dataset(one: Made) -> str:
    about = one.about
    mail = f"data@{about.organisation}.example.gov.uk"
    said = [
        "a dcat:Dataset",
        f'dct:title "{about.title}"@en' + "".join(f', "{title}"@cy' for title in about.titles),
        f'dct:description "{about.description}"@en',
        f'dct:identifier "{one.id}"',
        f'dct:issued "{one.issued}"^^xsd:date',
        f"dct:publisher <{_office_iri(one)}>",
        "dcat:contactPoint [\n        a vcard:Organization ;\n"
        f'        vcard:fn "{one.office} data team"@en ;\n        vcard:hasEmail <mailto:{mail}> ;\n    ]',
        "dcat:keyword " + ", ".join(f'"{word}"@en' for word in about.keywords),
        "dcat:theme " + ", ".join(f"<{_concept('themes', word)}>" for word in about.themes),
        f"dcat:landingPage <https://www.example.gov.uk/{about.organisation}/{one.id}>",
        f"dct:language <{LANGUAGE}>",
        f"dct:accessRights <{_concept('access-rights', about.access)}>",
        f'<https://data.example.gov.uk/def/retention> "P{one.retention}Y"^^xsd:duration',
        f'<https://data.example.gov.uk/def/system> "{about.organisation[:3].upper()}-{one.retention}"',
        f"<https://data.example.gov.uk/def/reviewedBy> <{_office_iri(one)}-review>",
        f"<https://data.example.gov.uk/def/statistic> {'true' if one.retention % 2 else 'false'}",
        "dcat:distribution " + ", ".join(f"<{file.url}#file>" for file in one.files),
    ]
    if about.modified:
        said.append(f'dct:modified "{about.modified}T09:30:00Z"^^xsd:dateTime')
    if about.licence:
        said.append(f"dct:license <{_concept('licences', about.licence)}>")
    if about.frequency:
        said.append(f"dct:accrualPeriodicity <{_concept('frequencies', about.frequency)}>")
    if about.covers_from:
        period = f'dcat:startDate "{about.covers_from}"^^xsd:date ; dcat:endDate "{about.covers_to}"^^xsd:date'
        said.append(f"dct:temporal [\n        a dct:PeriodOfTime ; {period} ;\n    ]")
    if about.bbox:
        said.append(f'dct:spatial [\n        a dct:Location ; dcat:bbox "{_wkt(about)}"^^gsp:wktLiteral ;\n    ]')
    return f"<{iri(one)}> " + " ;\n    ".join(said) + " .\n\n" + "".join(_distribution(file, one) for file in one.files)


def _distribution(file: File, one: Made) -> str:
    said = [
        "a dcat:Distribution",
        f'dct:title "{file.title}"@en',
        f"dcat:accessURL <https://www.example.gov.uk/{one.about.organisation}/{one.id}>",
        f"dcat:downloadURL <{file.url}>",
        f"dcat:mediaType <{_concept('media-types', file.format)}>",
        f'dct:format "{file.format.upper()}"',
        f'dcat:byteSize "{file.size}"^^xsd:decimal',
        f'dct:issued "{one.issued}"^^xsd:date',
        f'<https://data.example.gov.uk/def/rows> "{file.size // 80}"^^xsd:integer',
    ]
    if one.about.licence:
        said.append(f"dct:license <{_concept('licences', one.about.licence)}>")
    if file.id.endswith("0"):
        value = f'spdx:checksumValue "{file.hash}"^^xsd:hexBinary'
        said.append(f"spdx:checksum [ a spdx:Checksum ; spdx:algorithm <{SHA256}> ; {value} ]")
    return f"<{file.url}#file> " + " ;\n    ".join(said) + " .\n\n"


def _concept(name: str, word: str) -> str:
    """The address that a careful source writes for one of our made-up words."""
    found = scheme(name).find(word)
    assert found is not None
    return found.iri


def _wkt(about: Document) -> str:
    assert about.bbox is not None
    west, south, east, north = (f"{number:.4f}" for number in about.bbox)
    return f"POLYGON(({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))"


# -- CKAN's packages ------------------------------------------------------------------------------------------------------


def package(one: Made) -> bytes:
    """What `package_search` says of a dataset, on one line: CKAN's own fields, and extras as ckanext-dcat writes them."""
    about = one.about
    extras = {"guid": iri(one), "issued": one.issued, "retention": f"{one.retention} years"}
    extras |= {"theme": json.dumps([word.title() for word in about.themes]), "language": '["en"]'}
    extras |= {"frequency": about.frequency.title(), "modified": about.modified, "access_rights": about.access}
    extras |= {"temporal_start": about.covers_from, "temporal_end": about.covers_to}
    extras |= {"spatial": json.dumps(_geojson(about))} if about.bbox else {}
    said = {
        "id": one.id,
        "name": f"{about.title.lower().replace(' ', '-')}-{one.id[:8]}",
        "title": about.title,
        "notes": about.description,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": about.licence.startswith(("ogl", "cc")),
        "author": None,
        "author_email": None,
        "maintainer": f"{one.office} data team",
        "maintainer_email": f"data@{about.organisation}.example.gov.uk",
        "url": f"https://www.example.gov.uk/{about.organisation}/{one.id}",
        "version": None,
        "license_id": about.licence or "notspecified",
        "license_title": about.licence.upper() or "License not specified",
        "metadata_created": f"{one.issued}T10:00:00.000000",
        "metadata_modified": f"{about.modified or one.issued}T09:30:00.123456",
        "creator_user_id": one.id[::-1],
        "owner_org": f"org-{about.organisation}",
        "organization": _organization(one),
        "num_tags": len(about.keywords),
        "num_resources": len(one.files),
        "tags": [_tag(word) for word in about.keywords],
        "groups": [],
        "extras": [{"key": key, "value": value} for key, value in extras.items() if value],
        "resources": [_resource(file, one, position) for position, file in enumerate(one.files)],
        "relationships_as_object": [],
        "relationships_as_subject": [],
    }
    return json.dumps(said).encode()


def _organization(one: Made) -> dict[str, Any]:
    return {
        "id": f"org-{one.about.organisation}",
        "name": one.about.organisation,
        "title": one.office,
        "type": "organization",
        "description": f"What {one.office} does, for whom, and by which law.",
        "image_url": "",
        "created": "2012-06-27T14:48:04.921021",
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def _tag(word: str) -> dict[str, Any]:
    return {"display_name": word, "id": f"tag-{word}", "name": word, "state": "active", "vocabulary_id": None}


def _resource(file: File, one: Made, position: int) -> dict[str, Any]:
    return {
        "id": file.id,
        "package_id": one.id,
        "name": file.title,
        "description": "",
        "format": file.format.upper(),
        "mimetype": None,
        "mimetype_inner": None,
        "url": file.url,
        "url_type": None,
        "size": file.size,
        "hash": "",
        "cache_url": None,
        "cache_last_updated": None,
        "created": f"{one.issued}T10:00:00.000000",
        "last_modified": None,
        "metadata_modified": f"{one.about.modified or one.issued}T09:30:00.123456",
        "position": position,
        "resource_type": "file" if position else None,
        "state": "active",
        "datastore_active": False,
    }


def _geojson(about: Document) -> dict[str, Any]:
    assert about.bbox is not None
    west, south, east, north = (round(number, 4) for number in about.bbox)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


# -- On disk --------------------------------------------------------------------------------------------------------------


def write(folder: Path, count: int, seed: int = 1) -> None:
    """`page-N.ttl` for every page, and `packages.jsonl` with a package on each line in order of their ids."""
    pages = -(-count // PAGE)
    datasets = made(count, seed)
    with (folder / "packages.jsonl").open("wb") as packages:
        for number in range(1, pages + 1):
            page = list(islice(datasets, PAGE))
            packages.writelines(package(one) + b"\n" for one in page)
            (folder / f"page-{number}.ttl").write_bytes(turtle_page(page, number, pages))
