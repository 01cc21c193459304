"""`bellwire flow compare`: a flow in shadow, beside people who do its work."""

import json
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from bellwire.app import Bellwire, running
from bellwire.capabilities.accounting import CreateInvoice, Invoice, RecordPayment
from bellwire.clock import system_clock
from bellwire.connectors.kit import Call
from bellwire.engine import event_of, switch
from bellwire.events import Order
from bellwire.ledger import FlowMode, events
from bellwire.money import Money
from bellwire.practice.driving import until_quiet
from tests.cli.conftest import Run, outcome
from tests.running import FLOW, Town, ordinary, town


@pytest.fixture(autouse=True)
def _acme_is_installed() -> None:
    """It isn't, here: practice servers are there for the real connectors only."""


async def told(place: Town, *words: str) -> str:
    """What the real command prints."""
    code, out, err = await outcome(*words, cwd=place.folder, environ=place.environ)
    assert code == 0, err
    return out


async def orders(bellwire: Bellwire) -> dict[str, Order]:
    found = await bellwire.ledger.read(lambda rows: [event_of(row).data for row in events.newest(rows, limit=9)])
    return {each.number: each for each in found if isinstance(each, Order)}


async def by_hand(bellwire: Bellwire, order: Order, paid: Money | None = None) -> None:
    """The invoice of an order, and what was paid of it, come into the books past Bellwire."""
    books = bellwire.project.connections["books"]
    actions, call = books.connector.actions, Call.asking(books, system_clock).part(order.number)
    invoice = await actions["accounting.create_invoice"].perform(call, CreateInvoice(order=order))
    assert isinstance(invoice, Invoice)
    if paid:
        payment = RecordPayment(invoice_id=invoice.id, customer_id=invoice.customer_id, amount=paid)
        await actions["accounting.record_payment"].perform(call.part("payment"), payment)


async def test_what_people_did_is_told_beside_what_bellwire_would_have_sent_and_nothing_is_changed(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as place:
        async with running(place.settings, place.secrets) as bellwire, aiohttp.ClientSession() as session:
            now = system_clock()
            await bellwire.ledger.write(
                lambda rows: switch(rows, FLOW, FlowMode.SHADOW, now, who="Dana", reason="We watch first.")
            )
            for number in ("1001", "1002", "1003"):
                webhook = place.paid(ordinary(number))
                await session.post(bellwire.hook_url("shop"), data=webhook.body, headers=dict(webhook.headers))
            await until_quiet(bellwire.ledger, bellwire.engine, 30)
            sold = await orders(bellwire)
            tip = Money(amount=Decimal(1), currency=sold["1002"].currency)
            await by_hand(bellwire, sold["1001"], paid=sold["1001"].total)
            await by_hand(bellwire, sold["1002"].model_copy(update={"tip": tip, "total": sold["1002"].total + tip}))
        before = {name: simulator.state() for name, simulator in place.practice.simulators.items()}
        for simulator in place.practice.simulators.values():
            simulator.received.clear()

        found = json.loads(await told(place, "flow", "compare", FLOW, "--json"))
        for simulator in place.practice.simulators.values():
            simulator.quotas.clear()  # No person types two commands in a second, as it is with QuickBooks.
        shown = await told(place, "flow", "compare", FLOW)

        subjects = {order.id: number for number, order in sold.items()}
        verdicts = {subjects[each["subject"].rpartition("/")[2]]: each for each in found if each["action"] == "invoice"}
        assert {number: each["verdict"] for number, each in verdicts.items()} == {
            "1001": "same",
            "1002": "differs",
            "1003": "missing",
        }
        paid = {subjects[each["subject"].rpartition("/")[2]]: each for each in found if each["action"] == "receipt"}
        assert {number: each["verdict"] for number, each in paid.items()} == {
            "1001": "same",
            "1002": "missing",
            "1003": "unknown",
        }
        assert paid["1001"]["fields"][0]["theirs"] == str(sold["1001"].total)
        assert paid["1003"]["told"].startswith("It builds on what another action would have given")
        (total,) = [each for each in verdicts["1002"]["fields"] if not each["same"]]
        assert total["name"] == "total"
        assert total["theirs"] == f"{sold['1002'].total.amount + 1:.2f} {tip.currency}"
        assert verdicts["1001"]["found"] == "invoice 1001" and verdicts["1001"]["url"].startswith("https://")
        assert {each["verdict"] for each in found if each["action"] == "label"} == {"missing"}
        assert {each["verdict"] for each in found if each["action"] in ("bench", "notice", "stock")} == {"unknown"}
        assert f"total {total['theirs']} (Bellwire would have sent {total['ours']})" in shown
        assert "2 as Bellwire would have done it, 1 done otherwise, 5 not found, " in shown.splitlines()[-1]

        asked = {each.method for simulator in place.practice.simulators.values() for each in simulator.received}
        assert asked == {"GET"}
        assert {name: simulator.state() for name, simulator in place.practice.simulators.items()} == before


def test_where_nothing_was_noted_it_says_so(at: Run) -> None:
    result = at("flow", "compare", "order_to_cash")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "Order to cash has noted nothing in that time. `bellwire flow mode order_to_cash shadow` has it note.\n"
    )
    assert json.loads(at("flow", "compare", "order_to_cash", "--json").stdout) == []


@pytest.mark.parametrize("since", ["soon", ""])
def test_a_time_that_is_none_is_wrong_use(at: Run, since: str) -> None:
    assert at("flow", "compare", "order_to_cash", "--since", since).exit_code == 2
