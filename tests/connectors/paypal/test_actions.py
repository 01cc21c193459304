"""The actions against a practice app, on good days and bad."""

import dataclasses
from typing import Any

import pytest

from bellwire.capabilities.payments import ReadPayment, RefundPayment, RefundStatus
from bellwire.connectors.kit import Call
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import PaymentStatus
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.paypal import PayPalSimulator
from tests.connectors.paypal.conftest import Calling
from tests.connectors.paypal.described import problems
from tests.samples import usd
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def read(call: Call, payment: str) -> Any:
    return await call.connection.connector.actions["payments.read_payment"](call, ReadPayment(payment_id=payment))


async def refund(call: Call, payment: str, amount: Money, **given: str) -> Any:
    wanted = RefundPayment(payment_id=payment, amount=amount, **given)
    return await call.connection.connector.actions["payments.refund"](call, wanted)


class TestPayments:
    async def test_a_payment_is_read_with_what_people_look_for(self, calling: Calling, paypal: PayPalSimulator) -> None:
        paid, made = paypal.take(usd("24.40"), "1001"), calling()
        await refund(made.part("one"), paid, usd("5.00"))
        paypal.account.slow_refunds = True
        await refund(made.part("two"), paid, usd("1.00"))
        found = await read(made, paid)
        assert (found.id, found.status, found.amount) == (paid, PaymentStatus.SUCCEEDED, usd("24.40"))
        assert (found.refunded, found.reference) == (usd("6.00"), "1001")
        assert found.customer_email == "robin@example.com"

    async def test_a_refund_that_failed_is_not_given_back(self, calling: Calling, paypal: PayPalSimulator) -> None:
        paid, made = paypal.take(usd("24.40")), calling()
        paypal.account.slow_refunds = True
        paypal.account.settle((await refund(made, paid, usd("5.00"))).id, failed=True)
        assert (await read(made, paid)).refunded == usd("0.00")

    async def test_the_shop_may_write_its_number_elsewhere(self, calling: Calling, paypal: PayPalSimulator) -> None:
        paid = paypal.take(usd("24.40"), "INV-1")
        paypal.account.captures[paid]["custom_id"] = "1001"
        assert (await read(calling(), paid)).reference == "INV-1"
        assert (await read(calling(connected={"settings": {"reference": "custom_id"}}), paid)).reference == "1001"

    @pytest.mark.parametrize(
        ("status", "known"),
        [
            ("PENDING", PaymentStatus.PENDING),
            ("DECLINED", PaymentStatus.FAILED),
            ("FAILED", PaymentStatus.FAILED),
            ("REFUNDED", PaymentStatus.SUCCEEDED),
        ],
    )
    async def test_each_status_is_known(
        self, calling: Calling, paypal: PayPalSimulator, status: str, known: PaymentStatus
    ) -> None:
        found = await read(calling(), paypal.account.take(usd("24.40"), status=status))
        assert (found.status, found.refunded) == (known, usd("24.40" if status == "REFUNDED" else "0"))

    async def test_a_payment_of_a_subscription_has_no_order_that_says_what_was_given_back(
        self, calling: Calling, paypal: PayPalSimulator
    ) -> None:
        paid = paypal.take(usd("24.40"))
        paypal.account.captures[paid] |= {"supplementary_data": {}, "links": []}
        assert (await read(calling(), paid)).refunded == usd("0")
        paypal.account.captures[paid]["status"] = "PARTIALLY_REFUNDED"
        with pytest.raises(Refused) as caught:
            await read(calling(), paid)
        assert caught.value.cause == "refunded-unknown" and caught.value.remedy


class TestRefunds:
    async def test_a_part_is_given_back_with_what_it_is_known_by(
        self, calling: Calling, paypal: PayPalSimulator
    ) -> None:
        paid = paypal.take(usd("24.40"))
        made = await refund(calling(), paid, usd("5"), reason="Looked like fraud", reference="R-1")
        (held,) = paypal.account.refunds.values()
        assert (made.id, made.payment_id, made.amount, made.status) == (held["id"], paid, usd("5"), RefundStatus.DONE)
        assert (held["amount"]["value"], held["custom_id"]) == ("5.00", "R-1")
        assert "fraud" not in str(paypal.received), "the payer would see it"

    async def test_one_that_takes_its_time_is_pending(self, calling: Calling, paypal: PayPalSimulator) -> None:
        paypal.account.slow_refunds = True
        assert (await refund(calling(), paypal.take(usd("24.40")), usd("5"))).status is RefundStatus.PENDING

    async def test_a_lost_answer_gives_back_once_and_tells_what_has_become_of_it(
        self, calling: Calling, paypal: PayPalSimulator
    ) -> None:
        paid, first = paypal.take(usd("24.40")), calling()
        paypal.account.slow_refunds = True
        paypal.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="refund"))
        with pytest.raises(OutcomeUnknown):
            await refund(first, paid, usd("5"))
        (held,) = paypal.account.refunds.values()
        paypal.account.settle(held["id"])
        again = await refund(dataclasses.replace(first, again=True), paid, usd("5"))
        assert (again.id, again.status, len(paypal.account.refunds)) == (held["id"], RefundStatus.DONE, 1)

    async def test_yen_have_no_decimals_and_parts_of_cents_are_refused(
        self, calling: Calling, paypal: PayPalSimulator
    ) -> None:
        await refund(calling(), paypal.take(Money.of("500", "JPY")), Money.of("200", "JPY"))
        assert next(iter(paypal.account.refunds.values()))["amount"]["value"] == "200"
        with pytest.raises(Refused, match="2 decimals") as caught:
            await refund(calling(), paypal.take(usd("24.40")), usd("0.001"))
        assert caught.value.cause == "amount"


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_paypal_describes_them(calling: Calling, paypal: PayPalSimulator) -> None:
    paid, made = paypal.take(usd("24.40"), "1001"), calling()
    await refund(made, paid, usd("5"), reference="R-1")
    await refund(dataclasses.replace(made, again=True), paid, usd("5"), reference="R-1")
    await read(made, paid)
    assert {request.path.split("/")[2] for request in paypal.received} == {"oauth2", "payments", "checkout"}
    assert [problem for request in paypal.received for problem in problems(request)] == []


@pytest.mark.proves("version")
async def test_each_call_has_its_version_in_its_path_and_an_announcement_is_noticed(
    calling: Calling, paypal: PayPalSimulator
) -> None:
    paid, made = paypal.take(usd("24.40")), calling()
    await refund(made, paid, usd("5"))
    assert made.api.notices == {}
    paypal.announced = {"Deprecation": "@1798761600", "Sunset": "Fri, 31 Dec 2027 23:59:59 GMT"}
    await read(made, paid)
    assert made.api.notices == paypal.announced
    assert all(request.path.startswith(("/v1/", "/v2/")) for request in paypal.received)
