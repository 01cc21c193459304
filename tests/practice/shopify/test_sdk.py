"""Shopify's own library gets along with the practice shop, and signs as our scheme does."""

import asyncio
import base64
import json
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bellwire.connectors.shopify.documents import ORDERS_SINCE, SUBSCRIBE, SUBSCRIPTIONS, WHO_AM_I
from bellwire.connectors.shopify.manifest import API_VERSION, MANIFEST
from bellwire.practice import Practice, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.samples import NOW

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import shopify

pytestmark = pytest.mark.proves("sdk")


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    async with Practice(["shopify"]) as running:
        yield running


async def ask(practice: Practice, document: str, token: str = "shpat_practice", **variables: Any) -> Any:
    """The library's GraphQL client, in a thread of its own: what it is signed in to is kept by thread."""

    def execute() -> str:
        shopify.ShopifyResource.set_site(f"{practice.base_url('shopify')}/admin/api/{API_VERSION}")
        shopify.ShopifyResource.set_headers({"X-Shopify-Access-Token": token})
        answer: str = shopify.GraphQL().execute(document, variables=variables)
        return answer

    return json.loads(await asyncio.to_thread(execute))["data"]


async def test_it_reads_the_shop_and_its_orders(practice: Practice) -> None:
    vendor = practice.simulators["shopify"]
    assert isinstance(vendor, Shopify)
    order_id = vendor.place(Sale("1001", [SaleLine("TEA-100")]))
    assert (await ask(practice, WHO_AM_I))["shop"]["name"] == "Practice Tea Shop"
    found = await ask(practice, ORDERS_SINCE, first=5, query="updated_at:>='2020-01-01T00:00:00Z'")
    assert found["orders"]["nodes"] == [{"id": f"gid://shopify/Order/{order_id}"}]


async def test_it_subscribes(practice: Practice) -> None:
    made = await ask(practice, SUBSCRIBE, topic="ORDERS_PAID", uri="https://bellwire.example/hooks/shop")
    (found,) = (await ask(practice, SUBSCRIPTIONS))["webhookSubscriptions"]["nodes"]
    assert found["id"] == made["webhookSubscriptionCreate"]["webhookSubscription"]["id"]
    assert (found["topic"], found["apiVersion"]["handle"]) == ("ORDERS_PAID", API_VERSION)


async def test_a_wrong_token_is_refused(practice: Practice, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="401"):
        await ask(practice, WHO_AM_I, "wrong")
    assert "Invalid API key" in capsys.readouterr().out


def test_it_makes_the_same_digest_as_our_scheme() -> None:
    """It signs queries, not deliveries: one that reads like a body shows that the key and the hash are the same."""
    shopify.Session.setup(api_key="practice-app", secret="practice-app-secret")
    digest = bytes.fromhex(shopify.Session.calculate_hmac({"shop": "practice.myshopify.com", "timestamp": "1"}))
    body = b"shop=practice.myshopify.com&timestamp=1"
    scheme = MANIFEST.webhook
    assert scheme is not None and not callable(scheme)
    ours = scheme.sign(body, "practice-app-secret", delivery_id="1", now=NOW)
    assert ours["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
