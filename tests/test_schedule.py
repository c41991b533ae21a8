"""When a source is due: in its time zone, a little apart from the others, outside its owner's blackout."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalogue.errors import WrongUse
from catalogue.harvest.schedule import blacked_out, checked, in_words, next_run

LONDON = "Europe/London"
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def starts(
    schedule: str, after: datetime, zone: str = LONDON, blackout: str = "", name: str = "canals"
) -> Iterator[datetime]:
    """One start after another, as a worker sees them."""
    start = next_run(schedule, zone, blackout, name, after)
    while start:
        yield start
        start = next_run(schedule, zone, blackout, name, start)


def in_a_year(schedule: str, **how: str) -> list[datetime]:
    return list(takewhile(lambda start: start.year == 2027, starts(schedule, NEW_YEAR, **how)))


def local(moment: datetime, zone: str = LONDON) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def before(text: str) -> datetime:
    """A moment in London, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LONDON)).astimezone(UTC)


# ---- a schedule


def test_a_source_without_schedule_is_never_due():
    assert next_run("", LONDON, "", "canals", NEW_YEAR) is None
    assert next_run("  ", LONDON, "Mon-Sun 00:00-12:00", "canals", NEW_YEAR) is None


def test_a_start_is_in_utc_and_at_the_local_hour_all_year():
    found = in_a_year("0 3 * * *")
    assert len(found) == 365
    assert {start.tzinfo for start in found} == {UTC}
    assert {local(start).hour for start in found} == {3}
    assert {start.hour for start in found} == {2, 3}  # summer time and winter time


def test_the_same_source_always_starts_at_the_same_minute():
    assert len({local(start).time() for start in in_a_year("0 3 * * *")}) == 1


def test_a_thousand_sources_do_not_start_together():
    times = [next_run("0 3 * * *", LONDON, "", f"source-{n}", NEW_YEAR) for n in range(1000)]
    minutes = Counter(start.minute for start in times if start)
    assert set(minutes) == set(range(10))
    assert max(minutes.values()) < 200
    assert len(set(times)) > 400


@pytest.mark.parametrize(
    ("schedule", "slot", "most"),
    [
        ("*/15 * * * *", "2027-01-01T00:00", 90),
        ("* * * * *", "2027-01-01T00:00", 6),
        ("0 * * * *", "2027-01-01T00:00", 360),
        ("0,5 3 * * *", "2027-01-01T03:00", 30),
        ("0 3 * * *", "2027-01-01T03:00", 600),
    ],
)
def test_the_delay_is_at_most_a_tenth_of_the_time_until_the_next_slot(schedule, slot, most):
    found = {next_run(schedule, "UTC", "", f"source-{n}", NEW_YEAR - SECOND) for n in range(200)}
    delays = [(start - utc(slot)).total_seconds() for start in found]
    assert 0 <= min(delays) < max(delays) < most
    assert max(delays) >= most * 0.8 - 1  # the spread is used


def test_the_twenty_ninth_of_february_is_waited_for():
    assert next_run("0 3 29 2 *", "UTC", "", "canals", NEW_YEAR).date() == date(2028, 2, 29)


# ---- the two nights of the year


def test_half_past_one_runs_once_on_the_day_the_clocks_go_back():
    found = [start for start in in_a_year("30 1 * * *") if local(start).date() == date(2027, 10, 31)]
    assert [utc("2027-10-31T00:30") <= start < utc("2027-10-31T00:40") for start in found] == [True]


def test_half_past_one_runs_when_the_clocks_have_gone_forward():
    found = [start for start in in_a_year("30 1 * * *") if local(start).date() == date(2027, 3, 28)]
    assert [time(2) <= local(start).time() < time(2, 10) for start in found] == [True]


def test_half_past_one_runs_on_every_day_of_the_year_once():
    days = [local(start).date() for start in in_a_year("30 1 * * *")]
    assert days == [date(2027, 1, 1) + n * DAY for n in range(365)]


def test_every_quarter_of_an_hour_goes_by_the_hours_that_pass():
    for night, hours in (("2027-03-28", 23), ("2027-10-31", 25)):
        day = date.fromisoformat(night)
        nearby = islice(starts("*/15 * * * *", utc(night) - 3 * HOUR), 40 * 4)
        assert len([start for start in nearby if local(start).date() == day]) == hours * 4


