"""The promises that every harvester keeps, as tests to inherit: `class TestMine(HarvesterContract): harvester = Mine()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

from catalogue import rdf
from catalogue.dcat import IRI, Identifier, Resource, Slug
from catalogue.errors import RecordRejected, SourceUnavailable
from catalogue.http import Client, Limits
from catalogue.source import Fetched, Harvester, HarvestSource, SourceRecord

QUICK = Limits(connect=2, read=2, total=5, retries=0)


class HarvesterContract:
    """Fetch from a recorded answer, map what came, and hold both to the promises.

    `folder` holds `response.*`, the recorded answer, and `expected.ttl`, what a correct reader makes of it: read it before
    you commit it. Override `serve` where the answer is more than a file.
    """

    harvester: ClassVar[Harvester]
    folder: ClassVar[Path]

    def serve(self) -> AbstractContextManager[str]:
        """Serve the recorded answer; gives the address to harvest."""
        return served(self.folder / next(path.name for path in sorted(self.folder.glob("response.*"))))

    # ---- the promises

    def test_it_finds_records(self) -> None:
        assert len(self.records()) >= 2

    def test_identifiers_are_present_and_unique(self) -> None:
        found = [record.identifier for record in self.records()]
        assert all(found)
        assert len(set(found)) == len(found)

    def test_the_same_answer_gives_the_same_bytes(self) -> None:
        first, second = self.records(), self.records()
        assert [(r.identifier, r.content) for r in first] == [(r.identifier, r.content) for r in second]

    def test_the_same_record_gives_the_same_resources(self) -> None:
        for record in self.records():
            assert self.mapped(record) == self.mapped(record)

    def test_every_record_describes_something_with_a_title(self) -> None:
        for record in self.records():
            assert any(resource.titles for resource in self.mapped(record))

    def test_what_it_says_survives_the_graph(self) -> None:
        for resource in self.resources():
            assert rdf.read(rdf.ntriples([resource])) == resource

    def test_it_says_what_a_correct_reader_says(self) -> None:
        wanted = rdf.graph((self.folder / "expected.ttl").read_bytes(), "text/turtle")
        reader = rdf.Reader(wanted)
        expected = {reader.read(subject) for subject in rdf.resources(wanted)}
        assert set(self.resources()) == expected

    def test_a_web_page_ends_the_run(self) -> None:
        with pages({"/": b"<!doctype html><html><title>Log in</title></html>"}) as address:
            self.ends_the_run(address)

    def test_a_source_that_is_not_there_ends_the_run(self) -> None:
        with pages({}) as address:
            self.ends_the_run(address)

    def test_an_empty_answer_ends_the_run(self) -> None:
        with pages({"/": b""}) as address:
            self.ends_the_run(address)

    def test_a_damaged_record_is_rejected_and_nothing_worse(self) -> None:
        for record in self.records():
            for damaged in (b"", b"\xff\xfe\x00", record.content[: len(record.content) // 2], b"[" * 5000):
                try:
                    self.mapped(replace(record, content=damaged))
                except (RecordRejected, SourceUnavailable):
                    continue

    def test_its_options_are_explained(self) -> None:
        for option in self.harvester.options:
            assert option.name
            assert len(option.meaning.split()) > 2
        assert self.harvester.title
        assert self.harvester.sample.startswith("http")

    # ---- how they are tried

    def fetched(self) -> list[Fetched]:
        with self.serve() as address, Client(QUICK, allow_private=True) as client:
            return list(self.harvester.fetch(self.source(address), client))

    def records(self) -> list[SourceRecord]:
        return [found for found in self.fetched() if isinstance(found, SourceRecord)]

    def mapped(self, record: SourceRecord) -> list[Resource]:
        return list(self.harvester.map(record, self.source(record.address)))

    def resources(self) -> list[Resource]:
        """Every resource; those without an address get one from their record, so that they can be told apart in a graph."""
        return [
            resource if resource.iri else replace(resource, iri=self.address(record.identifier, number))
            for record in self.records()
            for number, resource in enumerate(self.mapped(record))
        ]

    def address(self, identifier: Identifier, number: int) -> IRI:
        return IRI(f"urn:record:{rdf.repaired(identifier)}:{number}")

    def source(self, address: str) -> HarvestSource:
        return HarvestSource(name=Slug("recorded"), type=self.harvester.name, url=address)

    def ends_the_run(self, address: str) -> None:
        try:
            with Client(QUICK, allow_private=True) as client:
                found = list(self.harvester.fetch(self.source(address), client))
        except SourceUnavailable as ended:
            assert str(ended)
            assert ended.fix
            return
        raise AssertionError(f"{self.harvester.name} took it for a catalogue and found {len(found)} records in it")


def served(file: Path) -> AbstractContextManager[str]:
    """Serve one file, at an address that ends in its name."""
    handler = partial(_Quiet, directory=str(file.parent))
    return _serving(handler, f"/{file.name}")


def pages(bodies: dict[str, bytes]) -> AbstractContextManager[str]:
    """Serve the same body for every path that begins with one of these; 404 for others."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            body = next((body for path, body in bodies.items() if self.path.startswith(path)), None)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        do_POST = do_GET

    return _serving(Handler, "/")


@contextmanager
def _serving(handler: Callable[..., SimpleHTTPRequestHandler], path: str) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {  # type: ignore[misc]  # typed as an instance attribute above us
        ".ttl": "text/turtle",
        ".rdf": "application/rdf+xml",
        ".jsonld": "application/ld+json",
        ".json": "application/json",
        ".csv": "text/csv",
        "": "application/octet-stream",
    }

    def log_message(self, format: str, *args: object) -> None:
        """Tests print what fails, not what was asked for."""
