"""What sells out of the ordinary, on made-up sales and on simulated ones."""

import math
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwire.insight import pace, usage
from bellwire.insight.selling import DAYS, WEEKS
from bellwire.ledger.sales import KEPT

WEEKEND = [2, 3, 2, 3, 6, 14, 12]
"""What a week sells, from Monday on."""


def test_a_steady_seller_is_no_spike_until_it_sells_far_more() -> None:
    steady = [5, 6, 4, 5, 7, 5, 4] * 8
    assert not pace([*steady, 6, 7, 8]).spiking
    found = pace([*steady, 18, 22, 19])
    assert (found.spiking, found.sold, found.usual) == (True, 59, 16)
    assert found.reason == "59 sold in 3 days, where about 16 are usual and up to 40 are nothing special."


def test_a_weekend_is_no_spike_and_weekend_sales_on_other_days_are_one() -> None:
    weeks = WEEKEND * 8
    assert not pace([*weeks, *WEEKEND[:6]]).spiking
    assert not pace(weeks + WEEKEND).spiking
    assert not pace([*weeks, *WEEKEND[:4], 9, 21, 18]).spiking
    assert pace([*weeks, 14, 14, 14]).spiking


def test_a_trend_is_no_spike() -> None:
    growing = [round(10 * 1.05 ** (day / 7)) for day in range(120)]
    assert not any(pace(growing[:day]).spiking for day in range(60, 120))


def test_a_bulk_order_is_no_spike_and_hides_none_later() -> None:
    steady = [5, 6, 4, 5, 7, 5, 4] * 8
    bulk = pace([*steady, 5, 60, 5], largest_order=55)
    assert not bulk.spiking
    assert bulk.reason.endswith("; but 55 of it went into one order.")
    assert pace([*steady, 20, 30, 20], largest_order=5).spiking
    after = [*steady[:30], 80, *steady[31:]]
    assert pace([*after, 20, 30, 20]).spiking


def test_a_new_item_is_too_new_to_tell() -> None:
    found = pace([0, 1, 3, 8, 20, 40])
    assert (found.spiking, found.usual) == (False, 0)
    assert found.reason == "It has been sold for less than 4 weeks: too short to say what is usual."
    assert not pace([5] * 27 + [50] * 3).spiking
    assert pace([5] * 28 + [50] * 3).spiking


def test_an_item_that_hardly_sells_has_nothing_usual() -> None:
    found = pace([0, 0, 0, 1, 0, 0, 0] * 8 + [3, 4, 3])
    assert not found.spiking
    assert found.reason == "Fewer than 20 were sold in the weeks before: too few to say what is usual."


def test_what_goes_out_on_a_day_is_that_of_the_week_in_the_middle() -> None:
    assert usage([1] * 27) is None
    assert usage(WEEKEND * 4) == sum(WEEKEND) / 7
    assert usage([0] * 60 + WEEKEND * 8) == sum(WEEKEND) / 7
    weeks = [*WEEKEND * 3, *[90] * 7, *WEEKEND * 3, *[0] * 7]
    assert usage(weeks) == sum(WEEKEND) / 7
    assert usage([0, 0, 2, 0, 0, 0, 0] * 8) == 2 / 7
    assert usage([0] * 56) is None


def test_the_weeks_that_are_looked_at_are_kept() -> None:
    assert timedelta(days=DAYS + 7 * WEEKS) < KEPT


def test_a_few_more_of_what_sells_little_are_chance() -> None:
    little = [0, 1, 0, 0, 1, 0, 1] * 8
    assert not pace([*little, 1, 2, 1]).spiking
    assert pace([*little, 5, 4, 5]).spiking


@given(st.lists(st.integers(0, 200), max_size=70), st.integers(0, 200), st.integers(0, 50))
def test_selling_more_never_ends_a_spike_nor_one_order_begins_one(daily: list[int], more: int, largest: int) -> None:
    before = pace(daily, largest)
    if before.spiking:
        assert pace([*daily[:-1], daily[-1] + more], largest).spiking
        assert pace(daily).spiking
        assert before.sold > before.limit >= 2.5 * before.usual


# Simulated sales: for each day a rate, by the day of the week and promotions; the rate varies by a gamma distribution,
# and the count around it by chance, which makes a negative binomial distribution.

_WEEK = (0.8, 0.8, 0.9, 1.0, 1.2, 1.5, 0.8)
_PROMOTION = 2.0
_HISTORY, _DAYS, _ITEMS, _SHAPE = 56, 60, 60, 5
RATES = (1, 3, 10, 30)


def _chance(random: Random, mean: float) -> int:
    """Poisson, by multiplying (Knuth)."""
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product, count = product * random.random(), count + 1
    return count


def _sold(random: Random, mean: float) -> int:
    return _chance(random, random.gammavariate(_SHAPE, mean / _SHAPE))


def _sales(rate: float) -> Iterator[tuple[Random, list[int]]]:
    """Of several items: 56 days before the 60 that are looked at, with three days of promotion in every four weeks."""
    for item in range(_ITEMS):
        random = Random(f"{rate}/{item}")  # noqa: S311 - a fixed seed is what is wanted
        first = random.randrange(28)
        means = [
            rate * _WEEK[day % 7] * (_PROMOTION if (day + first) % 28 < 3 else 1) for day in range(_HISTORY + _DAYS)
        ]
        yield random, [_sold(random, mean) for mean in means]


@pytest.mark.parametrize("rate", RATES)
def test_on_fewer_than_one_day_in_two_hundred_there_is_a_false_alarm(rate: float) -> None:
    alarms = [pace(sales[:day]).spiking for _, sales in _sales(rate) for day in range(_HISTORY + 3, len(sales) + 1)]
    assert sum(alarms) / len(alarms) < 0.005


@pytest.mark.parametrize(
    ("rate", "within", "share"), [(1, 7, 0.6), (3, 7, 0.9), (10, 7, 0.95), (10, 3, 0.7), (30, 3, 0.8)]
)
def test_four_times_the_usual_is_found_within_days(rate: float, within: int, share: float) -> None:
    found = []
    for random, sales in _sales(rate):
        for day in range(_HISTORY + 7, len(sales) - within, 9):
            now = list(sales[:day])
            now += [_sold(random, 4 * rate * _WEEK[(day + more) % 7]) for more in range(within)]
            found.append(any(pace(now[: day + more + 1]).spiking for more in range(within)))
    assert sum(found) / len(found) > share
