"""A dataset in the words of schema.org, for search engines: what was said and has a place there."""

from __future__ import annotations

from typing import Any

from catalogue.search import Document
from catalogue.store import Entry
from catalogue.web import present
from catalogue.web.getting import File, Getting

TYPES = {"dataset": "Dataset", "series": "Dataset", "service": "WebAPI"}


def structured(
    entry: Entry, seen: Document, ways: Getting, page: str, catalogue: dict[str, str], publisher: str
) -> dict[str, Any]:
    """One JSON-LD object; what is not known is left out."""
    resource = entry.resource
    is_service = entry.row.kind == "service"
    said = {
        "@context": "https://schema.org",
        "@type": TYPES[entry.row.kind],
        "@id": entry.iri,
        "url": page,
        "name": _words(resource.titles),
        "alternateName": _all(resource.alternative_titles),
        "description": _words(resource.descriptions) or _words(resource.summaries),
        "identifier": _all(resource.identifiers),
        "keywords": list(seen.keywords),
        "license": ways.licence.href or ways.licence.text.value if ways.licence else "",
        "isAccessibleForFree": True if ways.is_open else None,
        "publisher": {"@type": "GovernmentOrganization", "name": publisher} if publisher else {},
        "dateModified": seen.modified,
        "datePublished": seen.issued,
        "inLanguage": sorted({text.lang for text in resource.titles if text.lang}),
        "temporalCoverage": f"{seen.covers_from or '..'}/{seen.covers_to or '..'}"
        if seen.covers_from or seen.covers_to
        else "",
        "spatialCoverage": _place(seen),
        "contactPoint": _contact(ways),
        "includedInDataCatalog": {} if is_service else {"@type": "DataCatalog", **catalogue},
        "distribution": [] if is_service else [_file(file) for file in ways.files if file.href],
    }
    return {name: value for name, value in said.items() if value not in ("", [], {}, None)}


def _words(texts: Any) -> str:
    found = present.best(texts)
    return found.value if found else ""


def _all(values: Any) -> list[str]:
    return sorted(present.called(value).text.value for value in values)


def _place(seen: Document) -> dict[str, Any]:
    if seen.bbox is None:
        return {}
    west, south, east, north = seen.bbox
    return {"@type": "Place", "geo": {"@type": "GeoShape", "box": f"{south:g} {west:g} {north:g} {east:g}"}}


def _contact(ways: Getting) -> dict[str, Any]:
    if ways.contact is None or ways.contact_by != "dataset":
        return {}
    whom = ways.contact
    known = {"name": whom.name.value if whom.name else "", "email": whom.email, "telephone": whom.phone}
    return {
        "@type": "ContactPoint",
        "contactType": "data enquiries",
        **{name: value for name, value in known.items() if value},
    }


def _file(file: File) -> dict[str, Any]:
    known = {
        "name": file.title.value if file.title else "",
        "contentUrl" if file.download else "url": file.href,
        "encodingFormat": ", ".join(form.text.value for form in file.formats),
        "contentSize": file.size,
    }
    return {"@type": "DataDownload", **{name: value for name, value in known.items() if value}}
