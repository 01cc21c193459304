"""Sending contracts, looking at them, and withdrawing them."""

import re
from datetime import timedelta
from typing import Any

from bellwire.capabilities.esign import (
    READ_CONTRACT,
    SEND_CONTRACT,
    WITHDRAW_CONTRACT,
    ContractStatus,
    FoundContract,
    ReadContract,
    SendContract,
    SentContract,
    WithdrawContract,
    WithdrawnContract,
)
from bellwire.connectors.docusign.api import KEY, REFERENCE, WITH_DETAILS, Record, account, below, contract
from bellwire.connectors.docusign.manifest import settings_of
from bellwire.connectors.kit import Account, Call, LookUp, Unkeyed, action
from bellwire.errors import Refused
from bellwire.events import Environment

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PAGE = "100"
_TRANSACTIONS_KEPT = timedelta(days=7)
_MARGIN = timedelta(days=1)
_STATUSES = {
    "created": ContractStatus.DRAFT,
    "completed": ContractStatus.SIGNED,
    "declined": ContractStatus.DECLINED,
    "voided": ContractStatus.WITHDRAWN,
    "deleted": ContractStatus.WITHDRAWN,
}
"""All others are on their way to be signed."""


async def find_sent(call: Call, given: SendContract) -> SentContract | None:
    """The envelope of an earlier attempt: by its transaction, which DocuSign knows for a week, or by a custom field."""
    since = call.since or call.clock() - _TRANSACTIONS_KEPT
    if since > call.clock() - _TRANSACTIONS_KEPT + _MARGIN:
        query = {"transaction_ids": call.uuid}
    else:
        query = {"custom_field": f"{KEY}={call.key}", "from_date": (since - _MARGIN).isoformat()}
    told = (await call.api.get(await below(call, "envelopes"), params=query)).json()
    for found in (*(told.get("envelopes") or ()), *(told.get("envelopeTransactionStatuses") or ())):
        if found.get("envelopeId"):
            return _sent(call, found)
    return None


@action(SEND_CONTRACT, repeat=LookUp(find_sent))
async def send_contract(call: Call, given: SendContract) -> SentContract:
    """`POST envelopes` of a template. Also raises Refused (unknown-template)."""
    role: dict[str, Any] = {
        "roleName": settings_of(call.connection).role,
        "name": given.name,
        "email": given.email,
    }
    if given.fields:
        role["tabs"] = {"textTabs": [{"tabLabel": name, "value": value} for name, value in given.fields.items()]}
    fields = [
        {"name": REFERENCE, "value": given.reference, "show": "true"},
        {"name": KEY, "value": call.key, "show": "false"},
    ]
    envelope: dict[str, Any] = {
        "templateId": await _template(call, given.template),
        "templateRoles": [role],
        "transactionId": call.uuid,
        "customFields": {"textCustomFields": fields},
        "status": "sent",
    }
    if given.subject:
        envelope["emailSubject"] = given.subject
    if given.message:
        envelope["emailBlurb"] = given.message
    return _sent(call, (await call.api.post(await below(call, "envelopes"), envelope)).json())


@action(READ_CONTRACT, repeat=Unkeyed("it only reads"))
async def read_contract(call: Call, given: ReadContract) -> FoundContract:
    """`GET envelopes/{id}`"""
    envelope = await _read(call, given.contract_id)
    return FoundContract(contract=contract(envelope), status=_STATUSES.get(envelope["status"], ContractStatus.SENT))


async def find_withdrawn(call: Call, given: WithdrawContract) -> WithdrawnContract | None:
    """Whether it is withdrawn already."""
    envelope = await _read(call, given.contract_id)
    return WithdrawnContract(id=envelope["envelopeId"]) if envelope["status"] == "voided" else None


@action(WITHDRAW_CONTRACT, repeat=LookUp(find_withdrawn))
async def withdraw_contract(call: Call, given: WithdrawContract) -> WithdrawnContract:
    """`PUT envelopes/{id}`"""
    voided = {"status": "voided", "voidedReason": given.reason}
    await call.api.put(await below(call, f"envelopes/{given.contract_id}"), voided)
    return WithdrawnContract(id=given.contract_id)


async def sign_in(call: Call) -> Account:
    """The account's name, and whether it is one for trying out."""
    found = await account(call)
    demo = "//demo." in found["base_uri"]
    return Account(
        name=found["account_name"],
        detail=f"account {found['account_id']} on {found['base_uri'].partition('//')[2]}",
        environment=Environment.SANDBOX if demo else Environment.PRODUCTION,
    )


ACTIONS = (send_contract, read_contract, withdraw_contract)


async def _read(call: Call, envelope_id: str) -> Record:
    read: Record = (await call.api.get(await below(call, f"envelopes/{envelope_id}"), params=WITH_DETAILS)).json()
    return read


async def _template(call: Call, wanted: str) -> str:
    """The id of a template, by that or by its name. Raises Refused (unknown-template)."""
    if _GUID.fullmatch(wanted):
        return wanted
    position, found = 0, []
    while True:
        query = {"search_text": wanted, "count": _PAGE, "start_position": str(position)}
        page = (await call.api.get(await below(call, "templates"), params=query)).json()
        templates = page.get("envelopeTemplates") or ()
        found += [each["templateId"] for each in templates if each["name"] == wanted]
        position += len(templates)
        if not page.get("nextUri"):
            break
    if len(found) == 1:
        return str(found[0])
    raise Refused(
        f"DocuSign has {len(found) or 'no'} template{'s' if found else ''} named '{wanted}'.",
        cause="unknown-template",
        remedy="Name it in the flow as in DocuSign › Templates, or by its id; then retry.",
    )


def _sent(call: Call, envelope: Record) -> SentContract:
    app = "apps-d" if call.connection.environment is Environment.SANDBOX else "apps"
    known = envelope["envelopeId"]
    return SentContract(id=known, url=f"https://{app}.docusign.com/send/documents/details/{known}")
