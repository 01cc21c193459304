"""Who is who in the books."""

import pytest

from bellwire.practice.quickbooks import QuickBooks
from tests.connectors.accounting.books import find
from tests.connectors.quickbooks.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_customer_is_added_with_all_that_is_known(connect: Connect, company: QuickBooks) -> None:
    found = await find(connect(), name="Ada Hill", email="ada@example.com", phone="555", company="Hill & Co")
    assert (found.name, found.created) == ("Ada Hill", True)
    record = company.books.records["Customer"][found.id]
    assert record["PrimaryEmailAddr"] == {"Address": "ada@example.com"}
    assert record["PrimaryPhone"] == {"FreeFormNumber": "555"}
    assert record["CompanyName"] == "Hill & Co"


async def test_a_vendors_name_gets_a_mark(connect: Connect) -> None:
    assert (await find(connect(), name="Hill Farm")).name == "Hill Farm (customer)"
    assert (await find(connect(), name="hill farm", email="farm@example.com")).name == "hill farm (farm@example.com)"


async def test_the_name_of_an_inactive_customer_gets_a_mark(connect: Connect, company: QuickBooks) -> None:
    books = connect()
    gone = await find(books, name="Ed Hill", email="ed@example.com")
    company.books.records["Customer"][gone.id]["Active"] = False
    assert (await find(books, name="Ed Hill", email="ed@example.com")).name == "Ed Hill (ed@example.com)"


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
