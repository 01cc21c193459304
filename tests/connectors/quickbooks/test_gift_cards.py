"""Orders that gift cards paid: what the books hold at the end, by order to cash and as sales receipts, whatever goes
wrong on the way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from bellwire.app import Bellwire, running
from bellwire.ledger import Outcome, RunState, runs
from bellwire.practice import Fault, FaultKind, Sale, SaleLine
from bellwire.practice.driving import until_quiet
from bellwire.practice.pilot import Hurried
from bellwire.practice.quickbooks import QuickBooks
from bellwire.practice.stories.order_to_cash import Chapter
from tests.running import Town, town

READS = r"query Order\("
"""The request that reads an order from the shop."""


@dataclass(frozen=True)
class Shopkeeper:
    """A running system with its vendors."""

    place: Town
    bellwire: Bellwire

    @property
    def books(self) -> QuickBooks:
        found = self.place.practice.simulators[self.place.roles["books"]]
        assert isinstance(found, QuickBooks)
        return found

    def lose(self, role: str, match: str, times: int = 1) -> None:
        """Let a vendor do what it is asked and break off before it answers."""
        fault = Fault(kind=FaultKind.LOST_ANSWER, match=match, times=times)
        self.place.practice.simulators[self.place.roles[role]].faults.add(fault)

    async def sell(self, *lines: SaleLine, gift_card: str, **sale: Any) -> Decimal:
        """Have an order paid and its run come to its end; gives the order's total."""
        sold = Chapter(Sale("1001", lines, gift_card=Decimal(gift_card), **sale), "")
        webhook = self.place.paid(sold)
        async with aiohttp.ClientSession() as session:
            await session.post(self.bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
        await until_quiet(self.bellwire.ledger, self.bellwire.engine, 30)
        total = self.place.holdings.shop.total(self.place.placed["1001"])
        assert [(each.reference, each.total, each.paid) for each in self.books.booked()] == [("1001", total, True)]
        return total.amount

    async def skipped(self) -> dict[str, str]:
        """Why each action that was left out was; the run is done."""
        (run,) = await self.bellwire.ledger.read(lambda rows: runs.newest(rows, limit=2))
        assert run.state is RunState.DONE
        attempts = await self.bellwire.ledger.read(lambda rows: runs.attempts(rows, run.id))
        return {each.action: each.sentence for each in attempts if each.outcome is Outcome.SKIPPED}

    @property
    def came_in(self) -> list[Decimal]:
        """What each payment says of money that came in; one of nothing only applies a credit."""
        amounts = [Decimal(str(record["TotalAmt"])) for record in self.books.books.records["Payment"].values()]
        return [amount for amount in amounts if amount]

    @property
    def taken_off(self) -> list[tuple[str, Decimal, Decimal]]:
        """For each credit memo, the kind of account that it is booked on, its amount, and what of it is left."""
        held = self.books.books.records
        found = []
        for memo in held["CreditMemo"].values():
            (line,) = memo["Line"]
            item = held["Item"][line["SalesItemLineDetail"]["ItemRef"]["value"]]
            kind = held["Account"][item["IncomeAccountRef"]["value"]]["AccountType"]
            found.append((kind, Decimal(str(memo["TotalAmt"])), Decimal(str(memo["Balance"]))))
        return found

    @property
    def times_asked(self) -> int:
        shop = self.place.practice.simulators[self.place.roles["shop"]]
        return sum("query Order(" in str(received.body) for received in shop.received)


@pytest_asyncio.fixture
async def at(tmp_path: Path) -> AsyncIterator[Shopkeeper]:
    async with town(tmp_path) as place, running(place.settings, place.secrets, random=Hurried()) as bellwire:
        yield Shopkeeper(place, bellwire)


def owed_to_bearers(amount: str) -> list[tuple[str, Decimal, Decimal]]:
    return [("Other Current Liability", Decimal(amount), Decimal(0))]


@pytest.mark.parametrize(
    ("role", "match", "times"),
    [
        ("books", "no trouble", 1),
        ("shop", READS, 1),
        ("books", "POST .*/creditmemo", 1),
        ("books", '(?s)POST .*/payment.*"TotalAmt":0', 1),
        ("books", '(?s)POST .*/payment.*"TotalAmt":4', 1),
        ("books", "POST ", 5),
    ],
    ids=["no trouble", "asking the shop", "the credit memo", "applying it", "the money", "every answer of the books"],
)
async def test_a_part_by_gift_card_and_the_rest_in_money_settle_the_invoice_once(
    at: Shopkeeper, role: str, match: str, times: int
) -> None:
    at.lose(role, match, times)
    owed = await at.sell(SaleLine("TEA-100", 2), gift_card="20.00")
    assert owed == Decimal("24.40")
    assert at.came_in == [Decimal("4.40")]
    assert at.taken_off == owed_to_bearers("20.00")
    assert await at.skipped() == {}


async def test_an_order_without_a_gift_card_is_not_asked_for(at: Shopkeeper) -> None:
    owed = await at.sell(SaleLine("TEA-100", 2), gift_card="0")
    assert (at.came_in, at.taken_off, at.times_asked) == ([owed], [], 0)
    assert await at.skipped() == {
        "asked": "The shop's message says what gift cards paid.",
        "gift_card": "No gift card was used.",
    }


async def test_a_digital_order_that_gift_cards_paid_has_an_invoice_and_no_payment_of_money(at: Shopkeeper) -> None:
    owed = await at.sell(SaleLine("CLASS-01"), gift_card="500.00", shipping=Decimal(0))
    assert (at.came_in, at.times_asked) == ([], 0)
    assert at.taken_off == owed_to_bearers(str(owed))
    reasons = await at.skipped()
    assert reasons.keys() == {"asked", "receipt", "label", "fulfilled"}
    assert reasons["receipt"] == "No money came in; the order costs nothing, or gift cards paid all of it."


RECEIPTS = """
name: Receipts
trigger: shop.order.paid
success: {within: 1m, error_rate: 5%}
actions:
  asked:
    do: shop.read_order
    if: event.gift_cards is none
    with: {order_id: "{{ event.id }}"}
  receipt:
    do: books.create_sales_receipt
    with: {order: "{{ asked.order if asked else event }}"}
"""


@pytest.mark.parametrize("match", ["no trouble", "POST .*/salesreceipt"], ids=["no trouble", "a lost answer"])
async def test_a_sales_receipt_takes_in_the_money_and_takes_off_the_gift_card(tmp_path: Path, match: str) -> None:
    async with (
        town(tmp_path, flow=RECEIPTS) as place,
        running(place.settings, place.secrets, random=Hurried()) as bellwire,
    ):
        at = Shopkeeper(place, bellwire)
        at.lose("books", match)
        assert await at.sell(SaleLine("TEA-100", 2), gift_card="20.00") == Decimal("24.40")
        (receipt,) = at.books.books.records["SalesReceipt"].values()
        assert receipt["TotalAmt"] == 4.4
        assert receipt["Line"][-1]["Amount"] == -20
        assert await at.skipped() == {}
