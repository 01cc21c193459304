"""What changed, by polls: goods that came in, and stock that was moved."""

from datetime import UTC, datetime, timedelta

import pytest

from bellwire.connectors.kit import POLLED, Connection, Listed, Normalised, Page, Poll
from bellwire.connectors.sap_business_one import CONNECTOR
from bellwire.errors import CannotNormalise
from bellwire.events import Delivery, Event, InventoryLevel, PurchaseReceipt
from bellwire.practice.sap_business_one import SapBusinessOneSimulator
from tests.connecting import call
from tests.connectors.sap_business_one.conftest import Connect
from tests.samples import NOW

assert CONNECTOR.triggers is not None
TRIGGERS = CONNECTOR.triggers
RECEIPTS, STOCK = TRIGGERS.polls
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
polling = pytest.mark.asyncio(loop_scope="module")


def ordered(sap: SapBusinessOneSimulator, **quantities: int) -> int:
    """An order that went to the vendor."""
    lines = [{"ItemCode": sku.replace("_", "-"), "Quantity": number} for sku, number in quantities.items()]
    head = {"DocObjectCode": "oPurchaseOrders", "CardCode": "V10000", "DocDueDate": "2026-12-04"}
    draft = sap.company.draft({**head, "NumAtCard": "Reorder 7", "DocumentLines": lines})
    return sap.company.add(draft["DocEntry"])


async def pages(erp: Connection, poll: Poll, since: datetime = LONG_AGO, cursor: str = "") -> list[Page]:
    found = [await poll.page(call(erp), since, cursor)]
    while found[-1].next_cursor:
        found.append(await poll.page(call(erp), since, found[-1].next_cursor))
    return found


async def records(erp: Connection, poll: Poll, since: datetime = LONG_AGO, cursor: str = "") -> list[Listed]:
    return [record for page in await pages(erp, poll, since, cursor) for record in page.records]


def read(erp: Connection, poll: Poll, record: Listed) -> Normalised:
    return TRIGGERS.normalise(Delivery("erp", {POLLED: poll.name}, record.body, NOW), erp)


def events(erp: Connection, poll: Poll, found: list[Listed]) -> list[Event]:
    return [event for record in found for event in read(erp, poll, record).events]


# Goods that came in


