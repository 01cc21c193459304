"""The stock of a warehouse, against the practice company over HTTP."""

from typing import Any

import pytest

from bellwire.capabilities.stock import AdjustStock, CountStock, StockChanges, StockCounts, StockLine, StockReason
from bellwire.connectors.kit import Connection
from bellwire.connectors.sap_business_one import CONNECTOR
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.practice import Fault, FaultKind
from bellwire.practice.sap_business_one import SapBusinessOneSimulator
from tests.connecting import call

pytestmark = pytest.mark.asyncio(loop_scope="module")
ISSUES, RECEIPTS = "InventoryGenExits", "InventoryGenEntries"


def of(sku: str, quantity: int, **more: Any) -> StockLine:
    return StockLine(sku=sku, quantity=quantity, **more)


async def adjust(
    erp: Connection, *lines: StockLine, reason: StockReason = StockReason.SALE, location: str = "", **more: Any
) -> StockChanges:
    given = AdjustStock(lines=lines, reason=reason, reference="1001", location=location)
    made = await CONNECTOR.actions["stock.adjust"](call(erp, **more), given)
    assert isinstance(made, StockChanges)
    return made


async def count(erp: Connection, *skus: str, location: str = "") -> dict[str, int]:
    found = await CONNECTOR.actions["stock.count"](call(erp), CountStock(skus=skus, location=location))
    assert isinstance(found, StockCounts)
    return {each.sku: each.available for each in found.counts}


async def test_a_sale_is_one_goods_issue(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    made = await adjust(erp, of("TEA-100", 2), of("MUG-RED", 1), of("TEA-100", 3))
    assert [(each.sku, each.change) for each in made.changes] == [("TEA-100", -5), ("MUG-RED", -1)]
    (document,) = sap.company.books[ISSUES].values()
    assert document["Comments"] == "Sale 1001 (Bellwire 00000000000000000000000000000001)"
    assert [(line["ItemCode"], line["Quantity"]) for line in document["DocumentLines"]] == [
        ("TEA-100", 5),
        ("MUG-RED", 1),
    ]
    assert (sap.stock()["TEA-100"], sap.stock()["MUG-RED"]) == (115, 59)


async def test_a_receipt_and_a_correction_in_both_directions(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await adjust(erp, of("TEA-100", 5), reason=StockReason.RECEIPT)
    assert (len(sap.company.books[RECEIPTS]), len(sap.company.books[ISSUES])) == (1, 0)
    made = await adjust(erp, of("TEA-100", -4), of("MUG-RED", 2), reason=StockReason.CORRECTION, key="2" * 32)
    assert [each.change for each in made.changes] == [-4, 2]
    assert (len(sap.company.books[RECEIPTS]), len(sap.company.books[ISSUES])) == (2, 1)
    assert (sap.stock()["TEA-100"], sap.stock()["MUG-RED"]) == (121, 62)


async def test_lines_without_goods_change_nothing(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    for again in (False, True):
        made = await adjust(erp, of("CLASS-01", 1, ships=False), of("", 4), of("TEA-100", 0), again=again)
        assert made.changes == ()
    assert not sap.received


async def test_another_warehouse_may_be_named(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await adjust(erp, of("TEA-100", 5), reason=StockReason.RECEIPT, location="02")
    assert await count(erp, "TEA-100", "MUG-RED", location="02") == {"TEA-100": 5, "MUG-RED": 0}
    assert await count(erp, "TEA-100") == {"TEA-100": 120}
    with pytest.raises(Refused):
        await adjust(erp, of("TEA-100", 5), reason=StockReason.RECEIPT, location="99", key="2" * 32)


async def test_what_customers_have_ordered_is_not_available(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    sap.company.place("TEA-100")["Committed"] = 20.5
    assert await count(erp, "TEA-100") == {"TEA-100": 99}


@pytest.mark.proves("errors")
async def test_more_than_there_is_is_refused_in_saps_words(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    with pytest.raises(Refused, match="negative inventory") as refused:
        await adjust(erp, of("POT-1L", 26))
    assert refused.value.cause == "refused-10"
    assert not sap.company.books[ISSUES]


@pytest.mark.proves("errors")
async def test_an_unknown_sku_changes_nothing(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    with pytest.raises(Refused) as refused:
        await adjust(erp, of("TEA-100", 1), of("NO-SUCH", 1))
    assert refused.value.cause == "unknown-sku:NO-SUCH"
    assert not sap.company.books[ISSUES]


@pytest.mark.parametrize("lost", [ISSUES, RECEIPTS])
async def test_a_lost_answer_doubles_nothing(erp: Connection, sap: SapBusinessOneSimulator, lost: str) -> None:
    lines = of("TEA-100", -4), of("MUG-RED", 2)
    sap.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=f"POST /b1s/v2/{lost}"))
    with pytest.raises(OutcomeUnknown):
        await adjust(erp, *lines, reason=StockReason.CORRECTION)
    for _ in range(2):
        made = await adjust(erp, *lines, reason=StockReason.CORRECTION, again=True)
        assert [each.change for each in made.changes] == [-4, 2]
    assert (sap.stock()["TEA-100"], sap.stock()["MUG-RED"]) == (116, 62)


async def test_a_refusal_after_a_part_was_done_is_told_when_it_is_tried_again(
    erp: Connection, sap: SapBusinessOneSimulator
) -> None:
    lines = of("TEA-100", -4), of("MUG-RED", 2)
    sap.forbidden.add(RECEIPTS)
    with pytest.raises(OutcomeUnknown, match="A part of the stock is changed"):
        await adjust(erp, *lines, reason=StockReason.CORRECTION)
    sap.forbidden = {"nothing"}
    await adjust(erp, *lines, reason=StockReason.CORRECTION, again=True)
    assert (sap.stock()["TEA-100"], sap.stock()["MUG-RED"]) == (116, 62)


async def test_the_same_change_for_another_order_is_made(erp: Connection, sap: SapBusinessOneSimulator) -> None:
    await adjust(erp, of("TEA-100", 2))
    await adjust(erp, of("TEA-100", 2), key="2" * 32, again=True)
    assert sap.stock()["TEA-100"] == 116
