"""Wall times and the descriptions of their zones, through the changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.connectors.caldav.zones import description, rules, wall_times

ZONES = sorted(zone for zone in available_timezones() if rules(zone) is not None)
CHANGING = [zone for zone in ZONES if (known := rules(zone)) is not None and known.daylight is not None]
times = st.integers(0, 11 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def test_nearly_every_zone_has_rules() -> None:
    without = available_timezones() - set(ZONES)
    assert {"Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "Europe/Dublin"} <= set(ZONES)
    assert len(without) < 20, sorted(without)


@given(zone=st.sampled_from(ZONES), time=times)
def test_rules_say_what_the_zone_says_from_now_on(zone: str, time: datetime) -> None:
    known, offset = rules(zone), time.astimezone(ZoneInfo(zone)).utcoffset()
    assert known is not None
    assert known.offset(time) == offset or zone in {"Africa/Casablanca", "Africa/El_Aaiun"}


@given(
    zone=st.sampled_from(CHANGING), year=st.integers(2026, 2036), minutes=st.integers(-180, 180), spring=st.booleans()
)
def test_no_time_moves_when_the_clocks_change(zone: str, year: int, minutes: int, spring: bool) -> None:
    known = rules(zone)
    assert known is not None and known.begins is not None and known.ends is not None and known.daylight is not None
    change = known.begins.of(year) - known.standard if spring else known.ends.of(year) - known.daylight
    start = change.replace(tzinfo=UTC) + timedelta(minutes=minutes)
    wall = wall_times((start, start + timedelta(hours=1)), zone)
    assert [time.astimezone(UTC) for time in wall] == [start, start + timedelta(hours=1)]
    for time in wall:
        # Read back without the fold, which iCalendar can't write.
        assert time.replace(fold=0).astimezone(UTC) == time.astimezone(UTC)
    assert wall[0].tzinfo is wall[1].tzinfo or str(wall[0].tzinfo) == str(wall[1].tzinfo)


@given(zone=st.sampled_from(ZONES), time=times)
def test_who_reads_the_description_alone_finds_the_same_time(zone: str, time: datetime) -> None:
    (wall,) = wall_times((time,), zone)
    if wall.tzinfo is not UTC:
        read = description(zone).to_tz(lookup_tzid=False)
        assert wall.replace(tzinfo=read).utcoffset() == wall.utcoffset()


def test_the_hour_that_comes_twice_is_written_in_utc_the_second_time() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert str(wall_times((first,), "Europe/Berlin")[0].tzinfo) == "Europe/Berlin"
    second = first + timedelta(hours=1)
    assert wall_times((second,), "Europe/Berlin") == (second,)
    assert wall_times((first, second), "Europe/Berlin") == (first, second)


@pytest.mark.parametrize(
    ("zone", "year"), [("America/New_York", 2000), ("UTC", 2026), ("America/Nuuk", 2020), ("Asia/Gaza", 2030)]
)
def test_where_rules_dont_fit_it_is_written_in_utc(zone: str, year: int) -> None:
    start = datetime(year, 3, 20, 12, tzinfo=UTC)
    assert wall_times((start,), zone) == (start,)
    assert wall_times((start,), zone)[0].tzinfo is UTC


def test_the_description_of_berlin() -> None:
    assert description("Europe/Berlin").to_ical().decode().split() == [
        "BEGIN:VTIMEZONE",
        "TZID:Europe/Berlin",
        "BEGIN:DAYLIGHT",
        "DTSTART:19700329T020000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:19701025T030000",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
    ]
