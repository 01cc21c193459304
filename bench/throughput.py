"""How much a second: acknowledgements, and complete runs of three calls; Bellwire beside the bare loop."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial

from bench.load import send_all, start_vendor
from bench.orders import STANDARD, Orders, shop_name
from bench.processes import answering, bare, ours
from bench.setting import Setting

_WARM_UP = 50
Serve = Callable[[str], AbstractContextManager[int]]
"""Starts what is measured, with the vendor's address, and gives its port."""


async def measure(setting: Setting) -> None:
    for name, suffix in ((STANDARD, ""), (shop_name(), "_shop")):
        orders = Orders(name)
        for _ in range(setting.counts.rounds):
            found = await _round(setting, orders, name)
            setting.figures.add(**{what + suffix: value for what, value in found.items()})


async def _round(setting: Setting, orders: Orders, name: str) -> dict[str, float]:
    """Bare loop and Bellwire in turn, so that the machine's drift falls out of their ratios."""
    sent = orders.take(setting.counts.acks + _WARM_UP)
    with setting.database() as path:
        bare_acks = await acks(partial(bare, path), [each.bare_ack for each in sent])
    with setting.database() as path:
        our_acks = await acks(partial(ours, path, name=name, engine=False), [each.ours for each in sent])
    sent = orders.take(setting.counts.orders + _WARM_UP)
    with setting.database() as path:
        bare_runs = await runs(partial(bare, path), [each.bare for each in sent])
    with setting.database() as path:
        our_runs = await runs(partial(ours, path, name=name), [each.ours for each in sent])
    return {
        "ack_ratio": our_acks / bare_acks,
        "run_ratio": our_runs / bare_runs,
        "acks_per_s": our_acks,
        "bare_acks_per_s": bare_acks,
        "runs_per_s": our_runs,
        "bare_runs_per_s": bare_runs,
    }


async def acks(serve: Serve, requests: Sequence[bytes]) -> float:
    """Acknowledgements a second of what `serve` starts, sent by 64 at once."""
    with serve("http://127.0.0.1:9") as port:
        await answering(port)
        await send_all(port, requests[:_WARM_UP], connections=8)
        return (len(requests) - _WARM_UP) / await send_all(port, requests[_WARM_UP:])


async def runs(serve: Serve, requests: Sequence[bytes]) -> float:
    """Complete runs a second, up to the last call of the last one."""
    async with start_vendor() as vendor:
        with serve(vendor.url) as port:
            await answering(port)
            await send_all(port, requests[:_WARM_UP], connections=8)
            await vendor.until(3 * _WARM_UP)
            began = time.perf_counter()
            await send_all(port, requests[_WARM_UP:])
            await vendor.until(3 * len(requests))
            return (len(requests) - _WARM_UP) / (vendor.times[-1] - began)
