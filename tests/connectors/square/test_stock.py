"""Square's stock, against its practice server over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bellwire.capabilities.stock import AdjustStock, StockChanges, StockReason
from bellwire.connectors.square import CONNECTOR
from bellwire.errors import Refused, SignedOut, Transient
from bellwire.practice import CATALOGUE, Fault, FaultKind, Good
from bellwire.practice.square import SquareSimulator
from tests.connecting import call
from tests.connectors.stock.store import SKUS, Stockroom, of, opened
from tests.openapi import described
from tests.shared import needs_shared

Shop = Stockroom[SquareSimulator]
adjust, count = CONNECTOR.actions["stock.adjust"], CONNECTOR.actions["stock.count"]


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened(SquareSimulator) as shop:
        yield shop


async def test_a_change_says_what_people_know_it_by_and_when_it_happened(shop: Shop) -> None:
    await shop.adjust([of("TEA-100", 2)])
    (change,) = shop.simulator.goods.changes
    assert (change["reference_id"], change["occurred_at"]) == ("1001", "2026-11-24T09:30:00.000Z")


@pytest.mark.parametrize(
    ("reason", "quantity", "from_state", "to_state", "change"),
    [
        (StockReason.SALE, 2, "IN_STOCK", "SOLD", -2),
        (StockReason.RETURN, 2, "UNLINKED_RETURN", "IN_STOCK", 2),
        (StockReason.RECEIPT, 2, "NONE", "IN_STOCK", 2),
        (StockReason.CORRECTION, 2, "NONE", "IN_STOCK", 2),
        (StockReason.CORRECTION, -2, "IN_STOCK", "WASTE", -2),
    ],
)
async def test_each_reason_moves_goods_as_the_till_would(
    shop: Shop, reason: StockReason, quantity: int, from_state: str, to_state: str, change: int
) -> None:
    await shop.adjust([of("TEA-100", quantity)], reason)
    (made,) = shop.simulator.goods.changes
    assert (made["from_state"], made["to_state"], made["quantity"]) == (from_state, to_state, "2")
    assert shop.taken() == {"TEA-100": -change}


async def test_the_same_sku_on_several_lines_is_one_change_at_the_till(shop: Shop) -> None:
    await shop.adjust([of("TEA-100", 2), of("MUG-RED", 1), of("TEA-100", 3)])
    assert len(shop.simulator.goods.changes) == 2


async def test_a_mapped_sku_needs_no_search(shop: Shop) -> None:
    await shop.adjust([of("TEE-GRUEN", 2)], mapped={("product", "TEE-GRUEN"): "VAR-TEA-100"})
    assert shop.taken() == {"TEA-100": 2}
    assert shop.sent("catalog/search") == []


async def test_skus_are_found_whatever_their_case(shop: Shop) -> None:
    await shop.adjust([of("tea-100", 2)])
    assert shop.taken() == {"TEA-100": 2}


async def test_two_items_with_one_sku_are_for_a_person_to_tell_apart(shop: Shop) -> None:
    shop.simulator.goods.items["VAR-OTHER"] = shop.simulator.goods.items["VAR-TEA-100"]
    with pytest.raises(Refused) as refused:
        await shop.adjust([of("TEA-100", 1)])
    assert refused.value.cause == "ambiguous-sku:TEA-100"
    await shop.adjust([of("TEA-100", 1)], mapped={("product", "TEA-100"): "VAR-TEA-100"})
    assert shop.simulator.goods.shelf["VAR-TEA-100"] == shop.before["TEA-100"] - 1


async def test_more_changes_than_fit_are_split_each_part_with_its_own_key(shop: Shop) -> None:
    many = {f"VAR-{number}": Good(f"SKU-{number}", "Thing", CATALOGUE[0].price, 10) for number in range(260)}
    shop.simulator.goods.items |= many
    shop.simulator.goods.shelf |= dict.fromkeys(many, 10)
    lines = [of(good.sku, 1) for good in many.values()]
    result = await shop.adjust(lines)
    assert [change.now for change in result.changes] == [9] * 260
    parts = shop.sent("changes/batch-create")
    assert [len(part["changes"]) for part in parts] == [100, 100, 60]
    assert len({part["idempotency_key"] for part in parts}) == 3
    assert await shop.adjust(lines, again=True) == result
    assert {shop.simulator.goods.shelf[item] for item in many} == {9}


@pytest.mark.proves("paging")
async def test_counts_come_page_by_page(shop: Shop) -> None:
    shop.simulator.goods.page_size = 2
    assert await shop.count(*SKUS) == {good.sku: good.stock for good in CATALOGUE if good.ships}
    assert len(shop.sent("counts/batch-retrieve")) == (len(SKUS) + 1) // 2


async def test_the_input_may_name_another_location(shop: Shop) -> None:
    with pytest.raises(Refused, match="Location not found"):
        await adjust(
            call(shop.connection),
            AdjustStock(lines=(of("TEA-100", 1),), reason=StockReason.SALE, location="LOTHER"),
        )


async def test_a_repeat_at_a_later_time_takes_stock_once(shop: Shop) -> None:
    """Square refuses a key that it has seen with other content, and the time of the change is content."""
    await shop.adjust([of("TEA-100", 2)])
    later = replace(call(shop.connection, again=True), clock=lambda: call(shop.connection).clock() + timedelta(hours=2))
    result = await adjust(later, AdjustStock(lines=(of("TEA-100", 2),), reason=StockReason.SALE, reference="1001"))
    assert shop.taken() == {"TEA-100": 2}
    assert isinstance(result, StockChanges)
    assert result.changes[0].now == 118


async def test_when_a_second_part_fails_the_first_isnt_repeated(shop: Shop) -> None:
    many = {f"VAR-{number}": Good(f"SKU-{number}", "Thing", CATALOGUE[0].price, 10) for number in range(150)}
    shop.simulator.goods.items |= many
    shop.simulator.goods.shelf |= dict.fromkeys(many, 10)
    shop.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED, match="batch-create", skip=1))
    with pytest.raises(Transient):
        await shop.adjust([of(good.sku, 1) for good in many.values()])
    await shop.adjust([of(good.sku, 1) for good in many.values()])
    assert {shop.simulator.goods.shelf[item] for item in many} == {9}


@pytest.mark.proves("errors")
async def test_when_square_asks_to_slow_down_nothing_happened(shop: Shop) -> None:
    shop.simulator.faults.add(Fault(kind=FaultKind.RATE_LIMITED, match="batch-create"))
    with pytest.raises(Transient):
        await shop.adjust([of("TEA-100", 2)])
    assert shop.taken() == {}


@pytest.mark.proves("errors")
async def test_a_token_that_is_no_longer_taken_signs_the_connection_out(shop: Shop) -> None:
    shop.simulator.faults.add(Fault(kind=FaultKind.SIGNED_OUT))
    with pytest.raises(SignedOut):
        await shop.count("TEA-100")


@pytest.mark.proves("errors")
async def test_what_square_refuses_is_said_in_its_words(shop: Shop) -> None:
    with pytest.raises(Refused) as refused:
        await shop.adjust([of("TEA-100", 1)], mapped={("product", "TEA-100"): "GONE"})
    assert refused.value.cause == "not-found"
    assert "Catalog object not found" in refused.value.sentence


@needs_shared
@pytest.mark.proves("spec")
async def test_requests_and_answers_are_as_square_describes_them(shop: Shop) -> None:
    shop.simulator.goods.page_size = 2
    await shop.count(*SKUS)
    for reason in StockReason:
        await shop.adjust([of(sku, 1) for sku in SKUS], reason, key=f"{list(StockReason).index(reason):032x}")
    await shop.adjust([of("MUG-RED", -1)], StockReason.CORRECTION, key="f" * 32)
    for kind in (FaultKind.RATE_LIMITED, FaultKind.FAILED, FaultKind.SIGNED_OUT):
        shop.simulator.faults.add(Fault(kind=kind))
        with pytest.raises((Transient, SignedOut)):
            await shop.count("TEA-100")
    square = described("square")
    assert [problem for received in shop.simulator.received for problem in square.problems(received)] == []
    for received in shop.simulator.received:
        if received.failed:
            for error in received.answer["errors"]:
                assert square.schema("Error", error) == []
