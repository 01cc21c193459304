"""An invitee and the event that they are invited to, as one booking; and how both are named."""

from collections.abc import Mapping
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.kit import Call
from bellwire.events import Answer, Booking, Customer

Record = Mapping[str, Any]


def booking_id(uri: str) -> str:
    """`EVENT/INVITEE`, of an invitee's address. Raises ValueError when it is none."""
    event, middle, invitee = uri.rsplit("/", 3)[1:]
    if middle != "invitees":
        raise ValueError(f"{uri!r} is no address of an invitee")
    return f"{event}/{invitee}"


def booking(invitee: Record, event: Record) -> Booking:
    """Raises KeyError, TypeError or ValueError when they aren't what Calendly describes."""
    location = event.get("location") or {}
    cancellation = invitee.get("cancellation") or event.get("cancellation") or {}
    answers = [(each["question"], each["answer"]) for each in invitee.get("questions_and_answers") or ()]
    old, new = invitee.get("old_invitee"), invitee.get("new_invitee")
    return Booking(
        id=booking_id(invitee["uri"]),
        service=event["name"],
        start=parse_time(event["start_time"]),
        end=parse_time(event["end_time"]),
        zone=invitee.get("timezone") or "",
        customer=Customer(
            name=invitee["name"], email=invitee["email"], phone=invitee.get("text_reminder_number") or ""
        ),
        location=str(location.get("join_url") or location.get("location") or ""),
        staff=tuple(each.get("user_email") or each["user"] for each in event.get("event_memberships") or ()),
        answers=tuple(Answer(question=question, answer=answer) for question, answer in answers),
        replaces=booking_id(old) if old else "",
        replaced_by=booking_id(new) if new else "",
        reason=cancellation.get("reason") or "",
        change_url=invitee.get("reschedule_url") or "",
        cancel_url=invitee.get("cancel_url") or "",
        updated_at=parse_time(invitee["updated_at"]),
    )


async def owner(call: Call) -> dict[str, str]:
    """Whose bookings the connection is about, as a query says it: `organization`, or `user` beside it."""
    known = call.connection.remembered
    if "organization" not in known:
        me = (await call.api.get("users/me")).json()["resource"]
        known |= {"organization": me["current_organization"], "user": me["uri"]}
    return {name: known[name] for name in ("organization", "user") if name in ("organization", call.settings.whose)}
