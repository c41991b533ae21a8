"""One dataset or two: what people decide where keys cannot tell, what is offered to them, and where routes disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from catalogue import rdf
from catalogue.dcat import Slug
from catalogue.errors import Busy, NotFound, Problem, WrongUse
from catalogue.identify import id_for
from catalogue.source import HarvestSource
from catalogue.store import conflicts, keys, offers, tables
from catalogue.store.conflicts import Conflict
from catalogue.store.database import Database, aware, chunks, now, packed, unpacked
from catalogue.store.leases import abandoned, fence
from catalogue.store.offers import Offer
from catalogue.store.quarantines import Missing
from catalogue.store.tables import (
    acts,
    catalog_bodies,
    catalog_records,
    datasets,
    joins,
    runs,
    source_records,
    sources,
)
from catalogue.store.types import Cause, Run
from catalogue.store.writing import FACTS, Writing

BY_HAND = HarvestSource(name=Slug(""), type="", url="")
"""What a person does is no source's doing."""
RENAMED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Join:
    """What was decided about two datasets. `kind` is merge, split or declined; `other` ended, was kept apart, is another."""

    kind: str
    dataset: str
    other: str
    why: str
    actor: str
    at: datetime


class Joins:
    """Which records mean one dataset, by a person's word: it outlasts every harvest, and merge and split undo each other."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ---- merge and split

    def merge(self, into: str, ending: str, actor: str, why: str) -> None:
        """Let one dataset take another in: its records, its keys, and a page that says where it went.

        Raises NotFound, WrongUse when they cannot be one, Busy while one of their sources is harvested.
        """
        with self._db.writing() as c:
            kept, gone = _dataset(c, into), _dataset(c, ending)
            if kept.id == gone.id:
                raise WrongUse(f"'{into}' and '{ending}' are one dataset already.")
            if kept.kind != gone.kind:
                raise WrongUse(f"'{into}' is a {kept.kind} and '{ending}' a {gone.kind}: they cannot be one.")
            self._quiet(c, [kept.id, gone.id])
            self._take_in(c, kept, gone, actor, why)
            Writing(c, BY_HAND, Cause(actor=actor, reason=why)).settle({kept.id})

    def split(self, dataset: str, source: str, record: str, *, base: str, actor: str, why: str) -> str:
        """Give a record a dataset of its own, whose id is the answer: the one it had before a merge, if it had one.

        Raises NotFound, WrongUse when nothing would be left, Busy while one of their sources is harvested.
        """
        with self._db.writing() as c:
            held = _dataset(c, dataset)
            rows = _records(c, held.id)
            mine = next((row for row in rows if (row.source, row.identifier) == (source, record)), None)
            if mine is None:
                said = ", ".join(f"'{row.identifier}' of {row.source}" for row in rows[:5]) or "none"
                raise NotFound(f"No record '{record}' of '{source}' describes '{held.id}'. Records that do: {said}.")
            if len(rows) == 1:
                raise WrongUse(f"'{record}' is the only record on '{held.id}': there is nothing to split.")
            self._quiet(c, [held.id])
            own, iri = self._own(c, held, mine, base)
            _move(c, mine, held, own, iri)
            keys.part(c, held.id, source, record, own, iri)
            _log(c, "split", held.id, f"{source}:{record}", actor, why)
            one, two = sorted((held.id, own))
            _log(c, "declined", one, two, actor, why, silent=True)
            Writing(c, BY_HAND, Cause(actor=actor, reason=why)).settle({held.id, own})
            return own

    def rename(self, source: HarvestSource, renamed: Sequence[Missing], actor: str, why: str) -> int:
        """Records that came back under another identifier: the old datasets take in the new ones, the old records go.

        What was done before is not done again, and what cannot be done (the new one is gone, too) is left as it is. Gives
        how many were renamed.
        """
        done = 0
        for some in chunks(renamed, RENAMED_AT_ONCE):
            with self._db.writing() as c:
                self._quiet(c, [one.dataset for one in some], source.name)
                taken = {one.dataset for one in some if self._takes_in(c, one, actor, why)}
                ready = [one for one in some if one.dataset in taken or _was_taken_in(c, one)]
                Writing(c, source, Cause(actor=actor, reason=why)).forget([one.identifier for one in ready], taken)
            done += len(ready)
        return done

    def _takes_in(self, c: sa.Connection, one: Missing, actor: str, why: str) -> bool:
        """Whether the old dataset could take in the new one now."""
        held = {row.id: row for row in _some(c, [one.dataset, one.renamed_dataset])}
        kept, gone = held.get(one.dataset), held.get(one.renamed_dataset)
        if kept is None or gone is None or kept is gone or kept.kind != gone.kind or gone.state != "current":
            return False
        self._take_in(c, kept, gone, actor, why)
        return True

    def _take_in(self, c: sa.Connection, kept: Any, gone: Any, actor: str, why: str) -> None:
        """Records and keys move; the one that ends is withdrawn with its successor. The other is the caller's to settle."""
        rows = _records(c, gone.id)
        there = {row.record for row in _records(c, kept.id)}
        if both := next((row for row in rows if row.record in there), None):
            message = f"'{both.identifier}' of {both.source} describes both '{kept.id}' and '{gone.id}'"
            raise WrongUse(f"{message}: as long as it does, they are two.")
        for row in rows:
            _move(c, row, gone, kept.id, kept.iri)
        keys.move(c, gone.id, kept.id, [(row.source, row.identifier) for row in rows])
        _forget_pair(c, kept.id, gone.id)
        _log(c, "merge", kept.id, gone.id, actor, why)
        Writing(c, BY_HAND, Cause(actor=actor, reason=why, successor=kept.id)).settle({gone.id})

    def _own(self, c: sa.Connection, held: Any, mine: Any, base: str) -> tuple[str, str]:
        """Id and IRI of the dataset that a record gets: those it had before it was merged, else new ones.

        It keeps the address that its source gives it, unless that is, or may be, what the others go by.
        """
        before = keys.origin(c, held.id, mine.source, mine.identifier)
        own = before or id_for(mine.title, f"split:{mine.source}:{held.id}:{mine.identifier}")
        there = next(iter(_some(c, [own])), None)
        if there is not None:
            return own, there.iri
        iri = self._address(c, held, mine) or f"{base}/dataset/{own}"
        at, d = now(), datasets.c
        number = c.execute(sa.select(sa.func.coalesce(sa.func.max(d.number), 0))).scalar_one() + 1
        facts = {name: getattr(mine, name) for name in FACTS}
        c.execute(
            sa.insert(datasets).values(
                **facts, id=own, number=number, iri=iri, state="new", lead=None, first_seen=at, changed=at, serial=0
            )
        )
        return own, iri

    def _address(self, c: sa.Connection, held: Any, mine: Any) -> str:
        said = {
            (row.source, row.identifier): {
                key.removeprefix(f"record:{row.source}:{row.identifier}:")
                for key in keys.of_record(c, held.id, row.source, row.identifier)
            }
            for row in _records(c, held.id)
        }
        own = said.pop((mine.source, mine.identifier))
        free = own - {held.iri}.union(*said.values())
        taken = set(c.execute(sa.select(datasets.c.iri).where(datasets.c.iri.in_(free))).scalars())
        return next((one for one in sorted(free - taken) if one.startswith(("http://", "https://"))), "")

    def _quiet(self, c: sa.Connection, ids: Sequence[str], *names: str) -> None:
        """A batch that is under way would undo what is done now. Raises Busy."""
        k = catalog_records.c
        at_work = c.execute(sa.select(runs).where(runs.c.status == "running")).all()
        busy = {row.source: row for row in at_work if not abandoned(row, self._db.clock(c))}
        if not busy:
            return
        theirs = c.execute(sa.select(k.source).distinct().where(k.dataset.in_(ids), k.source.in_(busy))).scalars()
        for name in (*theirs, *(name for name in names if name in busy)):
            raise Busy(f"'{name}' is being harvested in run {busy[name].id}. Do this again when it has ended.")

    def decided(self, dataset: str) -> list[Join]:
        """What people decided about a dataset, the newest first."""
        j = joins.c
        about = sa.or_(j.dataset == dataset, j.other == dataset)
        wanted = sa.select(j.kind, j.dataset, j.other, j.why, j.actor, j.at).where(about, j.kind != "offer")
        with self._db.reading() as c:
            rows = c.execute(wanted.order_by(j.id.desc()))
            return [Join(**{**row._mapping, "at": aware(row.at)}) for row in rows]

    # ---- offers

    def offers(self, limit: int = 100) -> list[Offer]:
        """Pairs that may be one dataset, the likeliest first. A person says so with `merge`, or not with `decline`."""
        with self._db.reading() as c:
            return offers.waiting(c, limit)

    def decline(self, dataset: str, other: str, actor: str, why: str = "") -> None:
        """Say that two are two: it is not offered again. Raises NotFound."""
        with self._db.writing() as c:
            one, two = sorted((_dataset(c, dataset).id, _dataset(c, other).id))
            _forget_pair(c, one, two)
            _log(c, "declined", one, two, actor, why)

    def offer(self, run: Run) -> int:
        """Look for what people may know as one dataset, among what a run brought or changed. Gives how many pairs it found."""
        with self._db.reading() as c:
            changed, found = offers.alike(c, run)
        if not changed:
            return 0
        with self._db.writing() as c:
            fence(self._db, c, run)
            return offers.keep(c, changed, found)

    # ---- conflicts

    def conflicts(self, source: str = "", *, dataset: str = "", limit: int = 1_000) -> list[Conflict]:
        """Where the routes of a dataset disagree, whichever of them is this source's."""
        t = tables.conflicts.c
        which = sa.true() if not source else sa.or_(t.source == source, t.other == source)
        with self._db.reading() as c:
            return conflicts.about(c, sa.and_(which, t.dataset == dataset) if dataset else which, limit)

    def disagreements(self, source: str, records: Iterable[tuple[str, Iterable[str]]]) -> list[Problem]:
        """What to tell the owner of a source about its records, each given with the datasets it describes."""
        record_of = {id_: record for record, ids in records for id_ in ids}
        t = tables.conflicts.c
        with self._db.reading() as c:
            if not conflicts.known(c):
                return []
            found = [
                one
                for some in chunks(sorted(record_of))
                for one in conflicts.about(
                    c, sa.and_(t.dataset.in_(some), sa.or_(t.source == source, t.other == source)), 1_000
                )
            ]
            names = c.execute(sa.select(sources.c.name, sources.c.title)) if found else ()
            titles = {row.name: row.title for row in names}
        return [conflicts.problem(one, source, record_of[one.dataset], titles) for one in found]


