"""Who is who in the books."""

import asyncio
from itertools import count

import pytest

from bellwire.capabilities.accounting import BooksCustomer, FindOrCreateCustomer
from bellwire.connectors.kit import Connection
from bellwire.events import Customer
from bellwire.practice.xero import Xero
from tests.connecting import call
from tests.connectors.xero.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")

_keys = count(1)


async def find(books: Connection, **who: str) -> BooksCustomer:
    action = books.connector.actions["accounting.find_or_create_customer"]
    result = await action(call(books, key=f"{next(_keys):032x}"), FindOrCreateCustomer(customer=Customer(**who)))
    assert isinstance(result, BooksCustomer)
    return result


async def test_a_new_contact_is_added_with_what_is_known(connect: Connect, company: Xero) -> None:
    company.received.clear()
    found = await find(connect(), name="Ada Hill", email="ada@example.com", phone="555", company="Hill & Co")
    assert (found.name, found.created) == ("Ada Hill", True)
    record = company.books.records["Contacts"][found.id]
    assert record["EmailAddress"] == "ada@example.com"
    assert record["Phones"] == [{"PhoneType": "DEFAULT", "PhoneNumber": "555"}]
    assert [r.method for r in company.received] == ["GET", "PUT"], "requests are few: Xero lets 60 a minute in"


async def test_a_known_e_mail_is_the_same_contact_whatever_the_name(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Bea Hill", email="bea@example.com")
    second = await find(books, name="Beatrice Hill-Smith", email="BEA@example.com")
    assert (second.id, second.created) == (first.id, False)


async def test_the_same_name_with_another_e_mail_is_another_contact(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Cy Hill", email="cy1@example.com")
    second = await find(books, name="Cy Hill", email="cy2@example.com")
    assert first.id != second.id
    assert second.name == "Cy Hill (cy2@example.com)"
    assert (await find(books, name="Cy Hill", email="cy2@example.com")).id == second.id


async def test_a_contact_without_an_e_mail_is_known_by_name(connect: Connect) -> None:
    books = connect()
    first = await find(books, name="Di Hill")
    assert (await find(books, name="di hill")).id == first.id
    assert (await find(books, name="Di Hill", email="di@example.com")).id == first.id


async def test_an_archived_contact_is_left_alone(connect: Connect, company: Xero) -> None:
    books = connect()
    gone = await find(books, name="Ed Hill", email="ed@example.com")
    company.books.records["Contacts"][gone.id]["ContactStatus"] = "ARCHIVED"
    again = await find(books, name="Ed Hill", email="ed@example.com")
    assert (again.name, again.created) == ("Ed Hill", True)
    assert again.id != gone.id


async def test_two_orders_of_a_new_customer_at_once_make_one_contact(connect: Connect) -> None:
    books = connect()
    both = await asyncio.gather(*(find(books, name="Fay Hill", email="fay@example.com") for _ in range(2)))
    assert both[0].id == both[1].id


async def test_a_customer_of_whom_nothing_is_known_is_a_guest(connect: Connect) -> None:
    books = connect(guest_contact="Walk-in")
    first = await find(books)
    assert first.name == "Walk-in"
    assert (await find(books)).id == first.id


async def test_without_a_name_the_company_or_the_e_mail_serves(connect: Connect) -> None:
    assert (await find(connect(), company="Gil & Sons", email="gil@example.com")).name == "Gil & Sons"
    assert (await find(connect(), email="hal@example.com")).name == "hal@example.com"


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Ina\tthe 2nd\nHill ", "Ina the 2nd Hill"),
        ("山田 太郎", "山田 太郎"),
        ('O\'Brien \\ "Søn"', "O'Brien / 'Søn'"),
        ("x" * 300, "x" * 255),
    ],
)
async def test_a_name_is_made_to_fit_and_to_be_found_again(connect: Connect, name: str, stored: str) -> None:
    books = connect()
    first = await find(books, name=name)
    assert first.name == stored
    assert (await find(books, name=name)).id == first.id


async def test_a_long_name_leaves_room_for_what_tells_it_apart(connect: Connect) -> None:
    books = connect()
    await find(books, name="y" * 300, email="y1@example.com")
    second = await find(books, name="y" * 300, email="y2@example.com")
    assert len(second.name) == 255
    assert second.name.endswith(" (y2@example.com)")
