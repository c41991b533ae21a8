"""What is written to the people behind a source: what happened, what to do about it, and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from catalogue.mail import Letter
from catalogue.source import HarvestSource
from catalogue.store.types import Run, StoredProblem

WIDTH = 72
SHOWN = 5
"""Problems or differences that one letter tells; the page has them all."""
LONGEST = 300
"""Characters of a source's own words that one letter repeats in one place."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A property of which two sources say different things: its label, and what either says, "" when nothing."""

    label: str
    here: str
    there: str


def run_dead(to: str, source: HarvestSource, run: Run, link: str) -> Letter:
    """The last attempt of a run has failed."""
    name = _name(source)
    return _letter(
        to,
        source,
        f"The harvest of {name} has failed",
        f"We could not harvest {name} and have given up after {_count(max(run.attempts, 1), 'attempt')}.",
        f"The reason: {_said(run.message) or 'none was given'}",
        "Nothing has been withdrawn: what we had from it stays in the catalogue as it was.",
        "Please put right what stands in the way. The next run after that brings everything up to date.",
        link=link,
    )


def run_quarantined(to: str, source: HarvestSource, run: Run, link: str) -> Letter:
    """More has vanished from a source than is withdrawn without a person's word."""
    name = _name(source)
    return _letter(
        to,
        source,
        f"{_count(run.held, 'dataset')} missing from {name}: are they meant to be gone?",
        f"{_count(run.held, 'dataset')} that we had from {name} {'is' if run.held == 1 else 'are'} no longer in it.",
        "That is more than we withdraw without asking, so nothing has been withdrawn.",
        "Please look at the list. If they are meant to be gone, approve it; if not, reject it and mend the source.",
        link=link,
    )


def errors_gained(
    to: str, source: HarvestSource, run: Run, before: int, gained: Sequence[StoredProblem], link: str
) -> Letter:
    """A run has more errors than the run before it, which had `before`; `gained` are the new ones."""
    name = _name(source)
    more = run.errors - before
    rest = len(gained) - SHOWN
    return _letter(
        to,
        source,
        f"{_count(more, 'new error')} in {name}",
        f"{name} has {_count(run.errors, 'error')}, {more:,} more than at the run before.",
        "A description with an error is not taken over: the catalogue goes on showing its last good version, or none.",
        "Please put these right at the source; the next run takes them over." if gained else "Please look at the list.",
        *(_problem(problem) for problem in gained[:SHOWN]),
        *([f"And {rest:,} more: the page has them all."] if rest > 0 else []),
        link=link,
    )


def sources_disagree(
    to: str,
    source: HarvestSource,
    other: HarvestSource,
    dataset: str,
    differences: Sequence[Difference],
    leads: bool,
    link: str,
) -> Letter:
    """Two sources describe one dataset, and not alike. Each owner gets a letter; `leads` says whose words are shown."""
    rest = len(differences) - SHOWN
    title = _said(dataset)
    return _letter(
        to,
        source,
        f"Two sources describe {title} differently",
        f"{_name(source)} and {_name(other)} say different things about the dataset '{title}'.",
        f"The catalogue shows what {_name(source if leads else other)} says.",
        "Please agree on what is right, and have the other one put right.",
        *(_difference(difference, source, other) for difference in differences[:SHOWN]),
        *([f"And {rest:,} more: the page has them all."] if rest > 0 else []),
        link=link,
    )


def _letter(to: str, source: HarvestSource, subject: str, *paragraphs: str, link: str) -> Letter:
    """`link` stands on a line of its own. The contact of a source is told how we came by the address."""
    why = [f"We write to you because your address is the contact of {_name(source)}."] if to == source.contact else []
    told = [_filled(paragraph) for paragraph in (*paragraphs, link, *why)]
    return Letter(to, subject, "\n\n".join(told) + "\n", source.name)


def _filled(paragraph: str) -> str:
    """Lines of a letter's width; an address stays whole, so that it can be followed."""
    lines = paragraph.split("\n")
    return "\n".join(fill(line, WIDTH, break_long_words=False, break_on_hyphens=False) for line in lines)


def _problem(problem: StoredProblem) -> str:
    where = " ".join(filter(None, (problem.record, problem.location)))
    told = (f"- {_said(where) or 'The source'}: {_said(problem.message)}", f"  To put it right: {_said(problem.fix)}")
    return "\n".join(told if problem.fix else told[:1])


def _difference(difference: Difference, source: HarvestSource, other: HarvestSource) -> str:
    said = ((source, difference.here), (other, difference.there))
    return "\n".join(
        [f"- {_said(difference.label)}", *(f"  {_name(who)}: {_said(what) or 'not given'}" for who, what in said)]
    )


def _name(source: HarvestSource) -> str:
    return f"'{_said(source.title) or source.name}'"


def _said(words: str) -> str:
    """Somebody else's words, on one line and not too many."""
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST].rstrip()}…"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
