"""Stripe's own client library gets along with the practice account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from stripe import CardError, IdempotencyError, InvalidRequestError, StripeClient

from bellwire.practice import Practice
from bellwire.practice.stripe import StripeSimulator

pytestmark = pytest.mark.proves("sdk")

Sdk = Callable[..., Any]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["stripe"]) as running:
        yield running


@pytest.fixture
def stripe(practice: Practice) -> StripeSimulator:
    simulator = practice.simulators["stripe"]
    assert isinstance(simulator, StripeSimulator)
    simulator.quotas.clear()
    return simulator


@pytest.fixture
def client(practice: Practice) -> Any:
    return StripeClient(
        "rk_test_practice", base_addresses={"api": practice.base_url("stripe")}, max_network_retries=0
    ).v1


async def do(method: Sdk, *given: Any) -> Any:
    return await asyncio.to_thread(method, *given)


async def test_a_payment_is_read_and_given_back_once(stripe: StripeSimulator, client: Any) -> None:
    paid = stripe.account.take(2440, "usd", metadata={"order_id": "1001"})
    found = await do(client.payment_intents.retrieve, paid, {"expand": ["latest_charge"]})
    assert (found.status, found.latest_charge.amount_captured) == ("succeeded", 2440)
    wanted = {"payment_intent": paid, "amount": 500, "metadata": {"reference": "R-1"}}
    made = [await do(client.refunds.create, wanted, {"idempotency_key": "one"}) for _ in range(2)]
    assert made[0].id == made[1].id
    refunds = await do(client.refunds.list, {"payment_intent": paid})
    assert [(each.amount, each.metadata["reference"]) for each in refunds.data] == [(500, "R-1")]
    with pytest.raises(IdempotencyError) as caught:
        await do(client.refunds.create, {**wanted, "amount": 600}, {"idempotency_key": "one"})
    assert caught.value.http_status == 400


async def test_an_invoice_is_charged_again(stripe: StripeSimulator, client: Any) -> None:
    stripe.account.declining = True
    invoice = stripe.account.bill(2440, "usd")
    with pytest.raises(CardError) as caught:
        await do(client.invoices.pay, invoice)
    assert caught.value.code == "card_declined"
    stripe.account.declining = False
    assert (await do(client.invoices.pay, invoice)).status == "paid"
    by = {"payment": {"type": "payment_intent", "payment_intent": next(iter(stripe.account.held["payment_intents"]))}}
    assert [each.invoice for each in (await do(client.invoice_payments.list, by)).data] == [invoice]


async def test_lists_are_read_to_the_last_page(stripe: StripeSimulator, client: Any) -> None:
    for _ in range(25):
        stripe.account.subscribe(2000)

    def ids(**params: Any) -> list[str]:
        events = client.events.list({"types": ["customer.subscription.created"], "limit": 10, **params})
        return [each.id for each in events.auto_paging_iter()]

    newest_first = list(reversed(stripe.account.held["events"]))
    assert await do(ids) == newest_first
    assert await asyncio.to_thread(lambda: ids(ending_before=newest_first[0])) == []


async def test_an_endpoint_is_made_changed_and_removed(stripe: StripeSimulator, client: Any) -> None:
    wanted = {"url": "https://hooks.example.com/pay", "enabled_events": ["invoice.paid"]}
    made = await do(client.webhook_endpoints.create, wanted)
    assert made.secret.startswith("whsec_")
    changed = await do(client.webhook_endpoints.update, made.id, {"disabled": True})
    assert changed.status == "disabled"
    assert [each.url for each in (await do(client.webhook_endpoints.list)).data] == [wanted["url"]]
    assert (await do(client.webhook_endpoints.delete, made.id)).deleted
    with pytest.raises(InvalidRequestError) as caught:
        await do(client.webhook_endpoints.delete, made.id)
    assert (caught.value.code, caught.value.http_status) == ("resource_missing", 404)
