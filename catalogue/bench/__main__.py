"""`python -m catalogue.bench [--quick]`: every figure of DESIGN §8 that can be measured on one machine, in one table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from catalogue.bench import corpus, machine, pages, portal, reference, searches, sources
from catalogue.bench.harvests import ckan_passes, rdf_passes, remapped, resumed, store_in
from catalogue.bench.machine import apart
from catalogue.bench.reference import Plain, Stock
from catalogue.bench.table import Row, table

QUICK, FULL = 10_000, 60_000
FEW = 6
"""The part of the datasets on which a run is cut short and resumed."""
SAMPLE = 200
"""How many datasets the line on rdflib is measured on."""

NOTES = """
Per core: datasets for each second of this process on a processor; fetching, parsing, zstd and SQLite are in it, the portal, a
process of its own, is not. Unchanged: every page is sent and read again, and no record is written; with or without ETags, pages
are remembered, and the figure is seconds of the processor for all of them. Searches, pages and feeds:
milliseconds on a processor, so that other work on the machine does not count; over HTTP: milliseconds on the clock, one
request after another over one connection. Searches meet a cold cache, each question once. The target for the dump is for
{full:,} datasets, and in proportion for fewer. References: for harvests a plain line on rdflib (parse, split, isomorphic hash,
SQLite) over {sample} of the datasets; for searches Whoosh's own index and `groupedby` over the same {size:,} documents and
{asked} of the questions; for the feed rdflib writing one such page.
"""


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m catalogue.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} datasets: ends within two minutes")
    parser.add_argument("--datasets", type=int, metavar="N", help=f"how many, instead of {FULL:,}")
    given = parser.parse_args(arguments)
    size = given.datasets or (QUICK if given.quick else FULL)
    asked = min(size, 150 if given.quick else 600)
    began = time.monotonic()
    with TemporaryDirectory(prefix="fedcat-bench-") as folder:
        rows = list(measured(Path(folder), size, asked))
    notes = NOTES.format(sample=min(size, SAMPLE), size=size, asked=asked // 5, full=FULL)
    print(f"{size:,} datasets\n{machine.described()}\n\n{table(rows)}\n{notes}")
    print(f"Measured in {time.monotonic() - began:.0f} seconds.")


def measured(folder: Path, size: int, asked: int) -> Iterator[Row]:
    """Every row, in the order of DESIGN §8. Each work has a process of its own, and the machine to itself."""
    made, home = folder / "made", folder / "home"
    made.mkdir()
    stock = prepare(made, folder / "stock", size, asked // 5)
    say("the line on rdflib")
    plain = apart(reference.rdflib_line, sorted(made.glob("page-*.ttl"))[: SAMPLE // corpus.PAGE], folder / "plain.db")
    yield from harvest_rows(made, home, folder, size, plain)
    say("building the index")
    built = apart(searches.build, home, size)
    yield Row("index, documents per core", built.per_core, "/s", None, stock.build)
    say("searching")
    yield from search_rows(home, size, asked, stock)
    yield from page_rows(home, size, asked // 2, min(365, size // 160))
    say("writing everything out")
    dumped = apart(pages.dump, home, size)
    yield Row("full dump as N-Quads", dumped.seconds, "s", 10 * size / FULL)
    yield Row("full dump, peak memory", dumped.peak, "MB")


def prepare(made: Path, folder: Path, size: int, asked: int) -> Stock:
    """The made-up catalogue, and beside it, as nothing else is measured yet, Whoosh's own index over the same documents."""
    say("making up datasets, and building Whoosh's own index")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        stock = beside.submit(reference.stock_whoosh, folder, size, asked)
        apart(corpus.write, made, size)
        return stock.result()


def harvest_rows(made: Path, home: Path, folder: Path, size: int, plain: Plain) -> Iterator[Row]:
    (few := folder / "few").mkdir()
    apart(corpus.write, few, max(2 * corpus.PAGE, size // FEW))
    with portal.served(few) as address:
        say("resuming")
        cut_short = apart(resumed, folder / "resumed", address, max(2 * corpus.PAGE, size // FEW))
    with portal.served(made) as address:
        say("harvesting RDF")
        rdf = apart(rdf_passes, home, address, size)
        say("harvesting CKAN")
        new_ckan, same_ckan = apart(ckan_passes, folder / "ckan", address, size)
    say("mapping again")
    again = apart(remapped, store_in(home), size)
    yield Row("harvest, new, RDF, per core", rdf.new.per_core, "/s", 800, plain.new)
    yield Row("harvest, new, RDF, on the clock", rdf.new.per_second, "/s")
    yield Row("harvest, new, CKAN, per core", new_ckan.per_core, "/s", 500)
    yield Row("harvest, new, CKAN, on the clock", new_ckan.per_second, "/s")
    yield Row("harvest, resumed half way, RDF, per core", cut_short.per_core, "/s", None)
    yield Row("harvest, 1 % changed, RDF, per core", rdf.changed.per_core, "/s")
    yield Row("harvest, unchanged, RDF, per core", rdf.unchanged.per_core, "/s", 2000, plain.unchanged)
    yield Row("harvest, unchanged, pages without ETags", size / rdf.same_bytes.per_core, "s", 60 * size / FULL)
    yield Row("harvest, unchanged, pages with ETags", size / rdf.not_sent.per_core, "s", 30 * size / FULL)
    yield Row("harvest, unchanged, CKAN, per core", same_ckan.per_core, "/s", 2000)
    yield Row("map again, RDF, per core", again.per_core, "/s")
    yield Row("harvest, RDF, peak memory", rdf.changed.peak, "MB", 300)
    yield Row("harvest, CKAN, peak memory", same_ckan.peak, "MB", 300)


def search_rows(home: Path, size: int, asked: int, stock: Stock) -> Iterator[Row]:
    counted, bare = (apart(searches.ask, home, size, asked, facets) for facets in (True, False))
    yield Row("search, 10 results + 8 facets, p50", counted.p50, "ms", None, stock.answered.p50)
    yield Row("search, 10 results + 8 facets, p95", counted.p95, "ms", 100, stock.answered.p95)
    yield Row("search, 10 results + 8 facets, p99", counted.p99, "ms", None, stock.answered.p99)
    yield Row("search, no facets, p95", bare.p95, "ms")


def page_rows(home: Path, size: int, count: int, days: int) -> Iterator[Row]:
    say("showing pages")
    shown, served = apart(pages.show, home, size, count), apart(pages.show_over_http, home, size, count)
    yield Row("dataset page, p95", shown.dataset, "ms", 30)
    yield Row("search page, p95", shown.search, "ms", 30)
    yield Row("dataset page over HTTP, p95", served.dataset, "ms", 150)
    yield Row("search page over HTTP, p95", served.search, "ms", 150)
    say("listing a thousand sources")
    yield Row(f"list of {sources.COUNT:,} sources, p95", apart(sources.listed, home / "sources", days), "ms", 300)
    say("feeding")
    fed = apart(pages.feed, home, size, min(count, 20))
    yield Row("feed page of 100 in Turtle, p95", fed.page, "ms", 50, fed.rdflib)
    yield Row("feed page unchanged (304), p95", fed.unchanged, "ms", 5)


def say(what: str) -> None:
    """Progress, beside the table."""
    print(f"{what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
