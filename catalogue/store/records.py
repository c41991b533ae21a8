"""Records and what they describe, written together: a batch, its datasets and their changes are one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from catalogue import rdf
from catalogue.dcat import Identifier, Resource
from catalogue.errors import StoreRefused
from catalogue.identify import Contact, Identified, Known, contacts
from catalogue.source import HarvestSource, SourceRecord
from catalogue.store.database import Database, now, packed, unpacked
from catalogue.store.tables import (
    catalog_bodies,
    catalog_records,
    changes,
    contact_points,
    dataset_keys,
    datasets,
    organisations,
    source_bodies,
    source_records,
    sources,
)
from catalogue.store.types import Description, Tally

FACTS = ("kind", "title", "organisation", "modified", "restricted")
"""What a catalogue record and the dataset that it leads have in common."""


class Records:
    """What sources said, and the datasets that follow from it."""

    def __init__(self, database: Database) -> None:
        self._db = database

    # ---- what is known before a batch is described

    def fingerprints(self, source: str, identifiers: Iterable[str]) -> dict[str, tuple[str, str]]:
        """For records of a source that we hold: the fingerprint we hold, and that of a newer one that was refused."""
        r = source_records.c
        wanted = sa.select(r.identifier, r.fingerprint, r.rejected).where(
            r.source == source, r.identifier.in_(list(identifiers))
        )
        with self._db.reading() as c:
            return {row.identifier: (row.fingerprint, row.rejected) for row in c.execute(wanted)}

    def known(self, keys: Iterable[str], source: str = "") -> Known:
        """The ids and IRIs that stand behind keys, and which of them this source describes already."""
        k = dataset_keys.c
        wanted = sa.select(k.key, k.dataset, datasets.c.iri).join(datasets, datasets.c.id == k.dataset)
        ids: dict[str, str] = {}
        iris: dict[str, str] = {}
        with self._db.reading() as c:
            for some in _chunks(list(keys)):
                for row in c.execute(wanted.where(k.key.in_(some))):
                    ids[row.key] = row.dataset
                    iris[row.dataset] = row.iri
            ours = {
                row.dataset: row.identifier
                for some in _chunks(list(iris))
                for row in c.execute(
                    sa.select(catalog_records.c.dataset, source_records.c.identifier)
                    .join(source_records, source_records.c.id == catalog_records.c.record)
                    .where(catalog_records.c.source == source, catalog_records.c.dataset.in_(some))
                )
            }
        return Known(ids, iris, ours)

    def identifiers(self, source: str) -> set[str]:
        """Every record that we hold of a source."""
        r = source_records.c
        with self._db.reading() as c:
            return set(c.execute(sa.select(r.identifier).where(r.source == source)).scalars())

    def stored(self, source: str, size: int = 500) -> Iterator[list[SourceRecord]]:
        """A source's records as they were given, in batches: what `remap` maps again."""
        r = source_records.c
        wanted = sa.select(source_records, source_bodies.c.body).join(source_bodies, source_bodies.c.id == r.id)
        last = 0
        while True:
            with self._db.reading() as c:
                rows = c.execute(wanted.where(r.source == source, r.id > last).order_by(r.id).limit(size)).all()
            if not rows:
                return
            last = rows[-1].id
            yield [_record(row) for row in rows]

    def verbatim(self, source: str, identifier: str) -> SourceRecord | None:
        """One record as its source gave it."""
        r = source_records.c
        wanted = sa.select(source_records, source_bodies.c.body).join(source_bodies, source_bodies.c.id == r.id)
        with self._db.reading() as c:
            row = c.execute(wanted.where(r.source == source, r.identifier == identifier)).first()
        return _record(row) if row else None

    # ---- writing

    def put(self, descriptions: Sequence[Description], source: HarvestSource, run: int) -> Tally:
        """Save descriptions and log what changed, all or nothing. Raises StoreRefused when the database will not take them."""
        try:
            with self._db.writing() as c:
                return _Writing(c, source, run).put(descriptions)
        except (sa.exc.IntegrityError, sa.exc.DataError, UnicodeError, OverflowError) as wrong:
            raise StoreRefused(str(wrong.__cause__ or wrong)) from wrong
        except sa.exc.OperationalError as wrong:
            if str(getattr(wrong.orig, "sqlstate", "")).startswith(_BEYOND_LIMITS):
                raise StoreRefused(str(wrong.orig)) from wrong
            raise

    def withdraw(self, source: HarvestSource, gone: Sequence[str], run: int) -> int:
        """Take back what these records said. Datasets that no record describes any more are withdrawn."""
        with self._db.writing() as c:
            writing = _Writing(c, source, run)
            for some in _chunks(sorted(gone)):
                writing.forget(some)
        return len(gone)

    def refuse(self, source: str, refused: Iterable[SourceRecord]) -> None:
        """Mark records whose newer version was rejected: the last good one stays up. New ones leave no mark."""
        r = source_records.c
        with self._db.writing() as c:
            for record in refused:
                held = sa.update(source_records).where(r.source == source, r.identifier == record.identifier)
                c.execute(held.values(rejected=record.fingerprint))


