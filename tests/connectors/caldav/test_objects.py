"""Appointments as text, and back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Event
from pydantic import ValidationError

from bellwire.capabilities.calendar import ListBusy, PutAppointment
from bellwire.connectors.caldav.objects import fill, new, parse, reference_of, times_of, uid_of, untouched
from tests.connectors.caldav.conftest import vevent
from tests.samples import NOW

texts = st.text(max_size=120) | st.text(st.sampled_from('\r\n\t\x00\x0b\x0c\x1c\x85\u2028;,:\\"^n N=ü '), max_size=30)
appointments = st.builds(
    PutAppointment,
    reference=st.text(min_size=1, max_size=200),
    title=texts.filter(bool),
    start=st.integers(0, 5 * 365 * 24 * 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    end=st.just(datetime(2036, 1, 1, tzinfo=UTC)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
    location=texts,
    notes=texts,
    remind_minutes=st.none() | st.integers(0, 40_320),
)


@given(appointments)
def test_what_was_written_is_read_as_the_same_and_as_ours(wanted: PutAppointment) -> None:
    text = new(wanted, NOW).to_ical().decode()
    calendar, event = parse(text)
    assert times_of(event, "UTC") == (wanted.start, wanted.end)
    assert (reference_of(event), str(event["UID"])) == (wanted.reference, uid_of(wanted.reference))
    assert untouched(event)
    assert not fill(calendar, event, wanted), "nothing is to be written"
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@given(appointments, appointments)
@settings(max_examples=30)
def test_a_change_is_seen_and_takes_what_is_given(before: PutAppointment, after: PutAppointment) -> None:
    calendar, event = parse(new(before, NOW).to_ical().decode())
    fill(calendar, event, after)
    _, event = parse(calendar.to_ical().decode())
    assert times_of(event, "UTC") == (after.start, after.end)
    assert len(event.walk("VALARM")) == (after.remind_minutes is not None)


@given(st.text(min_size=1, max_size=200), st.text(min_size=1, max_size=200))
def test_each_reference_has_a_name_of_its_own_that_goes_anywhere(one: str, other: str) -> None:
    assert (uid_of(one) == uid_of(other)) is (one == other)
    assert uid_of(one).replace("-", "").isalnum() and uid_of(one).isascii()


@pytest.mark.parametrize(
    ("lines", "zone", "start", "hours"),
    [
        (["DTSTART:20260701T080000Z", "DURATION:PT90M"], "UTC", datetime(2026, 7, 1, 8, tzinfo=UTC), 1.5),
        (["DTSTART;VALUE=DATE:20260701"], "Europe/Berlin", datetime(2026, 6, 30, 22, tzinfo=UTC), 24),
        (["DTSTART;VALUE=DATE:20260329"], "Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (["DTSTART:20260701T080000"], "Europe/Berlin", datetime(2026, 7, 1, 6, tzinfo=UTC), 0),
    ],
)
def test_times_of_others(lines: list[str], zone: str, start: datetime, hours: float) -> None:
    _, event = parse(vevent("x", *lines))
    assert times_of(event, zone) == (start, start + timedelta(hours=hours))


def test_of_one_that_repeats_the_one_with_the_rule_is_meant() -> None:
    exception = "BEGIN:VEVENT\r\nUID:x\r\nRECURRENCE-ID:20260702T080000Z\r\nDTSTART:20260702T100000Z\r\nEND:VEVENT\r\n"
    whole = vevent("x", "DTSTART:20260701T080000Z", "RRULE:FREQ=DAILY")
    text = whole.replace("BEGIN:VEVENT", exception + "BEGIN:VEVENT", 1)
    assert "RRULE" in parse(text)[1]


def test_what_holds_no_appointment_is_said() -> None:
    for text in ("", "x", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "BEGIN:VEVENT"):
        with pytest.raises(ValueError, match=r".+"):
            parse(text)


def test_an_event_without_times_has_none() -> None:
    assert times_of(Event(), "UTC") is None


@pytest.mark.parametrize("days", [0, -1, 63])
def test_busy_times_are_asked_for_two_months_at_most(days: int) -> None:
    start = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    with pytest.raises(ValidationError, match="at most 62 days"):
        ListBusy(start=start, end=start + timedelta(days=days))
