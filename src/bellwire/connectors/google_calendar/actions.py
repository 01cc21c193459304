"""Appointments in a calendar, and when it is busy."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bellwire.capabilities.calendar import (
    CANCEL_APPOINTMENT,
    LIST_BUSY,
    PUT_APPOINTMENT,
    Appointment,
    BusyTime,
    BusyTimes,
    CancelAppointment,
    CancelledAppointment,
    ListBusy,
    PutAppointment,
)
from bellwire.clock import parse_time
from bellwire.connectors.google_calendar.api import DUPLICATE, GONE, MISSING, below, event_id
from bellwire.connectors.google_calendar.errors import no_such_calendar
from bellwire.connectors.kit import Account, Call, Seen, Unkeyed, Upsert, action
from bellwire.connectors.kit.appointing import at_that_time
from bellwire.errors import Refused

REFERENCE = "bellwireReference"
"""The private property of an event that holds what a flow calls it."""
_TOKEN_INFO = "https://oauth2.googleapis.com/tokeninfo"  # noqa: S105 - an address


async def look_for_appointment(call: Call, given: PutAppointment) -> Seen | None:
    """`GET events` that overlap that time, whoever put them there; not those of whole days. One at another time isn't
    found."""
    calendar = given.calendar or call.settings.calendar
    asked = {
        "timeMin": given.start.isoformat(),
        "timeMax": given.end.isoformat(),
        "singleEvents": "true",
        "maxResults": "250",
    }
    told = (await call.api.get(below(calendar, "events"), params=asked)).json()["items"]
    found = [(each.get("summary") or "", _appointment(each)) for each in told if "dateTime" in each["start"]]
    return at_that_time(given, found)


@action(
    PUT_APPOINTMENT,
    repeat=Upsert("the event's id, which comes of the reference"),
    look=look_for_appointment,
)
async def put_appointment(call: Call, given: PutAppointment) -> Appointment:
    """`POST events`; where the id is taken, if only by an event that was cancelled, `PATCH events/{id}`, which leaves
    alone what people have added to it."""
    calendar, known = given.calendar or call.settings.calendar, event_id(given.reference)
    event: dict[str, Any] = {
        "status": "confirmed",
        "summary": given.title,
        "location": given.location,
        "description": given.notes,
        "start": _moment(given.start, given.zone),
        "end": _moment(given.end, given.zone),
        "reminders": _reminders(given.remind_minutes),
        "extendedProperties": {"private": {REFERENCE: given.reference}},
    }
    try:
        answer = await call.api.post(below(calendar, "events"), {"id": known, **event})
    except Refused as error:
        if error.cause != DUPLICATE:
            raise
        # Somebody may have made it one of whole days.
        event["start"]["date"] = event["end"]["date"] = None
        answer = await call.api.request("PATCH", below(calendar, f"events/{known}"), json=event)
    return _appointment(answer.json())


@action(CANCEL_APPOINTMENT, repeat=Upsert("the event's id: what is cancelled stays so"))
async def cancel_appointment(call: Call, given: CancelAppointment) -> CancelledAppointment:
    """`DELETE events/{id}`"""
    calendar, known = given.calendar or call.settings.calendar, event_id(given.reference)
    try:
        await call.api.request("DELETE", below(calendar, f"events/{known}"))
    except Refused as error:
        if error.cause == MISSING:
            # The same words for a calendar that isn't there: then this raises.
            await _read_calendar(call, calendar)
            return CancelledAppointment()
        if error.cause != GONE:
            raise
    return CancelledAppointment(id=known)


@action(LIST_BUSY, repeat=Unkeyed("it only reads"))
async def list_busy(call: Call, given: ListBusy) -> BusyTimes:
    """`POST freeBusy`. Raises Refused when the calendar can't be seen."""
    calendar = given.calendar or call.settings.calendar
    asked = {
        "timeMin": given.start.isoformat(),
        "timeMax": given.end.isoformat(),
        "items": [{"id": calendar}],
    }
    told = (await call.api.request("POST", "freeBusy", json=asked, writes=False)).json()
    (seen,) = told["calendars"].values()
    if errors := seen.get("errors"):
        raise no_such_calendar(str(errors[0]))
    return BusyTimes(busy=tuple(_joined((parse_time(each["start"]), parse_time(each["end"])) for each in seen["busy"])))


async def sign_in(call: Call) -> Account:
    """The calendar's name and zone, and what the sign-in may do."""
    calendar = call.settings.calendar
    read = await _read_calendar(call, calendar)
    granted = (await call.api.request("POST", _TOKEN_INFO, writes=False)).json().get("scope", "")
    role = read.get("accessRole")
    readable = f"The calendar can be read but not changed: it was shared as '{role}'."
    return Account(
        name=read.get("summary", calendar),
        detail=f"calendar {calendar}, time zone {read.get('timeZone', 'unknown')}",
        scopes=tuple(granted.split()),
        warnings=(readable,) if role in ("reader", "freeBusyReader") else (),
    )


ACTIONS = (put_appointment, cancel_appointment, list_busy)


async def _read_calendar(call: Call, calendar: str) -> dict[str, Any]:
    """What a list of its events says about the calendar itself; asking for that alone would need another scope."""
    try:
        read: dict[str, Any] = (await call.api.get(below(calendar, "events"), params={"maxResults": "1"})).json()
    except Refused as error:
        if error.cause == MISSING:
            raise no_such_calendar(error.detail) from error
        raise
    return read


def _appointment(event: dict[str, Any]) -> Appointment:
    return Appointment(
        id=event["id"],
        start=parse_time(event["start"]["dateTime"]),
        end=parse_time(event["end"]["dateTime"]),
        url=event.get("htmlLink", ""),
    )


def _moment(time: datetime, zone: str) -> dict[str, Any]:
    """With its offset: in the hour that comes twice, the wall time alone doesn't say which is meant."""
    return {"dateTime": time.astimezone(ZoneInfo(zone)).isoformat(), "timeZone": zone}


def _reminders(minutes: int | None) -> dict[str, Any]:
    if minutes is None:
        return {"useDefault": True}
    return {"useDefault": False, "overrides": [{"method": "popup", "minutes": minutes}]}


def _joined(spans: Iterable[tuple[datetime, datetime]]) -> list[BusyTime]:
    joined: list[BusyTime] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1].end:
            joined[-1] = BusyTime(start=joined[-1].start, end=max(end, joined[-1].end))
        else:
            joined.append(BusyTime(start=start, end=end))
    return joined
