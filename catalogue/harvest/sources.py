"""Sources set up and taken away: what is checked before one is kept, and what becomes of its datasets when it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from catalogue.dcat import Slug
from catalogue.errors import WrongUse
from catalogue.organisations import slug
from catalogue.source import HarvestSource, harvester
from catalogue.store import Store

FIELDS = ("name", "type", "url", "title", "organisation", "schedule", "options", "priority")


def checked(source: HarvestSource) -> HarvestSource:
    """The source itself. Raises WrongUse, naming what is wrong and what would be right."""
    if not source.name or slug(source.name) != source.name:
        raise WrongUse(
            f"The name '{source.name}' has to be lower-case letters, digits and hyphens: '{slug(source.name)}'."
        )
    parts = urlsplit(source.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse(f"The address '{source.url}' has to begin with http:// or https://.")
    if parts.username or parts.password:
        raise WrongUse("The address carries a password, which would be shown on the site. Leave it out.")
    known = [option.name for option in harvester(source.type).options]
    for name in source.options:
        if name not in known:
            raise WrongUse(f"A {source.type} source has no option '{name}'. Options: {', '.join(known) or 'none'}.")
    return source


def from_toml(held: Mapping[str, Any]) -> Iterator[HarvestSource]:
    """The sources of a file's `[[source]]` tables. Raises WrongUse at the first that is wrong, naming it."""
    tables = held.get("source")
    if not isinstance(tables, list) or not tables:
        raise WrongUse("The file names no source. It needs one [[source]] table for each, with name, type and url.")
    for number, table in enumerate(tables, start=1):
        missing = [name for name in ("name", "type", "url") if not table.get(name)]
        unknown = sorted(set(table) - set(FIELDS))
        if missing or unknown:
            fault = f"lacks {', '.join(missing)}" if missing else f"says '{unknown[0]}', which no source has"
            raise WrongUse(
                f"Source {number} ({table.get('name', 'without name')}) {fault}. It may say: {', '.join(FIELDS)}."
            )
        yield checked(
            HarvestSource(
                name=Slug(table["name"]),
                type=str(table["type"]),
                url=str(table["url"]),
                title=str(table.get("title", "")),
                organisation=Slug(table["organisation"]) if table.get("organisation") else None,
                schedule=str(table.get("schedule", "")),
                options={key: str(value) for key, value in table.get("options", {}).items()},
                priority=int(table.get("priority", 100)),
            )
        )


def remove(store: Store, name: str, keep_datasets: bool) -> int:
    """Forget a source; unless they are kept, take back what its records said. Gives the number of records taken back."""
    source = store.sources.get(name)
    gone = [] if keep_datasets else sorted(store.records.identifiers(name))
    store.records.withdraw(source, gone, run=0)
    store.sources.remove(name)
    return len(gone)
