"""What became of contracts: told by Connect, or listed.

https://developers.docusign.com/platform/webhooks/connect/
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.docusign.api import REFERENCE, WITH_DETAILS, Record, below, contract
from bellwire.connectors.docusign.manifest import settings_of
from bellwire.connectors.kit import (
    Call,
    Connection,
    Listed,
    Normalised,
    Page,
    Poll,
    Subscribing,
    Subscription,
    Triggers,
    event_of,
)
from bellwire.errors import CannotNormalise, Refused
from bellwire.events import Delivery, Event, what_is_wrong

_MEANINGS = {
    "completed": ("contract.signed", "signed", "completedDateTime"),
    "declined": ("contract.declined", "declined", "declinedDateTime"),
    "voided": ("contract.declined", "withdrawn", "voidedDateTime"),
}
"""An envelope's status → event type, end of the business key, and when that happened."""
_TOPICS = tuple(f"envelope-{status}" for status in _MEANINGS)
_POLL = "envelopes"
_PAGE = 100
_DATA = {"version": "restv2.1", "format": "json", "includeData": ["recipients", "custom_fields"]}


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """The end of a contract. Raises CannotNormalise when it can't be read."""
    try:
        body = delivery.json
        kind, _, status = body["event"].partition("-")
        if kind != "envelope" or status not in _MEANINGS:
            return Normalised(reason=f"Bellwire has no use for DocuSign's {body['event']}.")
        envelope = body["data"].get("envelopeSummary")
        if not envelope:
            return Normalised(reason="DocuSign was asked to send no details; they are looked up.", wake=(_POLL,))
        event = _event(status, {"envelopeId": body["data"]["envelopeId"], **envelope}, connection)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what DocuSign describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error
    return Normalised((event,))


def belongs(delivery: Delivery, connection: Connection) -> str:
    """An app may be told of several accounts; a demo account is one of its own."""
    try:
        told = str(delivery.json["data"]["accountId"])
    except (KeyError, TypeError, ValueError):
        return ""  # reading it will fail, and say so
    ours = settings_of(connection).account_id
    return "" if told.lower() == ours.lower() else f"It is about another account than {ours}."


async def list_ended(call: Call, since: datetime, cursor: str) -> Page:
    """`GET envelopes`: what was signed, declined or withdrawn since, oldest first. The cursor is a position."""
    query = {
        "from_date": since.isoformat(),
        "from_to_status": "changed",
        "status": ",".join(_MEANINGS),
        "order_by": "last_modified",
        "order": "asc",
        "count": str(_PAGE),
        "start_position": cursor or "0",
        **WITH_DETAILS,
    }
    told = (await call.api.get(await below(call, "envelopes"), params=query)).json()
    envelopes = told.get("envelopes") or ()
    records = tuple(_listed(call, envelope) for envelope in envelopes)
    return Page(records, next_cursor=str(int(cursor or 0) + len(envelopes)) if told.get("nextUri") else "")


def _listed(call: Call, envelope: Record) -> Listed:
    """As Connect would tell it."""
    known, account = envelope["envelopeId"], settings_of(call.connection).account_id
    data = {"accountId": account, "envelopeId": known, "envelopeSummary": envelope}
    body = {"event": f"envelope-{envelope['status']}", "data": data}
    return Listed(f"{known}/{envelope['status']}", orjson.dumps(body))


def _event(status: str, envelope: Record, connection: Connection) -> Event:
    event_type, ended, when = _MEANINGS[status]
    subject = f"contract/{envelope['envelopeId']}"
    return event_of(
        connection,
        event_type,
        key=f"{subject}/{ended}",
        subject=subject,
        time=parse_time(envelope.get(when) or envelope["statusChangedDateTime"]),
        data=contract(envelope),
    )


def _sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    status = next(status for status, (known, *_) in _MEANINGS.items() if known == event_type)
    known, account, now = str(uuid4()), settings_of(connection).account_id, system_clock().isoformat()
    fields = [{"name": REFERENCE, "value": "practice", "show": "true"}]
    envelope: dict[str, Any] = {
        "envelopeId": known,
        "status": status,
        "emailSubject": "A made-up contract",
        "customFields": {"textCustomFields": fields},
        "recipients": {"signers": [{"name": "Robin Hill", "email": "robin@example.com"}]},
        "statusChangedDateTime": now,
        "lastModifiedDateTime": now,
    }
    body = {
        "event": f"envelope-{status}",
        "apiVersion": "v2.1",
        "uri": f"/restapi/v2.1/accounts/{account}/envelopes/{known}",
        "retryCount": 0,
        "configurationId": 1,
        "generatedDateTime": now,
        "data": {"accountId": account, "userId": str(uuid4()), "envelopeId": known, "envelopeSummary": envelope},
    }
    return {"Content-Type": "application/json"}, orjson.dumps(body)


# Connect's configurations: https://developers.docusign.com/docs/esign-rest-api/reference/connect/connectconfigurations/


async def _listing(call: Call) -> Sequence[Subscription]:
    told = (await call.api.get(await below(call, "connect"))).json()
    return [
        Subscription(str(each["connectId"]), each["urlToPublishTo"], tuple(each.get("events") or ()), _trouble(each))
        for each in told.get("configurations") or ()
        if each.get("urlToPublishTo")
    ]


def _trouble(configuration: Record) -> str:
    if configuration.get("allowEnvelopePublish") != "true":
        return "It is turned off in DocuSign."
    if configuration.get("includeHMAC") != "true":
        return "DocuSign doesn't sign what it sends there."
    data = configuration.get("eventData") or {}
    if (data.get("version"), data.get("format")) != (_DATA["version"], _DATA["format"]):
        return f"DocuSign sends it as {data.get('format') or 'XML'} {data.get('version', '')}.".replace(" .", ".")
    return ""


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """The secret key isn't made so: it is shown once, to who adds it in DocuSign."""
    wanted = {
        "configurationType": "custom",
        "name": "Bellwire",
        "urlToPublishTo": url,
        "allowEnvelopePublish": "true",
        "allUsers": "true",
        "deliveryMode": "SIM",
        "events": list(topics),
        "eventData": _DATA,
        "includeHMAC": "true",
        "requiresAcknowledgement": "true",
        "enableLog": "true",
    }
    await call.api.post(await below(call, "connect"), wanted)
    return {}


async def _remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", await below(call, f"connect/{subscription.id}"))
    except Refused:
        if subscription.id in {each.id for each in await _listing(call)}:
            raise


TRIGGERS = Triggers(
    event_types=("contract.signed", "contract.declined"),
    normalise=normalise,
    belongs=belongs,
    topics=_TOPICS,
    subscribing=Subscribing(_listing, _create, _remove),
    polls=(Poll(_POLL, list_ended, ("contract.signed", "contract.declined")),),
    sample=_sample,
)
