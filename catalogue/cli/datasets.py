"""One dataset or two: put together what is one, keep apart what is two, and look through what may be one."""

from __future__ import annotations

import getpass
from typing import Any

import click

from catalogue.cli.here import Here, as_json, console, counted, say_json, table, with_here
from catalogue.search.follow import catch_up
from catalogue.store import Conflict

by = click.option("--by", "actor", default="", help="Who says so; the one who is logged in here, when it is not given.")
why = click.option("--why", required=True, help="Why, for whoever reads the history.")


@click.group()
def dataset() -> None:
    """Say which records mean one dataset, where identifiers and addresses cannot tell.

    \b
    Example:
      fedcat dataset offers
    """


@dataset.command()
@click.argument("id_", metavar="ID")
@click.argument("other")
@why
@by
@with_here
def merge(here: Here, /, id_: str, other: str, why: str, actor: str) -> None:
    """Let ID take OTHER in: its records describe ID from now on, and its page says where it went.

    \b
    Example:
      fedcat dataset merge flood-zones-ab12cd34 flood-zones-copy-ef56gh78 --why "The portal's copy of the same data"
    """
    into, ending = here.store.datasets.get(id_), here.store.datasets.get(other)
    here.store.joins.merge(into.id, ending.id, actor or getpass.getuser(), why)
    catch_up(here.store, here.index)
    console.say(f"'{ending.id}' is '{into.id}' now. 'fedcat dataset split {into.id}' undoes it, record by record.")


@dataset.command()
@click.argument("id_", metavar="ID")
@click.option("--source", required=True, help="The source whose record means another dataset.")
@click.option("--record", required=True, metavar="IDENTIFIER", help="What that source calls the record.")
@why
@by
@as_json
@with_here
def split(here: Here, /, id_: str, source: str, record: str, why: str, actor: str, as_json: bool) -> None:
    """Give a record a dataset of its own, and keep it apart whatever its identifiers say.

    \b
    Example:
      fedcat dataset split flood-zones-ab12cd34 --source maps --record flood-2019 --why "It is the edition of 2019"
    """
    held = here.store.datasets.get(id_)
    base = here.settings.base_url
    own = here.store.joins.split(held.id, source, record, base=base, actor=actor or getpass.getuser(), why=why)
    catch_up(here.store, here.index)
    if as_json:
        say_json({"dataset": own, "from": held.id, "source": source, "record": record})
        return
    console.say(f"'{record}' of {source} describes '{own}' now. 'fedcat dataset merge {held.id} {own}' undoes it.")


@dataset.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many.")
@as_json
@with_here
def offers(here: Here, /, limit: int, as_json: bool) -> None:
    """List pairs that may be one dataset: of different sources and one organisation, with titles that are alike.

    \b
    Example:
      fedcat dataset offers --json
    """
    found = here.store.joins.offers(limit)
    if as_json:
        say_json(found)
        return
    table(
        ("Dataset", "Title", "Other", "Its title", "Likeness"),
        [(one.dataset, one.title, one.other, one.other_title, f"{one.score:.0%}") for one in found],
        numbers=("Likeness",),
    )
    if found:
        console.say("\nThey are one:   fedcat dataset merge DATASET OTHER --why …")
        console.say("They are two:   fedcat dataset decline DATASET OTHER")


@dataset.command()
@click.argument("id_", metavar="ID")
@click.argument("other")
@click.option("--why", default="", help="Why, for whoever reads the history.")
@by
@with_here
def decline(here: Here, /, id_: str, other: str, why: str, actor: str) -> None:
    """Say that two datasets are two: they are not offered again.

    \b
    Example:
      fedcat dataset decline flood-zones-ab12cd34 flood-zones-2019-ef56gh78
    """
    here.store.joins.decline(id_, other, actor or getpass.getuser(), why)
    console.say(f"'{id_}' and '{other}' stay two.")


@dataset.command()
@click.option("--source", default="", help="Only those that this source has a part in.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many.")
@as_json
@with_here
def conflicts(here: Here, /, source: str, limit: int, as_json: bool) -> None:
    """List where the sources of one dataset say different things of it.

    \b
    Example:
      fedcat dataset conflicts --source maps
    """
    if source:
        here.store.sources.get(source)
    found = here.store.joins.conflicts(source, limit=limit)
    if as_json:
        say_json(found)
        return
    console.say(counted(len(found), "disagreement") + (". The first of the two leads, and is shown." if found else "."))
    table(("Dataset", "Property", "Source", "Says", "Other", "Says"), map(_row, found))


def _row(one: Conflict) -> tuple[Any, ...]:
    return one.dataset, one.property, one.source, one.said, one.other, one.other_said
