"""Orders to suppliers, against the practice company over HTTP."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from bellwire.capabilities.purchasing import (
    CreatePurchaseOrder,
    PurchasedLine,
    PurchaseLine,
    PurchaseOrder,
    PurchaseStatus,
    SupplyTerms,
)
from bellwire.connectors.kit import Connection
from bellwire.connectors.sap_business_one import CONNECTOR
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.sap_business_one import SapBusinessOneSimulator
from tests.connecting import call
from tests.purchases import order, state, supplier
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")


def wanted(*lines: PurchaseLine, **more: Any) -> CreatePurchaseOrder:
    some = lines or (PurchaseLine(sku="TEA-100", quantity=24),)
    return CreatePurchaseOrder(**({"supplier_id": "V10000", "lines": some, "reference": "Robin's 7"} | more))


# Terms


async def test_the_preferred_vendor_and_the_planning_data_of_an_item(erp: Connection) -> None:
    assert await supplier(erp, "MUG-RED") == SupplyTerms(
        sku="MUG-RED",
        supplier_id="V20000",
        supplier_name="Clay & Co",
        lead_days=21,
        minimum_quantity=12,
        pack_size=6,
        unit_price=usd("6.475"),
    )
    assert (await supplier(erp, "TEA-100")).pack_size == 1


async def test_a_price_that_might_be_misread_is_left_out(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    sap.company.prices["TEA-100"] = (4.25, 10.0)
    assert (await supplier(erp, "TEA-100")).unit_price is None, "is the discount in it?"
    sap.company.items["MUG-RED"]["PurchaseItemsPerUnit"] = 6.0
    assert (await supplier(erp, "MUG-RED")).unit_price is None, "is it that of one, or of six?"


async def test_what_has_no_vendor_is_refused_with_what_to_do(erp: Connection) -> None:
    with pytest.raises(Refused, match="no preferred vendor for the item 'SCOOP-01'") as refused:
        await supplier(erp, "SCOOP-01")
    assert refused.value.cause == "no-supplier:SCOOP-01"
    assert "Purchasing Data" in refused.value.remedy


@pytest.mark.proves("errors")
async def test_an_unknown_sku_is_refused_and_can_be_mapped(erp: Connection) -> None:
    with pytest.raises(Refused) as refused:
        await supplier(erp, "NO 'SUCH'")
    assert refused.value.cause == "unknown-sku:NO 'SUCH'"
    assert "bellwire records map erp product NO 'SUCH'" in refused.value.remedy
    terms = await supplier(erp, "NO 'SUCH'", mapped={("product", "NO 'SUCH'"): "TEA-100"})
    assert (terms.sku, terms.supplier_id) == ("NO 'SUCH'", "V10000")


# Orders


async def test_an_order_is_a_draft_with_the_reference_as_the_vendors(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    lines = PurchaseLine(sku="TEA-100", quantity=24, unit_price=usd("4.10")), PurchaseLine(sku="TEA-250", quantity=12)
    made = await order(erp, wanted(*lines, expected=date(2026, 12, 4), note="Before Christmas"))
    assert made == PurchaseOrder(id="draft/1", number="draft 1", supplier_id="V10000", total=usd("206.40"))
    (asked,) = [each.body for each in sap.received if each.method == "POST" and each.path.endswith("Drafts")]
    assert asked == {
        "DocObjectCode": "oPurchaseOrders",
        "CardCode": "V10000",
        "NumAtCard": "Robin's 7",
        "Comments": "Before Christmas",
        "DocDueDate": "2026-12-04",
        "DocCurrency": "$",
        "DocumentLines": [
            {"ItemCode": "TEA-100", "Quantity": 24, "UseBaseUnits": "tYES", "WarehouseCode": "01", "UnitPrice": 4.1},
            {"ItemCode": "TEA-250", "Quantity": 12, "UseBaseUnits": "tYES", "WarehouseCode": "01"},
        ],
    }
    assert not sap.company.books["PurchaseOrders"]


async def test_in_another_currency_the_total_is_in_it(erp: Connection) -> None:
    line = PurchaseLine(sku="TEA-100", quantity=10, unit_price=Money.of(4, "EUR"))
    assert (await order(erp, wanted(line))).total == Money.of("40.00", "EUR")


async def test_an_order_whose_answer_was_lost_is_found_by_its_reference(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    sap.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="POST /b1s/v2/Drafts"))
    with pytest.raises(OutcomeUnknown):
        await order(erp, wanted())
    assert (await order(erp, wanted(), again=True)).id == "draft/1"
    assert len(sap.company.books["Drafts"]) == 1


async def test_what_fails_after_the_draft_was_made_has_the_repeat_look_for_it(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    sap.faults.add(Fault(kind=FaultKind.FAILED, match="GET /b1s/v2/Currencies"))
    with pytest.raises(OutcomeUnknown, match="has the draft"):
        await order(erp, wanted())


async def test_and_so_is_the_order_that_somebody_made_of_the_draft(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    await order(erp, wanted())
    sap.company.add(1)
    del sap.company.books["Drafts"][1]
    found = await order(erp, wanted(), again=True)
    assert (found.id, found.number) == ("order/1", "1001")


@pytest.mark.parametrize(
    "change",
    [
        {"Cancelled": "tYES"},
        {"CardCode": "V20000"},
        {"NumAtCard": "Robin's 6"},
        {"DocObjectCode": "oInvoices"},
        {"CreationDate": "2026-11-22"},
    ],
)
async def test_one_that_is_not_of_this_attempt_is_not_taken_for_it(
    erp: Connection, sap: SapBusinessOneSimulator, change: dict[str, Any]
) -> None:
    await order(erp, wanted())
    sap.company.books["Drafts"][1] |= {"CreationDate": "2026-11-23"} | change
    again = replace(call(erp, again=True), since=datetime.fromisoformat("2026-11-24T09:00:00+00:00"))
    await CONNECTOR.actions["purchasing.create_purchase_order"](again, wanted())
    assert len(sap.company.books["Drafts"]) == 2


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (wanted(PurchaseLine(sku="NO-SUCH", quantity=1)), "unknown-sku:NO-SUCH"),
        (wanted(supplier_id="C1"), "no-such-record"),
        (wanted(PurchaseLine(sku="TEA-100", quantity=1, unit_price=Money.of(1, "CHF"))), "currency:CHF"),
        (
            wanted(
                PurchaseLine(sku="TEA-100", quantity=1, unit_price=usd("1")),
                PurchaseLine(sku="MUG-RED", quantity=1, unit_price=Money.of(1, "EUR")),
            ),
            "several-currencies",
        ),
    ],
)
async def test_what_can_not_be_ordered_is_refused(
    erp: Connection, sap: SapBusinessOneSimulator, given: CreatePurchaseOrder, cause: str
) -> None:
    with pytest.raises(Refused) as refused:
        await order(erp, given)
    assert refused.value.cause == cause
    assert not sap.company.books["Drafts"]


async def test_how_far_an_order_is(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    lines = PurchaseLine(sku="TEA-100", quantity=24), PurchaseLine(sku="TEA-250", quantity=12)
    made = await order(erp, wanted(*lines))
    told = await state(erp, made.id)
    assert (told.status, told.lines[0]) == (
        PurchaseStatus.DRAFT,
        PurchasedLine(sku="TEA-100", ordered=24, received=0),
    )
    entry = sap.company.add(1)
    told = await state(erp, made.id)
    assert (told.id, told.number, told.status) == (f"order/{entry}", "1001", PurchaseStatus.ORDERED)
    sap.company.receive(entry, {"TEA-100": 10})
    told = await state(erp, told.id)
    assert (told.status, told.lines[0].received) == (PurchaseStatus.ORDERED, 10)
    sap.company.receive(entry)
    told = await state(erp, told.id)
    assert told.status is PurchaseStatus.RECEIVED
    assert [(line.ordered, line.received) for line in told.lines] == [(24, 24), (12, 12)]


@pytest.mark.parametrize(
    ("change", "came", "status"),
    [
        ({"Cancelled": "tYES"}, 0, PurchaseStatus.CANCELLED),
        ({"DocumentStatus": "bost_Close"}, 0, PurchaseStatus.CANCELLED),
        ({"DocumentStatus": "bost_Close"}, 10, PurchaseStatus.RECEIVED),
    ],
)
async def test_an_order_that_was_closed_by_hand(
    erp: Connection, sap: SapBusinessOneSimulator, change: dict[str, str], came: int, status: PurchaseStatus
) -> None:
    await order(erp, wanted())
    entry = sap.company.add(1)
    if came:
        sap.company.receive(entry, {"TEA-100": came})
    sap.company.books["PurchaseOrders"][entry] |= change
    assert (await state(erp, f"order/{entry}")).status is status


async def test_a_draft_that_was_closed_without_an_order_is_cancelled(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    await order(erp, wanted())
    sap.company.books["Drafts"][1]["DocumentStatus"] = "bost_Close"
    assert (await state(erp, "draft/1")).status is PurchaseStatus.CANCELLED


@pytest.mark.parametrize("number", ["draft/99", "order/99", "99", "invoice/1", "draft/x"])
async def test_an_order_that_is_gone_is_said(erp: Connection, number: str) -> None:
    with pytest.raises(Refused) as refused:
        await state(erp, number)
    assert refused.value.cause == "unknown-order"


@pytest.mark.proves("paging")
async def test_lists_are_read_to_the_last_page(
    erp: Connection, sap: SapBusinessOneSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.sap_business_one.api._PAGE", 2)
    monkeypatch.setattr("bellwire.connectors.sap_business_one.api._BATCH", 5)
    skus = ("TEA-100", "TEA-250", "MUG-RED", "MUG-BLUE", "POT-1L", "GIFT-BOX", "SCOOP-01")
    await order(erp, wanted(*(PurchaseLine(sku=sku, quantity=6) for sku in skus)))
    (made,) = sap.company.books["Drafts"].values()
    assert [line["ItemCode"] for line in made["DocumentLines"]] == list(skus)
    pages = [each.query.get("$skip", "0") for each in sap.received if each.path.endswith("/Items")]
    assert pages == ["0", "2", "4", "0"]
