"""Square's webhooks: whose they are, whether they are genuine, and which facts they bring."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import BadSignature, Connection, Normalised
from bellwire.connectors.square import CONNECTOR
from bellwire.errors import CannotNormalise
from bellwire.events import (
    DICTIONARY,
    Customer,
    Delivery,
    Environment,
    InventoryLevel,
    Payment,
    PaymentDispute,
    PaymentReturned,
    Subscription,
)
from bellwire.practice import Webhook
from bellwire.practice.square import SquareSimulator
from tests.connecting import connection
from tests.samples import NOW, usd
from tests.shared import needs_shared, payload

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
URL = "https://hooks.example.com/hooks/till"
KEY = "practice-signature-key"

VECTORS = [
    (
        "Ibxx_5AKakO-3qeNVR61Dw",
        "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9",
        '{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-'
        '18981597e05f","created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":'
        '"bc368e64-01aa-407e-b46e-3231809b1129"}}',
        "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4=",
    ),
    (
        "signature-key",
        "https://webhook.site/webhooks",
        '{"data":{"type":"webhooks","id":">id<"}}',
        "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
    ),
]
"""Key, address, body and signature: of Square's own library."""


def till(*, environment: Environment = Environment.SANDBOX, location: str = "LPRACTICE", **settings: Any) -> Connection:
    return connection("square", name="till", environment=environment, settings={"location_id": location, **settings})


def delivery(body: bytes, headers: Mapping[str, str] | None = None, url: str = URL) -> Delivery:
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    return Delivery("till", lower, body, NOW, url)


def arrived(webhook: Webhook) -> Delivery:
    return delivery(webhook.body, webhook.headers)


def official(name: str, **settings: Any) -> Normalised:
    """An official example, at a connection for its location."""
    body = payload("square", f"{name}.json")
    (place,) = {*_places(orjson.loads(body))} or {"LPRACTICE"}
    return TRIGGERS.normalise(delivery(body), till(location=place, **settings))


def _places(value: Any) -> list[str]:
    match value:
        case dict():
            inner = [place for each in value.values() for place in _places(each)]
            return inner + ([value["location_id"]] if "location_id" in value else [])
        case list():
            return [place for each in value for place in _places(each)]
        case _:
            return []


# Signatures


@pytest.mark.proves("signatures")
@pytest.mark.parametrize(("key", "url", "body", "signature"), VECTORS)
def test_squares_own_vectors_are_genuine_and_a_changed_byte_isnt(key: str, url: str, body: str, signature: str) -> None:
    scheme = till().webhook
    assert scheme is not None
    headers = {"x-square-hmacsha256-signature": signature}
    assert scheme.sign(body.encode(), key, delivery_id="", now=NOW, url=url) == headers
    genuine = delivery(body.encode(), headers, url)
    scheme.verify(genuine, ["another", key], NOW)
    for wrong in (
        replace(genuine, body=body.replace("webhooks", "webhookz").encode()),
        replace(genuine, url=url + "/"),
        replace(genuine, headers={"x-square-hmacsha256-signature": "A" + signature[1:]}),
        replace(genuine, headers={}),
    ):
        with pytest.raises(BadSignature):
            scheme.verify(wrong, [key], NOW)
    with pytest.raises(BadSignature):
        scheme.verify(genuine, ["another"], NOW)


@pytest.mark.proves("signatures")
def test_during_a_rotation_two_keys_are_taken() -> None:
    scheme = till().webhook
    assert scheme is not None
    body = b'{"event_id": "1"}'
    for key in ("old", "new"):
        scheme.verify(delivery(body, scheme.sign(body, key, delivery_id="", now=NOW, url=URL)), ["old", "new"], NOW)


def test_a_delivery_is_known_by_its_event_which_stays_when_square_tries_again() -> None:
    scheme = till().webhook
    assert scheme is not None
    assert scheme.delivery_id(delivery(b'{"event_id": "6a8f5f28"}')) == "6a8f5f28"
    assert scheme.delivery_id(delivery(b"[]")) == scheme.delivery_id(delivery(b"[]"))


# Whose it is


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("sent", "environment", "refused"),
    [
        ("Sandbox", Environment.SANDBOX, False),
        ("Production", Environment.SANDBOX, True),
        ("Sandbox", Environment.PRODUCTION, True),
        ("Production", Environment.PRODUCTION, False),
        ("", Environment.PRODUCTION, False),
    ],
)
def test_the_sandboxs_webhooks_are_for_a_sandbox_only(sent: str, environment: Environment, refused: bool) -> None:
    headers = {"square-environment": sent} if sent else {}
    why = TRIGGERS.belongs(delivery(b'{"merchant_id": "M1"}', headers), till(environment=environment))
    assert bool(why) is refused
    assert not why or f"Square's {sent.lower()}" in why


