"""Jobs, their notes and the time spent on them."""

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from bellwire.capabilities import Given, Result
from bellwire.capabilities.field_service import (
    AddJobNote,
    ClosedJob,
    CloseJob,
    FindJob,
    FoundJob,
    JobLine,
    JobNote,
    OpenedJob,
    OpenJob,
    ReadTimesheet,
    Timesheet,
)
from bellwire.clock import system_clock
from bellwire.connectors.jobber import CONNECTOR
from bellwire.connectors.kit import Call
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.jobber import Jobber
from tests.connecting import call
from tests.connectors.jobber.conftest import Connect
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")

_serial = count(1)
START = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)


async def do(call: Call, name: str, given: Given) -> Result:
    return await CONNECTOR.actions[f"field_service.{name}"](call, given)


@pytest.fixture
def place(field: Jobber) -> tuple[str, str]:
    """A client and their place of work."""
    client = field.office.add_client({"firstName": "Robin", "lastName": "Hill"})
    return client["id"], field.office.add_property(client["id"], {"street1": "1 Main St"})["id"]


async def opened(call: Call, place: tuple[str, str], **changes: Any) -> OpenedJob:
    values: dict[str, Any] = {
        "client_id": place[0],
        "property_id": place[1],
        "title": "Repair of the boiler",
        "reference": "B-1",
        "start": START,
        "end": START + timedelta(hours=2),
        **changes,
    }
    made = await do(call, "open_job", OpenJob(**values))
    assert isinstance(made, OpenedJob)
    return made


