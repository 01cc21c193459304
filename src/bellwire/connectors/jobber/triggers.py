"""What changes in jobs. Webhooks only say that something did: the poll that they wake finds out what.

https://developer.getjobber.com/docs/using_jobbers_api/setting_up_webhooks
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from bellwire.clock import parse_time, system_clock
from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import Node, ask, iso
from bellwire.connectors.jobber.clients import address_of
from bellwire.connectors.jobber.faults import EXPIRED
from bellwire.connectors.jobber.manifest import settings_of
from bellwire.connectors.kit import Call, Connection, Listed, Normalised, Page, Poll, Triggers, event_of, state_key
from bellwire.connectors.kit.references import reference_of
from bellwire.errors import CannotNormalise, NotFound, Refused
from bellwire.events import Customer, Delivery, Event, Job, what_is_wrong
from bellwire.money import Money

_POLL = "jobs"
_TOPICS = ("JOB_CREATE", "JOB_UPDATE", "JOB_CLOSED", "VISIT_CREATE", "VISIT_UPDATE", "VISIT_COMPLETE", "VISIT_DESTROY")


def normalise(delivery: Delivery, connection: Connection) -> Normalised:
    """Raises CannotNormalise when the body isn't what Jobber describes."""
    try:
        body = delivery.json
        if "job" in body:
            return Normalised(tuple(_events(body["job"], connection)))
        return _webhook(body["data"]["webHookEvent"], connection)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise CannotNormalise(
            f"The delivery isn't what Jobber describes: {what_is_wrong(error)}.",
            remedy="Its bytes are kept: replay it after an update of Bellwire.",
        ) from error


def _webhook(told: Mapping[str, Any], connection: Connection) -> Normalised:
    """One app's address gets what happens in all accounts that are connected to it; Jobber stops sending to one that
    refuses much."""
    topic, account = told["topic"], settings_of(connection).account_id
    if told["accountId"] != account:
        return Normalised(reason=f"It is about another Jobber account than {account}.")
    if topic == "APP_DISCONNECT":
        return Normalised(reason="Somebody has disconnected the app in Jobber: connect it again.")
    if not topic.startswith(("JOB_", "VISIT_")):
        return Normalised(reason=f"Bellwire has no use for Jobber's topic {topic}.")
    return Normalised(reason="Jobber says that a job changed, but not to what.", wake=(_POLL,))


def _events(node: Node, connection: Connection) -> list[Event]:
    """How a job is now; and that it is done, which is one fact however often it changes afterwards."""
    client, place, reference = node["client"], node["property"]["address"], reference_of(node.get("instructions"))
    found = Job(
        id=node["id"],
        number=str(node["jobNumber"]),
        title=node.get("title") or "",
        status=node["jobStatus"],
        reference=reference,
        client=Customer(
            id=client["id"],
            name=client["name"],
            email=next((each["address"] for each in client["emails"]), ""),
            phone=next((each["number"] for each in client["phones"]), ""),
            company=client.get("companyName") or "",
        ),
        address=address_of(place),
        start=_time(node.get("startAt")),
        end=_time(node.get("endAt")),
        # Cents, though JSON knows only floats: their shortest text is exact.
        total=Money.of(str(node["total"]), settings_of(connection).currency).rounded(),
        completed=bool(node.get("completedAt")),
        updated_at=parse_time(node["updatedAt"]),
    )
    changed = f"updated/{state_key(found.updated_at, found)}"
    events = [_event("updated", changed, found.updated_at, found, connection)]
    if done := _time(node.get("completedAt")):
        events.append(_event("completed", f"completed/{done.isoformat()}", done, found, connection))
    return events


def _event(happened: str, key: str, time: datetime, found: Job, connection: Connection) -> Event:
    subject = f"job/{found.id}"
    return event_of(connection, f"job.{happened}", f"{subject}/{key}", subject, time, found, version=found.updated_at)


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """Jobs can't be asked for by the time of their change, but in its order: newest first, so that what changes while
    it is read comes again rather than not at all."""
    try:
        found = (await ask(call, documents.JOBS_CHANGED, after=cursor or None))["jobs"]
    except Refused as error:
        if not cursor or error.cause != EXPIRED:
            raise
        found = (await ask(call, documents.JOBS_CHANGED, after=None))["jobs"]
    changed = [node for node in found["nodes"] if parse_time(node["updatedAt"]) >= since]
    records = tuple(Listed(f"job/{node['id']}/{node['updatedAt']}", orjson.dumps({"job": node})) for node in changed)
    more = found["pageInfo"]["hasNextPage"] and len(changed) == len(found["nodes"])
    return Page(records, found["pageInfo"]["endCursor"] if more else "")


def _sample(event_type: str, connection: Connection) -> tuple[dict[str, str], bytes]:
    """A job as the poll lists it: webhooks alone say too little."""
    if event_type not in TRIGGERS.event_types:
        raise NotFound(f"Jobber brings no {event_type}.", remedy=f"It brings: {', '.join(TRIGGERS.event_types)}.")
    now, done, number = iso(system_clock()), event_type == "job.completed", secrets.randbelow(9 * 10**11) + 10**11
    contact = {"emails": [{"address": "robin@example.com"}], "phones": [{"number": "+15125550123"}]}
    node = {
        "id": str(number),
        "jobNumber": number,
        "title": "Repair of the boiler",
        "instructions": "Reference: B-1",
        "jobStatus": "requires_invoicing" if done else "today",
        "startAt": now,
        "endAt": now,
        "completedAt": now if done else None,
        "updatedAt": now,
        "total": 100.0,
        "client": {"id": "MQ==", "name": "Robin Hill", "companyName": None, **contact},
        "property": {"address": {"street1": "1 Main St", "city": "Austin", "province": "TX", "postalCode": "78701"}},
    }
    return {"Content-Type": "application/json"}, orjson.dumps({"job": node})


TRIGGERS = Triggers(
    event_types=("job.updated", "job.completed"),
    normalise=normalise,
    topics=_TOPICS,
    polls=(Poll(_POLL, _page, ("job.updated", "job.completed"), every=timedelta(minutes=30)),),
    sample=_sample,
)
