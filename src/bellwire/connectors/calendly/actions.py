"""Reading a booking, calling it off, and links with which a customer books."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from bellwire.capabilities.booking import (
    CANCEL_BOOKING,
    CREATE_BOOKING_LINK,
    READ_BOOKING,
    BookingLink,
    CancelBooking,
    CancelledBooking,
    CreateBookingLink,
    FoundBooking,
    ReadBooking,
)
from bellwire.connectors.calendly.bookings import Record, booking, owner
from bellwire.connectors.calendly.manifest import AUTH
from bellwire.connectors.kit import Account, Call, LookUp, Unkeyed, action
from bellwire.errors import Refused

_CANCELED = "canceled"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def find_cancellation(call: Call, given: CancelBooking) -> CancelledBooking | None:
    """It, if the booking is called off, whoever did it."""
    event, invitee = await _read(call, given.booking_id)
    gone = _CANCELED in (event["status"], invitee["status"])
    return CancelledBooking(id=given.booking_id) if gone else None


@action(READ_BOOKING, repeat=Unkeyed("It only reads."))
async def read_booking(call: Call, given: ReadBooking) -> FoundBooking:
    """One that was moved is cancelled too: its `replaced_by` tells the new one."""
    event, invitee = await _read(call, given.booking_id)
    return FoundBooking(booking=booking(invitee, event), cancelled=invitee["status"] == _CANCELED)


@action(CANCEL_BOOKING, repeat=LookUp(find_cancellation))
async def cancel_booking(call: Call, given: CancelBooking) -> CancelledBooking:
    """`POST scheduled_events/…/cancellation`, which calls it off for all who are invited. Raises Refused when those are
    several. What is called off already is left as it is."""
    event, invitee = await _read(call, given.booking_id)
    if _CANCELED not in (event["status"], invitee["status"]):
        others = event["invitees_counter"]["active"] - 1
        if others > 0:
            raise Refused(
                f"{others} others have booked the same time, and Calendly would call it off for all of them.",
                cause="group-booking",
                remedy="Send the customer the link for calling off (`cancel_url` of the booking), or call it off for "
                "all in Calendly.",
            )
        name = given.booking_id.partition("/")[0]
        await call.api.post(f"scheduled_events/{name}/cancellation", {"reason": given.reason})
    return CancelledBooking(id=given.booking_id)


@action(CREATE_BOOKING_LINK, repeat=Unkeyed("Calendly takes no key; a link that nobody got does nothing."))
async def create_booking_link(call: Call, given: CreateBookingLink) -> BookingLink:
    """`POST scheduling_links`: good for one booking. Raises Refused when there is no such event type."""
    whose, wanted = await owner(call), given.service.casefold()
    names = []
    async for kind in pages(call, "event_types", **whose, active="true"):
        names.append(kind["name"])
        if wanted in (kind["name"].casefold(), kind["slug"].casefold(), kind["uri"].rpartition("/")[2].casefold()):
            link = {"max_event_count": 1, "owner": kind["uri"], "owner_type": "EventType"}
            made = await call.api.post("scheduling_links", link)
            return BookingLink(url=made.json()["resource"]["booking_url"])
    raise Refused(
        f"Calendly has no event type called '{given.service}'.",
        cause=f"unknown-service:{given.service}",
        remedy=f"There are: {', '.join(sorted(names)[:20]) or 'none'}. Correct the flow, or make one in Calendly.",
    )


async def sign_in(call: Call) -> Account:
    """`GET users/me`: whose sign-in it is."""
    me = (await call.api.get("users/me")).json()["resource"]
    return Account(me["name"], f"{me['email']}, {me['scheduling_url']}", await _scopes(call))


ACTIONS = (read_booking, cancel_booking, create_booking_link)


async def pages(call: Call, path: str, **query: str) -> AsyncIterator[Record]:
    """All records of a list, to its last page."""
    token = ""
    while True:
        records, token = await page(call, path, token, **query)
        for record in records:
            yield record
        if not token:
            return


async def page(call: Call, path: str, token: str, **query: str) -> tuple[list[Record], str]:
    """The records of one page, and where the next begins; empty: it was the last."""
    given = {**query, "count": "100", **({"page_token": token} if token else {})}
    answer = (await call.api.get(path, params=given)).json()
    return answer["collection"], answer["pagination"].get("next_page_token") or ""


async def _read(call: Call, given: str) -> tuple[Record, Record]:
    """The event and the invitee of a booking."""
    event, _, invitee = given.partition("/")
    if not (event.isalnum() and invitee.isalnum()):
        raise Refused(
            f"'{given[:80]}' is no booking's id.",
            cause="unknown-booking",
            remedy="See which field the flow takes the booking's id from.",
        )
    path = f"scheduled_events/{event}"
    return await _resource(call, path), await _resource(call, f"{path}/invitees/{invitee}")


async def _resource(call: Call, path: str) -> Record:
    found: Record = (await call.api.get(path)).json()["resource"]
    return found


async def _scopes(call: Call) -> tuple[str, ...] | None:
    """What an app's token is good for; None: a personal access token, which is good for all that its owner may do."""
    known = call.connection.credentials
    if known.find("refresh_token") is None:
        return None
    form = {name: known.get(name) for name in ("client_id", "client_secret")} | {"token": known.get("access_token")}
    answer: Any = await call.api.request(
        "POST", f"{AUTH}/introspect", body=urlencode(form).encode(), headers=_FORM, writes=False
    )
    return tuple(answer.json()["scope"].split())
