"""A catalogue with something in it: the project's own examples, and a few descriptions that try the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flask import Flask
from world import Fake, dataset, harvest, source

from catalogue import demo, settings
from catalogue.dcat import (
    IRI,
    Agent,
    ContactPoint,
    Dataset,
    Distribution,
    Identifier,
    Literal,
    Resource,
    Statement,
    Text,
    Thing,
)
from catalogue.demo.server import served
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import from_toml
from catalogue.http import Client
from catalogue.identify import Known, identify
from catalogue.search import SearchIndex, open_index
from catalogue.search.follow import catch_up
from catalogue.source import SourceRecord, harvester
from catalogue.store import Cause, Description, Store, Tally
from catalogue.web import create_app

BASE = "https://catalogue.example"
RESTRICTED = IRI("http://publications.europa.eu/resource/authority/access-right/RESTRICTED")
SCRIPT = "<script>alert('title')</script>"
"""A title that no page may run."""


@dataclass(frozen=True)
class Filled:
    """The catalogue, and the site over it."""

    app: Flask
    store: Store
    index: SearchIndex

    def id(self, title: str) -> str:
        """The id of the entry whose title begins so, withdrawn ones too."""
        rows = [entry.row for entry in self.store.datasets.each()]
        return next(row.id for row in rows if row.title.startswith(title))


@contextmanager
def filled(home: Path, *, examples: bool = True, **said: str) -> Iterator[Filled]:
    """A catalogue in a folder. `said` are further settings, such as base_url."""
    chosen = {"home": str(home), "base_url": BASE, "title": "Test catalogue"} | said
    known = settings.load({f"FEDCAT_{name.upper()}": value for name, value in chosen.items()}, home)
    store, index = Store(known.database_url), open_index(known.search_url)
    try:
        store.upgrade()
        if examples:
            harvest_examples(store)
        harvest_trials(store)
        catch_up(store, index)
        app = create_app(known, store, index)
        app.testing = False  # errors are answered as they are to visitors
        yield Filled(app, store, index)
    finally:
        index.close()
        store.close()


def harvest_examples(store: Store) -> None:
    with served() as address, Client(allow_private=True) as client:
        for source in from_toml({"source": demo.sources(address)}):
            store.sources.replace(source)
            line.harvest(HarvestRun.begin(source, store, BASE), harvester(source.type), client)


def harvest_trials(store: Store) -> None:
    """A source that takes one description back, has one refused, and says what no page should repeat as it stands."""
    trials = {name: {"name": name} for name in TRIALS}
    harvest(store, Fake(trials, mapping=lambda said: [TRIALS[said["name"]]]), "trials")
    left = {name: said for name, said in trials.items() if name != "withdrawn"}
    left["refused"] = {"name": "refused", "rude": True}
    harvest(store, Fake(left, mapping=_second), "trials")
    for name, resource in PLANTED.items():
        plant(store, resource, name)


def _second(said: dict[str, object]) -> list[Resource]:
    return [dataset(rude=True)] if said.get("rude") else [TRIALS[str(said["name"])]]


def plant(store: Store, resource: Resource, name: str) -> None:
    """Put a description into the store as it stands, past the repairs and checks of a harvest."""
    held = source("planted")
    store.sources.replace(held)
    record = SourceRecord(Identifier(name), name.encode(), "text/plain", held.url)
    run = store.leases.start(held)
    store.records.put(
        [Description(record, (identify(resource, record, held, Known({}, {}, {}), BASE),))], held, Cause(run)
    )
    store.leases.finish(run, "complete", Tally(), "", 0.0)


def kinds(site: Filled) -> dict[str, str]:
    """One address for every kind of page."""
    run = site.store.runs.some("justice")[-1].id
    return {
        "home": "/",
        "search": "/search?q=flood",
        "filtered": "/search?access=open&organisation=environment-agency&sort=title&from=2020",
        "second page": "/search?page=2",
        "nothing found": "/search?q=flood+zebra",
        "open": f"/dataset/{site.id('Flood zones')}",
        "restricted": f"/dataset/{site.id('Properties at risk')}",
        "welsh": f"/dataset/{site.id('Pupils by language')}",
        "only welsh": f"/dataset/{site.id('Dim ond')}",
        "service": f"/dataset/{site.id('River levels API')}",
        "series": f"/dataset/{site.id('River flow archive')}",
        "odd": f"/dataset/{site.id('<script')}",
        "long": f"/dataset/{site.id('Loo')}",
        "organisations": "/organisation",
        "organisation": "/organisation/environment-agency",
        "sources": "/source",
        "source": "/source/health",
        "run": f"/source/justice/run/{run}",
        "problems": "/source/health/problems",
        "rule": f"/source/health/problems?rule={site.store.runs.rules('health')[0].examples[0].rule}",
        "source record": f"/source/justice/record?identifier={quote(next(iter(site.store.records.identifiers('justice'))))}",
        "feeds": "/catalog",
        "accessibility": "/accessibility",
        "privacy": "/privacy",
    }


def trial(title: str, **said: object) -> Dataset:
    return Dataset(titles=frozenset({Text(title, "en")}), publisher=Text("Board of Trials"), **said)  # type: ignore[arg-type]


def texts(*said: str) -> frozenset[Text]:
    return frozenset(Text(one, "en") for one in said)


TRIALS: dict[str, Dataset] = {
    "silent": trial("Silent", access_rights=RESTRICTED),
    "welsh": Dataset(titles=frozenset({Text("Dim ond Cymraeg", "cy")}), publisher=Text("Board of Trials")),
    "asked": trial(
        "Asked for",
        access_rights=RESTRICTED,
        contact_points=frozenset(
            {ContactPoint(names=texts("Trial desk"), emails=frozenset({IRI("mailto:desk@board.example")}))}
        ),
    ),
    "nobody": Dataset(titles=texts("Nobody answers"), publisher=Agent(names=texts("Society of Silence"))),
    "withdrawn": trial("Withdrawn one"),
    "refused": trial("Refused now"),
}

_BAD = {
    "javascript": Distribution(titles=texts("bad"), download_urls=frozenset({IRI("javascript:alert(3)")})),
    "data": Distribution(
        titles=texts("data"), access_urls=frozenset({IRI("data:text/html,%3Cscript%3Ealert(4)%3C/script%3E")})
    ),
}
_ODD = IRI("https://example.org/def#odd")

PLANTED: dict[str, Dataset] = {
    "script": trial(
        SCRIPT,
        descriptions=texts(
            "<img src=x onerror=alert(1)> http://example.org/a?b=1&c=2.\n\n- one\n- two: trial@board.example"
        ),
        keywords=texts("<b>bold</b>", "a\"b'c"),
        landing_pages=frozenset({IRI("javascript:alert(2)")}),
        distributions=frozenset(_BAD.values()),
        contact_points=frozenset(
            {ContactPoint(names=texts("<i>Bob</i>"), pages=frozenset({IRI("javascript:alert(5)")}))}
        ),
        rest=frozenset(
            {
                Statement(_ODD, Text("</table><script>alert(6)</script>")),
                Statement(
                    _ODD, Thing(rest=frozenset({Statement(_ODD, Literal("7", IRI("https://example.org/def#t")))}))
                ),
            }
        ),
    ),
    "control": trial("Bell\x07 and \x01 null", descriptions=texts("A\x0bB\x1fC")),
    "long": trial("L" + "o" * 900 + "ng", descriptions=texts("word " * 9000)),
}
"""Descriptions that try what a page does with other people's words."""
