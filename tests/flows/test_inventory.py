"""Inventory: what follows when stock runs low, when goods come in, and when something sells too well."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bellwire.capabilities import OPERATIONS, Given
from bellwire.capabilities.planning import PlanReorder, ReorderPlan
from bellwire.capabilities.purchasing import CreatePurchaseOrder, PurchaseLine, PurchaseOrder, SupplyTerms
from bellwire.capabilities.storefront import FlagProduct
from bellwire.connectors.bellwire.reorders import reorder_plan
from bellwire.connectors.opening import own_connector
from bellwire.engine import retry_run
from bellwire.events import (
    DICTIONARY,
    OWN,
    Environment,
    Event,
    LowStock,
    PurchaseReceipt,
    ReceivedLine,
    SalesSpike,
)
from bellwire.flows import Flow, Scope, bundled, check_flow, parse_flow, scope_for
from tests.engine.office import Buying, Office
from tests.engine.test_waiting import Clock, Place
from tests.flows.templates import usual
from tests.flows.writing import PATH
from tests.samples import NOW, line, order, usd

LOW, RECEIVED, SPIKING = (
    parse_flow(bundled(name), PATH.with_stem(name))
    for name in ("inventory_low", "purchase_received", "inventory_spiking")
)
GREEN = LowStock(
    sku="TEA-100", name="Green tea", available=36, reorder_point=40, daily_usage=Decimal(3), updated_at=NOW
)
BLACK = LowStock(sku="TEA-200", available=0, reorder_point=10, target=50, updated_at=NOW)
CUP = LowStock(sku="CUP-1", name="Cup", available=-2, reorder_point=5, updated_at=NOW)
TERMS = (
    SupplyTerms(
        sku="TEA-100", supplier_id="7", supplier_name="Leaf & Co", lead_days=12, minimum_quantity=24, pack_size=6,
        unit_price=usd("2.10"),
    ),
    SupplyTerms(sku="TEA-200", supplier_id="7", supplier_name="Leaf & Co", lead_days=20),
    SupplyTerms(sku="CUP-1", supplier_id="9", supplier_name="Kiln", pack_size=12),
)  # fmt: skip


def event(data: Any, kind: str) -> Event:
    return Event(
        type=kind,
        connection=OWN,
        environment=Environment.SANDBOX,
        business_key=f"{OWN}/{kind}/1",
        subject="thing/1",
        time=NOW,
        data=data,
    )


def told(flow: Flow, data: Any, *others: Any, **results: Any) -> Scope:
    return scope_for(event(data, flow.event_type), results, gathered=others)


def given(flow: Flow, name: str, names: Scope) -> list[Given]:
    """What an action is given, as its operation takes it; once for each item of its `for_each`."""
    action = flow.actions[name]
    (operation,) = OPERATIONS[action.operation_name]
    items = action.items(names) if action.for_each else [None]
    return [operation.given.model_validate(action.inputs(names, item)) for item in items]


def planned(*low: LowStock, terms: tuple[SupplyTerms, ...] = TERMS) -> Scope:
    """What is known once the orders are drafted."""
    names = told(LOW, *low, terms=list(terms))
    (wanted,) = given(LOW, "plan", names)
    assert isinstance(wanted, PlanReorder)
    plan: ReorderPlan = reorder_plan(wanted)
    drafts = [
        PurchaseOrder(id=f"p{number}", number=f"P{number:03}", supplier_id=each.supplier_id, url=f"https://b/{number}")
        for number, each in enumerate(plan.orders, 1)
    ]
    return names | {"plan": plan, "orders": drafts}


def test_bellwires_own_events_are_in_the_dictionary() -> None:
    assert DICTIONARY["inventory.low"].data is LowStock and DICTIONARY["inventory.spiking"].data is SalesSpike
    assert not DICTIONARY["inventory.low"].state and not DICTIONARY["inventory.spiking"].state
    assert (LOW.trigger, SPIKING.trigger) == ("bellwire.inventory.low", "bellwire.inventory.spiking")


def test_what_runs_low_within_an_hour_is_one_run_whatever_it_is() -> None:
    assert LOW.gather is not None and LOW.gather.length.total_seconds() == 3600
    assert LOW.gather.key(event(GREEN, "inventory.low")) == LOW.gather.key(event(CUP, "inventory.low"))


def test_terms_are_looked_up_once_for_each_item() -> None:
    names = told(LOW, GREEN, BLACK, GREEN.model_copy(update={"available": 30, "location": "Annex"}))
    assert [each.model_dump() for each in given(LOW, "terms", names)] == [{"sku": "TEA-100"}, {"sku": "TEA-200"}]


def test_each_supplier_gets_one_order_of_what_the_terms_say() -> None:
    orders = given(LOW, "orders", planned(GREEN, BLACK, CUP))
    assert orders == [
        CreatePurchaseOrder(
            supplier_id="7",
            # 40 and the 57 of 12 + 7 days less 36 are 61: in packs of six, 66.
            lines=(PurchaseLine(sku="TEA-100", quantity=66, unit_price=usd("2.10")),
                   PurchaseLine(sku="TEA-200", quantity=50)),
            reference="LOW-20261124-093000",
            expected=date(2026, 12, 14),
            note=orders[0].model_dump()["note"],
        ),
        CreatePurchaseOrder(
            supplier_id="9",
            lines=(PurchaseLine(sku="CUP-1", quantity=12),),
            reference="LOW-20261124-093000",
            expected=date(2026, 12, 8),
            note="12 × Cup: Lead time is 14 days, and there is nothing in stock: order today; in packs of 12.",
        ),
    ]  # fmt: skip
    assert "at least 24, in packs of 6" in orders[0].model_dump()["note"]


def test_of_an_item_that_was_low_twice_the_newest_count_is_taken() -> None:
    (order,) = given(LOW, "orders", planned(GREEN, GREEN.model_copy(update={"available": 10})))
    assert order.model_dump()["lines"][0]["quantity"] == 90


def test_the_buyer_reads_what_was_drafted_and_what_to_know() -> None:
    (message,) = given(LOW, "buyer", planned(GREEN, BLACK, CUP))
    text = message.model_dump()["text"]
    assert text.startswith("Low on stock: TEA-100, TEA-200, CUP-1.")
    assert "Order P001 to Leaf & Co is drafted. https://b/1" in text
    assert "Order P002 to Kiln is drafted. https://b/2" in text
    assert "66 × Green tea: Lead time is 12 days, and at the usual 3 a day stock lasts until 6 December" in text


def test_every_item_is_flagged_once() -> None:
    assert given(LOW, "flagged", told(LOW, GREEN, CUP, GREEN)) == [
        FlagProduct(sku="TEA-100", flag="low-stock"),
        FlagProduct(sku="CUP-1", flag="low-stock"),
    ]


def test_what_is_on_order_is_flagged_with_the_day_of_its_order() -> None:
    enough = GREEN.model_copy(update={"available": 41})
    assert given(LOW, "eta", planned(enough, BLACK, CUP)) == [
        FlagProduct(sku="TEA-200", flag="eta", day=date(2026, 12, 14)),
        FlagProduct(sku="CUP-1", flag="eta", day=date(2026, 12, 8)),
    ]
    # Both come with one order, when all of it can be here.
    assert {each.tag for each in _flags(LOW, "eta", planned(GREEN, BLACK))} == {"eta-2026-12-14"}


def _flags(flow: Flow, name: str, names: Scope) -> list[FlagProduct]:
    return [each for each in given(flow, name, names) if isinstance(each, FlagProduct)]


def test_the_flag_waits_for_no_supplier() -> None:
    needs = {name: set(action.needs) for name, action in LOW.actions.items()}
    assert needs == {
        "terms": set(),
        "plan": {"terms"},
        "orders": {"plan"},
        "buyer": {"plan", "orders"},
        "flagged": set(),
        "eta": {"plan", "orders", "flagged"},
    }


EMIT = """
name: Emit
trigger: till.order.paid
actions:
  low:
    emit: inventory.low
    for_each: event.lines
    with:
      sku: "{{ item.sku }}"
      available: 1
      reorder_point: "{{ item.quantity }}"
      updated_at: "{{ event.updated_at }}"
