"""Somebody at a desk: a browser's part played by Flask's test client, which signs in and sends the forms it was shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from catalogue.harvest.worker import Worker
from catalogue.http import Client
from catalogue.search import SearchIndex, open_index
from catalogue.search.follow import catch_up
from catalogue.settings import load
from catalogue.store import Run, Store
from catalogue.web import create_app

BASE = "https://catalogue.example"


@dataclass
class Office:
    """The site, what is behind it, and who works there."""

    app: Flask
    store: Store
    index: SearchIndex
    secrets: dict[str, str] = field(default_factory=dict)

    def desk(self, name: str = "Jo Jones") -> Desk:
        """Signed in, unless the name is empty."""
        desk = Desk(self.app.test_client())
        if name:
            if name not in self.secrets:
                self.secrets[name] = self.store.tokens.create(name)
            desk.send("/sign-in", "/sign-in", token=self.secrets[name])
        return desk

    def work(self) -> Run:
        """A worker does what was asked for."""
        worker = Worker(self.store, lambda: Client(allow_private=True), BASE, tell=lambda _: None)
        done = worker.next()
        assert done is not None
        catch_up(self.store, self.index)
        return done


@dataclass
class Desk:
    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=BASE, headers={"Accept": "text/html"})

    def post(self, path: str, said: dict[str, Any]) -> TestResponse:
        """A form, just as it is given."""
        return self.client.post(path, base_url=BASE, headers={"Accept": "text/html"}, data=said)

    def send(self, path: str, page: str, **said: Any) -> TestResponse:
        """A form that stands on a page, with what the page hid in it."""
        return self.post(path, {"csrf": self.csrf(page), **said})

    def csrf(self, page: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} has no form"
        return found[1]

    def submit(self, page: TestResponse, path: str, **said: Any) -> TestResponse:
        """The form that was just shown, as it was filled in, sent on with a few more words."""
        filled = {
            unescape(name): unescape(value)
            for name, value in re.findall(r'<input[^>]*?\bname="([^"]+)"[^>]*?\bvalue="([^"]*)"', page.text)
        }
        return self.post(path, {**filled, **said})


@contextmanager
def office(home: Path, database: str = "sqlite://", **said: str) -> Iterator[Office]:
    """An empty catalogue with its site. `said` are further settings."""
    chosen = {"home": str(home), "database_url": database, "base_url": BASE, "allow_private_sources": "1"} | said
    settings = load({f"FEDCAT_{name.upper()}": value for name, value in chosen.items()}, home)
    with closing(Store(settings.database_url)) as store, closing(open_index(settings.search_url)) as index:
        store.upgrade()
        app = create_app(settings, store, index)
        app.testing = False
        yield Office(app, store, index)


CSV = {"Content-Type": "text/csv"}
HOSTILE = "<script>alert(1)</script>\"'&"


def listed(*names: str, note: str = "A list") -> str:
    """A table of datasets."""
    return "id,title,description,publisher\n" + "".join(f"{n},{n},{note},Canal Trust\n" for n in names)


def answers(url: str, **said: str) -> dict[str, str]:
    """What somebody writes into the form of a new source."""
    usual = {"type": "table", "title": "Canals", "name": "canals", "url": url, "time_zone": "Europe/London"}
    return usual | {"few": "10", "share": "10", "sweep": "7", "priority": "100"} | said


def set_up(desk: Desk, url: str, **said: str) -> Any:
    return desk.send("/source/new", "/source/new?type=table", **answers(url, **said))
