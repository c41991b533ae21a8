"""Harvesting: look first, bring it in, map it again, and see how it went."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import click

from catalogue.cli.here import Here, as_json, console, counted, pair, progress, say_json, table, with_here
from catalogue.dcat import Slug, Text
from catalogue.errors import Busy, FedcatError, LeaseLost, Problem, SourceUnavailable, StoreAway, WrongUse
from catalogue.harvest import after, line
from catalogue.harvest.preview import Preview
from catalogue.harvest.preview import preview as look
from catalogue.harvest.runs import HarvestRun
from catalogue.harvest.sources import checked
from catalogue.harvest.worker import Worker, beating
from catalogue.http import Client
from catalogue.mail import open_post
from catalogue.search.follow import catch_up
from catalogue.source import Fetched, Harvester, HarvestSource, SourceRecord, Visit, harvester
from catalogue.store import Run

FAILED, WAITING = 1, 3
COUNTS = ("fetched", "added", "updated", "unchanged", "withdrawn", "held", "rejected", "problems")
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
@click.option("--due", is_flag=True, help="Those whose schedule says so: for machines without a worker.")
@click.option("--force", is_flag=True, help="Believe the source: withdraw also what would be held for a person.")
@click.option(
    "--limit", type=click.IntRange(min=1), help="Stop after so many records; the run is partial and withdraws nothing."
)
@as_json
@with_here
def harvest(
    here: Here, /, names: tuple[str, ...], every: bool, due: bool, force: bool, limit: int | None, as_json: bool
) -> None:
    """Bring sources up to date, then the search index.

    \b
    Examples:
      fedcat harvest transport
      fedcat harvest --all --json
      fedcat harvest --due
      fedcat harvest transport --limit 20
    """
    sources = _due(here) if due and not (names or every) else _chosen(here, names, every)

    def one(source: HarvestSource, run: HarvestRun, tell: Callable[[int], None]) -> Run:
        with here.client() as client:
            found = first(limit, harvester(source.type)) if limit else harvester(source.type)
            with beating(here.store, run.row):
                return line.harvest(run, found, client, trusting=force, progress=lambda r: tell(r.tally.fetched))

    _work(here, sources, one, as_json)


@click.command()
@click.argument("names", nargs=-1)
@as_json
@with_here
def remap(here: Here, /, names: tuple[str, ...], as_json: bool) -> None:
    """Map the stored records again, without the network: after an upgrade, say.

    \b
    Example:
      fedcat remap transport
    """

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
    codes = set()
    for source in sources:
        tell = (lambda _: None) if as_json else progress(f"{source.name}: read")
        try:
            begun = HarvestRun.begin(source, here.store, here.settings.base_url)
        except Busy as busy:
            click.echo(f"fedcat: {busy}", err=True)
            codes.add(FAILED)
            continue
        try:
            run = one(source, begun, tell)
        except (StoreAway, LeaseLost):  # the run stays open, and whoever comes next goes on with it
            raise
        except FedcatError as wrong:  # its harvester is not installed, say
            begun.note([Problem(rule="source-unusable", message=str(wrong), fix="Mend the source, or remove it.")])
            run = begun.finish("failed", str(wrong))
        after.write_letters(run, here.store, here.settings.base_url)
        codes.add(STATUS_CODES[run.status])
        if as_json:
            click.echo(json.dumps(_counts(run), ensure_ascii=False))
        else:
            console.say(_sentence(run))
    catch_up(here.store, here.index)
    after.post_letters(here.store, open_post(here.settings))
    raise click.exceptions.Exit(next((code for code in (FAILED, WAITING) if code in codes), 0))


@click.command()
@click.argument("source", required=False)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="How many.")
@as_json
@with_here
def runs(here: Here, /, source: str | None, limit: int, as_json: bool) -> None:
    """List past runs, newest first.

    \b
    Example:
      fedcat runs transport
    """
    if source:
        here.store.sources.get(source)
    found = here.store.runs.some(source, limit)
    if as_json:
        say_json(found)
        return
    table(
        ("Run", "Source", "Status", "Began", "Outcome", "Problems"),
        [(run.id, run.source, run.status, run.began, _outcome(run), run.problems) for run in found],
        numbers=("Run", "Problems"),
    )


@click.command()
@click.argument("id_", metavar="ID", type=int)
@as_json
@with_here
def run(here: Here, /, id_: int, as_json: bool) -> None:
    """Show one run with its problems and how to mend them.

    \b
    Example:
      fedcat run 12
    """
    found, problems = here.store.runs.get(id_), here.store.runs.problems(id_)
    if as_json:
        say_json({**asdict(found), "problems_found": problems})
        return
    console.say(_sentence(found))
    for problem in problems:
        place = " ".join(filter(None, (problem.record, problem.location if problem.location != problem.record else "")))
        facts = {"where": place, "found": problem.found, "to mend it": problem.fix, "rule": problem.rule}
        console.say(f"\n{problem.severity}: {problem.message}", style="bold")
        for label, words in facts.items():
            if words:
                console.say(f"  {label}: {words}")
    if len(problems) < found.problems:
        console.say(f"\nThese are the first {len(problems):,} of {counted(found.problems, 'problem')}.")


def first(limit: int, whole: Harvester) -> Harvester:
    """A harvester that stops after so many records, as if its source had broken off: so nothing is withdrawn."""

    def fetch(source: HarvestSource, client: Client, visit: Visit) -> Iterator[Fetched]:
        count = 0
        for found in whole.fetch(source, client, visit):
            if count == limit:
                raise SourceUnavailable(
                    f"Stopped after {counted(limit, 'record')}, as --limit asks.",
                    fix="Harvest without --limit to bring the rest.",
                    rule="limit",
                )
            count += isinstance(found, SourceRecord)
            yield found

    return cast(Harvester, SimpleNamespace(fetch=fetch, map=whole.map))


def _chosen(here: Here, names: tuple[str, ...], every: bool) -> list[HarvestSource]:
    if bool(names) == every:
        raise WrongUse("Name the sources to work on, or say --all.")
    if names:
        return [here.store.sources.get(name) for name in names]
    return [source for source in here.store.sources.all() if not source.paused]


def _due(here: Here) -> list[HarvestSource]:
    """The sources whose time has come; when each comes again is worked out."""
    due = Worker(here.store, here.client, here.settings.base_url).due(datetime.now(UTC))
    return [source for source in due if not source.paused]


def _unsaved(type_: str | None, url: str | None, options: tuple[str, ...]) -> HarvestSource:
    if not type_ or not url:
        raise WrongUse("Name a source that is set up, or give --type and --url of one that is not.")
    pairs = dict(pair(said, "--option", "language=cy") for said in options)
    return checked(HarvestSource(name=Slug("preview"), type=type_, url=url, options=pairs))


def _counts(run: Run) -> dict[str, Any]:
    """The object that scripts rely on (DESIGN §5)."""
    names = ("status", *COUNTS, "seconds")
    return {"source": run.source, "run": run.id, **{name: getattr(run, name) for name in names}}


def _sentence(run: Run) -> str:
    told = f" ({counted(run.problems, 'problem')}: fedcat run {run.id})" if run.problems else ""
    said = f" {run.message}" if run.message else ""
    return f"{run.source}: {run.status}, {_outcome(run)} in {run.seconds:.1f} s{told}.{said}"


def _outcome(run: Run) -> str:
    counts = [f"{getattr(run, name):,} {name}" for name in COUNTS[1:-1] if getattr(run, name)]
    return ", ".join(counts) or "nothing new"


WORDS = 200
"""How many characters of a value a preview prints."""
SHOWN = 20
"""How many titles, and how many problems, a preview prints; '--json' has more of them."""


def _show_preview(seen: Preview) -> None:
    said = [f"{seen.fetched:,} read", f"{seen.unchanged:,} unchanged", f"{seen.counts['rejected']:,} rejected"]
    console.say(f"{seen.source}: {', '.join(said)}. Nothing was written.")
    gone = [one.title for one in seen.gone] or seen.withdrawn or []
    for words, titles, count in (
        ("Would be added", seen.added, seen.counts["added"]),
        ("Would be updated", seen.updated, seen.counts["updated"]),
        ("Would go", gone, len(seen.withdrawn or [])),
    ):
        if count:
            console.say(f"\n{words} ({count:,})", style="bold")
            _list([f"  {title}" for title in titles], count)
    for changed in seen.changed[:SHOWN]:
        console.say(f"\n{changed.title}, property by property", style="bold")
        _list([f"  {one.label}: {_words(one.before)} → {_words(one.after)}" for one in changed.differences], 0)
    if seen.held:
        console.say("\nThat many disappearances would be held until a person confirms them.")
    if seen.waiting:
        console.say(f"\n{counted(seen.waiting, 'record')} would go on waiting for a person: fedcat quarantine list")
    if seen.message:
        console.say(f"\nIt broke off: {seen.message}")
    if seen.not_assessed:
        console.say(f"What would go is not assessed. {seen.not_assessed}")
    _list([f"\n{p.severity}: {p.message}\n  to mend it: {p.fix}" for p in seen.problems], seen.counts["problems"])


def _words(values: Sequence[Text]) -> str:
    """What a property says, short enough for a line."""
    said = "; ".join(value.value for value in values) or "not given"
    return said if len(said) <= WORDS else f"{said[:WORDS]}…"


def _list(lines: list[str], count: int) -> None:
    for line_ in lines[:SHOWN]:
        console.say(line_)
    if count > SHOWN:
        console.say(f"  … and {count - SHOWN:,} more")