class TestOpening:
    async def test_a_job_says_what_people_look_for(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        line = JobLine(name="Labour", quantity=2, unit_price=usd("60.10"))
        made = await opened(
            call(connect()),
            place,
            instructions="Ring twice",
            zone="America/Chicago",
            assigned_to="LEE@example.com",
            lines=(line,),
        )
        held = field.office.jobs[made.id]
        assert (held["title"], held["instructions"]) == ("Repair of the boiler", "Ring twice\n\nReference: B-1")
        assert (held["startAt"], held["endAt"]) == ("2026-12-01T09:00:00Z", "2026-12-01T11:00:00Z")
        assert (held["assigned"], held["total"]) == (["VTI="], 120.2)
        assert (made.number, made.url) == (
            str(held["jobNumber"]),
            f"https://secure.getjobber.com/jobs/{held['jobNumber']}",
        )
        (sent,) = [request.body["variables"]["input"] for request in field.received if "jobCreate" in str(request.body)]
        assert sent["scheduling"]["notifyTeam"] is False
        assert sent["invoicing"] == {"invoicingType": "FIXED_PRICE", "invoicingSchedule": "ON_COMPLETION"}

    async def test_a_job_may_take_days(self, connect: Connect, field: Jobber, place: tuple[str, str]) -> None:
        made = await opened(call(connect()), place, end=START + timedelta(days=2))
        held = field.office.jobs[made.id]
        assert (held["startAt"], held["endAt"]) == ("2026-12-01T15:00:00Z", "2026-12-03T15:00:00Z")

    @pytest.mark.proves("errors")
    async def test_a_price_in_another_currency_is_refused_before_anything_is_asked(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        line = JobLine(name="Labour", unit_price=Money.of("60", "EUR"))
        with pytest.raises(Refused, match="priced in EUR, but the Jobber account is in USD"):
            await opened(call(connect()), place, lines=(line,))
        assert not field.received

    @pytest.mark.proves("errors")
    async def test_who_and_what_is_not_there_is_said(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        with pytest.raises(Refused, match="no user with the e-mail address nobody@"):
            await opened(call(connect()), place, assigned_to="nobody@example.com")
        with pytest.raises(Refused, match="Jobber refused it: Property not found") as refused:
            await opened(call(connect()), ("x", "y"))
        assert refused.value.cause == "invalid:input.propertyId"

    @pytest.mark.proves("paging")
    async def test_a_lost_answer_leaves_one_job_however_many_the_client_has(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        for number in range(120):
            field.office.add_job({"propertyId": place[1], "instructions": f"Reference: other-{number}"})
        field.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="jobCreate"))
        with pytest.raises(OutcomeUnknown):
            await opened(this, place)
        field.received.clear()
        again = await opened(dataclasses.replace(this, again=True), place)
        assert len(field.office.jobs) == 121
        assert field.office.jobs[again.id]["instructions"] == "Reference: B-1"
        assert [request.body["variables"]["after"] for request in field.received] == [
            None,
            *("20", "40", "60", "80", "100", "120"),
        ]


class TestFinding:
    @pytest.mark.proves("paging")
    async def test_a_clients_job_is_found_by_its_reference_on_the_last_page_too(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        for number in range(60):
            field.office.add_job({"propertyId": place[1], "instructions": f"Reference: other-{number}"})
        made = await opened(this, place)
        found = await do(this, "find_job", FindJob(client_id=place[0], reference="B-1"))
        assert found == FoundJob(id=made.id, number=made.number, url=made.url)

    async def test_where_there_is_none_nothing_is_found(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        await opened(this, place)
        assert await do(this, "find_job", FindJob(client_id=place[0], reference="B-2")) == FoundJob()
        other = field.office.add_client({"firstName": "Kim", "lastName": "Lee"})
        assert await do(this, "find_job", FindJob(client_id=other["id"], reference="B-1")) == FoundJob()


class TestTimesheets:
    async def test_the_time_of_all_is_added_up_to_the_last_page(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        account = connect()
        made, other = await opened(call(account), place), await opened(call(account), place, reference="B-2")
        for number in range(110):
            field.office.clock(made.id, START + timedelta(minutes=number), 90, user=number % 2)
        field.office.clock(made.id, START, 5, ticking=True)
        field.office.clock(other.id, START, 3600)
        sheet = await do(call(account), "read_timesheet", ReadTimesheet(job_id=made.id))
        assert isinstance(sheet, Timesheet)
        assert (len(sheet.entries), sheet.minutes) == (111, 165)
        first, second, *_, last = sheet.entries
        assert (first.person, first.start, first.duration) == ("Kim Field", START, timedelta(seconds=90))
        assert (second.person, last.duration) == ("Lee Mills", None)

    @pytest.mark.proves("errors")
    async def test_a_job_that_is_gone_is_said(self, connect: Connect, field: Jobber) -> None:
        with pytest.raises(Refused, match="Jobber has no such job") as refused:
            await do(call(connect()), "read_timesheet", ReadTimesheet(job_id="gone"))
        assert refused.value.cause == "unknown-record"


class TestNotes:
    async def test_a_note_is_written_once_though_its_answer_was_lost(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        made = await opened(this, place)
        note = AddJobNote(job_id=made.id, text="Paid.")
        for number in range(70):
            await do(this.part(str(number)), "add_job_note", AddJobNote(job_id=made.id, text=f"Note {number}"))
        field.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="jobCreateNote"))
        with pytest.raises(OutcomeUnknown):
            await do(this, "add_job_note", note)
        again = await do(dataclasses.replace(this, again=True, since=system_clock()), "add_job_note", note)
        assert isinstance(again, JobNote)
        assert [each["id"] for each in field.office.notes.values() if each["message"] == "Paid."] == [again.id]

    async def test_the_same_words_from_long_ago_are_another_note(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        made = await opened(this, place)
        note = AddJobNote(job_id=made.id, text="Paid.")
        await do(this, "add_job_note", note)
        (old,) = field.office.notes.values()
        old["createdAt"] = (system_clock() - timedelta(days=1)).isoformat()
        await do(dataclasses.replace(this, again=True, since=system_clock()), "add_job_note", note)
        assert len(field.office.notes) == 2


class TestClosing:
    async def test_a_job_is_closed_and_one_that_is_closed_stays_so(
        self, connect: Connect, field: Jobber, place: tuple[str, str]
    ) -> None:
        this = call(connect())
        made = await opened(this, place)
        first = await do(this, "close_job", CloseJob(job_id=made.id))
        assert isinstance(first, ClosedJob) and first.closed_at is not None
        assert field.office.jobs[made.id]["jobStatus"] == "requires_invoicing"
        assert await do(this, "close_job", CloseJob(job_id=made.id)) == first

    @pytest.mark.proves("errors")
    async def test_a_job_that_is_not_there_is_refused(self, connect: Connect, field: Jobber) -> None:
        with pytest.raises(Refused, match="Job is not open"):
            await do(call(connect()), "close_job", CloseJob(job_id="gone"))
