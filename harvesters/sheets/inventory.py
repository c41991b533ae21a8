"""Which sheets are lists of datasets, where their headings are, and what these mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from openpyxl.utils import get_column_letter

from catalogue.errors import Problem, SourceUnavailable
from catalogue.source import HarvestSource
from harvesters.sheets.cells import columns, lines
from harvesters.sheets.files import Row, Sheet
from harvesters.sheets.headings import ABOUT_FIELD, ABOUT_FILE, Headings, Meaning, canonical

MAX_COLUMNS = 500
DEEPEST_HEADER = 1_000
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
        if not row.isdecimal() or int(row) > DEEPEST_HEADER:
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


@dataclass(frozen=True, eq=False)
class Inventory:
    """A sheet whose headings were found: in which row, of which cells there and above, and what each column means."""

    sheet: Sheet
    row: int
    headed: tuple[tuple[str, ...], ...]
    header: tuple[str, ...]
    meanings: tuple[Meaning, ...]
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
        """How surely it is a list of datasets. People have a name, too, and ways to reach them."""
        titles = {canonical(meaning.heading) for meaning in self.meanings if (meaning.part, meaning.term) == TITLES}
        if titles != {"name"}:
            return len(self.about)
        return sum(part != "contact" for part, _ in self.about) - 1

    def where(self, numbers: Sequence[int], column: str = "") -> str:
        """'sheet 'Datasets', rows 12 to 14, column 'Title''."""
        rows = f"row {numbers[0]}" if len(numbers) == 1 else f"rows {_listed(numbers)}"
        sheet = f"sheet '{self.sheet.name}', " if self.sheet.name else ""
        return sheet + rows + (f", column {column}" if column else "")

    def column(self, *about: tuple[str, str]) -> str:
        """The column for this, as a spreadsheet names it: "B ('Title')"; "" when there is none."""
        found = [place for place, meaning in enumerate(self.meanings) if (meaning.part, meaning.term) in about]
        best = min(found, key=lambda place: self.meanings[place].rank, default=None)
        return "" if best is None else f"{get_column_letter(best + 1)} ('{self.header[best]}')"


def find(sheets: Sequence[Sheet], headings: Headings, wanted: Wanted) -> tuple[list[Inventory], list[Problem]]:
    """The inventories, those that describe datasets first; and what stands in the way of finding more."""
    looked: list[Inventory] = []
    for _, alternatives in groupby(sheets, key=lambda sheet: sheet.name):
        found = [best for sheet in alternatives if (best := _headed(sheet, headings, wanted))]
        looked += [max(found, key=lambda inventory: inventory.weight)] if found else []
    told = wanted.header_row or headings.explains("title")
    chosen = [one for one in looked if TITLES in one.about and (one.weight > 1 or told)]
    described = [one for one in chosen if not one.only_lists_files] or chosen
    others = [
        one for one in looked if one not in described and one.only_lists_files and one.about & {IDENTIFIERS, TITLES}
    ]
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
    header = _of_sheet(sheet, tuple(_under(above, cells[:MAX_COLUMNS], headings)))
    meanings = tuple(columns(header, headings))
    about = {(meaning.part, meaning.term) for meaning in meanings if meaning.part}
    for _, row in rows[place + 1 : place + 4]:
        for line in lines(meanings, row, headings):
            about |= {(meaning.part, meaning.term) for meaning, _ in line if meaning.part}
    return Inventory(sheet, number, (cells, above), header, meanings, frozenset(about))


def _under(above: Sequence[str], cells: Sequence[str], headings: Headings) -> Iterator[str]:
    """Headings, where the row above holds merged cells: 'Contact' over 'Name' and 'Email' is 'Contact Name', …"""
    filled = [place for place, cell in enumerate(above) if cell.strip()]
    if filled == [0]:  # what stands there alone is a caption
        above = ()
    over = ""
    for number, cell in enumerate(cells):
        own = above[number].strip() if number < len(above) else ""
        over = own or over
        heading = f"{over} {cell.strip()}"
        yield heading if over and cell.strip() and headings.meaning(heading).part else cell.strip() or own


def _of_sheet(sheet: Sheet, header: tuple[str, ...]) -> tuple[str, ...]:
    """In a sheet of files, or of fields, that says whose they are, 'Title' is a file's."""
    kind = canonical(sheet.name).rpartition(" ")[2]
    prefix = ABOUT_FIELD if kind in ("field", "column", "variable") else ABOUT_FILE[0] if kind in ABOUT_FILE else ""
    begins = [canonical(heading).partition(" ")[0] for heading in header]
    if not prefix or "dataset" not in begins:
        return header
    of_its_own = ("", "dataset", ABOUT_FIELD, *ABOUT_FILE)
    return tuple(
        heading if word in of_its_own else f"{prefix} {heading}" for heading, word in zip(header, begins, strict=True)
    )


def _misunderstood(looked: Sequence[Inventory], headings: Headings) -> list[Problem]:
    """What the owner's mapping says that cannot be so."""
    missing = headings.explained.keys() - {canonical(heading) for one in looked for heading in one.header}
    said = [f"The mapping says '{meaning}', which means nothing here." for meaning in headings.unknown()]
    said += [f"The mapping speaks of a column '{words}', which is not there." for words in sorted(missing)]
    return [
        Problem(
            rule="table-mapping",
            message=message,
            fix="Correct the option 'mapping', such as 'Dataset name=title; Data holder=publisher; Link=page url'.",
            severity="warning",
        )
        for message in said
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


def _listed(numbers: Sequence[int]) -> str:
    """'2 to 5', '3 and 7', '2, 4, 6 and 12 more'."""
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    shown, more = [str(number) for number in numbers[:6]], len(numbers) - 6
    return ", ".join(shown) + f" and {more} more" if more > 0 else ", ".join(shown[:-1]) + f" and {shown[-1]}"
