"""What Bellwire does in the CRM: contacts, deals, and tasks for people."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bellwire.capabilities.crm import (
    CREATE_DEAL,
    CREATE_TASK,
    FIND_OR_CREATE_CONTACT,
    CreateCrmTask,
    CreateDeal,
    CrmContact,
    CrmDeal,
    CrmTask,
    FindOrCreateContact,
)
from bellwire.clock import parse_time
from bellwire.connectors.hubspot.faults import DUPLICATE
from bellwire.connectors.hubspot.manifest import VERSION
from bellwire.connectors.hubspot.records import (
    CONTACT_PROPERTIES,
    Record,
    associated,
    contact_by_email,
    create,
    search,
)
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, Upsert, action
from bellwire.connectors.kit.references import says_reference, with_reference
from bellwire.errors import PACED, Refused, Transient
from bellwire.money import Money

_DEAL_TO_CONTACT, _TASK_TO_CONTACT = 3, 204
"""Types of association: https://developers.hubspot.com/docs/api-reference/latest/crm/associations/guide"""
_CONTACT, _DEAL, _TASK = "0-1", "0-3", "0-27"
"""Types of object, as they stand in addresses."""
_INDEXED = timedelta(seconds=15)
"""After so long a search finds what is new."""
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""


async def find_deal(call: Call, given: CreateDeal) -> CrmDeal | None:
    """The contact's deal that says the reference."""
    async for deal in associated(call, given.contact_id, "deals", ("description",)):
        if says_reference(deal["properties"].get("description"), given.reference):
            return _deal(call, deal)
    return None


async def find_task(call: Call, given: CreateCrmTask) -> CrmTask | None:
    """The contact's task with this subject and time that was made since the earlier attempt began. Tasks have no
    reference: whoever wants the same one twice on purpose, within so short a time, gets it once."""
    properties = ("hs_task_subject", "hs_timestamp")
    async for task in associated(call, given.contact_id, "tasks", properties):
        told = task["properties"]
        same = told.get("hs_task_subject") == given.subject and parse_time(told["hs_timestamp"]) == given.due
        if same and _since(call, task):
            return _task(call, task, given.due)
    return None


async def look_for_contact(call: Call, given: FindOrCreateContact) -> Seen | None:
    """The contact with this address, or without one this number; and what it would be given that it has otherwise."""
    found = await _find_contact(call, given)
    if found is None:
        return None
    has, wanted = found["properties"], _properties(given)
    told = [Compared(name, value, has.get(name) or "") for name, value in wanted.items() if value]
    result = _contact(call, found, created=False)
    return Seen(f"contact {given.email or given.phone}", tuple(told), result.url, result)


@action(
    FIND_OR_CREATE_CONTACT,
    repeat=Upsert("the e-mail address, which no two contacts share; else the phone number"),
    look=look_for_contact,
)
async def find_or_create_contact(call: Call, given: FindOrCreateContact) -> CrmContact:
    """`POST contacts`, or `PATCH` of what it lacks. Where a contact came from, HubSpot works out itself."""
    found = await _find_contact(call, given)
    if found is None:
        try:
            return _contact(call, await create(call, "contacts", _properties(given)), created=True)
        except Refused as error:
            # Somebody else made it meanwhile.
            if error.cause != DUPLICATE or (found := await _find_contact(call, given)) is None:
                raise
    await _complete(call, found, given)
    return _contact(call, found, created=False)


async def look_for_deal(call: Call, given: CreateDeal) -> Seen | None:
    """The contact's deal of this name, else the newest since the flow would have made one; whoever made it."""
    properties = ("dealname", "amount", "deal_currency_code")
    deals = [each async for each in associated(call, given.contact_id, "deals", properties)]
    named = [(Compared("name", given.name, each["properties"].get("dealname") or ""), each) for each in deals]
    fits = [each for each in named if each[0].same] or [each for each in named if _since(call, each[1])]
    if not fits:
        return None
    name, deal = max(fits, key=lambda each: str(each[1]["createdAt"]))
    told, compared = deal["properties"], [name]
    if given.amount is not None:
        currency = told.get("deal_currency_code") or call.settings.currency
        theirs = str(Money.of(told["amount"], currency).rounded()) if told.get("amount") else ""
        compared.append(Compared("amount", str(given.amount.rounded()), theirs))
    result = _deal(call, deal)
    return Seen(f"deal {name.theirs}", tuple(compared), result.url, result)


async def look_for_task(call: Call, given: CreateCrmTask) -> Seen | None:
    """The contact's task with this subject, else one that is due at the same time, made since the flow would have made
    it, whoever did. Under other words and for another time it isn't known to be the same."""
    properties = ("hs_task_subject", "hs_timestamp")
    tasks = [each async for each in associated(call, given.contact_id, "tasks", properties) if _since(call, each)]
    found = [
        (
            Compared("subject", given.subject, each["properties"].get("hs_task_subject") or ""),
            Compared("due", _iso(given.due), _iso(parse_time(each["properties"]["hs_timestamp"]))),
            each,
        )
        for each in tasks
    ]
    best = min(found, key=lambda each: (not each[0].same, not each[1].same), default=None)
    if best is None or not (best[0].same or best[1].same):
        return None
    subject, due, task = best
    result = _task(call, task, parse_time(task["properties"]["hs_timestamp"]))
    return Seen(f"task {subject.theirs}", (subject, due), result.url, result)


