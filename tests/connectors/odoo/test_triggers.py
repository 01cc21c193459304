"""Goods that come in: webhooks as hints, and the list that has what happened."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine
from bellwire.connectors.kit import POLLED, BadSignature, Connection, Listed, Page
from bellwire.connectors.odoo import CONNECTOR
from bellwire.connectors.odoo.purchases import ACTIONS
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, PurchaseReceipt
from bellwire.practice.odoo import OdooSimulator
from tests.connecting import call
from tests.connectors.odoo.conftest import Connect
from tests.samples import NOW
from tests.shared import needs_shared, payload

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
(POLL,) = TRIGGERS.polls
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def erp(connect: Connect) -> Connection:
    return connect()


async def ordered(erp: Connection, odoo: OdooSimulator) -> int:
    """An order that went to the vendor."""
    lines = PurchaseLine(sku="TEA-100", quantity=24), PurchaseLine(sku="TEA-250", quantity=12)
    given = CreatePurchaseOrder(supplier_id="9", lines=lines, reference="Reorder 7")
    made = await ACTIONS[1](call(erp), given)
    number = int(made.model_dump()["id"])
    odoo.confirm(number)
    return number


async def pages(erp: Connection, since: datetime = LONG_AGO, cursor: str = "") -> list[Page]:
    found = [await POLL.page(call(erp), since, cursor)]
    while found[-1].next_cursor:
        found.append(await POLL.page(call(erp), since, found[-1].next_cursor))
    return found


async def records(erp: Connection, since: datetime = LONG_AGO, cursor: str = "") -> list[Listed]:
    return [record for page in await pages(erp, since, cursor) for record in page.records]


def event(erp: Connection, record: Listed) -> Event:
    delivery = Delivery("erp", {POLLED: POLL.name}, record.body, NOW)
    (found,) = TRIGGERS.normalise(delivery, erp).events
    return found


def sent(body: bytes, query: str = "?token=k3y") -> Delivery:
    return Delivery("erp", {"content-type": "application/json"}, body, NOW, f"https://x.example/hooks/erp{query}")


# Webhooks


def test_a_transfer_that_changed_wakes_the_poll(erp: Connection, odoo: OdooSimulator) -> None:
    body = odoo.webhook(odoo.receive(None, {"TEA-100": 5})).body
    found = TRIGGERS.normalise(sent(body), erp)
    assert (found.events, found.wake) == ((), (POLL.name,))
    assert found.reason.endswith(".")


@needs_shared
def test_other_models_mean_nothing_here(erp: Connection) -> None:
    found = TRIGGERS.normalise(sent(payload("odoo", "webhook_sample.json")), erp)
    assert (found.events, found.wake) == ((), ())
    assert "sale.order" in found.reason


@pytest.mark.parametrize("body", [b"[]", b"{}", b"7"])
def test_what_is_not_odoos_is_kept_for_a_person(erp: Connection, body: bytes) -> None:
    with pytest.raises(CannotNormalise):
        TRIGGERS.normalise(sent(body), erp)


def test_the_token_in_the_address_lets_it_in_and_so_does_the_next_during_a_change(erp: Connection) -> None:
    assert erp.webhook is not None
    erp.webhook.verify(sent(b"{}"), ["k3y"], NOW)
    erp.webhook.verify(sent(b"{}"), ["new", "k3y"], NOW)
    for query in ("", "?token=k3", "?token=other"):
        with pytest.raises(BadSignature):
            erp.webhook.verify(sent(b"{}", query), ["k3y"], NOW)


def test_a_state_is_one_delivery_and_without_one_each_is_another(erp: Connection) -> None:
    assert erp.webhook is not None
    name = erp.webhook.delivery_id
    state = sent(b'{"_id": 7, "_model": "stock.picking", "write_date": "2026-01-31 10:00:00"}')
    assert name(state) == "stock.picking/7/2026-01-31 10:00:00"
    bare = sent(b'{"_id": 7, "_model": "stock.picking"}')
    later = Delivery("erp", bare.headers, bare.body, NOW + timedelta(seconds=1), bare.url)
    assert name(bare) != name(later)


# The list

listing = pytest.mark.asyncio(loop_scope="module")


@listing
async def test_what_came_in_for_an_order(erp: Connection, odoo: OdooSimulator) -> None:
    number = await ordered(erp, odoo)
    picking = odoo.receive(number, {"TEA-100": 10, "TEA-250": 12})
    (record,) = await records(erp)
    found = event(erp, record)
    assert (found.type, found.business_key) == ("purchase.received", f"erp/receipt/{picking}/received")
    assert found.subject == f"purchase_order/{number}"
    receipt = found.data
    assert isinstance(receipt, PurchaseReceipt)
    assert (receipt.purchase_order_id, receipt.number) == (str(number), "P00001")
    assert (receipt.supplier_id, receipt.supplier_name) == ("9", "Hill Tea Imports")
    assert [(line.sku, line.quantity, line.name) for line in receipt.lines] == [
        ("TEA-100", 10, "Green tea, 100 g"),
        ("TEA-250", 12, "Green tea, 250 g"),
    ]
    assert abs(receipt.received_at - datetime.now(UTC)) < timedelta(minutes=1)


@listing
async def test_goods_that_nobody_ordered_count_and_returns_of_customers_do_not(
    erp: Connection, odoo: OdooSimulator
) -> None:
    picking = odoo.receive(None, {"TEA-100": 5})
    odoo.receive(None, {"TEA-100": 2}, from_customer=True)
    odoo.tables["stock.picking"][odoo.receive(None, {"TEA-100": 3})]["state"] = "assigned"
    (record,) = await records(erp)
    found = event(erp, record)
    assert (found.subject, found.data.purchase_order_id) == (f"receipt/{picking}", "")


@listing
async def test_a_webhook_can_not_claim_to_be_what_was_listed(erp: Connection, odoo: OdooSimulator) -> None:
    """Who has got hold of the address can have the list read, and no more."""
    odoo.receive(None, {"TEA-100": 5})
    (record,) = await records(erp)
    with pytest.raises(CannotNormalise):
        TRIGGERS.normalise(sent(record.body), erp)


@listing
@pytest.mark.proves("reconcile")
async def test_pages_go_on_from_a_cursor_that_somebody_else_kept(
    connect: Connect, odoo: OdooSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.odoo.triggers._PAGE", 2)
    numbers = [odoo.receive(None, {"TEA-100": 5}) for _ in range(5)]
    found = await pages(connect())
    assert [len(page.records) for page in found] == [2, 2, 1]
    resumed = await records(connect(), cursor=found[0].next_cursor)
    assert [event(connect(), each).data.id for each in resumed] == [str(number) for number in numbers[2:]]
    assert len(await records(connect(), cursor="no cursor of ours")) == 5, "it begins anew"


@listing
@pytest.mark.proves("reconcile")
async def test_only_what_changed_since_is_listed(erp: Connection, odoo: OdooSimulator) -> None:
    old, new = odoo.receive(None, {"TEA-100": 5}), odoo.receive(None, {"TEA-100": 6})
    odoo.tables["stock.picking"][old]["write_date"] = "2026-11-24 09:29:59"
    odoo.tables["stock.picking"][new]["write_date"] = "2026-11-24 09:30:00"
    (record,) = await records(erp, NOW)
    assert event(erp, record).data.id == str(new)
    assert await records(erp, datetime.now(UTC) + timedelta(days=1)) == []


@listing
@pytest.mark.proves("reconcile")
async def test_a_receipt_that_is_listed_twice_is_one_fact(erp: Connection, odoo: OdooSimulator) -> None:
    """The webhook about it brings nothing but the same list."""
    picking = odoo.receive(None, {"TEA-100": 5})
    (first,) = await records(erp)
    odoo.tables["stock.picking"][picking]["write_date"] = "2027-01-01 00:00:00"
    (second,) = await records(erp)
    assert first.id != second.id
    assert event(erp, first).business_key == event(erp, second).business_key
    assert orjson.loads(first.body)["lines"] == orjson.loads(second.body)["lines"]