@pytest.mark.parametrize("night", ["2027-03-28T00:00", "2027-10-31T00:00"])
@pytest.mark.parametrize("schedule", ["30 1 * * *", "0,30 1 * * *", "0 1,2 * * *", "30 1,2 * * *", "0 * * * *"])
def test_whenever_it_is_asked_in_such_a_night_the_answer_is_the_next_of_the_same_starts(schedule, night):
    began = utc(night) - 3 * HOUR
    known = list(takewhile(lambda start: start < began + 2 * DAY, starts(schedule, began)))
    for minutes in range(0, 8 * 60, 7):
        asked = began + minutes * MINUTE
        assert next_run(schedule, LONDON, "", "canals", asked) == next(start for start in known if start > asked)


# ---- a blackout


@pytest.mark.parametrize(
    ("blackout", "at", "end"),
    [
        ("Mon-Fri 08:00-18:00", "2027-01-05T08:00", "2027-01-05T18:00"),
        ("Mon-Fri 08:00-18:00", "2027-01-05T17:59:59", "2027-01-05T18:00"),
        ("Mon-Fri 08:00-18:00", "2027-01-05T18:00", None),
        ("Mon-Fri 08:00-18:00", "2027-01-05T07:59:59", None),
        ("Mon-Fri 08:00-18:00", "2027-01-09T12:00", None),
        ("Mon-Fri 08:00-18:00", "2027-07-06T17:30", "2027-07-06T18:00"),  # summer time
        ("Sat 22:00-02:00", "2027-01-09T23:00", "2027-01-10T02:00"),
        ("Sat 22:00-02:00", "2027-01-10T01:00", "2027-01-10T02:00"),
        ("Sat 22:00-02:00", "2027-01-09T01:00", None),
        ("daily 09:00-17:00", "2027-01-10T09:30", "2027-01-10T17:00"),
        ("Fri-Mon 09:00-17:00", "2027-01-10T09:30", "2027-01-10T17:00"),
        ("Tue,Thu-Fri 09:00-10:00", "2027-01-07T09:30", "2027-01-07T10:00"),
        ("Tue,Thu-Fri 09:00-10:00", "2027-01-06T09:30", None),
        ("Sat-Sun", "2027-01-09T00:00", "2027-01-11T00:00"),
        ("Wednesday 9:00–10:00", "2027-01-06T09:30", "2027-01-06T10:00"),
        ("2026-12-24..2027-01-02", "2026-12-24T00:00", "2027-01-03T00:00"),
        ("2026-12-24..2027-01-02", "2027-01-03T00:00", None),
        ("2027-07-01", "2027-07-01T23:59", "2027-07-02T00:00"),
        ("Mon 20:00-24:00; Tue 00:00-06:00", "2027-01-04T21:00", "2027-01-05T06:00"),
        ("daily 22:00-04:00; daily 03:00-08:00", "2027-01-04T23:00", "2027-01-05T08:00"),
        ("Mon-Fri 18:00-09:00; Mon-Fri 09:00-18:00", "2027-01-09T08:00", "2027-01-09T09:00"),
        ("2027-01-01..2027-01-03; Mon 00:00-10:00", "2027-01-01T05:00", "2027-01-04T10:00"),
        (" ; daily 09:00-17:00 ;", "2027-01-10T09:30", "2027-01-10T17:00"),
        ("", "2027-01-10T09:30", None),
    ],
)
def test_a_moment_in_a_blackout_is_told_when_it_ends(blackout, at, end):
    assert blacked_out(blackout, LONDON, before(at)) == (before(end) if end else None)


def test_a_start_in_a_blackout_waits_for_its_end():
    start = next_run("0 3 * * *", LONDON, "daily 02:00-05:30", "canals", NEW_YEAR)
    assert timedelta(0) <= start - utc("2027-01-01T05:30") < 10 * MINUTE


def test_a_start_whose_delay_would_lead_into_a_blackout_waits_for_its_end():
    for n in range(50):
        start = next_run("0 3 * * *", LONDON, "daily 03:01-04:00", f"source-{n}", NEW_YEAR)
        assert time(3) <= start.time() < time(3, 1) or time(4) <= start.time() < time(4, 10)


