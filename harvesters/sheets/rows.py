"""Which rows speak of one dataset, what it is called, and what cannot be one."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import groupby

from catalogue.dcat import Identifier
from catalogue.errors import Problem, SourceUnavailable
from catalogue.source import SourceRecord
from harvesters.read import web_address
from harvesters.sheets.cells import Line, lines
from harvesters.sheets.files import UNREADABLE, Row
from harvesters.sheets.headings import ABOUT_FIELD, OBLIGATIONS, Headings, canonical, slug
from harvesters.sheets.inventory import IDENTIFIERS, MAX_COLUMNS, TITLES, Inventory, Wanted

MAX_ROWS = 200_000
MAX_TEXT = 200_000_000  # characters of all rows together, which are held until the last is read
MAX_TOLD = 500  # problems of one kind; one more says how many there are
TOO_LARGE = "table-too-large"
LONGEST = 500  # characters of an identifier
OF_FILES = ("distribution", ABOUT_FIELD)
PUBLISHER, OWNER, PAGES = ("publisher", "names"), ("owner", "names"), ("dataset", "landing_pages")


def records(inventories: Sequence[Inventory], headings: Headings, wanted: Wanted) -> Iterator[SourceRecord | Problem]:
    """Each dataset with its rows, and every problem. If the table was not read to its end, nothing is withdrawn."""
    gathered = Gathering(headings, wanted)
    cut_short = False
    for problem in _bounded(problem for inventory in inventories for problem in gathered.read(inventory)):
        cut_short = cut_short or problem.rule in (UNREADABLE, TOO_LARGE)
        yield problem
    named = gathered.named()
    yield from _bounded(problem for identifier, group in named.items() for problem in _remarks(identifier, group))
    yield from _known_by_name([group for identifier, group in named.items() if identifier == group.by_name])
    for identifier, group in named.items():
        if group.title:
            yield SourceRecord(Identifier(identifier), _content(group), "text/csv", wanted.address, group.where)
    if cut_short:
        raise SourceUnavailable(
            f"{wanted.address} could not be read to its end, so what is missing may only be unreadable.",
            fix="Mend what the other problems name. Until then nothing is withdrawn.",
            address=wanted.address,
            rule="table-cut-short",
        )


# -- Rows to datasets --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says that tells datasets apart."""

    identifier: str
    title: str
    owner: str
    page: str
    only_of_a_file: bool
    """Nothing of the dataset, as below a merged cell: it is the one above."""


@dataclass
class Group:
    """The rows of one dataset, as CSV."""

    inventory: Inventory
    identifier: str
    title: str
    owner: str
    pages: set[str] = field(default_factory=set)
    rows: list[tuple[Inventory, int, str]] = field(default_factory=list)

    @property
    def where(self) -> str:
        """As in: sheet 'Dataset', row 2; sheet 'Distribution', rows 3 to 5."""
        sheets = [list(held) for _, held in groupby(self.rows, key=lambda row: row[0].sheet.name)]
        return "; ".join(held[0][0].where([number for _, number, _ in held]) for held in sheets)

    @property
    def by_name(self) -> str:
        """What a dataset is called that has nothing else: the same for the same title and owner."""
        digest = _digest(f"{_plain(self.title)}\n{_plain(self.owner)}")
        return f"{slug(self.title)[:60]}-{digest}".lstrip("-")


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
        """Its rows. A sheet that only lists files adds them to what other sheets described."""
        adds = bool(self.groups) and inventory.only_lists_files
        above: Group | None = None
        for row in _below(inventory):
            if isinstance(row, Problem):
                yield row
                continue
            number, cells = row
            facts = self._facts(inventory, cells)
            group = above if facts.only_of_a_file and above else self._known(facts, inventory, adds)
            self.rows, self.text = self.rows + 1, self.text + sum(map(len, cells))
            if self.rows > MAX_ROWS or self.text > MAX_TEXT:
                yield _too_large(inventory, number)
                return
            if group is None and not (facts.identifier or facts.title):
                yield _untitled(inventory, [number], facts.page)
            elif group is None and adds:
                yield _unheard_of(inventory, number, facts)
            elif group and not adds and _differ(facts.title, group.title):
                yield _identifier_twice(inventory, number, facts, group)
            else:
                above = self._add(inventory, number, cells, facts, group)

    def named(self) -> dict[str, Group]:
        """Each dataset by its identifier: its own, else the page that no other has, else its title and owner."""
        pages = Counter(page for group in self.groups.values() for page in group.pages)
        own = {group.identifier for group in self.groups.values() if group.identifier}
        named: dict[str, Group] = {}
        for group in self.groups.values():
            page = next(iter(group.pages)) if len(group.pages) == 1 else ""
            its_page = page if pages[page] == 1 and page not in own else ""
            name = group.identifier or its_page or group.by_name
            named[name if name not in named else f"{name}-{_digest(page)}"] = group
        return named

    def _facts(self, inventory: Inventory, cells: Sequence[str]) -> Facts:
        said = [cell for line in lines(inventory.meanings, cells, self.headings) for cell in line]
        by_heading = {canonical(meaning.heading): cell for meaning, cell in said} if self.wanted.identifier else {}
        chosen = "/".join(by_heading[heading] for heading in self.wanted.identifier if heading in by_heading)
        of_files = {meaning.part in OF_FILES for meaning, _ in said if meaning.part}
        return Facts(
            identifier=_short(chosen or _best(said, IDENTIFIERS)),
            title=_best(said, TITLES),
            owner=_best(said, PUBLISHER) or _best(said, OWNER),
            page=_short(web_address(_best(said, PAGES)) or ""),
            only_of_a_file=of_files == {True},
        )

    def _known(self, facts: Facts, inventory: Inventory, adds: bool) -> Group | None:
        group = self.groups.get(_key(facts, inventory))
        by_title = adds and facts.title and not facts.identifier
        return group or (self.titled.get(_plain(facts.title)) if by_title else None)

    def _add(self, inventory: Inventory, number: int, cells: Sequence[str], facts: Facts, group: Group | None) -> Group:
        if group is None:
            group = self.groups[_key(facts, inventory)] = Group(inventory, facts.identifier, facts.title, facts.owner)
        group.title = group.title or facts.title
        group.owner = group.owner or facts.owner
        group.pages |= {facts.page} - {""}
        group.rows.append((inventory, number, _csv(cells)))
        self.titled.setdefault(_plain(group.title), group)
        return group


