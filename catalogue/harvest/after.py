"""What follows a run: the people behind the source are written to, letters leave, old runs are forgotten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from catalogue.harvest import letters
from catalogue.mail import Letter, LetterRefused, Post
from catalogue.source import HarvestSource
from catalogue.store import Run, Store
from catalogue.store.conflicts import Conflict


def write_letters(run: Run, store: Store, base: str) -> int:
    """Write down the letters that a run gives cause for; how many. Each cause is written about once, not at every run."""
    source = store.sources.get(run.source)
    written = [letter for cause in CAUSES if (letter := cause(run, source, store, f"{base}/source/{source.name}"))]
    written += _disagreements(run, store, base)
    for letter in written:
        store.letters.write(letter)
    return len(written)


def _dead(run: Run, source: HarvestSource, store: Store, link: str) -> Letter | None:
    before = _before(run, store)
    if run.status != "dead" or (before and before.status == "dead"):
        return None
    return letters.run_dead(source.contact, source, run, f"{link}/run/{run.id}")


def _quarantined(run: Run, source: HarvestSource, store: Store, link: str) -> Letter | None:
    waits = store.quarantines.open(source.name)
    if run.status != "quarantined" or waits is None or waits.run != run.id:
        return None
    return letters.run_quarantined(source.contact, source, run, f"{link}/quarantine/{waits.id}")


def _errors(run: Run, source: HarvestSource, store: Store, link: str) -> Letter | None:
    before = _before(run, store)
    if before is None or run.errors <= before.errors:
        return None
    gained = [problem for problem in store.runs.problems(run.id) if problem.severity == "error"]
    return letters.errors_gained(source.contact, source, run, before.errors, gained, f"{link}/problems")


def _disagreements(run: Run, store: Store, base: str) -> list[Letter]:
    """A letter to both owners for each dataset about which this run has found them to disagree."""
    news: defaultdict[tuple[str, str, str], list[Conflict]] = defaultdict(list)
    for one in store.joins.conflicts(run.source):
        if one.first_seen >= run.began:
            news[one.dataset, one.source, one.other].append(one)
    held = {str(source.name): source for source in store.sources.all()}
    return [letter for about, found in news.items() for letter in _to_both(about, found, held, base)]


def _to_both(
    about: tuple[str, str, str], found: list[Conflict], held: Mapping[str, HarvestSource], base: str
) -> Iterator[Letter]:
    dataset, *names = about
    leads, other = (held.get(name) for name in names)
    if leads is None or other is None:  # one of them was removed
        return
    link, title = f"{base}/dataset/{dataset}", found[0].title
    here = [letters.Difference(one.label(), one.said, one.other_said) for one in found]
    there = [letters.Difference(one.label(), one.other_said, one.said) for one in found]
    yield letters.sources_disagree(leads.contact, leads, other, title, here, True, link)
    yield letters.sources_disagree(other.contact, other, leads, title, there, False, link)


Cause = Callable[[Run, HarvestSource, Store, str], Letter | None]
CAUSES: tuple[Cause, ...] = (_dead, _quarantined, _errors)


def _before(run: Run, store: Store) -> Run | None:
    """The run before this one."""
    return next((one for one in store.runs.some(run.source, 10) if one.id < run.id and one.ended), None)


def post_letters(store: Store, post: Post | None) -> int:
    """Send what waits in the outbox; how many went. One that is refused stops no other."""
    sent = 0
    for waiting in store.letters.unsent() if post else ():
        assert post is not None
        try:
            post.send(waiting.letter)
        except LetterRefused as refused:
            store.letters.posted(waiting.id, str(refused), for_good=refused.permanent)
        else:
            store.letters.posted(waiting.id)
            sent += 1
    return sent


def forget_old_runs(store: Store, days: int) -> int:
    """Runs that ended so many days ago, but for the last of each source and what still stands of them."""
    return store.runs.thin(datetime.now(UTC) - timedelta(days=days))
