"""The pilot of visits and of work: the bundled flows are ready, whatever calendar and books; one that forgets a case
isn't."""

from pathlib import Path

import pytest

from bellwire.flows import bundled
from bellwire.practice import Bookings, Calendar, Fieldwork, Texts
from bellwire.practice.pilot import Tried
from tests.practice.pilots import able, trial

CALENDARS = able(Calendar)


async def tried(folder: Path, flow: str, *positions: int, **chosen: str) -> list[Tried]:
    """What comes of these records (of all, if none is named)."""
    kinds = {"booking": Bookings, "calendar": Calendar, "sms": Texts, "field": Fieldwork}
    vendors = {name: able(kind)[0] for name, kind in kinds.items()} | chosen
    async with trial(folder, flow, **vendors) as pilot:
        wanted = [record for record in pilot.kind.records(2001) if record.position in (positions or range(11))]
        return [each async for each in pilot.run(wanted)]


def found(of: Tried) -> dict[str, str]:
    return {check.what: check.actual for check in of.checks}


@pytest.mark.parametrize("calendar", CALENDARS)
async def test_what_is_done_about_a_booking_is_ready_whatever_the_calendar(tmp_path: Path, calendar: str) -> None:
    made = await tried(tmp_path, bundled("booking_created"), calendar=calendar)
    assert [each.why_not for each in made] == [""] * 10
    skipped = [{name for name, _ in each.skipped} for each in made]
    assert skipped[0] == {"call"} and skipped[3] == {"call", "reminder"}
    assert skipped[4] == skipped[5] == {"confirmation", "reminder"}
    assert found(made[0])["Send a text message to a phone"] == "2", "the confirmation and the reminder"
    assert found(made[9])["Send a text message to a phone"] == "1", "it is called off before the reminder"
    assert found(made[0])["Text messages go to"] == "+15125550123"


@pytest.mark.parametrize("flow", ["booking_changed", "booking_replaced", "booking_cancelled"])
async def test_what_is_done_about_other_news_of_it_is_ready(tmp_path: Path, flow: str) -> None:
    made = await tried(tmp_path, bundled(flow))
    assert [each.why_not for each in made] == [""] * 10


@pytest.mark.parametrize("flow", ["timesheet_started", "timesheet_moved"])
async def test_the_clock_that_a_visit_starts_is_ready(tmp_path: Path, flow: str) -> None:
    made = await tried(tmp_path, bundled(flow))
    assert [each.why_not for each in made] == [""] * 10
    assert [found(each)["Start the clock of a work order"] for each in made] == ["1"] * 9 + ["none"], (
        "one is called off"
    )
    assert found(made[8])["Repeats"] == "3 deliveries, one run"


async def test_a_clock_that_starts_at_another_time_is_found(tmp_path: Path) -> None:
    flow = bundled("timesheet_started").replace('starts: "{{ event.start }}"', 'starts: "{{ event.end }}"')
    (only,) = await tried(tmp_path, flow, 1)
    assert only.why_not.startswith("the clock was started: expected ")


async def test_a_flow_that_forgets_customers_without_a_telephone_is_not_ready(tmp_path: Path) -> None:
    flow = bundled("booking_created").replace("if: event.customer.phone | phone", "if: true")
    (only,) = await tried(tmp_path, flow, 5)
    assert only.why_not.startswith("the run: expected done, found stuck at confirmation")


async def test_an_appointment_at_another_time_is_found(tmp_path: Path) -> None:
    flow = bundled("booking_created").replace(
        'start: "{{ event.start }}"', "start: \"{{ event.start | before('30m', event.zone) }}\"", 1
    )
    (only,) = await tried(tmp_path, flow, 1)
    assert only.why_not.startswith("in the calendar: expected ")


@pytest.mark.parametrize("books", ["quickbooks", "xero"])
async def test_what_is_done_about_work_is_ready_whatever_the_books(tmp_path: Path, books: str) -> None:
    made = await tried(tmp_path, bundled("job_completed"), books=books)
    assert [each.why_not for each in made] == [""] * 10
    mailed = [found(each)["Invoices mailed to"] for each in made]
    assert mailed[0] == "robin@example.com" and mailed[2] == mailed[4] == mailed[5] == "nobody"
    assert {found(each)["The work order"] for each in made} == {"closed"}
    assert found(made[5])["Create the invoice for work done"] == "1", "it goes by post"
