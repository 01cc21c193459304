"""Returns, from the shop's webhook to the state of every vendor, over HTTP."""

import hmac
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from bellwire.app import Bellwire, running
from bellwire.cli.roles import choose_connectors, fit_triggers
from bellwire.clock import system_clock
from bellwire.engine import approve, decline, switch
from bellwire.events import Condition
from bellwire.flows import template
from bellwire.ledger import AskRow, FlowMode, Outcome, asks, exceptions, figures, runs
from bellwire.money import Money
from bellwire.practice import (
    Books,
    Fault,
    FaultKind,
    Mailbox,
    Practice,
    Processor,
    Returns,
    Sale,
    SaleLine,
    Shop,
    Till,
    Webhook,
)
from bellwire.practice.driving import in_role
from bellwire.practice.project import write_project
from bellwire.settings import load_settings
from tests.running import until
from tests.samples import usd

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
PAGE = Path(__file__).parents[2] / "docs/flows/returns.md"
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


@pytest.mark.parametrize("stock", ["square", "lightspeed"])
async def test_a_return_waits_for_a_yes_and_then_everything_is_put_right_once(tmp_path: Path, stock: str) -> None:
    async with business(tmp_path, stock=stock) as place:
        await place.sell(3)
        before = place.pots
        await place.send_back(3)
        ask = await place.question()
        assert ask.text.startswith("Give $135.58 back to Robin Hill for return 1001-R1 of order 1001?")
        assert (place.refunds, place.credits) == ([], [])
        await place.say(approve, ask.id)
        await place.ended()
        assert place.refunds == [(place.payment_id, usd("135.58"))]
        assert place.credits == [("1001-R1", "1001", usd("135.58"), True)]
        assert place.pots == before + 3
        assert place.tickets == [
            ("return 1001-R1", "Return 1001-R1 of order 1001"),
            ("return 1001-R1", "Return 1001-R1 of order 1001 is back"),
        ]
        how, what = place.mails
        assert "Please write 1001-R1 on the parcel" in how
        assert "We give you $135.58 back" in what


@pytest.mark.parametrize(("pay", "books"), [("stripe", "quickbooks"), ("paypal", "xero"), ("square", "quickbooks")])
async def test_an_answer_of_the_processor_that_is_lost_doubles_nothing(tmp_path: Path, pay: str, books: str) -> None:
    async with business(tmp_path, pay=pay, books=books) as place:
        await place.sell(2)
        place.of("pay").faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=r"POST \S*refund"))
        await place.send_back(1, Condition.DAMAGED)
        await place.ended()
        assert place.of("pay").faults.next("POST /v1/refunds") is None, "it did meet the fault"
        half = usd("21.60")  # of 39.90 and its tax of 3.29
        assert place.refunds == [(place.payment_id, half)]
        assert place.credits == [("1001-R1", "1001", half, True)]
        assert "We give you $21.60 back" in place.mails[-1]


def with_two_processors(flow: str) -> str:
    """The template as docs/flows/returns.md says how to change it."""
    twins: str
    (twins,) = re.findall(r"```yaml\n(  payment:\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    head, *rest = re.split(r"(?m)^(?=  [a-z_]+:$)", flow)
    others = "".join(each for each in rest if not each.startswith(("  payment:", "  refund:")))
    for name in ("payment", "refund"):
        others = re.sub(
            rf"(?<![\w.'])({name})\b(?!_)(?=[^\n]*(?:}}}}|%}}|')|\.)", rf"({name} or {name}_wallet)", others
        )
    return head + twins + "\n" + others


async def test_of_two_processors_each_gives_back_what_it_took(tmp_path: Path) -> None:
    async with business(tmp_path, change=with_two_processors, pay="stripe", wallet="paypal") as place:
        for role, gateway in (("pay", "card-gateway"), ("wallet", "paypal")):
            await place.sell(2, role, gateway)
            tickets = len(place.tickets)
            await place.send_back(1)
            await place.ended(tickets + 2)
            processor = in_role(place.of(role), Processor)  # type: ignore[type-abstract]
            given = [(each.payment_id, each.amount) for each in processor.refunds()]
            assert given == [(place.payment_id, usd("43.19"))]
        assert [credit[2] for credit in place.credits] == [usd("43.19")] * 2
        assert all("We give you $43.19 back" in mail for mail in place.mails[1::2])


async def test_after_a_no_no_money_moves_and_nobody_is_told_so(tmp_path: Path) -> None:
    async with business(tmp_path) as place:
        await place.sell(3)
        before = place.pots
        await place.send_back(3)
        await place.say(decline, (await place.question()).id, reason="sent back by agreement")
        await place.ended()
        assert (place.refunds, place.credits, place.pots) == ([], [], before + 3)
        assert len(place.mails) == 1, "how to send it, and no more"


async def test_what_comes_back_in_parts_gives_back_what_was_paid_and_no_more(tmp_path: Path) -> None:
    """The shipping with the last of them: by then all of the order is back."""
    async with business(tmp_path) as place:
        await place.sell(2)
        await place.send_back(1)
        await place.ended()
        await place.send_back(1)
        await place.ended(4)
        assert [amount for _, amount in place.refunds] == [usd("43.19"), usd("49.19")]
        assert in_role(place.of("shop"), Shop).total(place.order_id) == usd("92.38")  # type: ignore[type-abstract]
        assert [(credit[0], credit[2]) for credit in place.credits] == [
            ("1001-R1", usd("43.19")),
            ("1001-R2", usd("49.19")),
        ]


async def test_in_shadow_all_is_worked_out_and_nothing_sent(tmp_path: Path) -> None:
    async with business(tmp_path) as place:
        await place.sell(3)
        before = place.pots
        for flow in ("return_created", "return_received"):
            await place.say(switch, flow, FlowMode.SHADOW, reason="a try")
        await place.send_back(3, heard=False)
        noted: dict[str, str] = {}

        async def all_noted() -> bool:
            attempts = await place.bellwire.ledger.read(lambda rows: runs.attempts_of(rows, (2, 3)))
            found = [each for run in attempts.values() for each in run if each.outcome is Outcome.NOTED]
            noted.update({each.action: each.result or "" for each in found})
            return set(noted) == {"ticket", "how_to_send", "refund", "credit", "restock", "support", "notice"}

        await until(all_noted)
        await place.ended(0)
        assert (place.refunds, place.credits, place.mails, place.pots) == ([], [], [], before)
        assert "135.58" in noted["refund"] and "119.70" in noted["credit"] and "POT-1L" in noted["restock"]


async def test_of_a_shop_without_returns_the_warehouse_tells_by_form(tmp_path: Path) -> None:
    async with business(tmp_path, shop="woocommerce") as place:
        await place.sell(2)
        before = place.pots
        form = {"type": "return.created", "return_id": "R-7", "order_id": place.order_id, "email": "robin@example.com"}
        await place.fill_in(form | {"id": "f1", "sku": "POT-1L", "reason": "too big"})
        back = form | {"type": "return.received", "sku": "POT-1L", "condition": "sellable"}
        await place.fill_in(back | {"id": "f2", "parcel": "1"})
        await place.ended()
        await place.fill_in(back | {"id": "f3", "parcel": "2"})
        await place.ended(3)
        assert [credit[0] for credit in place.credits] == ["R-7/1", "R-7/2"]
        assert place.refunds == [(place.payment_id, usd("43.19"))] * 2, "what the first was of, a form can't tell"
        assert place.pots == before + 2
