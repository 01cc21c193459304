"""Jobs: opened, noted on, closed; and the time that was spent on them."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bellwire.capabilities.field_service import (
    ADD_JOB_NOTE,
    CLOSE_JOB,
    FIND_JOB,
    OPEN_JOB,
    READ_TIMESHEET,
    AddJobNote,
    ClosedJob,
    CloseJob,
    FindJob,
    FoundJob,
    JobNote,
    OpenedJob,
    OpenJob,
    ReadTimesheet,
    Timesheet,
)
from bellwire.clock import parse_time
from bellwire.connectors.jobber import documents
from bellwire.connectors.jobber.api import Node, ask, listed, unknown
from bellwire.connectors.jobber.manifest import settings_of
from bellwire.connectors.jobber.users import user_id
from bellwire.connectors.kit import Call, Compared, LookUp, Seen, Unkeyed, action
from bellwire.connectors.kit.references import says_reference, with_reference
from bellwire.errors import Refused
from bellwire.events import WorkedTime

_CLOSED = ("archived", "requires_invoicing")
_MARGIN = timedelta(minutes=5)
"""What two clocks may differ."""
_MINUTE = timedelta(minutes=1)


async def find_opened(call: Call, given: OpenJob | FindJob) -> OpenedJob | None:
    """The client's job whose instructions say the reference."""
    async for job in listed(call, documents.JOBS_OF_CLIENT, ("client", "jobs"), id=given.client_id):
        if says_reference(job.get("instructions"), given.reference):
            return _opened(job)
    return None


async def find_note(call: Call, given: AddJobNote) -> JobNote | None:
    """The job's note of the same words that was written since the earlier attempt began."""
    async for note in listed(call, documents.NOTES, ("job", "notes"), id=given.job_id):
        if note.get("message") == given.text and (
            call.since is None or parse_time(note["createdAt"]) >= call.since - _MARGIN
        ):
            return JobNote(id=note["id"], job_id=given.job_id)
    return None


async def find_closed(call: Call, given: CloseJob) -> ClosedJob | None:
    job = (await ask(call, documents.JOB_STATUS, id=given.job_id))["job"]
    return _closed(job) if job and job["jobStatus"] in _CLOSED else None


async def look_for_job(call: Call, given: OpenJob) -> Seen | None:
    """A job of this client that begins on the same day, whoever opened it; of several that with the same title. One
    without a day yet isn't found."""
    zone = ZoneInfo(given.zone)
    start = given.start.astimezone(zone)
    found = [
        (Compared("title", given.title, job["title"] or ""), parse_time(job["startAt"]).astimezone(zone), job)
        async for job in listed(call, documents.JOBS_OF_CLIENT, ("client", "jobs"), id=given.client_id)
        if job["startAt"]
    ]
    that_day = [each for each in found if each[1].date() == start.date()]
    best = min(that_day, key=lambda each: (not each[0].same, each[1] != start), default=None)
    if best is None:
        return None
    title, theirs, job = best
    made = _opened(job)
    return Seen(f"job {made.number}", (title, Compared("start", f"{start:%H:%M}", f"{theirs:%H:%M}")), made.url, made)


async def look_for_closing(call: Call, given: CloseJob) -> Seen | None:
    job = (await ask(call, documents.JOB_STATUS, id=given.job_id))["job"]
    if not job or job["jobStatus"] not in _CLOSED:
        return None
    return Seen(f"job {job['jobNumber']}, closed,", result=_closed(job))


