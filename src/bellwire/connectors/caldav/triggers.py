"""What people change in the calendar, found by asking every five minutes: RFC 6578.

A calendar tells what is different from a point that a token stands for. Tokens are forgotten after a time; then all is
listed once, and what is older than was asked for is left out.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from bellwire.connectors.caldav import objects, xml
from bellwire.connectors.caldav.errors import CHANGED, CONFLICT, MISSING, TOKEN_LOST
from bellwire.connectors.caldav.finding import ask, calendar_url, forget
from bellwire.connectors.caldav.manifest import CalDavSettings
from bellwire.connectors.caldav.xml import CAL, DAV
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import CalendarEntry, Delivery, what_is_wrong

_BATCH = 50


async def changed(call: Call, since: datetime, cursor: str) -> Page:
    """Fifty at a time, by their names. The cursor says which changes they are of (`from`), where the next ones begin
    (`next`, of the first page: nothing that happens meanwhile is missed), and which name was the last."""
    state: dict[str, str] = orjson.loads(cursor) if cursor else {"from": ""}
    url = await calendar_url(call)
    try:
        found = await ask(call, "REPORT", url, xml.changes_since(state["from"]))
    except Refused as error:
        if error.cause == MISSING:
            forget(call)
        # 409, 410 and 412 by servers that don't say which precondition it is.
        if not state["from"] or error.cause not in (TOKEN_LOST, MISSING, CHANGED, CONFLICT):
            raise
        state = {"from": ""}
        found = await ask(call, "REPORT", url, xml.changes_since(""))
    members = {name: each for each in found.all if (name := _name(each.url, url)) > state.get("after", "")}
    names = sorted(members)[:_BATCH]
    there = [urlsplit(members[name].url).path for name in names if not members[name].gone]
    data = (await ask(call, "REPORT", url, xml.multiget(there), depth=1)).all if there else ()
    texts = {_name(each.url, url): each for each in data if not each.gone}
    listed = [record for name in names if (record := _listed(name, texts.get(name), state["from"], since)) is not None]
    following = {"from": state["from"], "next": state.get("next") or found.sync_token}
    if len(members) > _BATCH:
        return Page(tuple(listed), next_cursor=orjson.dumps({**following, "after": names[-1]}).decode())
    resume = orjson.dumps({"from": following["next"]}).decode() if following["next"] else ""
    return Page(tuple(listed), resume=resume)


def _name(url: str, calendar: str) -> str:
    """What an object is called in its calendar; empty for the calendar itself, which some servers list too."""
    path = unquote(urlsplit(url).path)
    return "" if path.rstrip("/") == unquote(urlsplit(calendar).path).rstrip("/") else path.rpartition("/")[2]


def _listed(name: str, found: xml.Resource | None, token: str, since: datetime) -> Listed | None:
    """None for what was changed before `since`, where everything is listed."""
    if found is None:
        # Deleted; also just now, between the two questions.
        mark = hashlib.sha256(token.encode()).hexdigest()[:16]
        return Listed(f"{name}/deleted/{mark}", orjson.dumps({"name": name, "deleted": mark}))
    text, etag = found.text(f"{CAL}calendar-data"), found.text(f"{DAV}getetag")
    if not token:
        try:
            at = objects.changed_at(objects.parse(text)[1])
        except ValueError:
            return None
        if at is None or at < since:
            return None
    return Listed(f"{name}/{etag}", orjson.dumps({"name": name, "etag": etag, "text": text}))


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The appointment as it is now. Raises CannotNormalise when it isn't one that can be read."""
    settings = connection.settings
    assert isinstance(settings, CalDavSettings)
    try:
        record: dict[str, Any] = delivery.json
        entry_id = str(record["name"]).removesuffix(".ics")
        if "deleted" in record:
            entry, state = _deleted(entry_id, delivery.received_at), f"deleted/{record['deleted']}"
        else:
            if "BEGIN:VEVENT" not in record["text"]:
                return Normalised(reason="It isn't an appointment: a task or a note.")
            event = objects.parse(record["text"])[1]
            if objects.untouched(event):
                return Normalised(reason="Bellwire itself wrote it, and nobody has changed that since.")
            entry = _entry(entry_id, event, settings.zone, delivery.received_at)
            state = hashlib.sha256(f"{record['etag']}{entry.updated_at}".encode()).hexdigest()[:16]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CannotNormalise(
            f"The appointment can't be read: {what_is_wrong(error)}.",
            remedy="Mend or delete it in the calendar; then dismiss this.",
        ) from error
    found = event_of(
        connection,
        "appointment.updated",
        key=f"appointment/{entry_id}/{state}",
        subject=f"appointment/{entry_id}",
        time=entry.updated_at,
        version=entry.updated_at,
        data=entry,
    )
    return Normalised((found,))


def _deleted(entry_id: str, at: datetime) -> CalendarEntry:
    return CalendarEntry(id=entry_id, cancelled=True, updated_at=at)


def _entry(entry_id: str, event: Any, zone: str, now: datetime) -> CalendarEntry:
    times = None if objects.whole_days(event) else objects.times_of(event, zone)
    return CalendarEntry(
        id=entry_id,
        reference=objects.reference_of(event),
        title=objects.text_of(event, "SUMMARY"),
        start=times[0] if times else None,
        end=times[1] if times else None,
        location=objects.text_of(event, "LOCATION"),
        cancelled=objects.text_of(event, "STATUS") == objects.CANCELLED,
        updated_at=objects.changed_at(event) or now,
    )


TRIGGERS = Triggers(
    event_types=("appointment.updated",),
    normalise=normalise,
    polls=(Poll("appointments", changed, event_types=("appointment.updated",), every=timedelta(minutes=5)),),
)
