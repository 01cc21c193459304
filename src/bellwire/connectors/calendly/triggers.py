"""Bookings as events, from Calendly's webhooks and from its list of scheduled events.

Who moves a booking makes a new one in Calendly, and calls off the old one. Here that is one fact, `booking.changed`,
whose `replaces` names the old one: who waits for `booking.cancelled` only hears of what was really called off.

https://developer.calendly.com/api-docs/
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson
from pydantic import ValidationError

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.calendly.actions import page, pages
from bellwire.connectors.calendly.bookings import Record, booking, owner
from bellwire.connectors.kit import (
    Call,
    Connection,
    Listed,
    Normalised,
    Page,
    Poll,
    Subscribing,
    Subscription,
    Triggers,
    event_of,
)
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, what_is_wrong

_CREATED, _CANCELED = "invitee.created", "invitee.canceled"
_TOPICS = (_CREATED, _CANCELED)
_TYPES = ("booking.created", "booking.changed", "booking.cancelled")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """What happened to a booking. Raises CannotNormalise when it isn't what Calendly describes."""
    try:
        topic, invitee = delivery.json["event"], delivery.json["payload"]
        if topic not in _TOPICS:
            return Normalised(reason=f"Bellwire has no use for Calendly's {topic}.")
        made = booking(invitee, invitee["scheduled_event"])
        if topic == _CREATED:
            kind, fact = ("changed", "moved") if made.replaces else ("created", "created")
            time = invitee["created_at"]
        elif invitee["rescheduled"]:
            return Normalised(reason="The customer moved it: the new booking says from where.")
        else:
            kind = fact = "cancelled"
            time = (invitee.get("cancellation") or {}).get("created_at") or invitee["updated_at"]
        event = event_of(
            connection,
            f"booking.{kind}",
            key=f"booking/{made.id}/{fact}",
            subject=f"booking/{made.id}",
            time=parse_time(time),
            version=made.updated_at,
            data=made,
        )
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Calendly describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error
    return Normalised((event,))


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """`GET scheduled_events`: those that begin later, as nobody books or calls off what is over. Calendly can't be
    asked what changed since, but each tells when it was changed; and for groups, so does each invitee."""
    query = {**await owner(call), "min_start_time": _written(since), "sort": "start_time:asc"}
    try:
        events, following = await page(call, "scheduled_events", cursor, **query)
    except Refused:
        if not cursor:
            raise
        events, following = await page(call, "scheduled_events", "", **query)
    records: list[Listed] = []
    for event in events:
        if parse_time(event["updated_at"]) >= since or event["invitees_counter"]["limit"] > 1:
            name = event["uri"].rpartition("/")[2]
            async for invitee in pages(call, f"scheduled_events/{name}/invitees"):
                records += _happened(invitee, event, since)
    return Page(tuple(records), following)


def _happened(invitee: Record, event: Record, since: datetime) -> list[Listed]:
    """What happened to it since then, as the webhooks tell it."""
    found = []
    if parse_time(invitee["created_at"]) >= since:
        found.append((_CREATED, invitee["created_at"]))
    if invitee["status"] == "canceled" and parse_time(invitee["updated_at"]) >= since:
        found.append((_CANCELED, invitee["updated_at"]))
    return [
        Listed(
            f"{topic}/{invitee['uri']}",
            orjson.dumps({"event": topic, "created_at": at, "payload": {**invitee, "scheduled_event": event}}),
        )
        for topic, at in found
    ]


async def _subscriptions(call: Call) -> Sequence[Subscription]:
    query = {**await owner(call), "scope": call.settings.whose.value}
    return [_subscription(call, each) async for each in pages(call, "webhook_subscriptions", **query)]


def _subscription(call: Call, record: Record) -> Subscription:
    """Calendly takes one for each address: one that lacks a topic has to be made anew, with all of them."""
    trouble = ""
    if record["state"] != "active":
        trouble = "Calendly turned it off, after deliveries had failed for a day."
    elif not set(_TOPICS) <= set(record["events"]):
        trouble = "It isn't told of everything."
    elif call.connection.credentials.find("webhook_secret") is None:
        trouble = "Its signing key isn't here."
    return Subscription(record["uri"], record["callback_url"], tuple(record["events"]), trouble)


async def _subscribe(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """With a personal token the key is ours to choose; an app has one of its own. Raises MissingCredential when that
    isn't here."""
    known = call.connection.credentials
    wanted = {"url": url, "events": list(topics), "scope": call.settings.whose.value, **await owner(call)}
    if known.find("refresh_token") is not None:
        kept = known.get("webhook_secret")
    else:
        kept = known.find("webhook_secret") or secrets.token_urlsafe(32)
        wanted["signing_key"] = kept.split()[0]
    await call.api.post("webhook_subscriptions", wanted)
    return {"webhook_secret": kept}


async def _unsubscribe(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"webhook_subscriptions/{subscription.id.rpartition('/')[2]}")
    except Refused as error:
        if error.cause != "unknown-booking":
            raise


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    now = system_clock()
    number = secrets.token_hex(8).upper()
    base, written = "https://api.calendly.com", _written(now)
    invitee = f"{base}/scheduled_events/{number}/invitees/{number}"
    gone, moved = event_type == "booking.cancelled", event_type == "booking.changed"
    payload = {
        "uri": invitee,
        "email": "robin@example.com",
        "name": "Robin Hill",
        "timezone": "America/Chicago",
        "status": "canceled" if gone else "active",
        "rescheduled": False,
        "old_invitee": f"{base}/scheduled_events/A{number}/invitees/A{number}" if moved else None,
        "new_invitee": None,
        "created_at": written,
        "updated_at": written,
        "questions_and_answers": [{"question": "Where?", "answer": "1 Main St, Austin", "position": 0}],
        "cancel_url": f"https://calendly.com/cancellations/{number}",
        "reschedule_url": f"https://calendly.com/reschedulings/{number}",
        "scheduled_event": {
            "uri": f"{base}/scheduled_events/{number}",
            "name": "Boiler service",
            "status": "canceled" if gone else "active",
            "start_time": _written(now + timedelta(days=2)),
            "end_time": _written(now + timedelta(days=2, hours=1)),
            "location": {"type": "physical", "location": "At yours"},
            "event_memberships": [{"user": f"{base}/users/AAAA", "user_email": "kim@example.com"}],
        },
        **({"cancellation": {"reason": "Not needed any more", "created_at": written}} if gone else {}),
    }
    body = {"event": _CANCELED if gone else _CREATED, "created_at": written, "payload": payload}
    return {"Content-Type": "application/json"}, orjson.dumps(body)


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


TRIGGERS = Triggers(
    event_types=_TYPES,
    normalise=normalise,
    topics=_TOPICS,
    subscribing=Subscribing(_subscriptions, _subscribe, _unsubscribe),
    polls=(Poll("bookings", _page, _TYPES),),
    sample=sample,
)
