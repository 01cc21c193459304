"""What the tests of the pilot share: simulated vendors by role, whoever they are, and flows for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bellwire.app import running
from bellwire.cli.staging import stage_of
from bellwire.flows import bundled
from bellwire.practice import (
    Books,
    Carrier,
    Chat,
    Mailbox,
    Practice,
    Shop,
    Till,
    find_simulator,
    simulator_names,
)
from bellwire.practice.pilot import Hurried, Trial, Vendors, find_kind
from bellwire.practice.project import write_project
from bellwire.practice.stage import Passing
from bellwire.settings import load_settings

ORDER_TO_CASH = bundled("order_to_cash")

SHORT = """
name: Short
trigger: shop.order.paid
success: {within: 1m, error_rate: 5%}
manual_minutes: 6
actions:
  invoice:
    do: books.create_invoice
    with: {order: "{{ event }}"}
  bench:
    do: chat.post_message
    with: {channel: packing, text: "Order {{ event.number }}: {{ invoice.number }}"}
"""


def able(role: type) -> list[str]:
    """The vendors whose simulator fills a role."""
    return [name for name in simulator_names() if issubclass(find_simulator(name), role)]


def roles(**chosen: str) -> dict[str, str]:
    """A vendor for each connection of order to cash: the one that is chosen, else the first."""
    kinds = {"shop": Shop, "books": Books, "stock": Till, "shipping": Carrier, "chat": Chat, "mail": Mailbox}
    return {name: able(kind)[0] for name, kind in kinds.items()} | chosen


@asynccontextmanager
async def trial(folder: Path, flow: str, **chosen: str) -> AsyncIterator[Trial[Any]]:
    """A pilot of this flow on practice vendors, ready to be run."""
    vendors, clock = roles(**chosen), Passing()
    async with Practice(set(vendors.values())) as practice, aiohttp.ClientSession() as session:
        secrets = write_project(folder, practice, vendors, {"tried.yaml": flow})
        async with running(load_settings(folder, {}), secrets, clock, random=Hurried()) as bellwire:
            (tried,) = bellwire.project.flows
            simulators = {name: practice.simulators[vendor] for name, vendor in vendors.items()}
            stage = stage_of(bellwire, simulators, session, clock=clock, patience=20)
            kind = find_kind(tried.event_type)
            assert kind is not None
            yield Trial(tried, kind, stage, Vendors(tried, simulators))
