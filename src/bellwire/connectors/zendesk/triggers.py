"""Tickets as events, from Zendesk's event webhooks and from its list of what changed.

https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import ValidationError

from bellwire.clock import parse_time, system_clock
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
    polled,
)
from bellwire.connectors.zendesk.actions import STATUSES, pages
from bellwire.connectors.zendesk.manifest import settings_of
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Customer, Delivery, Event, Ticket, what_is_wrong

Record = Mapping[str, Any]

EVENT_VERSION = "2022-11-06"
_TOPIC = "zen:event-type:"
_CREATED = "zen:event-type:ticket.created"
_TOPICS = (
    _CREATED,
    "zen:event-type:ticket.comment_added",
    "zen:event-type:ticket.priority_changed",
    "zen:event-type:ticket.status_changed",
    "zen:event-type:ticket.subject_changed",
    "zen:event-type:ticket.tags_changed",
)
_POLL = "tickets"
_OURS = "Bellwire did this itself, as user {}: no flow is to answer itself."


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The ticket as it was then. Raises CannotNormalise when it isn't what Zendesk describes."""
    try:
        body = delivery.json
        if polled(delivery):
            return _listed(body, connection)
        if "zendesk_event_version" not in body:
            # What an admin wrote into a trigger of the account: only that something happened can be relied on.
            return Normalised(
                reason="A trigger of the account's own sent it: the list says what changed.", wake=(_POLL,)
            )
        topic, ticket = body["type"], body["detail"]
        if topic not in _TOPICS:
            return Normalised(reason=f"Bellwire has no use for Zendesk's {topic.removeprefix(_TOPIC)}.")
        if _is_ours(ticket.get("actor_id"), connection):
            return Normalised(reason=_OURS.format(ticket["actor_id"]))
        if topic == _CREATED:
            return Normalised((_event("ticket.created", ticket, connection),))
        return Normalised((_event("ticket.updated", ticket, connection),))
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Zendesk describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _listed(body: Record, connection: Connection) -> Normalised:
    """A ticket of the list: that it was made, and how it is now, each unless it was our own doing."""
    ticket, changed_at, events = body["ticket"], body["changed_at"], []
    if ticket["status"] == "deleted":
        return Normalised(reason="The ticket was deleted.")
    if not _is_ours(ticket["submitter_id"], connection):
        events.append(_event("ticket.created", ticket, connection))
    if changed_at:
        events.append(_event("ticket.updated", ticket, connection, changed_at))
    return Normalised(tuple(events), "" if events else _OURS.format(settings_of(connection).user_id))


def _is_ours(user_id: object, connection: Connection) -> bool:
    return bool(user_id) and str(user_id) == settings_of(connection).user_id


def _event(event_type: str, ticket: Record, connection: Connection, changed_at: str = "") -> Event:
    subject, updated_at = f"ticket/{ticket['id']}", parse_time(ticket["updated_at"])
    changed, created = parse_time(changed_at) if changed_at else updated_at, event_type == "ticket.created"
    fact = "created" if created else f"updated/{changed.isoformat()}"
    return event_of(
        connection,
        event_type,
        key=f"{subject}/{fact}",
        subject=subject,
        time=parse_time(ticket["created_at"]) if created else changed,
        version=updated_at,
        data=Ticket(
            id=str(ticket["id"]),
            subject=ticket.get("subject") or "",
            text=ticket.get("description") or "",
            # Webhooks write it in capitals, the list doesn't.
            status=STATUSES[ticket["status"].lower()],
            priority=(ticket.get("priority") or "").lower(),
            reference=ticket.get("external_id") or "",
            requester=Customer(id=str(ticket.get("requester_id") or "")),
            tags=tuple(ticket.get("tags") or ()),
            updated_at=updated_at,
        ),
    )


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """`GET incremental/tickets/cursor`, whose last cursor is where the next poll goes on.

    https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
    """
    # It wants a time that is a minute in the past.
    start = {"start_time": str(int(min(since, call.clock() - timedelta(minutes=1)).timestamp()))}
    try:
        answer = await _export(call, {"cursor": cursor} if cursor else start)
    except Refused:
        if not cursor:
            raise
        answer = await _export(call, start)
    records = [await _record(call, ticket) for ticket in answer["tickets"]]
    after = answer["after_cursor"] or cursor
    return Page(tuple(records), "", after) if answer["end_of_stream"] else Page(tuple(records), after)


