"""What changes in the CRM. Webhooks say little more than that something did: the polls that they wake find out what.

https://developers.hubspot.com/docs/api-reference/latest/webhooks/guide
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.hubspot.manifest import HubSpotSettings
from bellwire.connectors.hubspot.records import CONTACT_PROPERTIES, Record, contacts_of, search
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of
from bellwire.errors import CannotNormalise, NotFound
from bellwire.events import Contact, Deal, Delivery, Event, what_is_wrong
from bellwire.money import Money

_POLLS = {"contact": "contacts", "deal": "deals"}
"""What webhooks are about → the poll that finds out what changed."""
_OBJECT_TYPES = {"0-1": "contact", "0-3": "deal"}
_GONE = ("deletion", "privacyDeletion")
_CHANGES = ("creation", "propertyChange", "deletion", "merge", "restore")
_DEAL_PROPERTIES = (
    "dealname",
    "dealstage",
    "amount",
    "deal_currency_code",
    "closedate",
    "hs_lastmodifieddate",
)
_PAGE = 200
_EVERY = timedelta(minutes=5)
"""A search finds what changed only seconds later, so the poll that a webhook wakes may come too soon."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what HubSpot describes."""
    try:
        match delivery.json:
            case {"contact": record}:
                return Normalised((_contact(record, connection),))
            case {"deal": record}:
                return Normalised((_deal(record, connection),))
            case entries:
                return _webhook(entries, connection)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what HubSpot describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _webhook(entries: Any, connection: Connection) -> Normalised:
    """Only that something is gone is told whole. One app's address gets what happens in all its accounts."""
    if not isinstance(entries, list):
        raise TypeError("it should be a list of events")
    settings = connection.settings
    assert isinstance(settings, HubSpotSettings)
    ours = [entry for entry in entries if str(entry["portalId"]) == settings.portal_id]
    if not ours:
        return Normalised(reason=f"It is about another HubSpot account than {settings.portal_id}.")
    events, wake = [], []
    for entry in ours:
        about, _, change = entry["subscriptionType"].partition(".")
        kind = _OBJECT_TYPES.get(entry.get("objectTypeId", ""), "") if about == "object" else about
        if kind not in _POLLS:
            continue
        events += [_deleted(kind, gone, entry, connection) for gone in _gone(change, entry)]
        if change not in _GONE and _POLLS[kind] not in wake:
            wake.append(_POLLS[kind])
    if not events and not wake:
        return Normalised(reason=f"Bellwire has no use for HubSpot's {ours[0]['subscriptionType']}.")
    return Normalised(tuple(events), "HubSpot says that something changed, but not to what.", tuple(wake))


def _gone(change: str, entry: Mapping[str, Any]) -> list[int]:
    """The ids of the records that are there no longer. Those that were merged live on in one, perhaps a new one."""
    if change in _GONE:
        return [entry["objectId"]]
    if change != "merge" or "mergedObjectIds" not in entry:
        return []
    primary = entry["primaryObjectId"]
    return sorted({primary, *entry["mergedObjectIds"]} - {entry.get("newObjectId") or primary})


def _deleted(kind: str, record_id: int, entry: Mapping[str, Any], connection: Connection) -> Event:
    at = datetime.fromtimestamp(entry["occurredAt"] / 1000, UTC)
    known = {"id": str(record_id), "deleted": True, "updated_at": at}
    return _event(Contact(**known) if kind == "contact" else Deal(**known), "deleted", connection)


def _contact(record: Record, connection: Connection) -> Event:
    told = record["properties"]
    found = Contact(
        id=record["id"],
        name=" ".join(filter(None, (told.get("firstname"), told.get("lastname")))),
        email=told.get("email") or "",
        phone=told.get("phone") or told.get("mobilephone") or "",
        company=told.get("company") or "",
        updated_at=parse_time(told["lastmodifieddate"]),
    )
    return _event(found, "updated", connection)


