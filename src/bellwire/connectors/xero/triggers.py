"""What changes in the books. Xero's webhooks say only of which record, so they have its list read at once; what is
listed becomes the events.

https://developer.xero.com/documentation/guides/webhooks/overview
"""

from collections.abc import Mapping
from typing import Any

from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled
from bellwire.connectors.xero.api import amount_of
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.connectors.xero.polls import ID_FIELDS, POLLS, changed_at
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm
from bellwire.money import Money

_WAKES = {"CONTACT": "contacts", "INVOICE": "invoices", "CREDITNOTE": "credit-notes"}
"""What a webhook is about → the poll that finds out more."""
_LISTS = {
    "contacts": ("Contacts", "customer"),
    "invoices": ("Invoices", "invoice"),
    "credit-notes": ("CreditNotes", "credit_note"),
}
"""The poll → its list, and what its records are called here."""


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """A record that was listed is one event. A webhook is none: an app's address gets those of all organisations that
    it is connected to, and of ours it has the lists read. Raises CannotNormalise when the body isn't what Xero
    describes."""
    try:
        if name := polled(delivery):
            return Normalised((_event(name, delivery.json, connection),))
        return _told(delivery.json["events"], connection)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Xero describes: {error}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _told(entries: list[Mapping[str, Any]], connection: Connection) -> Normalised:
    settings = connection.settings
    assert isinstance(settings, XeroSettings)
    if not entries:
        return Normalised(reason="Xero tried the address, as it does when a webhook is turned on.")
    ours = [entry["eventCategory"] for entry in entries if entry["tenantId"] == settings.tenant_id]
    wake = tuple(dict.fromkeys(_WAKES[category] for category in ours if category in _WAKES))
    if wake:
        return Normalised(reason=f"Something changed: the list of {' and '.join(wake)} is read.", wake=wake)
    if ours:
        return Normalised(reason=f"Bellwire has no use for Xero's {ours[0]} events.")
    return Normalised(reason=f"It is about another organisation than {settings.tenant_id}.")


def _event(poll: str, record: Mapping[str, Any], connection: Connection) -> Event:
    collection, kind = _LISTS[poll]
    record_id, time = record[ID_FIELDS[collection]], changed_at(record)
    return event_of(
        connection,
        f"{kind}.updated",
        key=f"{kind}/{record_id}/{time.isoformat()}",
        subject=f"{kind}/{record_id}",
        time=time,
        version=time,
        data=FreeForm.model_validate(_contact(record) if kind == "customer" else _document(record_id, record)),
    )


def _contact(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": record["ContactID"],
        "name": record.get("Name", ""),
        "email": record.get("EmailAddress", ""),
        "archived": record.get("ContactStatus") == "ARCHIVED",
    }


def _document(record_id: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """An invoice or a credit note."""
    currency = record["CurrencyCode"]
    left = record.get("AmountDue", record.get("RemainingCredit", 0))
    return {
        "id": record_id,
        "number": record.get("InvoiceNumber") or record.get("CreditNoteNumber") or "",
        "reference": record.get("Reference", ""),
        "status": record["Status"],
        "total": Money.of(amount_of(record["Total"]), currency).model_dump(mode="json"),
        "left": Money.of(amount_of(left), currency).model_dump(mode="json"),
        "customer_id": record["Contact"]["ContactID"],
    }


TRIGGERS = Triggers(
    event_types=tuple(event_type for poll in POLLS for event_type in poll.event_types),
    normalise=normalise,
    topics=tuple(_WAKES),
    polls=POLLS,
)
