"""Appointments as calendars keep them: iCalendar (RFC 5545). What isn't ours in one is left as it is."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Component, Event

from bellwire.capabilities.calendar import PutAppointment
from bellwire.connectors.caldav.zones import description, wall_times

_REFERENCE, _WRITTEN, _ALARM = "X-BELLWIRE-REFERENCE", "X-BELLWIRE-WRITTEN", "X-BELLWIRE-ALARM"
CANCELLED = "CANCELLED"


def uid_of(reference: str) -> str:
    """What names the appointment of a reference everywhere: letters that no server changes."""
    return "bellwire-" + hashlib.sha256(reference.encode()).hexdigest()[:40]


def parse(text: str) -> tuple[Calendar, Event]:
    """An object of a calendar, and its appointment: of one that repeats, the one with the rule. Raises ValueError when
    it has none."""
    calendar = Calendar.from_ical(text)
    events = [each for each in calendar.walk("VEVENT") if isinstance(each, Event)]
    if not isinstance(calendar, Calendar) or not events:
        raise ValueError("there is no appointment in it")
    return calendar, next((each for each in events if "RECURRENCE-ID" not in each), events[0])


def new(given: PutAppointment, now: datetime) -> Calendar:
    calendar, event = Calendar(), Event()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Bellwire//Bellwire//EN")
    event.add("uid", uid_of(given.reference))
    event.add(_REFERENCE, quote(given.reference))
    calendar.add_component(event)
    fill(calendar, event, given)
    stamp(event, now)
    return calendar


def fill(calendar: Calendar, event: Event, given: PutAppointment) -> bool:
    """Have it say what is given. A place or notes that aren't given stay as somebody may have written them. Gives
    whether that changes anything."""
    before = _said(event), _zone(event)
    start, end = wall_times((given.start, given.end), given.zone)
    for name in ("DTSTART", "DTEND", "DURATION", "SUMMARY"):
        event.pop(name, None)
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", " ".join(_plain(given.title).split()))
    for name, text in (("LOCATION", _plain(given.location)), ("DESCRIPTION", _plain(given.notes))):
        if text:
            event.pop(name, None)
            event.add(name, text)
    if event.get("STATUS") == CANCELLED:
        event.pop("STATUS")
    _remind(event, given)
    if (zone := _zone(event)) and zone not in {str(each.get("TZID")) for each in calendar.walk("VTIMEZONE")}:
        calendar.subcomponents.insert(0, description(zone))
    return (_said(event), zone) != before


def cancel(event: Event) -> bool:
    """Gives whether it wasn't cancelled already."""
    if event.get("STATUS") == CANCELLED:
        return False
    event.pop("STATUS", None)
    event.add("status", CANCELLED)
    return True


def stamp(event: Event, now: datetime) -> None:
    """Note that it was changed now, and by us."""
    times = int(event.get("SEQUENCE", -1)) + 1
    for name in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED", _WRITTEN):
        event.pop(name, None)
    event.add("sequence", times)
    event.add("dtstamp", now)
    event.add("last-modified", now)
    event.add(_WRITTEN, _said(event))


def untouched(event: Event) -> bool:
    """Whether it says what we wrote, and nobody has changed that since."""
    return str(event.get(_WRITTEN, "")) == _said(event)


def reference_of(event: Event) -> str:
    return unquote(str(event.get(_REFERENCE, "")))


def times_of(event: Event, zone: str) -> tuple[datetime, datetime] | None:
    """Begin and end in UTC, those of whole days at midnight in `zone`; None where it doesn't say."""
    if "DTSTART" not in event:
        return None
    start = _value(event, "DTSTART")
    if "DTEND" in event:
        end = _value(event, "DTEND")
    elif "DURATION" in event:
        end = start + _value(event, "DURATION")
    else:
        end = start if isinstance(start, datetime) else start + timedelta(days=1)
    return _utc(start, zone), _utc(end, zone)


def whole_days(event: Event) -> bool:
    return "DTSTART" in event and not isinstance(_value(event, "DTSTART"), datetime)


def changed_at(event: Event) -> datetime | None:
    """When it was last changed, if it says so."""
    for name in ("LAST-MODIFIED", "DTSTAMP"):
        if name in event and isinstance(found := _value(event, name), datetime):
            return _utc(found, "UTC")
    return None


def text_of(event: Event, name: str) -> str:
    return str(event.get(name, ""))


def _utc(time: date, zone: str) -> datetime:
    if not isinstance(time, datetime):
        time = datetime(time.year, time.month, time.day, tzinfo=ZoneInfo(zone))
    elif time.tzinfo is None:
        time = time.replace(tzinfo=ZoneInfo(zone))
    return time.astimezone(UTC)


def _plain(text: str) -> str:
    """With one kind of line end, and without signs that steer a terminal, which calendars can't keep."""
    lines = ("".join(sign for sign in line if sign == "\t" or ord(sign) > 31) for line in text.splitlines())
    # icalendar takes `\N` for the end of a line, which it is in calendars only.
    return "\n".join(lines).replace("\\N", "\\n")


def _remind(event: Event, given: PutAppointment) -> None:
    """Replace our alarm. Others are somebody's own."""
    event.subcomponents[:] = [each for each in event.subcomponents if _ALARM not in each]
    if given.remind_minutes is None:
        return
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", " ".join(_plain(given.title).split()))
    alarm.add("trigger", timedelta(minutes=-given.remind_minutes))
    alarm.add(_ALARM, "1")
    event.add_component(alarm)


def _said(event: Event) -> str:
    """A hash of all that is ours in it; servers are free with blanks."""
    ours: list[Any] = [text_of(event, name).split() for name in ("SUMMARY", "LOCATION", "DESCRIPTION")]
    ours += [text_of(event, "STATUS") == CANCELLED, times_of(event, "UTC")]
    ours += [_value(each, "TRIGGER") for each in event.subcomponents if _ALARM in each]
    return hashlib.sha256(repr(ours).encode()).hexdigest()[:40]


def _zone(event: Event) -> str:
    written: Any = event.get("DTSTART")
    return str(written.params.get("TZID", "")) if written is not None else ""


def _value(component: Component, name: str) -> Any:
    """Of a property that says a time or a length."""
    written: Any = component[name]
    return written.dt
