"""Whose clock is started, at which visit, and that none is started twice."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from bellwire.capabilities.field_service import ReadTimesheet, StartedTimesheet, StartTimesheet, Timesheet
from bellwire.connectors.jobber import CONNECTOR
from bellwire.connectors.kit import Call
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.practice import Fault, FaultKind
from bellwire.practice.jobber import Jobber
from tests.connecting import call
from tests.connectors.jobber.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

START = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KIM, LEE = "VTE=", "VTI="


@pytest.fixture
def job(field: Jobber) -> str:
    """A work order without a visit."""
    client = field.office.add_client({"firstName": "Robin", "lastName": "Hill"})
    place = field.office.add_property(client["id"], {"street1": "1 Main St"})["id"]
    return str(field.office.add_job({"propertyId": place, "title": "Repair"})["id"])


def visit(field: Jobber, job: str, start: datetime = START) -> str:
    return str(field.office.add_visit(job, start, start + HOUR)["id"])


async def start(this: Call, job: str, starts: datetime = START, who: str = "kim@example.com") -> StartedTimesheet:
    given = StartTimesheet(job_id=job, starts=starts, assigned_to=who)
    made = await CONNECTOR.actions["field_service.start_timesheet"](this, given)
    assert isinstance(made, StartedTimesheet)
    return made


def held(field: Jobber) -> list[tuple[str, int, bool]]:
    """Each entry's visit, whose it is, and whether it still runs."""
    return [(each["visit"], each["user"], each["ticking"]) for each in field.office.times.values()]


async def test_a_persons_clock_is_started_at_the_jobs_visit(connect: Connect, field: Jobber, job: str) -> None:
    this, at = call(connect()), visit(field, job)
    made = await start(this, job, who="LEE@example.com")
    assert (made.started_at, list(field.office.times)) == (START, [made.id])
    assert held(field) == [(at, 1, True)]
    (sent,) = [each.body["variables"] for each in field.received if "visitStartTimer" in str(each.body)]
    assert sent == {"visit": at, "user": LEE, "at": "2026-12-01T15:00:00Z"}
    sheet = await CONNECTOR.actions["field_service.read_timesheet"](this, ReadTimesheet(job_id=job))
    assert isinstance(sheet, Timesheet)
    assert [(entry.person, entry.duration) for entry in sheet.entries] == [("Lee Mills", None)]


@pytest.mark.proves("paging")
async def test_of_many_visits_it_is_the_one_that_begins_then(connect: Connect, field: Jobber, job: str) -> None:
    visits = [visit(field, job, START + number * DAY) for number in range(60)]
    await start(call(connect()), job, START + 55 * DAY)
    assert held(field) == [(visits[55], 0, True)]


async def test_an_only_visit_is_it_whenever_it_is_planned(connect: Connect, field: Jobber, job: str) -> None:
    at = visit(field, job, START + DAY)
    assert (await start(call(connect()), job)).started_at == START
    assert held(field) == [(at, 0, True)]


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("planned", "said"), [((), "has no visit"), ((1, 2), "None of the work order's visits begins")]
)
async def test_where_the_visit_isnt_known_it_is_refused(
    connect: Connect, field: Jobber, job: str, planned: tuple[int, ...], said: str
) -> None:
    for days in planned:
        visit(field, job, START + days * DAY)
    with pytest.raises(Refused, match=said) as refused:
        await start(call(connect()), job)
    assert refused.value.cause == "no-visit" and not field.office.times


@pytest.mark.parametrize("ticking", [True, False])
async def test_who_started_the_clock_themselves_keeps_theirs(
    connect: Connect, field: Jobber, job: str, ticking: bool
) -> None:
    at = visit(field, job)
    own = field.office.clock(job, START - HOUR, 600, ticking=ticking, visit=at)
    assert await start(call(connect()), job) == StartedTimesheet(id=own["id"], started_at=START - HOUR)
    assert len(field.office.times) == 1


@pytest.mark.proves("paging")
async def test_a_clock_that_runs_on_the_job_is_found_on_the_last_page(
    connect: Connect, field: Jobber, job: str
) -> None:
    visit(field, job)
    for _ in range(110):
        field.office.clock(job, START, 60, user=1)
    running = field.office.clock(job, START - HOUR, 0, ticking=True)
    assert (await start(call(connect()), job)).id == running["id"]


async def test_time_of_others_at_other_visits_or_without_one_is_no_clock_of_this(
    connect: Connect, field: Jobber, job: str
) -> None:
    at, other = visit(field, job), visit(field, job, START - DAY)
    field.office.clock(job, START, 0, user=1, ticking=True, visit=at)
    field.office.clock(job, START - DAY, 600, visit=other)
    field.office.clock(job, START - DAY, 600)
    await start(call(connect()), job)
    assert held(field)[3:] == [(at, 0, True)]


async def test_a_lost_answer_leaves_one_clock(connect: Connect, field: Jobber, job: str) -> None:
    this = call(connect())
    visit(field, job)
    field.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="visitStartTimer"))
    with pytest.raises(OutcomeUnknown):
        await start(this, job)
    again = await start(dataclasses.replace(this, again=True), job)
    assert list(field.office.times) == [again.id]


@pytest.mark.proves("errors")
async def test_a_visit_that_is_done_has_its_clock_or_none(connect: Connect, field: Jobber, job: str) -> None:
    this, at = call(connect()), visit(field, job)
    field.complete(job)
    with pytest.raises(Refused, match="The visit is done already") as refused:
        await start(this, job)
    assert refused.value.cause == "visit-done" and "by hand" in refused.value.remedy
    own = field.office.clock(job, START, 600, visit=at)
    assert (await start(this, job)).id == own["id"]


@pytest.mark.proves("errors")
async def test_who_and_what_is_not_there_is_said(connect: Connect, field: Jobber, job: str) -> None:
    visit(field, job)
    with pytest.raises(Refused, match="no user with the e-mail address nobody@"):
        await start(call(connect()), job, who="nobody@example.com")
    with pytest.raises(Refused, match="Jobber has no such job"):
        await start(call(connect()), "gone")


@pytest.mark.proves("errors")
async def test_where_jobber_lets_no_app_do_it_the_owner_hears_who_starts_it(
    connect: Connect, field: Jobber, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit(field, job)
    monkeypatch.setattr(field, "starts_clocks", False)
    with pytest.raises(Refused) as refused:
        await start(call(connect()), job)
    assert refused.value.sentence == "Jobber didn't start the clock. The app isn't allowed to do this in Jobber."
    assert "in Jobber's app" in refused.value.remedy and "delete the file of this flow" in refused.value.remedy
    assert refused.value.cause == "no-access" and "visitStartTimer isn't for apps" in refused.value.detail