def _deal(record: Record, connection: Connection) -> Event:
    settings, told = connection.settings, record["properties"]
    assert isinstance(settings, HubSpotSettings)
    currency = told.get("deal_currency_code") or settings.currency
    found = Deal(
        id=record["id"],
        name=told.get("dealname") or "",
        stage=told.get("dealstage") or "",
        amount=Money.of(told["amount"], currency) if told.get("amount") else None,
        contact_id=record.get("contact_id", ""),
        closes_on=parse_time(told["closedate"]).date() if told.get("closedate") else None,
        updated_at=parse_time(told["hs_lastmodifieddate"]),
    )
    return _event(found, "updated", connection)


def _event(found: Contact | Deal, happened: str, connection: Connection) -> Event:
    kind = "contact" if isinstance(found, Contact) else "deal"
    subject = f"{kind}/{found.id}"
    return event_of(
        connection,
        f"{kind}.updated",
        key=f"{subject}/{happened}/{found.updated_at.isoformat()}",
        subject=subject,
        time=found.updated_at,
        version=found.updated_at,
        data=found,
    )


async def _page(kind: str, changed: str, properties: tuple[str, ...], call: Call, since: datetime, cursor: str) -> Page:
    """What changed, by the time of its change. HubSpot's own cursor is a mere offset: what changes meanwhile moves to
    the end, and all after it to the front, so that a page would miss some; and it ends at 10,000. So each page begins
    at the time of the last record of the page before, and counts only those that share that very time.
    """
    start, offset = _position(cursor) or (_milliseconds(since), 0)
    where = [{"propertyName": changed, "operator": "GTE", "value": str(start)}]
    found = await search(call, kind, where, properties, sort=changed, after=str(offset), limit=_PAGE)
    if kind == "deals":
        whose = await contacts_of(call, [record["id"] for record in found])
        found = [{**record, "contact_id": whose.get(record["id"], "")} for record in found]
    about = kind.removesuffix("s")
    records = tuple(Listed(f"{about}/{r['id']}/{r['properties'][changed]}", orjson.dumps({about: r})) for r in found)
    if len(found) < _PAGE:
        return Page(records)
    last = _milliseconds(parse_time(found[-1]["properties"][changed]))
    return Page(records, f"{start}/{offset + _PAGE}" if last == start else f"{last}/0")


def _position(cursor: str) -> tuple[int, int] | None:
    start, _, offset = cursor.partition("/")
    return (int(start), int(offset)) if start.isdecimal() and offset.isdecimal() else None


def _milliseconds(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _sample(event_type: str, _connection: Connection) -> tuple[dict[str, str], bytes]:
    """A record as the polls list it: webhooks alone say too little."""
    if event_type not in TRIGGERS.event_types:
        raise NotFound(f"HubSpot brings no {event_type}.", remedy=f"It brings: {', '.join(TRIGGERS.event_types)}.")
    now, number = system_clock().isoformat(timespec="milliseconds"), str(secrets.randbelow(9 * 10**11) + 10**11)
    contact = {"email": "robin@example.com", "firstname": "Robin", "lastname": "Hill", "lastmodifieddate": now}
    deal = {"dealname": "Tea for 40", "dealstage": "appointmentscheduled", "amount": "240.00"}
    about = event_type.partition(".")[0]
    properties = contact if about == "contact" else deal | {"hs_lastmodifieddate": now}
    return {"Content-Type": "application/json"}, orjson.dumps({about: {"id": number, "properties": properties}})


_Listing = Callable[[Call, datetime, str], Any]
_CONTACTS: _Listing = partial(_page, "contacts", "lastmodifieddate", CONTACT_PROPERTIES)
_DEALS: _Listing = partial(_page, "deals", "hs_lastmodifieddate", _DEAL_PROPERTIES)

TRIGGERS = Triggers(
    event_types=("contact.updated", "deal.updated"),
    normalise=normalise,
    topics=("contact.privacyDeletion", *(f"{kind}.{change}" for kind in _POLLS for change in _CHANGES)),
    polls=(
        Poll("contacts", _CONTACTS, ("contact.updated",), every=_EVERY),
        Poll("deals", _DEALS, ("deal.updated",), every=_EVERY),
    ),
    sample=_sample,
)
