"""When a source is due: a cron expression in its own time zone, spread over ten minutes, outside its owner's blackout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NoReturn
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from catalogue.errors import WrongUse
from catalogue.source import HarvestSource

MOST_DELAY = timedelta(minutes=10)
"""Sources that share a moment start within so much of it, so that a thousand of them do not start together."""
LONGEST = 366
"""Days that one range of dates may close a source for."""

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MINUTES_OF_DAY = 24 * 60
MINUTES_OF_WEEK = 7 * MINUTES_OF_DAY
SOME_DAY = datetime(2027, 1, 1, tzinfo=UTC)

CRON = "five fields (minute, hour, day, month, weekday) that meet some day, such as '0 3 * * *' for every day at 03:00"
ZONE = "the name of a time zone, such as 'Europe/London' or 'UTC'"
WINDOWS = "windows such as 'Mon-Fri 08:00-18:00; Sat 22:00-02:00; daily 12:00-13:00; 2026-12-24..2027-01-02'"
OPEN = "windows that leave some time in the week; to keep a source closed, pause it"
SHORT = (
    f"a first and a last day in that order, at most {LONGEST} days of them; to keep a source closed longer, pause it"
)


def checked(schedule: str, time_zone: str, blackout: str) -> None:
    """Raises WrongUse in one sentence that names the field, its value and what would be right. Empty is right everywhere."""
    _zone(time_zone)
    _windows(blackout)
    if schedule.strip():
        _crossed(schedule)


def next_run(schedule: str, time_zone: str, blackout: str, name: str, after: datetime) -> datetime | None:
    """The first start after that moment, in UTC; None without a schedule.

    Asked again at any moment before it, it is the same: a start that waits behind a blackout is not forgotten. What falls
    into an hour that the clocks leave out starts when they have gone forward; what falls into an hour that they repeat
    starts once, unless minute or hour begin with a star: those go by the hours that pass.
    """
    if not schedule.strip():
        return None
    share, zone = _share(name), _zone(time_zone)
    slots = _slots(schedule, zone, _before(schedule, zone, after))
    slot = next(slots, None)
    while slot is not None:
        following = next(slots, None)
        start = slot + _delay(share, slot, following)
        ends = filter(None, (blacked_out(blackout, time_zone, moment) for moment in (slot, start)))
        if end := next(ends, None):
            start = end + _delay(share, end, next(_slots(schedule, zone, end), None))
            start = end if blacked_out(blackout, time_zone, start) else start
        if start > after:
            return start
        slot = following
    return None


def blacked_out(blackout: str, time_zone: str, at: datetime) -> datetime | None:
    """When the blackout around this moment ends, in UTC; None when it is in none. Windows that meet are one."""
    windows, zone = _windows(blackout), _zone(time_zone)
    end = at.astimezone(UTC)
    while ends := [ends for begins, ends in _spans(windows, zone, end) if begins <= end < ends]:
        end = max(ends)  # comes to an end, for every week has time that no weekly window closes
    return end if end > at else None


# ---- moments


def _slots(schedule: str, zone: ZoneInfo, since: datetime) -> Iterator[datetime]:
    """The moments after `since` at which the expression is met, each later than the one before."""
    last = since
    for local in CronSim(schedule, since.astimezone(zone)):
        if (slot := local.astimezone(UTC)) > last:  # in an hour that comes twice the library looks back to the first
            yield slot
            last = slot


def _before(schedule: str, zone: ZoneInfo, moment: datetime) -> datetime:
    """A moment just before the last slot that had come by then: those before it start no later than it does."""
    passed = next(CronSim(schedule, moment.astimezone(zone), reverse=True), None)
    return passed.astimezone(UTC) - SECOND if passed else moment


def _share(name: str) -> float:
    """Where in its delay this source starts: between 0 and 1, always the same for the same name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()) / 2**64


def _delay(share: float, slot: datetime, following: datetime | None) -> timedelta:
    """This source's part of ten minutes, or of a tenth of the time until the following slot if that is less."""
    most = min(MOST_DELAY, (following - slot) / 10) if following else MOST_DELAY
    return timedelta(seconds=int(share * most.total_seconds()))


