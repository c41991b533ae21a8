"""The only thing that writes: the system of record behind one object, `Store`."""

from catalogue.store.quarantines import Missing, Quarantine
from catalogue.store.records import Held
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
    "Cause", "Change", "Description", "Entry", "Held", "Missing", "OrganisationCount", "Quarantine", "Route", "Row", "Run",
    "Store", "StoredContact", "StoredProblem", "Tally",
]  # fmt: skip