@pytest.mark.parametrize(("ours", "refused"), [("", False), ("M1", False), ("M2", True)])
def test_another_sellers_webhooks_are_refused_where_the_merchant_is_known(ours: str, refused: bool) -> None:
    why = TRIGGERS.belongs(delivery(b'{"merchant_id": "M1"}'), till(merchant_id=ours))
    assert why == ("It is about the merchant M1; connection 'till' is for M2." if refused else "")


# Facts


@needs_shared
def test_a_completed_payment_came_in() -> None:
    (event,) = official("payment.updated").events
    assert (event.type, event.subject) == ("payment.succeeded", "payment/hYy9pRFVxpDsO1FB05SunFWUe9JZY")
    assert event.business_key == "till/payment/hYy9pRFVxpDsO1FB05SunFWUe9JZY/succeeded"
    assert event.time == datetime(2020, 11, 22, 21, 19, 0, 832_000, UTC)
    assert isinstance(event.data, Payment)
    assert (event.data.amount, event.data.created_at) == (usd("1.00"), datetime(2020, 11, 22, 21, 16, 51, 86_000, UTC))


@needs_shared
def test_a_payment_that_is_only_approved_is_no_fact_yet() -> None:
    assert official("payment.created") == Normalised(reason="The payment is approved: neither completed nor failed.")


@needs_shared
def test_a_completed_refund_was_given_back() -> None:
    (event,) = official("refund.updated").events
    assert (event.type, event.subject) == ("payment.refunded", "payment/KkAkhdMsgzn59SM8A89WgKwekxLZY")
    assert event.business_key.endswith("/done")
    assert isinstance(event.data, PaymentReturned)
    assert (event.data.amount, event.data.failed) == (usd("10.00"), False)
    assert event.data.payment_id == "KkAkhdMsgzn59SM8A89WgKwekxLZY"


@needs_shared
def test_a_dispute_says_until_when_to_answer() -> None:
    (event,) = official("dispute.created").events
    assert event.type == "payment.disputed"
    assert isinstance(event.data, PaymentDispute)
    assert (event.data.amount, event.data.reason) == (usd("88.01"), "amount differs")
    assert event.data.answer_by == datetime(2020, 3, 4, tzinfo=UTC)
    assert event.subject == "payment/fbmsaEOpoARDKxiSGH1fqPuqoqFZY"


@needs_shared
def test_a_count_is_the_stock_of_one_item_at_one_place() -> None:
    (event,) = official("inventory.count.updated").events
    assert (event.type, event.version) == ("inventory.updated", event.time)
    assert event.data == InventoryLevel(
        item_id="FGQ5JJWT2PYTHF35CKZ2DSKP",
        location_id="YYQR03DGCTXA4",
        available=10,
        updated_at=datetime(2019, 10, 29, 18, 38, 45, 102_960, UTC),
    )


@needs_shared
@pytest.mark.parametrize("name", ["subscription.created", "subscription.updated"])
def test_a_subscription_is_told_as_it_is(name: str) -> None:
    (event,) = official(name).events
    assert event.type == "subscription.updated"
    assert isinstance(event.data, Subscription)
    assert (event.data.status, event.data.ended) == ("ACTIVE", False)
    assert event.data.updated_at == event.version == datetime(2020, 7, 15, 5, 14, 10, 754_000, UTC)


@needs_shared
def test_a_charge_of_an_invoice_that_failed_says_where_it_can_be_paid() -> None:
    (event,) = official("invoice.scheduled_charge_failed").events
    assert event.type == "payment.failed"
    assert isinstance(event.data, Payment)
    assert (event.data.amount, event.data.invoice_id) == (usd("100.00"), "inv:0-ChCHu2mZEabLeeHahQnXDjZQECY")
    assert event.data.customer == Customer(
        id="JDKYHBWT1D4F8MFH63DBMEN8Y4",
        name="Amelia Earhart",
        email="Amelia.Earhart@example.com",
        phone="1-212-555-4240",
    )
    assert event.business_key.endswith("/failed/4"), "the next charge that fails is another fact"


@needs_shared
def test_a_paid_invoice_is_told_by_its_payment_and_renews_a_subscription_if_it_is_of_one() -> None:
    assert official("invoice.payment_made").events == ()
    body = orjson.loads(payload("square", "invoice.payment_made.json"))
    invoice = body["data"]["object"]["invoice"]
    invoice |= {"subscription_id": "SUB1"}
    (event,) = TRIGGERS.normalise(delivery(orjson.dumps(body)), till(location=invoice["location_id"])).events
    assert event.type == "subscription.renewed"
    assert isinstance(event.data, Payment)
    assert (event.data.subscription_id, event.data.amount) == ("SUB1", usd("100.00"))
    invoice |= {"status": "PARTIALLY_PAID"}
    partly = TRIGGERS.normalise(delivery(orjson.dumps(body)), till(location=invoice["location_id"]))
    assert partly == Normalised(reason="The invoice is paid in part.")


@needs_shared
@pytest.mark.parametrize("name", ["order.created", "order.updated"])
def test_a_changed_order_wakes_the_polls_that_find_out_what_was_paid(name: str) -> None:
    found = official(name)
    assert (found.events, found.wake) == ((), ("payments", "refunds"))


