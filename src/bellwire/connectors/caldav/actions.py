"""Appointments in a calendar, and when it is busy."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import icalendar

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
from bellwire.connectors.caldav import errors, objects, xml
from bellwire.connectors.caldav.finding import ask, calendar_url, calendars, choose, forget, keep_the_password_home
from bellwire.connectors.caldav.xml import CAL
from bellwire.connectors.kit import Account, Call, Seen, Unkeyed, Upsert, action
from bellwire.connectors.kit.appointing import at_that_time
from bellwire.errors import Refused, Transient

R = TypeVar("R")

_TRIES = 4
_BY_UID = Upsert("the UID, which comes of the reference; what says already what is wanted isn't written again")


@dataclass(frozen=True)
class Kept:
    """An appointment as the server has it."""

    url: str
    etag: str
    calendar: icalendar.Calendar
    event: icalendar.Event


async def look_for_appointment(call: Call, given: PutAppointment) -> Seen | None:
    """What overlaps that time, whoever put it there; not what takes whole days, or was cancelled. One at another time
    isn't found."""
    found = []
    for event in await _events_between(call, given.calendar, given.start, given.end):
        times = objects.times_of(event, call.settings.zone)
        shown = not objects.whole_days(event) and objects.text_of(event, "STATUS") != objects.CANCELLED
        if shown and times and times[0] < given.end and times[1] > given.start:
            there = Appointment(id=objects.text_of(event, "UID"), start=times[0], end=times[1])
            found.append((objects.text_of(event, "SUMMARY"), there))
    return at_that_time(given, found)


@action(PUT_APPOINTMENT, repeat=_BY_UID, look=look_for_appointment)
async def put_appointment(call: Call, given: PutAppointment) -> Appointment:
    """`PUT` with `If-None-Match: *` for a new one, with `If-Match` for one that is there: what somebody else changes at
    the same time is read again and kept."""

    async def write(kept: Kept | None, url: str) -> Appointment:
        if kept is None:
            await _put(call, url, objects.new(given, call.clock()), {"If-None-Match": "*"})
        elif objects.fill(kept.calendar, kept.event, given):
            objects.stamp(kept.event, call.clock())
            await _put(call, kept.url, kept.calendar, _if_unchanged(kept))
        return Appointment(
            id=objects.uid_of(given.reference), start=given.start.astimezone(UTC), end=given.end.astimezone(UTC)
        )

    return await _agreeing(call, given.reference, given.calendar, write)


@action(CANCEL_APPOINTMENT, repeat=_BY_UID)
async def cancel_appointment(call: Call, given: CancelAppointment) -> CancelledAppointment:
    """It stays, as cancelled: deleted ones can't be made again on servers that keep them in a bin."""

    async def write(kept: Kept | None, url: str) -> CancelledAppointment:
        if kept is None:
            elsewhere = await _elsewhere(call, url)
            kept = await _read(call, elsewhere) if elsewhere else None
        if kept is None:
            return CancelledAppointment()
        if objects.cancel(kept.event):
            objects.stamp(kept.event, call.clock())
            await _put(call, kept.url, kept.calendar, _if_unchanged(kept))
        return CancelledAppointment(id=objects.uid_of(given.reference))

    return await _agreeing(call, given.reference, given.calendar, write)


@action(LIST_BUSY, repeat=Unkeyed("it only reads"))
async def list_busy(call: Call, given: ListBusy) -> BusyTimes:
    start, end = given.start.astimezone(UTC), given.end.astimezone(UTC)
    events = await _events_between(call, given.calendar, start, end)
    taken = [times for event in events if (times := _busy(event, call.settings.zone))]
    return BusyTimes(busy=_joined([(max(a, start), min(b, end)) for a, b in taken if a < end and b > start]))


ACTIONS = (put_appointment, cancel_appointment, list_busy)


async def sign_in(call: Call) -> Account:
    """Finds the calendars; changes nothing."""
    found = await calendars(call)
    mine = choose(found, call.settings.calendar)
    warnings = []
    if not mine.writable:
        warnings.append(f"The calendar '{mine.name}' may only be read by this account.")
    if not mine.tells_changes:
        warnings.append("The server doesn't tell what changed: no appointment.updated will come.")
    return Account(
        mine.name, mine.url, scopes=("read", "write") if mine.writable else ("read",), warnings=tuple(warnings)
    )


