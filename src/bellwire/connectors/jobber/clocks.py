"""Clocks: the time of who is at a visit begins to count."""

from bellwire.capabilities.field_service import START_TIMESHEET, StartedTimesheet, StartTimesheet
from bellwire.clock import parse_time
from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import Node, ask, iso, listed
from bellwire.connectors.jobber.users import user_id
from bellwire.connectors.kit import Call, LookUp, action
from bellwire.errors import Refused

_BY_HAND = (
    "Start the clock in Jobber's app. If Jobber refuses each of them, delete the file of this flow: then whoever \
does the work starts it."
)


async def find_started(call: Call, given: StartTimesheet) -> StartedTimesheet | None:
    """The person's clock on the job that runs, or ran at this visit, whoever started it."""
    return await _known(call, given, await _visit(call, given), await user_id(call, given.assigned_to))


@action(START_TIMESHEET, repeat=LookUp(find_started))
async def start_timesheet(call: Call, given: StartTimesheet) -> StartedTimesheet:
    """`visitStartTimer`, unless the person's clock runs on the job already, or ran at this visit. The visit is the
    job's only one, or that which begins at the time.

    Jobber's public schema has the mutation; that an app of yours may use it isn't shown by anything, and no scope for
    writing time sheets is documented. Jobber starts no clock of a visit that is done:
    https://help.getjobber.com/hc/en-us/articles/115009560687-Timers-in-the-Jobber-App

    Also raises Refused (no-visit, visit-done, unknown-user, unknown-record).
    """
    visit, user = await _visit(call, given), await user_id(call, given.assigned_to)
    known = await _known(call, given, visit, user)
    if known is not None:
        return known
    if visit["isComplete"]:
        raise Refused(
            "The visit is done already, so that its clock can't be started.",
            cause="visit-done",
            remedy="If its time is missing, enter it in Jobber by hand; then dismiss this.",
        )
    try:
        made = await ask(call, documents.START_CLOCK, writes=True, visit=visit["id"], user=user, at=iso(given.starts))
    except Refused as error:
        raise Refused(
            f"Jobber didn't start the clock. {error.sentence}", cause=error.cause, detail=error.detail, remedy=_BY_HAND
        ) from error
    return _started(made["visitStartTimer"]["timeSheetEntry"])


async def _visit(call: Call, given: StartTimesheet) -> Node:
    visits = [node async for node in listed(call, documents.VISITS_OF_JOB, ("job", "visits"), id=given.job_id)]
    then = [visit for visit in visits if visit["startAt"] and parse_time(visit["startAt"]) == given.starts]
    if found := then or visits[:1] * (len(visits) == 1):
        return found[0]
    raise Refused(
        "None of the work order's visits begins at this time." if visits else "The work order has no visit.",
        cause="no-visit",
        remedy="Start the clock in Jobber's app, or correct the visit there and retry this.",
    )


async def _known(call: Call, given: StartTimesheet, visit: Node, user: str) -> StartedTimesheet | None:
    async for entry in listed(call, documents.CLOCKS, ("job", "timeSheetEntries"), id=given.job_id):
        theirs = entry["user"] is not None and entry["user"]["id"] == user
        if theirs and (entry["ticking"] or (entry["visit"] is not None and entry["visit"]["id"] == visit["id"])):
            return _started(entry)
    return None


def _started(entry: Node) -> StartedTimesheet:
    return StartedTimesheet(id=entry["id"], started_at=parse_time(entry["startAt"]))
