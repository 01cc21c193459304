"""What a store's webhooks bring. https://x-series-api.lightspeedhq.com/docs/webhooks

A delivery is a form whose field `payload` is the thing as it is now, in the shape of API 1.0. Nothing says which type
of webhook it is, so it is known by the fields that no other has. A sale comes several times; a return is a sale of its
own that names the one it is for.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import floor
from typing import Any

import orjson
from pydantic import BaseModel

from bellwire.clock import parse_utc
from bellwire.connectors.kit import Connection, Normalised, Triggers, event_of, polled
from bellwire.connectors.lightspeed.following import POLLS, SUBSCRIBING
from bellwire.connectors.lightspeed.manifest import settings_of
from bellwire.connectors.lightspeed.sample import sample
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, FreeForm, InventoryLevel, Product, Variant, what_is_wrong

Body = Mapping[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def belongs(delivery: Delivery, connection: Connection) -> str:
    """One application's secret signs the deliveries of every store that uses it."""
    sender, ours = delivery.form.get("domain_prefix", ""), settings_of(connection).domain_prefix
    if not sender or sender == ours:
        return ""
    return f"It comes from the store {sender}; connection '{connection.name}' is for {ours}."


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the payload isn't what its kind promises."""
    try:
        body = delivery.json if polled(delivery) else orjson.loads(delivery.form["payload"])
        read = next((read for names, read in _KINDS if names & body.keys()), None)
        if read is None:
            return Normalised(reason="Bellwire has no use for this kind of the store's webhooks.")
        return read(body, delivery, connection)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise CannotNormalise(
            f"What the store sent can't be read: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _inventory(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """One product at one outlet, after any change of its stock."""
    product, outlet = str(body["product_id"]), str(body["outlet_id"])
    if outlet != settings_of(connection).outlet_id:
        return Normalised(reason=f"The stock is at outlet {outlet}; this connection is for another one.")
    level = InventoryLevel(
        item_id=product,
        sku=(body.get("product") or {}).get("sku") or "",
        location_id=outlet,
        available=_count(body),
        updated_at=_time(body, delivery),
    )
    return Normalised((_state(body, delivery, connection, "inventory", f"inventory/{product}/{outlet}", level),))


def _sale(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    """Also a fact of its own, once, when the sale is closed."""
    sale, number = _told(body, "sale", delivery), str(body["id"])
    updated = _state(body, delivery, connection, "sale", f"sale/{number}", sale)
    if not str(body["status"]).endswith("CLOSED"):
        return Normalised((updated,))
    fact = "returned" if body.get("return_for") else "closed"
    key = {"type": f"sale.{fact}", "business_key": f"{connection.name}/sale/{number}/{fact}", "version": None}
    return Normalised((updated.model_copy(update=key), updated))


def _customer(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    customer = _told(body, "customer", delivery)
    return Normalised((_state(body, delivery, connection, "customer", f"customer/{body['id']}", customer),))


def _product(body: Body, delivery: Delivery, connection: Connection) -> Normalised:
    number, outlet = str(body["id"]), settings_of(connection).outlet_id
    here = [_count(level) for level in body.get("inventory") or () if level["outlet_id"] == outlet]
    if body.get("deleted_at"):
        event = _event(body, delivery, connection, "product.deleted", f"product/{number}", FreeForm(id=number))
        key = f"{connection.name}/product/{number}/deleted"
        return Normalised((event.model_copy(update={"business_key": key, "version": None}),))
    product = Product(
        id=number,
        name=body.get("base_name") or body["name"],
        status="active" if body.get("active") else "inactive",
        updated_at=_time(body, delivery),
        variants=(Variant(id=number, sku=body.get("sku") or "", name=body["name"], stock=here[0] if here else None),),
        tags=tuple(tag.strip() for tag in (body.get("tags") or "").split(",") if tag.strip()),
    )
    return Normalised((_state(body, delivery, connection, "product", f"product/{number}", product),))


# The first that has one of these fields; a product's stock and a sale's customer stand inside of others.
_KINDS: tuple[tuple[set[str], Callable[[Body, Delivery, Connection], Normalised]], ...] = (
    ({"register_sale_products", "line_items"}, _sale),
    ({"count", "inventory_level", "current_inventory_level"}, _inventory),
    ({"customer_code"}, _customer),
    ({"handle"}, _product),
)

_KEPT = {
    "sale": (
        *("id", "status", "invoice_number", "source_id", "return_for", "outlet_id", "register_id", "customer_id"),
        *("note", "total_price", "total_tax", "sale_date", "created_at"),
    ),
    "customer": ("id", "customer_code", "name", "first_name", "last_name", "email", "phone", "mobile", "company_name"),
}
"""What a flow is given of things that have no model of their own."""


def _told(body: Body, kind: str, delivery: Delivery) -> FreeForm:
    told = {name: body[name] for name in _KEPT[kind] if name in body}
    return FreeForm.model_validate(told | {"updated_at": _time(body, delivery)})


def _count(body: Body) -> int | None:
    """API 1.0 has it as a decimal text. A part of one doesn't count."""
    found = next((body[name] for name in ("current_inventory_level", "inventory_level", "count") if name in body), None)
    return None if found is None else floor(Decimal(str(found)))


def _time(body: Body, delivery: Delivery) -> datetime:
    return parse_utc(body["updated_at"]) if body.get("updated_at") else delivery.received_at


def _state(body: Body, delivery: Delivery, connection: Connection, kind: str, subject: str, data: BaseModel) -> Event:
    return _event(body, delivery, connection, f"{kind}.updated", subject, data)


def _event(
    body: Body, delivery: Delivery, connection: Connection, event_type: str, subject: str, data: BaseModel
) -> Event:
    version = _version(body)
    state = str(body["version"]) if version else _time(body, delivery).isoformat()
    return event_of(
        connection,
        event_type,
        key=f"{subject}/updated/{state}",
        subject=subject,
        time=_time(body, delivery),
        version=version,
        data=data,
    )


def _version(body: Body) -> datetime | None:
    """The store numbers the states of its things instead of saying when they began. Events are ordered by time, and
    a number that only grows makes one: so many microseconds after 1970."""
    number = body.get("version")
    return None if number is None else _EPOCH + timedelta(microseconds=int(number))


TRIGGERS = Triggers(
    event_types=(
        "inventory.updated",
        "product.updated",
        "product.deleted",
        "customer.updated",
        "sale.updated",
        "sale.closed",
        "sale.returned",
    ),
    normalise=normalise,
    belongs=belongs,
    topics=("inventory.update", "product.update", "customer.update", "sale.update"),
    subscribing=SUBSCRIBING,
    polls=POLLS,
    sample=sample,
)
