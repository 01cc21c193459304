"""Payments at Square: looked at, and given back."""

from typing import Any
from uuid import uuid4

import pytest

from bellwire.capabilities.payments import (
    PaymentRefund,
    PaymentState,
    ReadPayment,
    RefundPayment,
    RefundStatus,
)
from bellwire.connectors.kit import Connection
from bellwire.connectors.square import CONNECTOR
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import PaymentStatus
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind, Processor
from bellwire.practice.square import SquareSimulator
from tests import faults
from tests.connecting import call
from tests.openapi import described
from tests.samples import usd
from tests.shared import needs_shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ, REFUND = CONNECTOR.actions["payments.read_payment"], CONNECTOR.actions["payments.refund"]


async def read(till: Connection, payment_id: str) -> PaymentState:
    state = await READ(call(till), ReadPayment(payment_id=payment_id))
    assert isinstance(state, PaymentState)
    return state


async def give_back(
    till: Connection, payment_id: str, amount: Money, *, key: str = "", again: bool = False, **more: Any
) -> PaymentRefund:
    given = RefundPayment(payment_id=payment_id, amount=amount, **more)
    made = await REFUND(call(till, key=key or uuid4().hex, again=again), given)
    assert isinstance(made, PaymentRefund)
    return made


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("COMPLETED", PaymentStatus.SUCCEEDED),
        ("APPROVED", PaymentStatus.PENDING),
        ("PENDING", PaymentStatus.PENDING),
        ("CANCELED", PaymentStatus.CANCELLED),
        ("FAILED", PaymentStatus.FAILED),
    ],
)
async def test_a_payment_is_read_as_it_stands(
    seller: SquareSimulator, till: Connection, status: str, expected: PaymentStatus
) -> None:
    payment = seller.takings.take(usd("24.40"), reference="1001", status=status)
    state = await read(till, payment)
    assert (state.id, state.status, state.amount, state.refunded) == (payment, expected, usd("24.40"), usd("0"))
    assert (state.reference, state.customer_email) == ("1001", "robin@example.com")


async def test_a_currency_without_cents_is_read_and_given_back_as_it_is(
    seller: SquareSimulator, till: Connection
) -> None:
    payment = seller.take(Money.of(2440, "JPY"))
    assert (await give_back(till, payment, Money.of(440, "JPY"))).amount == Money.of(440, "JPY")
    assert (await read(till, payment)).refunded == Money.of(440, "JPY")


async def test_money_is_given_back_and_what_people_know_it_by_ends_its_reason(
    seller: SquareSimulator, till: Connection
) -> None:
    payment = seller.take(usd("24.40"))
    made = await give_back(till, payment, usd("8.50"), reason="Broken mug", reference="R-1")
    assert (made.payment_id, made.amount, made.status) == (payment, usd("8.50"), RefundStatus.PENDING)
    assert seller.takings.refunds[made.id]["reason"] == "Broken mug (R-1)"
    assert (await read(till, payment)).refunded == usd("8.50")


@pytest.mark.parametrize(
    ("said", "reason"),
    [({"reference": "R-1"}, "R-1"), ({"reason": "Broken"}, "Broken"), ({}, None)],
)
async def test_a_reason_is_made_of_what_there_is(
    seller: SquareSimulator, till: Connection, said: dict[str, Any], reason: str | None
) -> None:
    made = await give_back(till, seller.take(usd("24.40")), usd("8.50"), **said)
    assert seller.takings.refunds[made.id].get("reason") == reason


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.FAILED])
async def test_a_refund_whose_outcome_is_unknown_is_made_once(
    seller: SquareSimulator, till: Connection, kind: FaultKind
) -> None:
    assert isinstance(seller, Processor)
    payment, key = seller.take(usd("24.40")), uuid4().hex
    seller.faults.add(Fault(kind=kind, match="POST /v2/refunds"))
    with pytest.raises(OutcomeUnknown):
        await give_back(till, payment, usd("24.40"), key=key)
    made = await give_back(till, payment, usd("24.40"), key=key, again=True)
    assert [(each.id, each.amount) for each in seller.refunds() if each.payment_id == payment] == [
        (made.id, usd("24.40"))
    ]


@pytest.mark.proves("errors")
async def test_more_than_is_left_is_refused_in_words(seller: SquareSimulator, till: Connection) -> None:
    payment = seller.take(usd("24.40"))
    await give_back(till, payment, usd("20.00"))
    with pytest.raises(Refused, match="more than is left of the payment") as refused:
        await give_back(till, payment, usd("20.00"))
    assert (refused.value.cause, bool(refused.value.remedy)) == ("refund-amount-invalid", True)


@pytest.mark.proves("errors")
async def test_what_cant_be_given_back_is_refused_with_what_to_do(seller: SquareSimulator, till: Connection) -> None:
    approved, disputed = seller.takings.take(usd("24.40"), status="APPROVED"), seller.take(usd("24.40"))
    seller.takings.dispute(disputed)
    for payment, amount, cause in [
        (approved, usd("1.00"), "refund-error-payment-needs-completion"),
        (disputed, usd("1.00"), "payment-not-refundable-due-to-dispute"),
        (seller.take(usd("24.40")), Money.of(1, "EUR"), "currency-mismatch"),
    ]:
        with pytest.raises(Refused) as refused:
            await give_back(till, payment, amount)
        assert refused.value.cause == cause
        assert refused.value.remedy and "Square" in f"{refused.value.sentence} {refused.value.remedy}"


@pytest.mark.proves("errors")
async def test_an_unknown_payment_is_refused_in_squares_words(till: Connection) -> None:
    with pytest.raises(Refused, match="Could not find payment") as refused:
        await read(till, "GONE")
    assert refused.value.cause == "not-found"


@pytest.mark.proves("errors")
@faults.each_of_a_read
async def test_a_failure_to_read_is_of_the_class_that_says_what_to_do(
    seller: SquareSimulator, till: Connection, kind: FaultKind, error: type[Exception]
) -> None:
    payment = seller.take(usd("24.40"))
    seller.faults.add(Fault(kind=kind, times=2))
    with pytest.raises(error):
        await read(till, payment)


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_square_describes_them(seller: SquareSimulator, till: Connection) -> None:
    for status in ("COMPLETED", "APPROVED", "CANCELED", "FAILED"):
        await read(till, seller.takings.take(usd("24.40"), reference="1001", status=status))
    payment = seller.take(usd("24.40"))
    made = await give_back(till, payment, usd("8.50"), reason="Broken", reference="R-1")
    seller.takings.settle(made.id)
    await read(till, payment)
    for amount in (usd("20.00"), Money.of(1, "EUR")):
        with pytest.raises(Refused):
            await give_back(till, payment, amount)
    square = described("square")
    assert [problem for received in seller.received for problem in square.problems(received)] == []
    for received in seller.received:
        if received.failed:
            assert [problem for error in received.answer["errors"] for problem in square.schema("Error", error)] == []
