"""The app's webhooks are made, looked at and mended."""

import pytest

from bellwire.connectors.kit import Connection, Subscription, repair, standing
from bellwire.connectors.shopify.manifest import API_VERSION
from bellwire.connectors.shopify.subscriptions import SUBSCRIBING
from bellwire.connectors.shopify.triggers import TRIGGERS
from bellwire.errors import Refused
from bellwire.practice import Practice, Sale, SaleLine
from bellwire.practice.shopify import Shopify
from tests.connecting import call, connection
from tests.connectors.shopify.deliveries import received
from tests.samples import NOW

pytestmark = pytest.mark.proves("subscriptions")
HOOK, OTHER = "https://bellwire.example/hooks/shop", "https://elsewhere.example/hook"


async def topics(shop: Connection, url: str = HOOK) -> list[str]:
    return [topic for each in await SUBSCRIBING.listing(call(shop)) if each.url == url for topic in each.topics]


async def test_all_topics_are_made_once(vendor: Shopify, shop: Connection) -> None:
    await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics)
    assert sorted(await topics(shop)) == sorted(TRIGGERS.topics)
    before = dict(vendor.subscriptions.entries)
    assert await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics) == {}
    assert vendor.subscriptions.entries == before


async def test_what_shopify_took_away_is_made_anew_and_what_goes_elsewhere_is_left_alone(
    vendor: Shopify, shop: Connection
) -> None:
    await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics)
    await repair(SUBSCRIBING, call(shop), OTHER, ["orders/paid"])
    lost = next(iter(vendor.subscriptions.entries))
    del vendor.subscriptions.entries[lost]
    kept = dict(vendor.subscriptions.entries)
    assert standing(await SUBSCRIBING.listing(call(shop)), HOOK, TRIGGERS.topics).missing == ("orders/create",)
    await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics)
    assert sorted(await topics(shop)) == sorted(TRIGGERS.topics)
    assert kept.items() <= vendor.subscriptions.entries.items()
    assert await topics(shop, OTHER) == ["orders/paid"]


async def test_an_app_that_may_not_see_returns_hears_of_all_else(vendor: Shopify, shop: Connection) -> None:
    vendor.scopes = tuple(scope for scope in vendor.scopes if scope != "read_returns")
    with pytest.raises(Refused, match="RETURNS_REQUEST"):
        await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics)
    about_returns = [topic for topic in TRIGGERS.topics if topic.startswith(("returns/", "reverse_"))]
    assert len(about_returns) == 5
    assert {*await topics(shop)} == {*TRIGGERS.topics} - {*about_returns}
    vendor.scopes = (*vendor.scopes, "read_returns")
    await repair(SUBSCRIBING, call(shop), HOOK, TRIGGERS.topics)
    assert sorted(await topics(shop)) == sorted(TRIGGERS.topics)


@pytest.mark.proves("version")
async def test_one_with_another_version_is_in_trouble_and_made_anew(vendor: Shopify, shop: Connection) -> None:
    vendor.subscriptions.version = "2026-01"
    await repair(SUBSCRIBING, call(shop), HOOK, ["orders/paid"])
    (old,) = await SUBSCRIBING.listing(call(shop))
    assert f"2026-01 instead of {API_VERSION}" in old.trouble
    vendor.subscriptions.version = API_VERSION
    await repair(SUBSCRIBING, call(shop), HOOK, ["orders/paid"])
    (new,) = await SUBSCRIBING.listing(call(shop))
    assert (new.trouble, new.topics, new.id != old.id) == ("", ("orders/paid",), True)


@pytest.mark.proves("paging")
async def test_the_list_is_read_to_its_last_page(vendor: Shopify, shop: Connection) -> None:
    for number in range(120):
        vendor.subscriptions.create(None, "ORDERS_PAID", {"uri": f"https://elsewhere.example/{number}"})
    await repair(SUBSCRIBING, call(shop), HOOK, ["orders/paid"])
    assert len(await SUBSCRIBING.listing(call(shop))) == 121
    assert await topics(shop) == ["orders/paid"]


async def test_taking_away_what_is_gone_is_no_error(shop: Connection) -> None:
    await SUBSCRIBING.remove(call(shop), Subscription("gid://shopify/WebhookSubscription/1", HOOK, ("orders/paid",)))


async def test_an_address_that_shopify_doesnt_take_is_said_in_its_words(shop: Connection) -> None:
    with pytest.raises(Refused, match="Address is invalid"):
        await SUBSCRIBING.create(call(shop), "http://bellwire.example/hooks/shop", ["orders/paid"])


async def test_the_secret_that_comes_of_it_verifies_a_delivery(practice: Practice, vendor: Shopify) -> None:
    """Shopify signs with the app's secret, which the sign-in has; one that was entered is left as it is."""
    signed_in = {name: vendor.credentials[name] for name in ("client_id", "client_secret")}
    made = connection("shopify", practice, name="shop", credentials=signed_in)
    came = await repair(SUBSCRIBING, call(made), HOOK, ["orders/paid"])
    delivery = received(vendor.webhook(vendor.place(Sale("1", [SaleLine("TEA-100")])), "order.paid"))
    assert made.webhook is not None
    made.webhook.verify(delivery, came["webhook_secret"].split(), NOW)
    made.credentials.store({"webhook_secret": "old new"})
    assert await repair(SUBSCRIBING, call(made), HOOK, ["orders/create"]) == {}
    await made.api.close()
