"""What the practice app refuses, and how it remembers."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Practice, Processor
from bellwire.practice.paypal import PayPalSimulator
from bellwire.practice.roles import GivenBack
from tests.samples import usd

BASIC = {"Authorization": "Basic " + base64.b64encode(b"practice-client:practice-client-secret").decode()}
GRANT = {"grant_type": "client_credentials"}


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
async def http(practice: Practice) -> AsyncIterator[aiohttp.ClientSession]:
    """Signed in."""
    base = practice.base_url("paypal")
    async with aiohttp.ClientSession(headers=BASIC) as outside:
        token = (await (await outside.post(f"{base}/v1/oauth2/token", data=GRANT)).json())["access_token"]
    async with aiohttp.ClientSession(base + "/", headers={"Authorization": f"Bearer {token}"}) as session:
        yield session


async def post(http: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    async with http.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(("form", "headers", "status"), [(GRANT, {}, 401), ({}, BASIC, 400)])
async def test_a_client_signs_in_by_basic(
    practice: Practice, form: dict[str, str], headers: dict[str, str], status: int
) -> None:
    url = practice.base_url("paypal") + "/v1/oauth2/token"
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        assert answer.status == status


async def test_without_a_token_nothing_is_shown(practice: Practice) -> None:
    url = practice.base_url("paypal") + "/v1/notifications/webhooks"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 401


async def test_a_request_id_gets_what_has_become_of_the_first(
    http: aiohttp.ClientSession, paypal: PayPalSimulator
) -> None:
    path, once = f"v2/payments/captures/{paypal.take(usd('24.40'))}/refund", {"PayPal-Request-Id": "one"}
    five = {"amount": {"currency_code": "USD", "value": "5.00"}}
    paypal.account.slow_refunds = True
    status, first = await post(http, path, five, **once)
    assert (status, first["status"], "amount" in first) == (201, "PENDING", False)
    paypal.account.settle(first["id"])
    status, again = await post(http, path, five, **once, Prefer="return=representation")
    assert (status, again["status"], again["amount"]["value"]) == (200, "COMPLETED", "5.00")
    assert (await post(http, path, {}, **once))[0] == 422


@pytest.mark.parametrize(
    ("body", "status", "issue"),
    [
        ({"colour": "red"}, 400, "INVALID_PARAMETER_SYNTAX"),
        ({"amount": {"currency_code": "USD", "value": "0.00"}}, 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": {"currency_code": "USD", "value": "1.001"}}, 422, "DECIMAL_PRECISION"),
        ({"amount": {"currency_code": "USD", "value": "25.00"}}, 422, "REFUND_AMOUNT_EXCEEDED"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    http: aiohttp.ClientSession, paypal: PayPalSimulator, body: Any, status: int, issue: str
) -> None:
    given, told = await post(http, f"v2/payments/captures/{paypal.take(usd('24.40'))}/refund", body)
    assert (given, told["details"][0]["issue"]) == (status, issue)


async def test_an_address_is_taken_once_and_ten_of_them(http: aiohttp.ClientSession) -> None:
    names, answers = [{"name": "*"}], []
    for number in (0, 0, *range(1, 11)):
        wanted = {"url": f"https://hooks.example.com/{number}", "event_types": names}
        status, told = await post(http, "v1/notifications/webhooks", wanted)
        answers.append(told.get("name", status))
    assert answers == [201, "WEBHOOK_URL_ALREADY_EXISTS", *[201] * 9, "WEBHOOK_NUMBER_LIMIT_EXCEEDED"]
    assert (await post(http, "v1/notifications/webhooks", {"url": "http://x.example", "event_types": names}))[0] == 400


async def test_events_are_listed_of_the_last_thirty_days(http: aiohttp.ClientSession) -> None:
    for start, end in (("2020-01-01", "2030-01-01"), ("2031-01-01", "2030-01-01")):
        query = {"start_time": f"{start}T00:00:00Z", "end_time": f"{end}T00:00:00Z"}
        async with http.get("v1/notifications/webhooks-events", params=query) as answer:
            assert answer.status == 400


def test_as_a_processor_it_tells_what_was_given_back() -> None:
    paypal = PayPalSimulator()
    assert isinstance(paypal, Processor)
    paid = paypal.take(usd("24.40"), "1001")
    refund = paypal.account.give_back(paid, {"amount": {"currency_code": "USD", "value": "5.00"}})
    assert paypal.refunds() == [GivenBack(refund["id"], paid, usd("5.00"))]