def _crossed(schedule: str) -> CronSim:
    """The expression as the library reads it. Raises WrongUse."""
    try:
        read = CronSim(schedule, SOME_DAY)
        if len(schedule.split()) != 5 or next(CronSim(schedule, SOME_DAY), None) is None:
            _refuse("schedule", schedule, CRON)
    except (CronSimError, ValueError, AssertionError):
        _refuse("schedule", schedule, CRON)
    return read


@lru_cache
def _zone(name: str) -> ZoneInfo:
    """The time zone of that name, UTC when none is given. Raises WrongUse."""
    try:
        return ZoneInfo(name.strip() or "UTC")
    except (KeyError, ValueError, OSError):  # unknown; not a name at all; a folder of names
        _refuse("time_zone", name, ZONE)


def _refuse(field: str, value: str, right: str) -> NoReturn:
    shown = " ".join(value.split())[:100]
    raise WrongUse(f"{field} is '{shown}'; it has to be {right}.")


# ---- blackouts


@dataclass(frozen=True, slots=True)
class Weekly:
    """Some days of the week, 0 for Monday, from one minute of the day to another; past the last it goes on tomorrow."""

    days: frozenset[int]
    begins: int
    ends: int

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day.weekday() in self.days:
            midnight = datetime.combine(day, time())
            yield midnight + timedelta(minutes=self.begins), midnight + timedelta(minutes=self.ends)

    def minutes(self) -> Iterator[int]:
        """Which minutes of the week it closes."""
        for day in self.days:
            first = day * MINUTES_OF_DAY
            yield from (minute % MINUTES_OF_WEEK for minute in range(first + self.begins, first + self.ends))


@dataclass(frozen=True, slots=True)
class Dates:
    """Whole days, the first and the last among them."""

    first: date
    last: date

    def on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if self.first <= day <= self.last:
            yield datetime.combine(self.first, time()), datetime.combine(self.last, time()) + DAY


Window = Weekly | Dates


