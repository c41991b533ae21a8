"""For each promise of the harvester contract, a harvester that breaks it, and is caught."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalogue.dcat import IRI, Identifier, Resource, Statement, Text
from catalogue.source import Harvester, HarvestSource, Option, SourceRecord, harvester
from catalogue.testing.harvesters import HarvesterContract
from harvesters.dcat_rdf import DcatRdf

FOLDER = Path(__file__).parent / "harvesters" / "dcat-rdf"


class Breaking(DcatRdf):
    """A good harvester, to be spoilt in one place."""


class FindsNothing(Breaking):
    def fetch(self, source, client, visit=None):
        return iter(())


class RepeatsItself(Breaking):
    def fetch(self, source, client, visit=None):
        return itertools.chain.from_iterable((found, found) for found in super(Breaking, self).fetch(source, client))


class Counts(Breaking):
    number = itertools.count()

    def fetch(self, source, client, visit=None) -> Iterator[SourceRecord]:
        for found in super(Breaking, self).fetch(source, client):
            if isinstance(found, SourceRecord):
                found = replace(found, content=found.content + b"\n# " + str(next(self.number)).encode())
            yield found


class ChangesItsMind(Breaking):
    number = itertools.count()

    def map(self, record, source) -> Iterable[Resource]:
        return [replace(r, version=Text(str(next(self.number)))) for r in super(Breaking, self).map(record, source)]


class Nameless(Breaking):
    def map(self, record, source) -> Iterable[Resource]:
        return [replace(r, titles=frozenset()) for r in super(Breaking, self).map(record, source)]


class Poisonous(Breaking):
    """An address with a space does not survive the graph."""

    def map(self, record, source) -> Iterable[Resource]:
        bad = Statement(IRI("http://example.org/p"), IRI("http://example.org/a b"))
        return [replace(r, rest=r.rest | {bad}) for r in super(Breaking, self).map(record, source)]


class Inventive(Breaking):
    def map(self, record, source) -> Iterable[Resource]:
        return [replace(r, version=r.version or Text("v1.0")) for r in super(Breaking, self).map(record, source)]


class Gullible(Breaking):
    """Takes whatever comes for a catalogue."""

    def fetch(self, source, client, visit=None):
        try:
            yield from super(Breaking, self).fetch(source, client)
        except Exception:  # noqa: BLE001  that is its fault
            yield SourceRecord(Identifier("x"), b"x", "text/html", source.url)


class Rude(Breaking):
    def map(self, record: SourceRecord, source: HarvestSource) -> Iterable[Resource]:
        if not record.content.strip().endswith(b"."):
            raise KeyError("title")
        return super(Breaking, self).map(record, source)


class Mumbles(Breaking):
    options = (Option("rows", "number"),)


BREAKS: dict[str, type[Harvester]] = {
    "test_it_finds_records": FindsNothing,
    "test_identifiers_are_present_and_unique": RepeatsItself,
    "test_the_same_answer_gives_the_same_bytes": Counts,
    "test_the_same_record_gives_the_same_resources": ChangesItsMind,
    "test_every_record_describes_something_with_a_title": Nameless,
    "test_what_it_says_survives_the_graph": Poisonous,
    "test_it_says_what_a_correct_reader_says": Inventive,
    "test_a_web_page_ends_the_run": Gullible,
    "test_a_source_that_is_not_there_ends_the_run": Gullible,
    "test_an_empty_answer_ends_the_run": Gullible,
    "test_a_damaged_record_is_rejected_and_nothing_worse": Rude,
    "test_its_options_are_explained": Mumbles,
}
PROMISES = [name for name in vars(HarvesterContract) if name.startswith("test_")]


@pytest.mark.parametrize("promise", PROMISES)
def test_who_breaks_a_promise_is_caught(promise: str):
    held: Callable[[], None] = getattr(contract(BREAKS[promise]()), promise)
    with pytest.raises((AssertionError, KeyError)):
        held()


@pytest.mark.parametrize("promise", PROMISES)
def test_who_keeps_it_is_not(promise: str):
    getattr(contract(harvester("dcat-rdf")), promise)()


def test_every_promise_has_somebody_who_breaks_it():
    assert set(BREAKS) == set(PROMISES)


def contract(tried: Harvester) -> HarvesterContract:
    held = HarvesterContract()
    held.harvester = tried  # type: ignore[misc]
    held.folder = FOLDER  # type: ignore[misc]
    return held
