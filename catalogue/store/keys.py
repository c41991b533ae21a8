"""The keys by which datasets are known again: looked up for a batch, learnt from it, and taken from those they mislead about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from catalogue.identify import Facts, Identified, Known, is_weak
from catalogue.store.database import chunks, now
from catalogue.store.tables import catalog_records, dataset_keys, datasets, joins, source_records

SHARED = "shared:"
"""Before a weak key: several datasets of one source have it, so it is evidence of nothing."""
APART = "apart:"
"""`apart:<source>:<dataset>:<record>` leads to the dataset that a person gave the record instead of that one."""
ORIGIN = "origin:"
"""`origin:<source>:<dataset>:<record>` leads to the dataset that the record described before that one took it in."""

_K = dataset_keys.c


def known(c: sa.Connection, keys: Iterable[str], source: str) -> Known:
    """What stands behind keys, which of it this source describes already, and what a person has kept apart."""
    wanted = list(keys)
    wanted += [f"{SHARED}{key}" for key in wanted if is_weak(key)]
    d = datasets.c
    held = sa.select(_K.key, _K.dataset, d.iri, d.kind, d.organisation, d.state).join(datasets, d.id == _K.dataset)
    found = Known({}, {}, {})
    for some in chunks(wanted):
        for row in c.execute(held.where(_K.key.in_(some))):
            if row.key.startswith(SHARED):
                found.shared.add(row.key.removeprefix(SHARED))
                continue
            found.ids[row.key] = row.dataset
            found.iris[row.dataset] = row.iri
            found.facts[row.dataset] = Facts(row.kind, row.organisation, row.state == "current")
    found.ours.update(described(c, source, list(found.iris)))
    for dataset, record in _splits(c, source):
        for row in c.execute(held.where(_K.key == apart(source, dataset, record))):
            found.apart[record, dataset] = row.dataset
            found.iris[row.dataset] = row.iri
    return found


def apart(source: str, dataset: str, record: str) -> str:
    return f"{APART}{source}:{dataset}:{record}"


def _splits(c: sa.Connection, source: str) -> list[tuple[str, str]]:
    """The datasets from which records of a source were split, each with the record: a handful, as people do it by hand."""
    j = joins.c
    split = c.execute(sa.select(j.dataset, j.other).where(j.kind == "split")).all()
    here = f"{source}:"
    return [(row.dataset, row.other.removeprefix(here)) for row in split if row.other.startswith(here)]


def described(c: sa.Connection, source: str, ids: Sequence[str]) -> dict[str, str]:
    """Those of some datasets that a source describes, each with a record that does."""
    k, r = catalog_records.c, source_records.c
    wanted = sa.select(k.dataset, r.identifier).join(source_records, r.id == k.record).where(k.source == source)
    return {row.dataset: row.identifier for some in chunks(ids) for row in c.execute(wanted.where(k.dataset.in_(some)))}


def learn(c: sa.Connection, source: str, fresh: Sequence[Identified], changed: Sequence[Identified]) -> None:
    """Keys lead to the dataset that had them first. A weak key that another dataset of this source has is marked as shared."""
    forget_weak(c, changed)
    wanted: dict[str, str] = {}
    rivals: dict[str, str] = {}
    for resource in (*fresh, *changed):
        for key in resource.keys:
            if wanted.setdefault(key, resource.id) != resource.id and is_weak(key):
                rivals[key] = ""
    held: dict[str, str] = {}
    for some in chunks(list(wanted)):
        held |= {row.key: row.dataset for row in c.execute(sa.select(dataset_keys).where(_K.key.in_(some)))}
    elsewhere = {
        key: held[key] for key, dataset in wanted.items() if is_weak(key) and held.get(key, dataset) != dataset
    }
    ours = {resource.id for resource in (*fresh, *changed)} | described(c, source, list(set(elsewhere.values()))).keys()
    rivals |= {key: dataset for key, dataset in elsewhere.items() if dataset in ours}
    wanted |= {f"{SHARED}{key}": wanted[key] for key in rivals}
    if rivals:
        marks = [f"{SHARED}{key}" for key in rivals]
        held |= {row.key: row.dataset for row in c.execute(sa.select(dataset_keys).where(_K.key.in_(marks)))}
    new = [{"key": key, "dataset": dataset} for key, dataset in wanted.items() if key not in held]
    if new:
        c.execute(sa.insert(dataset_keys), new)


def forget_weak(c: sa.Connection, changed: Sequence[Identified]) -> None:
    """The pages and files that a description no longer names say nothing about it any more."""
    now_said = {resource.id: set(resource.keys) for resource in changed}
    for some in chunks(list(now_said)):
        stale = [
            row.key
            for row in c.execute(sa.select(dataset_keys).where(_K.dataset.in_(some)))
            if is_weak(row.key) and row.key not in now_said[row.dataset]
        ]
        for keys in chunks(stale):
            c.execute(sa.delete(dataset_keys).where(_K.key.in_(keys)))


# ---- by hand


def move(c: sa.Connection, ending: str, into: str, records: Iterable[tuple[str, str]]) -> None:
    """All keys of a dataset lead to the one that takes it in; those of its records tell where these came from."""
    j = joins.c
    for row in c.execute(sa.select(joins).where(j.kind == "split", j.dataset == ending)).all():
        source, record = row.other.split(":", 1)
        own = c.execute(sa.select(_K.dataset).where(_K.key == apart(source, ending, record))).scalar()
        unsplit(c, ending, source, record)
        if own not in (None, into):
            split(c, into, source, record, str(own), row.actor, row.why)
    for key in c.execute(sa.select(_K.key).where(_K.dataset == ending)).scalars().all():
        if key.startswith(ORIGIN):
            continue  # it tells of an earlier taking in, which can still be undone
        if key.startswith(APART):
            _, source, dataset, record = key.split(":", 3)
            if dataset == into:
                unsplit(c, into, source, record)
                continue
        set_key(c, key, into)
    for source, record in records:
        set_key(c, f"{ORIGIN}{source}:{into}:{record}", ending)


def origin(c: sa.Connection, dataset: str, source: str, record: str) -> str | None:
    """The dataset that a record described before this one took it in, if it did."""
    return c.execute(sa.select(_K.dataset).where(_K.key == f"{ORIGIN}{source}:{dataset}:{record}")).scalar()


def of_record(c: sa.Connection, dataset: str, source: str, record: str) -> list[str]:
    """The keys by which a record of a source leads to a dataset."""
    held = c.execute(sa.select(_K.key).where(_K.dataset == dataset)).scalars()
    return [key for key in held if key.startswith(f"record:{source}:{record}:")]


def part(c: sa.Connection, dataset: str, source: str, record: str, own: str, iri: str) -> None:
    """A record, and the address of what it describes now, lead to a dataset of its own for good."""
    for key in (*of_record(c, dataset, source, record), f"iri:{iri}"):
        set_key(c, key, own)
    c.execute(sa.delete(dataset_keys).where(_K.key == f"{ORIGIN}{source}:{dataset}:{record}"))
    split(c, dataset, source, record, own)


def split(c: sa.Connection, dataset: str, source: str, record: str, own: str, actor: str = "", why: str = "") -> None:
    """Whatever would lead this record to the one dataset leads it to the other."""
    unsplit(c, dataset, source, record)
    c.execute(sa.insert(dataset_keys).values(key=apart(source, dataset, record), dataset=own))
    said = {"at": now(), "actor": actor, "why": why}
    c.execute(sa.insert(joins).values(kind="split", dataset=dataset, other=f"{source}:{record}", score=0.0, **said))


def unsplit(c: sa.Connection, dataset: str, source: str, record: str) -> None:
    c.execute(sa.delete(dataset_keys).where(_K.key == apart(source, dataset, record)))
    j = joins.c
    c.execute(sa.delete(joins).where(j.kind == "split", j.dataset == dataset, j.other == f"{source}:{record}"))


def set_key(c: sa.Connection, key: str, dataset: str) -> None:
    """Let a key lead to a dataset, whatever it led to before."""
    if c.execute(sa.update(dataset_keys).where(_K.key == key).values(dataset=dataset)).rowcount == 0:
        c.execute(sa.insert(dataset_keys).values(key=key, dataset=dataset))