@action(CREATE_DEAL, repeat=LookUp(find_deal), look=look_for_deal)
async def create_deal(call: Call, given: CreateDeal) -> CrmDeal:
    """`POST deals`, with the contact. The reference is a line of the description. Also raises Refused
    (unknown-pipeline, unknown-stage)."""
    pipeline, stage = await _stage(call, given.stage)
    properties = {
        "dealname": given.name,
        "description": with_reference("", given.reference),
        "pipeline": pipeline,
        "dealstage": stage,
        "closedate": f"{given.closes_on.isoformat()}T00:00:00Z" if given.closes_on else "",
    }
    if given.amount is not None:
        properties["amount"] = str(given.amount.amount)
        if given.amount.currency != call.settings.currency:
            properties["deal_currency_code"] = given.amount.currency
    return _deal(call, await create(call, "deals", properties, {_DEAL_TO_CONTACT: given.contact_id}))


@action(CREATE_TASK, repeat=LookUp(find_task), look=look_for_task)
async def create_task(call: Call, given: CreateCrmTask) -> CrmTask:
    """`POST tasks`, with the contact. Also raises Refused (unknown-owner)."""
    properties = {
        "hs_timestamp": _iso(given.due),
        "hs_task_subject": given.subject,
        "hs_task_body": given.notes,
        "hs_task_status": "NOT_STARTED",
        "hs_task_type": "TODO",
        "hubspot_owner_id": await _owner(call, given.owner) if given.owner else "",
    }
    made = await create(call, "tasks", properties, {_TASK_TO_CONTACT: given.contact_id})
    return _task(call, made, given.due)


ACTIONS = (find_or_create_contact, create_deal, create_task)


async def _find_contact(call: Call, given: FindOrCreateContact) -> Record | None:
    if given.email:
        return await contact_by_email(call, given.email)
    fits = [{"propertyName": name, "operator": "EQ", "value": given.phone} for name in ("phone", "mobilephone")]
    found = await search(call, "contacts", fits, CONTACT_PROPERTIES, sort="createdate", limit=1)
    if not found and call.again and call.since and call.clock() - call.since < _INDEXED:
        raise Transient("HubSpot takes some seconds until it finds what is new.", cause=PACED, retry_after=_INDEXED)
    return found[0] if found else None


def _properties(given: FindOrCreateContact) -> dict[str, str]:
    first, _, last = given.name.strip().rpartition(" ")
    return {
        "email": given.email,
        "firstname": first or last,
        "lastname": last if first else "",
        "phone": given.phone,
        "company": given.company,
    }


async def _complete(call: Call, found: Record, given: FindOrCreateContact) -> None:
    """Add what it lacks. A name is one thing: half of one isn't completed with another's half."""
    has: Mapping[str, Any] = found["properties"]
    named = has.get("firstname") or has.get("lastname")
    lacking = {
        name: value
        for name, value in _properties(given).items()
        if value and not has.get(name) and not (named and name in ("firstname", "lastname"))
    }
    if lacking:
        await call.api.request("PATCH", f"contacts/{found['id']}", json={"properties": lacking})


async def _stage(call: Call, wanted: str) -> tuple[str, str]:
    """The ids of the connection's pipeline and of the stage that is called so."""
    pipelines = (await call.api.get(f"/crm/pipelines/{VERSION}/deals")).json()["results"]
    pipeline = _named(pipelines, call.settings.pipeline)
    if pipeline is None:
        raise Refused(
            f"HubSpot has no pipeline '{call.settings.pipeline}' for deals.",
            cause="unknown-pipeline",
            remedy=f"Set `pipeline` in [{call.connection.name}.settings] of connections.toml to one of: "
            f"{_labels(pipelines)}.",
        )
    stages = sorted(pipeline["stages"], key=lambda each: each["displayOrder"])
    stage = _named(stages, wanted) if wanted else stages[0]
    if stage is None:
        raise Refused(
            f"HubSpot's pipeline '{pipeline['label']}' has no stage '{wanted}'.",
            cause=f"unknown-stage:{wanted}",
            remedy=f"Let the flow name one of: {_labels(stages)}.",
        )
    return pipeline["id"], stage["id"]


def _named(records: list[Record], wanted: str) -> Record | None:
    alive = [each for each in records if not each.get("archived")]
    by_id = next((each for each in alive if each["id"] == wanted), None)
    return by_id or next((each for each in alive if each["label"].casefold() == wanted.casefold()), None)


def _labels(records: list[Record]) -> str:
    return ", ".join(each["label"] for each in records if not each.get("archived"))


async def _owner(call: Call, email: str) -> str:
    params = {"email": email, "limit": "1"}
    found = (await call.api.get(f"/crm/owners/{VERSION}", params=params)).json()["results"]
    if not found:
        raise Refused(
            f"HubSpot has no user with the e-mail address {email}.",
            cause=f"unknown-owner:{email}",
            remedy="Invite them there (Settings › Users), or let the flow name another owner.",
        )
    return str(found[0]["id"])


def _since(call: Call, record: Record) -> bool:
    """Whether it was made since the action was first tried."""
    return call.since is None or parse_time(record["createdAt"]) >= call.since - _MARGIN


def _contact(call: Call, record: Record, *, created: bool) -> CrmContact:
    return CrmContact(id=record["id"], created=created, url=_url(call, _CONTACT, record))


def _deal(call: Call, record: Record) -> CrmDeal:
    return CrmDeal(id=record["id"], url=_url(call, _DEAL, record))


def _task(call: Call, record: Record, due: datetime) -> CrmTask:
    return CrmTask(id=record["id"], due=due, url=_url(call, _TASK, record))


def _url(call: Call, kind: str, record: Record) -> str:
    """Accounts elsewhere, such as in the EU, are led on from there."""
    return f"https://app.hubspot.com/contacts/{call.settings.portal_id}/record/{kind}/{record['id']}"


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