def test_what_waits_starts_once_and_apart_from_the_others():
    for name in ("canals", "locks", "bridges"):
        found = in_a_year("*/15 * * * *", blackout="2027-01-01..2027-12-30", name=name)
        assert len(found) == 24 * 4
    ends = {next_run("*/15 * * * *", LONDON, "2027-01-01..2027-01-30", f"s{n}", NEW_YEAR) for n in range(100)}
    assert len(ends) > 50


def test_a_start_that_waits_is_not_forgotten_when_it_is_asked_for_again_later():
    start = next_run("0 9 * * *", LONDON, "Mon-Fri 08:00-18:00", "canals", utc("2027-01-04T00:00"))
    assert start.date() == date(2027, 1, 4) and start.hour == 18
    for asked in ("2027-01-04T08:59", "2027-01-04T09:30", "2027-01-04T17:59", "2027-01-04T18:00"):
        assert next_run("0 9 * * *", LONDON, "Mon-Fri 08:00-18:00", "canals", utc(asked)) == start


def test_a_minute_of_freedom_a_week_is_found():
    blackout = "Mon-Sat; Sun 00:00-12:00; Sun 12:01-24:00"
    for n in range(20):
        found = next_run("*/5 * * * *" if n % 2 else "0 3 * * SAT", LONDON, blackout, f"source-{n}", NEW_YEAR)
        assert local(found).isoformat()[:16] == "2027-01-03T12:00"


@pytest.mark.parametrize(
    "blackout", ["Mon-Sun", "daily", "daily 06:00-18:00; daily 18:00-06:00", "Mon-Thu; Fri-Sun 00:00-24:00"]
)
def test_a_blackout_that_leaves_no_time_is_refused(blackout):
    for ask in (
        lambda: checked("0 3 * * *", LONDON, blackout),
        lambda: next_run("0 3 * * *", LONDON, blackout, "canals", NEW_YEAR),
        lambda: blacked_out(blackout, LONDON, NEW_YEAR),
    ):
        with pytest.raises(WrongUse, match=r"leave some time in the week; to keep a source closed, pause it"):
            ask()


def test_a_year_of_blackout_after_another_comes_to_an_end():
    years = "; ".join(f"{year}-01-01..{year}-12-31" for year in range(2027, 2060))
    assert next_run("* * * * *", "UTC", years, "canals", NEW_YEAR).year == 2060


def test_a_blackout_covers_both_of_two_hours_and_all_of_a_missing_one():
    assert blacked_out("daily 01:00-02:00", LONDON, utc("2027-10-31T00:00")) == utc("2027-10-31T02:00")
    assert blacked_out("daily 00:00-01:30", LONDON, utc("2027-03-28T00:59")) >= utc("2027-03-28T01:00")


def test_a_blackout_ends_when_the_clocks_have_shown_its_end_for_the_second_time():
    assert blacked_out("daily 00:00-01:30", LONDON, utc("2027-10-31T00:45")) == utc("2027-10-31T01:30")
    asked = utc("2027-10-30T12:00")
    found = {next_run("30 1 * * *", LONDON, "daily 00:00-01:15", f"source-{n}", asked) for n in range(20)}
    assert utc("2027-10-31T01:15") <= min(found) < max(found) < utc("2027-10-31T01:25")


def test_what_waits_and_what_comes_just_before_the_end_start_in_their_order():
    for n in range(50):
        asked = [utc(f"2027-01-04T{clock}") for clock in ("01:00", "02:45", "03:00:59")]
        found = {next_run("0,30 2-3 * * *", "UTC", "daily 02:00-03:01", f"source-{n}", after) for after in asked}
        assert len(found) == 1


# ---- what is wrong


