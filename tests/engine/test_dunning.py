"""The bundled dunning, carried out by the engine: it stops when the money comes in, in whichever order that is told."""

import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bellwire.errors import Transient
from bellwire.events import Customer, Payment, PaymentStatus, Subscription
from bellwire.flows import bundled
from bellwire.ledger import RunState
from tests.engine.test_waiting import DAY, Clock, Place
from tests.engine.vendor import Vendor
from tests.samples import NOW, usd

FAILED, SUCCEEDED, RENEWED, ENDED = (
    "payment.failed", "payment.succeeded", "subscription.renewed", "subscription.ended"
)  # fmt: skip
A_BIT_MORE_THAN_AN_HOUR = timedelta(minutes=61)
WORDS = {
    "Your payment of $24.40 didn't go through": 0,
    "A reminder: $24.40 is still open": 3,
    "Please pay $24.40 within a week": 7,
    "Last reminder: $24.40 is open": 14,
}
"""What each mail is called → on which day it goes out."""


class Billing(Place):
    """Bellwire with the vendors of the dunning; each customer has one subscription, by number."""

    async def told(self, kind: str, customer: int, **changes: Any) -> None:
        """`kind` of event about this customer arrives; it happened later than those before it in FAILED …"""
        order = (FAILED, SUCCEEDED, RENEWED, ENDED).index(kind)
        later = timedelta(minutes=order, seconds=changes.get("attempts", 1))
        at = (NOW + later).isoformat()
        data = _subscription(customer) if kind == ENDED else _payment(customer, kind, **changes)
        subject = f"subscription/sub_{customer}" if kind == ENDED else f"invoice/in_{customer}"
        await self.deliver(body=json.dumps({"type": kind, "subject": subject, "time": at, "data": data}).encode())

    async def quiet(self) -> None:
        """Until the engine has done what is due by now."""
        await self.until(self._nothing_due, 60)

    async def _nothing_due(self) -> bool:
        if await self.due():
            return False
        return await self._nothing_left()  # In this order: what is due is taken up meanwhile.

    async def due(self) -> bool:
        """Whether a run's time has come. Those that a queue has by now have no time any more."""
        now, waiting = self.clock(), [run.due_at for run in await self.runs() if run.state is RunState.WAITING]
        return any(due_at is None or due_at <= now for due_at in waiting)

    def mails(self, customer: int) -> list[str]:
        return [mail.subject for mail in self.mailer.given if mail.to == f"{customer}@example.com"]

    @property
    def mailer(self) -> Vendor:
        return next(vendor for vendor in self.others if vendor.name == "mail")

    def tickets(self) -> list[str]:
        return [ticket.email for vendor in self.others if vendor.name == "helpdesk" for ticket in vendor.given]

    def posts(self) -> list[str]:
        return [post.text for vendor in self.others if vendor.name == "chat" for post in vendor.given]


def _payment(customer: int, kind: str, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": f"in_{customer}",
        "status": PaymentStatus.FAILED if kind == FAILED else PaymentStatus.SUCCEEDED,
        "amount": usd("24.40"),
        "customer": Customer(id=f"c{customer}", email=f"{customer}@example.com"),
        "invoice_id": f"in_{customer}",
        "subscription_id": f"sub_{customer}",
        "attempts": 1,
        "pay_url": "https://pay.example",
        "created_at": NOW,
    }
    return Payment(**(values | changes)).model_dump(mode="json")


def _subscription(customer: int) -> dict[str, Any]:
    return Subscription(id=f"sub_{customer}", status="canceled", ended=True, updated_at=NOW).model_dump(mode="json")


@asynccontextmanager
async def open_billing(url: str) -> AsyncIterator[Billing]:
    others = tuple(Vendor(name) for name in ("mail", "chat", "helpdesk"))
    billing = Billing(url, Vendor("pay"), bundled("dunning"), Clock(), others=others)
    async with billing.open():
        yield billing


