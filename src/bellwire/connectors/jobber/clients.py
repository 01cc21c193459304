"""Clients, and the places where work is done for them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from bellwire.capabilities.field_service import FIND_OR_CREATE_CLIENT, FieldClient, FindOrCreateClient
from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import Node, ask, iso, listed
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, action
from bellwire.errors import Refused
from bellwire.events import Address, Customer

_LOOK_BACK = timedelta(days=1)
"""If it isn't known when the earlier attempt began."""
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""


async def find_client(call: Call, given: FindOrCreateClient) -> FieldClient | None:
    """The client, with the place of work, which is added where it is missing."""
    found = await _find(call, given.customer)
    if found is None:
        return None
    places = [each async for each in listed(call, documents.PLACES, ("client", "clientProperties"), id=found["id"])]
    return await _result(call, found, places, given.address, created=False)


async def look_for_client(call: Call, given: FindOrCreateClient) -> Seen | None:
    """The client with this address, or without one this name and number; and whether the place of work is there."""
    found = await _find(call, given.customer)
    if found is None:
        return None
    place = ""
    compared = [Compared("name", _name(given.customer), found["name"])] if _name(given.customer) else []
    if given.address:
        places = [each async for each in listed(call, documents.PLACES, ("client", "clientProperties"), id=found["id"])]
        place = next((each["id"] for each in places if _same_place(each["address"], given.address)), "")
        compared.append(Compared("place of work", given.address.line1, given.address.line1 if place else ""))
    result = FieldClient(id=found["id"], property_id=place, name=found["name"], created=False)
    return Seen(f"client {result.name}", tuple(compared), result=result)


@action(FIND_OR_CREATE_CLIENT, repeat=LookUp(find_client), look=look_for_client)
async def find_or_create_client(call: Call, given: FindOrCreateClient) -> FieldClient:
    """`clientCreate`, unless there is one. Also raises Refused (unnamed)."""
    known = await find_client(call, given)
    if known is not None:
        return known
    made = (await ask(call, documents.CREATE_CLIENT, writes=True, input=_input(given)))["clientCreate"]["client"]
    return await _result(call, made, made["clientProperties"]["nodes"], given.address, created=True)


def address_of(place: Node) -> Address:
    """As it stands in a `PropertyAddress`."""
    country = place.get("country") or ""
    return Address(
        line1=place.get("street1") or "",
        line2=place.get("street2") or "",
        city=place.get("city") or "",
        region=place.get("province") or "",
        postcode=place.get("postalCode") or "",
        # Jobber writes them out.
        country={"canada": "CA", "united states": "US", "united kingdom": "GB"}.get(country.casefold(), country),
    )


async def _find(call: Call, customer: Customer) -> Node | None:
    async for client in _candidates(call, customer.email or _name(customer)):
        if _is(client, customer):
            return client
    return None


async def _candidates(call: Call, term: str) -> AsyncIterator[Node]:
    """After an attempt that may have arrived, those that are new come first: a search may not find them yet."""
    if call.again:
        since = call.since - _MARGIN if call.since else call.clock() - _LOOK_BACK
        async for client in listed(call, documents.CLIENTS_SINCE, ("clients",), since=iso(since)):
            yield client
    if term:
        async for client in listed(call, documents.CLIENTS_FOUND, ("clients",), term=term):
            yield client


def _is(client: Node, customer: Customer) -> bool:
    """The same e-mail address; without one, the same name and phone number."""
    if customer.email:
        return customer.email.casefold() in (each["address"].casefold() for each in client["emails"])
    names = {str(client.get(name) or "").casefold() for name in ("name", "companyName")}
    wanted = _digits(customer.phone)
    return _name(customer).casefold() in names and wanted in (_digits(each["number"]) for each in client["phones"])


def _digits(number: str) -> str:
    """As far as it is the same with and without the country's code."""
    return "".join(filter(str.isdigit, number))[-9:]


def _name(customer: Customer) -> str:
    return customer.name or customer.company


def _input(given: FindOrCreateClient) -> Node:
    customer = given.customer
    if not _name(customer):
        raise Refused(
            "Jobber has no clients without a name.",
            cause="unnamed",
            remedy="Enter the client there, with this e-mail address or phone number; then send it again.",
        )
    first, _, last = customer.name.strip().rpartition(" ")
    told: dict[str, Any] = {
        "firstName": first or last,
        "lastName": last if first else "",
        "companyName": customer.company,
        "isCompany": not customer.name,
    }
    if customer.email:
        told["emails"] = [{"description": "MAIN", "primary": True, "address": customer.email}]
    if customer.phone:
        told["phones"] = [{"description": "MAIN", "primary": True, "number": customer.phone}]
    if given.address:
        told["properties"] = [{"address": _address(given.address)}]
    return {name: value for name, value in told.items() if value != ""}


def _address(address: Address) -> dict[str, str]:
    told = {
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "province": address.region,
        "postalCode": address.postcode,
        "country": address.country,
    }
    return {name: value for name, value in told.items() if value}


async def _result(
    call: Call, client: Node, places: list[Node], address: Address | None, *, created: bool
) -> FieldClient:
    if address is None:
        place = places[0]["id"] if places else ""
    else:
        place = next((each["id"] for each in places if _same_place(each["address"], address)), "")
        if not place:
            wanted = {"properties": [{"address": _address(address)}]}
            made = await ask(call, documents.CREATE_PROPERTY, writes=True, client=client["id"], input=wanted)
            place = made["propertyCreate"]["properties"][0]["id"]
    return FieldClient(id=client["id"], property_id=place, name=client["name"], created=created)


def _same_place(told: Node, address: Address) -> bool:
    """Street and postcode say it; countries and provinces are written in many ways."""
    ours = (address.line1, address.line2, address.postcode)
    theirs = (told.get("street1"), told.get("street2"), told.get("postalCode"))
    return [_plain(each) for each in ours] == [_plain(each) for each in theirs]


def _plain(text: str | None) -> str:
    return "".join(filter(str.isalnum, (text or "").casefold()))
