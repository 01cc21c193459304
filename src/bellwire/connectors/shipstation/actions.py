"""ShipStation's orders (which V2 calls shipments), labels and tracking.

https://docs.shipstation.com/orders/understanding-orders-shipments
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from bellwire.capabilities import shipping
from bellwire.capabilities.shipping import CreateLabel, GetTracking, Label, ShippingOrder, Tracking, UpsertOrder
from bellwire.connectors.kit import Account, Call, Compared, Connection, LookUp, Seen, Unkeyed, action
from bellwire.connectors.shipstation.errors import refusal
from bellwire.connectors.shipstation.parcels import parcel, reference
from bellwire.errors import Refused, Transient
from bellwire.events import Environment, Order
from bellwire.money import Money

Json = Mapping[str, Any]


async def sign_in(call: Call) -> Account:
    """Reads the account's ship-from locations and carriers."""
    chosen = call.settings
    warehouses = {w["warehouse_id"]: w["name"] for w in (await call.api.get("warehouses")).json()["warehouses"]}
    carriers = {c["carrier_id"]: c for c in (await call.api.get("carriers")).json()["carriers"]}
    warnings = []
    if chosen.warehouse_id not in warehouses:
        warnings.append(f"There is no ship-from location '{chosen.warehouse_id}'. There are: {_listed(warehouses)}.")
    if chosen.carrier_id not in carriers:
        names = {key: carrier.get("friendly_name", "") for key, carrier in carriers.items()}
        warnings.append(f"There is no carrier '{chosen.carrier_id}'. There are: {_listed(names)}.")
    else:
        services = [service["service_code"] for service in carriers[chosen.carrier_id].get("services", [])]
        if chosen.service_code not in services:
            warnings.append(f"The carrier has no service '{chosen.service_code}'. It has: {', '.join(services)}.")
    if problem := mixed_up(call.connection):
        warnings.append(f"{problem} It reads, but puts no orders in and buys no labels.")
    return Account(
        name=warehouses.get(chosen.warehouse_id, "ShipStation"),
        detail=f"Ship-from locations: {_listed(warehouses)}",
        warnings=tuple(warnings),
    )


async def look_for_order(call: Call, given: UpsertOrder) -> Seen | None:
    shipment = await _find(call, given.order)
    if shipment is None:
        return None
    place, there = given.order.shipping, shipment.get("ship_to") or {}
    compared = (Compared("postcode", place.postcode, there.get("postal_code") or ""),) if place else ()
    label = f"order {shipment.get('shipment_number') or shipment['shipment_id']}"
    return Seen(label, compared, result=_shipping_order(shipment))


async def look_for_label(call: Call, given: CreateLabel) -> Seen | None:
    """The label of the order's number that isn't void, whoever bought it."""
    shipment = await _find(call, given.order)
    label = await _valid_label(call, shipment["shipment_id"]) if shipment else None
    if label is None:
        return None
    service = given.service or call.settings.service_code
    compared = Compared("service", service, label.get("service_code") or "")
    result = _label(label)
    return Seen(f"label {result.tracking_number}", (compared,), result.tracking_url, result)


async def _order_there(call: Call, given: UpsertOrder) -> ShippingOrder | None:
    shipment = await _find(call, given.order)
    return _shipping_order(shipment) if shipment else None


@action(shipping.UPSERT_ORDER, repeat=LookUp(_order_there), look=look_for_order)
async def upsert_order(call: Call, given: UpsertOrder) -> ShippingOrder:
    """Known by its number: what is there already stays as it is. Raises Refused `nothing-to-ship`, `no-address`,
    `incomplete-address`, `no-weight`, `number-taken`, `cancelled-there`, `wrong-environment`."""
    _refuse_mix_up(call)
    if there := await _order_there(call, given):
        return there
    details = parcel(given.order, call.settings, await _origin(call))
    try:
        answer = (await call.api.post("shipments", {"shipments": [details]})).json()
        if answer["has_errors"]:
            raise refusal(answer["shipments"][0].get("errors") or [{}], "POST shipments")
    except Refused:
        # The number is unique: an earlier attempt may have been slower than we were.
        if there := await _order_there(call, given):
            return there
        raise
    return _shipping_order(answer["shipments"][0])


async def _label_there(call: Call, given: CreateLabel) -> Label | None:
    shipment = await _find(call, given.order)
    return await _bought(call, shipment["shipment_id"]) if shipment else None


@action(shipping.CREATE_LABEL, repeat=LookUp(_label_there), look=look_for_label)
async def create_label(call: Call, given: CreateLabel) -> Label:
    """The one label of the order: one that is there and isn't void is taken, whoever bought it. Order and label go in
    with one request, and the order's number is unique, so that of two attempts only one can buy. An order that is in
    ShipStation already keeps its parcel as it is there. Raises Refused as `upsert_order` does, and `no-rate`."""
    _refuse_mix_up(call)
    chosen = call.settings
    carrier, service = given.carrier or chosen.carrier_id, given.service or chosen.service_code
    paper = {"label_format": chosen.label_format, "label_layout": chosen.label_layout}
    if shipment := await _find(call, given.order):
        if there := await _bought(call, shipment["shipment_id"]):
            return there
        path, body = await _offer(call, shipment, carrier, service), paper
    else:
        details = parcel(given.order, chosen, await _origin(call), package_code=given.package)
        path, body = "labels", paper | {"shipment": _with_service(details, chosen.warehouse_id, carrier, service)}
    try:
        answer = await call.api.post(path, body)
    except Refused:
        # The number is unique: an earlier attempt may have been slower than we were.
        if there := await _label_there(call, given):
            return there
        raise
    return _label(answer.json())


