"""Every installed harvester, held to the contract with its recorded answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from servers import RecordedCkan

from catalogue.source import harvester, harvesters
from catalogue.testing.harvesters import HarvesterContract

RECORDED = Path(__file__).parent / "harvesters"


class TestCkan(HarvesterContract):
    harvester = harvester("ckan")
    folder = RECORDED / "ckan"

    def serve(self) -> AbstractContextManager[str]:
        return recorded_ckan(self.folder / "response.json")


class TestDataJson(HarvesterContract):
    harvester = harvester("data-json")
    folder = RECORDED / "data-json"


class TestDcatRdf(HarvesterContract):
    harvester = harvester("dcat-rdf")
    folder = RECORDED / "dcat-rdf"


class TestTable(HarvesterContract):
    harvester = harvester("table")
    folder = RECORDED / "table"


def test_every_installed_harvester_is_held_to_the_contract():
    held = {kind.harvester.name for kind in HarvesterContract.__subclasses__()}
    assert set(harvesters()) <= held


@contextmanager
def recorded_ckan(file: Path) -> Iterator[str]:
    with RecordedCkan(json.loads(file.read_bytes())) as server:
        yield server.url
