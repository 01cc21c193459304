"""What runs cost that wait for a time of their flow: while nothing comes, and while other work is done."""

import asyncio
from functools import partial
from pathlib import Path

import psutil

from bench.history import make_timers
from bench.orders import STANDARD, Orders
from bench.processes import answering, free_port, ours, process
from bench.setting import Setting
from bench.throughput import runs


async def measure(setting: Setting) -> None:
    orders, count = Orders(STANDARD), setting.counts.pending
    with setting.database() as many:
        await make_timers(many, count, orders)
        setting.figures.add(timers=count)
        for _ in range(setting.counts.rounds):
            with setting.database() as none:
                without, without_mb = await _idle(none, setting.counts.seconds)
            with_them, with_mb = await _idle(many, setting.counts.seconds)
            setting.figures.add(timers_ms=1000 * (with_them - without), timers_mb=with_mb - without_mb)
        for _ in range(setting.counts.rounds):
            requests = [each.ours for each in orders.take(setting.counts.orders)]
            with setting.database() as none:
                alone = await runs(partial(ours, none, name=STANDARD), requests)
            setting.figures.add(timers_run=await runs(partial(ours, many, name=STANDARD), requests) / alone)


async def _idle(database: Path, seconds: float) -> tuple[float, float]:
    """Processor time (s) a second, and memory (MB), once it is at rest."""
    port = free_port()
    command = ("-m", "bench.ours", str(database), "http://127.0.0.1:9", str(port), "full", STANDARD)
    with process(*command) as started:
        await answering(port)
        await asyncio.sleep(1)
        looked_at = psutil.Process(started.pid)
        before = looked_at.cpu_times()
        await asyncio.sleep(seconds)
        after = looked_at.cpu_times()
        used = after.user + after.system - before.user - before.system
        return used / seconds, looked_at.memory_info().rss / 1e6
