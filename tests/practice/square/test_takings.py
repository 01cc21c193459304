"""The practice seller refuses what Square refuses: payments, refunds, sign-ins, webhooks."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Practice, Processor
from bellwire.practice.square import SquareSimulator
from bellwire.practice.square.tokens import APPLICATION, CODE, OWN, SECRET
from tests.samples import usd


class Client:
    def __init__(self, practice: Practice, session: aiohttp.ClientSession) -> None:
        simulator = practice.simulators["square"]
        assert isinstance(simulator, SquareSimulator)
        self.simulator = simulator
        self._url, self._session = practice.base_url("square"), session

    async def ask(self, method: str, path: str, body: Any = None, token: str = OWN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.request(method, self._url + path, json=body, headers=headers) as response:
            return response.status, await response.json()

    async def refused(self, method: str, path: str, body: Any = None, token: str = OWN) -> tuple[int, str]:
        status, answer = await self.ask(method, path, body, token)
        return status, answer["errors"][0]["code"]


@pytest.fixture
async def square() -> AsyncIterator[Client]:
    async with Practice(["square"]) as practice, aiohttp.ClientSession() as session:
        yield Client(practice, session)


def refund(payment: str, cents: int = 850, key: str = "k-1", **more: Any) -> dict[str, Any]:
    amount = {"amount": cents, "currency": "USD"}
    return {"idempotency_key": key, "payment_id": payment, "amount_money": amount, **more}


async def test_the_same_key_gives_money_back_once(square: Client) -> None:
    assert isinstance(square.simulator, Processor)
    payment = square.simulator.take(usd("24.40"))
    first = await square.ask("POST", "/v2/refunds", refund(payment))
    assert first[0] == 200
    assert await square.ask("POST", "/v2/refunds", refund(payment)) == first
    assert await square.refused("POST", "/v2/refunds", refund(payment, 100)) == (400, "IDEMPOTENCY_KEY_REUSED")
    assert [each.amount for each in square.simulator.refunds()] == [usd("8.50")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"idempotency_key": ""}, (400, "MISSING_REQUIRED_PARAMETER")),
        ({"idempotency_key": "k" * 46}, (400, "VALUE_TOO_LONG")),
        ({"payment_id": ""}, (400, "MISSING_REQUIRED_PARAMETER")),
        ({"payment_id": "GONE"}, (404, "NOT_FOUND")),
        ({"reason": "x" * 193}, (400, "VALUE_TOO_LONG")),
        ({"amount_money": {"amount": 0, "currency": "USD"}}, (400, "REFUND_AMOUNT_INVALID")),
        ({"amount_money": {"amount": 2441, "currency": "USD"}}, (400, "REFUND_AMOUNT_INVALID")),
        ({"amount_money": {"amount": 1, "currency": "EUR"}}, (400, "CURRENCY_MISMATCH")),
    ],
)
async def test_a_refund_that_square_wouldnt_make_is_refused(
    square: Client, changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    body = refund(square.simulator.take(usd("24.40"))) | changes
    assert await square.refused("POST", "/v2/refunds", body) == expected
    assert square.simulator.refunds() == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("updated_at_begin_time=yesterday", (400, "INVALID_TIME")),
        ("cursor=gone", (400, "INVALID_CURSOR")),
        ("sort_field=NAME", (400, "INVALID_ENUM_VALUE")),
    ],
)
async def test_a_list_is_asked_for_in_squares_terms(square: Client, query: str, expected: tuple[int, str]) -> None:
    assert await square.refused("GET", f"/v2/payments?{query}") == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "other"}, (401, "UNAUTHORIZED")),
        ({"client_id": ""}, (400, "MISSING_REQUIRED_PARAMETER")),
        ({"code": "used"}, (401, "UNAUTHORIZED")),
        ({"grant_type": "password"}, (400, "INVALID_VALUE")),
    ],
)
async def test_a_token_is_given_for_a_code_of_this_application_only(
    square: Client, changes: dict[str, str], expected: tuple[int, str]
) -> None:
    wanted = {"client_id": APPLICATION, "client_secret": SECRET, "code": CODE, "grant_type": "authorization_code"}
    assert await square.refused("POST", "/oauth2/token", wanted | changes) == expected
    assert (await square.ask("POST", "/oauth2/token", wanted))[0] == 200


async def test_webhooks_are_kept_by_the_application_alone(square: Client) -> None:
    path, url = "/v2/webhooks/subscriptions", "https://a.example/hook"
    entry = {"name": "Ours", "event_types": ["payment.updated"], "notification_url": url}
    assert (await square.ask("POST", path, {"subscription": entry}))[0] == 200
    _, listed = await square.ask("GET", path)
    assert "signature_key" not in listed["subscriptions"][0]
    square.simulator.tokens.sellers["EAAAseller"] = "2999"
    assert await square.refused("GET", path, token="EAAAseller") == (403, "FORBIDDEN")
    for wrong in ({"event_types": ["Payment"]}, {"notification_url": "nowhere"}, {"name": ""}):
        assert (await square.refused("POST", path, {"subscription": entry | wrong}))[0] == 400
    assert await square.refused("DELETE", f"{path}/gone") == (404, "NOT_FOUND")
