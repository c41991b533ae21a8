"""The straight line: fetch → map → normalise → validate → identify → store. Read this and you have read the product."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from catalogue.dcat import Resource
from catalogue.errors import Problem, RecordRejected, SourceUnavailable, StoreRefused
from catalogue.harvest.cycles import seldom_sought
from catalogue.harvest.quarantine import believed
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.identify import Known, identify, keys
from catalogue.normalise import normalise
from catalogue.source import Harvester, HarvestSource, SourceRecord
from catalogue.store import Description, Run
from catalogue.validate import validate

BATCH = 500
MAX_RECORD = 10_000_000
"""Bytes of one description. The largest real one we know has 0.3 MB."""

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Progress = Callable[[HarvestRun], None]
Fetched = Iterable[SourceRecord | Problem]


@seldom_sought()
def harvest(
    run: HarvestRun,
    harvester: Harvester,
    client: Client,
    *,
    trusting: bool = False,
    progress: Progress = lambda _: None,
) -> Run:
    """Bring one source up to date. If fetch breaks off, nothing is withdrawn; `trusting` believes every disappearance."""
    try:
        for batch in batches(fetched(run, harvester, client)):
            save(fresh(batch, run), run, harvester)
            progress(run)
    except SourceUnavailable as broken:
        run.note([broken.problem()])
        return run.finish("partial" if run.seen else "failed", str(broken))
    return withdraw(run, trusting)


@seldom_sought()
def remap(run: HarvestRun, harvester: Harvester, progress: Progress = lambda _: None) -> Run:
    """Map the records that we hold again, without the network: what a better mapping changes becomes a change."""
    for batch in run.store.records.stored(run.source.name, BATCH):
        run.tally.fetched += len(batch)
        save(batch, run, harvester)
        progress(run)
    return run.finish("complete")


def save(records: list[SourceRecord], run: HarvestRun, harvester: Harvester) -> None:
    """One batch, one transaction. When the store refuses it, its records go in one by one."""
    described = describe(records, run, harvester)
    try:
        run.tally += run.store.records.put(described, run.source, run.row.id)
    except StoreRefused:
        for one in described:
            with run.rejecting(one.record), storing():
                run.tally += run.store.records.put([one], run.source, run.row.id)
    run.save_notes()


def describe(records: list[SourceRecord], run: HarvestRun, harvester: Harvester) -> list[Description]:
    """A batch's journey to the store: map, normalise, validate, identify. A record stands or falls whole."""
    checked: list[tuple[SourceRecord, list[Resource]]] = []
    for record in records:
        with run.rejecting(record):
            resources = [normalise(resource) for resource in mapped(record, run.source, harvester)]
            run.note(check(resources, record))
            checked.append((record, resources))
    wanted = {key for record, found in checked for n, r in enumerate(found) for key in keys(r, record, run.source, n)}
    known = run.store.records.known(wanted, run.source.name)
    described = []
    for record, resources in checked:
        with run.rejecting(record):
            described.append(named(record, resources, run, known))
    return described


def named(record: SourceRecord, resources: list[Resource], run: HarvestRun, known: Known) -> Description:
    """Resources with their names for life; what is named here is known to the rest of the batch."""
    found = []
    for position, resource in enumerate(resources):
        identified = identify(resource, record, run.source, known, run.base, position)
        known.learn(identified, record)
        found.append(identified)
    return Description(record, tuple({resource.id: resource for resource in found}.values()))


def check(resources: list[Resource], record: SourceRecord) -> list[Problem]:
    """The warnings about a record's resources. Raises RecordRejected with the errors when there are any.

    Notes, what a description may say as well, are not for a run to repeat.
    """
    found = [
        problem.about(record.identifier).within(record.where)
        for resource in resources
        for problem in validate(resource)
        if problem.severity != "note"
    ]
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise RecordRejected(*errors)
    return found


def fetched(run: HarvestRun, harvester: Harvester, client: Client) -> Iterator[SourceRecord]:
    """The records of a source, each identifier once. The first of two doors to other people's code: it may raise anything."""
    try:
        for found in harvester.fetch(run.source, client):
            if isinstance(found, Problem):
                if found.severity == "error":
                    run.tally.rejected += bool(found.record or found.where)
                    run.unread.add(found.record)
                run.note([found])
                continue
            run.tally.fetched += 1
            problem = unnamable(found) or oversize(found) or repeated(found, run)
            run.seen.add(found.identifier)
            if problem:
                run.tally.rejected += 1
                run.note([problem])
            else:
                yield found
    except SourceUnavailable:
        raise
    except Exception as wrong:  # a rude harvester ends its own run, never ours
        raise SourceUnavailable(
            f"The harvester '{run.source.type}' stopped with {type(wrong).__name__}: {wrong}",
            fix="This is a fault of the harvester, not of the source: report it with the run's number.",
            rule="harvester-fault",
        ) from wrong


