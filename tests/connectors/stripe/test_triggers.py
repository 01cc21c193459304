"""What Stripe's events come to."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Connection, Normalised
from bellwire.connectors.stripe.triggers import TRIGGERS, belongs, normalise
from bellwire.errors import CannotNormalise
from bellwire.events import Customer, Delivery, Environment, Event, PaymentStatus
from bellwire.practice.stripe import StripeSimulator
from tests.connecting import connection
from tests.connectors.stripe.described import event_problems
from tests.samples import NOW, usd
from tests.shared import FOLDER, needs_shared, payload


def pay(environment: Environment = Environment.SANDBOX) -> Connection:
    return connection("stripe", name="pay", environment=environment)


def read(body: bytes, *, listed: bool = False) -> Normalised:
    return normalise(Delivery("pay", {POLLED: "events"} if listed else {}, body, NOW), pay())


def event(name: str, **changes: Any) -> bytes:
    """An example of Stripe's; `changes` are to its object."""
    body = orjson.loads(payload("stripe", f"{name}.json"))
    body["data"]["object"] |= changes
    return orjson.dumps(body)


def only(made: Normalised) -> Event:
    (found,) = made.events
    return found


@needs_shared
class TestExamples:
    def test_a_payment_that_comes_by_webhook_wakes_the_poll(self) -> None:
        for name in ("payment_intent.succeeded", "payment_intent.payment_failed"):
            made = read(event(name))
            assert (made.events, made.wake) == ((), ("events",)) and made.reason

    def test_a_payment_that_was_listed_is_one(self) -> None:
        made = only(read(event("payment_intent.succeeded", metadata={"order_id": "1001"}), listed=True))
        assert (made.type, made.business_key) == (
            "payment.succeeded", "pay/payment/pi_1PgafyB7WZ01zgkWSjxsAJo3/succeeded"
        )  # fmt: skip
        assert (made.data.amount, made.data.reference, made.data.status) == (
            usd("10.99"), "1001", PaymentStatus.SUCCEEDED
        )  # fmt: skip

    def test_a_decline_says_why_and_each_is_a_fact_of_its_own(self) -> None:
        error = {"message": "Your card has insufficient funds.", "charge": "ch_1"}
        made = only(read(event("payment_intent.payment_failed", last_payment_error=error), listed=True))
        assert (made.type, made.data.failure) == ("payment.failed", "Your card has insufficient funds.")
        assert made.business_key.endswith("/failed/ch_1")
        bare = only(read(event("payment_intent.payment_failed"), listed=True))
        assert bare.business_key.endswith("/failed/evt_1Composed00000002")

    def test_a_declined_invoice_says_how_often_when_again_and_where_to_pay(self) -> None:
        changes = {"hosted_invoice_url": "https://invoice.stripe.com/i/x", "customer_email": "robin@example.com"}
        made = only(read(event("invoice.payment_failed", attempt_count=2, **changes)))
        assert (made.type, made.subject) == ("payment.failed", "invoice/in_1Pgc6tB7WZ01zgkWu9fdqL6I")
        assert made.business_key == "pay/invoice/in_1Pgc6tB7WZ01zgkWu9fdqL6I/failed/2"
        data = made.data
        assert (data.status, data.amount, data.attempts) == (PaymentStatus.FAILED, usd("10"), 2)
        assert data.next_try_at == datetime.fromtimestamp(1_785_160_000, UTC)
        assert (data.pay_url, data.subscription_id) == ("https://invoice.stripe.com/i/x", "subscription")
        assert data.customer == Customer(id="cus_QXg1o8vcGmoR32", email="robin@example.com")

    def test_the_last_decline_has_no_next_try(self) -> None:
        assert only(read(event("invoice.payment_failed", next_payment_attempt=None))).data.next_try_at is None

    def test_an_invoice_that_is_paid_is_a_payment_and_of_a_period_a_renewal_too(self) -> None:
        paid = only(read(event("invoice.paid", number="A-1")))
        assert (paid.type, paid.data.amount, paid.data.invoice_id) == ("payment.succeeded", usd("10"), paid.data.id)
        assert paid.data.reference == "A-1" and paid.data.next_try_at is None
        both = read(event("invoice.paid", billing_reason="subscription_cycle")).events
        assert [each.type for each in both] == ["payment.succeeded", "subscription.renewed"]
        assert both[0].business_key == paid.business_key != both[1].business_key

    def test_a_period_is_of_the_order_that_the_subscription_names_unless_the_invoice_names_one(self) -> None:
        details = {"subscription": "sub_1", "metadata": {"order_id": "450789469"}}
        parent = {"type": "subscription_details", "subscription_details": details}
        assert only(read(event("invoice.paid", number="A-1", parent=parent))).data.reference == "450789469"
        own = {"number": "A-1", "parent": parent, "metadata": {"order_id": "7"}}
        assert only(read(event("invoice.paid", **own))).data.reference == "7"

    def test_a_renewal_names_an_order_or_nothing_but_never_the_invoice(self) -> None:
        paid, renewed = read(event("invoice.paid", number="A-1", billing_reason="subscription_cycle")).events
        assert (paid.data.reference, renewed.data.reference) == ("A-1", "")

    def test_an_invoice_of_nothing_is_no_payment(self) -> None:
        assert "Nothing was to be paid" in read(event("invoice.paid", amount_paid=0)).reason

    def test_an_invoice_as_it_was_until_2025_is_read_too(self) -> None:
        """The list writes events in the account's default version."""
        old = event("invoice.paid", parent=None, subscription="sub_1", billing_reason="subscription_cycle")
        assert [each.data.subscription_id for each in read(old).events] == ["sub_1", "sub_1"]

    def test_a_refund_is_told_at_its_end(self) -> None:
        made = only(read(event("refund.created", metadata={"reference": "R-1"})))
        assert (made.type, made.data.amount, made.data.failed) == ("payment.refunded", usd("1"), False)
        assert (made.data.payment_id, made.data.reference) == ("ch_1PgafuB7WZ01zgkWXYmPNZs8", "R-1")
        assert "under way" in read(event("refund.created", status="pending")).reason
        later = event("refund.created", status="succeeded").replace(b'"refund.created"', b'"refund.updated"')
        assert only(read(later)).business_key == made.business_key
        failed = only(read(event("refund.failed")))
        assert failed.data.failed and failed.business_key != made.business_key

    def test_a_dispute_says_until_when_to_answer(self) -> None:
        made = only(read(event("charge.dispute.created", payment_intent="pi_1")))
        assert (made.type, made.data.payment_id, made.data.reason) == ("payment.disputed", "pi_1", "general")
        assert made.data.answer_by == datetime.fromtimestamp(1_723_679_999, UTC)

    def test_a_subscription_has_its_price_and_its_end(self) -> None:
        made = only(read(event("customer.subscription.updated")))
        assert (made.type, made.data.status, made.data.ended) == ("subscription.updated", "past_due", False)
        assert made.data.amount == usd("20")
        assert made.data.period_ends_at == datetime.fromtimestamp(976_287_773, UTC)
        assert made.version == made.time
        ended = only(read(event("customer.subscription.deleted", status="canceled")))
        assert (ended.type, ended.data.ended) == ("subscription.ended", True)
        assert ended.business_key == "pay/subscription/sub_1Pgc6rB7WZ01zgkWNy0Cn5nw/ended"

    def test_what_depends_on_use_has_no_price(self) -> None:
        metered = {"data": [{"price": {"unit_amount": None, "currency": "usd"}, "quantity": 1}]}
        made = only(read(event("customer.subscription.updated", items=metered, current_period_end=1_800_000_000)))
        assert made.data.amount is None
        assert made.data.period_ends_at == datetime.fromtimestamp(1_800_000_000, UTC)

    def test_every_example_is_read_or_has_a_reason(self) -> None:
        for path in sorted((FOLDER / "payloads" / "stripe").glob("*.json")):
            made = read(path.read_bytes(), listed=True)
            assert made.events or made.reason, path.name


