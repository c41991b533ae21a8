"""Sources: set up, listed, paused, removed."""

from __future__ import annotations

import getpass
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from catalogue.cli.here import Here, as_json, console, counted, pair, say_json, table, with_here
from catalogue.dcat import Slug
from catalogue.errors import WrongUse
from catalogue.harvest.sources import checked, from_toml, remove, set_up
from catalogue.harvest.sources import restore as bring_back
from catalogue.search.follow import catch_up
from catalogue.source import HarvestSource, harvesters


@click.group()
def source() -> None:
    """Set up the sources that descriptions come from.

    \b
    Example:
      fedcat source list
    """


@source.command()
@click.argument("name")
@click.option("--type", "type_", required=True, help="Its kind: see 'fedcat source types'.")
@click.option("--url", required=True, help="Its address.")
@click.option("--title", default="", help="What people call it.")
@click.option("--organisation", help="The slug of the body that answers for it.")
@click.option("--schedule", default="", help='When to harvest it, as a cron expression: "0 3 * * *".')
@click.option(
    "--priority", default=100, show_default=True, help="Which source leads when two describe one dataset: the lowest."
)
@click.option("--contact", default="", help="The e-mail address of whoever is told when something is wrong.")
@click.option("--time-zone", default="Europe/London", show_default=True, help="In which its schedule is meant.")
@click.option("--blackout", default="", help='When its owner does not want us: "Mon-Fri 08:00-18:00".')
@click.option(
    "--few", default=10, show_default=True, help="So many records may vanish in a run without a person's word …"
)
@click.option("--share", default=0.1, show_default=True, help="… or this part of them, whichever is more.")
@click.option(
    "--sweep", default=7, show_default=True, help="Days after which everything is asked for, not only changes."
)
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="A setting of its harvester; may be repeated."
)
@with_here
def add(here: Here, /, name: str, options: tuple[str, ...], type_: str, **rest: Any) -> None:
    """Add a source.

    \b
    Example:
      fedcat source add transport --type ckan --url https://data.transport.example.gov.uk --organisation department-for-transport
    """
    pairs = dict(pair(said, "--option", "language=cy") for said in options)
    here.store.sources.add(checked(_source(name=name, type=type_, options=pairs, **rest)))
    console.say(
        f"Added '{name}'. 'fedcat preview {name}' shows what it would bring, 'fedcat harvest {name}' brings it."
    )


@source.command("list")
@as_json
@with_here
def list_(here: Here, /, as_json: bool) -> None:
    """List the sources with their last run.

    \b
    Example:
      fedcat source list --json
    """
    runs, counts = here.store.runs.latest(), here.store.sources.counts()
    rows = [(source, runs.get(source.name), counts.get(source.name, 0)) for source in here.store.sources.all()]
    if as_json:
        say_json([{**_facts(source), "datasets": count, "last_run": run} for source, run, count in rows])
        return
    table(
        ("Name", "Type", "Datasets", "Last run", "Status", "Address"),
        [
            (
                s.name,
                s.type,
                count,
                run.began if run else None,
                "paused" if s.paused else run.status if run else "new",
                s.url,
            )
            for s, run, count in rows
        ],
        numbers=("Datasets",),
    )


@source.command()
@click.argument("name")
@as_json
@with_here
def show(here: Here, /, name: str, as_json: bool) -> None:
    """Show one source.

    \b
    Example:
      fedcat source show transport
    """
    held = here.store.sources.get(name)
    facts = {**_facts(held), "datasets": here.store.sources.counts().get(name, 0)}
    if as_json:
        say_json(facts)
        return
    table(("", ""), facts.items())


@source.command()
@click.argument("name")
@with_here
def pause(here: Here, /, name: str) -> None:
    """Leave a source out of 'harvest --all'; its datasets stay.

    \b
    Example:
      fedcat source pause transport
    """
    here.store.sources.pause(name, True)
    console.say(f"'{name}' is paused. Its datasets stay as they are.")


@source.command()
@click.argument("name")
@with_here
def resume(here: Here, /, name: str) -> None:
    """Harvest a paused source again.

    \b
    Example:
      fedcat source resume transport
    """
    here.store.sources.pause(name, False)
    console.say(f"'{name}' is harvested again.")


@source.command("remove")
@click.argument("name")
@click.option("--keep-datasets", is_flag=True, help="Leave what it brought in the catalogue.")
@with_here
def remove_(here: Here, /, name: str, keep_datasets: bool) -> None:
    """Remove a source and withdraw what only it described.

    \b
    Example:
      fedcat source remove transport --keep-datasets
    """
    gone = remove(here.store, name, keep_datasets, getpass.getuser())
    catch_up(here.store, here.index)
    left = "Its datasets stay." if keep_datasets else f"Withdrew what {counted(gone, 'record')} said."
    console.say(f"Removed '{name}'. {left} 'fedcat source restore {name}' brings it back.")


@source.command()
@click.argument("name")
@with_here
def restore(here: Here, /, name: str) -> None:
    """Bring back a source that was removed. Its datasets return at its next harvest, at their old addresses.

    
    Example:
      fedcat source restore transport
    """
    bring_back(here.store, name, getpass.getuser())
    console.say(f"'{name}' is back. 'fedcat harvest {name}' brings its datasets back, at their old addresses.")


@source.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_here
def import_(here: Here, /, file: Path) -> None:
    """Set up every source of a TOML file; those of the same name are changed. Nothing is, when one of them is wrong.

    \b
    Example:
      fedcat source import sources.toml
    with a file such as
      [[source]]
      name = "transport"
      type = "ckan"
      url = "https://data.transport.example.gov.uk"
      schedule = "0 3 * * *"
    """
    try:
        held = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise WrongUse(f"{file} is not valid TOML: {wrong}.") from wrong
    changed = [source.name for source in from_toml(held) if set_up(here.store, source)]
    console.say(
        f"{counted(len(changed), 'source')} set up or changed: {', '.join(changed) or 'all were as they should be'}."
    )


@source.command()
@as_json
def types(as_json: bool) -> None:
    """List the kinds of source, with their options and a sample.

    \b
    Example:
      fedcat source types
    """
    found = harvesters()
    if as_json:
        say_json({n: {"title": h.title, "sample": h.sample, "options": h.options} for n, h in found.items()})
        return
    for name, harvester in found.items():
        console.say(f"{name}: {harvester.title}", style="bold")
        console.say(f"  for example {harvester.sample}")
        if harvester.options:
            rows = [(f"  {o.name}", o.meaning, o.default or "–") for o in harvester.options]
            table(("  Option", "Meaning", "Default"), rows)
        console.say("")


def _source(*, organisation: str | None, name: str, **rest: Any) -> HarvestSource:
    return HarvestSource(name=Slug(name), organisation=Slug(organisation) if organisation else None, **rest)


def _facts(source: HarvestSource) -> dict[str, Any]:
    return {field.name: getattr(source, field.name) for field in fields(source)}
