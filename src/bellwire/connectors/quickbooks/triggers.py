"""What happens in the books, as events.

A webhook names records and no more; what became of them is read from the list of changes. So a fact has the same key
and the same data whoever told of it.

https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bellwire.clock import parse_time
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled
from bellwire.connectors.quickbooks.api import Record, amount_of
from bellwire.connectors.quickbooks.changes import ENTITIES, NAME, POLLS
from bellwire.connectors.quickbooks.manifest import QuickBooksSettings
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm, what_is_wrong
from bellwire.money import Money

_SUBJECTS = {"Customer": "customer", "Invoice": "invoice", "CreditMemo": "credit_note"}
_WATCHED = {entity.lower() for entity in ENTITIES}


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Of what was listed, its events; of a webhook, whether it is time to look. Raises CannotNormalise when the body
    isn't what Intuit describes."""
    try:
        if polled(delivery):
            ((entity, record),) = delivery.json.items()
            return Normalised(tuple(_events(entity, record, connection)))
        return _looking(list(_told(delivery.json)), connection)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Intuit describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _told(body: Any) -> Iterator[tuple[str, str]]:
    """Company and entity (in lower case) of all that a webhook names: CloudEvents, or the form before them."""
    if isinstance(body, list):
        for event in body:
            # qbo.invoice.created.v1
            yield event["intuitaccountid"], event["type"].split(".")[1].lower()
        return
    for company in body["eventNotifications"]:
        for entity in company["dataChangeEvent"]["entities"]:
            yield company["realmId"], entity["name"].lower()


def _looking(told: list[tuple[str, str]], connection: Connection) -> Normalised:
    """An app's address is told of all companies that it is connected to."""
    settings = connection.settings
    assert isinstance(settings, QuickBooksSettings)
    ours = {entity for company, entity in told if company == settings.realm_id}
    if ours & _WATCHED:
        return Normalised(reason="It only says that something changed: the list of changes says what.", wake=(NAME,))
    if ours:
        return Normalised(reason=f"Bellwire has no use for changes of this kind: {', '.join(sorted(ours))}.")
    return Normalised(reason=f"It is about another company than {settings.realm_id}.")


def _events(entity: str, record: Record, connection: Connection) -> Iterator[Event]:
    """A record that is new has no earlier state, so that it wasn't updated yet."""
    kind, when = _SUBJECTS[entity], parse_time(record["MetaData"]["LastUpdatedTime"])
    subject = f"{kind}/{record['Id']}"

    def event(what: str, key: str, time: datetime, data: Mapping[str, Any]) -> Event:
        return event_of(
            connection,
            f"{kind}.{what}",
            key=f"{subject}/{key}",
            subject=subject,
            time=time,
            version=when,
            data=FreeForm.model_validate({"id": record["Id"], **data}),
        )

    if record.get("status") == "Deleted":
        yield event("deleted", "deleted", when, {})
        return
    data = _customer(record) if kind == "customer" else _document(record, connection)
    made = parse_time(record["MetaData"]["CreateTime"])
    state = f"updated/{when.isoformat()}/{record['SyncToken']}"
    # The dictionary has one type for a customer who is new or has changed.
    if kind != "customer":
        yield event("created", "created", made, data)
    if kind == "customer" or when != made:
        yield event("updated", state, when, data)


def _customer(record: Record) -> dict[str, Any]:
    return {
        "name": record["DisplayName"],
        "company": record.get("CompanyName", ""),
        "email": record.get("PrimaryEmailAddr", {}).get("Address", ""),
        "phone": record.get("PrimaryPhone", {}).get("FreeFormNumber", ""),
        "active": record.get("Active", True),
    }


def _document(record: Record, connection: Connection) -> dict[str, Any]:
    settings = connection.settings
    assert isinstance(settings, QuickBooksSettings)
    currency = record.get("CurrencyRef", {}).get("value", settings.home_currency)

    def money(field: str) -> Money:
        return Money(amount=amount_of(record.get(field, 0)), currency=currency)

    return {
        "number": record.get("DocNumber", ""),
        "customer_id": record["CustomerRef"]["value"],
        "date": record.get("TxnDate", ""),
        "due": record.get("DueDate", ""),
        "total": money("TotalAmt"),
        "balance": money("Balance"),
        "note": record.get("PrivateNote", ""),
    }


TRIGGERS = Triggers(event_types=POLLS[0].event_types, normalise=normalise, topics=ENTITIES, polls=POLLS)
