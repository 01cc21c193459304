"""Filters that work out times: by the clock on the wall, in every zone, across every change of the clocks."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bellwire.business import BusinessCalendar, parse_spans
from bellwire.errors import ConfigurationError, FlowError
from bellwire.events import FreeForm
from bellwire.flows import SKIPPED, check_flow, scope_for
from bellwire.settings import QuietHours
from tests.flows.standins import CONNECTORS
from tests.flows.writing import event, flow, message, scope, value_of
from tests.zones import changes, zones

HOUR, DAY, STEP = timedelta(hours=1), timedelta(days=1), timedelta(minutes=30)
BERLIN = BusinessCalendar(
    zone="Europe/Berlin",
    hours=(*(parse_spans("09:00-12:00, 13:00-17:00"),) * 4, parse_spans("09:00-12:00"), (), ()),
    holidays=frozenset({date(2026, 12, 25)}),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def worked_out(text: str) -> Callable[..., Any]:
    """The expression, compiled once; call it with the names that it sees."""
    bench, usual = message(text).actions["bench"], scope()
    return lambda **names: bench.inputs(usual | names).get("text")


def around(moment: datetime) -> Iterator[datetime]:
    return (moment + step * STEP for step in range(-4, 5))


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def test_there_are_zones_and_changes_to_look_at() -> None:
    assert len(zones()) > 300
    assert len(changes()) > 1_400
    assert {moment.year for _, moment in changes()} == set(range(2024, 2031))


def test_a_reminder_a_day_before_shows_the_same_time_on_every_clock_across_every_change() -> None:
    remind = worked_out("{{ t | before('24h', zone) }}")
    for zone, change in changes():
        offsets = [change.astimezone(zone).utcoffset(), (change - STEP).astimezone(zone).utcoffset()]
        for start in (*around(change), *around(change + DAY)):
            reminder, wanted = remind(t=start, zone=zone.key), wall(start, zone) - DAY
            shown = [moment for each in offsets if wall(moment := (wanted - each).replace(tzinfo=UTC), zone) == wanted]  # type: ignore[operator]
            if shown:
                assert reminder == min(shown), (zone, start)
            else:
                gap = offsets[0] - offsets[1]  # type: ignore[operator]
                assert wall(reminder, zone) == wanted + gap, (zone, start)
            assert HOUR * 21 < start - reminder < HOUR * 27


def test_nobody_is_disturbed_in_the_night_across_every_change() -> None:
    moved = worked_out("{{ t | outside_quiet('21:00-08:00', zone) }}")
    for zone, change in changes():
        for step in range(-12, 13):
            given = change + step * 2 * HOUR
            found = moved(t=given, zone=zone.key)
            local = wall(given, zone)
            if time(8) <= local.time() < time(21):
                assert found == given, (zone, given)
            else:
                morning = local.date() + DAY if local.time() >= time(21) else local.date()
                assert wall(found, zone) == datetime.combine(morning, time(8)), (zone, given)


@pytest.mark.parametrize("hours", ["02:15-02:45", "23:30-02:30", "00:00-01:00", "03:10-02:50", "01:00-00:30"])
def test_a_time_is_moved_to_the_first_moment_that_is_not_quiet_whatever_the_hours(hours: str) -> None:
    moved, quiet = worked_out("{{ t | outside_quiet(hours, zone) }}"), QuietHours.parse(hours)
    for zone, change in changes():
        for given in (change + step * HOUR / 2 for step in range(-2, 4)):
            found = moved(t=given, zone=zone.key, hours=hours)
            assert not quiet.cover(found, zone), (zone, given)
            assert all(quiet.cover(given + part * (found - given) / 4, zone) for part in range(4)) or found == given


def test_a_time_on_the_day_is_shown_by_every_clock_unless_it_is_left_out() -> None:
    nine, gone = worked_out("{{ t | at('09:00', zone) }}"), worked_out("{{ t | at('2:30', zone) }}")
    for zone, change in changes():
        for given in (change - DAY, change, change + DAY):
            assert wall(nine(t=given, zone=zone.key), zone) == datetime.combine(wall(given, zone).date(), time(9))
            assert timedelta() <= wall(gone(t=given, zone=zone.key), zone) - datetime.combine(
                wall(given, zone).date(), time(2, 30)
            ) <= 2 * HOUR  # fmt: skip


@pytest.mark.parametrize(
    ("text", "t", "found"),
    [
        # Clocks go forward on 29 March 2026 and back on 25 October.
        ("before('24h', 'Europe/Berlin')", "2026-03-29T10:00+02:00", "2026-03-28T10:00+01:00"),
        ("before('1d', 'Europe/Berlin')", "2026-03-30T02:30+02:00", "2026-03-29T03:30+02:00"),
        ("before('1d', 'Europe/Berlin')", "2026-10-26T02:30+01:00", "2026-10-25T02:30+02:00"),
        ("before('2h', 'Europe/Berlin')", "2026-03-29T03:30+02:00", "2026-03-29T00:30+01:00"),
        ("before('26h', 'Europe/Berlin')", "2026-03-29T10:00+02:00", "2026-03-28T08:00+01:00"),
        ("before('24h', 'America/Chicago')", "2026-03-29T10:00+02:00", "2026-03-28T10:00+02:00"),
        ("before('24h')", "2026-03-29T10:00+02:00", "2026-03-28T10:00+01:00"),
        ("before('24h', '')", "2026-03-29T10:00+02:00", "2026-03-28T10:00+01:00"),
        ("before('24h', zone=business.zone)", "2026-03-29T10:00+02:00", "2026-03-28T10:00+01:00"),
        ("at('09:00', 'America/Chicago')", "2026-11-25T03:00+00:00", "2026-11-24T09:00-06:00"),
        ("at('9:00')", "2026-11-24T23:30+00:00", "2026-11-25T09:00+01:00"),
        ("business_days(0)", "2026-11-24T10:00+01:00", "2026-11-24T10:00+01:00"),
        ("business_days(0)", "2026-11-28T10:00+01:00", "2026-11-30T10:00+01:00"),
        ("business_days(1)", "2026-11-27T10:00+01:00", "2026-11-30T10:00+01:00"),
        ("business_days(1)", "2026-11-28T10:00+01:00", "2026-11-30T10:00+01:00"),
        ("business_days(3)", "2026-12-23T10:00+01:00", "2026-12-29T10:00+01:00"),
        ("business_days(1)", "2026-03-27T10:00+01:00", "2026-03-30T10:00+02:00"),
        ("business_days(1)", "2026-11-23T23:30+00:00", "2026-11-25T00:30+01:00"),
        ("outside_quiet('21:00-08:00')", "2026-11-24T21:00+01:00", "2026-11-25T08:00+01:00"),
        ("outside_quiet('21:00-08:00')", "2026-11-24T08:00+01:00", "2026-11-24T08:00+01:00"),
        ("outside_quiet('21:00-08:00', 'America/Chicago')", "2026-11-24T21:00+01:00", "2026-11-24T21:00+01:00"),
        ("next_business_time", "2026-11-24T10:00+01:00", "2026-11-24T10:00+01:00"),
        ("next_business_time", "2026-11-24T12:00+01:00", "2026-11-24T13:00+01:00"),
        ("next_business_time()", "2026-11-27T12:00+01:00", "2026-11-30T09:00+01:00"),
        ("next_business_time", "2026-12-24T17:00+01:00", "2026-12-28T09:00+01:00"),
        ("next_business_time('10:00-11:00')", "2026-11-24T11:00+01:00", "2026-11-25T10:00+01:00"),
        ("before('24h') | outside_quiet('21:00-08:00')", "2026-11-24T07:00+01:00", "2026-11-23T08:00+01:00"),
    ],
)  # fmt: skip
def test_what_they_give(text: str, t: str, found: str) -> None:
    given = value_of(f"{{{{ t | {text} }}}}", t=at(t), business=BERLIN)
    assert given == at(found)
    assert given.tzinfo is UTC


def test_business_days_of_a_date_are_dates_and_a_date_can_be_given_its_time() -> None:
    assert value_of("{{ d | business_days(3) }}", d=date(2026, 12, 23), business=BERLIN) == date(2026, 12, 29)
    assert value_of("{{ d | at('09:00') }}", d=date(2026, 12, 23), business=BERLIN) == at("2026-12-23T09:00+01:00")


def test_nothing_gives_nothing() -> None:
    assert value_of("{{ t | before('24h') }}", t=None) is None
    assert value_of("Then: {{ t | before('24h') | business_days(1) }}.", t=SKIPPED) == "Then: ."


def test_without_a_calendar_of_its_own_a_business_works_from_monday_to_friday_from_nine_to_five() -> None:
    found = scope_for(event())["business"]
    assert value_of("{{ t | next_business_time }}", t=at("2026-11-27T17:00+00:00")) == at("2026-11-30T09:00+00:00")
    assert found == BusinessCalendar()
    assert value_of("{{ business.zone }}") == "UTC"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("t | before('soon')", "'soon' is no length of time; write e.g. 30m, 24h or 3d, a year at most"),
        ("t | before('24h', 'Mars')", "there is no time zone 'Mars'; write one such as 'America/Chicago'"),
        ("t | before", "`before` needs its length"),
        ("t | before('24h', 'UTC', 'UTC')", "`before` takes no more than its length and its zone"),
        ("t | before('24h', where='UTC')", "`before` takes no more than its length and its zone"),
        ("t | at('25:00')", "'25:00' is no time of the day; write e.g. '09:00'"),
        ("t | business_days(-1)", "'-1' is no number of days; write one from 0 to 366"),
        ("t | business_days(true)", "'True' is no number of days"),
        ("t | outside_quiet('always')", "'always' are no quiet hours; write e.g. '21:00-08:00'"),
        ("t | next_business_time('17:00-09:00')", "'17:00-09:00' are no hours of a day"),
        ("event.number | before('24h')", "`before` needs a time"),
        ("d | before('24h')", "`before` needs a time"),
        ("event.number | business_days(3)", "`business_days` needs a date or a time"),
    ],
)
def test_what_they_cannot_work_with_fails_in_plain_words(text: str, why: str) -> None:
    with pytest.raises(FlowError) as caught:
        value_of(f"{{{{ {text} }}}}", t=at("2026-11-24T10:00Z"), d=date(2026, 11, 24))
    assert f"can't be worked out: {why}" in caught.value.sentence


def said(text: str) -> list[str]:
    return [str(finding).partition(": ")[2] for finding in check_flow(message(text), CONNECTORS)]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("{{ event.number | before('24h') | date }}", "'before' needs a time, and this is text"),
        ("{{ event.total | business_days(3) | date }}",
         "'business_days' needs a date or a time, and this is an amount of money"),
        ("{{ event.created_at | before('soon') | date }}",
         "'soon' is no length of time; write e.g. 30m, 24h or 3d, a year at most"),
        ("{{ event.created_at | before('24h', 'Mars') | date }}",
         "there is no time zone 'Mars'; write one such as 'America/Chicago'"),
        ("{{ event.created_at | at | date }}", "`at` needs its time"),
        ("{{ event.created_at | before('24h', where=event.number) | date }}",
         "`before` takes no more than its length and its zone"),
        ("{{ event.created_at | before('24h') }}", "'text' has to be text, and this is a time; name one of its fields"),
        ("{{ business }} is open", "a business calendar can't stand in a text; name one of its fields"),
        ("{{ business.zome }}", "the business has no field 'zome'; did you mean 'zone'?"),
    ],
)  # fmt: skip
def test_the_check_finds_what_would_fail(text: str, finding: str) -> None:
    assert finding in said(text)


def test_the_check_passes_what_works() -> None:
    assert said("{{ event.created_at | before('24h', business.zone) | outside_quiet('21:00-8:00') | date }}") == []
    assert said("{{ (event.created_at | business_days(3) | at('09:00')).hour }} o'clock") == []


def busy(start: str) -> list[str]:
    """The findings about an action that needs a time."""
    text = f'a: {{do: calendar.list_busy, with: {{start: "{start}", end: "{{{{ meta.time }}}}"}}}}'
    return [str(finding) for finding in check_flow(flow(text), CONNECTORS)]


def test_an_input_that_is_a_time_takes_what_they_give() -> None:
    assert busy("{{ event.created_at | before('1d') }}") == []
    assert "'start' has to be a time, and this is an amount of money" in busy("{{ event.total }}")[0]


def test_what_may_be_missing_stays_so() -> None:
    (found,) = busy("{{ event.paid_at | before('1d') }}")
    assert "'start' has to be given, and this may be missing" in found


def test_no_action_can_take_the_place_of_the_business() -> None:
    with pytest.raises(ConfigurationError, match="'business' can't be an action's name"):
        flow("business: {do: x.y}")


def test_the_calendar_is_the_scopes_even_where_a_loop_calls_something_else_so() -> None:
    text = "{% for business in event.rows %}{{ t | business_days(1) | date }} {% endfor %}"
    data = FreeForm.model_validate({"rows": [1]})
    assert value_of(text, event=data, t=at("2026-12-24T10:00+01:00"), business=BERLIN) == "2026-12-28 "