@needs_shared
@pytest.mark.proves("spec")
def test_what_the_practice_account_sends_is_as_stripe_describes_it() -> None:
    simulator = StripeSimulator()
    account = simulator.account
    payment, plan = account.take(2440, "usd"), account.subscribe(2000)
    account.renew(plan)
    account.declining = True
    account.renew(plan)
    account.dispute(payment)
    account.end(plan)
    events = [orjson.loads(orjson.dumps(each)) for each in account.held["events"].values()]
    assert {each["type"] for each in events} >= set(TRIGGERS.topics) - {
        "refund.created", "refund.updated", "refund.failed", "customer.subscription.paused",
        "customer.subscription.resumed",
    }  # fmt: skip
    assert [problem for each in events for problem in event_problems(each)] == []


@pytest.mark.proves("environments")
@pytest.mark.parametrize(
    ("environment", "livemode", "ours"),
    [
        (Environment.SANDBOX, False, True),
        (Environment.SANDBOX, True, False),
        (Environment.PRODUCTION, True, True),
        (Environment.PRODUCTION, False, False),
        (Environment.PRODUCTION, None, False),
    ],
)
def test_test_and_live_never_mix(environment: Environment, livemode: bool | None, ours: bool) -> None:
    delivery = Delivery("pay", {}, orjson.dumps({"id": "evt_1", "livemode": livemode}), NOW)
    assert (belongs(delivery, pay(environment)) == "") is ours


def test_what_a_connected_account_sends_is_not_ours() -> None:
    delivery = Delivery("pay", {}, b'{"livemode": false, "account": "acct_2"}', NOW)
    assert "acct_2" in belongs(delivery, pay())
    assert belongs(Delivery("pay", {}, b"[]", NOW), pay()) == ""


def test_what_is_of_no_use_and_thin_events_have_a_reason() -> None:
    assert "no use for Stripe's customer.created" in read(b'{"object": "event", "type": "customer.created"}').reason
    assert "thin event" in read(b'{"object": "v2.core.event", "type": "v1.invoice.paid"}').reason


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"{}",
        b'{"object": "event", "type": "invoice.paid", "created": 1}',
        b'{"object": "event", "type": "invoice.paid", "created": "x", "data": {"object": {}}}',
        b'{"object": "event", "type": "refund.created", "created": 1, "data": {"object": {"status": "succeeded"}}}',
    ],
)
def test_what_cannot_be_read_is_said(body: bytes) -> None:
    with pytest.raises(CannotNormalise, match="isn't what Stripe describes"):
        read(body)
