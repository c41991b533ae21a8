"""Finds the inventories among sheets, and which of their rows speak of one dataset."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby, islice

from catalogue.dcat import Identifier
from catalogue.errors import Problem, SourceUnavailable
from catalogue.source import HarvestSource, SourceRecord
from harvesters._cells import Line, columns, lines, said
from harvesters._headings import ABOUT_FIELD, ABOUT_FILE, OBLIGATIONS, Headings, Meaning, canonical, slug
from harvesters._sheets import UNREADABLE, Row, Sheet

MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_TEXT = 200_000_000  # characters of all rows together, which are held until the last is read
MAX_PROBLEMS = 1_000  # of one kind; one more then says how many there are
LOOKED_AT = 30  # rows in which the headings are looked for
TITLES = ("dataset", "titles")
IDENTIFIERS = ("dataset", "identifiers")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the owner of a source set about it."""

    address: str
    mapping: str = ""
    identifier: tuple[str, ...] = ()
    sheet: str = ""
    header_row: int = 0
    encoding: str = ""
    separator: str = ""

    @classmethod
    def of(cls, source: HarvestSource) -> Wanted:
        option = {name: words.strip() or words for name, words in source.options.items()}
        row = option.get("header_row") or "0"
        if not row.isdecimal():
            raise SourceUnavailable(
                f"The option header_row is '{row}', which is no row.",
                fix="Set it to the number of the row that holds the headings, such as 4.",
                address=source.url,
                rule="table-option",
            )
        return cls(
            source.url,
            option.get("mapping", ""),
            tuple(canonical(heading) for heading in option.get("identifier", "").split(";") if heading.strip()),
            option.get("sheet", ""),
            int(row),
            option.get("encoding", "").lower(),
            option.get("separator", ""),
        )


# -- Which sheets are inventories --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Inventory:
    """A sheet whose headings were found, and what its columns mean."""

    sheet: Sheet
    header: tuple[str, ...]
    row: int
    meanings: list[Meaning]
    about: frozenset[tuple[str, str]]
    """What rows can speak of: part and term, those that JSON cells bring along included."""

    @property
    def lists_files(self) -> bool:
        return any(part == "distribution" for part, _ in self.about)

    @property
    def only_lists_files(self) -> bool:
        """Of datasets that another sheet describes: it names them, and no more."""
        of_dataset = {term for part, term in self.about if part not in ("distribution", ABOUT_FIELD)}
        return of_dataset <= {"identifiers", "titles"} and len(of_dataset) < len(self.about)

    @property
    def weight(self) -> int:
        """How surely it is a list of datasets: 'name' is what anything may be headed with."""
        return len(self.about) - ("name" in map(canonical, self.header))

    def where(self, *rows: int) -> str:
        numbers = "row " + str(rows[0]) if len(rows) == 1 else "rows " + _listed(rows)
        return f"sheet '{self.sheet.name}', {numbers}" if self.sheet.name else numbers


def find(sheets: Sequence[Sheet], headings: Headings, wanted: Wanted) -> tuple[list[Inventory], list[Problem]]:
    """The inventories, those that describe datasets first; and what stands in the way of finding more."""
    looked: list[Inventory] = []
    for _, alternatives in groupby(sheets, key=lambda sheet: sheet.name):
        found = [best for sheet in alternatives if (best := _headed(sheet, headings, wanted))]
        looked += [max(found, key=lambda inventory: inventory.weight)] if found else []
    told = wanted.header_row or headings.explains("title")
    chosen = [one for one in looked if TITLES in one.about and (one.weight > 1 or told)]
    described = [one for one in chosen if not one.only_lists_files] or chosen
    others = [one for one in looked if one not in described and one.only_lists_files and one.about & {IDENTIFIERS, TITLES}]
    problems = [problem for one in looked for problem in one.sheet.problems] + _misunderstood(looked, headings)
    if not described:
        return [], [*problems, _no_inventory(looked)]
    return described + others, problems


def _headed(sheet: Sheet, headings: Headings, wanted: Wanted) -> Inventory | None:
    """With the row as its header, of the first, that is understood best."""
    rows = [row for row in islice(sheet.rows(), max(LOOKED_AT, wanted.header_row)) if not isinstance(row, Problem)]
    candidates = [
        _with_header(sheet, rows, place, headings)
        for place, (number, _) in enumerate(rows)
        if number == wanted.header_row or not wanted.header_row
    ]
    return max(candidates, key=lambda inventory: inventory.weight, default=None)


def _with_header(sheet: Sheet, rows: Sequence[Row], place: int, headings: Headings) -> Inventory:
    number, cells = rows[place]
    above = rows[place - 1][1] if place else ()
    header = tuple(_of_sheet(heading, sheet) for heading in _under(above, cells, headings))[:MAX_COLUMNS]
    meanings = columns(header, headings)
    about = {(meaning.part, meaning.term) for meaning in meanings if meaning.part}
    for _, row in rows[place + 1 : place + 4]:
        for line in lines(meanings, row, headings):
            about |= {(meaning.part, meaning.term) for meaning, _ in line if meaning.part}
    return Inventory(sheet, header, number, meanings, frozenset(about))


def _under(above: Sequence[str], cells: Sequence[str], headings: Headings) -> Iterator[str]:
    """Headings, where the row above holds merged cells: 'Contact' over 'Name' and 'Email' is 'Contact Name', …"""
    over = ""
    for number, cell in enumerate(cells):
        own = above[number].strip() if number < len(above) else ""
        over = own or over
        heading = f"{over} {cell.strip()}"
        yield heading if over and cell.strip() and headings.meaning(heading).part else cell.strip() or own


