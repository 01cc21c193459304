"""Who is who in the books."""

import asyncio
from itertools import count

import pytest

from bellwire.capabilities.accounting import BooksCustomer, FindOrCreateCustomer
from bellwire.connectors.kit import Connection
from bellwire.events import Customer
from bellwire.practice.quickbooks import QuickBooks
from tests.connecting import call
from tests.connectors.quickbooks.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

_keys = count(1)


async def find(books: Connection, **who: str) -> BooksCustomer:
    action = books.connector.actions["accounting.find_or_create_customer"]
    result = await action(call(books, key=f"{next(_keys):032x}"), FindOrCreateCustomer(customer=Customer(**who)))
    assert isinstance(result, BooksCustomer)
    return result


async def test_a_new_customer_is_added_with_all_that_is_known(connect: Connect, company: QuickBooks) -> None:
    found = await find(connect(), name="Ada Hill", email="ada@example.com", phone="555", company="Hill & Co")
    assert (found.name, found.created) == ("Ada Hill", True)
    record = company.books.records["Customer"][found.id]
    assert record["PrimaryEmailAddr"] == {"Address": "ada@example.com"}
    assert record["PrimaryPhone"] == {"FreeFormNumber": "555"}
    assert record["CompanyName"] == "Hill & Co"


async def test_a_known_e_mail_is_the_same_customer_whatever_the_name(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Bea Hill", email="bea@example.com")
    second = await find(books, name="Beatrice Hill-Smith", email="BEA@example.com")
    assert (second.id, second.created) == (first.id, False)


async def test_the_same_name_with_another_e_mail_is_another_customer(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Cy Hill", email="cy1@example.com")
    second = await find(books, name="Cy Hill", email="cy2@example.com")
    assert first.id != second.id
    assert second.name == "Cy Hill (cy2@example.com)"
    assert (await find(books, name="Cy Hill", email="cy2@example.com")).id == second.id


async def test_a_customer_without_an_e_mail_is_known_by_name(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Di Hill")
    assert (await find(books, name="di hill")).id == first.id
    assert (await find(books, name="Di Hill", email="di@example.com")).id == first.id


async def test_a_vendors_name_gets_a_mark(connect: Connect) -> None:
    assert (await find(connect(), name="Hill Farm")).name == "Hill Farm (customer)"
    assert (await find(connect(), name="hill farm", email="farm@example.com")).name == "hill farm (farm@example.com)"


async def test_the_name_of_an_inactive_customer_gets_a_mark(connect: Connect, company: QuickBooks) -> None:
    books = connect()
    gone = await find(books, name="Ed Hill", email="ed@example.com")
    company.books.records["Customer"][gone.id]["Active"] = False
    assert (await find(books, name="Ed Hill", email="ed@example.com")).name == "Ed Hill (ed@example.com)"


async def test_two_orders_of_a_new_customer_at_once_make_one(connect: Connect) -> None:
    books = connect()
    both = await asyncio.gather(*(find(books, name="Fay Hill", email="fay@example.com") for _ in range(2)))
    assert both[0].id == both[1].id


async def test_a_customer_of_whom_nothing_is_known_is_a_guest(connect: Connect) -> None:
    books = connect(guest_customer="Walk-in")
    first = await find(books)
    assert first.name == "Walk-in"
    assert (await find(books)).id == first.id


async def test_without_a_name_the_company_or_the_e_mail_serves(connect: Connect) -> None:
    assert (await find(connect(), company="Gil & Sons", email="gil@example.com")).name == "Gil & Sons"
    assert (await find(connect(), email="hal@example.com")).name == "hal@example.com"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Ina: the\t2nd\nHill ", "Ina the 2nd Hill"),
        ("山田 太郎", "山田 太郎"),
        ('O\'Brien \\ "Søn"', 'O\'Brien \\ "Søn"'),
        ("x" * 600, "x" * 500),
    ],
)
async def test_a_name_is_made_to_fit(connect: Connect, name: str, stored: str) -> None:
    books = connect()
    first = await find(books, name=name)
    assert first.name == stored
    assert (await find(books, name=name)).id == first.id


async def test_a_long_name_leaves_room_for_what_tells_it_apart(connect: Connect) -> None:
    books = connect()
    await find(books, name="y" * 600, email="y1@example.com")
    second = await find(books, name="y" * 600, email="y2@example.com")
    assert len(second.name) == 500
    assert second.name.endswith(" (y2@example.com)")
