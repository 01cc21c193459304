"""What the practice account refuses, and how it remembers."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.money import Money
from bellwire.practice import Practice, Processor
from bellwire.practice.roles import GivenBack
from bellwire.practice.stripe import StripeSimulator
from bellwire.practice.stripe.forms import read_form


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["stripe"]) as running:
        yield running


@pytest.fixture
def stripe(practice: Practice) -> StripeSimulator:
    simulator = practice.simulators["stripe"]
    assert isinstance(simulator, StripeSimulator)
    return simulator


@pytest.fixture
async def http(practice: Practice) -> AsyncIterator[aiohttp.ClientSession]:
    base, key = practice.base_url("stripe"), {"Authorization": "Bearer rk_test_practice"}
    async with aiohttp.ClientSession(base + "/v1/", headers=key) as session:
        yield session


async def post(http: aiohttp.ClientSession, path: str, form: dict[str, str], **headers: str) -> tuple[int, Any]:
    async with http.post(path, data=form, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"payment_intent": "pi_none"}, 400, "resource_missing"),
        ({}, 400, "parameter_missing"),
        ({"payment_intent": "pi_none", "colour": "red"}, 400, "parameter_unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    http: aiohttp.ClientSession, form: dict[str, str], status: int, code: str
) -> None:
    given, told = await post(http, "refunds", form)
    assert (given, told["error"]["code"]) == (status, code)


async def test_a_key_gives_its_first_answer_again_but_a_refused_request_is_forgotten(
    http: aiohttp.ClientSession, stripe: StripeSimulator
) -> None:
    paid = stripe.account.take(2440, "usd")
    key = {"Idempotency-Key": "one"}
    assert (await post(http, "refunds", {"payment_intent": paid, "amount": "9999"}, **key))[0] == 400
    first = await post(http, "refunds", {"payment_intent": paid, "amount": "500"}, **key)
    assert first[0] == 200 and await post(http, "refunds", {"payment_intent": paid, "amount": "500"}, **key) == first
    status, told = await post(http, "refunds", {"payment_intent": paid, "amount": "600"}, **key)
    assert (status, told["error"]["type"]) == (400, "idempotency_error")


async def test_a_decline_is_remembered_by_its_key(http: aiohttp.ClientSession, stripe: StripeSimulator) -> None:
    stripe.account.declining = True
    invoice = stripe.account.bill(2440, "usd")
    declined = await post(http, f"invoices/{invoice}/pay", {"off_session": "true"}, **{"Idempotency-Key": "one"})
    stripe.account.declining = False
    again = await post(http, f"invoices/{invoice}/pay", {"off_session": "true"}, **{"Idempotency-Key": "one"})
    assert declined[0] == 402 and again == declined


async def test_a_version_that_is_none_is_refused_and_the_right_one_echoed(http: aiohttp.ClientSession) -> None:
    async with http.get("events", headers={"Stripe-Version": "latest"}) as answer:
        assert answer.status == 400
    async with http.get("events", headers={"Stripe-Version": "2026-06-24.dahlia"}) as answer:
        assert (answer.status, answer.headers["Stripe-Version"]) == (200, "2026-06-24.dahlia")


def test_as_a_processor_it_tells_what_was_given_back() -> None:
    stripe = StripeSimulator()
    assert isinstance(stripe, Processor)
    paid = stripe.take(Money.of("24.40", "USD"), "1001")
    refund = stripe.account.give_back(stripe.account.charge_of(paid), 500, {})
    assert stripe.refunds() == [GivenBack(refund["id"], paid, Money.of("5", "USD"))]


async def test_a_refund_that_fails_is_with_the_shop_again(stripe: StripeSimulator) -> None:
    account = stripe.account
    account.slow_refunds = True
    charge = account.charge_of(account.take(2440, "usd"))
    account.settle(account.give_back(charge, 500, {})["id"], failed=True)
    account.settle(account.give_back(charge, 700, {})["id"])
    assert charge["amount_refunded"] == 700
    assert [each["type"] for each in account.held["events"].values()][-3:] == [
        "refund.failed", "refund.created", "refund.updated"
    ]  # fmt: skip


def test_forms_are_read_as_they_are_meant() -> None:
    pairs = [("a", "1"), ("m[x]", "2"), ("m[y]", "3"), ("l[0]", "4"), ("l[1]", "5"), ("e[]", "6"), ("e[]", "7")]
    assert read_form(pairs) == {"a": "1", "m": {"x": "2", "y": "3"}, "l": ["4", "5"], "e": ["6", "7"]}
