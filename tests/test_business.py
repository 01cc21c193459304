"""The days and hours of a business."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.business import BusinessCalendar, Span, Spans, parse_spans, public_holidays
from tests.zones import changes, zones

DAY = timedelta(days=1)
TIMES = st.datetimes(datetime(2024, 1, 1), datetime(2030, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
DATES = TIMES.map(datetime.date)


@st.composite
def spans(draw: st.DrawFn) -> Spans:
    """Up to two stretches of a day."""
    marks = sorted(draw(st.lists(st.integers(0, 95), unique=True, max_size=4)))
    clocks = [time(mark // 4, mark % 4 * 15) for mark in marks]
    return tuple(Span(begin, end) for begin, end in zip(clocks[::2], clocks[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    week = draw(st.lists(spans(), min_size=7, max_size=7).filter(any))
    zone = draw(st.sampled_from(zones()))
    return BusinessCalendar(zone=zone.key, hours=tuple(week), holidays=draw(st.frozensets(DATES, max_size=5)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("09:00-17:00", (Span(time(9), time(17)),)),
        ("9:00 - 12:30,13:00-24:00", (Span(time(9), time(12, 30)), Span(time(13), time()))),
        ("00:00-24:00", (Span(time(), time()),)),
    ],
)
def test_hours_are_read(text: str, found: Spans) -> None:
    assert parse_spans(text) == found


@pytest.mark.parametrize(
    "text", ["closed", "9-17", "17:00-09:00", "09:00-09:00", "09:00-25:00", "09:00-12:00, 11:00-17:00",
             "13:00-24:00, 09:00-12:00", "09:00-12:00,", "-", "24:00-24:00", "09:00-24:30"],
)  # fmt: skip
def test_what_are_no_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_spans(text)


def test_a_business_that_never_works_is_refused() -> None:
    for hours in (((),) * 7, (parse_spans("09:00-17:00"),) * 6):
        with pytest.raises(ValueError, match="a day of the week with hours"):
            BusinessCalendar(hours=hours)


@given(calendars(), DATES, st.integers(0, 30))
def test_as_many_business_days_lie_between_as_were_asked_for(calendar: BusinessCalendar, day: date, count: int) -> None:
    found = calendar.business_days(day, count)
    after = (day + DAY * step for step in range(1, (found - day).days + 1))
    assert calendar.is_business_day(found)
    if count or not calendar.is_business_day(day):
        assert sum(map(calendar.is_business_day, after)) == max(count, 1)
    else:
        assert found == day


@given(calendars(), DATES, st.integers(0, 30))
def test_more_days_and_later_days_never_come_earlier(calendar: BusinessCalendar, day: date, count: int) -> None:
    found = calendar.business_days(day, count)
    assert found <= calendar.business_days(day + DAY, count)
    assert found <= calendar.business_days(day, count + 1)


def test_days_arent_counted_backward() -> None:
    with pytest.raises(ValueError, match="counted forward"):
        BusinessCalendar().business_days(date(2026, 11, 24), -1)


def is_open(calendar: BusinessCalendar, moment: datetime) -> bool:
    """By the clock on the wall: for moments that aren't in the hour before or after a change."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    now = local.time()
    hours = calendar.hours[local.weekday()]
    return calendar.is_business_day(local.date()) and any(
        span.begin <= now and (now < span.end or span.end == time()) for span in hours
    )


@given(calendars(), TIMES)
def test_the_next_time_is_the_first_at_which_the_business_is_open(calendar: BusinessCalendar, moment: datetime) -> None:
    found = calendar.next_business_time(moment)
    assert found >= moment
    assert calendar.next_business_time(found) == found
    zone, near = ZoneInfo(calendar.zone), timedelta(hours=3)
    if (moment - near).astimezone(zone).utcoffset() == (found + near).astimezone(zone).utcoffset():
        assert is_open(calendar, found)
        assert found == moment or not is_open(calendar, moment)
        assert (
            all(not is_open(calendar, moment + part * (found - moment) / 50) for part in range(50)) or found == moment
        )


def test_opening_hours_are_those_of_the_clock_on_the_wall_across_every_change() -> None:
    hours, always = parse_spans("09:00-17:00"), (parse_spans("00:00-24:00"),) * 7
    for zone, change in changes():
        calendar = BusinessCalendar(zone=zone.key, hours=(hours,) * 7)
        for given_ in (change - DAY, change, change + DAY):
            local, found = given_.astimezone(zone), calendar.next_business_time(given_)
            if time(9) <= local.time() < time(17):
                assert found == given_, (zone, given_)
            else:
                assert found.astimezone(zone).time() == time(9), (zone, given_)
                assert timedelta() < found - given_ < timedelta(hours=19)
            assert BusinessCalendar(zone=zone.key, hours=always).next_business_time(given_) == given_


@pytest.mark.parametrize("hours", ["02:45-03:15", "23:15-23:45", "00:00-00:30", "22:00-24:00"])
def test_hours_in_the_midst_of_a_change_are_where_the_change_moves_them(hours: str) -> None:
    (span,) = parse_spans(hours)
    for zone, change in changes():
        calendar = BusinessCalendar(zone=zone.key, hours=((span,),) * 7)
        today = change.astimezone(zone).date()
        stretches = [span.on(today + DAY * days, zone) for days in range(-3, 5)]
        for given_ in (change + timedelta(minutes=30) * half for half in range(-4, 5)):
            ahead = [max(given_, begin) for begin, end in stretches if begin < end and given_ < end]
            assert calendar.next_business_time(given_) == min(ahead), (zone, given_)


def test_the_hours_that_are_asked_for_hold_on_business_days_only() -> None:
    friday = datetime(2026, 11, 27, 16, tzinfo=UTC)
    found = BusinessCalendar().next_business_time(friday, parse_spans("10:00-12:00"))
    assert found == datetime(2026, 11, 30, 10, tzinfo=UTC)


def test_public_holidays_are_those_of_the_country_and_the_state() -> None:
    women, unity = date(2026, 3, 8), date(2026, 10, 3)
    assert unity in public_holidays("DE", "", 2026)
    assert women in public_holidays("DE", "BE", 2026) - public_holidays("DE", "", 2026)
    thanksgiving = BusinessCalendar(country="US")
    assert not thanksgiving.is_business_day(date(2026, 11, 26))
    assert thanksgiving.business_days(date(2026, 11, 25), 1) == date(2026, 11, 27)
    for country, region in (("ZZ", ""), ("DE", "ZZ")):
        with pytest.raises(ValueError, match="no public holidays are known of"):
            public_holidays(country, region, 2026)