_BEYOND_LIMITS = "54"
"""How PostgreSQL's error codes begin for what is too long for an index, say: the record's fault, not the connection's."""


def lead_again(c: sa.Connection, source: HarvestSource) -> None:
    """Choose again who leads the datasets that a source describes, since its priority is another; log what changes."""
    writing = _Writing(c, source, run=0)
    d, k = datasets.c, catalog_records.c
    held = sa.select(d.id, d.lead).join(catalog_records, k.dataset == d.id).where(k.source == source.name)
    before = {row.id: row.lead for row in c.execute(held)}
    leads = writing.leads(set(before))
    writing.settle({id_ for id_, lead in before.items() if leads[id_].id != lead})


class _Writing:
    """One transaction's work on one source."""

    def __init__(self, connection: sa.Connection, source: HarvestSource, run: int) -> None:
        self.c = connection
        self.source = source
        self.run = run
        self.now = now()
        self.moved: set[int] = set()
        """Records that come from another address than before, which the feeds tell."""

    def put(self, descriptions: Sequence[Description]) -> Tally:
        tally = Tally()
        records = self._save_records([d.record for d in descriptions])
        held = self._catalog_records([row_id for row_id, is_new in records.values() if not is_new])
        touched: dict[str, Identified] = {}
        fresh: list[tuple[int, Identified]] = []
        changed: list[tuple[int, Identified]] = []
        dropped: list[int] = []
        lost: set[str] = set()
        for description in descriptions:
            row_id, is_new = records[description.record.identifier]
            before = held[row_id]
            different = False
            for resource in description.resources:
                known = before.pop(resource.id, None)
                if known is None:
                    fresh.append((row_id, resource))
                elif known[1] != resource.fingerprint or row_id in self.moved:
                    changed.append((known[0], resource))
                else:
                    continue
                touched[resource.id] = resource
                different = True
            for id_, (record_id, _) in before.items():
                dropped.append(record_id)
                lost.add(id_)
                different = True
            outcome = "added" if is_new else "updated" if different else "unchanged"
            setattr(tally, outcome, getattr(tally, outcome) + 1)
        self._save_datasets(touched)
        self._learn(resource for _, resource in (*fresh, *changed))
        self._save_descriptions(fresh, changed)
        self._drop(dropped)
        self.settle(set(touched) | lost, touched)
        return tally

    def _save_records(self, records: Sequence[SourceRecord]) -> dict[str, tuple[int, bool]]:
        """Row id by identifier, and whether the record is new here."""
        r = source_records.c
        known = {
            row.identifier: row
            for some in _chunks([record.identifier for record in records])
            for row in self.c.execute(
                sa.select(r.id, r.identifier, r.fingerprint, r.rejected, r.address).where(
                    r.source == self.source.name, r.identifier.in_(some)
                )
            )
        }
        new = [record for record in records if record.identifier not in known]
        ids: dict[str, tuple[int, bool]] = {i: (row.id, False) for i, row in known.items()}
        if new:
            made = self.c.execute(
                sa.insert(source_records).returning(r.id, r.identifier),
                [
                    {**_record_columns(record, self.now), "source": self.source.name, "identifier": record.identifier}
                    for record in new
                ],
            )
            ids |= {row.identifier: (row.id, True) for row in made}
            self.c.execute(
                sa.insert(source_bodies),
                [{"id": ids[record.identifier][0], "body": packed(record.content)} for record in new],
            )
        for record in records:
            row = known.get(record.identifier)
            if row is not None and (row.fingerprint != record.fingerprint or row.rejected):
                if row.address != record.address:
                    self.moved.add(row.id)
                self.c.execute(
                    sa.update(source_records).where(r.id == row.id).values(**_record_columns(record, self.now))
                )
                body = sa.update(source_bodies).where(source_bodies.c.id == row.id)
                self.c.execute(body.values(body=packed(record.content)))
        return ids

    def _catalog_records(self, record_ids: list[int]) -> dict[int, dict[str, tuple[int, str]]]:
        """What each record described so far: catalogue record and fingerprint by dataset."""
        found: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
        k = catalog_records.c
        for some in _chunks(record_ids):
            for row in self.c.execute(sa.select(k.id, k.record, k.dataset, k.fingerprint).where(k.record.in_(some))):
                found[row.record][row.dataset] = (row.id, row.fingerprint)
        return found

    def _save_datasets(self, by_id: Mapping[str, Identified]) -> None:
        """Datasets seen for the first time get a row."""
        if not by_id:
            return
        held = self._among(datasets.c.id, by_id)
        number = self.c.execute(sa.select(sa.func.coalesce(sa.func.max(datasets.c.number), 0))).scalar_one()
        new = [resource for id_, resource in by_id.items() if id_ not in held]
        self._insert(
            datasets,
            [
                {
                    **_facts(resource), "id": resource.id, "number": number + i, "iri": resource.iri, "state": "new",
                    "lead": None, "first_seen": self.now, "changed": self.now, "serial": 0,
                }
                for i, resource in enumerate(new, start=1)
            ],
        )  # fmt: skip

    def _learn(self, found: Iterable[Identified]) -> None:
        """Keys and organisations, also those of a record that a later one of the batch speaks over."""
        resources = list(found)
        wanted: dict[str, str] = {}
        for resource in resources:
            for key in resource.keys:
                wanted.setdefault(key, resource.id)
        held_keys = self._among(dataset_keys.c.key, wanted)
        self._insert(dataset_keys, [{"key": k, "dataset": i} for k, i in wanted.items() if k not in held_keys])
        bodies = {r.organisation.slug: r.organisation for r in resources if r.organisation}
        held_bodies = self._among(organisations.c.slug, bodies)
        self._insert(
            organisations,
            [{"slug": o.slug, "title": o.title, "iri": o.iri} for slug, o in bodies.items() if slug not in held_bodies],
        )

    def _save_descriptions(self, fresh: list[tuple[int, Identified]], changed: list[tuple[int, Identified]]) -> None:
        if fresh:
            k = catalog_records.c
            made = self.c.execute(
                sa.insert(catalog_records).returning(k.id, k.record, k.dataset),
                [
                    {
                        **_facts(resource), "record": row_id, "dataset": resource.id, "source": self.source.name,
                        "fingerprint": resource.fingerprint, "first_seen": self.now, "changed": self.now, "run": self.run,
                    }
                    for row_id, resource in fresh
                ],
            )  # fmt: skip
            ids = {(row.record, row.dataset): row.id for row in made}
            self._insert(
                catalog_bodies,
                [{"id": ids[row_id, resource.id], "body": packed(resource.body)} for row_id, resource in fresh],
            )
        for id_, resource in changed:
            values = {**_facts(resource), "fingerprint": resource.fingerprint, "changed": self.now, "run": self.run}
            self.c.execute(sa.update(catalog_records).where(catalog_records.c.id == id_).values(**values))
            self.c.execute(
                sa.update(catalog_bodies).where(catalog_bodies.c.id == id_).values(body=packed(resource.body))
            )

    def forget(self, identifiers: Sequence[str]) -> None:
        """Remove records and what they alone described."""
        r = source_records.c
        ids = self.c.execute(
            sa.select(r.id).where(r.source == self.source.name, r.identifier.in_(identifiers))
        ).scalars().all()  # fmt: skip
        k = catalog_records.c
        rows = [
            row for some in _chunks(ids) for row in self.c.execute(sa.select(k.id, k.dataset).where(k.record.in_(some)))
        ]
        self._drop([row.id for row in rows])
        for some in _chunks(ids):
            self.c.execute(sa.delete(source_records).where(r.id.in_(some)))
        self.settle({row.dataset for row in rows})

    def _drop(self, record_ids: Sequence[int]) -> None:
        for some in _chunks(record_ids):
            self.c.execute(sa.delete(catalog_bodies).where(catalog_bodies.c.id.in_(some)))
            self.c.execute(sa.delete(catalog_records).where(catalog_records.c.id.in_(some)))

    def settle(self, ids: set[str], touched: Mapping[str, Identified] = MappingProxyType({})) -> None:
        """Decide which record leads each touched dataset, and log the change."""
        log: list[dict[str, Any]] = []
        updates: list[dict[str, Any]] = []
        leads = self.leads(ids)
        for some in _chunks(sorted(ids)):
            for row in self.c.execute(
                sa.select(datasets.c.id, datasets.c.iri, datasets.c.state).where(datasets.c.id.in_(some))
            ):
                lead = leads.get(row.id)
                outcome = "withdrawn" if lead is None else "updated" if row.state == "current" else "added"
                if row.state == "new" and lead is None:
                    continue
                log.append({"dataset": row.id, "iri": row.iri, "outcome": outcome, "at": self.now})
                facts = {f"new_{name}": getattr(lead, name) for name in FACTS} if lead is not None else None
                updates.append({"this": row.id, "new_lead": lead.id if lead is not None else None, "facts": facts})
        if not log:
            return
        logged = self.c.execute(sa.insert(changes).returning(changes.c.dataset, changes.c.serial), log)
        serials = {row.dataset: row.serial for row in logged}
        current, withdrawn = [], []
        for update in updates:
            facts = update.pop("facts")
            update |= {"new_serial": serials[update["this"]], "new_changed": self.now}
            if facts is None:
                withdrawn.append({**update, "new_state": "withdrawn"})
            else:
                current.append({**update, **facts, "new_state": "current"})
        common = ("lead", "serial", "changed", "state")
        self._update(current, (*common, *FACTS))
        self._update(withdrawn, common)
        self._save_contacts({row["dataset"]: (row["iri"], leads.get(row["dataset"])) for row in log}, touched)

    def _update(self, rows: list[dict[str, Any]], names: Sequence[str]) -> None:
        if rows:
            values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
            self.c.execute(sa.update(datasets).where(datasets.c.id == sa.bindparam("this")).values(**values), rows)

    def leads(self, ids: set[str]) -> dict[str, Any]:
        """The record that leads each dataset: of the source with the lowest priority, the one seen first."""
        k = catalog_records.c
        wanted = (
            sa.select(catalog_records, sa.func.coalesce(sources.c.priority, 1000).label("priority"))
            .outerjoin(sources, sources.c.name == k.source)
            .order_by(sa.desc("priority"), k.id.desc())
        )
        return {
            row.dataset: row
            for some in _chunks(sorted(ids))
            for row in self.c.execute(wanted.where(k.dataset.in_(some)))
        }  # the last one written for a dataset wins, so the order is from least to most authoritative

    def _save_contacts(self, leads: Mapping[str, tuple[str, Any]], touched: Mapping[str, Identified]) -> None:
        """Whom each dataset names, as the record that leads it says."""
        for some in _chunks(sorted(leads)):
            self.c.execute(sa.delete(contact_points).where(contact_points.c.dataset.in_(some)))
        self._insert(
            contact_points,
            [
                {
                    "dataset": id_, "organisation": lead.organisation, "role": contact.role, "name": contact.name,
                    "email": contact.email, "telephone": contact.telephone, "page": contact.page,
                }
                for id_, (iri, lead) in leads.items()
                if lead is not None
                for contact in self._contacts(iri, lead, touched.get(id_))
            ],
        )  # fmt: skip

    def _contacts(self, iri: str, lead: Any, fresh: Identified | None) -> Iterable[Contact]:
        """Whom a record names; it is read again only where another record of the dataset was the one touched."""
        if fresh is not None and fresh.fingerprint == lead.fingerprint:
            return fresh.contacts
        held = sa.select(catalog_bodies.c.body).where(catalog_bodies.c.id == lead.id)
        body = unpacked(self.c.execute(held).scalar_one())
        found = rdf.Reader(rdf.graph(body, "application/n-triples")).read(iri)
        assert isinstance(found, Resource)
        return contacts(found)

    def _among(self, column: sa.Column[Any], wanted: Iterable[str]) -> set[str]:
        return {
            v
            for some in _chunks(list(wanted))
            for v in self.c.execute(sa.select(column).where(column.in_(some))).scalars()
        }

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.c.execute(sa.insert(table), rows)


def _facts(resource: Identified) -> dict[str, Any]:
    return {
        "kind": resource.kind,
        "title": resource.title,
        "organisation": resource.organisation.slug if resource.organisation else "",
        "modified": resource.modified,
        "restricted": resource.restricted,
    }


def _record_columns(record: SourceRecord, at: datetime) -> dict[str, Any]:
    return {
        "fingerprint": record.fingerprint,
        "media_type": record.media_type,
        "address": record.address,
        "location": record.where,
        "fetched": at,
        "rejected": "",
    }


def _record(row: Any) -> SourceRecord:
    return SourceRecord(Identifier(row.identifier), unpacked(row.body), row.media_type, row.address, row.location)


def _chunks(values: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """Few enough at once for any database's limit on parameters."""
    for start in range(0, len(values), size):
        yield values[start : start + size]