@polling
async def test_what_came_in_for_an_order(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    order = ordered(sap, TEA_100=24, TEA_250=12)
    receipt = sap.company.receive(order, {"TEA-100": 10, "TEA-250": 12})
    sap.company.books["PurchaseDeliveryNotes"][receipt] |= {"DocDate": "2026-11-20", "DocTime": "14:30:00"}
    (event,) = events(erp, RECEIPTS, await records(erp, RECEIPTS))
    assert (event.type, event.subject) == ("purchase.received", f"purchase_order/{order}")
    assert event.business_key == f"erp/receipt/{receipt}/order/{order}/received"
    data = event.data
    assert isinstance(data, PurchaseReceipt)
    assert (data.id, data.purchase_order_id, data.number) == (str(receipt), f"order/{order}", "1001")
    assert (data.supplier_id, data.supplier_name) == ("V10000", "Hill Tea Imports")
    assert [(line.sku, line.quantity, line.name) for line in data.lines] == [
        ("TEA-100", 10, "Green tea, 100 g"),
        ("TEA-250", 12, "Green tea, 250 g"),
    ]
    assert event.time == data.received_at == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


@polling
async def test_times_are_of_the_servers_zone(connect: Connect, sap: SapBusinessOneSimulator) -> None:
    receipt = sap.company.receive(None, {"TEA-100": 5})
    sap.company.books["PurchaseDeliveryNotes"][receipt] |= {"DocDate": "2026-11-20", "DocTime": "14:30:00"}
    erp = connect(time_zone="America/Chicago")
    (event,) = events(erp, RECEIPTS, await records(erp, RECEIPTS))
    assert event.time == datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
    assert (event.subject, event.data.purchase_order_id) == (f"receipt/{receipt}", "")


@polling
async def test_a_receipt_for_two_orders_is_a_fact_of_each(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    first, second = ordered(sap, TEA_100=24), ordered(sap, TEA_250=12)
    receipt = sap.company.receive(first)
    line = {"ItemCode": "TEA-250", "Quantity": 12.0, "BaseType": 22, "BaseEntry": second}
    document = sap.company.books["PurchaseDeliveryNotes"][receipt]
    document["DocumentLines"].append(document["DocumentLines"][0] | line)
    found = events(erp, RECEIPTS, await records(erp, RECEIPTS))
    assert [event.data.number for event in found] == ["1001", "1002"]
    assert len({event.business_key for event in found}) == 2


@polling
@pytest.mark.parametrize("status", ["csYes", "csCancellation"])
async def test_a_receipt_that_was_cancelled_is_none(erp: Connection, sap: SapBusinessOneSimulator, status: str) -> None:
    receipt = sap.company.receive(None, {"TEA-100": 5})
    (before,) = await records(erp, RECEIPTS)
    sap.company.books["PurchaseDeliveryNotes"][receipt]["CancelStatus"] = status
    (record,) = await records(erp, RECEIPTS)
    found = read(erp, RECEIPTS, record)
    assert (found.events, found.reason) == ((), "The goods receipt was cancelled.")
    assert record.id != before.id


@polling
@pytest.mark.proves("reconcile")
async def test_receipts_go_on_from_a_cursor_that_somebody_else_kept(
    connect: Connect, sap: SapBusinessOneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.sap_business_one.triggers._PAGE", 2)
    numbers = [str(sap.company.receive(None, {"TEA-100": 5})) for _ in range(5)]
    found = await pages(connect(), RECEIPTS)
    assert [len(page.records) for page in found] == [2, 2, 1]
    resumed = events(connect(), RECEIPTS, await records(connect(), RECEIPTS, cursor=found[0].next_cursor))
    assert [event.data.id for event in resumed] == numbers[2:]
    assert len(await records(connect(), RECEIPTS, cursor="no cursor of ours")) == 5, "it begins anew"


@polling
@pytest.mark.proves("reconcile")
async def test_only_what_changed_since_is_listed_and_a_day_before_it(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    """Documents have no more than the day of their last change, in the server's zone."""
    days = {sap.company.receive(None, {"TEA-100": 5}): day for day in ("2026-11-22", "2026-11-23", "2026-11-24")}
    for receipt, day in days.items():
        sap.company.books["PurchaseDeliveryNotes"][receipt]["UpdateDate"] = day
    assert [record.id.split("/")[2] for record in await records(erp, RECEIPTS, NOW)] == ["2026-11-23", "2026-11-24"]


@polling
@pytest.mark.proves("reconcile")
async def test_a_receipt_that_is_listed_twice_is_one_fact(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    receipt = sap.company.receive(ordered(sap, TEA_100=24))
    first = await records(erp, RECEIPTS)
    sap.company.books["PurchaseDeliveryNotes"][receipt]["UpdateDate"] = "2027-01-01"
    second = await records(erp, RECEIPTS)
    assert first[0].id != second[0].id
    assert len({event.business_key for event in events(erp, RECEIPTS, first + second)}) == 1


# Stock


@polling
async def test_an_item_that_was_moved_is_told_with_its_stock_as_it_is_now(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    sap.company.deliver("TEA-100", 2)
    last = sap.company.deliver("TEA-100", 3)
    sap.company.receive(None, {"MUG-RED": 6})
    sap.company.place("MUG-RED")["Committed"] = 1.0
    tea, mug = events(erp, STOCK, await records(erp, STOCK))
    assert (tea.type, tea.subject) == ("inventory.updated", "inventory/TEA-100/01")
    assert tea.business_key == f"erp/inventory/TEA-100/01/DeliveryNotes/{last}"
    assert tea.data == InventoryLevel(item_id="TEA-100", sku="TEA-100", location_id="01", available=115, updated_at=NOW)
    assert (mug.data.sku, mug.data.available, mug.version) == ("MUG-RED", 65, NOW)


@polling
async def test_what_another_warehouse_moved_is_not_told_and_a_transfer_out_is(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    sap.company.place("TEA-100", "02")["InStock"] = 10.0
    sap.company.deliver("TEA-100", 2, "02")
    transfer = {"ItemCode": "MUG-RED", "Quantity": 2.0, "FromWarehouseCode": "01", "WarehouseCode": "02"}
    sap.company.books["StockTransfers"][7] = {
        "DocEntry": 7,
        "UpdateDate": "2026-11-24",
        "StockTransferLines": [transfer],
    }
    counted = {"ItemCode": "POT-1L", "WarehouseCode": "01"}
    sap.company.books["InventoryPostings"][8] = {
        "DocumentEntry": 8,
        "PostingDate": "2026-11-24",
        "InventoryPostingLines": [counted],
    }
    found = events(erp, STOCK, await records(erp, STOCK))
    assert [event.data.sku for event in found] == ["MUG-RED", "POT-1L"]


@polling
@pytest.mark.proves("reconcile")
async def test_stock_goes_on_from_a_cursor_that_somebody_else_kept(
    connect: Connect, sap: SapBusinessOneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.sap_business_one.triggers._PAGE", 2)
    for sku in ("TEA-100", "TEA-250", "MUG-RED"):
        sap.company.deliver(sku, 1)
    sap.company.receive(None, {"POT-1L": 1})
    found = await pages(connect(), STOCK)
    assert [len(page.records) for page in found][:2] == [2, 1]
    assert found[0].next_cursor == "DeliveryNotes/2"
    resumed = events(connect(), STOCK, await records(connect(), STOCK, cursor=found[0].next_cursor))
    assert [event.data.sku for event in resumed] == ["MUG-RED", "POT-1L"]
    assert len(await records(connect(), STOCK, cursor="forgotten/9")) == 4, "it begins anew"


@polling
@pytest.mark.proves("reconcile")
async def test_a_move_that_is_listed_twice_is_one_fact_and_the_next_another(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    sap.company.deliver("TEA-100", 1)
    first, again = await records(erp, STOCK), await records(erp, STOCK)
    assert [record.id for record in first] == [record.id for record in again]
    sap.company.deliver("TEA-100", 1)
    later = await records(erp, STOCK)
    keys = [event.business_key for event in events(erp, STOCK, first + again + later)]
    assert len(keys) == 3 and len(set(keys)) == 2


@polling
@pytest.mark.proves("reconcile")
async def test_only_moves_since_then_are_listed(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    sap.company.deliver("TEA-100", 1)
    assert await records(erp, STOCK, datetime.now(UTC) + timedelta(days=3)) == []


@pytest.mark.parametrize("poll", TRIGGERS.polls, ids=lambda poll: poll.name)
@pytest.mark.parametrize("body", [b"{}", b"[]", b"7"])
async def test_what_can_not_be_read_is_kept_for_a_person(erp: Connection, poll: Poll, body: bytes) -> None:
    with pytest.raises(CannotNormalise):
        read(erp, poll, Listed("1", body))
