"""The error tree, grouped by what the caller does about it.

FedcatError
├── SettingsError        stop: a setting or a command is wrong, the message says which and what would be right (exit 2)
├── WrongUse             answer 400 or exit 2: the message names the parameter
├── NotFound             answer 404 or exit 2
├── SourceUnavailable    end this run, keep everything we hold, try again at the next one
├── RecordRejected       leave this one record out, keep its last good description, tell its owner
├── StoreRefused         the database would not take this batch: try its records one by one
├── StoreAway            wait and try again: the database does not answer, or its disk is full; nothing is lost
├── LeaseLost            stop at once and write nothing: another worker has taken the run over
└── Busy                 leave it: somebody else is at work on this source (exit 1)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with what a source said, and how to mend it.

    `where` is a JSON path, an XPath, a sheet with row and column, or a triple; `rule` is the name of the promise
    broken; `record` is the identifier of the record, "" when the whole source is meant.
    """

    rule: str
    message: str
    fix: str
    where: str = ""
    found: str = ""
    record: str = ""
    severity: Severity = "error"

    def about(self, record: str, where: str = "") -> Problem:
        """The same problem, said of one record; what it already says of itself stands."""
        return replace(self, record=self.record or record, where=self.where or where)

    def within(self, where: str) -> Problem:
        """The same problem, with the place in the source before the place in the record."""
        return replace(self, where=" ".join(filter(None, (where if where != self.record else "", self.where))))


class FedcatError(Exception):
    """Anything fedcat raises on purpose. The message is for people and says what to change."""


class SettingsError(FedcatError):
    """Stop: the configuration is wrong."""


class WrongUse(FedcatError):
    """Somebody asked for something in a form we do not take."""


class NotFound(FedcatError):
    """What was asked for is not here."""


class SourceUnavailable(FedcatError):
    """End this run, keep everything we hold, try again at the next one.

    `retry_after` is for how many seconds the source asked us to stay away, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        address: str = "",
        rule: str = "source-unavailable",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.fix = fix or "Try again later; if it lasts, ask the source's owner."
        self.address = address
        self.rule = rule
        self.retry_after = retry_after

    def problem(self) -> Problem:
        """What the run reports."""
        return Problem(rule=self.rule, message=str(self), fix=self.fix, where=self.address)


class RecordRejected(FedcatError):
    """Leave this one record out, keep its last good description, tell its owner."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class StoreRefused(FedcatError):
    """The database would not take these descriptions together."""


class StoreAway(FedcatError):
    """Wait and try again: the database does not answer, or its disk is full."""


class LeaseLost(FedcatError):
    """Stop at once and write nothing: another worker has taken the run over."""


class Busy(FedcatError):
    """Somebody else is at work on this source."""
