"""The only thing that writes: the system of record behind one object, `Store`."""

from catalogue.store.store import Store
from catalogue.store.types import (
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
    "Change", "Description", "Entry", "OrganisationCount", "Route", "Row", "Run", "Store", "StoredContact",
    "StoredProblem", "Tally",
]  # fmt: skip
