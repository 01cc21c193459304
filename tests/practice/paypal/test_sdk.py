"""PayPal's own client library gets along with the practice app. It knows no webhooks."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bellwire.practice import Practice
from bellwire.practice.paypal import PayPalSimulator
from tests.samples import usd

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from paypalserversdk.configuration import Configuration, Environment, Server
    from paypalserversdk.exceptions.error_exception import ErrorException
    from paypalserversdk.exceptions.o_auth_provider_exception import OAuthProviderException
    from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
    from paypalserversdk.models.money import Money
    from paypalserversdk.models.refund_request import RefundRequest
    from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

pytestmark = pytest.mark.proves("sdk")

Client = Callable[..., Any]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["paypal"]) as running:
        yield running


@pytest.fixture
def paypal(practice: Practice) -> PayPalSimulator:
    simulator = practice.simulators["paypal"]
    assert isinstance(simulator, PayPalSimulator)
    return simulator


@pytest.fixture
def client(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Client:
    """The library, signed in; it knows PayPal's addresses only, unless told otherwise."""
    here = {Environment.SANDBOX: {Server.DEFAULT: practice.base_url("paypal")}}
    monkeypatch.setattr(Configuration, "environments", here)

    def make(client_id: str = "practice-client") -> Any:
        who = ClientCredentialsAuthCredentials(
            o_auth_client_id=client_id, o_auth_client_secret="practice-client-secret"
        )
        return PaypalServersdkClient(environment=Environment.SANDBOX, client_credentials_auth_credentials=who)

    return make


async def do(method: Callable[..., Any], options: Any) -> Any:
    return (await asyncio.to_thread(method, options)).body


async def test_a_payment_is_read_and_given_back_once(paypal: PayPalSimulator, client: Client) -> None:
    paid, payments = paypal.take(usd("24.40"), "1001"), client().payments
    found = await do(payments.get_captured_payment, {"capture_id": paid})
    assert (found.status, found.amount.value, found.invoice_id) == ("COMPLETED", "24.40", "1001")
    wanted = {
        "capture_id": paid,
        "paypal_request_id": "one",
        "prefer": "return=representation",
        "body": RefundRequest(amount=Money(currency_code="USD", value="5.00"), custom_id="R-1"),
    }
    made = [await do(payments.refund_captured_payment, wanted) for _ in range(2)]
    assert made[0].id == made[1].id and len(paypal.account.refunds) == 1
    refund = await do(payments.get_refund, {"refund_id": made[0].id})
    assert (refund.status, refund.amount.value, refund.custom_id) == ("COMPLETED", "5.00", "R-1")


async def test_an_order_tells_who_paid_and_what_was_given_back(paypal: PayPalSimulator, client: Client) -> None:
    paid = paypal.take(usd("24.40"))
    paypal.account.give_back(paid, {})
    (order,) = paypal.account.orders
    found = await do(client().orders.get_order, {"id": order})
    assert found.payer.email_address == "robin@example.com"
    assert [each.amount.value for each in found.purchase_units[0].payments.refunds] == ["24.40"]


async def test_what_is_refused_is_told_as_paypal_tells_it(paypal: PayPalSimulator, client: Client) -> None:
    wanted = {
        "capture_id": paypal.take(usd("24.40")),
        "body": RefundRequest(amount=Money(currency_code="USD", value="99.00")),
    }
    with pytest.raises(ErrorException) as caught:
        await do(client().payments.refund_captured_payment, wanted)
    assert caught.value.response_code == 422
    assert caught.value.details[0].issue == "REFUND_AMOUNT_EXCEEDED"


async def test_another_client_is_not_signed_in(client: Client) -> None:
    with pytest.raises(OAuthProviderException):
        await asyncio.to_thread(client("somebody else").auth_managers["Oauth2"].fetch_token)
