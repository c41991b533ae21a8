"""Which disappearances to believe: a few are news, many are more likely a broken answer. And what may have happened."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from catalogue.store import Missing

FEW = 10
SHARE = 0.10


def believed(gone: int, held: int, few: int = FEW, share: float = SHARE) -> bool:
    """Whether a source that had `held` records may lose `gone` of them without a person's word (DESIGN §7 rule 1).

    A source that came back empty is never believed.
    """
    return gone < held and gone <= max(few, held * share)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run saw of a source, beside what was there before."""

    seen: int
    held: int
    pages: int
    pages_before: int
    counts: Sequence[int]
    """Records in the last runs, the oldest first."""


def cause(missing: Sequence[Missing], evidence: Evidence) -> str:
    """A guess at what happened, in a sentence for the person who decides."""
    renamed = sum(1 for one in missing if one.renamed_to)
    usual = max(evidence.counts, default=evidence.held)
    if not evidence.seen:
        return f"The source came back empty. Before, it had {evidence.held:,} records: its export is probably broken."
    if renamed * 2 >= len(missing):
        return (
            f"{renamed:,} of the {len(missing):,} missing records seem to be there under another identifier: the source has "
            "probably changed how it makes identifiers. Renamed, they keep their pages."
        )
    if 0 < evidence.pages < evidence.pages_before:
        return (
            f"The source gave {evidence.pages:,} of {evidence.pages_before:,} pages, each without a fault: it has probably "
            "stopped naming the next page, or ignores the page that is asked for."
        )
    return (
        f"The source gave {evidence.seen:,} records, where it had {usual:,}. It may have been reorganised, or its export "
        "may have left a part out."
    )


def renames(
    missing: Iterable[Missing], newcomers: Iterable[Missing], links: Mapping[str, frozenset[str]]
) -> list[Missing]:
    """The missing, each with the newcomer that is most likely the same record: the same links, or the same title and no other.

    `links` are the web addresses of the data and pages that a dataset names, by dataset. What could be two is neither.
    """
    by_links, by_title = _Unique(), _Unique()
    for new in newcomers:
        by_links.add(links.get(new.dataset) or None, new)
        by_title.add(_folded(new.title), new)
    taken: set[str] = set()
    found = []
    for one in missing:
        here = links.get(one.dataset, frozenset())
        match = by_links.get(here or None) or by_title.get(_folded(one.title))
        there = links.get(match.dataset, frozenset()) if match else frozenset()
        apart = bool(here and there) and not here & there
        if match is None or apart or match.identifier in taken:
            found.append(one)
            continue
        taken.add(match.identifier)
        found.append(replace(one, renamed_to=match.identifier, renamed_dataset=match.dataset))
    return found


class _Unique:
    """What has a key to itself."""

    def __init__(self) -> None:
        self._held: dict[object, Missing | None] = {}

    def add(self, key: object, one: Missing) -> None:
        if key:
            self._held[key] = None if key in self._held else one

    def get(self, key: object) -> Missing | None:
        return self._held.get(key) if key else None


def _folded(title: str) -> str:
    bare = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()
