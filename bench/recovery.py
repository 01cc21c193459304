"""A start with many runs pending, as after kill -9: how soon the first one goes on, in how much memory, how fast."""

import shutil
import time
from functools import partial
from pathlib import Path

from bench.history import make_backlog
from bench.load import start_vendor
from bench.orders import STANDARD, Orders
from bench.processes import free_port, most_memory, ours, process
from bench.setting import Setting
from bench.throughput import runs

_WARM_UP = 300
"""Runs."""


async def measure(setting: Setting) -> None:
    orders = Orders(STANDARD)
    setting.figures.add(recovery_runs=setting.counts.pending)
    with setting.database() as left:
        await make_backlog(left, setting.counts.pending, orders)
        for _ in range(setting.counts.rounds):
            requests = [each.ours for each in orders.take(setting.counts.orders)]
            with setting.database() as path:
                live = await runs(partial(ours, path, name=STANDARD), requests)
            with setting.database() as path:
                shutil.copy(left, path)
                await _recover(setting, path, live)


async def _recover(setting: Setting, path: Path, live: float) -> None:
    first, last = 3 * _WARM_UP, 3 * (_WARM_UP + setting.counts.drained)
    async with start_vendor() as vendor:
        began = time.perf_counter()
        command = ("-m", "bench.ours", str(path), vendor.url, str(free_port()), "full", STANDARD)
        with process(*command) as started:
            await vendor.until(last)
            memory = most_memory(started.pid)
    drained = setting.counts.drained / (vendor.times[last - 1] - vendor.times[first - 1])
    setting.figures.add(recovery_s=vendor.times[0] - began, recovery_mb=memory, recovery_ratio=drained / live)
