"""Which visits are to be made: whose, when, and where that is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellwire.capabilities.field_service import CloseJob, ListVisits, OpenedJob, OpenJob, PlannedVisit, PlannedVisits
from bellwire.capabilities.routing import PlanRoute, Position
from bellwire.connectors.bellwire.routes import route_plan
from bellwire.connectors.jobber import CONNECTOR
from bellwire.connectors.kit import Connection
from bellwire.errors import Refused
from bellwire.events import Address
from bellwire.practice.jobber import Jobber
from tests.connecting import call
from tests.connectors.jobber.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = datetime(2026, 12, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
AUSTIN = {"latitude": 30.2672, "longitude": -97.7431}


@pytest.fixture
def place(field: Jobber) -> tuple[str, str]:
    """A client and their place of work."""
    client = field.office.add_client({"firstName": "Robin", "lastName": "Hill"})
    address = {"street1": "1 Main St", "city": "Austin", "country": "United States", "coordinates": AUSTIN}
    return client["id"], field.office.add_property(client["id"], address)["id"]


async def visits(account: Connection, **changes: Any) -> tuple[PlannedVisit, ...]:
    given = ListVisits(**({"start": DAY, "end": DAY + 24 * HOUR} | changes))
    found = await CONNECTOR.actions["field_service.list_visits"](call(account), given)
    assert isinstance(found, PlannedVisits)
    return found.visits


async def opened(account: Connection, place: tuple[str, str], hour: int, **changes: Any) -> OpenedJob:
    values: dict[str, Any] = {"client_id": place[0], "property_id": place[1], "title": "Repair", "reference": "B-1"}
    values |= {"start": DAY + hour * HOUR, "end": DAY + (hour + 2) * HOUR}
    made = await CONNECTOR.actions["field_service.open_job"](call(account), OpenJob(**(values | changes)))
    assert isinstance(made, OpenedJob)
    return made


async def test_a_visit_says_when_it_is_and_where(connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
    account = connect()
    job = await opened(account, place, 15)
    (visit,) = await visits(account)
    assert visit == PlannedVisit(
        id=visit.id,
        job_id=job.id,
        job_number=job.number,
        title="Repair",
        name="Robin Hill",
        address=Address(line1="1 Main St", city="Austin", country="US"),
        position=Position(**AUSTIN),
        starts=DAY + 15 * HOUR,
        minutes=120,
        earliest=DAY + 15 * HOUR,
        latest=DAY + 15 * HOUR,
    )


async def test_one_at_any_time_of_the_day_and_a_place_that_isnt_found_yet_say_so(
    connect: Connect, field: Jobber, place: tuple[str, str]
) -> None:
    elsewhere = field.office.add_property(place[0], {"street1": "2 Side St"})["id"]
    job = field.office.add_job({"propertyId": elsewhere, "title": None})
    field.office.add_visit(job["id"], DAY, DAY + 24 * HOUR, all_day=True)
    (visit,) = await visits(connect())
    assert (visit.position, visit.title, visit.starts) == (None, "", DAY)
    assert (visit.minutes, visit.earliest, visit.latest) == (None, None, None)


async def test_they_are_those_of_the_time_that_is_asked_for_its_start_included(
    connect: Connect, field: Jobber, place: tuple[str, str]
) -> None:
    job = field.office.add_job({"propertyId": place[1]})
    for hours in (-1, 24, 23, 0):
        field.office.add_visit(job["id"], DAY + hours * HOUR, DAY + (hours + 1) * HOUR)
    assert [visit.starts for visit in await visits(connect())] == [DAY, DAY + 23 * HOUR]


async def test_what_is_done_already_is_left_out(connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
    account = connect()
    job = await opened(account, place, 0, start=datetime(2025, 12, 1, 9, tzinfo=UTC), end=DAY - 300 * 24 * HOUR)
    past = {"start": datetime(2025, 12, 1, tzinfo=UTC), "end": datetime(2025, 12, 2, tzinfo=UTC)}
    assert len(await visits(account, **past)) == 1
    await CONNECTOR.actions["field_service.close_job"](call(account), CloseJob(job_id=job.id))
    assert await visits(account, **past) == ()


async def test_they_are_everybodys_or_one_persons(connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
    account = connect()
    for hour, whose in ((8, "kim@example.com"), (10, "lee@example.com"), (12, "")):
        await opened(account, place, hour, assigned_to=whose, reference=f"B-{hour}")
    assert [visit.starts.hour for visit in await visits(account)] == [8, 10, 12]
    assert [visit.starts.hour for visit in await visits(account, assigned_to="Lee@example.com")] == [10]


@pytest.mark.proves("errors")
async def test_who_is_not_there_is_said(connect: Connect, field: Jobber) -> None:
    with pytest.raises(Refused, match="no user with the e-mail address nobody@"):
        await visits(connect(), assigned_to="nobody@example.com")


@pytest.mark.proves("paging")
async def test_a_busy_day_is_read_to_its_last_page(connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
    job = field.office.add_job({"propertyId": place[1]})
    for minutes in range(120):
        field.office.add_visit(job["id"], DAY + timedelta(minutes=minutes), DAY + 2 * HOUR)
    assert len({visit.id for visit in await visits(connect())}) == 120
    assert [request.body["variables"]["after"] for request in field.received] == [None, "50", "100"]


async def test_they_are_stops_of_a_route_as_they_are(connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
    account = connect()
    await opened(account, place, 15)
    found = await visits(account)
    day = PlanRoute.model_validate(
        {"start": AUSTIN, "begins": DAY + 8 * HOUR, "stops": found}, from_attributes=True
    )  # fmt: skip
    (stop,) = route_plan(day).stops
    assert (stop.name, stop.begins, stop.departure) == ("Robin Hill", DAY + 15 * HOUR, DAY + 17 * HOUR)
