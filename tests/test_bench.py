"""The benchmark runs from end to end, on few datasets: its figures are for people, its rows are a promise."""

from __future__ import annotations

import subprocess
import sys

ROWS = (
    "harvest, new, RDF, per core",
    "harvest, new, CKAN, per core",
    "harvest, unchanged, RDF, per core",
    "harvest, RDF, peak memory",
    "index, documents per core",
    "search, 10 results + 8 facets, p95",
    "dataset page, p95",
    "search page over HTTP, p95",
    "feed page of 100 in Turtle, p95",
    "feed page unchanged (304), p95",
    "full dump as N-Quads",
)


def test_every_row_is_measured():
    told = subprocess.run(
        [sys.executable, "-m", "catalogue.bench", "--datasets", "200"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert [row for row in ROWS if row not in told.stdout] == []
    assert "200 datasets" in told.stdout