async def _export(call: Call, query: Mapping[str, str]) -> Any:
    return (await call.api.get("incremental/tickets/cursor", params={**query, "per_page": "100"})).json()


async def _record(call: Call, ticket: Record) -> Listed:
    name = f"ticket/{ticket['id']}/{ticket['updated_at']}"
    return Listed(name, orjson.dumps({"ticket": ticket, "changed_at": await _changed_at(call, ticket)}))


async def _changed_at(call: Call, ticket: Record) -> str | None:
    """When somebody else than ourselves changed it last, which is when Zendesk sent a webhook about it; None: nobody
    has. The list tells only when it was changed: who did, and when others did before us, its audits tell."""
    if ticket["updated_at"] == ticket["created_at"] or ticket["status"] == "deleted":
        return None
    if not settings_of(call.connection).user_id:
        return str(ticket["updated_at"])
    others = [
        str(audit["created_at"])
        async for audit in pages(call, f"tickets/{ticket['id']}/audits", "audits")
        if audit["created_at"] != ticket["created_at"] and not _is_ours(audit["author_id"], call.connection)
    ]
    return max(others, default=None)


async def _subscriptions(call: Call) -> Sequence[Subscription]:
    return [await _subscription(call, each) async for each in pages(call, "webhooks", "webhooks")]


async def _subscription(call: Call, webhook: Record) -> Subscription:
    """Those of an account's own triggers have no topics, and are its own business."""
    topics = tuple(topic for topic in webhook["subscriptions"] if topic.startswith(_TOPIC))
    trouble = ""
    if topics and webhook["status"] != "active":
        trouble = "It is turned off in Zendesk."
    elif topics and await _secret(call, webhook["id"]) not in _kept(call):
        trouble = "It signs with a secret that isn't here."
    return Subscription(webhook["id"], webhook["endpoint"], topics, trouble)


async def _subscribe(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """One webhook for all topics. Each has a secret of its own: those of all that send to this address are kept."""
    wanted = {
        "name": f"Bellwire ({call.connection.name})",
        "status": "active",
        "endpoint": url,
        "http_method": "POST",
        "request_format": "json",
        "subscriptions": list(topics),
    }
    await call.api.post("webhooks", {"webhook": wanted})
    ours = [each for each in await _subscriptions(call) if each.url == url and each.topics]
    kept = [await _secret(call, each.id) for each in ours]
    return {"webhook_secret": " ".join(kept)}


async def _secret(call: Call, webhook_id: str) -> str:
    answer = await call.api.get(f"webhooks/{webhook_id}/signing_secret")
    return str(answer.json()["signing_secret"]["secret"])


def _kept(call: Call) -> list[str]:
    return (call.connection.credentials.find("webhook_secret") or "").split()


async def _unsubscribe(call: Call, webhook: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"webhooks/{webhook.id}")
    except Refused as error:
        if error.cause != "unknown-ticket":
            raise


def sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    now = system_clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    ticket_id = str(secrets.randbelow(9 * 10**8) + 10**8)
    created = event_type == "ticket.created"
    detail = {
        "actor_id": "8447388090494",
        "created_at": now,
        "description": "The parcel came, but the mug is broken.",
        "external_id": None,
        "id": ticket_id,
        "is_public": True,
        "priority": "NORMAL",
        "requester_id": "8447388090494",
        "status": "NEW" if created else "OPEN",
        "subject": "A broken mug",
        "submitter_id": "8447388090494",
        "tags": ["bellwire-test"],
        "type": "QUESTION",
        "updated_at": now,
        "via": {"channel": "web_service"},
    }
    body = {
        "type": _CREATED if created else "zen:event-type:ticket.status_changed",
        "account_id": 12514403,
        "id": secrets.token_hex(16),
        "time": now,
        "zendesk_event_version": EVENT_VERSION,
        "subject": f"zen:ticket:{ticket_id}",
        "detail": detail,
        "event": {} if created else {"current": "OPEN", "previous": "NEW"},
    }
    return {"Content-Type": "application/json"}, orjson.dumps(body)


TRIGGERS = Triggers(
    event_types=("ticket.created", "ticket.updated"),
    normalise=normalise,
    topics=_TOPICS,
    subscribing=Subscribing(_subscriptions, _subscribe, _unsubscribe),
    polls=(Poll(_POLL, _page, ("ticket.created", "ticket.updated")),),
    sample=sample,
)
