"""Low stock is told of once, however stock comes and goes around its reorder point."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.insight import Crossing, crossed, rearm_level

POINT = 10


def crossings(stocks: list[int], point: int = POINT, rearm: int | None = None) -> list[int]:
    """At which counts stock became low."""
    low, found = False, []
    for index, stock in enumerate(stocks):
        told = crossed(low, stock, point, rearm)
        low = told.low
        if told.crossed:
            found.append(index)
    return found


@pytest.mark.parametrize(
    ("stocks", "told"),
    [
        ([12, 11, 10, 9], [2]),
        ([12, 3, 0, -2], [1]),
        ([4, 4, 4], [0]),
        ([11, 10, 11, 10, 9, 11], [1, 3]),
        ([30, 9, 30, 9], [1, 3]),
        ([11, 12, 40], []),
    ],
)
def test_it_is_told_when_stock_falls_to_the_reorder_point(stocks: list[int], told: list[int]) -> None:
    assert crossings(stocks) == told


def test_what_comes_and_goes_below_the_level_of_replenishment_is_told_once() -> None:
    assert crossings([12, 10, 13, 9, 14, 8, 15, 10], rearm=15) == [1, 7]


def test_a_reorder_point_that_is_raised_above_the_stock_is_a_crossing() -> None:
    assert crossed(False, 8, 5) == Crossing(low=False, crossed=False)
    assert crossed(False, 8, 10) == Crossing(low=True, crossed=True)


def test_a_reorder_point_that_is_lowered_ends_it() -> None:
    assert crossed(True, 8, 5) == Crossing(low=False, crossed=False)


@pytest.mark.parametrize(("point", "level"), [(0, 1), (5, 6), (10, 11), (40, 44), (100, 110)])
def test_stock_counts_as_replenished_a_tenth_above(point: int, level: int) -> None:
    assert rearm_level(point) == level


STOCKS = st.lists(st.integers(-5, 30), max_size=40)
POINTS = st.integers(0, 20)


@given(STOCKS, POINTS, st.none() | st.integers(-5, 30))
def test_each_time_that_replenished_stock_falls_is_told_exactly_once(
    stocks: list[int], point: int, rearm: int | None
) -> None:
    found = crossings(stocks, point, rearm)
    level = max(rearm_level(point) if rearm is None else rearm, point + 1)
    assert all(stocks[index] <= point for index in found)
    # Between two of them stock was replenished: no flapping.
    assert all(max(stocks[first + 1 : second]) >= level for first, second in pairwise(found))
    # And none is left out: a low count has one at or before it, since stock was last replenished.
    for index, stock in enumerate(stocks):
        if stock <= point:
            replenished = max((at for at in range(index) if stocks[at] >= level), default=-1)
            assert any(replenished < at <= index for at in found)


@given(STOCKS, POINTS)
def test_a_count_that_says_the_same_again_changes_nothing(stocks: list[int], point: int) -> None:
    twice = [stock for stock in stocks for _ in range(2)]
    assert [index // 2 for index in crossings(twice, point)] == crossings(stocks, point)
