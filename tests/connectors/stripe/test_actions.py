"""The actions against a practice account, on good days and bad."""

import dataclasses
from typing import Any

import pytest

from bellwire.capabilities import Given
from bellwire.capabilities.payments import ReadPayment, RefundPayment, RefundStatus
from bellwire.connectors.kit import Call
from bellwire.connectors.stripe.actions import PayInvoice
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import PaymentStatus
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.stripe import StripeSimulator
from tests.connectors.stripe.conftest import Calling
from tests.connectors.stripe.described import problems
from tests.samples import usd
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def do(call: Call, name: str, given: Given) -> Any:
    return await call.connection.connector.actions[name](call, given)


async def read(call: Call, payment: str) -> Any:
    return await do(call, "payments.read_payment", ReadPayment(payment_id=payment))


async def refund(call: Call, payment: str, amount: Money, **given: str) -> Any:
    return await do(call, "payments.refund", RefundPayment(payment_id=payment, amount=amount, **given))


async def pay(call: Call, invoice: str) -> Any:
    return await do(call, "stripe.pay_invoice", PayInvoice(invoice_id=invoice))


def owed(stripe: StripeSimulator) -> str:
    """An invoice that a card was declined for."""
    stripe.account.declining = True
    invoice = stripe.account.bill(2440, "usd")
    stripe.account.declining = False
    return invoice


