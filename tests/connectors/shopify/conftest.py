"""A practice shop, and a connection to it."""

from collections.abc import AsyncIterator

from pytest import fixture

from bellwire.connectors.kit import Connection
from bellwire.practice import Practice
from bellwire.practice.shopify import Shopify
from tests.connecting import connection


@fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["shopify"]) as practice:
        yield practice


@fixture
async def vendor(practice: Practice) -> Shopify:
    found = practice.simulators["shopify"]
    assert isinstance(found, Shopify)
    return found


@fixture
async def shop(practice: Practice) -> AsyncIterator[Connection]:
    made = connection("shopify", practice, name="shop")
    yield made
    await made.api.close()
