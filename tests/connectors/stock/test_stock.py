"""What each vendor of stock makes of goods that come and go, on good days and bad."""

from collections import Counter
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwire.capabilities.stock import AdjustStock, CountStock, StockCounts, StockLine, StockReason
from bellwire.errors import OutcomeUnknown, Refused, Transient
from bellwire.practice import Fault, FaultKind, Simulator, Till, find_simulator
from tests.connecting import call, patience_with
from tests.connectors.stock.store import SKUS, VENDORS, Stockroom, Vendor, of, opened, vendor_of
from tests.samples import line

MOST = 9
"""Of one good, on one line."""


@pytest.fixture(params=VENDORS)
def name(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest.fixture
def vendor(name: str) -> Vendor:
    return vendor_of(name)


@pytest.fixture
async def store(name: str) -> AsyncIterator[Stockroom[Simulator]]:
    async with opened(find_simulator(name)) as store:
        yield store


async def test_a_sale_takes_what_was_sold_and_may_say_what_is_left(store: Stockroom[Simulator], vendor: Vendor) -> None:
    result = await store.adjust([of("TEA-100", 2), of("MUG-RED", 1)])
    assert isinstance(store.simulator, Till)
    assert store.taken() == {"TEA-100": 2, "MUG-RED": 1}
    left = (118, 59) if vendor.tells_what_is_left else (None, None)
    assert [(change.sku, change.change, change.now) for change in result.changes] == [
        ("TEA-100", -2, left[0]),
        ("MUG-RED", -1, left[1]),
    ]


async def test_a_result_says_where_it_is_of_as_the_vendors_events_do(store: Stockroom[Simulator]) -> None:
    count = store.connection.connector.actions["stock.count"]
    changed = await store.adjust([of("TEA-100", 2)])
    counted = await count(call(store.connection), CountStock(skus=("TEA-100",)))
    assert isinstance(counted, StockCounts)
    assert changed.location == counted.location
    assert counted.location in store.connection.settings.model_dump().values()
    assert counted.counts[0].item_id and changed.changes[0].item_id in ("", counted.counts[0].item_id)


async def test_the_lines_of_an_order_fit_as_they_are(store: Stockroom[Simulator]) -> None:
    await store.do(AdjustStock.model_validate({"lines": [line(sku="TEA-100", quantity=3)], "reason": "sale"}))
    assert store.taken() == {"TEA-100": 3}


async def test_what_has_no_stock_is_left_out(store: Stockroom[Simulator]) -> None:
    result = await store.adjust([of("CLASS-01", 1, ships=False), of("", 4), of("TEA-100", 0), of("MUG-RED", 1)])
    assert [change.sku for change in result.changes] == ["MUG-RED"]
    assert store.taken() == {"MUG-RED": 1}


async def test_with_nothing_left_nothing_is_sent(store: Stockroom[Simulator]) -> None:
    for again in (False, True):
        lines = [of("CLASS-01", 1, ships=False), of("", 4), of("TEA-100", 0)]
        assert (await store.adjust(lines, again=again)).changes == ()
    assert not store.simulator.received


async def test_the_same_sku_on_several_lines_is_one_change(store: Stockroom[Simulator]) -> None:
    result = await store.adjust([of("TEA-100", 2), of("MUG-RED", 1), of("TEA-100", 3)])
    assert [(change.sku, change.change) for change in result.changes] == [("TEA-100", -5), ("MUG-RED", -1)]
    assert store.taken() == {"TEA-100": 5, "MUG-RED": 1}


async def test_an_unknown_sku_changes_nothing_and_says_how_to_mend_it(
    store: Stockroom[Simulator], vendor: Vendor
) -> None:
    with pytest.raises(Refused) as refused:
        await store.adjust([of("TEA-100", 1), of("NO-SUCH", 1)])
    assert refused.value.cause == "unknown-sku:NO-SUCH"
    assert "NO-SUCH" in refused.value.sentence
    assert f'bellwire records map till product NO-SUCH "{vendor.item}"' in refused.value.remedy
    assert store.taken() == {}


async def test_what_was_never_counted_is_none(store: Stockroom[Simulator]) -> None:
    assert await store.count("CLASS-01", "TEA-100") == {"CLASS-01": 0, "TEA-100": 120}


@pytest.mark.parametrize("kind", [FaultKind.LOST_ANSWER, FaultKind.SLOW, FaultKind.FAILED])
async def test_when_the_outcome_is_unknown_a_repeat_takes_stock_once(
    name: str, vendor: Vendor, kind: FaultKind
) -> None:
    async with opened(find_simulator(name), patience_with(kind)) as store:
        store.simulator.faults.add(Fault(kind=kind, match=vendor.write, seconds=1.5))
        with pytest.raises(OutcomeUnknown):
            await store.adjust([of("TEA-100", 2), of("MUG-RED", 1)])
        result = await store.adjust([of("TEA-100", 2), of("MUG-RED", 1)], again=True)
    assert store.taken() == {"TEA-100": 2, "MUG-RED": 1}
    assert [change.change for change in result.changes] == [-2, -1]
    assert result.changes[0].now == (118 if vendor.tells_what_is_left else None)


async def test_a_search_without_an_answer_changed_nothing(store: Stockroom[Simulator], vendor: Vendor) -> None:
    store.simulator.faults.add(Fault(kind=FaultKind.LOST_ANSWER, match=vendor.search, times=2))
    with pytest.raises(Transient):
        await store.adjust([of("TEA-100", 2)])
    assert store.taken() == {}


lines = st.lists(
    st.builds(
        of,
        st.sampled_from([*SKUS, ""]),
        st.integers(0, MOST),
        ships=st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=lines)
async def test_stock_goes_down_by_exactly_what_was_sold(
    store: Stockroom[Simulator], vendor: Vendor, order: list[StockLine]
) -> None:
    if not vendor.oversells:
        await store.adjust([of(sku, MOST * len(order)) for sku in SKUS], StockReason.RECEIPT, key=uuid4().hex)
    store.before = store.there()
    key = uuid4().hex
    await store.adjust(order, key=key)
    await store.adjust(order, key=key, again=True)
    sold: Counter[str] = Counter()
    for ordered in order:
        if ordered.ships and ordered.sku:
            sold[ordered.sku] += ordered.quantity
    assert store.taken() == {sku: number for sku, number in sold.items() if number}
