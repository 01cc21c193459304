"""The practice server: what it shows, what it remembers, and how it fails when asked to."""

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.errors import NotFound
from bellwire.practice import Practice, find_simulator, simulator_names


@pytest.fixture
def vendor() -> str:
    """Any vendor would do; this one has the simplest calls."""
    return "slack"


@pytest.fixture
async def practice(vendor: str) -> AsyncIterator[Practice]:
    async with Practice([vendor]) as running:
        yield running


class Client:
    def __init__(self, practice: Practice, vendor: str, session: aiohttp.ClientSession) -> None:
        self._practice, self._vendor, self._session = practice, vendor, session

    async def ask(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with self._session.request(method, self._practice.url + path, **more) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())

    async def call(self, text: str = "Order 7") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {find_simulator(self._vendor).credentials['access_token']}"}
        body = {"channel": "packing", "text": text}
        return await self.ask("POST", f"/{self._vendor}/api/chat.postMessage", json=body, headers=headers)

    async def control(self, what: str, method: str = "GET", **more: Any) -> tuple[int, Any]:
        return await self.ask(method, f"/practice/{self._vendor}/{what}", **more)


@pytest.fixture
async def client(practice: Practice, vendor: str) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(practice, vendor, session)


async def test_every_request_and_its_end_is_remembered(client: Client) -> None:
    await client.call()
    _, (call,) = await client.control("calls")
    assert (call["method"], call["path"], call["status"], call["fault"]) == ("POST", "/api/chat.postMessage", 200, "")
    assert call["body"] == {"channel": "packing", "text": "Order 7"}


async def test_credentials_are_not_remembered(client: Client, vendor: str) -> None:
    await client.call()
    _, calls = await client.control("calls")
    assert all(secret not in str(calls) for secret in find_simulator(vendor).credentials.values())


async def test_what_it_holds_is_shown(client: Client) -> None:
    await client.call("Order 8")
    status, state = await client.control("state")
    assert status == 200 and "Order 8" in str(state)


async def test_the_index_page_says_where_each_vendor_is(client: Client, practice: Practice, vendor: str) -> None:
    status, page = await client.ask("GET", "/")
    assert status == 200 and practice.base_url(vendor) in page


@pytest.mark.parametrize("what", ["calls", "state", "faults"])
async def test_an_unknown_vendor_is_not_found(client: Client, what: str) -> None:
    method = "DELETE" if what == "faults" else "GET"
    assert (await client.ask(method, f"/practice/nobody/{what}"))[0] == 404


def test_an_unknown_simulator_is_not_found() -> None:
    with pytest.raises(NotFound, match="no practice server for 'nobody'"):
        find_simulator("nobody")


async def test_a_fault_that_is_asked_for_over_http_comes_and_goes(client: Client) -> None:
    status, _ = await client.control("faults", "POST", json={"kind": "failed", "match": "Order 7"})
    assert status == 204
    assert [(await client.call(text))[0] for text in ("Order 6", "Order 7", "Order 7")] == [200, 500, 200]
    _, state = await client.control("state")
    assert str(state).count("Order 7") == 1


async def test_too_many_requests_says_when_to_come_back(client: Client, practice: Practice, vendor: str) -> None:
    await client.control("faults", "POST", json={"kind": "rate-limited", "seconds": 1.2})
    await client.call()
    assert practice.simulators[vendor].received[-1].status == 429
    _, state = await client.control("state")
    assert "Order 7" not in str(state)


async def test_a_lost_answer_was_done_all_the_same(client: Client) -> None:
    await client.control("faults", "POST", json={"kind": "lost-answer"})
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await client.call()
    _, state = await client.control("state")
    assert str(state).count("Order 7") == 1
    _, (call,) = await client.control("calls")
    assert (call["status"], call["fault"]) == (None, "lost-answer")


async def test_a_slow_answer_is_right_in_the_end(client: Client) -> None:
    await client.control("faults", "POST", json={"kind": "slow", "seconds": 0.2})
    began = time.monotonic()
    assert (await client.call())[0] == 200
    assert time.monotonic() - began >= 0.2


async def test_refused_credentials_do_nothing(client: Client) -> None:
    await client.control("faults", "POST", json={"kind": "signed-out"})
    await client.call()
    _, state = await client.control("state")
    assert "Order 7" not in str(state)


async def test_faults_can_be_taken_back(client: Client) -> None:
    await client.control("faults", "POST", json={"kind": "failed", "times": 9})
    assert (await client.control("faults", "DELETE"))[0] == 204
    assert (await client.call())[0] == 200


async def test_a_fault_that_doesnt_exist_is_refused(client: Client) -> None:
    status, answer = await client.control("faults", "POST", json={"kind": "explosion"})
    assert status == 422 and "kind" in str(answer)


async def test_a_port_can_be_chosen_and_is_free_afterwards(vendor: str) -> None:
    async with Practice([vendor]) as first:
        port = int(first.url.rpartition(":")[2])
    async with Practice([vendor], port=port) as second:
        assert second.url == first.url


async def test_all_vendors_run_side_by_side() -> None:
    async with Practice() as practice, aiohttp.ClientSession() as session:
        assert sorted(practice.simulators) == simulator_names()
        for name in practice.simulators:
            async with session.get(f"{practice.url}/practice/{name}/state") as response:
                assert response.status == 200
