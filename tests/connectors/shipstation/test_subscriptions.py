"""ShipStation's own list of where it sends webhooks: made, looked at and mended over its API."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from bellwire.connectors.kit import Connection, Subscribing, repair, standing
from bellwire.connectors.shipstation import CONNECTOR
from bellwire.events import Delivery
from bellwire.practice.shipstation import ShipStationSimulator
from tests.connecting import call
from tests.connectors.shipstation.conftest import buy
from tests.connectors.shipstation.described import described
from tests.shared import needs_shared

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("subscriptions")]

assert CONNECTOR.triggers is not None
TOPICS = CONNECTOR.triggers.topics
URL = "https://hooks.example.com/hooks/shipping"


def subscribing() -> Subscribing:
    assert CONNECTOR.triggers is not None and CONNECTOR.triggers.subscribing is not None
    return CONNECTOR.triggers.subscribing


async def mend(shipping: Connection) -> Mapping[str, str]:
    """As `bellwire connect` does: what comes of it is kept."""
    made = await repair(subscribing(), call(shipping), URL, TOPICS)
    if made:
        shipping.credentials.store(made)
    return made


async def well(shipping: Connection) -> bool:
    return standing(await subscribing().listing(call(shipping)), URL, TOPICS).well


async def test_what_is_missing_is_made_and_the_keys_that_came_of_it_check_what_comes(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    assert not await well(shipping)
    await mend(shipping)
    assert await well(shipping)
    assert {(each["event"], each["url"]) for each in account.hooks.entries.values()} == {(t, URL) for t in TOPICS}
    sent = account.webhook(await buy(shipping, "1001"), "DE")
    assert shipping.webhook is not None
    shipping.webhook.verify(
        Delivery("shipping", sent.headers, sent.body, datetime.now(UTC)), shipping.secrets, datetime.now(UTC)
    )


async def test_asked_twice_nothing_happens(account: ShipStationSimulator, shipping: Connection) -> None:
    await mend(shipping)
    before = dict(account.hooks.entries)
    assert await mend(shipping) == {}
    assert account.hooks.entries == before


async def test_one_that_is_missing_is_made_beside_the_others(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    await mend(shipping)
    first, second = account.hooks.entries
    del account.hooks.entries[second]
    await mend(shipping)
    assert first in account.hooks.entries and await well(shipping)


async def test_when_shipstation_has_new_keys_that_is_told_and_they_are_fetched(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    await mend(shipping)
    shipping.credentials.store({"webhook_secret": "old:AQAB:AQAB"})
    troubles = {each.trouble for each in await subscribing().listing(call(shipping))}
    assert troubles == {"ShipStation signs with a key that isn't kept here."}
    assert (await mend(shipping))["webhook_secret"].startswith("practice:")
    assert await well(shipping)


async def test_other_peoples_entries_are_left_alone(account: ShipStationSimulator, shipping: Connection) -> None:
    theirs = account.hooks.create({"event": "track", "url": "https://b.example/hook"})
    await mend(shipping)
    assert account.hooks.entries[theirs["webhook_id"]] == theirs
    assert len(account.hooks.entries) == 3


async def test_an_entry_whose_answer_was_lost_is_there_once(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    await subscribing().create(call(shipping), URL, ["track"])
    assert await subscribing().create(call(shipping), URL, TOPICS)
    assert len(account.hooks.entries) == 2


async def test_one_that_is_gone_already_is_no_error(account: ShipStationSimulator, shipping: Connection) -> None:
    await mend(shipping)
    found, *_ = await subscribing().listing(call(shipping))
    await subscribing().remove(call(shipping), found)
    await subscribing().remove(call(shipping), found)
    assert len(account.hooks.entries) == 1


@pytest.mark.proves("version")
async def test_the_version_is_in_every_path_and_what_shipstation_announces_is_noticed(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    await subscribing().listing(call(shipping))
    assert shipping.api.notices == {}
    account.announces = {"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    await subscribing().listing(call(shipping))
    assert shipping.api.notices == {"Sunset": "Thu, 31 Dec 2026 23:59:59 GMT"}
    assert {received.path.split("/")[1] for received in account.received} == {CONNECTOR.manifest.api_version}


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_shipstation_describes_them(
    account: ShipStationSimulator, shipping: Connection
) -> None:
    await mend(shipping)
    shipping.credentials.store({"webhook_secret": "old:AQAB:AQAB"})
    await mend(shipping)
    told = [received for received in account.received if received.path != "/jwks"]
    assert [problem for received in told for problem in described().problems(received)] == []
