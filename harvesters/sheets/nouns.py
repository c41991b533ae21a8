"""The lines of one record as the dataset, series or service they describe: each value under its property."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from catalogue.dcat import (
    IRI,
    NOUNS,
    Agent,
    Attribution,
    ContactPoint,
    DataService,
    Dataset,
    DatasetSeries,
    Distribution,
    Node,
    PeriodOfTime,
    Resource,
    Statement,
    Text,
    Thing,
    properties,
)
from harvesters.sheets.cells import Line, octets
from harvesters.sheets.headings import ABOUT_FIELD, About, Meaning, canonical, slug
from vocab.namespaces import FEDCAT

N = TypeVar("N", bound=Node)

OF_DATASET = frozenset({"", "dataset", "service"})
KINDS: Mapping[str, type[Resource]] = {
    "dataset": Dataset, "dcat dataset": Dataset, "non geographic dataset": Dataset,
    "data service": DataService, "dcat data service": DataService, "service": DataService, "api": DataService,
    "dataset serie": DatasetSeries, "dcat dataset serie": DatasetSeries, "serie": DatasetSeries,
}  # fmt: skip
ISO_ROLE = "http://standards.iso.org/iso/19115/resources/Codelists/gml/CI_RoleCode.xml#"
ROLES = {
    "owner": ISO_ROLE + "owner",
    "custodian": ISO_ROLE + "custodian",
    "steward": FEDCAT["role-steward"],  # ISO 19115 has no word for these two
    "approver": FEDCAT["role-approver"],
}
CONTACT_POINT = {"mailboxes": "emails", "phones": "telephones", "homepages": "pages"}
BEST = frozenset({"titles", "descriptions", "summaries", "names"})  # these repeat in other languages only
SINGLE = BEST | {prop.name for noun in (Dataset, DataService) for prop in properties(noun) if not prop.many}
PREDICATES = {prop.name: prop.predicate for noun in (*NOUNS, Dataset) for prop in properties(noun)}


def describe(lines: Iterable[Line], lang: str) -> Resource:
    """What the lines say of the dataset, of those who answer for it, of its files and of the fields in these."""
    whole, files = Said(), Files()
    is_service = False
    for line in _settled([_measured(_best(line)) for line in lines]):
        parts: dict[str, Said] = defaultdict(Said)
        for meaning, cell in line:
            about = whole if meaning.part in OF_DATASET else parts[meaning.part]
            about.hear(meaning, cell, lang)
            is_service = is_service or meaning.part == "service"
        files.add(parts.pop("distribution", None), parts.pop(ABOUT_FIELD, None), whole)
        for part, somebody in parts.items():
            _add_person_or_period(part, somebody, whole)
    whole.values["distributions"] += [file.become(Distribution) for file in files.held]
    return _resource(whole, DataService if is_service and not files.held else Dataset)


def _resource(whole: Said, noun: type[Resource]) -> Resource:
    """Its type says what it is, else its columns do. An identifier that is an address names it."""
    kinds = {value: KINDS.get(canonical(value.value)) for value in whole.values["kinds"] if isinstance(value, Text)}
    said = next(filter(None, kinds.values()), noun)
    whole.values["kinds"] = [value for value in whole.values["kinds"] if not kinds.get(value)]
    named = {value for value in whole.values["identifiers"] if isinstance(value, IRI)}
    return whole.become(said, named.pop() if len(named) == 1 else None)


# -- What is said of one thing -----------------------------------------------------------------------------------------


@dataclass
class Said:
    """What has been said of one thing, before it is one: values by property, and what it has no property for."""

    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    rest: set[Statement] = field(default_factory=set)

    def hear(self, meaning: Meaning, cell: str, lang: str) -> None:
        if meaning.read:
            self.values[meaning.term] += meaning.read(cell, meaning.lang or lang)
        else:
            heading = slug(meaning.heading) or "unnamed"
            self.rest.add(Statement(IRI(FEDCAT[f"column-{heading}"]), Text(cell)))

    def hear_from(self, other: Said) -> None:
        for name, values in other.values.items():
            self.values[name] += values
        self.rest |= other.rest

    def become(self, noun: type[N], iri: IRI | None = None) -> N:
        """The noun. What its properties do not take, by kind or by number, is stated in `rest`."""
        own = {prop.name: prop for prop in properties(noun)}
        stated: dict[str, Any] = {}
        rest = set(self.rest)
        for name, heard in self.values.items():
            prop, values = own.get(name), list(dict.fromkeys(heard))
            fitting = [value for value in values if prop and isinstance(value, prop.kinds)]
            taken = fitting if prop and prop.many else fitting[:1]
            if prop and taken:
                stated[name] = frozenset(taken) if prop.many else taken[0]
            predicate = prop.predicate if prop else PREDICATES[name]
            rest.update(Statement(predicate, value) for value in set(values) - set(taken))
        return noun(iri=iri, rest=frozenset(rest), **stated)


@dataclass
class Files:
    """The files of a dataset, and by what its other lines may call them."""

    held: list[Said] = field(default_factory=list)
    named: dict[Any, Said] = field(default_factory=dict)

    def add(self, file: Said | None, fields: Said | None, whole: Said) -> None:
        """A line about a file, or about a field of one that an earlier line may have described."""
        names = [*file.values["identifiers"], *file.values["titles"]] if file else []
        known = next((self.named[name] for name in names if name in self.named), None) if fields else None
        if file and not known:
            self.held.append(file)
            self.named.update((name, file) for name in names)
        if file and known:
            known.hear_from(file)
        if fields:
            (known or file or whole).rest.add(Statement(IRI(FEDCAT["field"]), fields.become(Thing)))


MAILBOX = re.compile(r"(?:mailto:)?[^\s<>()\[\],;:]+@[^\s<>()\[\],;:]+\.[^\s<>()\[\],;:]+")


def _add_person_or_period(part: str, said: Said, whole: Said) -> None:
    if part == "period":
        whole.values["temporal"].append(said.become(PeriodOfTime))
        return
    _take_mailboxes_out_of_names(said)
    if part == "contact":
        said.values = {CONTACT_POINT.get(name, name): values for name, values in said.values.items()}
        whole.values["contact_points"].append(said.become(ContactPoint))
    elif part in ROLES:
        agent, role = said.become(Agent), IRI(ROLES[part])
        whole.values["qualified_attributions"].append(Attribution(agents=frozenset({agent}), roles=frozenset({role})))
    else:
        whole.values[{"creator": "creators"}.get(part, part)].append(said.become(Agent))


def _take_mailboxes_out_of_names(said: Said) -> None:
    """'Data team <data@example.gov.uk>' is a name and a mailbox."""
    for name in said.values.pop("names", []):
        found = MAILBOX.findall(name.value)
        words = MAILBOX.sub("", name.value).strip(" \t\r\n<>()[],;:-") if found else name.value
        said.values["mailboxes"] += [Text(mailbox) for mailbox in found]
        said.values["names"] += [Text(words, name.lang)] if words else []


# -- What lines say of each other --------------------------------------------------------------------------------------


def _best(line: Line) -> Line:
    """The line with its usual columns first; of two that say one thing, the second is kept under its heading."""
    spoken = set()
    best: Line = []
    for meaning, cell in sorted(line, key=lambda said: said[0].rank):
        if meaning.term in BEST and meaning.about in spoken:
            meaning = Meaning(meaning.heading)
        spoken.add(meaning.about)
        best.append((meaning, cell))
    return best


def _settled(lines: Sequence[Line]) -> Iterator[Line]:
    """Where lines differ in what a dataset has one of, the first speaks for the dataset and each for its own file."""
    heard: dict[About, set[tuple[str, ...]]] = defaultdict(set)
    for line in lines:
        for about, cells in _by_what_they_are_about(line).items():
            heard[about].add(cells)
    differing = {about for about, cells in heard.items() if len(cells) > 1}
    spoken: set[About] = set()
    for line in lines:
        of_file = {meaning.about for meaning, _ in line if meaning.part == "distribution"}
        yield [
            said
            for meaning, cell in line
            for said in (
                _shared_out(meaning, cell, of_file, spoken) if meaning.about in differing else [(meaning, cell)]
            )
        ]
        spoken |= {meaning.about for meaning, _ in line}


def _by_what_they_are_about(line: Line) -> dict[About, tuple[str, ...]]:
    cells: dict[About, tuple[str, ...]] = {}
    for meaning, cell in line:
        if meaning.part in OF_DATASET and (not meaning.read or meaning.term in SINGLE):
            cells[meaning.about] = (*cells.get(meaning.about, ()), cell)
    return cells


def _shared_out(meaning: Meaning, cell: str, of_file: set[About], spoken: set[About]) -> Line:
    of_its_file = replace(meaning, part="distribution")
    shared: Line = [(meaning, cell)] if meaning.read and meaning.about not in spoken else []
    if of_file and of_its_file.about not in of_file:
        return [*shared, (of_its_file, cell)]
    return shared or [(Meaning(meaning.heading), cell)]


BYTES = {"b": 1, "byte": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
         "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip
SIZE = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.(\d{1,9}))?\s*([A-Za-z]*)")


def _measured(line: Line) -> Line:
    """A size and its unit as one number of bytes, where they are plain; a kB is a thousand, as ISO has it."""
    size = next(((meaning, cell) for meaning, cell in line if meaning.term in ("size", "octets")), None)
    if size is None or not (parsed := SIZE.fullmatch(size[1])):
        return line
    whole, part, unit = parsed[1].replace(",", ""), parsed[2] or "", parsed[3]
    said = unit or next((cell for meaning, cell in line if meaning.term == "unit"), "")
    factor = BYTES.get((said or ("b" if size[0].term == "octets" else "")).lower().rstrip("s"))
    if factor is None:
        return line
    count = int(whole + part) * factor // 10 ** len(part)
    others = [(meaning, cell) for meaning, cell in line if meaning.term not in (size[0].term, "unit")]
    return [*others, (replace(size[0], term="byte_size", read=octets), str(count))]