def _dataset(c: sa.Connection, id_: str) -> Any:
    found = _some(c, [id_])
    if not found:
        raise NotFound(f"The catalogue holds nothing called '{id_}'.")
    return found[0]


def _some(c: sa.Connection, ids: Sequence[str]) -> Sequence[Any]:
    return c.execute(sa.select(datasets).where(datasets.c.id.in_(ids))).all()


def _was_taken_in(c: sa.Connection, one: Missing) -> bool:
    """Whether the old dataset took in the new one before, or both are one dataset anyway."""
    return any(one.dataset in (row.id, row.successor) for row in _some(c, [one.renamed_dataset]))


def _records(c: sa.Connection, dataset: str) -> Sequence[Any]:
    """The records on a dataset, with what they call themselves."""
    k, r = catalog_records.c, source_records.c
    wanted = sa.select(catalog_records, r.identifier).join(source_records, r.id == k.record)
    return c.execute(wanted.where(k.dataset == dataset).order_by(k.id)).all()


def _move(c: sa.Connection, row: Any, held: Any, own: str, iri: str) -> None:
    """A record describes another dataset from now on, in the words that the next harvest will find."""
    b = catalog_bodies.c
    body = unpacked(c.execute(sa.select(b.body).where(b.id == row.id)).scalar_one())
    body = rdf.renamed(body, held.iri, iri, (held.id, own))
    c.execute(sa.update(catalog_bodies).where(b.id == row.id).values(body=packed(body)))
    here = sa.update(catalog_records).where(catalog_records.c.id == row.id)
    c.execute(here.values(dataset=own, fingerprint=blake2b(body, digest_size=16).hexdigest()))


def _forget_pair(c: sa.Connection, one: str, two: str) -> None:
    """Nothing that was said of two datasets before counts any more."""
    j = joins.c
    pair = sa.or_(sa.and_(j.dataset == one, j.other == two), sa.and_(j.dataset == two, j.other == one))
    c.execute(sa.delete(joins).where(pair))


def _log(c: sa.Connection, kind: str, dataset: str, other: str, actor: str, why: str, *, silent: bool = False) -> None:
    """Keep what was decided, and that somebody did."""
    j = joins.c
    c.execute(sa.delete(joins).where(j.kind == kind, j.dataset == dataset, j.other == other))
    said = {"actor": actor, "why": why, "at": now()}
    c.execute(sa.insert(joins).values(kind=kind, dataset=dataset, other=other, score=0.0, **said))
    if not silent:
        c.execute(sa.insert(acts).values(**said, did=f"{kind} {other}", about=f"dataset:{dataset}"))
