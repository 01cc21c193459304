"""The shop's webhooks are made, looked at and mended."""

import pytest

from bellwire.connectors.kit import Subscription, repair, standing
from bellwire.connectors.woocommerce.subscriptions import SUBSCRIBING
from bellwire.connectors.woocommerce.triggers import TRIGGERS
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.practice import FaultKind
from tests.connecting import call, connection
from tests.connectors.woocommerce.conftest import Shop
from tests.connectors.woocommerce.deliveries import arrived
from tests.samples import NOW

pytestmark = pytest.mark.proves("subscriptions")
# Nobody listens there, so that the shop's ping ends at once.
HOOK, OTHER = "http://127.0.0.1:9/hooks/shop", "http://127.0.0.1:9/elsewhere"


async def mend(shop: Shop, url: str = HOOK, *topics: str) -> dict[str, str]:
    return dict(await repair(SUBSCRIBING, call(shop.connection), url, topics or TRIGGERS.topics))


async def listed(shop: Shop, url: str = HOOK) -> list[Subscription]:
    return [each for each in await SUBSCRIBING.listing(call(shop.connection)) if each.url == url]


async def test_all_topics_are_made_once(shop: Shop) -> None:
    await mend(shop)
    assert sorted(topic for each in await listed(shop) for topic in each.topics) == sorted(TRIGGERS.topics)
    before = dict(shop.simulator.hooks.entries)
    assert await mend(shop) == {}
    assert shop.simulator.hooks.entries == before


async def test_what_the_shop_turned_off_is_made_anew_and_what_goes_elsewhere_is_left_alone(shop: Shop) -> None:
    await mend(shop)
    await mend(shop, OTHER, "order.updated")
    hooks = shop.simulator.hooks
    disabled, paused, *_ = hooks.entries
    (elsewhere,) = await listed(shop, OTHER)
    for _ in range(6):
        hooks.missed(disabled)
        hooks.missed(int(elsewhere.id))
    hooks.entries[paused]["status"] = "paused"
    broken = standing(await listed(shop), HOOK, TRIGGERS.topics).broken
    assert {each.id: each.trouble for each in broken} == {
        str(disabled): "The shop turned it off, after more than five deliveries in a row that failed.",
        str(paused): "Somebody paused it in the shop.",
    }
    await mend(shop)
    assert standing(await listed(shop), HOOK, TRIGGERS.topics).well
    assert not {disabled, paused} & hooks.entries.keys()
    assert hooks.entries[int(elsewhere.id)]["status"] == "disabled"


async def test_five_failures_are_put_up_with(shop: Shop) -> None:
    await mend(shop, HOOK, "order.updated")
    (only,) = await listed(shop)
    for _ in range(5):
        shop.simulator.hooks.missed(int(only.id))
    assert (await listed(shop))[0].trouble == ""


@pytest.mark.proves("paging")
async def test_the_list_is_read_to_its_last_page(shop: Shop) -> None:
    entry = {"topic": "order.updated", "status": "active", "secret": ""}
    await mend(shop, HOOK, "order.updated")
    for number in range(2000, 2220):
        shop.simulator.hooks.entries[number] = entry | {"id": number, "delivery_url": f"https://a.example/{number}"}
    assert len(await SUBSCRIBING.listing(call(shop.connection))) == 221
    assert await mend(shop, HOOK, "order.updated") == {}
    assert len(await listed(shop)) == 1


async def test_one_whose_answer_was_lost_is_not_made_twice(shop: Shop) -> None:
    shop.fail(FaultKind.LOST_ANSWER, "POST /wp-json/wc/v3/webhooks")
    with pytest.raises(OutcomeUnknown):
        await mend(shop, HOOK, "order.updated")
    await mend(shop, HOOK, "order.updated")
    assert len(await listed(shop)) == 1


async def test_taking_away_what_is_gone_is_no_error_and_other_refusals_are(shop: Shop) -> None:
    await SUBSCRIBING.remove(call(shop.connection), Subscription("77", HOOK, ("order.updated",)))
    shop.simulator.permission = "read"
    with pytest.raises(Refused, match="may not do this"):
        await SUBSCRIBING.remove(call(shop.connection), Subscription("77", HOOK, ("order.updated",)))


@pytest.mark.proves("signatures")
async def test_the_secret_that_comes_of_it_verifies_a_delivery(shop: Shop) -> None:
    """One that was entered is taken, the newest first; else one is made up, and kept before it is needed."""
    keys = {name: shop.simulator.credentials[name] for name in ("consumer_key", "consumer_secret")}
    made = connection("woocommerce", shop.practice, name="shop", credentials=keys)
    came = await repair(SUBSCRIBING, call(made), HOOK, ["order.updated"])
    assert made.secrets == [came["webhook_secret"]]
    assert came["webhook_secret"].isalnum()
    (entry,) = shop.simulator.hooks.entries.values()
    order = shop.simulator.orders[int(shop.sale())]
    delivery = arrived(shop.simulator.deliver("order.updated", order, entry["secret"]))
    assert made.webhook is not None
    made.webhook.verify(delivery, ["older", *made.secrets], NOW)
    made.credentials.store({"webhook_secret": "new old"})
    assert await repair(SUBSCRIBING, call(made), HOOK, ["order.created"]) == {}
    assert [entry["secret"] for entry in shop.simulator.hooks.entries.values()][1:] == ["new"]
    await made.api.close()
