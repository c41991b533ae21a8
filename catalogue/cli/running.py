"""Running: set up, serve, demonstrate, and find out what is wrong."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

import click

from catalogue.cli.doctor import examine
from catalogue.cli.here import Here, as_json, console, say_json, with_here
from catalogue.demo import sources as example_sources
from catalogue.demo.server import served
from catalogue.errors import SettingsError
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import from_toml, set_up
from catalogue.http import Client
from catalogue.search.follow import catch_up
from catalogue.source import HarvestSource, harvester
from catalogue.store import Run

EXAMPLES_PORT = 8001
DEFAULT_ADDRESS = "http://127.0.0.1:8000"
PORT = click.IntRange(0, 65535)


@click.command()
@with_here
def init(here: Here, /) -> None:
    """Create the database, or bring it up to this version.

    \b
    Example:
      fedcat init
    """
    changed = here.bare_store.upgrade()
    console.say("The database is ready." if changed else "The database is up to date already.")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for every one.")
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option(
    "--workers",
    default=8,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many requests are answered at once.",
)
@with_here
def serve(here: Here, /, host: str, port: int, workers: int) -> None:
    """Serve the site and the feeds.

    \b
    Example:
      fedcat serve --port 8080
    """
    _serve(here, host, port, workers)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option(
    "--examples-port",
    default=EXAMPLES_PORT,
    show_default=True,
    type=PORT,
    help="Where the example sources are served.",
)
@click.option("--once", is_flag=True, help="Harvest the examples and stop, without serving the site.")
@with_here
def demo(here: Here, /, host: str, port: int, examples_port: int, once: bool) -> None:
    """Fill a catalogue from the example sources and serve it: what 'make run' does.

    \b
    Example:
      fedcat demo
    """
    began = time.monotonic()
    if here.settings.base_url == DEFAULT_ADDRESS:  # nobody chose one: links lead to where the demonstration is
        here.settings = replace(here.settings, base_url=f"http://{host}:{port}")
    here.bare_store.upgrade()
    with ExitStack() as opened:
        try:
            address = opened.enter_context(served(port=examples_port))
        except OSError as wrong:
            raise _taken("127.0.0.1", examples_port, "--examples-port", wrong) from wrong
        client = opened.enter_context(Client(allow_private=True))
        done = [_harvested(here, source, client) for source in from_toml({"source": example_sources(address)})]
        catch_up(here.store, here.index)
        count = here.store.datasets.count()
        console.say(f"  {count:,} datasets and services, harvested and indexed in {time.monotonic() - began:.1f} s.")
        if not once:
            _serve(here, host, port, workers=8)
    if any(run.status != "complete" for run in done):
        raise click.exceptions.Exit(1)


def _harvested(here: Here, source: HarvestSource, client: Client) -> Run:
    """One of the examples brought up to date, and told."""
    set_up(here.store, source)
    run = HarvestRun.begin(source, here.store, here.settings.base_url)
    done = line.harvest(run, harvester(source.type), client)
    counts = (
        f"{done.added:>3} added {done.updated:>3} updated {done.unchanged:>3} unchanged {done.rejected:>3} rejected"
    )
    trouble = "" if done.status == "complete" else f"  {done.status}: {done.message}"
    console.say(f"  {source.name:<20} {source.type:<10} {counts}{trouble}")
    return done


@click.command()
@as_json
@with_here
def doctor(here: Here, /, as_json: bool) -> None:
    """Look at settings, database, index, clock, disk and clashes: what is wrong, and the fix.

    \b
    Example:
      fedcat doctor
    """
    findings = examine(here)
    if as_json:
        say_json(findings)
    for finding in () if as_json else findings:
        console.say(f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.found}")
        if not finding.good:
            console.say(f"     {finding.fix}")
    if not all(finding.good for finding in findings):
        raise click.exceptions.Exit(1)


def _serve(here: Here, host: str, port: int, workers: int) -> None:
    import waitress  # only those who serve need it, and the site

    from catalogue.web import create_app

    catch_up(here.store, here.index)
    app = create_app(here.settings, here.store, here.index)
    try:
        server = waitress.create_server(app, host=host, port=port, threads=workers, ident="fedcat")
    except OSError as wrong:
        raise _taken(host, port, "--port", wrong) from wrong
    console.say(f"Serving on http://{host}:{port} (stop with Ctrl+C)")
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()


def _taken(host: str, port: int, option: str, wrong: OSError) -> SettingsError:
    return SettingsError(f"Port {port} of {host} cannot be used: {wrong.strerror}. Choose another with {option}.")
