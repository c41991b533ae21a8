"""What a person decides about disappearances that were held: they are gone, they go on under other names, or they stay."""

from __future__ import annotations

from catalogue.store import Cause, Store


def approve(store: Store, id_: int, actor: str, note: str = "") -> int:
    """Withdraw what is held and still here; how many records. Raises WrongUse when it was decided before."""
    held = store.quarantines.close(id_, "approved", actor, note)
    source = store.sources.get(held.source)
    here = store.records.identifiers(held.source)
    gone = [one.identifier for one in store.quarantines.missing(id_) if one.identifier in here]
    reason = f"{source.title or source.name} no longer lists it."
    return store.records.withdraw(source, gone, Cause(actor=actor, reason=reason))


def renamed(store: Store, id_: int, actor: str, note: str = "") -> int:
    raise NotImplementedError


def reject(store: Store, id_: int, actor: str, note: str = "") -> int:
    """Keep them, until they return or somebody says otherwise; how many records."""
    store.quarantines.close(id_, "rejected", actor, note)
    return len(store.quarantines.missing(id_))