"""


async def test_what_runs_low_within_the_hour_is_drafted_once_for_each_supplier(ledger_url: str) -> None:
    buying, shop, chat = Buying("buying", {each.sku: each for each in TERMS}), Buying("shop"), Office("chat")
    flows = {"inventory_low": LOW.source}
    place = Place(ledger_url, flow=EMIT, clock=Clock(), others=(buying, shop, chat), beside=flows)
    async with place.open():
        for number, sku in enumerate(("TEA-100", "CUP-1", "TEA-200")):
            await place.deliver(order(id=str(number), number=str(number), lines=(line(sku=sku),)))
            await place.settled()
        assert not buying.orders
        place.pass_by(timedelta(hours=1))
        await place.until(lambda: chat.posts)
        await place.settled()
        assert [(each.supplier_id, [line.sku for line in each.lines]) for each in buying.orders] == [
            ("7", ["TEA-100", "TEA-200"]),
            ("9", ["CUP-1"]),
        ]
        assert len({each.reference for each in buying.orders}) == 1
        expected = {line.sku: each.expected for each in buying.orders for line in each.lines}
        assert len(expected) == 3 and None not in expected.values()
        assert sorted(shop.flagged) == sorted(
            (sku, tag) for sku, day in expected.items() for tag in ("low-stock", f"eta-{day}")
        )
        assert "Order P1 to Leaf & Co is drafted." in chat.posts[0] and not await place.exceptions()


async def test_an_item_without_a_supplier_stops_the_order_until_it_has_one(ledger_url: str) -> None:
    """And the shop shows that there is little left all the same."""
    buying, shop, chat = Buying("buying", {each.sku: each for each in TERMS[:1]}), Buying("shop"), Office("chat")
    flows = {"inventory_low": LOW.source}
    place = Place(ledger_url, flow=EMIT, clock=Clock(), others=(buying, shop, chat), beside=flows)
    async with place.open():
        await place.deliver(order(lines=(line(id="1"), line(id="2", sku="CUP-1"))))
        await place.settled()
        place.pass_by(timedelta(hours=1))
        await place.until(place.exceptions)
        await place.settled()
        assert not buying.orders and sorted(shop.flagged) == [("CUP-1", "low-stock"), ("TEA-100", "low-stock")]
        (exception,) = await place.exceptions()
        assert exception.cause == "no-supplier:CUP-1"
        buying.terms["CUP-1"] = TERMS[2]
        (run,) = [each.id for each in await place.runs() if each.flow == "inventory_low"]
        now = place.clock()
        await place.ledger.write(lambda rows: retry_run(rows, run, now, who="Dana"))
        await place.until(lambda: chat.posts)
        await place.settled()
        assert [each.supplier_id for each in buying.orders] == ["7", "9"]


# Goods come in


def received(**changes: Any) -> PurchaseReceipt:
    values: dict[str, Any] = {
        "id": "r1",
        "purchase_order_id": "p1",
        "number": "P001",
        "supplier_name": "Leaf & Co",
        "lines": (ReceivedLine(sku="TEA-100", quantity=66, name="Green tea"), ReceivedLine(sku="", quantity=1)),
        "received_at": NOW,
    }
    return PurchaseReceipt(**(values | changes))


def test_what_came_in_is_flagged_no_more_and_the_buyer_hears_of_it() -> None:
    names = told(RECEIVED, received())
    assert given(RECEIVED, "unflagged", names) == [FlagProduct(sku="TEA-100", flag="low-stock", on=False)]
    assert given(RECEIVED, "expected_no_more", names) == [FlagProduct(sku="TEA-100", flag="eta", on=False)]
    (message,) = given(RECEIVED, "buyer", names)
    text = message.model_dump()["text"]
    assert text.startswith("Goods came in for order P001 from Leaf & Co:") and "66 × Green tea" in text


@pytest.mark.parametrize(("put_on", "taken_off"), [("flagged", "unflagged"), ("eta", "expected_no_more")])
def test_the_flags_that_go_are_those_that_were_put_on(put_on: str, taken_off: str) -> None:
    (on,), (off,) = _flags(LOW, put_on, planned(GREEN)), _flags(RECEIVED, taken_off, told(RECEIVED, received()))
    assert on.sku == off.sku and on.on and not off.on and off.replaces(on.tag)


def test_the_flags_of_a_product_go_one_after_the_other() -> None:
    """A shop may keep them as one list: two changes in the same moment would lose one."""
    assert RECEIVED.actions["expected_no_more"].needs == {"unflagged"}


def test_a_receipt_that_says_next_to_nothing_is_told_of_too() -> None:
    names = told(RECEIVED, PurchaseReceipt(id="r1", lines=(ReceivedLine(sku="TEA-100", quantity=6),), received_at=NOW))
    assert given(RECEIVED, "unflagged", names)
    (message,) = given(RECEIVED, "buyer", names)
    assert message.model_dump()["text"].split("\n")[0] == "Goods came in:" and "6 × TEA-100" in str(message)


def test_the_option_to_count_up_what_came_in_works_when_the_marks_are_taken_off() -> None:
    text = re.sub(
        r"^  # (stock:|  do:|  with:|    (?:lines|reason|reference):)", r"  \1", RECEIVED.source, flags=re.MULTILINE
    )
    flow = parse_flow(text, Path("flows/purchase_received.yaml"))
    assert "stock" in flow.actions
    connectors = {**usual("inventory"), **own_connector(), "stock": usual("order_to_cash")["stock"]}
    assert check_flow(flow, connectors) == []
    (change,) = given(flow, "stock", told(flow, received(number="")))
    assert change.model_dump(include={"reason", "reference"}) == {"reason": "receipt", "reference": "r1"}


# Something sells too well


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Green tea sells fast: 40 in 6 hours, usually 2.5. 30 are left, at this rate for 5 hours."),
        ({"name": "", "available": None}, "TEA-100 sells fast: 40 in 6 hours, usually 2.5."),
        ({"available": 0}, "Green tea sells fast: 40 in 6 hours, usually 2.5. 0 are left, at this rate for 0 hours."),
    ],
)
def test_the_buyer_reads_how_fast_it_sells_and_how_long_it_lasts(changes: dict[str, Any], text: str) -> None:
    spike = {"sku": "TEA-100", "name": "Green tea", "sold": 40, "hours": 6, "usual": "2.5", "available": 30}
    data = SalesSpike.model_validate({**spike, "updated_at": NOW, **changes})
    (message,) = given(SPIKING, "buyer", told(SPIKING, data))
    assert message.model_dump()["text"] == text


def test_the_buyer_can_be_asked_first_as_the_comments_show() -> None:
    offered = next(line for line in LOW.source.splitlines() if "asked: {wait" in line).strip("# ")
    text = LOW.source.replace("  orders:\n", f"  {offered}\n  orders:\n    if: asked\n")
    flow = parse_flow(text, Path("flows/inventory_low.yaml"))
    assert check_flow(flow, {**usual("inventory"), **own_connector()}) == []
    approval = flow.actions["asked"].approval
    assert approval is not None and approval.text(planned(GREEN, CUP)) == "Draft 2 orders?"


def test_orders_can_be_made_for_each_place_as_the_comments_show() -> None:
    flow = parse_flow(
        LOW.source.replace("gather: {for: 1h}", "gather: {for: 1h, by: event.location}"), LOW.path or PATH
    )
    assert check_flow(flow, {**usual("inventory"), **own_connector()}) == []