def _of_sheet(heading: str, sheet: Sheet) -> str:
    """In a sheet of files, or of fields, 'Title' is a file's."""
    kind = canonical(sheet.name).rpartition(" ")[2]
    prefix = ABOUT_FIELD if kind in ("field", "column", "variable") else ABOUT_FILE[0] if kind in ABOUT_FILE else ""
    said = canonical(heading).partition(" ")[0] in ("dataset", ABOUT_FIELD, *ABOUT_FILE)
    return f"{prefix} {heading}" if prefix and heading and not said else heading


def _misunderstood(looked: Sequence[Inventory], headings: Headings) -> list[Problem]:
    """What the owner's mapping says that cannot be so."""
    held = {canonical(heading) for one in looked for heading in [*one.header, *(meaning.heading for meaning in one.meanings)]}
    unheard = [f"The mapping says '{meaning}', which means nothing here." for meaning in headings.unknown()]
    unseen = [f"The mapping speaks of a column '{words}', which is not there." for words in headings.explained if words not in held]
    return [
        Problem(
            rule="table-mapping",
            message=message,
            fix="Correct the option 'mapping', such as 'Dataset name=title; Data holder=publisher; Link=page url'.",
            severity="warning",
        )
        for message in unheard + unseen
    ]


def _no_inventory(looked: Sequence[Inventory]) -> Problem:
    names = [one.sheet.name for one in looked if one.sheet.name]
    seen = [heading for one in looked for heading in one.header if heading]
    return Problem(
        rule="table-no-inventory",
        message="No row was understood as the headings of a list of datasets. Looked for a title (Title, Dataset name) and one "
        "more: Description, Identifier, Publisher, Owner, Contact, Page URL, Licence, Format, Download URL, Date updated.",
        fix="Name the columns so, or say in the option 'mapping' what they mean, such as 'Name=title; Web link=page url'.",
        where=f"sheets {', '.join(repr(name) for name in names[:20])}" if names else f"rows 1 to {LOOKED_AT}",
        found=", ".join(seen)[:300],
    )


# -- Which rows speak of one dataset -----------------------------------------------------------------------------------


@dataclass
class Group:
    """The rows of one dataset, as far as they are known."""

    inventory: Inventory
    identifier: str = ""
    title: str = ""
    owner: str = ""
    pages: set[str] = field(default_factory=set)
    rows: list[tuple[Inventory, int, str]] = field(default_factory=list)

    @property
    def where(self) -> str:
        """'rows 2 and 7; sheet 'Distribution', rows 3 to 5'."""
        places = groupby(self.rows, key=lambda row: row[0].sheet.name)
        return "; ".join(rows[0][0].where(*(number for _, number, _ in rows)) for rows in (list(held) for _, held in places))

    def by_name(self) -> str:
        """The identifier of a dataset that has no other: its title and owner, short and unmistakable."""
        words = f"{_plain(self.title)}\n{_plain(self.owner)}"
        return f"{slug(self.title)[:60]}-{blake2b(words.encode(), digest_size=5).hexdigest()}".lstrip("-")


def records(inventories: Sequence[Inventory], headings: Headings, wanted: Wanted) -> Iterator[SourceRecord | Problem]:
    """Every dataset with its rows. Where a sheet could not be read to its end, that is said last, so nothing is withdrawn."""
    gathered = Gathering(headings, wanted)
    cut_short: list[Problem] = []
    for problem in _limited(problem for one in inventories for problem in gathered.read(one)):
        cut_short += [problem] if problem.rule in (UNREADABLE, TOO_MANY) else []
        yield problem
    named = gathered.named()
    for identifier, group in named.items():
        yield from _remarks(identifier, group)
        if group.title:
            yield SourceRecord(Identifier(identifier), _content(group), "text/csv", wanted.address, group.where)
    nameless = [group for identifier, group in named.items() if identifier == group.by_name()]
    if nameless:
        yield _known_by_name(nameless)
    if cut_short:
        raise SourceUnavailable(
            f"{wanted.address} was not read to its end, so what is missing may only be unreadable.",
            fix="Mend what the other problems name; until then nothing is withdrawn.",
            address=wanted.address,
            rule="table-cut-short",
        )


@dataclass
class Gathering:
    """Takes row after row to the dataset it speaks of."""

    headings: Headings
    wanted: Wanted
    groups: dict[tuple[str, ...], Group] = field(default_factory=dict)
    titled: dict[str, Group] = field(default_factory=dict)
    rows: int = 0
    text: int = 0

    def read(self, inventory: Inventory) -> Iterator[Problem]:
        previous: Group | None = None
        attaches = bool(self.groups) and inventory.only_lists_files
        for row in _below(inventory):
            if isinstance(row, Problem):
                yield row
                continue
            number, cells = row
            facts = self._facts(inventory, cells)
            if facts is None:
                continue
            self.rows, self.text = self.rows + 1, self.text + sum(map(len, cells))
            if self.rows > MAX_ROWS or self.text > MAX_TEXT:
                yield _too_many(inventory, number)
                return
            group = self._known(facts, attaches) or (previous if facts.only_of_a_file else None)
            if group is None and (attaches or not (facts.title or facts.identifier)):
                yield _orphan(inventory, number, facts) if attaches else _untitled(inventory, number, facts)
            elif group and group.inventory is inventory and facts.title and group.title and _plain(facts.title) != _plain(group.title):
                yield _twice(inventory, number, facts, group)
            else:
                previous = self._put(inventory, number, cells, facts, group)
