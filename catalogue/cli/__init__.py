"""The commands of fedcat. Exit codes: 0 done; 1 the work failed; 2 wrong use or configuration; 3 waits for a person."""

from __future__ import annotations

import sys

import click

from catalogue.cli import corrections, datasets, harvesting, reading, running, sources, tokens, working
from catalogue.cli.here import Here
from catalogue.errors import FedcatError, NotFound, SettingsError, WrongUse

WRONG_USE = (SettingsError, WrongUse, NotFound)


class Commands(click.Group):
    """Commands in the order a newcomer needs them; our own errors become one sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FedcatError as wrong:
            click.echo(f"fedcat: {wrong}", err=True)
            ctx.exit(2 if isinstance(wrong, WRONG_USE) else 1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fedcat", prog_name="fedcat")
@click.pass_context
def fedcat(ctx: click.Context) -> None:
    """A federated dataset catalogue: harvest descriptions, search them, publish them.

    \b
    A first catalogue in three commands:
      fedcat init
      fedcat source add transport --type ckan --url https://data.example.gov.uk
      fedcat harvest --all
    """
    ctx.obj = ctx.with_resource(Here())


for command in (
    running.init,
    sources.source,
    harvesting.preview,
    harvesting.harvest,
    harvesting.remap,
    harvesting.runs,
    harvesting.run,
    working.quarantine,
    working.worker,
    datasets.dataset,
    corrections.correct,
    tokens.token,
    reading.search,
    reading.show,
    reading.index,
    reading.export,
    running.serve,
    running.demo,
    running.doctor,
):
    fedcat.add_command(command)


def main() -> None:
    """Entry point."""
    try:
        fedcat(prog_name="fedcat")
    except BrokenPipeError:  # `fedcat export ttl | head` is no error
        sys.stderr.close()
