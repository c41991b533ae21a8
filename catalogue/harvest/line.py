"""The straight line: fetch → map → normalise → validate → identify → store. Read this and you have read the product."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from catalogue.dcat import Resource
from catalogue.errors import LeaseLost, Problem, RecordRejected, SourceUnavailable, StoreAway, StoreRefused
from catalogue.harvest.cycles import seldom_sought
from catalogue.harvest.quarantine import believed
from catalogue.harvest.runs import HarvestRun
from catalogue.http import Client
from catalogue.identify import Known, identify, keys
from catalogue.normalise import normalise
from catalogue.source import Harvester, HarvestSource, PageEnd, SourceRecord, is_name
from catalogue.store import Description, Missing, Run
from catalogue.validate import validate

BATCH = 500
MAX_RECORD = 10_000_000
"""Bytes of one description. The largest real one we know has 0.3 MB."""

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Progress = Callable[[HarvestRun], None]


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
        bring(run, harvester, client, progress)
    except SourceUnavailable as broken:
        run.broke_off(broken)
        return run.finish("partial" if run.seen else "failed", str(broken))
    return withdraw(run, trusting)


def bring(run: HarvestRun, harvester: Harvester, client: Client, progress: Progress = lambda _: None) -> None:
    """Everything that a source has, page by page, into the store. Raises SourceUnavailable, after saving what came before."""
    before = client.requests if client else 0
    run.requests = lambda: client.requests - before if client else 0
    for batch, page in batches(fetched(run, harvester, client)):
        save(fresh(batch, run), run, harvester)
        if page:
            run.turn(page)
        progress(run)


@seldom_sought()
def remap(run: HarvestRun, harvester: Harvester, progress: Progress = lambda _: None) -> Run:
    """Map the records that we hold again, without the network: what a better mapping changes becomes a change."""
    run.replays, run.whole = True, False
    for batch in run.store.records.stored(run.source.name, BATCH):
        run.tally.fetched += len(batch)
        save(batch, run, harvester)
        progress(run)
    return run.finish("complete")


def save(records: list[SourceRecord], run: HarvestRun, harvester: Harvester) -> None:
    """One batch, one transaction. When the store refuses it, its records go in one by one."""
    described = describe(records, run, harvester)
    if described:
        try:
            run.tally += run.store.records.put(described, run.source, run.cause)
        except StoreRefused:
            for one in described:
                with run.rejecting(one.record), storing():
                    run.tally += run.store.records.put([one], run.source, run.cause)
        ids = [(one.record.identifier, [resource.id for resource in one.resources]) for one in described]
        run.note(run.store.joins.disagreements(run.source.name, ids))
    run.save_notes()


def describe(records: list[SourceRecord], run: HarvestRun, harvester: Harvester) -> list[Description]:
    """A batch's journey to the store: map, normalise, validate, identify. A record stands or falls whole."""
    checked: list[tuple[SourceRecord, list[tuple[Resource, tuple[str, ...]]]]] = []
    for record in records:
        with run.rejecting(record):
            resources = [normalise(resource) for resource in mapped(record, run.source, harvester)]
            run.note(check(resources, record))
            checked.append((record, [(r, keys(r, record, run.source, n)) for n, r in enumerate(resources)]))
    own = [own_keys for _, found in checked for _, own_keys in found]
    known = run.store.records.known({key for some in own for key in some}, run.source.name)
    known.doubt(own)
    described = []
    for record, found in checked:
        with run.rejecting(record):
            described.append(named(record, found, run, known))
    return described


def named(
    record: SourceRecord, resources: list[tuple[Resource, tuple[str, ...]]], run: HarvestRun, known: Known
) -> Description:
    """Resources with their names for life; what is named here is known to the rest of the batch."""
    found = []
    for resource, own_keys in resources:
        identified = identify(resource, record, run.source, known, run.base, own_keys)
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


