"""What changed in the books is listed by time; webhooks only have the lists read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from bellwire.connectors.kit import POLLED, Connection, Page, Poll
from bellwire.connectors.xero.polls import POLLS
from bellwire.connectors.xero.triggers import normalise
from bellwire.events import Delivery, Event
from bellwire.practice.xero import Xero
from tests.connecting import call
from tests.connectors.xero.conftest import Connect
from tests.openapi import described
from tests.samples import NOW
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile", "paging")]

CONTACTS, INVOICES, CREDIT_NOTES = POLLS
START = datetime(2030, 1, 1, tzinfo=UTC)
"""Later than anything that other tests make."""


@pytest.fixture
def clock(company: Xero) -> Any:
    """What happens, happens a second after the last; afterwards the company is as before."""
    before, ticks = company.books.clock, iter(range(100_000))
    company.books.clock = lambda: START + timedelta(seconds=next(ticks))
    kept = {name: dict(records) for name, records in company.books.records.items()}
    yield
    company.books.clock, company.books.records = before, kept


async def all_pages(books: Connection, poll: Poll, since: datetime = START, cursor: str = "") -> list[Page]:
    pages = [await poll.page(call(books), since, cursor)]
    while pages[-1].next_cursor:
        # As after a restart: nothing is left of the listing but the cursor.
        pages.append(await poll.page(call(books), since, pages[-1].next_cursor))
    return pages


def events(books: Connection, poll: Poll, pages: list[Page]) -> list[Event]:
    records = {record.id: record for page in pages for record in page.records}
    deliveries = [Delivery("books", {POLLED: poll.name}, record.body, NOW) for record in records.values()]
    return [event for delivery in deliveries for event in normalise(delivery, books).events]


@pytest.mark.usefixtures("clock")
async def test_contacts_are_listed_to_the_last_page_each_once(connect: Connect, company: Xero) -> None:
    books = connect()
    for number in range(250):
        company.books.contact({"Name": f"Listed {number}", "EmailAddress": f"{number}@example.com"})
    pages = await all_pages(books, CONTACTS)
    assert [len(page.records) for page in pages] == [100, 100, 52], "the last of a page comes again with the next"
    made = events(books, CONTACTS, pages)
    assert sorted(event.data.model_dump()["email"] for event in made) == sorted(f"{n}@example.com" for n in range(250))
    assert {event.type for event in made} == {"customer.updated"}


async def test_more_than_a_page_of_one_second_is_listed_whole(connect: Connect, company: Xero, clock: None) -> None:
    books = connect()
    company.books.clock = lambda: START
    for number in range(230):
        company.books.contact({"Name": f"At once {number}"})
    made = events(books, CONTACTS, await all_pages(books, CONTACTS))
    assert len({event.business_key for event in made}) == 230


@pytest.mark.usefixtures("clock")
async def test_a_record_that_changes_while_the_list_is_read_moves_no_other_out_of_sight(
    connect: Connect, company: Xero
) -> None:
    books = connect()
    made = [company.books.contact({"Name": f"Moving {number}"}) for number in range(150)]
    first = await CONTACTS.page(call(books), START, "")
    made[3]["UpdatedDateUTC"] = company.books._now()
    second = await CONTACTS.page(call(books), START, first.next_cursor)
    seen = {event.subject for event in events(books, CONTACTS, [first, second])}
    assert seen == {f"customer/{each['ContactID']}" for each in made}


@pytest.mark.usefixtures("clock")
async def test_an_invoice_is_a_new_fact_each_time_it_changes(connect: Connect, company: Xero) -> None:
    books = connect()
    who = company.books.contact({"Name": "Payer"})
    line = {"Description": "Tea", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200", "TaxType": "NONE"}
    sale = {
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Date": "2030-01-01",
        "DueDate": "2030-01-01",
        "Contact": {"ContactID": who["ContactID"]},
        "LineItems": [line],
    }
    invoice = company.books.invoice(sale, 2)
    (before,) = events(books, INVOICES, await all_pages(books, INVOICES))
    company.books.payment(
        {"Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Account": {"Code": "090"}, "Date": "2030-01-01", "Amount": 10}
    )
    (after,) = events(books, INVOICES, await all_pages(books, INVOICES))
    assert before.subject == after.subject and before.business_key != after.business_key
    told = [event.data.model_dump() for event in (before, after)]
    assert [(each["status"], each["left"]["amount"]) for each in told] == [("AUTHORISED", "10.00"), ("PAID", "0.00")]
    assert before.version is not None and after.version is not None and before.version < after.version


async def test_what_a_webhook_is_about_has_its_list_read(connect: Connect, company: Xero) -> None:
    books = connect()
    company.webhook()
    company._announce("Contacts", company.books.contact({"Name": "Told of"}), "CREATE")
    sent = company.webhook()
    told = normalise(Delivery("books", {}, sent.body, NOW), books)
    assert (told.events, told.wake) == ((), ("contacts",))
    assert {poll.name for poll in POLLS} >= set(told.wake)


@needs_shared
@pytest.mark.proves("spec")
@pytest.mark.usefixtures("clock")
async def test_lists_are_asked_for_and_answered_as_xero_describes_them(connect: Connect, company: Xero) -> None:
    books, described_by = connect(), described("xero_accounting")
    company.books.contact({"Name": "Described"})
    company.received.clear()
    for poll in POLLS:
        await all_pages(books, poll)
    asked = list(company.received)
    assert len(asked) == 3
    assert [problem for each in asked for problem in described_by.problems(each)] == []
    assert orjson.loads(orjson.dumps(asked[0].answer))["Contacts"]
