"""One catalogue of locks in every language that the harvesters read, at a server that a test lets go wrong."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from servers import Answers, Script, numbered_packages
from world import BASE, source

from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client, Limits
from catalogue.source import Harvester, harvester
from catalogue.store import Run, Store
from catalogue.store.tables import runs

QUICK = Limits(connect=2, read=5, total=20, retries=0, crawl_delay=0)
SITE = "https://canals.example"
DCAT = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}
HYDRA = "http://www.w3.org/ns/hydra/core#"


class Lock(NamedTuple):
    """A dataset of the catalogue. One that has lost its identifier is `nameless`."""

    number: int
    nameless: bool = False
    title: str = ""

    @property
    def named(self) -> str:
        return self.title or f"Lock {self.number:03}"


Locks = Iterable[Lock]


def locks(numbers: Iterable[int], *, nameless: Collection[int] = (), **titles: str) -> list[Lock]:
    """Datasets by number; `n7="A title"` gives one of them another title."""
    return [Lock(n, n in nameless, titles.get(f"n{n}", "")) for n in numbers]


def turtle(said: Locks, more: str = "") -> bytes:
    head = "".join(f"@prefix {prefix}: <{name}> .\n" for prefix, name in DCAT.items())
    each = (
        f'{"[]" if one.nameless else f"<{SITE}/{one.number}>"} a dcat:Dataset ; dct:title "{one.named}" .'
        for one in said
    )
    return "\n".join((head, f"<> a dcat:Catalog . {more}", *each)).encode()


def rdf_xml(said: Locks) -> bytes:
    names = {"rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#", **DCAT}
    each = "".join(
        "<dcat:Dataset{}><dct:title>{}</dct:title></dcat:Dataset>".format(
            "" if one.nameless else f' rdf:about="{SITE}/{one.number}"', one.named
        )
        for one in said
    )
    head = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in names.items())
    return f"<rdf:RDF {head}>{each}</rdf:RDF>".encode()


def json_ld(said: Locks) -> bytes:
    graph = [
        {"@type": "dcat:Dataset", "dct:title": one.named} | ({} if one.nameless else {"@id": f"{SITE}/{one.number}"})
        for one in said
    ]
    return json.dumps({"@context": DCAT, "@graph": graph}).encode()


def data_json(said: Locks) -> bytes:
    each = [{"title": one.named} | ({} if one.nameless else {"identifier": f"lock-{one.number}"}) for one in said]
    return json.dumps({"dataset": each}).encode()


def packages(said: Locks) -> list[dict[str, Any]]:
    said, lost = list(said), {"id": "", "name": ""}
    every = numbered_packages(max((one.number for one in said), default=0) + 1)
    return [every[one.number] | {"title": one.named} | (lost if one.nameless else {}) for one in said]


def ckan(said: Locks) -> bytes:
    found = packages(said)
    return json.dumps({"success": True, "result": {"count": len(found), "results": found}}).encode()


def table(said: Locks) -> bytes:
    text = io.StringIO()
    rows = (("" if one.nameless else f"lock-{one.number}", one.named, f"What {one.named} is.") for one in said)
    csv.writer(text).writerows([("Identifier", "Title", "Description"), *rows])
    return text.getvalue().encode()


class Kind(NamedTuple):
    """A language: who reads it, where it is served and as what, how it is written."""

    type: str
    path: str
    media_type: str
    write: Callable[[Locks], bytes]
    below: str = ""
    """Of the path, what the source's address lacks."""
    options: Mapping[str, str] = {}


SEARCH = "/api/3/action/package_search"
KINDS = {
    "Turtle": Kind("dcat-rdf", "/c.ttl", "text/turtle", turtle),
    "RDF/XML": Kind("dcat-rdf", "/c.rdf", "application/rdf+xml", rdf_xml),
    "JSON-LD": Kind("dcat-rdf", "/c.jsonld", "application/ld+json", json_ld),
    "data.json": Kind("data-json", "/data.json", "application/json", data_json),
    "CKAN": Kind("ckan", SEARCH, "application/json", ckan, SEARCH, {"changes": "no"}),
    "CSV": Kind("table", "/c.csv", "text/csv", table),
}


class Catalogue(Answers):
    """A server of one kind; `says` sets what it has."""

    def __init__(self, kind: str) -> None:
        super().__init__({})
        self.kind = KINDS[kind]

    def says(self, numbers: Iterable[int], *, nameless: Collection[int] = (), **titles: str) -> None:
        self.answers(200, self.kind.write(locks(numbers, nameless=nameless, **titles)), self.kind.media_type)

    def answers(self, status: int, body: bytes, media_type: str = "text/html") -> None:
        said: Script = (status, {"Content-Type": media_type}, body)
        self.script = {self.kind.path: said}

    def bring(self, store: Store, name: str = "canals", **how: Any) -> Run:
        """One run of a source that is here."""
        address = self.url + self.kind.path.removesuffix(self.kind.below)
        return bring(store, self.kind.type, address, name, options=dict(self.kind.options), **how)


def bring(
    store: Store,
    type_: str,
    url: str,
    name: str = "canals",
    *,
    options: Mapping[str, str] | None = None,
    reads: Harvester | None = None,
    **how: Any,
) -> Run:
    """One run of a source, by the harvester of its type or one that stands in for it."""
    held = source(name, type=type_, url=url, options=dict(options or {}))
    store.sources.replace(held)
    with Client(QUICK, allow_private=True) as client:
        return line.harvest(HarvestRun.begin(held, store, BASE), reads or harvester(type_), client, **how)


def days_pass(store: Store, days: int) -> None:
    """All that happened so far happened so many days earlier."""
    with store.database.writing() as c:
        for row in c.execute(sa.select(runs.c.id, runs.c.began)).all():
            began = row.began.replace(tzinfo=UTC) - timedelta(days=days)
            c.execute(sa.update(runs).where(runs.c.id == row.id).values(began=began))


def refuses(store: Store, table_: str, when: str) -> None:
    """From now on the database takes no change of such rows: `when` is a condition on NEW in its own language."""
    trigger = f"CREATE TRIGGER no BEFORE UPDATE ON {table_} WHEN {when} BEGIN SELECT RAISE(ABORT, 'disk error'); END"
    with store.database.writing() as c:
        c.execute(sa.text(trigger))


def at_once(store: Store) -> None:
    """Let every run that waits start now."""
    with store.database.writing() as c:
        c.execute(sa.update(runs).where(runs.c.status == "waiting").values(due=datetime(2020, 1, 1, tzinfo=UTC)))
