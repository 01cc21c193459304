"""What PayPal's events come to."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import Connection, Normalised
from bellwire.connectors.paypal.triggers import TRIGGERS, belongs, normalise
from bellwire.errors import CannotNormalise
from bellwire.events import Customer, Delivery, Environment, Event, PaymentStatus
from bellwire.practice.paypal import PayPalSimulator
from tests.connecting import connection
from tests.openapi import described
from tests.samples import NOW, usd
from tests.shared import needs_shared, payload


def pay(environment: Environment = Environment.SANDBOX) -> Connection:
    return connection("paypal", name="pay", environment=environment)


def read(body: bytes) -> Normalised:
    return normalise(Delivery("pay", {}, body, NOW), pay())


def event(name: str, topic: str = "", **changes: Any) -> bytes:
    """An example of PayPal's; `changes` are to its resource."""
    body = orjson.loads(payload("paypal", f"{name}.json"))
    body["event_type"] = topic or body["event_type"]
    body["resource"] |= changes
    return orjson.dumps(body)


def only(made: Normalised) -> Event:
    (found,) = made.events
    return found


def happened() -> PayPalSimulator:
    """A bit of everything."""
    simulator = PayPalSimulator()
    account = simulator.account
    paid, plan = account.take(usd("24.40"), "1001"), account.subscribe(usd("20.00"))
    account.take(usd("5"), status="DECLINED")
    account.give_back(paid, {"amount": {"currency_code": "USD", "value": "5.00"}, "custom_id": "R-1"})
    account.dispute(paid)
    account.take_back(paid)
    account.renew(plan, usd("20.00"))
    account.renew(plan, usd("20.00"), declined=True)
    account.end(plan)
    return simulator


@needs_shared
class TestExamples:
    def test_a_capture_is_a_payment(self) -> None:
        made = only(read(event("PAYMENT.CAPTURE.COMPLETED")))
        assert (made.type, made.business_key) == ("payment.succeeded", "pay/payment/27M47624FP2916TST/succeeded")
        assert (made.data.amount, made.data.reference) == (usd("25.10"), "INV-1001")
        assert made.time == datetime(2026, 8, 14, 10, 0, 1, tzinfo=UTC)

    def test_one_that_was_given_back_since_had_come_in_all_the_same(self) -> None:
        made = only(read(event("PAYMENT.CAPTURE.COMPLETED", status="REFUNDED")))
        assert (made.type, made.data.status) == ("payment.succeeded", PaymentStatus.SUCCEEDED)

    def test_both_names_of_a_decline_are_the_same_fact(self) -> None:
        denied = only(read(event("PAYMENT.CAPTURE.DENIED", status_details={"reason": "PENDING_REVIEW"})))
        declined = only(read(event("PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED", status="DENIED")))
        assert denied.type == declined.type == "payment.failed"
        assert denied.data.status is declined.data.status is PaymentStatus.FAILED
        assert denied.business_key == declined.business_key
        assert denied.data.failure == "Pending review"

    def test_a_refund_knows_its_payment_by_a_link(self) -> None:
        made = only(read(event("PAYMENT.CAPTURE.REFUNDED")))
        assert (made.type, made.business_key) == ("payment.refunded", "pay/refund/1Y107995YT783TST/done")
        assert (made.data.payment_id, made.data.amount, made.data.failed) == ("27M47624FP2916TST", usd("5"), False)
        assert made.data.reference == "order-1001"

    def test_a_refund_is_told_at_its_end(self) -> None:
        assert "under way" in read(event("PAYMENT.CAPTURE.REFUNDED", status="PENDING")).reason
        failed = only(read(event("PAYMENT.CAPTURE.REFUNDED", status="FAILED")))
        assert failed.data.failed and failed.business_key.endswith("/failed")

    def test_what_paypal_takes_back_is_given_back_too(self) -> None:
        body = orjson.loads(event("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.REVERSED"))
        made = only(read(orjson.dumps(body)))
        assert (made.type, made.data.payment_id, made.data.amount) == (
            "payment.refunded", "27M47624FP2916TST", usd("25.10")
        )  # fmt: skip

    def test_a_failed_period_says_how_often_and_when_again(self) -> None:
        made = only(read(event("BILLING.SUBSCRIPTION.PAYMENT.FAILED")))
        assert (made.type, made.subject) == ("payment.failed", "subscription/I-BW452GLLEP1G")
        data = made.data
        assert (data.amount, data.attempts, data.failure) == (usd("20"), 1, "Payment denied")
        assert data.next_try_at == datetime(2026, 8, 19, 10, tzinfo=UTC)
        assert data.customer == Customer(id="2J6QB8YJQSJRJ", name="John Doe", email="customer@example.com")
        again = {
            "last_failed_payment": {"amount": {"currency_code": "USD", "value": "20"}, "time": "2026-08-19T10:00:00Z"}
        }
        later = only(read(event("BILLING.SUBSCRIPTION.PAYMENT.FAILED", billing_info=again)))
        assert later.business_key != made.business_key and later.data.next_try_at is None

    def test_a_subscription_is_as_it_is_now(self) -> None:
        name = "BILLING.SUBSCRIPTION.PAYMENT.FAILED"
        made = only(read(event(name, "BILLING.SUBSCRIPTION.SUSPENDED", status="SUSPENDED")))
        assert (made.type, made.data.status, made.data.ended) == ("subscription.updated", "suspended", False)
        assert (made.data.amount, made.version) == (usd("20"), made.time)
        assert made.data.period_ends_at == datetime(2026, 9, 14, 10, tzinfo=UTC)
        for topic in ("CANCELLED", "EXPIRED"):
            ended = only(read(event(name, f"BILLING.SUBSCRIPTION.{topic}", status=topic)))
            assert (ended.type, ended.data.ended) == ("subscription.ended", True)

    def test_what_is_of_no_use_has_a_reason(self) -> None:
        assert "AUTHORIZATION" in read(event("PAYMENT.AUTHORIZATION.CREATED")).reason


