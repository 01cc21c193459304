"""The simulated account refuses what Zendesk would refuse."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bellwire.practice import Practice
from bellwire.practice.zendesk import ZendeskSimulator

CLIENT = {**ZendeskSimulator.credentials, "grant_type": "client_credentials", "scope": "read"}
pytestmark = pytest.mark.proves("practice")


class Client:
    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base, self.token = session, base, ""

    async def ask(self, method: str, path: str, json: Any = None, **headers: str) -> tuple[int, Any]:
        signed = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with self.session.request(method, f"{self.base}{path}", json=json, headers=signed) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def buy(self, **changes: str) -> tuple[int, Any]:
        async with self.session.post(f"{self.base}/oauth/tokens", data={**CLIENT, **changes}) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["zendesk"]) as practice, aiohttp.ClientSession() as session:
        made = Client(session, practice.base_url("zendesk"))
        made.token = (await made.buy())[1]["access_token"]
        yield made


def ticket(**changes: Any) -> dict[str, Any]:
    return {"ticket": {"subject": "Help", "comment": {"body": "Please"}, **changes}}


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 200), ({"client_secret": "old"}, 401), ({"scope": ""}, 400), ({"grant_type": "x"}, 400)],
)
async def test_a_token_is_for_who_knows_the_secret(client: Client, changes: dict[str, str], status: int) -> None:
    assert (await client.buy(**changes))[0] == status


async def test_it_wants_a_token(client: Client) -> None:
    client.token = "guessed"
    assert (await client.ask("GET", "/api/v2/users/me"))[0] == 401


@pytest.mark.parametrize(
    "given",
    [
        {"ticket": {}},
        ticket(comment={}),
        ticket(priority="very"),
        ticket(requester={"name": "Robin"}),
    ],
)
async def test_it_refuses_what_zendesk_refuses(client: Client, given: Any) -> None:
    status, said = await client.ask("POST", "/api/v2/tickets", given)
    assert (status, said["error"]) == (422, "RecordInvalid") and said["details"]


async def test_a_key_gives_the_first_answer_again_and_is_for_one_body(client: Client) -> None:
    first = await client.ask("POST", "/api/v2/tickets", ticket(), Idempotency_Key="one")
    assert await client.ask("POST", "/api/v2/tickets", ticket(), Idempotency_Key="one") == first
    assert (await client.ask("POST", "/api/v2/tickets", ticket(subject="x"), Idempotency_Key="one"))[0] == 400
    assert (await client.ask("POST", "/api/v2/tickets", ticket(), Idempotency_Key="x" * 256))[0] == 400


async def test_who_asks_twice_is_one_user(client: Client) -> None:
    who = {"name": "Robin", "email": "robin@example.com"}
    made = [await client.ask("POST", "/api/v2/tickets", ticket(requester=who)) for _ in range(2)]
    assert len({said["ticket"]["requester_id"] for _, said in made}) == 1


async def test_a_closed_ticket_and_unknown_ones_take_nothing(client: Client) -> None:
    _, made = await client.ask("POST", "/api/v2/tickets", ticket())
    path = f"/api/v2/tickets/{made['ticket']['id']}"
    assert (await client.ask("PUT", path, {"ticket": {"status": "gone"}}))[0] == 422
    stale = {"status": "open", "safe_update": True, "updated_stamp": "2026-01-31T10:00:00Z"}
    assert (await client.ask("PUT", path, {"ticket": stale}))[0] == 409
    assert (await client.ask("PUT", path, {"ticket": {"status": "closed"}}))[0] == 200
    assert (await client.ask("PUT", path, {"ticket": {"status": "open"}}))[0] == 422
    assert (await client.ask("GET", "/api/v2/tickets/1"))[0] == 404


async def test_a_list_of_changes_begins_a_minute_ago_at_the_latest(client: Client) -> None:
    status, said = await client.ask("GET", "/api/v2/incremental/tickets/cursor?start_time=9999999999")
    assert (status, said["error"]) == (400, "StartTimeTooRecent")
    assert (await client.ask("GET", "/api/v2/incremental/tickets/cursor?cursor=made-up"))[0] == 400
