"""Sources set up and taken away: what is checked before one is kept, and what becomes of its datasets when it goes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from catalogue.dcat import Slug
from catalogue.errors import Busy, WrongUse
from catalogue.harvest import schedule
from catalogue.http.wire import is_public
from catalogue.organisations import slug
from catalogue.settings import ADDRESS
from catalogue.source import HarvestSource, harvester
from catalogue.store import Cause, Store

FIELDS = (
    "name", "type", "url", "title", "organisation", "schedule", "options", "priority", "contact", "time_zone", "blackout",
    "few", "share", "sweep",
)  # fmt: skip
RESERVED = ("new", "removed")
"""Names that the site's own pages have."""
LONGEST = {"title": 300, "url": 2_000, "contact": 254, "schedule": 200, "blackout": 1_000}
MOST = 1_000_000
"""Beyond any real priority or number of records; a database has a limit too."""


def checked(source: HarvestSource, *, allow_private: bool = True) -> HarvestSource:
    """The source itself, called by its name where it has no title. Raises WrongUse: what is wrong, what would be right."""
    for fault in faults(source, allow_private=allow_private).values():
        raise WrongUse(fault)
    return replace(source, title=source.title or source.name)


def faults(source: HarvestSource, *, allow_private: bool = True) -> dict[str, str]:
    """What is wrong with a source, by field: `option-<name>` for its options. A name is looked up only when it is harvested."""
    found = {name: told for name, check in CHECKS.items() if (told := check(source))}
    if "url" not in found and not allow_private and (told := _private(source.url)):
        found["url"] = told
    for name, most in LONGEST.items():
        if len(getattr(source, name)) > most:
            found[name] = f"The {name} is too long: {most:,} characters are the most."
    return found if "type" in found else found | _options(source)


def _name(source: HarvestSource) -> str:
    if not source.name:
        return "The name is missing. Give it one of lower-case letters, digits and hyphens, such as 'transport'."
    if slug(source.name) != source.name:
        right = f": '{slug(source.name)}'" if slug(source.name) else ""
        return f"The name '{source.name}' has to be lower-case letters, digits and hyphens{right}."
    taken = f"The name '{source.name}' is that of a page of the site. Choose another."
    return taken if source.name in RESERVED else ""


def _type(source: HarvestSource) -> str:
    try:
        harvester(source.type)
    except WrongUse as wrong:
        return str(wrong)
    return ""


def _url(source: HarvestSource) -> str:
    if not source.url:
        return "The address is missing. Give it one that begins with http:// or https://."
    try:
        parts = urlsplit(source.url)
        _ = parts.port
    except ValueError:  # a bracket that is not closed, say
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not source.url.isprintable():
        return f"The address '{source.url}' has to be a web address that begins with http:// or https://."
    if parts.username or parts.password:
        return "The address carries a password, which would be shown on the site. Leave it out."
    return ""


