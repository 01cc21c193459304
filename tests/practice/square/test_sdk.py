"""Square's own client library gets along with the practice seller, and takes what it signs."""

from collections.abc import AsyncIterator

import pytest
from square import AsyncSquare
from square.core.api_error import ApiError
from square.utils.webhooks_helper import verify_signature

from bellwire.connectors.square import CONNECTOR
from bellwire.practice import Practice
from bellwire.practice.square import SquareSimulator
from bellwire.practice.square.tokens import APPLICATION, CODE, OWN, REFRESH, SECRET
from tests.connecting import connection
from tests.samples import NOW, usd

pytestmark = pytest.mark.proves("sdk")

URL = "https://hooks.example.com/hooks/till"


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["square"]) as running:
        yield running


@pytest.fixture
def seller(practice: Practice) -> SquareSimulator:
    simulator = practice.simulators["square"]
    assert isinstance(simulator, SquareSimulator)
    return simulator


@pytest.fixture
def sdk(practice: Practice) -> AsyncSquare:
    return AsyncSquare(base_url=practice.base_url("square"), token=OWN, version="2025-08-20")


async def test_payments_are_listed_read_and_given_back(seller: SquareSimulator, sdk: AsyncSquare) -> None:
    seller.takings.page_size = 1
    taken = [seller.take(usd("24.40"), "1001"), seller.take(usd("9.00"))]
    pages = await sdk.payments.list(sort_field="UPDATED_AT", sort_order="ASC")
    assert [payment.id async for payment in pages] == taken
    payment = (await sdk.payments.get(taken[0])).payment
    assert payment is not None and payment.total_money is not None
    assert (payment.total_money.amount, payment.status) == (2440, "COMPLETED")
    made = await sdk.refunds.refund_payment(
        idempotency_key="one", amount_money={"amount": 850, "currency": "USD"}, payment_id=taken[0], reason="Broken"
    )
    assert made.refund is not None and made.refund.status == "PENDING"
    assert [refund.id async for refund in await sdk.refunds.list()] == [made.refund.id]
    with pytest.raises(ApiError) as refused:
        await sdk.refunds.refund_payment(
            idempotency_key="two", amount_money={"amount": 9999, "currency": "USD"}, payment_id=taken[0]
        )
    assert refused.value.status_code == 400


async def test_stock_is_counted_and_disputes_are_listed(seller: SquareSimulator, sdk: AsyncSquare) -> None:
    counts = await sdk.inventory.batch_get_counts(catalog_object_ids=["VAR-TEA-100"], states=["IN_STOCK"])
    assert [count.quantity async for count in counts] == ["120"]
    dispute = seller.takings.dispute(seller.take(usd("9.00")))
    assert [each.id async for each in await sdk.disputes.list()] == [dispute]


async def test_a_token_is_bought_and_told_about(sdk: AsyncSquare) -> None:
    wanted = {"client_id": APPLICATION, "client_secret": SECRET}
    bought = await sdk.o_auth.obtain_token(grant_type="authorization_code", code=CODE, **wanted)
    assert (bought.refresh_token, bool(bought.access_token)) == (REFRESH, True)
    status = await sdk.o_auth.retrieve_token_status()
    assert (status.client_id, set(status.scopes or ())) == (APPLICATION, set(CONNECTOR.manifest.scopes))


async def test_a_subscription_is_made_and_the_library_takes_what_practice_and_we_sign(
    seller: SquareSimulator, sdk: AsyncSquare
) -> None:
    made = await sdk.webhooks.subscriptions.create(
        subscription={"name": "Ours", "event_types": ["payment.updated"], "notification_url": URL}
    )
    assert made.subscription is not None
    key = made.subscription.signature_key
    assert key
    sent = seller.webhook("payment.updated", seller.take(usd("9.00")), url=URL, key=key)
    ours = connection("square", settings=seller.settings).webhook
    assert ours is not None
    signed = ours.sign(sent.body, key, delivery_id="", now=NOW, url=URL)
    for signature in (sent.headers["x-square-hmacsha256-signature"], signed["x-square-hmacsha256-signature"]):
        about = {"request_body": sent.body.decode(), "signature_header": signature, "signature_key": key}
        assert verify_signature(**about, notification_url=URL)
        assert not verify_signature(**about, notification_url=URL + "/")