def _spans(windows: Iterable[Window], zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows that may hold this moment. Where the clocks make a time doubtful, the window is the longer one."""
    today = at.astimezone(zone).date()
    for window in windows:
        for near in range(-2, 2):  # over midnight is one day back, a doubtful hour may be one more
            for begins, ends in window.on(today + near * DAY):
                yield min(_readings(begins, zone)), max(_readings(ends, zone))


def _readings(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a local time may mean: two moments in an hour that the clocks repeat or leave out, else one."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NAME = r"(?:mon|tue(?:s)?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
WEEKLY = re.compile(
    rf"(?P<days>daily|{NAME}(?: ?- ?{NAME})?(?: ?, ?{NAME}(?: ?- ?{NAME})?)*)"
    r"(?: (?P<begins>\d\d?:\d\d) ?- ?(?P<ends>\d\d?:\d\d))?",
    re.ASCII,
)
DATES = re.compile(r"(?P<first>2\d{3}-\d\d-\d\d)(?: ?\.\. ?(?P<last>2\d{3}-\d\d-\d\d))?", re.ASCII)


@lru_cache
def _windows(blackout: str) -> tuple[Window, ...]:
    """Raises WrongUse, also when no minute of the week is left."""
    said = [" ".join(part.lower().replace("–", "-").split()) for part in blackout.split(";")]
    windows = tuple(_window(part, blackout) for part in said if part)
    closed = {minute for window in windows if isinstance(window, Weekly) for minute in window.minutes()}
    if len(closed) == MINUTES_OF_WEEK:
        _refuse("blackout", blackout, OPEN)
    return windows


def _window(said: str, blackout: str) -> Window:
    try:
        if found := WEEKLY.fullmatch(said):
            begins, ends = _minute(found["begins"] or "00:00"), _minute(found["ends"] or "24:00")
            if begins != ends and begins < MINUTES_OF_DAY:
                return Weekly(_days(found["days"]), begins, ends if ends > begins else ends + MINUTES_OF_DAY)
        elif found := DATES.fullmatch(said):
            dates = Dates(*(date.fromisoformat(found[name] or found["first"]) for name in ("first", "last")))
            if not 0 <= (dates.last - dates.first).days < LONGEST:
                _refuse("blackout", blackout, SHORT)
            return dates
    except ValueError:  # the 31st of February, half past 24
        pass
    _refuse("blackout", blackout, WINDOWS)


def _minute(said: str) -> int:
    """`08:30` as a minute of the day; `24:00` is its end."""
    hours, minutes = map(int, said.split(":"))
    if minutes > 59 or hours * 60 + minutes > MINUTES_OF_DAY:
        raise ValueError(said)
    return hours * 60 + minutes


def _days(said: str) -> frozenset[int]:
    """`mon-wed, sat` as the numbers of those days; a range may go over the week's end."""
    if said == "daily":
        return frozenset(range(7))
    found: set[int] = set()
    for part in said.split(","):
        first, *last = (NAMES.index(name.strip()[:3]) for name in part.split("-"))
        found.update((first + n) % 7 for n in range(((last or [first])[0] - first) % 7 + 1))
    return frozenset(found)


# ---- words


DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
ALL_DAYS, ALL_MONTHS, ALL_HOURS = set(range(1, 32)), set(range(1, 13)), set(range(24))
FEW = 3
"""Times of a day that are told one by one."""


def in_words(schedule: str, time_zone: str) -> str:
    """`every day at 03:00`, `every 15 minutes`, `Mondays at 06:30`; what is rarer than that stays an expression.

    The time zone is named where it is not the one that sources have unless they say otherwise.
    """
    if not schedule.strip():
        return "no schedule"
    read = _crossed(schedule)
    often = _how_often(read)
    if often:
        return often
    days = _on_which_days(read)
    if not days or len(read.hours) > FEW or len(read.minutes) > 1:
        return " ".join(schedule.split())
    times = _listed([f"{hour:02}:{minute:02}" for hour in sorted(read.hours) for minute in read.minutes])
    elsewhere = time_zone.strip() != HarvestSource.time_zone
    return f"{days} at {times}" + (f" ({time_zone.strip() or 'UTC'})" if elsewhere else "")


def _how_often(read: CronSim) -> str:
    """For what goes on all day, every day."""
    if read.days != ALL_DAYS or read.months != ALL_MONTHS or len(_weekdays(read)) < 7:
        return ""
    if read.hours == ALL_HOURS:
        return _every(read.minutes, 60, "minute") or ("every hour" if read.minutes == {0} else "")
    return _every(read.hours, 24, "hour") if read.minutes == {0} and len(read.hours) > FEW else ""


def _every(values: set[int], whole: int, unit: str) -> str:
    step = whole // len(values)
    if len(values) < 2 or values != set(range(0, whole, step)) or whole % step:
        return ""
    return f"every {unit}" if step == 1 else f"every {step} {unit}s"


def _on_which_days(read: CronSim) -> str:
    weekdays = _weekdays(read)
    if read.months != ALL_MONTHS or not weekdays:
        return ""
    if read.days == ALL_DAYS:
        return "every day" if len(weekdays) == 7 else _weekday_names(weekdays)
    [day, *more] = read.days
    return f"the {_ordinal(day)} of every month" if day > 0 and not more and len(weekdays) == 7 else ""


def _weekdays(read: CronSim) -> list[int]:
    """The days of the week, 0 for Monday; none at all when the expression counts weeks of the month."""
    if any(isinstance(day, tuple) for day in read.weekdays):
        return []
    return sorted({(int(day) + 6) % 7 for day in read.weekdays if not isinstance(day, tuple)})


def _weekday_names(days: list[int]) -> str:
    in_a_row = days == list(range(days[0], days[-1] + 1)) and len(days) > 2
    return f"{DAYS[days[0]]} to {DAYS[days[-1]]}" if in_a_row else _listed([DAYS[day] for day in days])


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
