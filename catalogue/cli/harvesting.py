"""Harvesting: look first, bring it in, map it again, and see how it went."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from catalogue.cli.here import Here, as_json, console, progress, say_json, table, with_here
from catalogue.dcat import Slug
from catalogue.errors import WrongUse
from catalogue.harvest import line
from catalogue.harvest.preview import Preview
from catalogue.harvest.preview import preview as look
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import checked
from catalogue.search.follow import catch_up
from catalogue.source import HarvestSource, harvester
from catalogue.store import Run

FAILED, WAITING = 1, 3
STATUS_CODES = {"complete": 0, "partial": FAILED, "failed": FAILED, "quarantined": WAITING}


@click.command()
@click.argument("name", required=False)
@click.option("--type", "type_", help="Look at a source that is not set up: its kind …")
@click.option("--url", help="… and its address.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="A setting of its harvester.")
@as_json
@with_here
def preview(
    here: Here, name: str | None, type_: str | None, url: str | None, options: tuple[str, ...], as_json: bool
) -> None:
    """Show what a harvest would add, update, withdraw and reject. Writes nothing.

    \b
    Examples:
      fedcat preview transport
      fedcat preview --type dcat-rdf --url https://data.example.gov.uk/catalog.ttl
    """
    source = here.store.sources.get(name) if name else _unsaved(type_, url, options)
    with here.client() as client:
        seen = look(source, harvester(source.type), client, here.store, here.settings.base_url)
    if as_json:
        say_json(seen)
    else:
        _show_preview(seen)
    if seen.message:
        raise click.exceptions.Exit(FAILED)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every source that is not paused.")
@click.option("--force", is_flag=True, help="Believe the source: withdraw also what would be held for a person.")
@as_json
@with_here
def harvest(here: Here, /, names: tuple[str, ...], every: bool, force: bool, as_json: bool) -> None:
    """Bring sources up to date, then the search index.

    \b
    Examples:
      fedcat harvest transport
      fedcat harvest --all --json
    """
    sources = _chosen(here, names, every)

    def one(source: HarvestSource, run: HarvestRun, tell: Callable[[int], None]) -> Run:
        with here.client() as client:
            found = harvester(source.type)
            return line.harvest(run, found, client, trusting=force, progress=lambda r: tell(r.tally.fetched))

    _work(here, sources, one, as_json)


@click.command()
@click.argument("names", nargs=-1)
@as_json
@with_here
def remap(here: Here, /, names: tuple[str, ...], as_json: bool) -> None:
    """Map the stored records again, without the network: after an upgrade, say. Example: fedcat remap transport"""

    def one(source: HarvestSource, run: HarvestRun, tell: Callable[[int], None]) -> Run:
        return line.remap(run, harvester(source.type), progress=lambda r: tell(r.tally.fetched))

    _work(here, _chosen(here, names, every=not names), one, as_json)


def _work(
    here: Here,
    sources: list[HarvestSource],
    one: Callable[[HarvestSource, HarvestRun, Callable[[int], None]], Run],
    as_json: bool,
) -> None:
    """Source after source; one that fails stops no other. Then the index catches up."""
    done = []
    for source in sources:
        tell = (lambda _: None) if as_json else progress(f"{source.name}: read")
        run = one(source, HarvestRun.begin(source, here.store, here.settings.base_url), tell)
        done.append(run)
        if not as_json:
            console.print(_sentence(run))
    catch_up(here.store, here.index)
    if as_json:
        for run in done:
            click.echo(json.dumps(_counts(run), ensure_ascii=False))
    code = max((STATUS_CODES[run.status] for run in done), default=0)
    if any(run.status in ("partial", "failed") for run in done):
        code = FAILED
    raise click.exceptions.Exit(code)


@click.command()
@click.argument("source", required=False)
@click.option("--limit", default=20, show_default=True, help="How many.")
@as_json
@with_here
def runs(here: Here, /, source: str | None, limit: int, as_json: bool) -> None:
    """List past runs, newest first. Example: fedcat runs transport"""
    if source:
        here.store.sources.get(source)
    found = here.store.runs.some(source, limit)
    if as_json:
        say_json(found)
        return
    names = ("fetched", "added", "updated", "unchanged", "withdrawn", "held", "rejected", "problems")
    table(
        ("Run", "Source", "Status", "Began", "Seconds", *map(str.capitalize, names)),
        [(r.id, r.source, r.status, r.began, f"{r.seconds:.1f}", *(getattr(r, name) for name in names)) for r in found],
        numbers=("Run", "Seconds", *map(str.capitalize, names)),
    )


@click.command()
@click.argument("id_", metavar="ID", type=int)
@as_json
@with_here
def run(here: Here, /, id_: int, as_json: bool) -> None:
    """Show one run with its problems and how to mend them. Example: fedcat run 12"""
    found, problems = here.store.runs.get(id_), here.store.runs.problems(id_)
    if as_json:
        say_json({**asdict(found), "problems_found": problems})
        return
    console.print(_sentence(found))
    for problem in problems:
        place = " ".join(filter(None, (problem.record, problem.location if problem.location != problem.record else "")))
        console.print(f"\n{problem.severity}: {problem.message}", style="bold", markup=False)
        for label, words in (
            ("where", place),
            ("found", problem.found),
            ("to mend it", problem.fix),
            ("rule", problem.rule),
        ):
            if words:
                console.print(f"  {label}: {words}", markup=False)


def _chosen(here: Here, names: tuple[str, ...], every: bool) -> list[HarvestSource]:
    if bool(names) == every:
        raise WrongUse("Name the sources to work on, or say --all.")
    if names:
        return [here.store.sources.get(name) for name in names]
    return [source for source in here.store.sources.all() if not source.paused]


def _unsaved(type_: str | None, url: str | None, options: tuple[str, ...]) -> HarvestSource:
    if not type_ or not url:
        raise WrongUse("Name a source that is set up, or give --type and --url of one that is not.")
    pairs = dict(option.partition("=")[::2] for option in options)
    return checked(HarvestSource(name=Slug("preview"), type=type_, url=url, options=pairs))


def _counts(run: Run) -> dict[str, Any]:
    """The object that scripts rely on (DESIGN §5)."""
    names = (
        "status",
        "fetched",
        "added",
        "updated",
        "unchanged",
        "withdrawn",
        "held",
        "rejected",
        "problems",
        "seconds",
    )
    return {"source": run.source, "run": run.id, **{name: getattr(run, name) for name in names}}


def _sentence(run: Run) -> str:
    counts = [
        f"{getattr(run, name):,} {name}"
        for name in ("added", "updated", "unchanged", "withdrawn", "held", "rejected")
        if getattr(run, name)
    ]
    told = f" ({run.problems:,} problems: fedcat run {run.id})" if run.problems else ""
    said = f" {run.message}" if run.message else ""
    return f"{run.source}: {run.status}, {', '.join(counts) or 'nothing new'} in {run.seconds:.1f} s{told}.{said}"


def _show_preview(seen: Preview) -> None:
    said = [f"{seen.fetched:,} read", f"{seen.unchanged:,} unchanged", f"{seen.counts.get('rejected', 0):,} rejected"]
    console.print(f"{seen.source}: {', '.join(said)}. Nothing was written.")
    for name, titles in (
        ("Would be added", seen.added),
        ("Would be updated", seen.updated),
        ("Would go", seen.withdrawn or []),
    ):
        if titles:
            console.print(f"\n[bold]{name}[/bold] ({len(titles):,})")
            for title in titles[:20]:
                console.print(f"  {title}", markup=False)
            if len(titles) > 20:
                console.print(f"  … and {len(titles) - 20:,} more")
    if seen.held:
        console.print("\nThat many disappearances would be held until a person confirms them.")
    if seen.message:
        console.print(f"\nIt broke off: {seen.message} What is gone from the source cannot be judged.", markup=False)
    for problem in seen.problems[:20]:
        console.print(f"\n{problem.severity}: {problem.message}\n  to mend it: {problem.fix}", markup=False)