def _key(facts: Facts, inventory: Inventory) -> tuple[str, ...]:
    """What the rows of one dataset share. Where rows are files, two pages may belong to one dataset."""
    if facts.identifier:
        return (facts.identifier,)
    name = (_plain(facts.title), _plain(facts.owner))
    return name if inventory.lists_files else (*name, facts.page)


def _best(said: Line, about: tuple[str, str]) -> str:
    """The cell that says this best: English before other languages, the usual column before others."""
    found = [(meaning, cell) for meaning, cell in said if (meaning.part, meaning.term) == about]
    return min(found, key=lambda cell: (cell[0].lang not in ("", "en"), cell[0].rank), default=(None, ""))[1]


def _plain(words: str) -> str:
    return " ".join(words.casefold().split())


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and _plain(one) != _plain(other)


def _short(identifier: str) -> str:
    """What is too long to be looked up by is looked up by its fingerprint."""
    if len(identifier) <= LONGEST:
        return identifier
    return f"{slug(identifier[:60])}-{_digest(identifier)}"


def _digest(words: str) -> str:
    return blake2b(words.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _below(inventory: Inventory) -> Iterator[Row | Problem]:
    """The rows that are data: not the headings again, nor who has to fill in what."""
    too_wide = False
    for row in inventory.sheet.rows():
        if isinstance(row, Problem):
            yield row
            continue
        number, cells = row
        filled = {cell.strip().casefold() for cell in cells} - {""}
        if number <= inventory.row or cells in inventory.headed or filled <= OBLIGATIONS:
            continue
        if any(cell.strip() for cell in cells[MAX_COLUMNS:]) and not too_wide:
            too_wide = True
            yield _too_wide(inventory, number)
        elif any(cell.strip() for cell in cells[len(inventory.header) : MAX_COLUMNS]):
            yield _ragged(inventory, number, cells)
        yield number, cells[:MAX_COLUMNS]


# -- The rows of a dataset as its record -------------------------------------------------------------------------------


def _csv(cells: Iterable[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()


def _content(group: Group) -> bytes:
    """Headings and rows. Where several sheets speak of a dataset, the columns of each that others lack follow theirs."""
    sheets = list(dict.fromkeys(inventory for inventory, _, _ in group.rows))
    if len(sheets) == 1:
        rows = [_csv(sheets[0].header), *(text for _, _, text in group.rows)]
    else:
        keys = {sheet: _numbered(sheet.header) for sheet in sheets}
        every = list(dict.fromkeys(key for sheet in sheets for key in keys[sheet]))
        rows = [_csv(heading for heading, _ in every)]
        for sheet, _, text in group.rows:
            cells = dict(zip(keys[sheet], next(csv.reader(io.StringIO(text, newline=""))), strict=False))
            rows.append(_csv(cells.get(key, "") for key in every))
    return "".join(rows).encode("utf-8", "replace")


def _numbered(header: Sequence[str]) -> list[tuple[str, int]]:
    """Headings, of which a sheet may have the same twice."""
    seen: Counter[str] = Counter()
    numbered = []
    for heading in header:
        numbered.append((heading, seen[heading]))
        seen[heading] += 1
    return numbered


# -- What to tell the owner --------------------------------------------------------------------------------------------


def _bounded(problems: Iterable[Problem]) -> Iterator[Problem]:
    """All of a kind, until there are so many that nobody reads them."""
    told: Counter[str] = Counter()
    last: dict[str, Problem] = {}
    for problem in problems:
        told[problem.rule] += 1
        if told[problem.rule] <= MAX_TOLD:
            yield problem
        last[problem.rule] = problem
    for rule, count in told.items():
        if count > MAX_TOLD:
            message = f"And {count - MAX_TOLD:,} more like the {MAX_TOLD} before; the last: {last[rule].message}"
            yield replace(last[rule], message=message)


def _remarks(identifier: str, group: Group) -> Iterator[Problem]:
    numbers = [number for inventory, number, _ in group.rows if inventory is group.inventory]
    if not group.title:
        yield _untitled(group.inventory, numbers, identifier)
    elif len(numbers) > 1 and not group.inventory.lists_files:
        yield Problem(
            rule="table-dataset-twice",
            message=f"Rows {numbers[0]} and {numbers[1]} both describe '{_cut(group.title)}', and are read as one dataset.",
            fix="Take one of them out, or give each dataset an identifier of its own.",
            where=group.where,
            record=identifier,
            severity="warning",
        )
    elif len(group.pages) > 1 and not group.identifier:
        yield Problem(
            rule="table-forms-of-one",
            message=f"'{_cut(group.title)}' is one title of one owner on {len(group.pages)} pages, and is read as one dataset.",
            fix="If they are different datasets, give each a title or an identifier of its own.",
            where=group.where,
            record=identifier,
            severity="note",
        )


def _known_by_name(groups: Sequence[Group]) -> Iterator[Problem]:
    if groups:
        yield Problem(
            rule="table-no-identifier",
            message=f"{len(groups):,} datasets have no identifier and no page of their own, and are known by title and owner.",
            fix="Add a column 'Identifier'. Without it, a dataset whose title changes is taken for another one.",
            where=groups[0].where,
            found=_cut(groups[0].title),
            severity="note",
        )


def _untitled(inventory: Inventory, numbers: Sequence[int], identifier: str) -> Problem:
    column = inventory.column(TITLES)
    return Problem(
        rule="table-title-missing",
        message=f"There is no title in {inventory.where(numbers)}.",
        fix=f"Fill in {f'column {column}' if column else 'a title'}, or take the row out.",
        where=inventory.where(numbers, column),
        record=identifier,
    )


def _identifier_twice(inventory: Inventory, number: int, facts: Facts, group: Group) -> Problem:
    (first, there, _), here = group.rows[0], inventory.where([number])
    return Problem(
        rule="table-identifier-twice",
        message=f"'{_cut(facts.identifier)}' is the identifier in {first.where([there])} and in {here}, which have different "
        "titles; the second is left out.",
        fix="Give each dataset an identifier of its own, and the rows of one dataset the same title.",
        where=inventory.where([number], inventory.column(IDENTIFIERS)),
        found=_cut(facts.title),
        record=facts.identifier,
    )


def _unheard_of(inventory: Inventory, number: int, facts: Facts) -> Problem:
    return Problem(
        rule="table-file-of-no-dataset",
        message=f"No sheet describes the dataset that is spoken of in {inventory.where([number])}.",
        fix="Correct the identifier, or describe the dataset.",
        where=inventory.where([number], inventory.column(IDENTIFIERS, TITLES)),
        found=_cut(facts.identifier or facts.title),
        severity="warning",
    )


def _ragged(inventory: Inventory, number: int, cells: Sequence[str]) -> Problem:
    return Problem(
        rule="table-row-too-wide",
        message=f"Row {number} has {len(cells)} cells, more than there are headings ({len(inventory.header)}).",
        fix="Look for a separator that is not in quotation marks, or give the column a heading.",
        where=inventory.where([number]),
        found=_cut(cells[len(inventory.header)]),
        severity="warning",
    )


def _too_wide(inventory: Inventory, number: int) -> Problem:
    return Problem(
        rule="table-too-wide",
        message=f"There are more than {MAX_COLUMNS} columns; those beyond are not read.",
        fix="Move what describes datasets to the left, or to a sheet of its own.",
        where=inventory.where([number]),
    )


def _too_large(inventory: Inventory, number: int) -> Problem:
    return Problem(
        rule=TOO_LARGE,
        message=f"The table has more than {MAX_ROWS:,} rows, or {MAX_TEXT:,} characters; what follows is not read.",
        fix="Split it into several files, each a source of its own.",
        where=inventory.where([number]),
    )


def _cut(words: str) -> str:
    return words if len(words) <= 80 else words[:79] + "…"
