"""Sources set up and taken away: what is checked before one is kept, and what becomes of its datasets when it goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import SplitResult, urlsplit

from catalogue.dcat import Slug
from catalogue.errors import WrongUse
from catalogue.organisations import slug
from catalogue.source import HarvestSource, harvester
from catalogue.store import Store

SCHEDULE_FIELDS = 5
FIELDS = ("name", "type", "url", "title", "organisation", "schedule", "options", "priority")


def checked(source: HarvestSource) -> HarvestSource:
    """The source itself, called by its name where it has no title. Raises WrongUse: what is wrong, what would be right."""
    if not source.name or slug(source.name) != source.name:
        raise WrongUse(
            f"The name '{source.name}' has to be lower-case letters, digits and hyphens: '{slug(source.name)}'."
        )
    parts = _address(source.url)
    if parts.username or parts.password:
        raise WrongUse("The address carries a password, which would be shown on the site. Leave it out.")
    if source.organisation and slug(source.organisation) != source.organisation:
        raise WrongUse(f"The organisation '{source.organisation}' has to be a slug: '{slug(source.organisation)}'.")
    if source.schedule and len(source.schedule.split()) != SCHEDULE_FIELDS:
        raise WrongUse(
            f"The schedule '{source.schedule}' has to be a cron expression of five fields, such as '0 3 * * *'."
        )
    known = [option.name for option in harvester(source.type).options]
    for name in source.options:
        if name not in known:
            raise WrongUse(f"A {source.type} source has no option '{name}'. Options: {', '.join(known) or 'none'}.")
    return replace(source, title=source.title or source.name)


def from_toml(held: Mapping[str, Any]) -> list[HarvestSource]:
    """The sources of a file's `[[source]]` tables. Raises WrongUse at the first that is wrong, naming it."""
    tables = held.get("source")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise WrongUse("The file names no source. It needs one [[source]] table for each, with name, type and url.")
    found = [_from_table(number, table) for number, table in enumerate(tables, start=1)]
    names = [source.name for source in found]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise WrongUse(f"The file has two sources called '{repeated[0]}'. Give every source a name of its own.")
    return found


def set_up(store: Store, source: HarvestSource) -> bool:
    """Add a source, or change the one of that name, which stays paused if it was. True when anything is different."""
    held = {each.name: each for each in store.sources.all()}.get(source.name)
    return store.sources.replace(replace(source, paused=held.paused) if held else source)


def remove(store: Store, name: str, keep_datasets: bool) -> int:
    """Forget a source; unless they are kept, take back what its records said. Gives the number of records taken back."""
    source = store.sources.get(name)
    gone = [] if keep_datasets else sorted(store.records.identifiers(name))
    store.records.withdraw(source, gone, run=0)
    store.sources.remove(name)
    return len(gone)


def _from_table(number: int, table: Mapping[str, Any]) -> HarvestSource:
    missing = [name for name in ("name", "type", "url") if not table.get(name)]
    unknown = sorted(set(table) - set(FIELDS))
    options, priority = table.get("options", {}), table.get("priority", 100)
    faults = [f"lacks {', '.join(missing)}"] if missing else []
    faults += [f"says '{name}', which no source has" for name in unknown]
    faults += [] if isinstance(options, dict) else ["has options that are no table of name = value"]
    faults += [] if isinstance(priority, int) else [f"has the priority '{priority}', which is no whole number"]
    if faults:
        name = table.get("name") or "without name"
        raise WrongUse(f"Source {number} ({name}) {faults[0]}. It may say: {', '.join(FIELDS)}.")
    return checked(
        HarvestSource(
            name=Slug(table["name"]),
            type=str(table["type"]),
            url=str(table["url"]),
            title=str(table.get("title", "")),
            organisation=Slug(table["organisation"]) if table.get("organisation") else None,
            schedule=str(table.get("schedule", "")),
            options={key: str(value) for key, value in options.items()},
            priority=priority,
        )
    )


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed, say
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse(f"The address '{url}' has to be a web address that begins with http:// or https://.")
    return parts
