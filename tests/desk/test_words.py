"""Times, amounts and numbers as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.desk.words import Words, duration, joined, money, ordinal, plural
from tests.samples import usd

CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
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


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001 - made aware below
def test_the_day_begins_at_local_midnight_whatever_the_clocks_do(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    begin = Words(CHICAGO).midnight(now)

    assert begin.tzinfo is UTC
    assert begin <= now < begin + timedelta(hours=25)
    local = begin.astimezone(CHICAGO)
    assert (local.date(), local.hour, local.minute) == (now.astimezone(CHICAGO).date(), 0, 0)


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