@pytest.mark.parametrize(
    ("field", "value", "right"),
    [
        ("schedule", "0 3 * *", "0 3 * * *"),
        ("schedule", "0 0 3 * * *", "0 3 * * *"),
        ("schedule", "@daily", "0 3 * * *"),
        ("schedule", "61 3 * * *", "0 3 * * *"),
        ("schedule", "every day", "0 3 * * *"),
        ("schedule", "0 0 30 2 *", "meet some day"),
        ("schedule", "0 0 */31 * MON#5", "meet some day"),
        ("schedule", "9" * 5000 + " * * * *", "five fields"),
        ("time_zone", "Europe/Camelot", "'Europe/London'"),
        ("time_zone", "Europe", "'Europe/London'"),
        ("time_zone", "../../etc/passwd", "'Europe/London'"),
        ("time_zone", "x" * 5000, "'Europe/London'"),
        ("time_zone", "a\0b", "'Europe/London'"),
        ("blackout", "Wed 9:00 to 10:00", "Mon-Fri 08:00-18:00"),
        ("blackout", "at night", "Mon-Fri 08:00-18:00"),
        ("blackout", "Mon-Fri 8-18", "Mon-Fri 08:00-18:00"),
        ("blackout", "Mon 08:00-08:00", "Mon-Fri 08:00-18:00"),
        ("blackout", "Mon 08:60-09:00", "Mon-Fri 08:00-18:00"),
        ("blackout", "Mon 08:00-24:30", "Mon-Fri 08:00-18:00"),
        ("blackout", "Mon 24:00-06:00", "Mon-Fri 08:00-18:00"),
        ("blackout", "daily 09:00-17:00, Mon", "Mon-Fri 08:00-18:00"),
        ("blackout", "2027-02-30", "2026-12-24..2027-01-02"),
        ("blackout", "2027-02-10..2027-02-01", "in that order"),
        ("blackout", "2027-01-01..2999-12-31", "at most 366 days"),
    ],
)
def test_a_wrong_value_is_told_in_one_sentence_with_what_would_be_right(field, value, right):
    said = {"schedule": "0 3 * * *", "time_zone": LONDON, "blackout": "", field: value}
    with pytest.raises(WrongUse) as refused:
        checked(**said)
    message = str(refused.value)
    assert message.startswith(f"{field} is '{value[:90]}")
    assert right in message
    assert len(message) < 400 and "\n" not in message


def test_what_is_right_is_taken():
    checked("", "", "")
    checked("0 3 * * *", "Europe/London", "Mon-Fri 08:00-18:00; Sat 22:00-02:00; 2026-12-24..2027-01-02")
    checked("15,45 */2 1-7 JAN-MAR MON", "America/Argentina/Buenos_Aires", "daily 09:00-17:00")
    checked("0 3 L * *", "UTC", "Sat-Sun")


@given(st.text(), st.text(), st.text())
def test_whatever_somebody_types_is_taken_or_refused(schedule, zone, blackout):
    for said in ((schedule, "", ""), ("", zone, ""), ("", "", blackout)):
        with suppress(WrongUse):
            checked(*said)


# ---- in words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("0 3 * * *", "every day at 03:00"),
        ("30 6 * * MON", "Mondays at 06:30"),
        ("30 6 * * 1-5", "Mondays to Fridays at 06:30"),
        ("30 6 * * sat,sun", "Saturdays and Sundays at 06:30"),
        ("30 6 * * 0", "Sundays at 06:30"),
        ("30 6 * * 1,3,5", "Mondays, Wednesdays and Fridays at 06:30"),
        ("*/15 * * * *", "every 15 minutes"),
        ("0,30 * * * *", "every 30 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour"),
        ("0 */6 * * *", "every 6 hours"),
        ("0 3,15 * * *", "every day at 03:00 and 15:00"),
        ("0 3 1 * *", "the 1st of every month at 03:00"),
        ("0 3 12 * *", "the 12th of every month at 03:00"),
        ("0 3 22 * *", "the 22nd of every month at 03:00"),
        ("*/7 * * * *", "*/7 * * * *"),
        ("0  3 L * *", "0 3 L * *"),
        ("0 3 1 1 *", "0 3 1 1 *"),
        ("0 3 1 * MON", "0 3 1 * MON"),
        ("0 3 * * MON#1", "0 3 * * MON#1"),
        ("5,10 3 * * *", "5,10 3 * * *"),
        ("0 */5 * * *", "0 */5 * * *"),
        ("", "no schedule"),
    ],
)
def test_a_schedule_in_words(schedule, words):
    assert in_words(schedule, LONDON) == words


def test_the_time_zone_is_named_where_it_is_not_the_usual_one():
    assert in_words("0 3 * * *", "America/New_York") == "every day at 03:00 (America/New_York)"
    assert in_words("0 3 * * *", "") == "every day at 03:00 (UTC)"
    assert in_words("*/15 * * * *", "America/New_York") == "every 15 minutes"


# ---- whatever the schedule, the zone, the blackout and the moment

