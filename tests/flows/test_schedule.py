"""When a flow begins by the clock: by the wall clock of its zone, over changes of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.flows.schedule import Schedule

ZONES = ("UTC", "Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Asia/Kathmandu")


def test_a_time_that_a_change_of_the_clock_leaves_out_comes_right_after_it() -> None:
    half_past_two = Schedule("30 2 * * *", "Europe/Berlin")
    assert half_past_two.next(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_time_that_comes_twice_counts_once() -> None:
    half_past_two = Schedule("30 2 * * *", "Europe/Berlin")
    first = half_past_two.next(datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert half_past_two.next(first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


@given(
    st.sampled_from(ZONES),
    st.integers(0, 7 * 365 * 24 * 60),
    st.integers(0, 23),
)
def test_every_day_has_its_time_once_and_by_the_wall_clock(zone: str, minutes: int, hour: int) -> None:
    after = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    schedule = Schedule(f"0 {hour} * * *", zone)
    times = [schedule.next(after)]
    for _ in range(3):
        times.append(schedule.next(times[-1]))
    local = [time.astimezone(ZoneInfo(zone)) for time in times]
    days = [time.date() for time in local]
    assert days == [days[0] + timedelta(days=number) for number in range(4)]
    assert times[0] > after
    for time in local:
        # An hour that is left out is the only one that is another.
        left_out = time.replace(hour=hour, minute=0).astimezone(UTC).astimezone(ZoneInfo(zone)).hour != hour
        assert (time.hour, time.minute) == (hour, 0) or left_out


@pytest.mark.parametrize("every", ["often", "0 0 31 2 *", "* * * *"])
def test_what_is_no_schedule_or_never_comes_says_so(every: str) -> None:
    with pytest.raises(ValueError, match="isn't a schedule, or never comes"):
        Schedule(every, "UTC").next(datetime(2026, 1, 1, tzinfo=UTC))
