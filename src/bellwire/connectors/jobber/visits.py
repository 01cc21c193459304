"""Visits: when somebody is to be where."""

from datetime import timedelta
from typing import Any

from bellwire.capabilities.field_service import LIST_VISITS, ListVisits, PlannedVisit, PlannedVisits
from bellwire.capabilities.routing import Position
from bellwire.clock import parse_time
from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import Node, iso, listed
from bellwire.connectors.jobber.clients import address_of
from bellwire.connectors.jobber.users import user_id
from bellwire.connectors.kit import Call, Unkeyed, action

_MINUTE = timedelta(minutes=1)


@action(LIST_VISITS, repeat=Unkeyed("it only reads"))
async def list_visits(call: Call, given: ListVisits) -> PlannedVisits:
    """`visits`. One at any time of the day begins, for Jobber, at that day's midnight in the account's zone. Raises
    Refused (unknown-user)."""
    # It isn't said whether the ends of a range belong to it: one is asked for that has them, and theirs are left out.
    around = {"since": iso(given.start - _MINUTE), "before": iso(given.end + _MINUTE)}
    # What isn't given isn't asked about; null might ask for what nobody is to do.
    whose = {"user": await user_id(call, given.assigned_to)} if given.assigned_to else {}
    nodes = [node async for node in listed(call, documents.VISITS, ("visits",), **around, **whose)]
    visits = [_visit(node) for node in nodes if not node["isComplete"]]
    within = [visit for visit in visits if given.start <= visit.starts < given.end]
    return PlannedVisits(visits=tuple(sorted(within, key=lambda visit: (visit.starts, visit.id))))


def _visit(node: Node) -> PlannedVisit:
    place, starts = node["property"]["address"], parse_time(node["startAt"])
    timed: dict[str, Any] = {}
    if not node["allDay"]:
        timed = {"earliest": starts, "latest": starts, "minutes": (parse_time(node["endAt"]) - starts) // _MINUTE}
    return PlannedVisit(
        id=node["id"],
        job_id=node["job"]["id"],
        job_number=str(node["job"]["jobNumber"]),
        title=node["title"] or "",
        name=node["client"]["name"],
        address=address_of(place),
        position=Position(**place["coordinates"]) if place["coordinates"] else None,
        starts=starts,
        **timed,
    )
