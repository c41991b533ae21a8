"""Which disappearances to believe: a few are news, many are more likely a broken answer."""

from __future__ import annotations

FEW = 10
SHARE = 0.10


def believed(gone: int, held: int) -> bool:
    """Whether a source that had `held` records may lose `gone` of them without a person's word (DESIGN §7 rule 1).

    A source that came back empty is never believed.
    """
    return gone < held and gone <= max(FEW, held * SHARE)
