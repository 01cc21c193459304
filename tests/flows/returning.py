"""A business with returns, at work on practice vendors, over HTTP."""

import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp

from bellwire.app import Bellwire, running
from bellwire.cli.roles import choose_connectors, fit_triggers
from bellwire.clock import system_clock
from bellwire.events import Condition
from bellwire.flows import template
from bellwire.ledger import AskRow, asks, exceptions, figures
from bellwire.money import Money
from bellwire.practice import Books, Mailbox, Practice, Processor, Returns, Sale, SaleLine, Shop, Till, Webhook
from bellwire.practice.driving import in_role
from bellwire.practice.project import write_project
from bellwire.settings import load_settings
from tests.running import until

SELLING = """
name: What was sold is in the books
trigger: shop.order.paid
owner: {name: Dana}
success: {within: 2m}
actions:
  invoice: {do: books.create_invoice, with: {order: "{{ event }}"}}
  receipt:
    do: books.record_payment
    with:
      invoice_id: "{{ invoice.id }}"
      customer_id: "{{ invoice.customer_id }}"
      amount: "{{ event.total }}"
      reference: "{{ event.number }}"
"""
_SECRET = "a-secret-of-the-website"


@dataclass
class Place:
    """A business with returns, at work."""

    bellwire: Bellwire
    practice: Practice
    roles: dict[str, str]
    session: aiohttp.ClientSession
    order_id: str = ""
    payment_id: str = ""
    return_id: str = ""
    sold: list[str] = field(default_factory=list)
    """The numbers of the orders."""

    def of(self, role: str) -> Any:
        return self.practice.simulators[self.roles[role]]

    @property
    def refunds(self) -> list[tuple[str, Money]]:
        return [(each.payment_id, each.amount) for each in in_role(self.of("pay"), Processor).refunds()]  # type: ignore[type-abstract]

    @property
    def credits(self) -> list[tuple[str, str, Money, bool]]:
        books = in_role(self.of("books"), Books)  # type: ignore[type-abstract]
        return [(each.reference, each.invoice, each.total, each.paid_out) for each in books.credits()]

    @property
    def pots(self) -> int:
        return in_role(self.of("stock"), Till).stock()["POT-1L"]  # type: ignore[type-abstract]

    @property
    def mails(self) -> list[str]:
        return [each.text for each in in_role(self.of("mail"), Mailbox).mails()]  # type: ignore[type-abstract]

    @property
    def tickets(self) -> list[tuple[str, str]]:
        held = self.of("helpdesk").state()
        return [(ticket["external_id"], ticket["subject"]) for ticket in held["tickets"]]

    async def post(self, webhook: Any, hook: str = "shop") -> None:
        address = self.bellwire.hook_url(hook)
        async with self.session.post(address, data=webhook.body, headers=dict(webhook.headers)) as answer:
            assert answer.status == 200

    async def sell(self, pots: int, role: str = "pay", gateway: str = "card-gateway") -> None:
        """Paid at a processor, and booked."""
        shop = in_role(self.of("shop"), Shop)  # type: ignore[type-abstract]
        number = str(1001 + len(self.sold))
        self.order_id = shop.place(Sale(number, [SaleLine("POT-1L", pots)], tax_rate=Decimal("0.0825")))
        self.sold.append(number)
        processor = in_role(self.of(role), Processor)  # type: ignore[type-abstract]
        self.payment_id = processor.take(shop.total(self.order_id), number)
        shop.pay(self.order_id, gateway, self.payment_id)
        await self.post(shop.webhook(self.order_id, "order.paid"))
        await self.quiet()

    async def send_back(self, pots: int, condition: Condition = Condition.SELLABLE, *, heard: bool = True) -> None:
        """Announced, and once support has `heard` of that, received."""
        shop = in_role(self.of("shop"), Returns)  # type: ignore[type-abstract]
        (line,) = self.of("shop").orders[self.order_id]["line_items"]
        self.return_id = shop.announce(self.order_id, {str(line["id"]): pots})
        before = len(self.tickets)
        await self.post(shop.return_webhook(self.return_id, "return.created"))

        async def announced() -> bool:
            return len(self.tickets) > before or not heard

        await until(announced)
        await self.quiet()
        shop.receive(self.return_id, condition)
        await self.post(shop.return_webhook(self.return_id, "return.received"))

    async def fill_in(self, fields: dict[str, str]) -> None:
        """A form of the website, which its server passes on."""
        body = urlencode(fields).encode()
        signature = hmac.digest(_SECRET.encode(), body, "sha256").hex()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Form-Signature": signature}
        await self.post(Webhook("form", headers, body), "forms")

    async def quiet(self) -> None:
        async def nothing_left() -> bool:
            return await self.bellwire.ledger.read(figures.unfinished) == 0

        await until(nothing_left)

    async def ended(self, tickets: int = 2) -> None:
        """Support has been told how it ended, and nothing is left to do."""

        async def told() -> bool:
            return len(self.tickets) == tickets and await self.bellwire.ledger.read(figures.unfinished) == 0

        await until(told)
        assert await self.bellwire.ledger.read(lambda rows: exceptions.open_ones(rows)) == []

    async def question(self) -> AskRow:
        async def there() -> bool:
            return bool(await self.bellwire.ledger.read(asks.open_ones))

        await until(there)
        (ask,) = await self.bellwire.ledger.read(asks.open_ones)
        return ask

    async def say(self, what: Any, *about: Any, **more: str) -> None:
        """What a person does by hand."""
        await self.bellwire.ledger.write(lambda rows: what(rows, *about, system_clock(), who="Dana", **more))


@asynccontextmanager
async def business(
    folder: Path, change: Callable[[str], str] = lambda text: text, wallet: str = "", **wanted: str
) -> AsyncIterator[Place]:
    asked = {"shop": "shopify", "pay": "stripe", "books": "quickbooks", **wanted}
    flows = fit_triggers(template("returns"), asked) | {"selling": SELLING}
    chosen = choose_connectors(flows, asked)
    roles = {name: connector.name for name, connector in chosen.items()} | ({"wallet": wallet} if wallet else {})
    flows["return_received"] = change(flows["return_received"])
    vendors = {name: vendor for name, vendor in roles.items() if vendor != "form"}  # nobody's, but the owner's own
    async with Practice(set(vendors.values())) as practice, aiohttp.ClientSession() as session:
        secrets = write_project(folder, practice, vendors, {f"{flow}.yaml": text for flow, text in flows.items()})
        with (folder / "connections.toml").open("a") as file:
            file.write('[forms]\nconnector = "form"\nenvironment = "sandbox"\n')
        secrets["BELLWIRE_FORMS_WEBHOOK_SECRET"] = _SECRET
        async with running(load_settings(folder, {"BELLWIRE_PORT": "0"}), secrets) as bellwire:
            yield Place(bellwire, practice, roles, session)
