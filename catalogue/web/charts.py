"""Small pictures drawn by the server: no script, painted by class. Each stands beside the same figures as a table."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from catalogue.store import Run
from catalogue.web import present
from catalogue.web.status import STATUSES

WIDTH, LEFT, BASE, TALLEST = 720, 56, 132, 104
STEP, BAR = 33, 24


def runs(held: Sequence[Run]) -> Markup:
    """Records read in each run, oldest first, zero-based; the newest are at the right."""
    shown = list(reversed(held))
    most = max([run.fetched for run in shown] + [1])
    body = [_scale(most, len(shown))]
    body += [_bar(run, LEFT + 8 + number * STEP, TALLEST * run.fetched / most) for number, run in enumerate(shown)]
    legend, bottom = _legend({run.status for run in shown})
    body += [_dates(shown), legend]
    good = sum(run.status == "complete" for run in shown)
    newest = present.many(shown[-1].fetched, "record")
    said = f"{len(shown)} runs, {good} of them complete. The newest read {newest}, the most was {most:,}."
    width = max(WIDTH, LEFT + 8 + len(shown) * STEP + BAR)
    return Markup(
        '<svg viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-labelledby="runs-title runs-said">'
        '<title id="runs-title">Records read in each of the last runs</title><desc id="runs-said">{said}</desc>{body}</svg>'
    ).format(w=width, h=bottom, said=said, body=Markup("").join(body))


def _scale(most: int, count: int) -> Markup:
    """Lines at nothing, half and all, each with its number."""
    right = LEFT + 8 + max(count, 8) * STEP
    made = []
    for level in dict.fromkeys((0, most // 2, most)):
        y = round(BASE - TALLEST * level / most, 1)
        line = Markup('<line class="app-paint--rule" x1="{}" y1="{y}" x2="{}" y2="{y}"/>').format(LEFT, right, y=y)
        made += [line, _words(f"{level:,}", LEFT - 8, y + 4, "end")]
    return Markup("").join(made)


def _words(said: str, x: float, y: float, anchor: str = "start") -> Markup:
    return Markup('<text class="app-paint--text" font-size="13" text-anchor="{}" x="{:g}" y="{:g}">{}</text>').format(
        anchor, x, y, said
    )


def _bar(run: Run, x: int, height: float) -> Markup:
    state = STATUSES[run.status]
    said = f"{present.just_day(run.began)}: {present.many(run.fetched, 'record')}, {state.label.lower()}"
    return Markup("<g><title>{}</title>{}</g>").format(
        said, _mark(state.mark, x, BASE - max(height, 1.5), BAR, max(height, 1.5))
    )


def _mark(mark: str, x: float, y: float, width: float, height: float) -> Markup:
    """A filled bar, an outline, a bar with stripes, or on the base line a cross, boxed or bare."""
    if mark in ("cross", "boxed"):
        left, top = round(x + width / 2 - 6, 1), round(y + height - 14, 1)
        arms = f"M{left} {top}l12 12m0 -12l-12 12" + ("m-2 -14h16v16h-16z" if mark == "boxed" else "")
        return Markup('<path class="app-paint--cross" d="{}"/>').format(arms)
    if mark == "hollow":  # the line stands inside the bar
        x, y, width, height = x + 1, y + 1, width - 2, max(height - 2, 1)
    box = Markup('x="{}" y="{}" width="{}" height="{}"').format(round(x, 1), round(y, 1), width, round(height, 1))
    if mark != "hatched":
        return Markup('<rect class="{}" {}/>').format("app-paint--hollow" if mark == "hollow" else mark, box)
    stripes = "".join(
        f"M{x:g} {top:.1f}l{width:g} {-min(width / 2, top - y):.1f}" for top in _steps(y + height, y + 6, 8)
    )
    return Markup('<rect class="app-paint--warning" {}/><path class="app-paint--stripe" d="{}"/>').format(box, stripes)


def _steps(start: float, stop: float, by: float) -> list[float]:
    return [start - by * number for number in range(int(max(0.0, start - stop) // by) + 1)]


def _dates(shown: Sequence[Run]) -> Markup:
    """Under every third, the newest among them: nearer ones would touch."""
    under = sorted(range(len(shown) - 1, -1, -3))
    days = (f"{shown[number].began.day} {shown[number].began:%b}" for number in under)
    places = (LEFT + 8 + number * STEP + BAR / 2 for number in under)
    return Markup("").join(_words(day, x, BASE + 20, "middle") for day, x in zip(days, places, strict=True))


def _legend(seen: set[str]) -> tuple[Markup, int]:
    """What each pattern means, and where the picture ends below it."""
    made, x, y = [], LEFT + 8, BASE + 38
    for status in STATUSES.values():
        if status not in (STATUSES[name] for name in seen):
            continue
        room = 46 + 8 * len(status.label)
        if x + room > WIDTH:
            x, y = LEFT + 8, y + 24
        made.append(_mark(status.mark, x, y, 13, 13))
        made.append(_words(status.label, x + 20, y + 11))
        x += room
    return Markup("").join(made), y + 20
