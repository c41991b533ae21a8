"""The door to the system of record."""

from __future__ import annotations

from catalogue.store.corrections import Corrections
from catalogue.store.database import Database
from catalogue.store.datasets import Datasets
from catalogue.store.history import History
from catalogue.store.joins import Joins
from catalogue.store.leases import Leases
from catalogue.store.letters import Letters
from catalogue.store.pages import Pages
from catalogue.store.people import Acts, Tokens
from catalogue.store.quarantines import Quarantines
from catalogue.store.records import Records
from catalogue.store.runs import Runs
from catalogue.store.sources import Sources


class Store:
    """Everything that is kept: sources, their runs, their records, and the datasets that follow."""

    def __init__(self, url: str) -> None:
        """Raises SettingsError when the address is no database."""
        self.database = Database(url)
        self.sources = Sources(self.database)
        self.runs = Runs(self.database)
        self.leases = Leases(self.database)
        self.pages = Pages(self.database)
        self.quarantines = Quarantines(self.database)
        self.letters = Letters(self.database)
        self.tokens = Tokens(self.database)
        self.acts = Acts(self.database)
        self.records = Records(self.database)
        self.datasets = Datasets(self.database)
        self.joins = Joins(self.database)
        self.history = History(self.database)
        self.corrections = Corrections(self.database)

    def upgrade(self) -> bool:
        """Create the tables or bring them up to date. True when there was something to do."""
        return self.database.upgrade()

    def is_current(self) -> bool:
        """Whether `upgrade` has nothing to do."""
        return self.database.is_current()

    def close(self) -> None:
        self.database.close()