@action(shipping.GET_TRACKING, repeat=Unkeyed("it only reads"))
async def get_tracking(call: Call, given: GetTracking) -> Tracking:
    """Shipped: it has a label. That is how ShipStation tells it, too."""
    label = await _bought(call, given.shipping_order_id)
    if label is None:
        return Tracking(shipped=False)
    return Tracking(
        shipped=True,
        carrier=label.carrier,
        tracking_number=label.tracking_number,
        tracking_url=label.tracking_url,
    )


async def _find(call: Call, order: Order) -> Json | None:
    """The order as ShipStation has it. Raises Refused when another order has its number, or it was cancelled."""
    number = reference(order, call.settings)
    try:
        answer = await call.api.get(f"shipments/external_shipment_id/{quote(number, safe='')}")
    except Refused as error:
        if error.cause == "not-found":
            return None
        raise
    shipment: Json = answer.json()
    owners = {item.get("external_order_id") for item in shipment.get("items") or []} - {None, ""}
    if owners and order.id not in owners:
        raise Refused(
            f"ShipStation has another order with the number {number}.",
            cause="number-taken",
            remedy="If two shops send to this account, give each connection a `number_prefix` of its own; then retry.",
        )
    if shipment["shipment_status"] == "cancelled":
        raise Refused(
            f"Order {number} was cancelled in ShipStation.",
            cause="cancelled-there",
            remedy="If it is to be sent after all, do it in ShipStation, then resolve this by hand.",
        )
    return shipment


async def _bought(call: Call, shipment_id: str) -> Label | None:
    """The label that was bought for it and isn't void. Raises Transient while the carrier still makes it."""
    label = await _valid_label(call, shipment_id)
    return _label(label) if label else None


async def _valid_label(call: Call, shipment_id: str) -> Json | None:
    """The same as ShipStation has it; one that is done before one that is in the making."""
    labels: list[Json] = (await call.api.get("labels", params={"shipment_id": shipment_id})).json()["labels"]
    in_order = (label for status in ("completed", "processing") for label in labels if label["status"] == status)
    return next(in_order, None)


async def _offer(call: Call, shipment: Json, carrier: str, service: str) -> str:
    """Where a label for an order that is there already is bought: as it stands, or by the rate of another service."""
    if (shipment.get("carrier_id"), shipment.get("service_code")) == (carrier, service):
        return f"labels/shipment/{shipment['shipment_id']}"
    answer = (await call.api.get(f"shipments/{shipment['shipment_id']}/rates")).json()
    for rate in answer["rates"]:
        if (rate["carrier_id"], rate["service_code"]) == (carrier, service):
            return f"labels/rates/{rate['rate_id']}"
    raise Refused(
        f"ShipStation has no price for sending order {shipment.get('shipment_number')} by '{service}'.",
        cause="no-rate",
        detail=f"{carrier} {service}: {[rate['service_code'] for rate in answer['rates']]}",
        remedy="Buy the label in ShipStation, or choose another service, then retry.",
    )


async def _origin(call: Call) -> Json:
    """The ship-from location."""
    warehouse: Json = (await call.api.get(f"warehouses/{call.settings.warehouse_id}")).json()
    return warehouse


def _with_service(details: Json, warehouse_id: str, carrier: str, service: str) -> dict[str, Any]:
    """A parcel with all that a label wants to know. Nothing special is asked of the carrier."""
    return {
        **details,
        "carrier_id": carrier,
        "service_code": service,
        "shipment_number": details["external_shipment_id"],
        "warehouse_id": warehouse_id,
        "return_to": details["ship_from"],
        "confirmation": "none",
        "insurance_provider": "none",
        "advanced_options": {},
        "tags": [],
    }


def _shipping_order(shipment: Json) -> ShippingOrder:
    return ShippingOrder(id=shipment["shipment_id"], number=shipment.get("shipment_number") or "")


def _label(label: Json) -> Label:
    """Raises Transient while the carrier still makes it: then it is there at the next look."""
    if label["status"] == "processing":
        raise Transient("The carrier is still making the label.", cause="label-in-progress")
    if label["status"] == "error":
        raise Refused(
            "The carrier couldn't make the label.",
            cause="label-failed",
            detail=f"label {label['label_id']}",
            remedy="ShipStation says why beside the order; mend it there, then retry.",
        )
    cost = label.get("shipment_cost")
    return Label(
        id=label["label_id"],
        shipping_order_id=label["shipment_id"],
        carrier=label["carrier_code"],
        tracking_number=label["tracking_number"],
        tracking_url=label.get("tracking_url") or "",
        cost=Money.of(str(cost["amount"]), cost["currency"].upper()) if cost else None,
    )


def mixed_up(connection: Connection) -> str:
    """Why nothing may be written there: the key and the connection don't agree on what is real. Empty: they do, or
    it isn't the vendor's own server. Test keys begin with `TEST_`, and only some plans have them; all other keys are
    live: https://docs.shipstation.com/sandbox. Raises MissingCredential."""
    sandbox = connection.environment is Environment.SANDBOX
    test_key = connection.credentials.get("api_key").startswith("TEST_")
    if sandbox == test_key or not (urlsplit(connection.base_url).hostname or "").endswith("shipstation.com"):
        return ""
    if sandbox:
        return f"The connection '{connection.name}' is a sandbox, but its key is for the live account."
    return f"The connection '{connection.name}' is for production, but its key is a test key: no parcel could be sent."


def _refuse_mix_up(call: Call) -> None:
    if problem := mixed_up(call.connection):
        raise Refused(
            f"{problem} Nothing was sent.",
            cause="wrong-environment",
            remedy="Give it the other key or the other `environment`, or a practice server as its `base_url`.",
        )


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({key})" for key, name in names.items()) or "none"
