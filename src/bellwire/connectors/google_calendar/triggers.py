"""What changes in a calendar. Google's deliveries say only that something did: the poll finds out what.

https://developers.google.com/workspace/calendar/api/guides/sync
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import orjson

from bellwire.clock import parse_time
from bellwire.connectors.google_calendar.actions import REFERENCE
from bellwire.connectors.google_calendar.api import GONE, below
from bellwire.connectors.google_calendar.channels import SUBSCRIBING, TOPIC
from bellwire.connectors.google_calendar.manifest import settings_of
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of, polled
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import CalendarEntry, Delivery, Event, what_is_wrong

_UPDATED = "appointment.updated"
_POLL = "events"
_FULLEST = "2500"


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Of a delivery that was sent, that it is time to look; of an event that was listed, what became of it. Raises
    CannotNormalise when that can't be read."""
    if not polled(delivery):
        state = delivery.headers.get("x-goog-resource-state", "")
        said = "tells of changes from now on" if state == "sync" else "says that something in the calendar changed"
        return Normalised(reason=f"Google {said}.", wake=(_POLL,))
    try:
        return Normalised((_event(delivery.json, delivery, connection),))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The event isn't what Google describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def belongs(delivery: Delivery, connection: Connection) -> str:
    """A channel tells of one calendar, which its resource's address names."""
    calendar = settings_of(connection).calendar
    steps = urlsplit(delivery.headers.get("x-goog-resource-uri", "")).path.split("/")
    told = unquote(steps[steps.index("calendars") + 1]) if "calendars" in steps[:-1] else ""
    # `primary` is an alias: the address may say whose it is.
    if "primary" in (calendar, told) or told in ("", calendar):
        return ""
    return f"It is about another calendar, {told}."


async def list_changed(call: Call, since: datetime, cursor: str) -> Page:
    """`GET events`. The cursor is what goes into the query: a page's token, and the token of the poll before. Without
    one, and where Google has forgotten it (410), the whole calendar is read, of which what changed since counts."""
    asked = dict(parse_qsl(cursor))
    query = {"maxResults": _FULLEST, "showDeleted": "true", **asked}
    try:
        read = (await call.api.get(below(call.settings.calendar, "events"), params=query)).json()
    except Refused as error:
        if error.cause == GONE and asked:
            return await list_changed(call, since, "")
        raise
    records = tuple(
        Listed(f"{event['id']}/{_state(event)}", orjson.dumps(event))
        for event in read["items"]
        if "syncToken" in asked or parse_time(event["updated"]) >= since
    )
    if page := read.get("nextPageToken"):
        return Page(records, next_cursor=urlencode(asked | {"pageToken": page}))
    return Page(records, resume=urlencode({"syncToken": read["nextSyncToken"]}))


def _event(event: Mapping[str, Any], delivery: Delivery, connection: Connection) -> Event:
    subject = f"appointment/{event['id']}"
    time = parse_time(event["updated"]) if "updated" in event else delivery.received_at
    return event_of(
        connection,
        _UPDATED,
        key=f"{subject}/{_state(event)}",
        subject=subject,
        time=time,
        version=time,
        data=CalendarEntry(
            id=event["id"],
            reference=event.get("extendedProperties", {}).get("private", {}).get(REFERENCE, ""),
            title=event.get("summary", ""),
            start=_moment(event.get("start")),
            end=_moment(event.get("end")),
            location=event.get("location", ""),
            cancelled=event["status"] == "cancelled",
            updated_at=time,
        ),
    )


def _state(event: Mapping[str, Any]) -> str:
    """Which state of the event it is. Of what was deleted, Google promises no more than the id."""
    return str(event.get("updated") or event.get("etag") or event["status"])


def _moment(told: Mapping[str, str] | None) -> datetime | None:
    """None: a whole day, or nothing is said."""
    return parse_time(told["dateTime"]) if told and "dateTime" in told else None


TRIGGERS = Triggers(
    event_types=(_UPDATED,),
    normalise=normalise,
    belongs=belongs,
    topics=(TOPIC,),
    subscribing=SUBSCRIBING,
    polls=(Poll(_POLL, list_changed, (_UPDATED,)),),
)