class TestPayments:
    async def test_a_payment_is_read_with_what_people_look_for(self, calling: Calling, stripe: StripeSimulator) -> None:
        paid = stripe.account.take(2440, "usd", metadata={"order_id": "1001"}, email="robin@example.com")
        await refund(calling(), paid, usd("5.00"))
        found = await read(calling(), paid)
        assert (found.id, found.status, found.amount) == (paid, PaymentStatus.SUCCEEDED, usd("24.40"))
        assert (found.refunded, found.reference, found.customer_email) == (usd("5.00"), "1001", "robin@example.com")

    async def test_the_shop_may_write_its_number_elsewhere(self, calling: Calling, stripe: StripeSimulator) -> None:
        paid = stripe.account.take(2440, "usd", metadata={"basket": "B-7"})
        found = await read(calling(connected={"settings": {"reference": "basket"}}), paid)
        assert found.reference == "B-7"

    async def test_a_charge_and_an_invoice_lead_to_the_payment(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice = stripe.account.bill(2440, "usd")
        (intent,) = stripe.account.held["payment_intents"]
        for name in (invoice, stripe.account.charge_of(intent)["id"]):
            found = await read(calling(), name)
            assert (found.id, found.status, found.amount) == (name, PaymentStatus.SUCCEEDED, usd("24.40"))
        await refund(calling(), invoice, usd("1.00"))
        await refund(calling(), stripe.account.charge_of(intent)["id"], usd("1.00"))
        assert (await read(calling(), intent)).refunded == usd("2.00")

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"status": "processing"}, PaymentStatus.PENDING),
            ({"status": "requires_payment_method"}, PaymentStatus.PENDING),
            (
                {
                    "status": "requires_payment_method",
                    "last_payment_error": {"code": "card_declined", "type": "card_error"},
                },
                PaymentStatus.FAILED,
            ),
            ({"status": "canceled"}, PaymentStatus.CANCELLED),
        ],
    )
    async def test_each_status_is_known(
        self, calling: Calling, stripe: StripeSimulator, changes: dict[str, Any], status: PaymentStatus
    ) -> None:
        paid = stripe.account.take(2440, "usd")
        stripe.account.held["payment_intents"][paid] |= changes
        assert (await read(calling(), paid)).status is status

    async def test_an_invoice_without_a_payment_is_refused(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice = stripe.account.bill(2440, "usd")
        stripe.account.held["invoice_payments"].clear()
        with pytest.raises(Refused, match="no payments") as caught:
            await read(calling(), invoice)
        assert caught.value.cause == "no-payment"

    @pytest.mark.proves("paging")
    async def test_of_an_invoice_with_many_tries_the_payment_that_went_through_counts(
        self, calling: Calling, stripe: StripeSimulator
    ) -> None:
        invoice = stripe.account.bill(2440, "usd")
        (paid,) = stripe.account.held["invoice_payments"].values()
        for number in range(230):
            other = {**paid, "id": f"inpay_{number}", "status": "open", "payment": {"type": "payment_intent"}}
            stripe.account.held["invoice_payments"][other["id"]] = other
        assert (await read(calling(), invoice)).amount == usd("24.40")
        assert [request.path for request in stripe.received].count("/v1/invoice_payments") == 3


class TestRefunds:
    async def test_a_part_is_given_back_with_what_it_is_known_by(
        self, calling: Calling, stripe: StripeSimulator
    ) -> None:
        paid = stripe.account.take(2440, "usd")
        made = await refund(calling(), paid, usd("5.00"), reason="Damaged", reference="R-1")
        (held,) = stripe.account.held["refunds"].values()
        assert (made.id, made.payment_id, made.amount, made.status) == (
            held["id"],
            paid,
            usd("5.00"),
            RefundStatus.DONE,
        )
        assert (held["amount"], held["metadata"]["reason"], held["metadata"]["reference"]) == (500, "Damaged", "R-1")

    async def test_one_that_takes_its_time_is_pending(self, calling: Calling, stripe: StripeSimulator) -> None:
        stripe.account.slow_refunds = True
        made = await refund(calling(), stripe.account.take(2440, "usd"), usd("5.00"))
        assert made.status is RefundStatus.PENDING

    @pytest.mark.proves("paging")
    async def test_a_repeat_finds_it_behind_many_others_when_stripe_has_forgotten_the_key(
        self, calling: Calling, stripe: StripeSimulator
    ) -> None:
        paid = stripe.account.take(100_000, "usd")
        first = calling()
        made = await refund(first, paid, usd("5.00"))
        for _ in range(120):
            stripe.account.give_back(stripe.account.charge_of(paid), 100, {})
        stripe.forget()
        assert await refund(dataclasses.replace(first, again=True), paid, usd("5.00")) == made
        assert len(stripe.account.held["refunds"]) == 121

    async def test_two_refunds_of_the_same_amount_are_two(self, calling: Calling, stripe: StripeSimulator) -> None:
        paid = stripe.account.take(2440, "usd")
        await refund(calling(), paid, usd("5.00"))
        await refund(calling(again=True), paid, usd("5.00"))
        assert len(stripe.account.held["refunds"]) == 2

    @pytest.mark.proves("errors")
    async def test_another_currency_and_parts_of_cents_are_refused_before_anything_is_sent(
        self, calling: Calling, stripe: StripeSimulator
    ) -> None:
        paid = stripe.account.take(2440, "usd")
        for amount, cause in ((Money.of("5", "EUR"), "currency"), (usd("0.001"), "amount")):
            with pytest.raises(Refused) as caught:
                await refund(calling(), paid, amount)
            assert caught.value.cause == cause and caught.value.remedy
        assert not stripe.account.held["refunds"]


class TestInvoices:
    async def test_an_open_invoice_is_charged_again(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice = owed(stripe)
        made = await pay(calling(), invoice)
        assert (made.id, made.status, made.amount) == (invoice, PaymentStatus.SUCCEEDED, usd("24.40"))
        assert stripe.account.held["invoices"][invoice]["attempt_count"] == 1, "attempts by hand aren't counted"

    async def test_one_that_is_paid_meanwhile_is_left_alone(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice = stripe.account.bill(2440, "usd")
        assert (await pay(calling(), invoice)).status is PaymentStatus.SUCCEEDED
        assert len(stripe.account.held["charges"]) == 1

    @pytest.mark.proves("errors")
    async def test_a_decline_is_said_and_a_later_try_of_the_same_action_is_a_real_one(
        self, calling: Calling, stripe: StripeSimulator
    ) -> None:
        """A person retries after the customer has changed the card: Stripe mustn't repeat its first answer."""
        invoice, first = owed(stripe), calling()
        stripe.account.declining = True
        with pytest.raises(Refused, match="Your card has insufficient funds") as caught:
            await pay(first, invoice)
        assert caught.value.cause == "declined:insufficient_funds" and caught.value.remedy
        stripe.account.declining = False
        assert (await pay(first, invoice)).status is PaymentStatus.SUCCEEDED

    async def test_a_void_invoice_is_refused(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice = owed(stripe)
        stripe.account.held["invoices"][invoice]["status"] = "void"
        with pytest.raises(Refused) as caught:
            await pay(calling(), invoice)
        assert caught.value.cause == "not-open"

    async def test_a_lost_answer_charges_once(self, calling: Calling, stripe: StripeSimulator) -> None:
        invoice, first = owed(stripe), calling()
        stripe.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST"))
        with pytest.raises(OutcomeUnknown):
            await pay(first, invoice)
        assert (await pay(dataclasses.replace(first, again=True), invoice)).status is PaymentStatus.SUCCEEDED
        assert sum(charge["paid"] for charge in stripe.account.held["charges"].values()) == 1


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_stripe_describes_them(calling: Calling, stripe: StripeSimulator) -> None:
    paid = stripe.account.take(2440, "usd", metadata={"order_id": "1001"})
    await read(calling(), paid)
    await read(calling(), stripe.account.charge_of(paid)["id"])
    await refund(calling(), paid, usd("5.00"), reason="Damaged", reference="R-1")
    await refund(calling(again=True), paid, usd("6.00"))
    invoice = owed(stripe)
    await pay(calling(again=True), invoice)
    await read(calling(), invoice)
    assert len(stripe.received) > 12
    assert [problem for request in stripe.received for problem in problems(request)] == []


@pytest.mark.proves("version")
async def test_the_pinned_version_is_on_every_call_and_another_in_the_answer_is_noticed(
    calling: Calling, stripe: StripeSimulator
) -> None:
    paid, made = stripe.account.take(2440, "usd"), calling()
    pinned = made.connection.manifest.api_version
    assert made.connection.manifest.headers == {"Stripe-Version": pinned}
    await read(made, paid)
    assert made.api.notices == {}
    stripe.answered_in = "2027-01-27.fern"
    await read(made, paid)
    assert made.api.notices == {"Stripe-Version": f"2027-01-27.fern was used instead of {pinned}"}
