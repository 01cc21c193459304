"""What simulated purchasing systems say that operations made there, and what people do in them."""

from datetime import date
from decimal import Decimal

import pytest

from bellwire.capabilities.purchasing import CreatePurchaseOrder, FindSupplier, PurchaseLine, PurchaseOrder, SupplyTerms
from bellwire.connectors.kit import POLLED
from bellwire.errors import Refused
from bellwire.events import Delivery
from bellwire.practice import Practised, Purchasing, Supply, Warehouse, Window, find_simulator, practising
from bellwire.practice.driving import in_role
from tests.practice.pilots import able

_CREATE = "purchasing.create_purchase_order"


def purchasing(practised: Practised) -> Purchasing:
    return in_role(practised.simulator, Purchasing)  # type: ignore[type-abstract]


async def terms(practised: Practised, sku: str) -> SupplyTerms:
    found = await practised.do("purchasing.find_supplier", FindSupplier(sku=sku))
    assert isinstance(found, SupplyTerms)
    return found


async def draft(practised: Practised, supplier_id: str, **units: int) -> PurchaseOrder:
    lines = tuple(PurchaseLine(sku=sku.replace("_", "-"), quantity=count) for sku, count in units.items())
    given = CreatePurchaseOrder(
        supplier_id=supplier_id, lines=lines, reference="LOW-1", expected=date(2026, 12, 3), note="Soon"
    )
    made = await practised.do(_CREATE, given)
    assert isinstance(made, PurchaseOrder)
    return made


@pytest.mark.parametrize("vendor", able(Purchasing))
async def test_an_order_is_made_where_an_operation_drafted_it(vendor: str) -> None:
    async with practising(vendor) as practised:
        buying = purchasing(practised)
        assert list(practised.simulator.made()[_CREATE]) == []
        found = await terms(practised, "TEA-100")
        made = await draft(practised, found.supplier_id, TEA_100=24, TEA_250=12)
        assert list(practised.simulator.made()[_CREATE]) == [made.id]
        (order,) = buying.ordered()
        assert (order.id, order.reference, order.supplier) == (made.id, "LOW-1", found.supplier_name)
        assert (dict(order.units), order.expected) == ({"TEA-100": 24, "TEA-250": 12}, date(2026, 12, 3))
        assert made.total is not None and order.total == made.total.amount == Decimal("210.00")


@pytest.mark.parametrize("vendor", able(Purchasing))
async def test_terms_are_what_people_see_there_and_change(vendor: str) -> None:
    async with practising(vendor) as practised:
        buying = purchasing(practised)
        one, other, *_ = buying.suppliers()
        for sku, supplier in (("TEA-100", other), ("POT-1L", one), ("SCOOP-01", other)):
            buying.buy_from(sku, supplier)
            told, seen = await terms(practised, sku), buying.supply(sku)
            assert seen is not None and told.unit_price is not None
            assert seen == Supply(
                supplier, told.lead_days or 0, told.minimum_quantity, told.pack_size, told.unit_price.amount
            )
        buying.buy_from("TEA-100", "")
        assert buying.supply("TEA-100") is None
        with pytest.raises(Refused, match="TEA-100"):
            await terms(practised, "TEA-100")


@pytest.mark.parametrize("vendor", able(Purchasing))
async def test_what_is_ordered_by_hand_can_come_in_parts(vendor: str) -> None:
    async with practising(vendor) as practised:
        buying = purchasing(practised)
        order = buying.order(buying.suppliers()[0], {"TEA-100": 12, "GIFT-BOX": 30})
        received: list[dict[str, int]] = []
        triggers, since = practised.connection.connector.triggers, practised.call().clock()
        assert triggers is not None
        (poll,) = [each for each in triggers.polls if each.name == "receipts"]
        buying.bring(order, 20)
        buying.bring(order)
        page = await poll.page(practised.call(), since.replace(hour=0, minute=0), "")
        for record in page.records:
            headers = {POLLED: poll.name, "content-type": "application/json"}
            delivery = Delivery(practised.connection.name, headers, record.body, since)
            received += [
                {line.sku: line.quantity for line in event.data.lines}
                for event in triggers.normalise(delivery, practised.connection).events
            ]
        assert [{sku: n for sku, n in each.items() if n} for each in received] == [
            {"TEA-100": 12, "GIFT-BOX": 20},
            {"GIFT-BOX": 10},
        ]


@pytest.mark.parametrize("vendor", able(Warehouse))
async def test_goods_that_people_move_are_gone_and_told_of_each_time(vendor: str) -> None:
    async with practising(vendor) as practised:
        stock = in_role(practised.simulator, Warehouse)  # type: ignore[type-abstract]
        before, sent = stock.stock(), []
        for by in (-5, 2):
            stock.move("TEA-100", by)
            sent.append(stock.stock_webhook("TEA-100"))
        assert stock.stock() == before | {"TEA-100": before["TEA-100"] - 3}
        assert sent[0] is None or sent[0].body != (sent[1].body if sent[1] else b"")


@pytest.mark.parametrize("vendor", able(Window))
def test_a_shop_shows_each_item_by_the_sku_that_it_has_now(vendor: str) -> None:
    shop = in_role(find_simulator(vendor)(), Window)  # type: ignore[type-abstract]
    shop.rename("POT-1L", "POT-2L")
    shown = {sku for product in shop.shown() for sku in product.skus}
    assert "POT-2L" in shown and "POT-1L" not in shown and not any(product.flags for product in shop.shown())
