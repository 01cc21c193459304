"""Stripe's errors, in words that an owner understands."""

from typing import Any

import orjson
import pytest

from bellwire.capabilities.payments import ReadPayment, RefundPayment
from bellwire.connectors.kit import Answer
from bellwire.connectors.stripe.errors import explain
from bellwire.errors import Refused, Transient, VendorError
from bellwire.practice import Fault, FaultKind
from bellwire.practice.stripe import StripeSimulator
from tests import faults
from tests.connectors.stripe.conftest import Calling
from tests.samples import usd

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("errors")]


def answer(status: int, error: Any = None, **headers: str) -> Answer:
    body = orjson.dumps({"error": error}) if error is not None else b"<html>"
    return Answer(status, headers, body, "POST", "/v1/refunds")


@faults.each_of_a_write
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Calling, stripe: StripeSimulator, kind: FaultKind, error: type[VendorError]
) -> None:
    paid, made = stripe.account.take(2440, "usd"), calling()
    given = RefundPayment(payment_id=paid, amount=usd("5.00"))
    refund = made.connection.connector.actions["payments.refund"]
    stripe.faults.add(Fault(kind=kind, match="POST"))
    with pytest.raises(error):
        await refund(made, given)
    await refund(made, given)
    assert len(stripe.account.held["refunds"]) == 1


async def test_what_stripe_does_not_have_is_said(calling: Calling) -> None:
    made = calling()
    for name in ("pi_none", "ch_none"):
        with pytest.raises(Refused, match="nothing of this id") as caught:
            await made.connection.connector.actions["payments.read_payment"](made, ReadPayment(payment_id=name))
        assert caught.value.cause == "unknown-id" and "test and live" in caught.value.remedy


async def test_what_can_not_be_given_back_is_said(calling: Calling, stripe: StripeSimulator) -> None:
    disputed, returned, small = (stripe.account.take(2440, "usd") for _ in range(3))
    stripe.account.dispute(disputed)
    stripe.account.give_back(stripe.account.charge_of(returned), None, {})
    made, causes = calling(), []
    for payment in (disputed, returned, small):
        given = RefundPayment(payment_id=payment, amount=usd("24.41"))
        with pytest.raises(Refused) as caught:
            await made.connection.connector.actions["payments.refund"](made.part(payment), given)
        causes.append(caught.value.cause)
    assert causes == ["disputed", "already-refunded", "invalid-request-error"]
    assert "greater than what is left" in caught.value.sentence


@pytest.mark.parametrize(
    ("given", "kind", "cause"),
    [
        (answer(409, {"type": "invalid_request_error"}), Transient, "conflict"),
        (answer(400, {"code": "lock_timeout"}), Transient, "conflict"),
        (answer(400, {"code": "x"}, **{"stripe-should-retry": "true"}), Transient, "conflict"),
        (answer(403, {"message": "no permission"}), Refused, "no-permission"),
        (answer(402, {"type": "card_error", "code": "expired_card"}), Refused, "declined:expired_card"),
        (answer(400, {"type": "idempotency_error", "message": "other parameters"}), Refused, "idempotency-error"),
        (answer(400, {"code": "balance_insufficient"}), Refused, "no-balance"),
        (answer(418), Refused, "refused-418"),
        (answer(400, "invalid_grant"), Refused, "refused-400"),
    ],
)
async def test_each_answer_has_its_class(given: Answer, kind: type[VendorError], cause: str) -> None:
    error = explain(given)
    assert type(error) is kind and error.cause == cause


@pytest.mark.parametrize("status", [200, 401, 429, 500, 503])
async def test_what_the_status_says_is_left_to_it(status: int) -> None:
    assert explain(answer(status, {"code": "x"})) is None