def _private(url: str) -> str:
    """What is wrong with an address that is a number. What a name stands for is asked, and checked, at every request."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    try:
        fine = is_public(host)
    except ValueError:
        return ""
    allow = "Give a public one, or have FEDCAT_ALLOW_PRIVATE_SOURCES set to 1."
    return "" if fine else f"The address '{url}' is on a private network. {allow}"


def _organisation(source: HarvestSource) -> str:
    if source.organisation and slug(source.organisation) != source.organisation:
        return f"The organisation '{source.organisation}' has to be a slug: '{slug(source.organisation)}'."
    return ""


def _contact(source: HarvestSource) -> str:
    if source.contact and not ADDRESS.fullmatch(source.contact):
        return f"The contact '{source.contact}' has to be one e-mail address, such as data@example.gov.uk."
    return ""


def _scheduled(schedule_: str = "", time_zone: str = "", blackout: str = "") -> str:
    try:
        schedule.checked(schedule_, time_zone, blackout)
    except WrongUse as wrong:
        return SAID.sub(lambda found: f"The {found[1].replace('_', ' ')} {found[2]} has", str(wrong), count=1)
    return ""


SAID = re.compile(r"^(\w+) is ('.*?'); it has", re.DOTALL)


def _within(name: str, called: str, least: float, most: float, right: str) -> Callable[[HarvestSource], str]:
    def fault(source: HarvestSource) -> str:
        value = getattr(source, name)
        return "" if least <= value <= most else f"The {called} is {value}; it has to be {right}."

    return fault


CHECKS: Mapping[str, Callable[[HarvestSource], str]] = {
    "name": _name,
    "type": _type,
    "url": _url,
    "organisation": _organisation,
    "contact": _contact,
    "schedule": lambda source: _scheduled(schedule_=source.schedule),
    "time_zone": lambda source: _scheduled(time_zone=source.time_zone),
    "blackout": lambda source: _scheduled(blackout=source.blackout),
    "few": _within("few", "number of records that may vanish (few)", 0, MOST, f"from 0 to {MOST:,}"),
    "share": _within("share", "part of the records that may vanish (share)", 0, 1, "from 0 to 1: 0.1 is one in ten"),
    "sweep": _within("sweep", "number of days between full harvests (sweep)", 1, 366, "from 1 to 366"),
    "priority": _within("priority", "priority", -MOST, MOST, f"a whole number from {-MOST:,} to {MOST:,}"),
}


def _options(source: HarvestSource) -> dict[str, str]:
    known = [option.name for option in harvester(source.type).options]
    unknown = f"A {source.type} source has no option '{{}}'. Options: {', '.join(known) or 'none'}."
    long = f"An option may have {LONGEST['url']:,} characters."
    return {f"option-{name}": unknown.format(name) for name in source.options if name not in known} | {
        f"option-{name}": long for name, value in source.options.items() if len(value) > LONGEST["url"]
    }


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
    """Add a source, or change the one of that name, which stays paused or unapproved if it was. True when anything differs."""
    held = {each.name: each for each in store.sources.all()}.get(source.name)
    return store.sources.replace(replace(source, paused=held.paused, approved=held.approved) if held else source)


def remove(store: Store, name: str, keep_datasets: bool, actor: str = "", why: str = "") -> int:
    """Put a source away; unless they are kept, take back what its records said. Gives the number of records taken back.

    Raises Busy while it is harvested, as that would bring back what is taken away.
    """
    source = store.sources.get(name)
    run = store.runs.under_way().get(name)
    if run is not None and run.status == "running":
        raise Busy(f"'{name}' is being harvested just now, in run {run.id}. Remove it when that has ended.")
    gone = [] if keep_datasets else sorted(store.records.identifiers(name))
    store.records.withdraw(source, gone, Cause(actor=actor, reason=f"The source '{source.title or name}' was removed."))
    store.sources.remove(name)
    left = "kept its datasets" if keep_datasets else f"withdrew {len(gone):,} records"
    store.acts.add(actor, f"removed it and {left}", f"source:{name}", why)
    return len(gone)


def restore(store: Store, name: str, actor: str = "") -> HarvestSource:
    """Bring back a source that was removed; its next harvest brings its datasets back. Raises NotFound."""
    source = store.sources.restore(name)
    store.acts.add(actor, "brought it back", f"source:{name}")
    return source


WORDS = ("type", "url", "title", "schedule", "contact", "time_zone", "blackout")
WHOLE = (int, "whole number")
NUMBERS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "priority": WHOLE,
    "few": WHOLE,
    "share": ((int, float), "number"),
    "sweep": WHOLE,
}


def _from_table(number: int, table: Mapping[str, Any]) -> HarvestSource:
    missing = [name for name in ("name", "type", "url") if not table.get(name)]
    unknown = sorted(set(table) - set(FIELDS))
    options = table.get("options", {})
    wrong = [f"lacks {', '.join(missing)}"] if missing else []
    wrong += [f"says '{name}', which no source has" for name in unknown]
    wrong += [] if isinstance(options, dict) else ["has options that are no table of name = value"]
    for name, (kind, told) in NUMBERS.items():
        if name in table and (not isinstance(table[name], kind) or isinstance(table[name], bool)):
            wrong.append(f"has the {name} '{table[name]}', which is no {told}")
    if wrong:
        name = table.get("name") or "without name"
        raise WrongUse(f"Source {number} ({name}) {wrong[0]}. It may say: {', '.join(FIELDS)}.")
    said: dict[str, Any] = {name: str(table[name]) for name in WORDS if name in table}
    said |= {name: table[name] for name in NUMBERS if name in table}
    organisation = Slug(str(table["organisation"])) if table.get("organisation") else None
    named = {key: str(value) for key, value in options.items()}
    return checked(HarvestSource(name=Slug(str(table["name"])), **said, organisation=organisation, options=named))
