"""Lists of datasets kept as a spreadsheet or a CSV file: a row for each dataset, or for each of its files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import ClassVar

from catalogue.dcat import Resource
from catalogue.errors import Problem, RecordRejected
from catalogue.http import Client
from catalogue.source import FIRST, Fetched, HarvestSource, Option, PageEnd, SourceRecord, Visit, page_end
from harvesters.sheets.cells import (
    codes,
    columns,
    concept,
    day,
    lines,
    mailboxes,
    name,
    place,
    prose,
    service,
    several,
    tags,
)
from harvesters.sheets.files import sheets
from harvesters.sheets.headings import Column, Headings, Person
from harvesters.sheets.inventory import Wanted, find
from harvesters.sheets.nouns import describe
from harvesters.sheets.rows import records


class Table:
    """Looks for the row of headings, takes each column for what its heading says, and keeps the rows of each dataset."""

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "Spreadsheet or CSV file (XLSX, CSV)"
    sample: ClassVar[str] = "https://data.example.gov.uk/inventory.csv"
    options: ClassVar[tuple[Option, ...]] = (
        Option("mapping", "What columns mean that are not understood: 'Dataset name=title; Data holder=publisher'."),
        Option(
            "identifier", "The columns that make the identifier: 'Department; Reference'. Otherwise found by looking."
        ),
        Option("language", "The language of the words: en, cy. A heading may say another: 'Title (Welsh)'."),
        Option("sheet", "The sheet to read, by name or number. Otherwise every visible one that lists datasets."),
        Option("header_row", "The number of the row that holds the headings. Otherwise found by looking."),
        Option("encoding", "The encoding of a CSV file: utf-8, cp1252. Otherwise found by looking."),
        Option("separator", "What sets the cells of a CSV file apart: comma, semicolon, tab, pipe, or the character."),
    )

    def fetch(self, source: HarvestSource, client: Client, visit: Visit = FIRST) -> Iterator[Fetched]:
        """The rows of each dataset as CSV under their headings, and a problem for each row that cannot be one."""
        wanted = Wanted.of(source)
        headings = understood(wanted.mapping)
        answer = visit.get(client, source.url)
        if isinstance(answer, PageEnd):
            yield answer
            return
        found = sheets(answer, encoding=wanted.encoding, separator=wanted.separator, only=wanted.sheet)
        inventories, problems = find(found, headings, wanted)
        yield from problems
        yield from records(inventories, headings, wanted)
        yield page_end(answer)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterable[Resource]:
        """One dataset, series or service, with all its files."""
        headings = understood(source.options.get("mapping", ""))
        try:
            header, *rows = csv.reader(io.StringIO(record.content.decode(), newline=""))
        except (ValueError, csv.Error) as error:
            raise RecordRejected(_unreadable(record)) from error
        meanings = columns(header, headings)
        resource = describe(
            [line for row in rows for line in lines(meanings, row, headings)],
            source.options.get("language", "").lower(),
        )
        if not resource.titles:
            raise RecordRejected(_untitled(record))
        return [resource]


@lru_cache(64)
def understood(mapping: str) -> Headings:
    """The headings of the tables below, and those of the mapping."""
    return HEADINGS.explaining(mapping)


def _unreadable(record: SourceRecord) -> Problem:
    return Problem(
        rule="table-record-unreadable",
        message="The record is not a header and rows in CSV.",
        fix="Harvest the source again.",
        where=record.where,
        record=record.identifier,
    )


def _untitled(record: SourceRecord) -> Problem:
    return Problem(
        rule="table-title-missing",
        message="No column of the record gives it a title.",
        fix="Give the dataset a title, or say in the option 'mapping' which column holds it: 'Dataset name=title'.",
        where=record.where,
        record=record.identifier,
    )


# Headings are compared without case, punctuation, plurals and "dataset" before them; 'PageURL' is "page url". To teach
# another one, add it to its line: of two columns that say the same, the one whose words stand earlier is taken.

COLUMNS = (
    Column("dataset", "titles", prose, ("title", "dataset title", "dataset name", "name of dataset", "dataset", "asset title",
        "asset name", "data asset name", "data asset", "information asset name", "information asset", "name")),
    Column("dataset", "alternative_titles", prose, ("alternative title", "alternate title", "other title", "short title",
        "also known as", "acronym")),
    Column("dataset", "summaries", prose, ("summary", "short description")),
    Column("dataset", "descriptions", prose, ("description", "abstract", "long description", "detail", "about", "what is in it",
        "what's in it", "notes")),
    Column("dataset", "identifiers", name, ("identifier", "unique identifier", "uri", "iri", "guid", "uuid", "unique id", "uid",
        "reference number", "reference", "ref", "id")),
    Column("dataset", "other_identifiers", name, ("other identifier", "supplier identifier", "local identifier",
        "alternative identifier", "doi")),
    Column("dataset", "keywords", tags, ("keyword", "tag", "search term", "original tag", "manual tag")),
    Column("dataset", "themes", several, ("theme", "category", "categories", "topic", "super theme")),
    Column("dataset", "subjects", several, ("subject", "subject area", "domain", "data domain")),
    Column("dataset", "kinds", several, ("type", "resource type", "data type", "kind")),
    Column("dataset", "landing_pages", several, ("landing page", "page", "page url", "web page", "webpage", "website",
        "home page", "url", "link", "web address", "web link")),
    Column("dataset", "pages", several, ("documentation", "documentation url", "guidance", "user guide", "further information",
        "more information", "metadata url")),
    Column("dataset", "created", day, ("created", "date created", "creation date", "created on", "created date", "created at")),
    Column("dataset", "issued", day, ("issued", "date issued", "issue date", "published", "date published", "publication date",
        "published on", "release date", "date released", "date first available", "first published")),
    Column("dataset", "modified", day, ("modified", "date modified", "modification date", "last modified", "updated",
        "date updated", "last updated", "date last updated", "last update", "update date", "updated at", "last revised")),
    Column("dataset", "frequency", concept, ("frequency", "update frequency", "frequency of update", "accrual periodicity",
        "periodicity", "how often updated", "how often is it updated", "refresh frequency", "update cycle")),
    Column("dataset", "spatial", place, ("spatial", "spatial coverage", "geographic coverage", "geographical coverage",
        "geographic area", "geographic extent", "geography", "coverage", "area covered")),
    Column("dataset", "temporal", concept, ("temporal", "temporal coverage", "time period", "time coverage", "period covered",
        "period", "date range", "years covered")),
    Column("period", "start", day, ("temporal coverage from", "temporal from", "temporal start", "time period from",
        "period from", "period start", "coverage from", "coverage start", "date from", "start date")),
    Column("period", "end", day, ("temporal coverage to", "temporal to", "temporal end", "time period to",
        "period to", "period end", "coverage to", "coverage end", "date to", "end date")),
    Column("dataset", "languages", codes, ("language", "iaith")),
    Column("dataset", "licences", several, ("licence", "licence url", "licence title", "licence name", "terms of use")),
    Column("dataset", "access_rights", concept, ("access rights", "access level", "access", "access type", "access category",
        "access restriction", "openness")),
    Column("dataset", "security_classification", concept, ("security classification", "government security classification",
        "classification", "protective marking", "security marking", "sensitivity")),
    Column("dataset", "rights", prose, ("rights", "rights statement", "use constraints", "usage constraints", "restrictions",
        "conditions", "conditions of use", "conditions of access", "access conditions", "access requirements",
        "requirements for access", "how to request", "how to request access", "how to get access", "what you need to ask",
        "what you will need", "what we need from you", "what to include in a request")),
    Column("dataset", "legal_bases", several, ("legal basis", "lawful basis", "legal gateway", "legal power", "statutory basis",
        "statutory gateway", "legal basis for sharing", "legal basis for processing")),
    Column("dataset", "applicable_legislation", several, ("applicable legislation", "legislation", "mandate")),
    Column("dataset", "purposes", concept, ("purpose", "purpose of collection", "purpose of processing", "intended use",
        "why collected", "why it is collected")),
    Column("dataset", "personal_data", several, ("personal data", "contains personal data", "includes personal data",
        "personal data held", "personal information")),
    Column("dataset", "version", name, ("version", "version number", "edition")),
    Column("dataset", "version_notes", prose, ("version notes", "change notes", "release notes")),
    Column("dataset", "status", concept, ("status", "lifecycle status", "publication status")),
    Column("dataset", "conforms_to", several, ("conforms to", "standard", "data standard", "schema", "schema url")),
    Column("dataset", "relations", several, ("related resource", "related dataset", "related data", "relation", "see also")),
    Column("dataset", "sources", concept, ("source", "data source", "source of data", "source system", "derived from")),
    Column("dataset", "provenance", prose, ("provenance", "lineage", "collection method", "methodology", "how collected")),
    Column("dataset", "in_series", concept, ("in series", "series", "dataset series", "part of series")),
    Column("dataset", "samples", several, ("sample", "sample data", "sample url")),
    Column("service", "endpoint_urls", several, ("endpoint url", "endpoint", "api endpoint", "service url", "service endpoint")),
    Column("service", "endpoint_descriptions", several, ("endpoint description", "api documentation", "service description")),
    Column("service", "serves_datasets", several, ("serves data", "serves dataset", "datasets served")),
    Column("service", "kinds", several, ("service type", "api type")),
    Column("service", "status", concept, ("service status",)),
    Column("distribution", "titles", prose, ("distribution name", "resource name", "file name", "filename")),
    Column("distribution", "access_urls", several, ("access url", "asset url", "data url", "data link", "link to data",
        "distribution url", "resource url", "file url", "file link", "api url")),
    Column("distribution", "download_urls", several, ("download url", "download link", "direct download link")),
    Column("distribution", "access_services", service, ("access service",)),
    Column("distribution", "formats", codes, ("format", "file format", "file type", "data format", "available format")),
    Column("distribution", "media_types", codes, ("media type", "mime type", "mimetype")),
    Column("distribution", "octets", None, ("byte size", "size in bytes", "file size in bytes")),
    Column("distribution", "size", None, ("file size", "size")),
    Column("distribution", "unit", None, ("file size unit", "size unit")),
    Column("contact", "mailboxes", mailboxes, ("email", "email address")),
    Column("contact", "phones", several, ("phone", "phone number", "telephone", "telephone number")),
)  # fmt: skip

PEOPLE = (
    Person("publisher", ("publisher", "published by", "publishing organisation", "publishing body", "organisation",
        "responsible organisation", "department", "agency", "public body", "data holder", "holder", "data provider")),
    Person("creator", ("creator", "author", "created by", "data creator", "producer", "produced by")),
    Person("contact", ("contact point", "contact", "point of contact", "data contact", "contact person", "contact details",
        "enquiries", "contact for access", "contact for data access", "maintainer")),
    Person("owner", ("owner", "data owner", "information asset owner", "iao", "business owner", "owned by",
        "owning organisation", "owning department", "owning team")),
    Person("steward", ("steward", "data steward", "information steward")),
    Person("custodian", ("custodian", "data custodian", "information custodian", "held by")),
    Person("approver", ("approver", "approved by", "data approver", "access approver", "request approver")),
)  # fmt: skip
"""Who has a part in a dataset; 'owner' alone is a name, 'owner email' what follows says."""

DETAILS = (
    Column("", "names", prose, ("", "name", "full name", "fn", "contact name")),
    Column("", "mailboxes", mailboxes, ("email", "email address", "mailbox", "mbox", "mail", "has email", "contact email")),
    Column("", "phones", several, ("phone", "phone number", "telephone", "telephone number", "tel", "has telephone")),
    Column("", "homepages", several, ("url", "website", "web page", "webpage", "page", "home page", "has url")),
    Column("", "units", prose, ("team", "unit", "business unit")),
    Column("", "organisation_names", prose, ("organisation", "organisation name")),
    Column("", "addresses", prose, ("address", "postal address")),
)  # fmt: skip

HEADINGS = Headings.of(COLUMNS, PEOPLE, DETAILS)
