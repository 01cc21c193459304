"""What the practice account takes, and what it refuses."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import orjson
import pytest
from graphql import parse

from bellwire.events import Customer
from bellwire.practice import Practice
from bellwire.practice.jobber import Jobber, points
from tests.samples import NOW

pytestmark = pytest.mark.proves("practice")

HEADERS = {"Authorization": "Bearer practice-access-token", "X-JOBBER-GRAPHQL-VERSION": "2026-09-25"}


@dataclass
class Client:
    session: aiohttp.ClientSession
    base: str
    field: Jobber

    async def post(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> tuple[int, Any]:
        body = {"query": query, "variables": variables}
        async with self.session.post(f"{self.base}/api/graphql", json=body, headers=headers or HEADERS) as answer:
            return answer.status, orjson.loads(await answer.read())

    async def wrong(self, mutation: str, **variables: Any) -> str:
        """The first of its userErrors."""
        _, said = await self.post(mutation, **variables)
        ((_, payload),) = said["data"].items()
        return str(payload["userErrors"][0]["message"])


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with Practice(["jobber"]) as practice, aiohttp.ClientSession() as session:
        field = practice.simulators["jobber"]
        assert isinstance(field, Jobber)
        yield Client(session, practice.base_url("jobber"), field)


@pytest.mark.parametrize(
    ("query", "points_asked"),
    [
        ("{ quote { id client { id name } } }", 5),
        ("{ clients(first: 10) { nodes { id name emails { address } } } }", 41),
        ("{ clients { nodes { id } } }", 101),
        ("query Q($first: Int) { clients(first: $first) { edges { node { id } } pageInfo { hasNextPage } } }", 16),
        ("{ job { ...X } } fragment X on Job { id notes(last: 2) { nodes { ... on JobNote { id } } } }", 5),
    ],
)
async def test_lists_cost_as_much_as_they_are_asked_for(query: str, points_asked: int) -> None:
    assert points.asked(parse(query), {"first": 5}) == points_asked


async def test_a_token_a_version_and_a_scope_are_needed(client: Client) -> None:
    query = "{ users(first: 1) { nodes { id } } }"
    assert (await client.post(query, HEADERS | {"Authorization": "Bearer guess"}))[0] == 401
    assert (await client.post(query, {"Authorization": HEADERS["Authorization"]}))[0] == 400
    client.field.scopes.remove("read_users")
    _, said = await client.post(query)
    assert said["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_version_that_is_gone_is_answered_by_the_oldest(client: Client) -> None:
    _, said = await client.post("{ account { id } }", HEADERS | {"X-JOBBER-GRAPHQL-VERSION": "2022-03-10"})
    assert said["extensions"]["versioning"] == {"version": "2025-04-16"}


async def test_what_is_not_in_the_schema_is_refused(client: Client) -> None:
    for query in ("{ colours }", "{", "mutation { jobClose { job { id } } }"):
        status, said = await client.post(query)
        assert status == 200 and said["errors"][0]["message"]


async def test_points_are_told_and_run_out(client: Client) -> None:
    query = "{ clients(first: 100) { nodes { id name firstName lastName companyName createdAt } } }"
    _, said = await client.post(query)
    assert said["extensions"]["cost"]["requestedQueryCost"] == 601
    client.field.bucket.left = 0
    _, said = await client.post(query)
    assert said["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert said["extensions"]["cost"]["throttleStatus"]["restoreRate"] == 500


async def test_points_come_back_while_time_passes_in_a_moment(client: Client) -> None:
    bucket = client.field.bucket
    bucket.left, bucket.refill = 0, 10
    client.field.recover(timedelta(seconds=20))
    assert 200 <= bucket.left < 300
    client.field.recover(timedelta(days=1))
    assert bucket.left == bucket.size


async def test_it_checks_what_jobber_checks(client: Client) -> None:
    errors = "userErrors { message path }"
    new = f"mutation($i: ClientCreateInput!) {{ clientCreate(input: $i) {{ {errors} }} }}"
    assert await client.wrong(new, i={"emails": []}) == "Name can't be blank"
    assert await client.wrong(new, i={"firstName": "R", "emails": [{"address": "nobody"}]}) == "Email is invalid"
    place = f'mutation {{ propertyCreate(clientId: "x", input: {{properties: []}}) {{ {errors} }} }}'
    assert await client.wrong(place) == "Client not found"
    known = client.field.office.add_client({"firstName": "Robin"})
    at = client.field.office.add_property(known["id"], {"street1": "1 Main St"})["id"]
    job = f"mutation($i: JobCreateAttributes!) {{ jobCreate(input: $i) {{ {errors} }} }}"
    bill = {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "ON_COMPLETION"}
    assert await client.wrong(job, i={"propertyId": "x", "invoicing": bill}) == "Property not found"
    per_visit = bill | {"invoicingSchedule": "PER_VISIT"}
    assert "can not be PER_VISIT" in await client.wrong(job, i={"propertyId": at, "invoicing": per_visit})
    plan = {"createVisits": True, "notifyTeam": False, "assignedTo": ["x"]}
    assert await client.wrong(job, i={"propertyId": at, "invoicing": bill, "scheduling": plan}) == "User not found"
    timer = f'mutation {{ visitStartTimer(visitId: "x", userId: "VTE=") {{ {errors} }} }}'
    assert await client.wrong(timer) == "Visit or user is missing"
    done = client.field.take_on(Customer(name="Ada"), "Repair", start=NOW)
    client.field.complete(done)
    (visit,) = client.field.office.visits
    assert "completed visits" in await client.wrong(timer.replace('"x"', f'"{visit}"'))
    note = f'mutation {{ jobCreateNote(jobId: "x", input: {{message: "Hi"}}) {{ {errors} }} }}'
    assert await client.wrong(note) == "Job or message is missing"
    _, said = await client.post(job, i={"propertyId": at})
    assert "invoicing" in said["errors"][0]["message"]


async def test_a_refresh_token_is_good_for_one_use(client: Client) -> None:
    form = {"client_id": "practice-client", "client_secret": "practice-client-secret", "grant_type": "refresh_token"}
    statuses = []
    for _ in range(2):
        data = form | {"refresh_token": "practice-refresh-token"}
        async with client.session.post(f"{client.base}/api/oauth/token", data=data) as answer:
            statuses.append(answer.status)
    assert statuses == [200, 401]


async def test_the_state_can_be_read(client: Client) -> None:
    async with client.session.get(client.base.replace("/jobber", "/practice/jobber/state")) as answer:
        assert set(await answer.json(content_type=None)) == {
            "clients",
            "properties",
            "jobs",
            "notes",
            "visits",
            "times",
        }