@needs_shared
@pytest.mark.parametrize("name", ["customer.created", "catalog.version.updated", "oauth.authorization.revoked"])
def test_what_nobody_has_use_for_says_so(name: str) -> None:
    assert official(name) == Normalised(reason=f"Bellwire has no use for Square's {name}.")


def told(topic: str, name: str, record: Any) -> Normalised:
    body = {"type": topic, "data": {"object": {name: record}}}
    return TRIGGERS.normalise(delivery(orjson.dumps(body)), till())


PAYMENT = {
    "id": "P1",
    "status": "FAILED",
    "total_money": {"amount": 100, "currency": "USD"},
    "created_at": "2026-11-24T09:30:00Z",
    "card_details": {"errors": [{"code": "CARD_DECLINED", "detail": "Card declined."}]},
}
REFUND = {
    "id": "R1",
    "payment_id": "P1",
    "status": "PENDING",
    "amount_money": {"amount": 100, "currency": "USD"},
    "created_at": "2026-11-24T09:30:00Z",
}


def test_a_declined_payment_says_why() -> None:
    (event,) = told("payment.updated", "payment", PAYMENT).events
    assert (event.type, event.data.failure) == ("payment.failed", "Card declined.")


def test_a_failed_charge_of_an_invoice_is_one_fact_the_invoices() -> None:
    of_an_invoice = PAYMENT | {"application_details": {"square_product": "INVOICES"}}
    assert told("payment.updated", "payment", of_an_invoice).events == ()
    assert len(told("payment.updated", "payment", of_an_invoice | {"status": "COMPLETED"}).events) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [("PENDING", []), ("COMPLETED", [("till/refund/R1/done", False)]), ("FAILED", [("till/refund/R1/failed", True)])],
)
def test_a_refund_is_a_fact_when_it_is_over(status: str, expected: list[tuple[str, bool]]) -> None:
    events = told("refund.updated", "refund", REFUND | {"status": status}).events
    assert [(event.business_key, event.data.failed) for event in events] == expected


def test_a_subscription_that_is_over_is_a_fact_once_and_its_period_ends_with_its_day() -> None:
    record = {
        "id": "S1",
        "status": "CANCELED",
        "version": 1_764_000_000_000,
        "canceled_date": "2026-11-24",
        "charged_through_date": "2026-11-30",
        "timezone": "America/Chicago",
        "price_override_money": {"amount": 1900, "currency": "USD"},
    }
    first = told("subscription.updated", "subscription", record).events
    later = told("subscription.updated", "subscription", record | {"version": 1_764_000_009_999}).events
    assert [event.type for event in first] == ["subscription.ended", "subscription.updated"]
    assert first[0].business_key == later[0].business_key and first[1].business_key != later[1].business_key
    assert first[1].data.period_ends_at == datetime(2026, 12, 1, 6, tzinfo=UTC)
    assert (first[1].data.amount, first[1].data.ended) == (usd("19.00"), True)


def test_what_happens_elsewhere_is_left_alone_and_says_so() -> None:
    elsewhere = told("payment.updated", "payment", PAYMENT | {"location_id": "LOTHER"})
    assert elsewhere == Normalised(reason="It is about location LOTHER; this connection is for LPRACTICE.")
    count = {"catalog_object_id": "V1", "quantity": "1.5", "calculated_at": "2026-11-24T09:30:00Z"}
    here, there, sold = (
        count | {"location_id": place, "state": state}
        for place, state in [("LPRACTICE", "IN_STOCK"), ("LOTHER", "IN_STOCK"), ("LPRACTICE", "SOLD")]
    )
    (event,) = told("inventory.count.updated", "inventory_counts", [here, there, sold]).events
    assert event.data.available == 1
    assert told("inventory.count.updated", "inventory_counts", [there, sold]).events == ()


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"type": "payment.updated", "data": {"object": {}}}'])
def test_what_isnt_as_described_is_kept_for_a_person(body: bytes) -> None:
    with pytest.raises(CannotNormalise):
        TRIGGERS.normalise(delivery(body), till())


def test_practice_sends_what_square_would_signed_for_the_address(seller: SquareSimulator) -> None:
    payment = seller.take(usd("24.40"), "1001")
    dispute = seller.takings.dispute(payment)
    account = till()
    assert account.webhook is not None
    for topic, number, expected in [
        ("payment.updated", payment, "payment.succeeded"),
        ("dispute.created", dispute, "payment.disputed"),
        ("inventory.count.updated", "VAR-TEA-100", "inventory.updated"),
        ("order.updated", "O1", None),
    ]:
        sent = arrived(seller.webhook(topic, number, url=URL))
        account.webhook.verify(sent, [KEY], NOW)
        assert TRIGGERS.belongs(sent, account) == ""
        assert [event.type for event in TRIGGERS.normalise(sent, account).events] == ([expected] if expected else [])


def test_all_types_are_of_the_dictionary() -> None:
    assert set(TRIGGERS.event_types) <= DICTIONARY.keys()
