"""Xero's webhooks as events: that a contact, an invoice or a credit note is new or has changed, and no more than that.

https://developer.xero.com/documentation/guides/webhooks/overview
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import orjson

from bellwire.clock import parse_utc, system_clock
from bellwire.connectors.kit import Connection, Normalised, Triggers
from bellwire.connectors.xero.manifest import XeroSettings
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm

_SUBJECTS = {"CONTACT": "customer", "INVOICE": "invoice", "CREDITNOTE": "credit_note"}
_HAPPENED = {"CREATE": "created", "UPDATE": "updated"}


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """One event for each of the delivery's that is of the connection's organisation: an app's address gets those of
    all that it is connected to. Raises CannotNormalise when the body isn't what Xero describes."""
    settings = connection.settings
    assert isinstance(settings, XeroSettings)
    try:
        entries = delivery.json["events"]
        if not entries:
            return Normalised(reason="Xero tried the address, as it does when a webhook is turned on.")
        ours = [entry for entry in entries if entry["tenantId"] == settings.tenant_id]
        events = tuple(_event(entry, connection) for entry in ours if entry["eventCategory"] in _SUBJECTS)
    except (KeyError, TypeError, ValueError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Xero describes: {error}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error
    if events:
        return Normalised(events)
    if ours:
        return Normalised(reason=f"Bellwire has no use for Xero's {ours[0]['eventCategory']} events.")
    return Normalised(reason=f"It is about another organisation than {settings.tenant_id}.")


def _event(entry: Mapping[str, Any], connection: Connection) -> Event:
    subject = f"{_SUBJECTS[entry['eventCategory']]}/{UUID(entry['resourceId'])}"
    happened, time = _HAPPENED[entry["eventType"]], parse_utc(entry["eventDateUtc"])
    kind = subject.partition("/")[0]
    # The dictionary has one type for a contact that is new or has changed.
    known = "customer.updated" if kind == "customer" else f"{kind}.{happened}"
    return Event(
        type=known,
        connection=connection.name,
        environment=connection.environment,
        business_key=f"{connection.name}/{subject}/{happened}/{entry['eventDateUtc']}",
        subject=subject,
        time=time,
        version=time,
        data=FreeForm.model_validate({"id": entry["resourceId"], "url": entry["resourceUrl"], **entry.get("data", {})}),
    )


def _sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    settings = connection.settings
    assert isinstance(settings, XeroSettings)
    kind, _, happened = event_type.partition(".")
    category = next(name for name, subject in _SUBJECTS.items() if subject == kind)
    collection = {"CONTACT": "Contacts", "INVOICE": "Invoices", "CREDITNOTE": "CreditNotes"}[category]
    made_up = str(uuid4())
    entry = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/{collection}/{made_up}",
        "resourceId": made_up,
        "eventDateUtc": system_clock().strftime("%Y-%m-%dT%H:%M:%S.000"),
        "eventType": "CREATE" if happened == "created" else "UPDATE",
        "eventCategory": category,
        "tenantId": settings.tenant_id,
        "tenantType": "ORGANISATION",
    }
    body = {"events": [entry], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "S0m3r4Nd0mt3xt"}
    return {"Content-Type": "application/json"}, orjson.dumps(body)


TRIGGERS = Triggers(
    event_types=(
        "customer.updated",
        "invoice.created",
        "invoice.updated",
        "credit_note.created",
        "credit_note.updated",
    ),
    normalise=normalise,
    topics=tuple(_SUBJECTS),
    sample=_sample,
)
