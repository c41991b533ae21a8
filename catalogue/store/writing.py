"""One transaction's work: records, what they describe, the datasets that follow, their changes and their history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from catalogue.identify import Contact, Identified
from catalogue.organisations import Organisation
from catalogue.source import HarvestSource, SourceRecord
from catalogue.store import conflicts, keys
from catalogue.store.database import chunks, now, packed
from catalogue.store.layering import Layering
from catalogue.store.tables import (
    catalog_bodies,
    catalog_records,
    changes,
    contact_points,
    datasets,
    layered_bodies,
    organisations,
    source_bodies,
    source_records,
    sources,
    version_bodies,
)
from catalogue.store.types import Cause, Description, Tally

FACTS = ("kind", "title", "organisation", "modified", "restricted")
"""What a catalogue record and the dataset that it leads have in common."""


def lead_again(c: sa.Connection, source: HarvestSource) -> None:
    """Choose again who leads the datasets that a source describes, since its priority is another; log what changes."""
    writing = Writing(c, source, Cause(reason="The order of the sources has changed."))
    d, k = datasets.c, catalog_records.c
    held = sa.select(d.id, d.lead).join(catalog_records, k.dataset == d.id).where(k.source == source.name)
    before = {row.id: row.lead for row in c.execute(held)}
    leads = writing.leads(set(before))
    writing.settle({id_ for id_, lead in before.items() if leads[id_].id != lead})


class Writing:
    """One transaction's work on one source."""

    def __init__(self, connection: sa.Connection, source: HarvestSource, cause: Cause) -> None:
        self.c = connection
        self.source = source
        self.cause = cause
        self.run = cause.run.id if cause.run else 0
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
        # keys and organisations also of a record that a later one of the batch speaks over
        keys.learn(self.c, self.source.name, [resource for _, resource in fresh], [resource for _, resource in changed])
        self._meet(r.organisation for _, r in (*fresh, *changed) if r.organisation)
        self._save_descriptions(fresh, changed)
        self._drop(dropped)
        self.settle(set(touched) | lost, touched)
        return tally

    def _save_records(self, records: Sequence[SourceRecord]) -> dict[str, tuple[int, bool]]:
        """Row id by identifier, and whether the record is new here."""
        r = source_records.c
        known = {
            row.identifier: row
            for some in chunks([record.identifier for record in records])
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
                    {
                        **_record_columns(record, self.now),
                        "source": self.source.name,
                        "identifier": record.identifier,
                        "run": self.run,
                        "first_run": self.run,
                    }
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
            if row is None:
                continue
            this = sa.update(source_records).where(r.id == row.id)
            if self.cause.replays:
                self.c.execute(this.values(run=self.run))
            elif row.fingerprint != record.fingerprint or row.rejected:
                if row.address != record.address:
                    self.moved.add(row.id)
                self.c.execute(this.values(**_record_columns(record, self.now), run=self.run))
                body = sa.update(source_bodies).where(source_bodies.c.id == row.id)
                self.c.execute(body.values(body=packed(record.content)))
        return ids

    def _catalog_records(self, record_ids: list[int]) -> dict[int, dict[str, tuple[int, str]]]:
        """What each record described so far: catalogue record and fingerprint by dataset."""
        found: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)
        k = catalog_records.c
        for some in chunks(record_ids):
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

    def _meet(self, found: Iterable[Organisation]) -> None:
        """Organisations seen for the first time get a row."""
        bodies = {body.slug: body for body in found}
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

    def forget(self, identifiers: Sequence[str], also: Iterable[str] = ()) -> None:
        """Remove records and what they alone described; `also` are datasets to settle with them."""
        r = source_records.c
        ids = self.c.execute(
            sa.select(r.id).where(r.source == self.source.name, r.identifier.in_(identifiers))
        ).scalars().all()  # fmt: skip
        k = catalog_records.c
        rows = [
            row for some in chunks(ids) for row in self.c.execute(sa.select(k.id, k.dataset).where(k.record.in_(some)))
        ]
        self._drop([row.id for row in rows])
        for some in chunks(ids):
            self.c.execute(sa.delete(source_records).where(r.id.in_(some)))
        self.settle({row.dataset for row in rows}.union(also))

    def _drop(self, record_ids: Sequence[int]) -> None:
        for some in chunks(record_ids):
            self.c.execute(sa.delete(catalog_bodies).where(catalog_bodies.c.id.in_(some)))
            self.c.execute(sa.delete(catalog_records).where(catalog_records.c.id.in_(some)))

    def settle(self, ids: set[str], touched: Mapping[str, Identified] = MappingProxyType({})) -> None:
        """Decide which record leads each touched dataset, and log the change."""
        log: list[dict[str, Any]] = []
        leads = self.leads(ids)
        why = {
            "source": self.source.name, "run": self.run, "actor": self.cause.actor, "reason": self.cause.reason,
        }  # fmt: skip
        settled: dict[str, tuple[str, Any]] = {}
        for some in chunks(sorted(ids)):
            for row in self.c.execute(
                sa.select(datasets.c.id, datasets.c.iri, datasets.c.state).where(datasets.c.id.in_(some))
            ):
                lead = leads.get(row.id)
                outcome = "withdrawn" if lead is None else "updated" if row.state == "current" else "added"
                if row.state == "new" and lead is None:
                    continue
                log.append({**why, "dataset": row.id, "iri": row.iri, "outcome": outcome, "at": self.now})
                settled[row.id] = (row.iri, lead)
        if not log:
            return
        logged = self.c.execute(sa.insert(changes).returning(changes.c.dataset, changes.c.serial), log)
        serials = {row.dataset: row.serial for row in logged}
        layering = Layering(self.c, self.now)
        over = layering.over(settled, touched)
        self._meet(one.organisation for one in over.values() if one.organisation)
        current, withdrawn = [], []
        for id_, (_, lead) in settled.items():
            update = {"this": id_, "new_serial": serials[id_], "new_changed": self.now}
            if lead is None:
                gone = {"new_reason": self.cause.reason, "new_successor": self.cause.successor}
                withdrawn.append({**update, **gone, "new_lead": None, "new_state": "withdrawn"})
                continue
            facts = (over[id_].facts if id_ in over else None) or {name: getattr(lead, name) for name in FACTS}
            update |= {f"new_{name}": value for name, value in facts.items()}
            current.append(
                {**update, "new_lead": lead.id, "new_reason": "", "new_successor": "", "new_state": "current"}
            )
        common = ("lead", "serial", "changed", "state", "reason", "successor")
        self._update(current, (*common, *FACTS))
        self._update(withdrawn, common)
        self._keep_versions([update["this"] for update in current])
        answering = {row["this"]: row["new_organisation"] for row in current}
        self._save_contacts(dict.fromkeys(settled, "") | answering, layering.contacts)
        conflicts.compare(self.c, list(settled), self.now)

    def _update(self, rows: list[dict[str, Any]], names: Sequence[str]) -> None:
        if rows:
            values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
            self.c.execute(sa.update(datasets).where(datasets.c.id == sa.bindparam("this")).values(**values), rows)

    def _keep_versions(self, ids: Sequence[str]) -> None:
        """What each dataset says now stays with its change, as its history."""
        body = (
            sa.select(datasets.c.serial, sa.func.coalesce(layered_bodies.c.body, catalog_bodies.c.body))
            .join(catalog_bodies, catalog_bodies.c.id == datasets.c.lead)
            .outerjoin(layered_bodies, layered_bodies.c.dataset == datasets.c.id)
        )
        for some in chunks(sorted(ids)):
            now_said = body.where(datasets.c.id.in_(some))
            self.c.execute(sa.insert(version_bodies).from_select(["serial", "body"], now_said))

    def leads(self, ids: set[str]) -> dict[str, Any]:
        """The record that leads each dataset: of the source with the lowest priority, the one seen first."""
        k = catalog_records.c
        wanted = (
            sa.select(catalog_records, sa.func.coalesce(sources.c.priority, 1000).label("priority"))
            .outerjoin(sources, (sources.c.name == k.source) & sources.c.removed.is_(None))
            .order_by(sa.desc("priority"), k.id.desc())
        )
        return {
            row.dataset: row
            for some in chunks(sorted(ids))
            for row in self.c.execute(wanted.where(k.dataset.in_(some)))
        }  # the last one written for a dataset wins, so the order is from least to most authoritative

    def _save_contacts(self, organisation_of: Mapping[str, str], named: Mapping[str, Sequence[Contact]]) -> None:
        """Whom each dataset names now; those that are gone name nobody."""
        for some in chunks(sorted(organisation_of)):
            self.c.execute(sa.delete(contact_points).where(contact_points.c.dataset.in_(some)))
        self._insert(
            contact_points,
            [
                {
                    "dataset": id_, "organisation": organisation_of[id_], "role": contact.role, "name": contact.name,
                    "email": contact.email, "telephone": contact.telephone, "page": contact.page,
                }
                for id_, contacts in named.items()
                for contact in contacts
            ],
        )  # fmt: skip

    def _among(self, column: sa.Column[Any], wanted: Iterable[str]) -> set[str]:
        return {
            v
            for some in chunks(list(wanted))
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