ZONES = (
    "Europe/London",
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Africa/Cairo",
    "America/Havana",
    "Australia/Sydney",
)
CRONS = st.builds(
    "{} {} {} * {}".format,
    st.sampled_from(["0", "30", "59", "0,30", "10-12", "*/15", "*"]),
    st.sampled_from(["*", "*/6", "0", "1", "2", "1,2", "0-3", "3", "23", "1,13"]),
    st.sampled_from(["*", "*", "*", "1", "28", "L", "*/2"]),
    st.sampled_from(["*", "*", "*", "SUN", "MON-FRI", "5L", "MON#1"]),
)
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
NAMES = st.sampled_from(["daily", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon-Fri", "Sat-Sun", "Fri-Mon"])
CLOSED = st.builds("{} {}-{}".format, NAMES, CLOCK, CLOCK) | st.sampled_from(
    ["2027-03-20..2027-04-02", "2027-10-31", "2026-12-24..2027-01-02", "Sun", "Mon-Fri"]
)
BLACKOUTS = st.lists(CLOSED, max_size=3).map("; ".join)
MOMENTS = st.integers(0, 400 * 24 * 3600).map(lambda seconds: NEW_YEAR + seconds * SECOND) | st.builds(
    lambda night, seconds: datetime.fromisoformat(night).replace(tzinfo=UTC) + timedelta(seconds=seconds),
    st.sampled_from(
        ["2027-03-27T20:00", "2027-10-30T20:00", "2027-03-14T02:00", "2027-11-07T02:00", "2027-04-29T18:00"]
    ),
    st.integers(0, 16 * 3600),
)
SOURCES = st.sampled_from(["canals", "locks", "bridges", "towpaths", "a", "z"])


def right(blackout: str) -> bool:
    try:
        checked("", "", blackout)
    except WrongUse:
        return False
    return True


def closed_by_the_clock(blackout: str, at: datetime) -> bool:
    """Read anew and simply: what the clock on the wall says, against what stands in the text."""
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    for window in filter(None, blackout.split("; ")):
        if window[0] == "2":
            first, last = (window.split("..") * 2)[:2]
            if first <= at.date().isoformat() <= window.split("..")[-1]:
                return True
            continue
        days, _, clock = window.partition(" ")
        first, last = re.split("-", "Mon-Sun" if days == "daily" else days if "-" in days else f"{days}-{days}")
        there = [names[(names.index(first) + n) % 7] for n in range((names.index(last) - names.index(first)) % 7 + 1)]
        begins, ends = clock.split("-") if clock else ("00:00", "24:00")
        now, today, yesterday = at.strftime("%H:%M"), names[at.weekday()], names[at.weekday() - 1]
        if begins < ends and today in there and begins <= now < ends:
            return True
        if begins > ends and ((today in there and now >= begins) or (yesterday in there and now < ends)):
            return True
    return False


@given(CRONS, st.sampled_from(ZONES), BLACKOUTS, SOURCES, MOMENTS)
def test_a_start_comes_later_and_never_in_a_blackout(schedule, zone, blackout, name, after):
    assume(right(blackout))
    start = next_run(schedule, zone, blackout, name, after)
    assert start is not None and start > after and start.tzinfo is UTC
    assert blacked_out(blackout, zone, start) is None
    assert not closed_by_the_clock(blackout, local(start, zone))
    assert next_run(schedule, zone, blackout, name, after) == start


@given(CRONS, st.sampled_from(ZONES), BLACKOUTS, SOURCES, MOMENTS, st.floats(0, 1, exclude_max=True))
def test_asked_again_on_the_way_the_start_is_the_same(schedule, zone, blackout, name, after, part):
    assume(right(blackout))
    start = next_run(schedule, zone, blackout, name, after)
    on_the_way = after + (start - after) * part
    assume(on_the_way < start)
    assert next_run(schedule, zone, blackout, name, on_the_way) == start


@given(BLACKOUTS, st.sampled_from(ZONES), MOMENTS)
def test_what_the_clock_on_the_wall_closes_is_closed_and_its_end_is_open(blackout, zone, at):
    assume(right(blackout))
    end = blacked_out(blackout, zone, at)
    if closed_by_the_clock(blackout, local(at, zone)):
        assert end is not None
    if end is not None:
        assert end > at and blacked_out(blackout, zone, end) is None