async def _events_between(call: Call, name: str, start: datetime, end: datetime) -> list[icalendar.Event]:
    """`calendar-query` with each repetition by itself. A day more on both sides, since whole days are of a time zone
    that the server doesn't know."""
    url, day = await calendar_url(call, name), timedelta(days=1)
    first, last = _written(start.astimezone(UTC) - day), _written(end.astimezone(UTC) + day)
    try:
        found = await ask(call, "REPORT", url, xml.between(first, last), depth=1)
    except Refused as error:
        if error.cause == errors.MISSING:
            forget(call, name)
        raise
    return [
        event
        for each in found.all
        if (text := each.text(f"{CAL}calendar-data"))
        for event in icalendar.Calendar.from_ical(text).walk("VEVENT")
        if isinstance(event, icalendar.Event)
    ]


async def _agreeing(call: Call, reference: str, name: str, write: Callable[[Kept | None, str], Awaitable[R]]) -> R:
    """Read what is there and `write`, until nobody else has changed it in between. Raises VendorError."""
    url = f"{await calendar_url(call, name)}{objects.uid_of(reference)}.ics"
    for _ in range(_TRIES):
        kept = await _read(call, url)
        try:
            return await write(kept, url)
        except Refused as error:
            match error.cause:
                case errors.CHANGED:
                    continue
                case errors.TAKEN if kept is None:
                    url = await _elsewhere(call, url)
                    if not url:
                        raise _in_the_bin(error) from error
                case errors.MISSING | errors.CONFLICT:
                    forget(call, name)
                    raise
                case _:
                    raise
    raise Transient("Others keep changing this appointment.", cause="busy")


async def _read(call: Call, url: str) -> Kept | None:
    """None: it isn't there."""
    keep_the_password_home(call, url)
    try:
        answer = await call.api.get(url)
    except Refused as error:
        if error.cause == errors.MISSING:
            return None
        raise
    try:
        calendar, event = objects.parse(answer.text)
    except ValueError as error:
        raise Refused(
            "The appointment in the calendar can't be read.",
            cause="unreadable",
            detail=str(error),
            remedy="Delete it there, then retry.",
        ) from error
    return Kept(url, answer.headers.get("etag", ""), calendar, event)


async def _put(call: Call, url: str, calendar: icalendar.Calendar, condition: dict[str, str]) -> None:
    headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
    await call.api.request("PUT", url, body=calendar.to_ical(), headers=headers)


async def _elsewhere(call: Call, url: str) -> str:
    """Where a calendar has the appointment that isn't at `url`, since somebody moved or copied it; empty: nowhere."""
    calendar, _, name = url.rpartition("/")
    found = await ask(call, "REPORT", f"{calendar}/", xml.by_uid(name.removesuffix(".ics")), depth=1)
    return found.all[0].url if found.all else ""


def _in_the_bin(error: Refused) -> Refused:
    return Refused(
        "The calendar server still holds this appointment, where it can't be seen.",
        cause="in-the-bin",
        detail=error.detail,
        remedy="Empty the calendar's bin there, then retry.",
    )


def _if_unchanged(kept: Kept) -> dict[str, str]:
    """Weak ones never match."""
    return {"If-Match": kept.etag} if kept.etag and not kept.etag.startswith("W/") else {}


def _busy(event: icalendar.Event, zone: str) -> tuple[datetime, datetime] | None:
    if "RRULE" in event:
        raise Refused(
            "The calendar server can't list the repetitions of appointments.",
            cause="no-repetitions",
            remedy="Use a calendar without repeated appointments for this.",
        )
    free = objects.text_of(event, "TRANSP") == "TRANSPARENT" or objects.text_of(event, "STATUS") == objects.CANCELLED
    return None if free else objects.times_of(event, zone)


def _joined(times: list[tuple[datetime, datetime]]) -> tuple[BusyTime, ...]:
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(times):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(BusyTime(start=start, end=end) for start, end in joined)


def _written(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%SZ}"
