"""What changed in the books is found, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import POLLED, Connection, Listed, Page
from bellwire.connectors.quickbooks.triggers import TRIGGERS
from bellwire.errors import Transient
from bellwire.events import Delivery, Event
from bellwire.practice import Fault, FaultKind, Practice
from bellwire.practice.quickbooks import QuickBooks
from bellwire.practice.quickbooks.books import Company
from tests.connecting import call
from tests.connectors.quickbooks.conftest import Connect
from tests.samples import NOW, usd

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("reconcile")]
(POLL,) = TRIGGERS.polls
YESTERDAY, LONG_AGO = NOW - timedelta(days=1), NOW - timedelta(days=60)


@pytest.fixture
def books(company: QuickBooks) -> Iterator[Company]:
    """Of now, and without anything that other tests left."""
    company.books = Company(clock=lambda: NOW)
    company.received.clear()
    yield company.books
    company.books = Company()


def customer(books: Company, name: str = "Jo Hill") -> str:
    record = books.add("Customer", DisplayName=name, PrimaryEmailAddr={"Address": "jo@example.com"})
    return str(record["Id"])


def invoice(books: Company, number: str = "1001", entity: str = "Invoice") -> str:
    fields = {"DocNumber": number, "CustomerRef": {"value": "7"}, "TotalAmt": 24.4, "Balance": 24.4}
    return str(books.add(entity, TxnDate="2026-11-24", CurrencyRef={"value": "USD"}, **fields)["Id"])


async def page(shop: Connection, since: datetime = YESTERDAY, cursor: str = "") -> Page:
    return await POLL.page(call(shop), since, cursor)


async def pages(connect: Connect, since: datetime) -> list[Page]:
    """To the last, each asked for by a process that has only the cursor."""
    found: list[Page] = []
    while not found or found[-1].next_cursor:
        found.append(await page(connect(), since, found[-1].next_cursor if found else ""))
    return found


def events(shop: Connection, *found: Page) -> list[Event]:
    deliveries = (Delivery("books", {POLLED: "changes"}, record.body, NOW) for each in found for record in each.records)
    return [event for delivery in deliveries for event in TRIGGERS.normalise(delivery, shop).events]


async def test_what_is_new_and_what_changed_becomes_events(connect: Connect, books: Company) -> None:
    who, new, old = customer(books), invoice(books, "1"), invoice(books, "2")
    memo = invoice(books, "GC-1", "CreditMemo")
    books.change("Invoice", old, Balance=0)
    shop = connect()
    found = events(shop, await page(shop))
    assert sorted(event.business_key for event in found) == sorted(
        [
            f"books/customer/{who}/updated/2026-11-24T09:30:00+00:00/0",
            f"books/invoice/{new}/created",
            f"books/invoice/{old}/created",
            f"books/invoice/{old}/updated/2026-11-24T09:30:01+00:00/1",
            f"books/credit_note/{memo}/created",
        ]
    )
    assert {event.type for event in found} <= set(POLL.event_types)
    (updated,) = (event for event in found if event.type == "invoice.updated")
    assert (updated.subject, updated.time) == (f"invoice/{old}", datetime(2026, 11, 24, 9, 30, 1, tzinfo=UTC))
    told = updated.data.model_dump()
    assert (told["id"], told["number"], told["customer_id"]) == (old, "2", "7")
    assert (told["total"], told["balance"]) == (usd("24.40").model_dump(), usd("0.00").model_dump())
    (person,) = (event.data.model_dump() for event in found if event.type == "customer.updated")
    assert (person["name"], person["email"], person["active"]) == ("Jo Hill", "jo@example.com", True)


async def test_what_was_deleted_is_told_too(connect: Connect, books: Company) -> None:
    gone = invoice(books)
    books.delete("Invoice", gone)
    shop = connect()
    (event,) = events(shop, await page(shop))
    assert (event.type, event.business_key) == ("invoice.deleted", f"books/invoice/{gone}/deleted")


async def test_a_fact_has_one_key_however_often_it_is_listed(connect: Connect, books: Company) -> None:
    invoice(books)
    shop = connect()
    before, again = await page(shop), await page(shop)
    assert before == again
    books.change("Invoice", next(iter(books.records["Invoice"])), Balance=0)
    after = await page(shop)
    assert before.records[0].id != after.records[0].id
    keys = [{event.business_key for event in events(shop, each)} for each in (before, after)]
    assert keys[0] < keys[1]


async def test_a_customer_who_was_made_inactive_is_an_update(connect: Connect, books: Company) -> None:
    who = customer(books)
    books.change("Customer", who, Active=False)
    for since in (YESTERDAY, LONG_AGO):
        found = events(connect(), *await pages(connect, since))
        assert [event.data.model_dump()["active"] for event in found] == [False]


async def test_only_what_changed_since_is_listed(connect: Connect, books: Company) -> None:
    invoice(books)
    shop = connect()
    assert (await page(shop, NOW + timedelta(seconds=1))).records == ()
    assert len((await page(shop, NOW)).records) == 1


async def test_what_fits_into_one_answer_takes_one_request(
    connect: Connect, books: Company, company: QuickBooks
) -> None:
    for number in range(999):
        invoice(books, str(number))
    (only,) = await pages(connect, YESTERDAY)
    assert len(only.records) == 999
    assert [received.path.rpartition("/")[2] for received in company.received] == ["cdc"]


@pytest.mark.proves("paging")
@pytest.mark.parametrize("since", [YESTERDAY, LONG_AGO], ids=["more than a list of changes has", "older than it goes"])
async def test_what_the_list_of_changes_cant_hold_is_read_to_the_last_page(
    connect: Connect, books: Company, since: datetime
) -> None:
    every = {("Customer", customer(books, f"Jo {number}")) for number in range(3)}
    every |= {("Invoice", invoice(books, str(number))) for number in range(2005)}
    every |= {("CreditMemo", invoice(books, str(number), "CreditMemo")) for number in range(2)}
    gone = customer(books, "Long gone")
    books.delete("Customer", gone)
    found = await pages(connect, since)
    ids = {(entity, number) for each in found for record in each.records for entity, number, *_ in [named(record)]}
    assert ids == every | ({("Customer", gone)} if since == YESTERDAY else set())
    listed = [1000] if since == YESTERDAY else []
    assert [len(each.records) for each in found] == [*listed, 3, 1000, 1000, 5, 2]


def named(record: Listed) -> list[str]:
    return record.id.split("/")


async def test_nothing_is_passed_over_when_something_changes_between_two_pages(
    connect: Connect, books: Company
) -> None:
    every = [invoice(books, str(number)) for number in range(1003)]
    first = await page(connect(), LONG_AGO, "Invoice 1")
    books.change("Invoice", every[0], Balance=0)
    second = await page(connect(), LONG_AGO, first.next_cursor)
    assert {named(record)[1] for each in (first, second) for record in each.records} == set(every)


@pytest.mark.parametrize("cursor", ["Estimate 1", "Invoice", "Invoice x", "gone?"])
async def test_a_cursor_that_isnt_known_any_more_leads_to_the_first_page(
    connect: Connect, books: Company, cursor: str
) -> None:
    customer(books)
    shop = connect()
    anew = await page(shop, YESTERDAY, cursor)
    assert anew == await page(shop, YESTERDAY, "Customer 1")
    assert len(anew.records) == 1


async def test_a_failure_in_between_is_asked_for_again_from_its_page(
    connect: Connect, books: Company, company: QuickBooks, practice: Practice
) -> None:
    for number in range(1005):
        invoice(books, str(number))
    company.faults.add(Fault(kind=FaultKind.FAILED, match="GET .*/query", skip=1))
    with pytest.raises(Transient):
        await pages(connect, LONG_AGO)
    assert len((await page(connect(), LONG_AGO, "Invoice 1")).records) == 1000
    assert len((await page(connect(), LONG_AGO, "Invoice 1001")).records) == 5
