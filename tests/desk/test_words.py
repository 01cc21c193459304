"""Times, amounts and numbers as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bellwire.desk.words import Words, joined, money, ordinal, plural
from tests.samples import usd

CHICAGO = ZoneInfo("America/Chicago")


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001 - made aware below
def test_the_day_begins_at_local_midnight_whatever_the_clocks_do(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    begin = Words(CHICAGO).midnight(now)

    assert begin.tzinfo is UTC
    assert begin <= now < begin + timedelta(hours=25)
    local = begin.astimezone(CHICAGO)
    assert (local.date(), local.hour, local.minute) == (now.astimezone(CHICAGO).date(), 0, 0)


CHANGING = [ZoneInfo(name) for name in ("America/Havana", "America/Santiago", "Asia/Beirut", "Australia/Lord_Howe")]
"""Where clocks change at midnight, or by half an hour."""


@given(st.sampled_from(CHANGING), st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1)))  # noqa: DTZ001 - made aware
def test_days_follow_one_another_without_gap_or_overlap(zone: ZoneInfo, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    begin = Words(zone).midnight(now)
    next_ = Words(zone).midnight(begin + timedelta(hours=36))
    assert begin <= now < next_
    assert timedelta(hours=23) <= next_ - begin <= timedelta(hours=25)
    assert Words(zone).midnight(next_ - timedelta(seconds=1)) == begin
    assert Words(zone).midnight(next_) == next_


def test_a_time_of_another_day_says_which() -> None:
    now = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)

    assert Words(CHICAGO).when(now, now) == "2:00 PM"
    assert Words(CHICAGO).when(now - timedelta(days=4), now) == "Nov 20, 2:00 PM"


def test_amounts_and_lists_read_well() -> None:
    assert money(usd("1024.5")) == "$1,024.50"
    assert [plural(1, "order"), plural(2_000, "order"), plural(0, "thing is", "things are")] == [
        "1 order",
        "2,000 orders",
        "0 things are",
    ]
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [ordinal(value) for value in (1, 2, 3, 4, 11, 12, 13, 21, 112)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "12th",
        "13th",
        "21st",
        "112th",
    ]
