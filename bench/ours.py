"""Bellwire's own intake, engine and ledger with one flow of three calls, to be measured beside the bare loop.

python -m bench.ours DATABASE VENDOR_URL PORT full|ack SENDING_CONNECTOR
python -m bench.ours DATABASE VENDOR_URL RUNS_AT_ONCE worker SENDING_CONNECTOR

DATABASE is a file, or the address of a ledger.
"""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any

from bellwire.app import settle_memory, web
from bellwire.capabilities import chat, shipping, stock
from bellwire.clock import system_clock
from bellwire.connectors import find_connector
from bellwire.connectors.kit import ByKey, Call, Connection, Connector, Manifest, NoSettings, action, connect, connector
from bellwire.desk import Desk, Site
from bellwire.engine import Setting, open_engine
from bellwire.events import Environment
from bellwire.flows import Flow, parse_flow
from bellwire.intake import Health, Hooks, serve
from bellwire.ledger import open_ledger
from bellwire.practice import find_simulator, simulator_names
from bellwire.records import LedgerCrosswalk
from bellwire.watch import Metrics

SECRET = "whsec_YmVsbHdpcmUtYmVuY2gtc2VjcmV0LW9mLTMyLWJ5dGU="

FLOW = """
name: Bench
trigger: shop.order.paid
actions:
  label:
    do: vendor.create_label
    with: {order: "{{ event }}"}
  stock:
    do: vendor.adjust
    needs: [label]
    with: {lines: "{{ event.lines }}", reason: sale, reference: "{{ event.number }}"}
  bench:
    do: vendor.post_message
    needs: [stock]
    with: {channel: packing, text: "{{ event.number }} is paid ({{ event.total }}): {{ label.tracking_number }}"}
"""
"""One call after the other, as in the bare loop."""


class Given:
    """Credentials in memory."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def find(self, field: str) -> str | None:
        return self._values.get(field)

    def get(self, field: str) -> str:
        return self._values[field]

    def store(self, values: Any) -> None:
        self._values.update(values)

    def renewing(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()


@action(shipping.CREATE_LABEL, repeat=ByKey("body"))
async def create_label(call: Call, given: shipping.CreateLabel) -> shipping.Label:
    await call.api.post("0", {"key": call.key, "order": given.order.number})
    return shipping.Label(id="1", shipping_order_id="1", carrier="post", tracking_number="1Z")


@action(stock.ADJUST, repeat=ByKey("body"))
async def adjust(call: Call, given: stock.AdjustStock) -> stock.StockChanges:
    changes = [{"sku": line.sku, "quantity": -line.quantity} for line in given.lines]
    await call.api.post("1", {"key": call.key, "order": given.reference, "changes": changes})
    return stock.StockChanges(
        changes=tuple(stock.StockChange(sku=line.sku, change=-line.quantity) for line in given.lines)
    )


@action(chat.POST_MESSAGE, repeat=ByKey("body"))
async def post_message(call: Call, given: chat.PostMessage) -> chat.Message:
    number = given.text.split()[0]
    await call.api.post("2", {"key": call.key, "order": number, "channel": given.channel, "text": given.text})
    return chat.Message(id="1", channel=given.channel)


VENDOR: Connector = connector(
    Manifest(
        name="bench",
        title="Bench",
        capabilities=("shipping", "stock", "chat"),
        base_urls={Environment.SANDBOX: "http://127.0.0.1:9"},
        parallel=64,
    ),
    actions=(create_label, adjust, post_message),
)


def flow() -> Flow:
    return parse_flow(FLOW, Path("flows/bench.yaml"))


def sender(name: str) -> Connection:
    """The connection that takes the webhooks: of a shop, or of any sender that signs by Standard Webhooks."""
    connector = find_connector(name)
    shop = find_simulator(name) if name in simulator_names() else None
    settings = connector.manifest.settings.model_validate(dict(shop.settings) if shop else {})
    secrets = Given(dict(shop.credentials) if shop else {"webhook_secret": SECRET})
    return connect("shop", connector, Environment.SANDBOX, settings, secrets, base_url="http://127.0.0.1:9")


async def run(database: str, vendor: str, number: int, mode: str, name: str) -> None:
    connections: dict[str, Connection] = {
        "shop": sender(name),
        "vendor": connect("vendor", VENDOR, Environment.SANDBOX, NoSettings(), Given({}), base_url=vendor),
    }
    flows = [flow()]
    url = database if "://" in database else f"sqlite:///{database}"
    async with open_ledger(url, max_waiting=20_000) as ledger:
        at_once = number if mode == "worker" else 64
        engine = open_engine(Setting(ledger, connections, flows, LedgerCrosswalk(ledger), workers=at_once))
        if mode != "ack":
            await engine.start()
        if mode == "worker":
            settle_memory()
            await asyncio.Event().wait()
        hooks = Hooks(connections, ledger, engine.arrived if mode == "full" else lambda _number, _delivery: None)
        metrics = Metrics(ledger, connections, hooks.tally, clock=system_clock)
        app = web(Health(ledger), metrics, Desk(Site(ledger, flows, connections)), "127.0.0.1")
        settle_memory()
        async with serve(app, "127.0.0.1", number, hooks=hooks):
            await asyncio.Event().wait()


def main() -> None:
    import uvloop

    database, vendor, number, mode, name = sys.argv[1:]
    uvloop.run(run(database, vendor, int(number), mode, name))


if __name__ == "__main__":
    main()
