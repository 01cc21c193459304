"""Who is who in the books."""

import pytest

from bellwire.practice.xero import Xero
from tests.connectors.accounting.books import find
from tests.connectors.xero.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_contact_is_added_with_what_is_known(connect: Connect, company: Xero) -> None:
    company.received.clear()
    found = await find(connect(), name="Ada Hill", email="ada@example.com", phone="555", company="Hill & Co")
    assert (found.name, found.created) == ("Ada Hill", True)
    record = company.books.records["Contacts"][found.id]
    assert record["EmailAddress"] == "ada@example.com"
    assert record["Phones"] == [{"PhoneType": "DEFAULT", "PhoneNumber": "555"}]
    assert [r.method for r in company.received] == ["GET", "PUT"], "requests are few: Xero lets 60 a minute in"


async def test_an_archived_contact_is_left_alone(connect: Connect, company: Xero) -> None:
    books = connect()
    gone = await find(books, name="Ed Hill", email="ed@example.com")
    company.books.records["Contacts"][gone.id]["ContactStatus"] = "ARCHIVED"
    again = await find(books, name="Ed Hill", email="ed@example.com")
    assert (again.name, again.created) == ("Ed Hill", True)
    assert again.id != gone.id


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
