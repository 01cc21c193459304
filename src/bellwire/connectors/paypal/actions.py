"""Looking at captured payments, and giving them back. https://developer.paypal.com/docs/api/payments/v2/"""

from collections.abc import Iterator, Mapping
from typing import Any

from bellwire.capabilities.payments import (
    READ_PAYMENT,
    REFUND,
    PaymentRefund,
    PaymentState,
    ReadPayment,
    RefundPayment,
    RefundStatus,
)
from bellwire.clock import parse_time
from bellwire.connectors.kit import Account, ByKey, Call, Seen, Unkeyed, action
from bellwire.connectors.kit.paying import nearest
from bellwire.connectors.paypal.certificates import learn
from bellwire.connectors.paypal.manifest import settings_of
from bellwire.connectors.paypal.reading import environment_of, link, money, payment_status, reference
from bellwire.errors import Refused
from bellwire.money import Money, digits, total

_REFUNDS = {"COMPLETED": RefundStatus.DONE, "PENDING": RefundStatus.PENDING}
_MOVED = ("COMPLETED", "PENDING")


@action(READ_PAYMENT, repeat=Unkeyed("it only reads"))
async def read_payment(call: Call, given: ReadPayment) -> PaymentState:
    """A capture. What was given back of it, and who paid, its order says. Raises Refused (refunded-unknown)."""
    capture = (await call.api.get(f"v2/payments/captures/{given.payment_id}")).json()
    order = await _order(call, capture)
    return PaymentState(
        id=capture["id"],
        status=payment_status(capture["status"]),
        amount=money(capture["amount"]),
        refunded=_refunded(capture, order),
        reference=reference(capture, settings_of(call.connection)),
        customer_email=(order.get("payer") or {}).get("email_address") or "",
        created_at=parse_time(capture["create_time"]),
    )


async def look_for_refund(call: Call, given: RefundPayment) -> Seen | None:
    """A refund of this payment that didn't fail, whoever made it. Of a payment without an order, such as a
    subscription's, PayPal lists none: raises Refused (refunds-unknown)."""
    capture = (await call.api.get(f"v2/payments/captures/{given.payment_id}")).json()
    order = await _order(call, capture)
    if not order:
        raise Refused("PayPal doesn't list what was given back of a payment without an order.", cause="refunds-unknown")
    found = [_refund(each, given) for each in _refunds_of(capture["id"], order)]
    return nearest("refund", given.amount, found[::-1])


# https://developer.paypal.com/api/rest/reference/idempotency/: remembered for 45 days.
@action(REFUND, repeat=ByKey("the header PayPal-Request-Id"), look=look_for_refund)
async def refund(call: Call, given: RefundPayment) -> PaymentRefund:
    """`POST captures/…/refund`. PayPal shows a refund's note to the payer, so the reason, which is for the records,
    isn't sent."""
    value = given.amount.rounded()
    body: dict[str, Any] = {"amount": {"value": f"{value.amount:f}", "currency_code": value.currency}}
    if value != given.amount:
        raise Refused(
            f"This can't be given back: {given.amount.currency} has {digits(given.amount.currency)} decimals.",
            cause="amount",
            remedy="Round it in the flow.",
        )
    if given.reference:
        body["custom_id"] = given.reference
    headers = {"PayPal-Request-Id": call.key, "Prefer": "return=representation"}
    path = f"v2/payments/captures/{given.payment_id}/refund"
    return _refund((await call.api.post(path, body, headers=headers)).json(), given)


def _refund(made: Mapping[str, Any], given: RefundPayment) -> PaymentRefund:
    return PaymentRefund(
        id=made["id"],
        payment_id=given.payment_id,
        amount=money(made["amount"]) if "amount" in made else given.amount,
        status=_REFUNDS.get(made["status"], RefundStatus.FAILED),
    )


ACTIONS = (read_payment, refund)


async def sign_in(call: Call) -> Account:
    """Reads the app's webhooks. An app's client id doesn't say whether it is of the sandbox: PayPal takes it in one of
    the two only, and the links in its answers say in which."""
    await learn(call)
    webhooks = (await call.api.get("v1/notifications/webhooks")).json().get("webhooks", [])
    told = {environment_of(each) for each in webhooks} - {None}
    granted = call.connection.credentials.find("granted_scopes")
    return Account(
        name=f"PayPal app {call.connection.credentials.get('client_id')[:12]}…",
        detail=f"{len(webhooks)} webhooks",
        scopes=tuple(granted.split()) if granted else None,
        environment=told.pop() if len(told) == 1 else None,
    )


async def _order(call: Call, capture: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a capture; empty where it has none, as for a subscription."""
    related = (capture.get("supplementary_data") or {}).get("related_ids") or {}
    order = related.get("order_id") or _last(link(capture, "up"), "/v2/checkout/orders/")
    return (await call.api.get(f"v2/checkout/orders/{order}")).json() if order else {}


def _refunded(capture: Mapping[str, Any], order: Mapping[str, Any]) -> Money:
    paid = money(capture["amount"])
    if capture["status"] == "REFUNDED":
        return paid
    if not order and capture["status"] == "PARTIALLY_REFUNDED":
        raise Refused(
            "A part of this payment was given back, but PayPal doesn't say how much.",
            cause="refunded-unknown",
            remedy="Look at the payment in PayPal.",
        )
    return total((money(each["amount"]) for each in _refunds_of(capture["id"], order)), paid.currency)


def _refunds_of(capture_id: str, order: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for unit in order.get("purchase_units") or ():
        for each in (unit.get("payments") or {}).get("refunds") or ():
            if each["status"] in _MOVED and _last(link(each, "up"), "/v2/payments/captures/") == capture_id:
                yield each


def _last(address: str, above: str) -> str:
    """The id that an address ends in, if it is one of that kind."""
    return address.partition(above)[2]
