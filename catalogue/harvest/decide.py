"""What a person decides about disappearances that were held: they are gone, they go on under other names, or they stay.

The quarantine is closed last, so whatever is cut short is done by deciding again.
"""

from __future__ import annotations

from catalogue.errors import WrongUse
from catalogue.store import Cause, Missing, Quarantine, Store


def approve(store: Store, id_: int, actor: str, note: str = "") -> int:
    """Withdraw what is held and still here; how many records. Raises WrongUse when it was decided before."""
    held = _open(store, id_)
    gone = _withdraw(store, held, store.quarantines.missing(id_), actor, note)
    store.quarantines.close(id_, "approved", actor, note)
    _told(store, held, actor, f"withdrew {gone:,} missing records", note)
    return gone


def renamed(store: Store, id_: int, actor: str, note: str = "", *, rest: bool = False) -> int:
    """Let what is there under another identifier go on as the dataset it was; how many records.

    The others stay held, in a quarantine of their own, unless the `rest` is to be withdrawn. Raises WrongUse when it was
    decided before, or when none of them is there under another identifier.
    """
    held = _open(store, id_)
    missing = store.quarantines.missing(id_)
    there = [one for one in missing if one.renamed_dataset]
    if not there:
        raise WrongUse(f"None of quarantine {id_} is there under another identifier: approve or reject it.")
    source = store.sources.get(held.source)
    done = store.joins.rename(source, there, actor, _reason(store, held, "lists it under another identifier", note))
    here = store.records.identifiers(held.source)
    others = [one for one in missing if one.identifier in here]
    if rest:
        _withdraw(store, held, others, actor, note)
    store.quarantines.close(id_, "renamed", actor, note, leaving=() if rest else others)
    _told(store, held, actor, f"let {done:,} records go on under new identifiers", note)
    return done


def reject(store: Store, id_: int, actor: str, note: str = "") -> int:
    """Keep them, until they return or somebody says otherwise; how many records."""
    held = store.quarantines.close(id_, "rejected", actor, note)
    _told(store, held, actor, f"kept {held.size:,} missing records", note)
    return held.size


def _told(store: Store, held: Quarantine, actor: str, did: str, note: str) -> None:
    store.acts.add(actor, did, f"quarantine:{held.id}", note)


def _open(store: Store, id_: int) -> Quarantine:
    held = store.quarantines.get(id_)
    if held.state != "open":
        raise WrongUse(f"Quarantine {id_} of '{held.source}' is {held.state} already.")
    return held


def _withdraw(store: Store, held: Quarantine, missing: list[Missing], actor: str, note: str) -> int:
    here = store.records.identifiers(held.source)
    gone = [one.identifier for one in missing if one.identifier in here]
    cause = Cause(actor=actor, reason=_reason(store, held, "no longer lists it", note))
    return store.records.withdraw(store.sources.get(held.source), gone, cause)


def _reason(store: Store, held: Quarantine, what: str, note: str) -> str:
    source = store.sources.get(held.source)
    return " ".join(filter(None, (f"{source.title or source.name} {what}.", note)))
