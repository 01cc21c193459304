"""What to order: in packs, no less than the minimum, enough for the lead time; and what the buyer is told."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bellwire.capabilities.planning import LowItem, PlanReorder, ReorderLine, ReorderPlan, Terms
from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine, SupplyTerms
from bellwire.connectors.bellwire.reorders import reorder_plan
from bellwire.errors import Refused
from tests.samples import usd

TODAY = date(2026, 2, 20)
TEA: dict[str, Any] = {"sku": "TEA-100", "name": "Green tea", "available": 36, "reorder_point": 40, "daily_usage": 3}
LEAF: dict[str, Any] = {"supplier_id": "7", "supplier_name": "Leaf & Co", "lead_days": 12}


def terms(sku: str = "TEA-100", **changes: Any) -> Terms:
    return Terms(sku=sku, **(LEAF | {"minimum_quantity": 24, "pack_size": 6} | changes))


def plan(items: list[LowItem], supply: list[Terms], **changes: Any) -> ReorderPlan:
    return reorder_plan(PlanReorder(items=tuple(items), terms=tuple(supply), today=TODAY, **changes))


def line(item: dict[str, Any] | None = None, supply: dict[str, Any] | None = None, **changes: Any) -> ReorderLine:
    (found,) = plan([LowItem(**(TEA | (item or {})))], [terms(**(supply or {}))], **changes).items
    return found


def test_the_buyer_is_told_how_long_stock_lasts_and_what_the_supplier_asks() -> None:
    assert line().guidance == (
        "Lead time is 12 days, and at the usual 3 a day stock lasts until 4 March: order today; at least 24, in packs "
        "of 6."
    )


@pytest.mark.parametrize(
    ("item", "supply", "says"),
    [
        ({"available": 40, "daily_usage": Decimal("2.5")}, {},
         "Lead time is 12 days, and at the usual 2.5 a day stock lasts until 8 March: order by 24 February; at least "
         "24, in packs of 6."),
        ({"available": 9}, {"minimum_quantity": 1},
         "Lead time is 12 days, and at the usual 3 a day stock lasts until 23 February: order today, it runs out 9 "
         "days before the delivery; in packs of 6."),
        ({"available": 33}, {"minimum_quantity": 1, "pack_size": 1},
         "Lead time is 12 days, and at the usual 3 a day stock lasts until 3 March: order today, it runs out 1 day "
         "before the delivery."),
        ({"available": 0}, {"lead_days": 1, "pack_size": 1},
         "Lead time is 1 day, and there is nothing in stock: order today; at least 24."),
        ({"daily_usage": None}, {"pack_size": 1, "minimum_quantity": 0}, "Lead time is 12 days: order today."),
        ({"daily_usage": Decimal("0.001")}, {"pack_size": 1, "minimum_quantity": 0},
         "Lead time is 12 days, and at the usual 0.01 a day stock lasts for years: order today."),
        ({"daily_usage": Decimal("0.1")}, {"pack_size": 1, "minimum_quantity": 0},
         "Lead time is 12 days, and at the usual 0.1 a day stock lasts until 15 February 2027: order by 3 February "
         "2027."),
        ({"available": 60, "on_order": 5}, {},
         "Nothing to order: 60 in stock and 5 on order are above the reorder point of 40."),
        ({"available": 30, "reorder_point": 10}, {},
         "Nothing to order: 30 in stock and 0 on order are above the reorder point of 10. In lead and safety time 36 "
         "go out: the reorder point is low."),
    ],
)  # fmt: skip
def test_what_the_buyer_is_told(item: dict[str, Any], supply: dict[str, Any], says: str) -> None:
    assert line(item, supply).guidance == says


@pytest.mark.parametrize(
    ("item", "supply", "quantity"),
    [
        ({}, {}, 42),  # 40 + 12 × 3 − 36 = 40, in packs of 6
        ({"on_order": 4}, {}, 36),
        ({"on_order": 5}, {}, 0),
        ({"target": 50}, {}, 24),
        ({"target": 50}, {"minimum_quantity": 1, "pack_size": 1}, 14),
        ({"target": 10}, {"minimum_quantity": 1, "pack_size": 1}, 5),
        ({"target": 10}, {"minimum_quantity": 1, "pack_size": 1, "lead_days": 30}, 54),
        ({"daily_usage": None}, {"minimum_quantity": 1, "pack_size": 1}, 44),
        ({"reorder_point": None}, {"minimum_quantity": 1, "pack_size": 1}, 36),
        ({"reorder_point": None, "available": 37}, {}, 0),
        ({"available": -4}, {"minimum_quantity": 1, "pack_size": 1}, 80),
        ({}, {"minimum_quantity": 100, "pack_size": 48}, 144),
    ],
)
def test_how_much_is_ordered(item: dict[str, Any], supply: dict[str, Any], quantity: int) -> None:
    assert line(item, supply).quantity == quantity


def test_safety_days_are_covered_too_and_a_lead_time_that_isnt_kept_is_the_usual_one() -> None:
    supply = {"minimum_quantity": 1, "pack_size": 1, "lead_days": None}
    assert line({}, supply, lead_days=12).quantity == 40
    assert line({}, supply, lead_days=12, safety_days=5).quantity == 55


def test_there_is_one_order_for_each_supplier_and_it_fits_the_purchasing_system() -> None:
    items = [LowItem(**TEA), LowItem(**(TEA | {"sku": "MUG", "name": ""})), LowItem(**(TEA | {"sku": "POT"})),
             LowItem(**(TEA | {"sku": "FULL", "available": 99})), LowItem(**(TEA | {"sku": "ODD"}))]  # fmt: skip
    supply = [terms(), terms("MUG", supplier_id="8", lead_days=3), terms("POT", lead_days=20, unit_price=usd("4.00")),
              terms("FULL")]  # fmt: skip
    found = plan(items, supply)
    assert [(order.supplier_id, [each.sku for each in order.lines]) for order in found.orders] == [
        ("7", ["TEA-100", "POT"]),
        ("8", ["MUG"]),
    ]
    assert [order.expected for order in found.orders] == [TODAY + timedelta(days=20), TODAY + timedelta(days=3)]
    assert {line.expected for line in found.orders[0].lines} == {TODAY + timedelta(days=20)}
    assert [each.expected for each in found.items if not each.quantity] == [None]
    assert [(each.sku, bool(each.quantity)) for each in found.items][2:] == [("POT", True), ("FULL", False)]
    assert found.without_supplier == ("ODD",)
    assert found.orders[1].guidance.startswith("24 × MUG: Lead time is 3 days")
    assert found.orders[0].guidance.count("\n") == 1
    order = CreatePurchaseOrder.model_validate(
        {"supplier_id": "7", "lines": found.orders[0].lines, "reference": "Reorder 7", "expected": TODAY}
    )
    assert order.lines[1] == PurchaseLine(sku="POT", quantity=66, unit_price=usd("4.00"))


def test_the_terms_of_a_supplier_fit_as_they_are_and_the_newest_count_of_an_item_counts() -> None:
    supply = SupplyTerms(sku="TEA-100", supplier_id="7", supplier_name="Leaf & Co", lead_days=12, pack_size=6)
    given_ = PlanReorder.model_validate(
        {"items": [LowItem(**TEA), LowItem(**(TEA | {"available": 50}))], "terms": [supply], "today": "2026-02-20"}
    )
    found = reorder_plan(given_)
    assert [each.quantity for each in found.items] == [0]
    assert found.orders == ()


def test_an_item_of_which_nobody_knows_when_to_order_it_is_refused() -> None:
    with pytest.raises(Refused, match="When 'TEA-100' has to be ordered isn't known") as caught:
        line({"reorder_point": None, "daily_usage": None, "target": 50})
    assert caught.value.remedy


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any], int]:
    """An item, its terms, and the safety days."""
    usage = draw(st.none() | st.decimals(0, 500, places=2))
    point = draw(st.integers(0, 2_000)) if usage is None else draw(st.none() | st.integers(0, 2_000))
    item = {"available": draw(st.integers(-200, 3_000)), "on_order": draw(st.integers(0, 500)), "reorder_point": point,
            "target": draw(st.none() | st.integers(0, 5_000)), "daily_usage": usage}  # fmt: skip
    supply = {"minimum_quantity": draw(st.integers(0, 500)), "pack_size": draw(st.integers(1, 144)),
              "lead_days": draw(st.integers(0, 120))}  # fmt: skip
    return item, supply, draw(st.integers(0, 30))


@given(cases())
def test_an_order_is_of_whole_packs_no_less_than_the_minimum_and_lasts_until_it_is_here(
    case: tuple[dict[str, Any], dict[str, Any], int],
) -> None:
    item, supply, safety = case
    quantity = line(item, supply, safety_days=safety).quantity
    position, usage = item["available"] + item["on_order"], item["daily_usage"]
    needed = usage * (supply["lead_days"] + safety) if usage is not None else 0
    if quantity:
        assert quantity % supply["pack_size"] == 0
        assert quantity >= supply["minimum_quantity"]
        assert position + quantity >= needed
        assert position + quantity > (item["reorder_point"] or 0)
        assert position + quantity >= (item["target"] or 0)
    else:
        assert position > (needed if item["reorder_point"] is None else item["reorder_point"])


@given(cases())
def test_when_nothing_is_needed_nothing_is_ordered(case: tuple[dict[str, Any], dict[str, Any], int]) -> None:
    item, supply, safety = case
    usage = item["daily_usage"] or 0
    point = item["reorder_point"] if item["reorder_point"] is not None else usage * (supply["lead_days"] + safety)
    assume(item["available"] + item["on_order"] >= point + 1)
    assert line(item, supply, safety_days=safety).quantity == 0


@given(cases(), st.sampled_from(["available", "on_order"]), st.integers(1, 500))
def test_the_more_there_is_the_less_is_ordered(
    case: tuple[dict[str, Any], dict[str, Any], int], what: str, more: int
) -> None:
    item, supply, safety = case
    with_more = line(item | {what: item[what] + more}, supply, safety_days=safety)
    assert with_more.quantity <= line(item, supply, safety_days=safety).quantity


@given(cases(), st.sampled_from(["reorder_point", "target", "daily_usage", "minimum_quantity", "lead_days", "safety"]))
def test_the_more_is_used_or_asked_for_or_the_longer_it_takes_the_more_is_ordered(
    case: tuple[dict[str, Any], dict[str, Any], int], what: str
) -> None:
    item, supply, safety = case
    before = line(item, supply, safety_days=safety).quantity
    if what == "safety":
        safety += 7
    elif what in supply:
        supply[what] += 7
    else:
        assume(item[what] is not None)
        item[what] += 7
    assert line(item, supply, safety_days=safety).quantity >= before
