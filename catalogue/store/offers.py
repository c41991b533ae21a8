"""Datasets of different sources whose titles are alike: found for what a run changed, and offered to a person."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil
from typing import Any

import sqlalchemy as sa

from catalogue.store.database import aware, chunks, now
from catalogue.store.tables import catalog_records, datasets, joins
from catalogue.store.types import Run

ALIKE = 0.8
"""The part of the words of two titles that has to be in both."""
MOST_TITLES = 20_000
"""Titles of one organisation that are looked through; one that has more is not helped by a list of pairs."""
MOST_OFFERS = 1_000
"""Pairs that one run may offer."""
COMMON = 3
"""A title that more datasets than this have tells nothing: "Annual report"."""
TELLING = 2
"""Words that a title must have at least."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Two datasets that may be one. The first was seen first, and would stay."""

    dataset: str
    title: str
    other: str
    other_title: str
    organisation: str
    score: float
    why: str
    at: datetime


Pair = tuple[str, str]


def waiting(c: sa.Connection, limit: int) -> list[Offer]:
    """Offers of which both are still there, the likeliest first."""
    j, one, two = joins.c, datasets.alias("one"), datasets.alias("two")
    wanted = (
        sa.select(
            j.dataset, one.c.title, j.other, two.c.title.label("other_title"), one.c.organisation, j.score, j.why, j.at
        )
        .join(one, one.c.id == j.dataset)
        .join(two, two.c.id == j.other)
        .where(j.kind == "offer", one.c.state == "current", two.c.state == "current")
        .order_by(j.score.desc(), j.id)
    )
    return [Offer(**{**row._mapping, "at": aware(row.at)}) for row in c.execute(wanted.limit(limit))]


def alike(c: sa.Connection, run: Run) -> tuple[list[str], dict[Pair, float]]:
    """The datasets that a run brought or changed, and those of other sources with the same organisation that are like them."""
    k = catalog_records.c
    brought = (
        sa.select(k.organisation, k.dataset, k.title)
        .where(k.source == run.source, k.run == run.id)
        .order_by(k.organisation)
    )
    if _alone(c, run.source):
        return [], {}
    changed: list[str] = []
    found: dict[Pair, float] = {}
    for organisation, rows in groupby(c.execute(brought), key=lambda row: row.organisation):
        here = list(rows)
        changed += [row.dataset for row in here]
        if organisation:
            titles = Titles(_elsewhere(c, organisation, run.source))
            for row in here:
                for other, score in titles.like(row.title):
                    if other != row.dataset and len(found) < MOST_OFFERS:
                        found[row.dataset, other] = score
    return changed, found


def _alone(c: sa.Connection, source: str) -> bool:
    """Whether no other source has brought anything yet."""
    k = catalog_records.c
    ends = [
        sa.select(end(k.source)).scalar_subquery() for end in (sa.func.min, sa.func.max)
    ]  # a seek in the index each
    return set(c.execute(sa.select(*ends)).one()) <= {source, None}


def _elsewhere(c: sa.Connection, organisation: str, source: str) -> Sequence[Any]:
    """Id and title of an organisation's datasets that this source does not describe; none when they are too many."""
    k, d = catalog_records.c, datasets.c
    own = sa.exists().where(k.dataset == d.id, k.source == source)
    wanted = sa.select(d.id, d.title).where(d.organisation == organisation, d.state == "current", ~own)
    found = c.execute(wanted.limit(MOST_TITLES + 1)).all()
    return found if len(found) <= MOST_TITLES else []


class Titles:
    """Titles that can be asked for what is like one: by the rarest of its words, so that few are looked at."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._words = {row.id: tokens(row.title) for row in rows}
        self._counts = Counter(word for words in self._words.values() for word in words)
        self._holding: dict[str, list[str]] = defaultdict(list)
        for id_, words in self._words.items():
            for word in self._rarest(words):
                self._holding[word].append(id_)

    def _rarest(self, words: Collection[str]) -> list[str]:
        """Of two titles that are alike, these words of either cannot all be missing in the other."""
        ordered = sorted(words, key=lambda word: (self._counts[word], word))
        return ordered[: len(ordered) - ceil(ALIKE * len(ordered)) + 1]

    def like(self, title: str) -> list[tuple[str, float]]:
        """Ids and scores, the likeliest first; none for a title that many have, or that says next to nothing."""
        words = tokens(title)
        if len(words) < TELLING:
            return []
        near = {id_ for word in self._rarest(words) for id_ in self._holding.get(word, ())}
        scores = sorted(((likeness(words, self._words[id_]), id_) for id_ in near), reverse=True)
        found = [(id_, score) for score, id_ in scores if score >= ALIKE]
        same = sum(1 for _, score in found if score == 1)
        return [] if same > COMMON else found[:COMMON]


def tokens(title: str) -> frozenset[str]:
    """The words of a title, without case, accents and punctuation."""
    bare = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    return frozenset(re.findall(r"[a-z0-9]+", bare)) - {"the", "of", "and", "in", "for", "a"}


def likeness(one: frozenset[str], two: frozenset[str]) -> float:
    """The part of their words that both have; none when they differ in a number or a month, as issues of a series do."""
    if any(word in MONTHS or not word.isalpha() for word in one ^ two):
        return 0.0
    return len(one & two) / len(one | two) if one | two else 0.0


MONTHS = frozenset({
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
})  # fmt: skip


def keep(c: sa.Connection, changed: Sequence[str], found: dict[Pair, float]) -> int:
    """Write down what is offered now about these datasets, instead of what was; what was decided is not offered again."""
    j = joins.c
    if c.execute(sa.select(j.id).where(j.kind == "offer").limit(1)).first():
        for some in chunks(changed):
            old = sa.or_(j.dataset.in_(some), j.other.in_(some))
            c.execute(sa.delete(joins).where(j.kind == "offer", old))
    if not found:
        return 0
    numbers: dict[str, int] = {}
    decided: set[frozenset[str]] = set()
    ids = sorted({id_ for pair in found for id_ in pair})
    for some in chunks(ids):
        held = c.execute(sa.select(datasets.c.id, datasets.c.number).where(datasets.c.id.in_(some)))
        numbers |= {row.id: row.number for row in held}
        rows = c.execute(sa.select(j.dataset, j.other).where(j.kind != "offer", j.dataset.in_(some)))
        decided |= {frozenset((row.dataset, row.other)) for row in rows}
    pairs = {tuple(sorted(pair, key=lambda id_: numbers[id_])): score for pair, score in found.items()}
    at = now()
    new = [
        {"kind": "offer", "dataset": one, "other": two, "score": score, "why": _why(score), "actor": "", "at": at}
        for (one, two), score in pairs.items()
        if frozenset((one, two)) not in decided
    ]
    if new:
        c.execute(sa.insert(joins), new)
    return len(new)


def _why(score: float) -> str:
    return "The same title and organisation." if score == 1 else "Nearly the same title, the same organisation."
