"""Where the shared data is: real files of every kind of source, kept outside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent


def shared_data() -> Path | None:
    """FEDCAT_SHARED_DATA, else ../shared/data beside the checkout; nothing when it is not there."""
    folder = Path(os.environ.get("FEDCAT_SHARED_DATA") or CHECKOUT.parent / "shared" / "data")
    return folder if folder.is_dir() else None


def shared_files(pattern: str) -> list[Path]:
    """The files that `pattern` matches below it, in order, for parametrize; none when it is not there."""
    folder = shared_data()
    return sorted(folder.glob(pattern)) if folder else []
