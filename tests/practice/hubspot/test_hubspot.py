"""What the practice account takes, and what it refuses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
import pytest

from bellwire.practice import Practice
from bellwire.practice.hubspot import HubSpot

pytestmark = pytest.mark.proves("practice")


@dataclass
class Client:
    session: aiohttp.ClientSession
    base: str
    portal: HubSpot

    async def ask(
        self, method: str, path: str, body: Any = None, token: str = "practice-access-token"
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.request(method, self.base + path, json=body, headers=headers) as answer:
            text = await answer.read()
            return answer.status, orjson.loads(text) if text else None

    async def create(self, kind: str, properties: dict[str, str], contact: str = "", link: int = 0) -> tuple[int, Any]:
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link}]
        links = [{"to": {"id": contact}, "types": types}] if link else []
        path = f"/crm/objects/2026-09/{kind}"
        return await self.ask("POST", path, {"properties": properties, "associations": links})


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["hubspot"]) as practice, aiohttp.ClientSession() as session:
        portal = practice.simulators["hubspot"]
        assert isinstance(portal, HubSpot)
        portal.quotas.clear()
        yield Client(session, practice.base_url("hubspot"), portal)


async def test_versions_that_there_are_not_are_refused(client: Client) -> None:
    for version, status in (("2026-09", 200), ("2026-03", 200), ("2024-01", 404), ("latest", 404)):
        assert (await client.ask("GET", f"/account-info/{version}/details"))[0] == status


async def test_without_a_token_or_its_scope_nothing_is_answered(client: Client) -> None:
    path = "/crm/objects/2026-09/deals/search"
    assert (await client.ask("POST", path, {}, token="guess"))[0] == 401
    client.portal.scopes.remove("crm.objects.deals.read")
    status, said = await client.ask("POST", path, {})
    assert (status, said["errors"][0]["context"]) == (403, {"requiredGranularScopes": ["crm.objects.deals.read"]})


async def test_it_checks_what_hubspot_checks(client: Client) -> None:
    _, who = await client.create("contacts", {"email": "Robin@Example.com"})
    assert who["properties"]["email"] == "robin@example.com"
    for kind, properties, said in (
        ("contacts", {"email": "robin@example.com"}, f"Existing ID: {who['id']}"),
        ("contacts", {"email": "nobody"}, "is invalid"),
        ("contacts", {"colour": "red"}, 'Property "colour" does not exist'),
        ("deals", {"dealname": "Tea"}, "required properties were not set"),
        ("deals", {"dealname": "Tea", "dealstage": "maybe"}, "was not one of the allowed options"),
        ("deals", {"dealname": "T", "dealstage": "closedwon", "deal_currency_code": "JPY"}, "currency is not active"),
        ("tasks", {"hs_task_subject": "Call"}, "required properties were not set"),
        ("houses", {}, "Unable to infer object type"),
    ):
        status, answer = await client.create(kind, properties)
        assert status >= 400 and said in answer["message"], said
    deal = {"dealname": "Tea", "dealstage": "closedwon"}
    assert (await client.create("deals", deal, contact="9", link=3))[0] == 400
    assert (await client.create("deals", deal, contact=who["id"], link=204))[0] == 400
    assert (await client.create("deals", deal, contact=who["id"], link=3))[0] == 201


@pytest.mark.parametrize(
    "wanted",
    [
        {"limit": 201},
        {"limit": 0},
        {"limit": 200, "after": "9900"},
        {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "IN", "value": "x"}]}]},
    ],
)
async def test_searches_have_their_limits(client: Client, wanted: dict[str, Any]) -> None:
    await client.create("contacts", {"email": "robin@example.com"})
    assert (await client.ask("POST", "/crm/objects/2026-09/contacts/search", wanted))[0] == 400


async def test_batches_and_keys_have_their_limits(client: Client) -> None:
    body = {"inputs": [{"id": str(n)} for n in range(101)], "properties": []}
    assert (await client.ask("POST", "/crm/objects/2026-09/deals/batch/read", body))[0] == 400
    assert (await client.ask("GET", "/crm/objects/2026-09/contacts/1?idProperty=phone"))[0] == 400
    assert (await client.ask("GET", "/crm/objects/2026-09/contacts/9/associations/deals"))[0] == 404
    assert (await client.ask("POST", "/oauth/v2/private-apps/get/access-token-info", {"tokenKey": "x"}))[0] == 404


async def test_what_happens_is_announced_once_in_batches(client: Client) -> None:
    _, who = await client.create("contacts", {"email": "robin@example.com"})
    await client.ask("PATCH", f"/crm/objects/2026-09/contacts/{who['id']}", {"properties": {"phone": "1"}})
    await client.ask("DELETE", f"/crm/objects/2026-09/contacts/{who['id']}")
    for _ in range(100):
        client.portal.crm.add("contacts", {})
    told = orjson.loads(client.portal.webhook("https://x").body)
    assert [event["subscriptionType"] for event in told[:3]] == [
        "contact.creation",
        "contact.propertyChange",
        "contact.deletion",
    ]
    assert (len(told), len(orjson.loads(client.portal.webhook("https://x").body))) == (100, 3)
    assert client.portal.crm.untold == []


async def test_the_state_can_be_read(client: Client) -> None:
    async with client.session.get(client.base.replace("/hubspot", "/practice/hubspot/state")) as answer:
        assert set(await answer.json(content_type=None)) == {"contacts", "deals", "tasks", "linked"}