def test_a_payment_of_a_subscription_is_a_renewal_too() -> None:
    sent = happened().webhook("PAYMENT.SALE.COMPLETED")
    paid, renewed = read(sent.body).events
    assert (paid.type, renewed.type) == ("payment.succeeded", "subscription.renewed")
    assert paid.data.subscription_id.startswith("I-") and paid.data.amount == usd("20")
    assert paid.business_key != renewed.business_key
    alone = orjson.loads(sent.body)
    del alone["resource"]["billing_agreement_id"]
    assert only(read(orjson.dumps(alone))).type == "payment.succeeded"


def test_a_sale_that_was_given_back_or_taken_back() -> None:
    refund = {
        "id": "R1", "sale_id": "S1", "state": "completed", "create_time": "2026-08-14T10:00:00Z",
        "amount": {"total": "-5.00", "currency": "USD"},
    }  # fmt: skip
    for topic in ("PAYMENT.SALE.REFUNDED", "PAYMENT.SALE.REVERSED"):
        body = {"id": "WH-1", "event_type": topic, "create_time": "2026-08-14T10:00:00Z", "resource": refund}
        made = only(read(orjson.dumps(body)))
        assert (made.data.payment_id, made.data.amount) == ("S1", usd("5"))


def test_a_dispute_says_until_when_to_answer() -> None:
    made = only(read(happened().webhook("CUSTOMER.DISPUTE.CREATED").body))
    assert (made.type, made.data.amount) == ("payment.disputed", usd("24.40"))
    assert made.data.reason == "Merchandise or service not received"
    assert made.data.answer_by is not None and made.data.answer_by > made.data.created_at


@needs_shared
@pytest.mark.proves("spec")
def test_what_the_practice_app_sends_is_as_paypal_describes_it() -> None:
    schemas = {
        "capture": ("paypal_payments_payment_v2", "capture"),
        "refund": ("paypal_payments_payment_v2", "refund"),
        "dispute": ("paypal_customer_disputes_v1", "dispute"),
        "subscription": ("paypal_billing_subscriptions_v1", "subscription"),
    }
    found = []
    for each in happened().account.events.values():
        found += described("paypal_notifications_webhooks_v1").schema("event", each)
        if each["resource_type"] in schemas:
            api, schema = schemas[each["resource_type"]]
            found += described(api).schema(schema, each["resource"])
    assert found == []


@pytest.mark.proves("environments")
def test_sandbox_and_live_never_mix() -> None:
    ours = happened().webhook("PAYMENT.CAPTURE.COMPLETED").body
    theirs = ours.replace(b"api.sandbox.paypal.com", b"api.paypal.com")
    assert belongs(Delivery("pay", {}, ours, NOW), pay()) == ""
    assert "production" in belongs(Delivery("pay", {}, theirs, NOW), pay())
    assert "sandbox" in belongs(Delivery("pay", {}, ours, NOW), pay(Environment.PRODUCTION))
    assert belongs(Delivery("pay", {}, theirs, NOW), pay(Environment.PRODUCTION)) == ""
    for odd in (b"[]", b"{}", b'{"links": [{}]}', b'{"links": [{"href": "https://example.com", "rel": "self"}]}'):
        assert belongs(Delivery("pay", {}, odd, NOW), pay()) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"event_type": "PAYMENT.CAPTURE.COMPLETED", "create_time": "2026-08-14T10:00:00Z"}',
        b'{"event_type": "PAYMENT.CAPTURE.COMPLETED", "create_time": "yesterday", "resource": {}}',
        b'{"event_type": "PAYMENT.CAPTURE.COMPLETED", "create_time": "2026-08-14T10:00:00Z", "resource": []}',
    ],
)
def test_what_cannot_be_read_is_said(body: bytes) -> None:
    with pytest.raises(CannotNormalise, match="isn't what PayPal describes"):
        read(body)


def test_every_topic_that_is_asked_for_is_read() -> None:
    for topic in TRIGGERS.topics:
        with pytest.raises(CannotNormalise):
            read(orjson.dumps({"event_type": topic}))
