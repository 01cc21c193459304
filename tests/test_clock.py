"""Time: whatever zone it is written in, it is UTC inside."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.clock import duration, earlier, on_the_wall, parse_length, parse_time, parse_utc, steady, system_clock
from bellwire.ledger.rows import stamp, unstamp

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - zones are drawn


@given(TIMES)
def test_a_time_with_a_zone_is_the_same_moment_in_utc(time: datetime) -> None:
    for parse in (parse_time, parse_utc):
        parsed = parse(time.isoformat())
        assert parsed == time and parsed.tzinfo is UTC


@given(st.datetimes())
def test_a_time_without_zone_is_refused_or_taken_for_utc(time: datetime) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        parse_time(time.isoformat())
    assert parse_utc(time.isoformat()) == time.replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "1700000000", "2026-11-24T25:00:00+00:00"])
def test_what_isnt_a_time_is_refused(text: str) -> None:
    for parse in (parse_time, parse_utc):
        with pytest.raises(ValueError):
            parse(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_what_is_no_time_in_utc_is_refused_too(text: str) -> None:
    for parse in (parse_time, parse_utc):
        with pytest.raises(ValueError, match="out of range"):
            parse(text)


def test_the_letter_z_is_utc() -> None:
    assert parse_time("2026-11-24T09:30:00Z") == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@given(TIMES)
def test_the_ledger_keeps_times_to_the_microsecond(time: datetime) -> None:
    assert unstamp(stamp(time)) == time


def test_the_machines_time_is_utc() -> None:
    assert system_clock().tzinfo is UTC


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 ms"),
        (0.0184, "18 ms"),
        (0.0996, "0.1 s"),
        (3.24, "3.2 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3_600, "1 h"),
        (3_959, "1 h 5 min"),
        (86_400, "1 day"),
        (2 * 86_400 + 3 * 3_600, "2 days 3 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


def test_a_steady_clock_goes_on_whoever_sets_the_machines() -> None:
    machine = [system_clock()]
    clock = steady(lambda: machine[0])
    machine[0] += timedelta(hours=1)
    first = clock()
    assert timedelta() <= first - system_clock() + timedelta(seconds=5) < timedelta(seconds=10)
    assert clock() >= first


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("2 h", 7_200), ("1d", 86_400)])
def test_a_length_of_time_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert parse_length(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "0s", "-1h", "1w", "367d", "1h30m", "1.5h"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no length of time"):
        parse_length(text)


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "shown", "found"),
    [
        (date(2026, 11, 24), time(9), "2026-11-24T09:00+01:00"),
        (date(2026, 3, 29), time(2, 30), "2026-03-29T03:30+02:00"),
        (date(2026, 10, 25), time(2, 30), "2026-10-25T02:30+02:00"),
        (date(2026, 10, 25), time(2, 30, fold=1), "2026-10-25T02:30+02:00"),
    ],
)
def test_a_time_on_the_wall_moves_out_of_a_gap_and_is_the_first_of_two(day: date, shown: time, found: str) -> None:
    assert on_the_wall(day, shown, BERLIN) == datetime.fromisoformat(found)
    assert on_the_wall(day, shown, BERLIN).tzinfo is UTC


@pytest.mark.parametrize(
    ("length", "found"),
    [("24h", "2026-03-28T10:00+01:00"), ("23h", "2026-03-28T10:00+01:00"), ("25h", "2026-03-28T09:00+01:00"),
     ("2d", "2026-03-27T10:00+01:00"), ("9h", "2026-03-29T00:00+01:00")],
)  # fmt: skip
def test_whole_days_go_by_the_wall_and_hours_by_the_time_that_passes(length: str, found: str) -> None:
    start = datetime(2026, 3, 29, 10, tzinfo=BERLIN)
    assert earlier(start, parse_length(length), BERLIN) == datetime.fromisoformat(found)