async def test_without_a_payment_all_mails_go_out_at_their_days_and_then_the_team_is_told(ledger_url: str) -> None:
    async with open_billing(ledger_url) as billing:
        await billing.told(FAILED, 1)
        await billing.quiet()
        assert billing.mails(1) == []
        billing.pass_by(A_BIT_MORE_THAN_AN_HOUR)
        by_day = {}
        for day in range(20):
            await billing.quiet()
            by_day[day] = billing.mails(1)
            assert bool(billing.tickets()) is bool(billing.posts()) is (day >= 14)
            billing.pass_by(DAY)
        assert by_day == {day: [words for words, due in WORDS.items() if due <= day] for day in range(20)}
        assert billing.tickets() == ["1@example.com"] and "hasn't paid $24.40" in billing.posts()[0]
        assert (await billing.run()).state is RunState.DONE


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        (SUCCEEDED, "subscription_id"),  # an invoice of Stripe's that stands alone
        (SUCCEEDED, "invoice_id"),  # PayPal
        (RENEWED, "invoice_id"),
    ],
)
async def test_a_payment_is_known_by_what_its_processor_tells(ledger_url: str, kind: str, lacking: str) -> None:
    async with open_billing(ledger_url) as billing:
        for customer in (1, 2):
            await billing.told(FAILED, customer, **{lacking: ""})
        await _let_pass(billing, 2)
        await billing.told(kind, 1, **{lacking: ""})
        await _let_pass(billing, 20)
        assert (billing.mails(1), billing.mails(2)) == ([*WORDS][:1], [*WORDS])


async def test_the_processors_further_tries_begin_nothing_new(ledger_url: str) -> None:
    async with open_billing(ledger_url) as billing:
        for attempts in (1, 2, 3):
            await billing.told(FAILED, 1, attempts=attempts)
            await _let_pass(billing, 3)
        await _let_pass(billing, 20)
        assert billing.mails(1) == [*WORDS]


async def test_a_mail_that_waits_for_its_next_try_isnt_sent_after_a_payment(ledger_url: str) -> None:
    async with open_billing(ledger_url) as billing:
        down = Transient("The mail server is down.", retry_after=timedelta(hours=6))
        billing.mailer.next["send_mail"].append(down)
        await billing.told(FAILED, 1)
        await billing.quiet()
        billing.pass_by(A_BIT_MORE_THAN_AN_HOUR)
        await billing.until(lambda: _tries_again(billing))
        await billing.told(SUCCEEDED, 1)
        await billing.until(lambda: _is_done(billing))
        await _let_pass(billing, 20)
        assert [call for call, *_ in billing.mailer.calls] == ["send_mail"] and billing.mailer.done == []


async def _tries_again(billing: Billing) -> bool:
    return bool(billing.mailer.calls) and (await billing.run()).state is RunState.WAITING


async def _is_done(billing: Billing) -> bool:
    return (await billing.run()).state is RunState.DONE


ORDERS = [
    order
    for length in range(1, 5)
    for order in itertools.permutations((FAILED, SUCCEEDED, RENEWED, ENDED), length)
    if FAILED in order
]
"""All orders in which all of it, or a part, can arrive."""


@pytest.mark.parametrize("between", [0, 1, 4, 8, 15], ids=lambda days: f"{days} days between")
async def test_in_any_order_of_events_it_stops_and_no_mail_goes_out_after_a_payment(
    ledger_url: str, between: int
) -> None:
    """Each order is a customer's; events of the same place in their orders arrive at the same time."""
    async with open_billing(ledger_url) as billing:
        for place in range(4):
            for customer, order in enumerate(ORDERS):
                if place < len(order):
                    await billing.told(order[place], customer)
            await _let_pass(billing, between)
        await _let_pass(billing, 20)
        found = {customer: billing.mails(customer) for customer in range(len(ORDERS))}
        assert found == {customer: _due(order, between) for customer, order in enumerate(ORDERS)}
        last = len(WORDS)
        assert sorted(billing.tickets()) == sorted(
            f"{customer}@example.com" for customer in found if len(found[customer]) == last
        )
        assert {run.state for run in await billing.runs()} == {RunState.DONE}


def _due(order: Sequence[str], between: int) -> list[str]:
    """The mails that go out while nothing else is known: until the next event arrives."""
    if order[0] != FAILED:
        return []
    days = between if len(order) > 1 else 4 * between + 20
    return [words for words, day in WORDS.items() if day < days]


async def _let_pass(billing: Billing, days: int) -> None:
    """A day at a time; of the first a bit more than the hour in which nothing is sent."""
    await billing.quiet()
    for day in range(days):
        billing.pass_by(DAY if day else A_BIT_MORE_THAN_AN_HOUR)
        await billing.quiet()
