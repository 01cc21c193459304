"""What the practice workspace takes, and what it refuses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest

from bellwire.practice import Practice
from bellwire.practice.asana import Asana, Hook

pytestmark = pytest.mark.proves("practice")

ORDERS, WORKSPACE = Asana.settings["projects"][0], Asana.settings["workspace"]


@dataclass
class Client:
    session: aiohttp.ClientSession
    base: str
    team: Asana

    async def ask(self, method: str, path: str, data: Any = None, token: str = "practice-access-token") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        body = None if data is None else {"data": data}
        async with self.session.request(method, f"{self.base}/api/1.0{path}", json=body, headers=headers) as answer:
            return answer.status, orjson.loads(await answer.read())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["asana"]) as practice, aiohttp.ClientSession() as session:
        team = practice.simulators["asana"]
        assert isinstance(team, Asana)
        yield Client(session, practice.base_url("asana"), team)


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("POST", "/projects", {"workspace": WORKSPACE}, 400),
        ("POST", "/projects", {"name": "Yard"}, 400),
        ("POST", "/projects", {"name": "Yard", "workspace": WORKSPACE, "due_on": "soon"}, 400),
        ("POST", "/tasks", {"name": "Pack", "projects": ["9"]}, 400),
        ("POST", "/tasks", {"name": "Pack", "projects": [ORDERS], "assignee": "nobody@example.com"}, 400),
        ("POST", "/tasks/9/subtasks", {"name": "Tea"}, 404),
        ("POST", "/project_templates/9/instantiateProject", {"name": "X"}, 404),
        ("POST", "/project_templates/7001/instantiateProject", {}, 400),
        ("PUT", "/tasks/9", {"completed": True}, 404),
        ("GET", "/tasks?project=9", None, 404),
        ("GET", f"/tasks?project={ORDERS}&limit=101", None, 400),
        ("GET", f"/tasks?project={ORDERS}&offset=gone", None, 400),
        ("GET", "/projects", None, 400),
        ("GET", "/webhooks", None, 400),
        ("DELETE", "/webhooks/9", None, 404),
        ("POST", "/webhooks", {"resource": "9", "target": "http://127.0.0.1:9/"}, 404),
        ("POST", "/webhooks", {"resource": ORDERS}, 400),
        ("POST", "/tasks", [], 400),
    ],
)
async def test_it_checks_what_asana_checks(client: Client, method: str, path: str, data: Any, status: int) -> None:
    got, said = await client.ask(method, path, data)
    assert got == status and said["errors"][0]["message"]


async def test_without_a_token_nothing_is_answered(client: Client) -> None:
    assert (await client.ask("GET", "/users/me", token="guess"))[0] == 401
    assert (await client.ask("POST", "/webhooks", {}, token="guess"))[0] == 401


async def test_records_are_compact_unless_fields_are_asked_for(client: Client) -> None:
    await client.ask("POST", "/tasks", {"name": "Pack", "projects": [ORDERS]})
    _, said = await client.ask("GET", f"/tasks?project={ORDERS}")
    assert set(said["data"][0]) == {"gid", "resource_type", "name"}
    _, said = await client.ask("GET", f"/tasks?project={ORDERS}&opt_fields=notes,assignee.name")
    assert set(said["data"][0]) == {"gid", "resource_type", "notes", "assignee"}


async def test_a_webhook_tells_what_it_was_asked_to_and_no_more(client: Client) -> None:
    filters = [{"resource_type": "task", "action": "changed"}]
    record = {"gid": "5", "active": True, "resource": {"gid": ORDERS}, "target": "https://x", "filters": filters}
    client.team.hooks["5"] = Hook(record, "secret")
    made = client.team.work.add_task({}, ORDERS)
    client.team.work.change(made["gid"], {"name": "Pack", "completed": True})
    client.team.work.change(made["gid"], {"name": "Pack"})
    client.team.work.delete(made["gid"])
    (sent,) = client.team.deliveries()
    told = orjson.loads(sent.body)["events"]
    assert [event["change"]["field"] for event in told] == ["name", "completed"]
    assert client.team.deliveries() == []


async def test_the_state_can_be_read(client: Client) -> None:
    async with client.session.get(client.base.replace("/asana", "/practice/asana/state")) as answer:
        assert set(await answer.json(content_type=None)) == {"projects", "tasks", "webhooks"}
