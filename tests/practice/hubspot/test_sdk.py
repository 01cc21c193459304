"""HubSpot's own client library gets along with the practice account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hubspot import HubSpot as Client
from hubspot.crm.contacts import ApiException, PublicObjectSearchRequest, SimplePublicObjectInputForCreate
from hubspot.crm.contacts import SimplePublicObjectInput as Changes
from hubspot.crm.deals import SimplePublicObjectInputForCreate as NewDeal

from bellwire.practice import Practice

pytestmark = pytest.mark.proves("sdk")


@pytest.fixture
async def sdk() -> AsyncIterator[Callable[[str], Any]]:
    async with Practice(["hubspot"]) as practice:
        yield lambda token: Client(access_token=token, host=practice.base_url("hubspot"))


@pytest.fixture
def client(sdk: Callable[[str], Any]) -> Any:
    return sdk("practice-access-token")


async def do(method: Callable[..., Any], *given: Any, **more: Any) -> Any:
    return await asyncio.to_thread(method, *given, **more)


def new(**properties: str) -> Any:
    return SimplePublicObjectInputForCreate(properties=properties, associations=[])


async def test_a_contact_is_made_changed_found_and_read(client: Any) -> None:
    contacts = client.crm.contacts
    made = await do(contacts.basic_api.create, new(email="robin@example.com", firstname="Robin"))
    await do(contacts.basic_api.update, made.id, Changes(properties={"phone": "+1512"}))
    read = await do(
        contacts.basic_api.get_by_id, "robin@example.com", id_property="email", properties=["phone", "firstname"]
    )
    assert (read.id, read.properties["phone"], read.properties["firstname"]) == (made.id, "+1512", "Robin")
    wanted = PublicObjectSearchRequest(
        filter_groups=[{"filters": [{"propertyName": "phone", "operator": "EQ", "value": "+1512"}]}],
        properties=["email"],
        limit=10,
    )
    found = await do(contacts.search_api.do_search, wanted)
    assert (found.total, [each.id for each in found.results]) == (1, [made.id])


async def test_a_deal_belongs_to_its_contact(client: Any) -> None:
    who = await do(client.crm.contacts.basic_api.create, new(email="robin@example.com"))
    link = {"to": {"id": who.id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]}
    properties = {"dealname": "Tea", "dealstage": "closedwon", "pipeline": "default"}
    made = await do(client.crm.deals.basic_api.create, NewDeal(properties=properties, associations=[link]))
    assert made.id
    (pipeline,) = (await do(client.crm.pipelines.pipelines_api.get_all, "deals")).results
    assert "closedwon" in [stage.id for stage in pipeline.stages]
    (owner,) = (await do(client.crm.owners.owners_api.get_page, email="kim@example.com")).results
    assert owner.first_name == "Kim"


async def test_what_hubspot_refuses_is_refused(client: Any, sdk: Callable[[str], Any]) -> None:
    await do(client.crm.contacts.basic_api.create, new(email="robin@example.com"))
    for status, properties in ((409, {"email": "Robin@example.com"}), (400, {"colour": "red"}), (400, {"email": "x"})):
        with pytest.raises(ApiException) as refused:
            await do(client.crm.contacts.basic_api.create, new(**properties))
        assert refused.value.status == status
    with pytest.raises(ApiException) as refused:
        await do(sdk("stale").crm.contacts.basic_api.create, new(email="kim@example.com"))
    assert refused.value.status == 401
