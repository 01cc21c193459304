"""Orders to suppliers, against the practice database over HTTP."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bellwire.capabilities.purchasing import (
    CreatePurchaseOrder,
    PurchasedLine,
    PurchaseLine,
    PurchaseStatus,
    SupplyTerms,
)
from bellwire.connectors.kit import Connection
from bellwire.connectors.odoo import CONNECTOR
from bellwire.errors import OutcomeUnknown, Refused
from bellwire.money import Money
from bellwire.practice import Fault, FaultKind
from bellwire.practice.odoo import OdooSimulator, product_id
from bellwire.practice.odoo.tables import EUR, FIELDS, PACK
from tests.connecting import call
from tests.connectors.odoo.conftest import Connect
from tests.purchases import order, state, supplier
from tests.samples import usd

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEA_IMPORTS, POTTERY = "9", "11"


@pytest.fixture
def erp(connect: Connect) -> Connection:
    return connect()


def wanted(*lines: PurchaseLine, supplier_id: str = TEA_IMPORTS, **more: Any) -> CreatePurchaseOrder:
    some = lines or (PurchaseLine(sku="TEA-100", quantity=24),)
    return CreatePurchaseOrder(**({"supplier_id": supplier_id, "lines": some, "reference": "Reorder 7"} | more))


# Terms


async def test_the_vendor_of_an_item_and_his_terms(erp: Connection) -> None:
    assert await supplier(erp, "TEA-100") == SupplyTerms(
        sku="TEA-100",
        supplier_id=TEA_IMPORTS,
        supplier_name="Hill Tea Imports",
        lead_days=7,
        minimum_quantity=12,
        pack_size=1,
        unit_price=usd("4.25"),
    )


async def test_what_is_sold_in_packs_is_told_in_units(erp: Connection) -> None:
    terms = await supplier(erp, "MUG-RED")
    assert (terms.pack_size, terms.minimum_quantity, terms.supplier_id) == (6, 12, POTTERY)
    assert terms.unit_price is not None and terms.unit_price.rounded() == usd("6.48")


async def test_a_later_odoo_has_another_name_for_the_vendors_unit(
    erp: Connection, odoo: OdooSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = dict(FIELDS["product.supplierinfo"])
    monkeypatch.setitem(FIELDS, "product.supplierinfo", fields | {"uom_id": fields.pop("product_uom_id")})
    for terms in odoo.tables["product.supplierinfo"].values():
        terms["uom_id"] = terms["product_uom_id"]
    assert (await supplier(erp, "MUG-RED")).pack_size == 6


async def test_the_first_vendor_whose_price_holds_today_at_his_smallest_quantity(
    erp: Connection, odoo: OdooSimulator
) -> None:
    held = odoo.tables["product.supplierinfo"]
    (usual,) = [terms for terms in held.values() if terms["product_tmpl_id"] == 100]
    others: list[dict[str, Any]] = [
        {"min_qty": 100.0, "price": 3.0},
        {"sequence": 0, "date_end": "2026-11-23"},
        {"sequence": 0, "date_start": "2026-11-25"},
        {"sequence": 0, "product_id": product_id("TEA-250")},
        {"sequence": 2, "min_qty": 200.0, "partner_id": int(POTTERY)},
        {"min_qty": 1.0, "partner_id": int(POTTERY)},
    ]
    for number, change in enumerate(others, 900):
        held[number] = usual | {"id": number, "price": 1.0} | change
    usual["discount"] = 10.0
    terms = await supplier(erp, "TEA-100")
    assert (terms.minimum_quantity, terms.unit_price) == (12, usd("3.825"))


async def test_an_item_without_a_vendor_is_refused_with_what_to_do(erp: Connection) -> None:
    with pytest.raises(Refused, match="no vendor for the SKU 'SCOOP-01'") as refused:
        await supplier(erp, "SCOOP-01")
    assert refused.value.cause == "no-supplier:SCOOP-01"
    assert "tab Purchase" in refused.value.remedy


@pytest.mark.proves("errors")
async def test_an_unknown_sku_is_refused_and_can_be_mapped(erp: Connection) -> None:
    with pytest.raises(Refused) as refused:
        await supplier(erp, "NO-SUCH")
    assert refused.value.cause == "unknown-sku:NO-SUCH"
    assert 'bellwire records map erp product NO-SUCH "ID"' in refused.value.remedy
    terms = await supplier(erp, "NO-SUCH", mapped={("product", "NO-SUCH"): str(product_id("TEA-100"))})
    assert (terms.sku, terms.supplier_id) == ("NO-SUCH", TEA_IMPORTS)


async def test_two_products_of_one_sku_are_for_a_person_to_tell_apart(erp: Connection, odoo: OdooSimulator) -> None:
    odoo.tables["product.product"][product_id("TEA-250")]["default_code"] = "TEA-100"
    with pytest.raises(Refused) as refused:
        await supplier(erp, "TEA-100")
    assert refused.value.cause == "ambiguous-sku:TEA-100"


# Orders


async def test_an_order_is_a_draft_with_the_reference_as_its_source(erp: Connection, odoo: OdooSimulator) -> None:
    given = wanted(
        PurchaseLine(sku="TEA-100", quantity=24, unit_price=Money.of("4.10", "EUR")),
        PurchaseLine(sku="MUG-RED", quantity=12),
        expected=date(2026, 12, 4),
        note="Before Christmas,\n<please>",
    )
    made = await order(erp, given)
    (held,) = odoo.tables["purchase.order"].values()
    assert (made.id, made.number, made.supplier_id) == ("1", "P00001", TEA_IMPORTS)
    assert made.url == "https://practice.odoo.com/web#id=1&model=purchase.order&view_type=form"
    assert (held["state"], held["origin"], held["currency_id"]) == ("draft", "Reorder 7", EUR)
    assert held["note"] == "<p>Before Christmas,<br>&lt;please&gt;</p>"
    tea, mug = odoo.tables["purchase.order.line"].values()
    assert (tea["product_qty"], tea["price_unit"], tea["date_planned"]) == (24.0, 4.1, "2026-12-04 12:00:00")
    assert mug["product_uom_qty"] == 12.0
    assert made.total is not None and made.total.currency == "EUR"


async def test_prices_that_are_not_given_are_the_vendors(erp: Connection) -> None:
    assert (await order(erp, wanted())).total == usd("102.00")


async def test_an_order_whose_answer_was_lost_is_found_by_its_reference(erp: Connection, odoo: OdooSimulator) -> None:
    odoo.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match="purchase.order/create"))
    with pytest.raises(OutcomeUnknown):
        await order(erp, wanted())
    assert (await order(erp, wanted(), again=True)).number == "P00001"
    assert len(odoo.tables["purchase.order"]) == 1


@pytest.mark.parametrize("kind", [FaultKind.FAILED, FaultKind.RATE_LIMITED, FaultKind.SIGNED_OUT])
async def test_what_fails_after_the_order_was_made_has_the_repeat_look_for_it(
    erp: Connection, odoo: OdooSimulator, kind: FaultKind
) -> None:
    odoo.faults.add(Fault(kind=kind, match="purchase.order/read", seconds=60))
    with pytest.raises(OutcomeUnknown, match="has drafted the order"):
        await order(erp, wanted())


@pytest.mark.parametrize(
    "change", [{"state": "cancel"}, {"partner_id": 11}, {"origin": "Reorder 6"}, {"create_date": "2026-11-23 08:00:00"}]
)
async def test_one_that_is_not_of_this_attempt_is_not_taken_for_it(
    erp: Connection, odoo: OdooSimulator, change: dict[str, Any]
) -> None:
    await order(erp, wanted())
    odoo.tables["purchase.order"][1] |= {"create_date": "2026-11-24 09:00:00"} | change
    began = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
    again = replace(call(erp, again=True), since=began)
    await CONNECTOR.actions["purchasing.create_purchase_order"](again, wanted())
    assert len(odoo.tables["purchase.order"]) == 2
    odoo.tables["purchase.order"][2]["create_date"] = f"{began + timedelta(minutes=-4):%Y-%m-%d %H:%M:%S}"
    await CONNECTOR.actions["purchasing.create_purchase_order"](again, wanted())
    assert len(odoo.tables["purchase.order"]) == 2


@pytest.mark.proves("errors")
@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (wanted(PurchaseLine(sku="NO-SUCH", quantity=1)), "unknown-sku:NO-SUCH"),
        (wanted(supplier_id="V20"), "unknown-supplier"),
        (wanted(supplier_id="4711"), "refused-422"),
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
    erp: Connection, odoo: OdooSimulator, given: CreatePurchaseOrder, cause: str
) -> None:
    with pytest.raises(Refused) as refused:
        await order(erp, given)
    assert refused.value.cause == cause
    assert refused.value.remedy or cause == "refused-422"
    assert not odoo.tables["purchase.order"]


async def test_how_far_an_order_is(erp: Connection, odoo: OdooSimulator) -> None:
    lines = PurchaseLine(sku="TEA-100", quantity=24), PurchaseLine(sku="TEA-250", quantity=12)
    made = await order(erp, wanted(*lines))
    assert (await state(erp, made.id)).status is PurchaseStatus.DRAFT
    odoo.confirm(1)
    assert (await state(erp, made.id)).status is PurchaseStatus.ORDERED
    odoo.receive(1, {"TEA-100": 10})
    told = await state(erp, made.id)
    assert told.status is PurchaseStatus.ORDERED
    assert told.lines[0] == PurchasedLine(sku="TEA-100", ordered=24, received=10)
    odoo.receive(1)
    told = await state(erp, made.id)
    assert told.status is PurchaseStatus.RECEIVED
    assert [(line.ordered, line.received) for line in told.lines] == [(24, 24), (12, 12)]
    odoo.cancel(1)
    assert (await state(erp, made.id)).status is PurchaseStatus.CANCELLED


async def test_lines_that_people_ordered_in_packs_are_told_in_units(erp: Connection, odoo: OdooSimulator) -> None:
    made = await order(erp, wanted())
    line = {"product_uom_id": PACK, "product_qty": 4.0, "product_uom_qty": 24.0, "qty_received": 1.5}
    odoo.tables["purchase.order.line"][1] |= line
    assert (await state(erp, made.id)).lines == (PurchasedLine(sku="TEA-100", ordered=24, received=9),)


@pytest.mark.parametrize("number", ["99", "P00001"])
async def test_an_order_that_is_gone_is_said(erp: Connection, number: str) -> None:
    with pytest.raises(Refused) as refused:
        await state(erp, number)
    assert refused.value.cause == "unknown-order"


@pytest.mark.proves("paging")
async def test_lists_are_read_to_the_last_page(
    erp: Connection, odoo: OdooSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bellwire.connectors.odoo.api._PAGE", 2)
    skus = ("TEA-100", "TEA-250", "MUG-RED", "MUG-BLUE", "POT-1L")
    made = await order(erp, wanted(*(PurchaseLine(sku=sku, quantity=6) for sku in skus)))
    assert [line.sku for line in (await state(erp, made.id)).lines] == list(skus)
    asked = [each.path.rpartition("2/")[2] for each in odoo.received]
    assert asked.count("product.product/search_read") == 3 + 3
    assert asked.count("purchase.order.line/search_read") == 3
