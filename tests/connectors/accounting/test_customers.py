"""Who is who in the books of each vendor of accounting."""

import asyncio

import pytest

from tests.connectors.accounting.books import Kept, find
from tests.connectors.accounting.conftest import Connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


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


async def test_two_orders_of_a_new_customer_at_once_make_one(connect: Connect) -> None:
    books = connect()
    both = await asyncio.gather(*(find(books, name="Fay Hill", email="fay@example.com") for _ in range(2)))
    assert both[0].id == both[1].id


async def test_a_customer_of_whom_nothing_is_known_is_a_guest(connect: Connect, kept: Kept) -> None:
    books = connect(**{kept.guest: "Walk-in"})
    first = await find(books)
    assert first.name == "Walk-in"
    assert (await find(books)).id == first.id


async def test_without_a_name_the_company_or_the_e_mail_serves(connect: Connect) -> None:
    assert (await find(connect(), company="Gil & Sons", email="gil@example.com")).name == "Gil & Sons"
    assert (await find(connect(), email="hal@example.com")).name == "hal@example.com"


async def test_a_long_name_leaves_room_for_what_tells_it_apart(connect: Connect, kept: Kept) -> None:
    books, name = connect(), "y" * (kept.longest_name + 45)
    await find(books, name=name, email="y1@example.com")
    second = await find(books, name=name, email="y2@example.com")
    assert len(second.name) == kept.longest_name
    assert second.name.endswith(" (y2@example.com)")
