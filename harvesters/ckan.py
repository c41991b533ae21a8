"""CKAN portals, by their action API: every package once, by pages in order of id. DKAN's listing where there is no search."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import zip_longest
from typing import Any, ClassVar

from ckanapi import RemoteCKAN
from ckanapi.errors import CKANAPIError, NotAuthorized, NotFound, ServerIncompatibleError

from catalogue.dcat import (
    IRI,
    Agent,
    Attribution,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    DatasetSeries,
    Distribution,
    Identifier,
    Location,
    Node,
    PeriodOfTime,
    Relationship,
    Resource,
    Text,
    Value,
)
from catalogue.errors import Problem, RecordRejected, SourceUnavailable
from catalogue.http import Client
from catalogue.source import HarvestSource, Option, SourceRecord
from harvesters import (
    Row,
    concepts,
    dates,
    describe,
    durations,
    emails,
    flat,
    hexes,
    numbers,
    places,
    shapes,
    sizes,
    texts,
    web_address,
    written,
)

Package = dict[str, Any]
Pairs = Iterator[tuple[str, Value]]


class Ckan:
    """Reads CKAN and DKAN portals."""

    name: ClassVar[str] = "ckan"
    title: ClassVar[str] = "CKAN portal (action API)"
    sample: ClassVar[str] = "https://data.example.gov.uk"
    options: ClassVar[tuple[Option, ...]] = (
        Option("organisation", "Only what these organisations publish: their names in CKAN, with commas between."),
        Option("groups", "Only what is in one of these groups: their names in CKAN, with commas between."),
        Option("rows", "How many datasets to ask for at once; many portals give 1,000 at most.", "500"),
        Option("api", "Where the action API is, below the portal's address.", "api/3/action"),
        Option("organisation-details", "yes: ask once for each organisation's title and e-mail where packages lack them.", "no"),
    )

    def fetch(self, source: HarvestSource, client: Client) -> Iterator[SourceRecord | Problem]:
        portal = Portal(source, client)
        for package in portal.packages():
            yield portal.record(package)

    def map(self, record: SourceRecord, source: HarvestSource) -> Iterator[Resource]:
        try:
            package = json.loads(record.content)
        except (ValueError, RecursionError):
            package = None
        if not isinstance(package, dict):
            raise RecordRejected(_unreadable(record.identifier, record.where))
        yield described(gathered(package))


# Fetching.

NO_SUCH_ACTION = (400, 404)
NOT_DATASETS = {"harvest", "showcase"}
"""Packages in which extensions keep what is theirs: a portal's own harvest sources, its showcases."""


class Portal:
    """One portal's packages, asked for politely."""

    def __init__(self, source: HarvestSource, client: Client) -> None:
        self.address = re.sub(r"/+(?:api(?:/.*)?|dataset/?)?$", "", source.url.split("?")[0])
        self.rows = _count(source.option("rows"))
        self.only = {
            "organization": _names(source.option("organisation")),
            "groups": _names(source.option("groups")),
        }
        self.details: dict[str, Package] | None = {} if source.option("organisation-details").lower() in YES else None
        self._remotes = [
            RemoteCKAN(self.address, user_agent=client.agent, session=client.session, get_only=get_only)
            for get_only in (True, False)
        ]
        for remote in self._remotes:
            remote.base_url = source.option("api").strip("/") + "/"

    def packages(self) -> Iterator[Package]:
        """Every package that the portal shows, once."""
        try:
            self.ask("package_search", rows=0)
        except NotFound:
            yield from self.listed()
        else:
            yield from self.searched()

    def searched(self) -> Iterator[Package]:
        """By search. A second pass finds those that slipped past while the portal changed."""
        seen: set[str] = set()
        for _ in range(PASSES):
            expected = yield from self.one_pass(seen)
            if len(seen) >= expected:
                return
        raise self.incomplete(f"says that it has {expected} datasets, and gave {len(seen)}")
