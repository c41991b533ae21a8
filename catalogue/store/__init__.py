"""The only thing that writes: the system of record behind one object, `Store`."""

from catalogue.store.conflicts import Conflict
from catalogue.store.joins import Join
from catalogue.store.offers import Offer
from catalogue.store.quarantines import Missing, Quarantine
from catalogue.store.records import Held, Kept, Mapped
from catalogue.store.runs import BrokenRule
from catalogue.store.store import Store
from catalogue.store.types import (
    Cause,
    Change,
    Description,
    Entry,
    OrganisationCount,
    Route,
    Row,
    Run,
    StoredContact,
    StoredProblem,
    Tally,
)

__all__ = [
    "BrokenRule", "Cause", "Change", "Conflict", "Description", "Entry", "Held", "Join", "Kept", "Mapped", "Missing",
    "Offer", "OrganisationCount", "Quarantine", "Route", "Row", "Run", "Store", "StoredContact", "StoredProblem",
    "Tally",
]  # fmt: skip
