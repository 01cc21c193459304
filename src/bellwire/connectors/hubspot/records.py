"""Asking HubSpot for records: by a natural key, by search, by what they are associated with."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from bellwire.connectors.hubspot.faults import UNKNOWN
from bellwire.connectors.hubspot.manifest import VERSION
from bellwire.connectors.kit import Call
from bellwire.errors import Refused

Record = dict[str, Any]
"""`{"id": …, "properties": {…}, "createdAt": …, "updatedAt": …}`; all properties are texts or null."""

CONTACT_PROPERTIES = ("email", "firstname", "lastname", "phone", "mobilephone", "company", "lastmodifieddate")
_SEARCHED = 200
_READ = 100
_ASSOCIATED = 500


async def create(
    call: Call, kind: str, properties: Mapping[str, str], associations: Mapping[int, str] | None = None
) -> Record:
    """`POST /crm/objects/VERSION/KIND`. `associations` is HubSpot's type id → the other record's id."""
    links = [
        {"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}
        for type_id, to in (associations or {}).items()
    ]
    filled = {name: value for name, value in properties.items() if value}
    made: Record = (await call.api.post(kind, {"properties": filled, "associations": links})).json()
    return made


async def contact_by_email(call: Call, email: str) -> Record | None:
    params = {"idProperty": "email", "properties": ",".join(CONTACT_PROPERTIES)}
    try:
        found: Record = (await call.api.get(f"contacts/{quote(email, safe='')}", params=params)).json()
    except Refused as error:
        if error.cause != UNKNOWN:
            raise
        return None
    return found


async def search(
    call: Call,
    kind: str,
    any_of: Sequence[Record],
    properties: Sequence[str],
    *,
    sort: str,
    after: str = "0",
    limit: int = _SEARCHED,
) -> list[Record]:
    """One page of the records that fit one of the filters, by `sort`, ascending."""
    wanted = {
        "filterGroups": [{"filters": [each]} for each in any_of],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "properties": list(properties),
        "limit": limit,
        "after": after,
    }
    answer = await call.api.request("POST", f"{kind}/search", json=wanted, writes=False)
    found: list[Record] = answer.json()["results"]
    return found


async def associated(call: Call, contact_id: str, kind: str, properties: Sequence[str]) -> AsyncIterator[Record]:
    """The records of a kind that belong to a contact. Unlike searches, it has them at once."""
    params = {"limit": str(_ASSOCIATED)}
    while True:
        page = (await call.api.get(f"contacts/{quote(contact_id, safe='')}/associations/{kind}", params=params)).json()
        ids = [str(each["toObjectId"]) for each in page["results"]]
        for start in range(0, len(ids), _READ):
            for record in await _read(call, kind, ids[start : start + _READ], properties):
                yield record
        following = page.get("paging", {}).get("next", {}).get("after")
        if not following:
            return
        params["after"] = following


async def contacts_of(call: Call, deal_ids: Sequence[str]) -> dict[str, str]:
    """Deal → the first of its contacts, for those that have one."""
    found: dict[str, str] = {}
    for start in range(0, len(deal_ids), _READ):
        inputs = [{"id": each} for each in deal_ids[start : start + _READ]]
        path = f"/crm/associations/{VERSION}/deals/contacts/batch/read"
        answer = await call.api.request("POST", path, json={"inputs": inputs}, writes=False)
        found |= {str(e["from"]["id"]): str(e["to"][0]["toObjectId"]) for e in answer.json()["results"] if e["to"]}
    return found


async def _read(call: Call, kind: str, ids: Sequence[str], properties: Sequence[str]) -> list[Record]:
    wanted = {"inputs": [{"id": each} for each in ids], "properties": list(properties)}
    answer = await call.api.request("POST", f"{kind}/batch/read", json=wanted, writes=False)
    found: list[Record] = answer.json()["results"]
    return found
