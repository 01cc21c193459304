"""Simulated shops send webhooks when they are asked to: right ones, repeated ones, and late ones."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bellwire.events import Delivery, Event
from bellwire.practice import Practice, Shop, find_simulator, simulator_names
from tests.connecting import connection
from tests.samples import NOW

SHOPS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Shop)]
OTHERS = [name for name in simulator_names() if name not in SHOPS]


class Hook:
    """An address that keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[Mapping[str, str], bytes]] = []
        self.address = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.json_response({"delivery": len(self.got)})


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    made, app = Hook(), web.Application()
    app.router.add_post("/hooks/shop", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.address = f"http://{host}:{port}/hooks/shop"
    yield made
    await runner.cleanup()


async def ask(vendor: str, wanted: dict[str, Any]) -> tuple[int, Any]:
    async with (
        Practice([vendor]) as practice,
        aiohttp.ClientSession() as session,
        session.post(f"{practice.url}/practice/{vendor}/webhooks", json=wanted) as answer,
    ):
        return answer.status, await answer.json()


def events(vendor: str, hook: Hook) -> list[list[Event]]:
    """The events of each delivery, whose signatures are right."""
    simulator = find_simulator(vendor)
    shop = connection(vendor, name="shop", settings=simulator.settings, credentials=simulator.credentials)
    found = []
    for headers, body in hook.got:
        delivery = Delivery("shop", headers, body, NOW)
        assert shop.webhook is not None and shop.connector.triggers is not None
        shop.webhook.verify(delivery, shop.secrets, NOW)
        found.append(list(shop.connector.triggers.normalise(delivery, shop).events))
    return found


@pytest.mark.parametrize("vendor", SHOPS)
async def test_a_fact_that_is_sent_several_times_keeps_its_key(vendor: str, hook: Hook) -> None:
    status, sent = await ask(vendor, {"to": hook.address, "number": "2001", "copies": 3})
    assert status == 200
    assert [each["status"] for each in sent] == [200] * 3
    paid = [event for each in events(vendor, hook) for event in each if event.type == "order.paid"]
    assert len(paid) == 3
    assert len({event.business_key for event in paid}) == 1
    assert paid[0].data.number == "2001"


@pytest.mark.parametrize("vendor", SHOPS)
async def test_a_later_state_can_overtake_the_webhook(vendor: str, hook: Hook) -> None:
    await ask(vendor, {"to": hook.address, "overtaken": True})
    first, second = (each[-1].data for each in events(vendor, hook))
    assert first.updated_at > second.updated_at


@pytest.mark.parametrize("vendor", SHOPS)
@pytest.mark.parametrize("to", ["http://shop.example/hooks/shop", "https://127.0.0.1/hooks/shop", "file:///etc/hosts"])
async def test_nothing_is_sent_to_other_machines(vendor: str, to: str) -> None:
    status, said = await ask(vendor, {"to": to})
    assert status == 422
    assert "this machine only" in str(said)


@pytest.mark.parametrize("vendor", SHOPS)
async def test_an_address_where_nobody_answers_is_said(vendor: str) -> None:
    status, said = await ask(vendor, {"to": "http://127.0.0.1:9/hooks/shop"})
    assert status == 502
    assert "127.0.0.1:9" in said["error"]


@pytest.mark.parametrize("vendor", OTHERS)
async def test_only_shops_send_webhooks(vendor: str) -> None:
    status, said = await ask(vendor, {"to": "http://127.0.0.1:9/hooks/shop"})
    assert status == 422
    assert "sends no webhooks" in said["error"]
