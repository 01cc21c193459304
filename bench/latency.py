"""How long one takes, under a load that doesn't wait for it: sent at random times, an average number a second.

Each latency counts from the time when its request was to be sent, not from when the sender got round to it.
"""

import re
import time
from collections.abc import Sequence
from functools import partial
from random import Random

from bench.load import Vendor, send_all, send_at, start_vendor
from bench.orders import STANDARD, Orders, Sent
from bench.processes import answering, bare, ours
from bench.setting import Setting

_ACKS_A_SECOND = 300
_ORDERS_A_SECOND = 10
_CALL_SECONDS = 0.02
"""That the simulated vendor takes for a call."""
_WARM_UP = 100
_NUMBER = re.compile(rb'"order": ?"(\d+)"')


async def measure(setting: Setting) -> None:
    orders = Orders(STANDARD)
    for _ in range(setting.counts.rounds):
        await _acks(setting, orders)
        await _overhead(setting, orders)


async def _acks(setting: Setting, orders: Orders) -> None:
    """With the engine on: what is acknowledged is also carried out meanwhile."""
    sent = orders.take(round(_ACKS_A_SECOND * setting.counts.seconds) + _WARM_UP)
    for serve, name in ((bare, "bare_ack"), (partial(ours, name=STANDARD), "ack")):
        requests = [each.bare if serve is bare else each.ours for each in sent]
        async with start_vendor() as vendor:
            with setting.database() as path, serve(path, vendor.url) as port:
                await answering(port)
                await send_all(port, requests[:_WARM_UP], connections=8)
                await vendor.until(3 * _WARM_UP)
                took = await send_at(port, requests[_WARM_UP:], _times(len(requests) - _WARM_UP, _ACKS_A_SECOND))
        setting.figures.add(**{f"{name}_p99_ms": 1000 * percentile(took, 99)})
        if name == "ack":
            setting.figures.add(ack_p50_ms=1000 * percentile(took, 50))


async def _overhead(setting: Setting, orders: Orders) -> None:
    sent = orders.take(round(_ORDERS_A_SECOND * setting.counts.seconds) + _WARM_UP)
    async with start_vendor(_CALL_SECONDS) as vendor:
        with setting.database() as path, ours(path, vendor.url, STANDARD) as port:
            await answering(port)
            await send_all(port, [each.ours for each in sent[:_WARM_UP]], connections=8)
            await vendor.until(3 * _WARM_UP)
            measured = sent[_WARM_UP:]
            times = _times(len(measured), _ORDERS_A_SECOND)
            await send_at(port, [each.ours for each in measured], times)
            await vendor.until(3 * len(sent))
    over = _over(vendor, measured, times)
    setting.figures.add(overhead_p50_ms=1000 * percentile(over, 50), overhead_p99_ms=1000 * percentile(over, 99))


def _over(vendor: Vendor, sent: Sequence[Sent], times: Sequence[float]) -> list[float]:
    """From the time of each webhook to its last call, without what the calls before it took."""
    calls: dict[bytes, list[int]] = {}
    for place, body in enumerate(vendor.bodies):
        found = _NUMBER.search(body)
        assert found is not None
        calls.setdefault(found[1], []).append(place)
    over = []
    for each, at in zip(sent, times, strict=True):
        first, second, last = calls[each.number]
        taken = sum(vendor.answered[place] - vendor.times[place] for place in (first, second))
        over.append(vendor.times[last] - at - taken)
    return over


def _times(count: int, a_second: float) -> list[float]:
    """Random times from now on, the same gaps in every run."""
    random = Random(count)  # noqa: S311 - nothing secret
    at = time.perf_counter() + 0.2
    return [at := at + random.expovariate(a_second) for _ in range(count)]


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest of them that so many percent aren't above."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]