def fetched(run: HarvestRun, harvester: Harvester, client: Client) -> Iterator[SourceRecord | PageEnd]:
    """The records of a source, each identifier once, and its pages' ends. The first of two doors to other people's code."""
    try:
        for found in harvester.fetch(run.source, client, run.visit()):
            if isinstance(found, Problem):
                run.could_not_read(found)
            elif isinstance(found, PageEnd):
                for identifier in found.held if found.unchanged else ():
                    run.saw(identifier)
                run.tally.fetched += len(found.held)
                count_as_held(found.held, run)
                yield found
            else:
                run.tally.fetched += 1
                problem = unnamable(found) or oversize(found) or repeated(found, run)
                run.saw(found.identifier)
                if problem:
                    run.could_not_read(problem)
                else:
                    yield found
    except (SourceUnavailable, LeaseLost, StoreAway):
        raise
    except Exception as wrong:  # a rude harvester may raise anything: it ends its own run, never ours
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
    """After a complete fetch, take back what the source no longer says; hold it for a person when that is suspiciously much.

    What was held before stays held until a person decides, or it returns.
    """
    if not run.whole:
        changed = run.tally.added + run.tally.updated
        run.tally.unchanged = max(0, len(run.store.records.identifiers(run.source.name)) - changed)
        return run.finish(
            "complete", "Only what changed was asked for; what was deleted is looked for in the next full run."
        )
    held = run.store.records.identifiers(run.source.name)
    gone = held - run.seen - run.unread
    if run.nameless and gone:
        run.note([_not_judged(len(gone), run.nameless)])
        return run.finish("complete")
    waiting = run.store.quarantines.held(run.source.name)
    known = set().union(*waiting.values())
    fleeting = run.gone_again(gone)
    news = sorted(gone) if trusting else sorted(gone - known - fleeting)
    doubtful = [] if trusting else doubted(run, news, len(gone), len(held))
    taken = sorted((set(news) | fleeting) - {one.identifier for one in doubtful})
    if taken:
        run.tally.withdrawn = run.take_back(taken)
    returned = known if trusting else known - gone
    if doubtful or returned:
        run.hold(doubtful, returned)
    run.tally.held = len(doubtful) + (0 if trusting else len(waiting["open"] & gone))
    if not run.tally.held:
        return run.finish("complete")
    return run.finish("quarantined", waiting_for_a_person(run, len(held)))


def waiting_for_a_person(run: HarvestRun, held: int) -> str:
    """Tell what waits, why, and how to decide it."""
    waits = run.store.quarantines.open(run.source.name)
    assert waits is not None
    message = (
        f"{run.tally.held:,} of {held:,} records are gone from the source. None of them was withdrawn: a person must "
        f"confirm. {waits.cause}"
    )
    fix = (
        f"Look at them with 'fedcat quarantine show {waits.id}'. If the source is right, run 'fedcat quarantine approve "
        f"{waits.id}'; if not, 'fedcat quarantine reject {waits.id}', and ask its owner what happened."
    )
    run.note([Problem(rule="withdrawals-held", message=message, fix=fix, severity="warning")])
    return message


def doubted(run: HarvestRun, news: list[str], gone: int, held: int) -> list[Missing]:
    """Which of the disappearances a person has to judge: all where they are many, else those that seem to be there renamed."""
    few = gone < held and believed(len(news), held, run.source.few, run.source.share)
    if few and not run.tally.added:
        return []
    return [one for one in run.missing(news) if not few or one.renamed_to]


def _not_judged(gone: int, nameless: int) -> Problem:
    return Problem(
        rule="withdrawals-not-judged",
        severity="warning",
        message=(
            f"{gone:,} records are not there under their identifiers, but {nameless:,} have lost theirs, so nobody can tell "
            "which are gone. Nothing was withdrawn."
        ),
        fix="Give every record its identifier back; until then what we hold stays up.",
    )


def fresh(batch: list[SourceRecord], run: HarvestRun) -> list[SourceRecord]:
    """The records of a batch whose content is new or different; the others are counted."""
    held = run.store.records.held(run.source.name, [record.identifier for record in batch])
    new = []
    for record in batch:
        here = held.get(record.identifier)
        if here is None or (here.fingerprint, here.refused) != (record.fingerprint, ""):
            new.append(record)
        else:
            run.count_again(here)
    return new


def count_as_held(identifiers: Sequence[str], run: HarvestRun) -> None:
    """Count the records of a page that is as it was."""
    if run.row.token == 1:  # nobody was at work on the run before, so they are none of its own
        run.tally.unchanged += len(identifiers)
        return
    for here in run.store.records.held(run.source.name, identifiers).values():
        run.count_again(here)


def batches(found: Iterator[SourceRecord | PageEnd]) -> Iterator[tuple[list[SourceRecord], PageEnd | None]]:
    """Lists of at most BATCH, none longer than its page. When fetch breaks off, what came before is still handed on."""
    batch: list[SourceRecord] = []
    try:
        for one in found:
            if isinstance(one, PageEnd):
                yield batch, one
                batch = []
                continue
            batch.append(one)
            if len(batch) == BATCH:
                yield batch, None
                batch = []
    except SourceUnavailable:
        if batch:
            yield batch, None
        raise
    if batch:
        yield batch, None


def unnamable(record: SourceRecord) -> Problem | None:
    if not is_name(record.identifier):
        return Problem(  # it is said of no record: nobody can tell which one
            rule="identifier-missing",
            where=record.where or f"the record '{record.identifier}'",
            found=record.identifier,
            message=f"'{record.identifier}' cannot tell it from others.",
            fix="Give it an identifier that no other dataset of yours has, and never change it.",
        )
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
