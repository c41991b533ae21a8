"""Reading: search, show, the index, and the whole catalogue as a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from catalogue.cli.here import Here, as_json, console, counted, pair, progress, say_json, table, with_here
from catalogue.dcat import words
from catalogue.errors import WrongUse
from catalogue.feeds import EXPORTS, dataset_nodes, feed_for
from catalogue.feeds import export as write_export
from catalogue.rdf import framed
from catalogue.search.filters import PARAMETERS, from_parameters
from catalogue.search.follow import catch_up, rebuild

FILTERS = PARAMETERS | {"from", "to", "bbox"}


@click.command()
@click.argument("words_", metavar="WORDS", required=False, default="")
@click.option(
    "--filter", "filters", multiple=True, metavar="NAME=VALUE", help="organisation, theme, format, licence, access …"
)
@click.option("--sort", default="relevance", show_default=True, help="relevance, updated or title.")
@click.option("--page", default=1, show_default=True)
@as_json
@with_here
def search(here: Here, /, words_: str, filters: tuple[str, ...], sort: str, page: int, as_json: bool) -> None:
    """Search the catalogue.

    \b
    Examples:
      fedcat search "road traffic"
      fedcat search flood --filter format=csv --filter organisation=environment-agency --sort updated
    """
    chosen = [pair(said, "--filter", "format=csv") for said in filters]
    if unknown := {name for name, _ in chosen} - FILTERS:
        raise WrongUse(f"--filter '{min(unknown)}' is none that there is: {', '.join(sorted(FILTERS))}.")
    catch_up(here.store, here.index)
    results = here.index.search(from_parameters([("q", words_), ("sort", sort), ("page", str(page)), *chosen]))
    entries = {entry.id: entry for entry in here.store.datasets.some([hit.id for hit in results.hits])}
    if as_json:
        hits = [{**_facts(entries[hit.id]), "score": hit.score} for hit in results.hits if hit.id in entries]
        seen = {"total": results.total, "page": results.page, "explained": results.explained}
        say_json({**seen, "did_you_mean": results.did_you_mean, "results": hits, "facets": results.facets})
        return
    console.say(
        f"{results.total:,} found" + (f"; did you mean '{results.did_you_mean}'?" if results.did_you_mean else "")
    )
    for said in results.explained:
        console.say(said)
    for hit in results.hits:
        if entry := entries.get(hit.id):
            console.say(f"\n{entry.row.title}", style="bold")
            console.say(f"  {entry.row.organisation or 'Organisation not given'} · {entry.id}")
            console.say(f"  {shorten(words(entry.resource.descriptions) or 'Not given', 200, placeholder=' …')}")


@click.command()
@click.argument("id_", metavar="ID")
@click.option(
    "--format", "format_", default="ttl", show_default=True, type=click.Choice(["ttl", "jsonld", "rdf", "nt", "json"])
)
@with_here
def show(here: Here, /, id_: str, format_: str) -> None:
    """Show one dataset by its id or IRI.

    \b
    Example:
      fedcat show road-accidents-abcdefgh --format jsonld
    """
    entry = here.store.datasets.get(id_)
    if entry.row.state != "current":
        raise WrongUse(f"'{entry.id}' was withdrawn on {entry.row.changed:%d %B %Y}.")
    feed = feed_for(format_)
    if feed is None:
        say_json({"id": entry.id, **framed(entry.resource)})
        return
    sys.stdout.buffer.write(feed.write(dataset_nodes(entry, here.settings)))


@click.group()
def index() -> None:
    """The search index: how far it is, bring it up to date, build it again.

    \b
    Example:
      fedcat index status
    """


@index.command()
@as_json
@with_here
def status(here: Here, /, as_json: bool) -> None:
    """Show whether the index has seen every change.

    \b
    Example:
      fedcat index status
    """
    facts = {
        "documents": here.index.count(),
        "datasets": here.store.datasets.count(),
        "serial": here.index.serial,
        "last_change": here.store.datasets.serial(),
    }
    if as_json:
        say_json(facts)
    else:
        table(("", ""), facts.items())


@index.command()
@as_json
@with_here
def update(here: Here, /, as_json: bool) -> None:
    """Apply what changed since the last time.

    \b
    Example:
      fedcat index update
    """
    applied = catch_up(here.store, here.index, progress("changes applied:"))
    if as_json:
        say_json({"changes": applied})
    else:
        console.say(f"Applied {counted(applied, 'change')}.")


@index.command("rebuild")
@as_json
@with_here
def rebuild_(here: Here, /, as_json: bool) -> None:
    """Build the index from nothing.

    \b
    Example:
      fedcat index rebuild
    """
    indexed = rebuild(here.store, here.index, progress("indexed:"))
    if as_json:
        say_json({"documents": indexed})
    else:
        console.say(f"Indexed {indexed:,} datasets and services.")


@click.command()
@click.argument("format_", metavar="FORMAT", type=click.Choice(list(EXPORTS)))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The file to write; standard output when not given."
)
@with_here
def export(here: Here, /, format_: str, output: Path | None) -> None:
    """Write the whole catalogue: ttl, nt, nq, jsonld, rdf, data.json or csv.

    \b
    Example:
      fedcat export ttl -o catalogue.ttl
    """
    if output is None:
        write_export(here.store, here.settings, format_, sys.stdout.buffer)
        return
    part = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                count = write_export(here.store, here.settings, format_, file, progress("written:"))
            part.replace(output)  # a reader sees the old file or the new one, never a part
        finally:
            part.unlink(missing_ok=True)
    except OSError as wrong:
        raise WrongUse(f"'{output}' cannot be written: {wrong.strerror}.") from wrong
    console.say(f"Wrote {count:,} datasets and services to {output}.")


def _facts(entry: Any) -> dict[str, Any]:
    row = entry.row
    return {
        "id": row.id,
        "iri": row.iri,
        "title": row.title,
        "organisation": row.organisation,
        "modified": row.modified,
    }
