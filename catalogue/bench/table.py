"""The one table: what was measured, what it should reach, and what others need for the same in the same run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MORE_IS_BETTER = {"/s"}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `reach` is DESIGN §8's target for it, `reference` what another way took; None where there is none."""

    work: str
    ours: float
    unit: str
    reach: float | None = None
    reference: float | None = None

    @property
    def reached(self) -> bool | None:
        if self.reach is None:
            return None
        return self.ours >= self.reach if self.unit in MORE_IS_BETTER else self.ours <= self.reach

    def cells(self) -> tuple[str, ...]:
        """As words."""
        sign = "≥" if self.unit in MORE_IS_BETTER else "≤"
        verdict = {None: "", True: "yes", False: "NO"}[self.reached]
        return (
            self.work,
            _figure(self.ours, self.unit),
            f"{sign} {_figure(self.reach, self.unit)}" if self.reach is not None else "",
            verdict,
            _figure(self.reference, self.unit) if self.reference is not None else "",
            f"{self._times():.1f}×" if self.reference else "",
        )

    def _times(self) -> float:
        """How many times better ours is."""
        assert self.reference is not None
        return self.ours / self.reference if self.unit in MORE_IS_BETTER else self.reference / self.ours


HEADINGS = ("work", "ours", "to reach", "reached", "reference", "ratio")


def table(rows: Iterable[Row]) -> str:
    """Aligned, and Markdown."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADINGS))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(row, widths) for row in (cells[0], rule, *cells[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    return (
        f"| {first:<{widths[0]}} | " + " | ".join(f"{c:>{w}}" for c, w in zip(others, widths[1:], strict=True)) + " |"
    )


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 1 else 3
    return f"{value:,.{digits}f}{unit}" if unit == "/s" else f"{value:,.{digits}f} {unit}"
