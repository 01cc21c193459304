"""Square's own list of where it sends webhooks: made, looked at and mended over its API."""

from collections.abc import Mapping

import pytest

from bellwire.connectors.kit import Connection, Subscribing, repair, standing
from bellwire.connectors.square import CONNECTOR
from bellwire.errors import Refused
from bellwire.events import Delivery
from bellwire.practice.square import SquareSimulator
from tests.connecting import call
from tests.connectors.square.conftest import Connect
from tests.openapi import described
from tests.samples import NOW, usd
from tests.shared import needs_shared, spec

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.proves("subscriptions")]

assert CONNECTOR.triggers is not None
TOPICS = CONNECTOR.triggers.topics
URL = "https://hooks.example.com/hooks/till"


def subscribing() -> Subscribing:
    assert CONNECTOR.triggers is not None and CONNECTOR.triggers.subscribing is not None
    return CONNECTOR.triggers.subscribing


async def mend(till: Connection, topics: tuple[str, ...] = TOPICS) -> Mapping[str, str]:
    """As `bellwire connect` does: what comes of it is kept."""
    made = await repair(subscribing(), call(till), URL, topics)
    if made:
        till.credentials.store(made)
    return made


async def well(till: Connection) -> bool:
    return standing(await subscribing().listing(call(till)), URL, TOPICS).well


async def test_what_is_missing_is_made_and_its_key_signs_what_comes(seller: SquareSimulator, till: Connection) -> None:
    assert not await well(till)
    made = await mend(till)
    assert await well(till)
    (entry,) = seller.hooks.entries.values()
    assert (entry["api_version"], entry["notification_url"]) == ("2025-08-20", URL)
    sent = seller.webhook("payment.updated", seller.take(usd("1.00")), url=URL, key=entry["signature_key"])
    assert till.webhook is not None
    till.webhook.verify(Delivery("till", sent.headers, sent.body, NOW, URL), [made["webhook_secret"]], NOW)


async def test_asked_twice_nothing_happens(seller: SquareSimulator, till: Connection) -> None:
    await mend(till)
    before = dict(seller.hooks.entries)
    assert await mend(till) == {}
    assert seller.hooks.entries == before


async def test_topics_that_are_missing_join_the_entry_so_that_one_key_signs_all(
    seller: SquareSimulator, till: Connection
) -> None:
    await mend(till, TOPICS[:3])
    assert await mend(till) == {}
    (entry,) = seller.hooks.entries.values()
    assert set(entry["event_types"]) == set(TOPICS)
    assert await well(till)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"enabled": False}, "It is turned off at Square."),
        ({"api_version": "2021-12-15"}, "It sends what version 2021-12-15 has, but 2025-08-20 is what is read here."),
        ({"signature_key": "rotated by somebody"}, "Its signature key isn't the one that is kept here."),
    ],
)
async def test_what_is_broken_is_told_and_made_anew(
    seller: SquareSimulator, till: Connection, change: dict[str, object], trouble: str
) -> None:
    await mend(till)
    (old,) = seller.hooks.entries
    seller.hooks.entries[old] |= change
    (found,) = await subscribing().listing(call(till))
    assert found.trouble == trouble
    assert "webhook_secret" in await mend(till)
    assert old not in seller.hooks.entries
    assert await well(till)


async def test_other_peoples_entries_are_left_alone_and_pages_are_read_to_the_last(
    seller: SquareSimulator, till: Connection
) -> None:
    for number in range(3):
        entry = {
            "name": "Theirs",
            "event_types": ["payment.updated"],
            "notification_url": f"https://b.example/{number}",
        }
        seller.hooks.create({"subscription": entry | {"enabled": number > 0}})
    theirs = dict(seller.hooks.entries)
    seller.hooks.page_size = 1
    await mend(till)
    seen = await subscribing().listing(call(till))
    assert len(seen) == 4
    assert {number: seller.hooks.entries[number] for number in theirs} == theirs


async def test_one_that_is_gone_already_is_no_error(seller: SquareSimulator, till: Connection) -> None:
    await mend(till)
    (found,) = await subscribing().listing(call(till))
    await subscribing().remove(call(till), found)
    await subscribing().remove(call(till), found)
    assert not seller.hooks.entries


async def test_a_sellers_sign_in_is_told_to_enter_it_by_hand(seller: SquareSimulator, connect: Connect) -> None:
    seller.tokens.sellers["EAAAseller"] = "2999-01-01T00:00:00.000Z"
    with pytest.raises(Refused, match="only the application itself") as refused:
        await mend(connect(credentials={"access_token": "EAAAseller"}))
    assert "Webhooks › Subscriptions" in refused.value.remedy


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_square_describes_them(seller: SquareSimulator, till: Connection) -> None:
    await mend(till, TOPICS[:3])
    await mend(till)
    (number,) = seller.hooks.entries
    seller.hooks.entries[number]["enabled"] = False
    await mend(till)
    square = described("square")
    assert [problem for received in seller.received for problem in square.problems(received)] == []


@needs_shared
async def test_each_topic_is_one_that_square_sends() -> None:
    schemas = spec("square")["components"]["schemas"].values()
    known = {schema["x-webhook"]["event"] for schema in schemas if "x-webhook" in schema}
    assert set(TOPICS) <= known
