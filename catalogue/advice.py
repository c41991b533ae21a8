"""What would be right: for every rule, an example of a value that keeps it. Words only, so that anybody may show them."""

from __future__ import annotations

from collections.abc import Mapping


def example(rule: str) -> str:
    """An example of what the rule asks for, "" for a rule that is not ours."""
    return EXAMPLES.get(rule, "")


_DATE = "2026-03-31, or 2026-03-31T09:30:00Z"
_WEB = "https://www.example.gov.uk/data/bathing-water"
_FILE = "https://data.example.gov.uk/files/bathing-water-2026.csv"
_DESCRIPTION = (
    "Samples from 450 bathing waters, May to September: place, date, bacteria counted, and the grade that follows."
)
_ONE_RECORD = "one record for each dataset; its files listed by their addresses, each with a title and a format"

OF_DESCRIPTIONS: Mapping[str, str] = {
    "title-missing": "Bathing water quality in England, 2026",
    "title-not-words": "Bathing water quality in England, 2026",
    "title-too-long": "Bathing water quality in England, 2026",
    "title-placeholder": "Bathing water quality in England, 2026",
    "service-title-missing": "River levels API",
    "description-missing": _DESCRIPTION,
    "description-short": _DESCRIPTION,
    "keyword-long": "bathing water; water quality; beaches",
    "topic-missing": "theme: Environment; keywords: bathing water, water quality",
    "address-missing": "https://data.example.gov.uk/id/dataset/bathing-water",
    "publisher-missing": "Environment Agency, as https://www.gov.uk/government/organisations/environment-agency",
    "publisher-repeated": "one publisher: Environment Agency; others named as creator or contributor",
    "contact-missing": "Bathing water team, bathing.water@example.gov.uk",
    "contact-unreachable": "Bathing water team, bathing.water@example.gov.uk",
    "email-malformed": "mailto:bathing.water@example.gov.uk",
    "mailbox-malformed": "mailto:enquiries@example.gov.uk",
    "telephone-malformed": "tel:+44-20-7946-0018",
    "agent-nameless": "Environment Agency",
    "terms-missing": "licence: http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    "restricted-nobody-to-ask": "contact: Data access team, data.access@example.gov.uk",
    "licence-unknown": "http://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    "access-unknown": "http://publications.europa.eu/resource/authority/access-right/PUBLIC, or RESTRICTED in its place",
    "classification-unknown": "OFFICIAL",
    "issued-not-a-date": _DATE,
    "modified-not-a-date": _DATE,
    "created-not-a-date": _DATE,
    "start-not-a-date": "2025-05-01",
    "end-not-a-date": "2025-09-30",
    "frequency-unknown": "http://publications.europa.eu/resource/authority/frequency/WEEKLY",
    "language-unknown": "en, or http://publications.europa.eu/resource/authority/language/ENG",
    "no-way-in": f"a file: {_FILE}; or a page about the data: {_WEB}",
    "landing-page-not-an-address": _WEB,
    "page-not-an-address": "https://www.example.gov.uk/guidance/bathing-water-data",
    "file-unreachable": f"download URL: {_FILE}",
    "access-url-not-an-address": _WEB,
    "download-url-not-an-address": _FILE,
    "endpoint-missing": "https://api.example.gov.uk/river-levels",
    "endpoint-not-an-address": "https://api.example.gov.uk/river-levels",
    "byte-size-not-a-number": "18874368",
    "format-unknown": "http://publications.europa.eu/resource/authority/file-type/CSV",
    "media-type-unknown": "https://www.iana.org/assignments/media-types/text/csv",
    "distributions-limit": "a series of yearly datasets, each with its own few files",
    "keywords-limit": "bathing water; water quality; beaches",
    "title-limit": "Bathing water quality in England, 2026",
    "description-limit": "three sentences, and the long list as a file of its own",
    "statements-limit": _ONE_RECORD,
}
"""Of what is said of a dataset, a service, a file: the shapes in `vocab/shapes`, and the limits."""

