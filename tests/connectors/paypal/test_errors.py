"""PayPal's errors, in words that an owner understands."""

from typing import Any

import orjson
import pytest

from bellwire.capabilities.payments import RefundPayment
from bellwire.connectors.kit import Answer
from bellwire.connectors.paypal.errors import explain
from bellwire.errors import OutcomeUnknown, Refused, SignedOut, Transient, VendorError
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.paypal import PayPalSimulator
from tests.connectors.paypal.conftest import Calling
from tests.samples import usd

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("errors")]


def answer(status: int, body: Any = None) -> Answer:
    text = orjson.dumps(body) if body is not None else b"<html>"
    return Answer(status, {"paypal-debug-id": "90957fca61718"}, text, "POST", "/v2/payments/captures/1/refund")


@pytest.mark.parametrize(
    ("kind", "times", "error"),
    [
        (FaultKind.RATE_LIMITED, 1, Transient),
        (FaultKind.FAILED, 1, OutcomeUnknown),
        (FaultKind.LOST_ANSWER, 1, OutcomeUnknown),
        # The token is renewed once.
        (FaultKind.SIGNED_OUT, 2, SignedOut),
    ],
)
async def test_each_fault_has_its_error_and_is_followed_by_recovery(
    calling: Calling, paypal: PayPalSimulator, kind: FaultKind, times: int, error: type[VendorError]
) -> None:
    made = calling()
    given = RefundPayment(payment_id=paypal.take(usd("24.40")), amount=usd("5.00"))
    refund = made.connection.connector.actions["payments.refund"]
    paypal.faults.add(Fault(kind=kind, match="refund", times=times))
    with pytest.raises(error):
        await refund(made, given)
    await refund(made, given)
    assert len(paypal.account.refunds) == 1


async def test_what_can_not_be_given_back_is_said(calling: Calling, paypal: PayPalSimulator) -> None:
    small, returned = (paypal.take(usd("24.40")) for _ in range(2))
    paypal.account.give_back(returned, {})
    pending = paypal.account.take(usd("24.40"), status="PENDING")
    made, causes = calling(), []
    for payment, amount in (
        (small, usd("24.41")),
        (small, Money.of("5", "EUR")),
        (returned, usd("1.00")),
        (pending, usd("1.00")),
        ("NONE", usd("1.00")),
    ):
        with pytest.raises(Refused) as caught:
            given = RefundPayment(payment_id=payment, amount=amount)
            await made.connection.connector.actions["payments.refund"](made.part(f"{payment} {amount}"), given)
        assert caught.value.remedy
        causes.append(caught.value.cause)
    assert causes == [
        "refund-amount-exceeded",
        "refund-capture-currency-mismatch",
        "capture-fully-refunded",
        "pending-capture",
        "unknown-id",
    ]


async def test_an_app_without_the_right_says_where_to_give_it(calling: Calling, paypal: PayPalSimulator) -> None:
    paypal.scopes = {scope for scope in paypal.scopes if not scope.endswith("/refund")}
    made, given = calling(), RefundPayment(payment_id=paypal.take(usd("24.40")), amount=usd("5.00"))
    with pytest.raises(Refused) as caught:
        await made.connection.connector.actions["payments.refund"](made, given)
    assert caught.value.cause == "no-permission" and "developer.paypal.com" in caught.value.remedy


@pytest.mark.parametrize(
    ("given", "kind", "cause"),
    [
        (
            answer(409, {"name": "RESOURCE_CONFLICT", "details": [{"issue": "PREVIOUS_REQUEST_IN_PROGRESS"}]}),
            Transient,
            "conflict",
        ),
        (
            answer(422, {"name": "X", "details": [{"issue": "REFUND_TIME_LIMIT_EXCEEDED"}]}),
            Refused,
            "refund-time-limit-exceeded",
        ),
        (answer(422, {"name": "UNPROCESSABLE_ENTITY", "message": "No."}), Refused, "unprocessable-entity"),
        (answer(404, {"name": "RESOURCE_NOT_FOUND"}), Refused, "unknown-id"),
        (answer(418), Refused, "refused-418"),
        (answer(400, ["odd"]), Refused, "refused-400"),
    ],
)
async def test_each_answer_has_its_class_and_the_id_that_paypal_asks_for(
    given: Answer, kind: type[VendorError], cause: str
) -> None:
    error = explain(given)
    assert type(error) is kind and error.cause == cause
    assert "90957fca61718" in error.detail


@pytest.mark.parametrize("status", [200, 201, 204, 401, 429, 500, 503])
async def test_what_the_status_says_is_left_to_it(status: int) -> None:
    assert explain(answer(status, {"name": "X"})) is None
