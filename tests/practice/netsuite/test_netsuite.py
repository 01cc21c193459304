"""The simulated account refuses what NetSuite would refuse, and takes no more than so many requests at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.connectors.netsuite.api import select
from bellwire.practice import Practice
from bellwire.practice.netsuite import NetSuite
from tests.connecting import call, connection

ORDER = "/record/v1/purchaseOrder/eid:one"
RIGHT = {"entity": {"id": "9"}, "item": {"items": [{"item": {"id": "1"}, "quantity": 5, "rate": 2.5}]}}
COUNT = {"q": "SELECT COUNT(*) AS n FROM transactionline"}
TRANSIENT = {"Prefer": "transient"}


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["netsuite"]) as running:
        yield running


@pytest.fixture
def netsuite(practice: Practice) -> NetSuite:
    simulator = practice.simulators["netsuite"]
    assert isinstance(simulator, NetSuite)
    return simulator


async def ask(
    practice: Practice,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    token: str = "practice-access-token",
) -> tuple[int, Any]:
    """Status and answer; of a refusal, its code."""
    url = f"{practice.base_url('netsuite')}/services/rest{path}"
    sent = {"Authorization": f"Bearer {token}", **(headers or {})}
    async with (
        aiohttp.ClientSession(headers=sent) as session,
        session.request(method, url, json=body) as response,
    ):
        told = await response.json() if response.status != 204 else {}
        return response.status, told["o:errorDetails"][0]["o:errorCode"] if "o:errorDetails" in told else told


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "refusal"),
    [
        ("PUT", "/record/v1/purchaseOrder/1", RIGHT, {}, (400, "INVALID_ID")),
        ("PUT", ORDER, RIGHT | {"entity": {"id": "77"}}, {}, (400, "USER_ERROR")),
        ("PUT", ORDER, RIGHT | {"memoo": "x"}, {}, (400, "INVALID_CONTENT")),
        ("PUT", ORDER, {**RIGHT, "item": {"items": [{"item": {"id": "999"}}]}}, {}, (400, "USER_ERROR")),
        ("GET", "/record/v1/inventoryItem/999", None, {}, (404, "NONEXISTENT_ID")),
        ("GET", "/record/v1/itemReceipt/1", None, {}, (404, "NONEXISTENT_ID")),
        ("POST", "/query/v1/suiteql", COUNT, {}, (400, "INVALID_HEADER")),
        ("POST", "/query/v1/suiteql?limit=1001", COUNT, TRANSIENT, (400, "INVALID_PARAMETER")),
        ("POST", "/query/v1/suiteql?limit=100&offset=50", COUNT, TRANSIENT, (400, "INVALID_PARAMETER")),
        ("POST", "/query/v1/suiteql", {"q": "SELECT nothing FROM transaction"}, TRANSIENT, (400, "INVALID_PARAMETER")),
    ],
)
async def test_it_refuses_what_netsuite_refuses(
    practice: Practice, method: str, path: str, body: Any, headers: dict[str, str], refusal: tuple[int, str]
) -> None:
    assert await ask(practice, method, path, body, headers) == refusal
    assert practice.simulators["netsuite"].state() == {"transactions": [], "lines": []}


async def test_it_wants_its_token_and_a_role_that_may(practice: Practice, netsuite: NetSuite) -> None:
    assert await ask(practice, "PUT", ORDER, RIGHT, token="old") == (401, "INVALID_LOGIN")
    netsuite.denied.add("purchaseOrder")
    assert await ask(practice, "PUT", ORDER, RIGHT) == (403, "INSUFFICIENT_PERMISSION")


async def test_an_upsert_adds_lines_unless_it_is_told_to_replace_them(practice: Practice, netsuite: NetSuite) -> None:
    for path, lines in ((ORDER, 1), (ORDER, 2), (f"{ORDER}?replace=item", 1)):
        assert (await ask(practice, "PUT", path, RIGHT))[0] == 204
        assert len(netsuite.state()["lines"]) == lines
    assert len(netsuite.state()["transactions"]) == 1


async def test_rows_are_texts_and_come_in_pages(practice: Practice) -> None:
    statement = {"q": "SELECT id, itemid, preferred FROM item WHERE preferred = 9 ORDER BY id"}
    _, told = await ask(practice, "POST", "/query/v1/suiteql?limit=2&offset=2", statement, TRANSIENT)
    assert told["items"][0] == {"links": [], "id": "3", "itemid": "MUG-RED", "preferred": "9"}
    assert (told["count"], told["offset"], told["hasMore"]) == (2, 2, True)


# Limits


@pytest.mark.proves("limits")
async def test_the_sixth_request_at_once_is_refused(practice: Practice, netsuite: NetSuite) -> None:
    netsuite.seconds = 0.1
    told = await asyncio.gather(*(ask(practice, "POST", "/query/v1/suiteql", COUNT, TRANSIENT) for _ in range(6)))
    assert sorted(status for status, _ in told) == [200] * 5 + [429]
    assert "CONCURRENCY_LIMIT_EXCEEDED" in [answer for _, answer in told]


@pytest.mark.proves("limits")
async def test_our_client_never_has_more_than_two_on_their_way(practice: Practice, netsuite: NetSuite) -> None:
    netsuite.concurrency = 2
    purchasing = connection("netsuite", practice)
    await asyncio.gather(*(select(call(purchasing), COUNT["q"]) for _ in range(60)))
    await purchasing.api.close()
    assert [each.status for each in netsuite.received] == [200] * 60
