"""The list of sources, where there are many, each with a year of daily runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalogue.bench.harvests import store_in
from catalogue.bench.machine import percentile, timed
from catalogue.bench.pages import settings_of
from catalogue.bench.searches import address
from catalogue.dcat import Slug
from catalogue.search import open_index
from catalogue.source import HarvestSource
from catalogue.store import Run, Store
from catalogue.web import create_app

COUNT = 1_000
NOW = datetime(2026, 11, 1, tzinfo=UTC)
TREND = " ".join(["100"] * 30)


def listed(home: Path, days: int) -> float:
    """Milliseconds for the page that lists them all."""
    with closing(Store(store_in(home))) as store, closing(open_index(address(home))) as index:
        store.upgrade()
        for source in made():
            store.sources.add(source)
        store.runs.bring(runs(days))
        client = create_app(settings_of(home), store, index).test_client()
        assert client.get("/source").status_code == 200
        return percentile([timed(client.get, "/source") for _ in range(10)], 0.95)


def made() -> Iterator[HarvestSource]:
    for number in range(COUNT):
        url = f"https://s{number}.example.gov.uk/catalog.ttl"
        yield HarvestSource(
            name=Slug(f"source-{number:04d}"), type="dcat-rdf", url=url, title=f"Source {number}", schedule="0 3 * * *"
        )


def runs(days: int) -> Iterator[Run]:
    """A run of each source a day."""
    for day in range(days, 0, -1):
        began = NOW - timedelta(days=day)
        for number in range(COUNT):
            source = f"source-{number:04d}"
            counts = (100, 0, 1, 99, 0, 0, 0, 2)
            yield Run(
                0, source, "complete", began, began, "", *counts, 1.5,
                held_now=100, trend=TREND, last_success=began, warnings=2,
            )  # fmt: skip
