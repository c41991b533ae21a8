"""The worker, and what waits for a person."""

from __future__ import annotations

import getpass
import signal
import threading
import time
from dataclasses import asdict
from datetime import UTC, datetime

import click

from catalogue.cli.here import Here, as_json, console, counted, say_json, table, with_here
from catalogue.harvest import after, decide
from catalogue.harvest.worker import Worker
from catalogue.mail import open_post
from catalogue.search.follow import catch_up
from catalogue.store import Quarantine, Run

WAITING = 3
DAY = 24 * 3600.0


@click.command()
@click.option("--once", is_flag=True, help="Do what is due, then end: for cron and systemd timers.")
@with_here
def worker(here: Here, /, once: bool) -> None:
    """Harvest sources when their schedules say so. Start as many as you like, on as many machines as share the database.

    \b
    Examples:
      fedcat worker
      fedcat worker --once
    """
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    post = open_post(here.settings)
    tidied = -DAY

    def tell(words: str) -> None:
        console.say(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {words}")

    def ended(run: Run) -> None:
        nonlocal tidied
        catch_up(here.store, here.index)
        after.write_letters(run, here.store, here.settings.base_url)
        after.post_letters(here.store, post)
        if time.monotonic() > tidied + DAY:
            tidied = time.monotonic()
            after.forget_old_runs(here.store, here.settings.keep_runs_days)

    if not once:
        tell("Looking for work (stop with Ctrl+C; a run under way goes on at its next worker).")
    at_work = Worker(here.store, here.client, here.settings.base_url, tell, ended)
    made = at_work.work(stop, once=once)
    if once:
        tell(f"{counted(made, 'attempt')}; nothing else is due.")


@click.group()
def quarantine() -> None:
    """Decide about datasets that are suddenly missing from their source.

    \b
    Example:
      fedcat quarantine list
    """


@quarantine.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are decided, too.")
@as_json
@with_here
def list_(here: Here, /, every: bool, as_json: bool) -> None:
    """List what waits for a person.

    \b
    Example:
      fedcat quarantine list
    """
    found = here.store.quarantines.some(all_=every)
    if as_json:
        say_json(found)
        return
    table(
        ("Number", "Source", "Missing", "State", "Since", "What may have happened"),
        [(one.id, one.source, one.size, one.state, one.opened, one.cause) for one in found],
        numbers=("Number", "Missing"),
    )


@quarantine.command()
@click.argument("id_", metavar="ID", type=int)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1), help="How many titles.")
@as_json
@with_here
def show(here: Here, /, id_: int, limit: int, as_json: bool) -> None:
    """Show what would go, what the source gave in its last runs, and what may have happened.

    \b
    Example:
      fedcat quarantine show 3
    """
    held = here.store.quarantines.get(id_)
    missing = here.store.quarantines.missing(id_, None if as_json else limit)
    if as_json:
        say_json({**asdict(held), "missing": missing})
        return
    console.say(
        f"{held.source}: {counted(held.size, 'record')} missing since run {held.run}. {held.state.title()}.", "bold"
    )
    console.say(held.cause)
    console.say(f"Records in its last runs: {', '.join(f'{count:,}' for count in held.counts)}.\n")
    table(
        ("Title", "Identifier", "Seems to be now"),
        [(one.title, one.identifier, one.renamed_to or "–") for one in missing],
    )
    if held.size > len(missing):
        console.say(f"… and {held.size - len(missing):,} more: --limit {held.size}")
    if held.state == "open":
        console.say(f"\nThey are meant to be gone:   fedcat quarantine approve {id_}")
        if held.renamed:
            console.say(f"They have new identifiers:   fedcat quarantine approve {id_} --renamed")
        console.say(f"They are to stay:            fedcat quarantine reject {id_}")


@quarantine.command()
@click.argument("id_", metavar="ID", type=int)
@click.option("--renamed", is_flag=True, help="Those with a new identifier keep their pages; the others stay held.")
@click.option("--note", default="", help="Why, for those who ask later.")
@with_here
def approve(here: Here, /, id_: int, renamed: bool, note: str) -> None:
    """Withdraw what is missing; or, with --renamed, let it go on under its new identifier.

    \b
    Examples:
      fedcat quarantine approve 3 --note "The team was wound up"
      fedcat quarantine approve 3 --renamed
    """
    act = decide.renamed if renamed else decide.approve
    done = act(here.store, id_, getpass.getuser(), note)
    catch_up(here.store, here.index)
    what = "go on under their new identifiers" if renamed else "were withdrawn"
    console.say(f"{counted(done, 'record')} of '{here.store.quarantines.get(id_).source}' {what}.")


@quarantine.command()
@click.argument("id_", metavar="ID", type=int)
@click.option("--note", default="", help="Why, for those who ask later.")
@with_here
def reject(here: Here, /, id_: int, note: str) -> None:
    """Keep what is missing, until it returns or a harvest is told to believe the source (--force).

    \b
    Example:
      fedcat quarantine reject 3 --note "Their export is broken, they know"
    """
    decide.reject(here.store, id_, getpass.getuser(), note)
    held: Quarantine = here.store.quarantines.get(id_)
    console.say(f"{counted(held.size, 'record')} of '{held.source}' stay as they are.")