@action(OPEN_JOB, repeat=LookUp(find_opened), look=look_for_job)
async def open_job(call: Call, given: OpenJob) -> OpenedJob:
    """`jobCreate`, with a visit for each day. The reference is a line of the instructions. Jobber takes times for those
    of the account's own zone, which should be that of the place of work. Also raises Refused (currency, unknown-user).
    """
    zone = ZoneInfo(given.zone)
    start, end = given.start.astimezone(zone), given.end.astimezone(zone)
    scheduling: Node = {
        "createVisits": True,
        "notifyTeam": False,
        "startTime": start.strftime("%H:%M:%S"),
        "endTime": end.strftime("%H:%M:%S"),
    }
    if given.assigned_to:
        scheduling["assignedTo"] = [await user_id(call, given.assigned_to)]
    days = (end.date() - start.date()).days + 1
    wanted = {
        "propertyId": given.property_id,
        "title": given.title,
        "instructions": with_reference(given.instructions, given.reference),
        "timeframe": {"startAt": start.date().isoformat(), "durationUnits": "DAYS", "durationValue": days},
        "scheduling": scheduling,
        "invoicing": {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "ON_COMPLETION"},
        "lineItems": _lines(call, given),
    }
    return _opened((await ask(call, documents.CREATE_JOB, writes=True, input=wanted))["jobCreate"]["job"])


@action(FIND_JOB, repeat=Unkeyed("it only reads"))
async def find_job(call: Call, given: FindJob) -> FoundJob:
    found = await find_opened(call, given)
    return FoundJob(id=found.id, number=found.number, url=found.url) if found else FoundJob()


@action(READ_TIMESHEET, repeat=Unkeyed("it only reads"))
async def read_timesheet(call: Call, given: ReadTimesheet) -> Timesheet:
    path = ("job", "timeSheetEntries")
    entries = [_worked(node) async for node in listed(call, documents.TIME_SHEET, path, id=given.job_id)]
    spent = sum((entry.duration for entry in entries if entry.duration is not None), timedelta())
    return Timesheet(entries=tuple(entries), minutes=spent // _MINUTE)


@action(ADD_JOB_NOTE, repeat=LookUp(find_note))
async def add_job_note(call: Call, given: AddJobNote) -> JobNote:
    made = await ask(call, documents.CREATE_NOTE, writes=True, job=given.job_id, input={"message": given.text})
    return JobNote(id=made["jobCreateNote"]["jobNote"]["id"], job_id=given.job_id)


@action(CLOSE_JOB, repeat=LookUp(find_closed), look=look_for_closing)
async def close_job(call: Call, given: CloseJob) -> ClosedJob:
    """`jobClose`: visits that were to be until now count as done, those to come are taken off."""
    try:
        return _closed((await ask(call, documents.CLOSE_JOB, writes=True, job=given.job_id))["jobClose"]["job"])
    except Refused:
        if (closed := await find_closed(call, given)) is None:
            raise
        return closed


ACTIONS = (open_job, find_job, read_timesheet, add_job_note, close_job)


def _lines(call: Call, given: OpenJob) -> list[Node]:
    ours = settings_of(call).currency
    for line in given.lines:
        if line.unit_price.currency != ours:
            raise Refused(
                f"The job is priced in {line.unit_price.currency}, but the Jobber account is in {ours}.",
                cause=f"currency:{line.unit_price.currency}",
                remedy="Enter its price there by hand, and leave it out of the flow; or correct `currency` in "
                f"[{call.connection.name}.settings] of connections.toml.",
            )
    # JSON has no decimals; these are exact up to 15 digits.
    return [
        {
            "name": line.name,
            "quantity": float(line.quantity),
            "unitPrice": float(line.unit_price.amount),
            "saveToProductsAndServices": False,
        }
        for line in given.lines
    ]


def _opened(job: Node) -> OpenedJob:
    return OpenedJob(id=job["id"], number=str(job["jobNumber"]), url=job["jobberWebUri"])


def _closed(job: Any) -> ClosedJob:
    if job is None:
        raise unknown("job")
    return ClosedJob(id=job["id"], closed_at=parse_time(job["completedAt"]) if job["completedAt"] else None)


def _worked(node: Node) -> WorkedTime:
    return WorkedTime(
        id=node["id"],
        person=(node["user"] or {"name": {"full": ""}})["name"]["full"],
        start=parse_time(node["startAt"]),
        duration=None if node["ticking"] else timedelta(seconds=int(node["finalDuration"])),
    )