OF_RECORDS: Mapping[str, str] = {
    "broken-record": '{"identifier": "bw-2026", "title": "Bathing water quality in England, 2026"}',
    "identifier-missing": '"identifier": "bw-2026"; in RDF an address: <https://data.example.gov.uk/id/dataset/bw-2026>',
    "identifier-repeated": "bw-2025 and bw-2026: one identifier for each dataset, never used again for another",
    "identifier-unstorable": "bw-2026",
    "mapping-fault": '"modified": "2026-03-31": words where words belong, lists where lists belong',
    "package-unreadable": "a dataset that the portal's own page shows: /api/3/action/package_show?id=bathing-water answers 200",
    "routes-disagree": "the same licence, dates and title wherever the dataset is described, or one place that speaks for it",
    "record-too-large": _ONE_RECORD,
    "store-refused": "a record of ordinary text, as the others of the source are",
    "too-deep": _ONE_RECORD,
    "too-large": _ONE_RECORD,
    "no-resource": '<https://data.example.gov.uk/id/dataset/bw-2026> a dcat:Dataset ; dct:title "Bathing water quality"@en .',
    "syntax": '<https://data.example.gov.uk/id/dataset/bw-2026> dct:title "Bathing water quality"@en .',
    "quoted-triple": '<https://data.example.gov.uk/id/dataset/bw-2026> dct:modified "2026-03-31"^^xsd:date .',
    "unmapped-term": '"@context": {"title": "http://purl.org/dc/terms/title"}',
    "remote-context": '"@context": {"dct": "http://purl.org/dc/terms/", "title": "dct:title"}, within the document',
    "table-title-missing": "a row with 'Bathing water quality in England, 2026' in the column 'Title'",
    "table-record-unreadable": 'bw-2026,"Bathing water quality in England, 2026",Environment Agency',
    "table-row-unreadable": 'bw-2026,"Bathing water quality, 2026",Environment Agency',
    "table-row-too-wide": 'bw-2026,"Bathing water quality, 2026",Environment Agency: a comma within a cell needs quotation marks',
    "table-dataset-twice": "one row for each dataset, with an identifier of its own: bw-2025, bw-2026",
    "table-forms-of-one": "Bathing water quality 2025; Bathing water quality 2026",
    "table-identifier-twice": "bw-2025 in one row, bw-2026 in the other",
    "table-no-identifier": "a column 'Identifier' with bw-2026",
    "table-file-of-no-dataset": "bw-2026 in the sheet of files and in the sheet of datasets",
}
"""Of single records, and the rows of a table."""

OF_SOURCES: Mapping[str, str] = {
    "source-refused": "/api/3/action/package_search answers visitors without a key, and knows the filter of the source's options",
    "source-unavailable": "an address that answers 200 within a minute to anybody, such as https://data.example.gov.uk/catalog.ttl",
    "source-incomplete": "every page of the list until the one that says it is the last",
    "source-unusable": "fedcat source add rivers --type dcat-rdf --url https://data.example.gov.uk/catalog.ttl",
    "address-not-allowed": "https://data.example.gov.uk/catalog.ttl, an address that the whole internet can reach",
    "answer-too-large": "pages of 100 datasets: https://data.example.gov.uk/catalog.ttl?page=2",
    "damaged": "a file that ends as it should: its last statement has its full stop, its last bracket is closed",
    "empty-answer": "a catalogue with the datasets in it; one that is closed for good answers 410",
    "encoding": "UTF-8, and in the answer's header: Content-Type: application/json; charset=utf-8",
    "harvester-fault": "nothing that a source can do: whoever keeps the harvester mends it",
    "json-ld": '"@context": "https://www.w3.org/ns/dcat.jsonld", or the terms themselves within the document',
    "limit": "a run without --limit reads everything",
    "not-a-table": "https://data.example.gov.uk/inventory.csv, a CSV or XLSX file with headings in one row",
    "not-json": '{"dataset": [{"identifier": "bw-2026", "title": "Bathing water quality"}]}',
    "not-rdf": "https://data.example.gov.uk/catalog.ttl with Content-Type: text/turtle",
    "preview-deadline": "a first page that comes within seconds; the harvest itself takes its time",
    "paging": "hydra:next <https://data.example.gov.uk/catalog.ttl?page=2>, and none on the last page",
    "run-deadline": "an answer that comes within minutes, in pages of 100 datasets",
    "table-cut-short": "a table that can be read to its last row",
    "table-encoding": "a file saved as 'CSV UTF-8'",
    "table-mapping": "Dataset name=title; Data holder=publisher",
    "table-no-inventory": "a first row with the headings Identifier, Title, Description, Publisher, Licence, Link",
    "table-option": "encoding=windows-1252",
    "table-too-large": "two files of 100,000 rows, each a source of its own",
    "table-too-wide": "the columns that describe datasets first, at most a few dozen",
    "web-page": "https://data.example.gov.uk/catalog.ttl, the file itself and not the page that tells of it",
    "withdrawals-held": "the same list as the last time, less the few datasets that were closed",
    "withdrawals-not-judged": '"identifier": "bw-2026", the same at every visit',
    "xml-entities": "<dct:title>Bathing water &amp; beaches</dct:title>, without a DOCTYPE",
}
"""Of a source as a whole, and how it answers."""

EXAMPLES: Mapping[str, str] = {**OF_DESCRIPTIONS, **OF_RECORDS, **OF_SOURCES}