def mapped(record: SourceRecord, source: HarvestSource, harvester: Harvester) -> list[Resource]:
    """What a record describes. The second door: `map` may be a generator and may raise anything."""
    try:
        return [resource_of(found) for found in harvester.map(record, source)]
    except RecordRejected:
        raise
    except Exception as wrong:  # one bad record costs only itself
        raise RecordRejected(
            Problem(
                rule="mapping-fault",
                message=f"The record could not be understood: {type(wrong).__name__}: {wrong}",
                fix="Compare it with a record that is accepted; if it looks right, report it as a fault of the harvester.",
            )
        ) from wrong


def resource_of(found: object) -> Resource:
    if not isinstance(found, Resource):
        raise TypeError(f"the harvester gave {type(found).__name__} instead of a resource")
    return found


def withdraw(run: HarvestRun, trusting: bool) -> Run:
    """After a complete fetch, take back what the source no longer says; hold it for a person when that is suspiciously much."""
    held = run.store.records.identifiers(run.source.name)
    gone = sorted(held - run.seen - run.unread)
    if not gone or trusting or believed(len(gone), len(held)):
        run.tally.withdrawn = run.store.records.withdraw(run.source, gone, run.row.id) if gone else 0
        return run.finish("complete")
    run.tally.held = len(gone)
    message = (
        f"{len(gone):,} of {len(held):,} records are gone from the source. None was withdrawn: a person must confirm."
    )
    fix = (
        f"If the source is right, run 'fedcat harvest {run.source.name} --force'; if not, ask its owner what happened."
    )
    run.note([Problem(rule="withdrawals-held", message=message, fix=fix, severity="warning")])
    return run.finish("quarantined", message)


def fresh(batch: list[SourceRecord], run: HarvestRun) -> list[SourceRecord]:
    """The records of a batch whose content is new or different; the others are counted as unchanged."""
    held = run.store.records.fingerprints(run.source.name, [record.identifier for record in batch])
    new = [record for record in batch if held.get(record.identifier) != (record.fingerprint, "")]
    run.tally.unchanged += len(batch) - len(new)
    return new


def batches(records: Iterator[SourceRecord]) -> Iterator[list[SourceRecord]]:
    """Lists of at most BATCH. When fetch breaks off, what came before is still handed on."""
    batch: list[SourceRecord] = []
    try:
        for record in records:
            batch.append(record)
            if len(batch) == BATCH:
                yield batch
                batch = []
    except SourceUnavailable:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def unnamable(record: SourceRecord) -> Problem | None:
    if UNSTORABLE.search(record.identifier) is None:
        return None
    return Problem(
        rule="identifier-unstorable",
        record=record.identifier,
        where=record.where,
        message="The identifier holds a character that is none (a NUL or half of a pair), so nothing can keep it.",
        fix="Give the record an identifier of letters, digits and punctuation.",
    )


def oversize(record: SourceRecord) -> Problem | None:
    if len(record.content) <= MAX_RECORD:
        return None
    return Problem(
        rule="record-too-large",
        record=record.identifier,
        where=record.where,
        message=f"The record has {len(record.content):,} bytes; {MAX_RECORD:,} is the most we take.",
        fix="A description should describe: move data and long lists into files of their own.",
    )


def repeated(record: SourceRecord, run: HarvestRun) -> Problem | None:
    if record.identifier not in run.seen:
        return None
    return Problem(
        rule="identifier-repeated",
        record=record.identifier,
        where=record.where,
        message=f"The identifier '{record.identifier}' stands for an earlier record of this source already.",
        fix="Give every record an identifier of its own.",
    )


@contextmanager
def storing() -> Iterator[None]:
    """Inside it, what the store refuses is a rejected record."""
    try:
        yield
    except StoreRefused as wrong:
        message = f"The database would not take it: {wrong}"
        raise RecordRejected(Problem(rule="store-refused", message=message, fix="Report this record to us.")) from wrong
