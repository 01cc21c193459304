"""Finding clients and their places of work, and adding what is missing."""

import dataclasses

import pytest

from bellwire.capabilities.field_service import FieldClient, FindOrCreateClient
from bellwire.clock import system_clock
from bellwire.connectors.jobber import CONNECTOR
from bellwire.connectors.kit import Call
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.events import Address, Customer
from bellwire.practice import Fault, FaultKind
from bellwire.practice.jobber import Jobber
from tests.connecting import call
from tests.connectors.jobber.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = Address(line1="1 Main St.", line2="Flat 2", city="Austin", region="TX", postcode="78 701", country="US")
ROBIN = Customer(name="Robin van Hill", email="robin@example.com", phone="+1 512 555 0123")


async def client(call: Call, customer: Customer = ROBIN, address: Address | None = HOME) -> FieldClient:
    given = FindOrCreateClient(customer=customer, address=address)
    made = await CONNECTOR.actions["field_service.find_or_create_client"](call, given)
    assert isinstance(made, FieldClient)
    return made


async def test_somebody_new_is_added_with_the_place_of_work(connect: Connect, field: Jobber) -> None:
    made = await client(call(connect()))
    held = field.office.clients[made.id]
    assert (made.created, made.name) == (True, "Robin van Hill")
    assert (held["firstName"], held["lastName"], held["emails"][0]["address"]) == (
        "Robin van",
        "Hill",
        "robin@example.com",
    )
    place = field.office.properties[made.property_id]
    assert (place["client"], place["address"]["street1"]) == (made.id, "1 Main St.")
    assert place["address"]["province"] == "TX"


async def test_somebody_known_is_found_with_their_place_however_it_is_written(connect: Connect, field: Jobber) -> None:
    known = field.office.add_client({"firstName": "Bob", "emails": [{"address": "Robin@Example.com"}]})
    place = field.office.add_property(known["id"], {"street1": "1 MAIN ST", "street2": "flat 2", "postalCode": "78701"})
    found = await client(call(connect()))
    assert (found.id, found.property_id, found.created) == (known["id"], place["id"], False)
    assert len(field.office.properties) == 1


async def test_another_place_of_theirs_is_added(connect: Connect, field: Jobber) -> None:
    known = field.office.add_client({"firstName": "Bob", "emails": [{"address": "robin@example.com"}]})
    field.office.add_property(known["id"], {"street1": "2 Main St", "street2": "Flat 2", "postalCode": "78701"})
    found = await client(call(connect()))
    assert field.office.properties[found.property_id]["address"]["street1"] == "1 Main St."
    assert len(field.office.properties) == 2


async def test_without_an_address_the_first_place_counts_if_there_is_one(connect: Connect, field: Jobber) -> None:
    assert (await client(call(connect()), address=None)).property_id == ""
    (known,) = field.office.clients
    place = field.office.add_property(known, {"street1": "2 Main St"})
    assert (await client(call(connect()), address=None)).property_id == place["id"]


@pytest.mark.parametrize(
    ("name", "phone", "same"),
    [
        ("robin VAN hill", "(512) 555-0123", True),
        ("Robin van Hill", "+1 512 555 0124", False),
        ("Robin van Hill junior", "+1 512 555 0123", False),
    ],
)
async def test_without_an_email_address_name_and_number_have_to_be_the_same(
    connect: Connect, field: Jobber, name: str, phone: str, same: bool
) -> None:
    known = field.office.add_client({"firstName": "Robin van", "lastName": "Hill", "phones": [{"number": phone}]})
    known["name"] = name
    found = await client(call(connect()), ROBIN.model_copy(update={"email": ""}))
    assert (found.id == known["id"]) is same


async def test_a_company_goes_by_its_name(connect: Connect, field: Jobber) -> None:
    made = await client(call(connect()), Customer(company="Hill Ltd", email="office@example.com"))
    assert (made.name, field.office.clients[made.id]["companyName"]) == ("Hill Ltd", "Hill Ltd")


@pytest.mark.proves("errors")
async def test_nobody_is_added_without_a_name(connect: Connect, field: Jobber) -> None:
    with pytest.raises(Refused, match="no clients without a name") as refused:
        await client(call(connect()), Customer(email="robin@example.com"))
    assert "Enter the client there" in refused.value.remedy
    assert not field.office.clients


@pytest.mark.proves("paging")
async def test_those_on_later_pages_are_found_too(connect: Connect, field: Jobber) -> None:
    for number in range(45):
        field.office.add_client(
            {"firstName": f"Robin {number}", "emails": [{"address": f"not-robin@example.com{number}"}]}
        )
    known = field.office.add_client({"firstName": "Bob", "emails": [{"address": "robin@example.com"}]})
    for number in range(60):
        field.office.add_property(known["id"], {"street1": f"{number} High St"})
    place = field.office.add_property(known["id"], {"street1": "1 Main St", "street2": "Flat 2", "postalCode": "78701"})
    found = await client(call(connect()))
    assert (found.id, found.property_id) == (known["id"], place["id"])


async def test_one_that_a_search_does_not_find_yet_is_not_added_twice(connect: Connect, field: Jobber) -> None:
    this = dataclasses.replace(call(connect()), since=system_clock())
    field.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="clientCreate"))
    with pytest.raises(OutcomeUnknown):
        await client(this)
    field.office.unindexed.update(field.office.clients)
    again = await client(dataclasses.replace(this, again=True))
    assert list(field.office.clients) == [again.id]
