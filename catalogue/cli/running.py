"""Running: set up, serve, demonstrate, and find out what is wrong."""

from __future__ import annotations

import time

import click

from catalogue.cli.doctor import examine
from catalogue.cli.here import Here, as_json, console, say_json, with_here
from catalogue.demo import sources as example_sources
from catalogue.demo.server import served
from catalogue.errors import SettingsError
from catalogue.harvest import line
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import from_toml
from catalogue.http import Client
from catalogue.search.follow import catch_up
from catalogue.source import harvester

EXAMPLES_PORT = 8001


@click.command()
@with_here
def init(here: Here, /) -> None:
    """Create the database, or bring it up to this version. Example: fedcat init"""
    changed = here.bare_store.upgrade()
    console.print("The database is ready." if changed else "The database is up to date already.")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for every one.")
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=8, show_default=True, help="How many requests are answered at once.")
@with_here
def serve(here: Here, /, host: str, port: int, workers: int) -> None:
    """Serve the site and the feeds. Example: fedcat serve --port 8080"""
    _serve(here, host, port, workers)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--examples-port", default=EXAMPLES_PORT, show_default=True, help="Where the example sources are served.")
@click.option("--once", is_flag=True, help="Harvest the examples and stop, without serving the site.")
@with_here
def demo(here: Here, /, host: str, port: int, examples_port: int, once: bool) -> None:
    """Fill a catalogue from the example sources and serve it: what 'make run' does. Example: fedcat demo"""
    began = time.monotonic()
    here.bare_store.upgrade()
    with served(port=examples_port) as address, Client(allow_private=True) as client:
        for source in from_toml({"source": example_sources(address)}):
            here.store.sources.replace(source)
            run = HarvestRun.begin(source, here.store, here.settings.base_url)
            done = line.harvest(run, harvester(source.type), client)
            console.print(
                f"  {source.name:<20} {source.type:<10} {done.added:>3} added {done.updated:>3} updated "
                f"{done.unchanged:>3} unchanged {done.rejected:>3} rejected",
                highlight=False,
            )
        catch_up(here.store, here.index)
        count = here.store.datasets.count()
        console.print(f"  {count:,} datasets and services, harvested and indexed in {time.monotonic() - began:.1f} s.")
        if not once:
            _serve(here, host, port, workers=8)


@click.command()
@as_json
@with_here
def doctor(here: Here, /, as_json: bool) -> None:
    """Look at settings, database, index, clock, disk and clashes: what is wrong, and the fix. Example: fedcat doctor"""
    findings = examine(here)
    if as_json:
        say_json(findings)
    for finding in () if as_json else findings:
        console.print(
            f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.found}", markup=False, highlight=False
        )
        if not finding.good:
            console.print(f"     {finding.fix}", markup=False, highlight=False)
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
        raise SettingsError(
            f"Port {port} of {host} cannot be used: {wrong.strerror}. Choose another with --port."
        ) from wrong
    console.print(f"Serving on http://{host}:{port} (stop with Ctrl+C)")
    try:
        server.run()
    except KeyboardInterrupt:
        server.close()
