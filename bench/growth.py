"""What a long history costs: the same work on a ledger of a million events and on one with none (for the desk: with
those of one day, which is what its first page is about)."""

import sqlite3
import statistics
from contextlib import closing
from functools import partial
from pathlib import Path

from bench.history import make_history
from bench.load import get
from bench.orders import STANDARD, Orders
from bench.processes import answering, ours
from bench.setting import Setting
from bench.throughput import acks, runs

_DAY = 1_440
"""Events: the history has one a minute."""
_VISITS = 20


async def measure(setting: Setting) -> None:
    orders, count = Orders(STANDARD), setting.counts.history
    with setting.database() as long, setting.database() as short:
        print(f"Writing a history of {count:,} events …", flush=True)
        await make_history(long, count, orders)
        await make_history(short, _DAY, orders)
        setting.figures.add(history_events=count, history_mb=long.stat().st_size / 1e6)
        # The desk first: the other two add to the day.
        for _ in range(setting.counts.rounds):
            few, many = await _desk(short), await _desk(long)
            setting.figures.add(growth_desk=many / few, desk_ms=1000 * many)
        for _ in range(setting.counts.rounds):
            setting.figures.add(growth_ack=await _acks(setting, orders, long))
            setting.figures.add(growth_run=await _runs(setting, orders, long))


async def _desk(path: Path) -> float:
    """Seconds for the first page: the median visit."""
    with ours(path, "http://127.0.0.1:9", STANDARD) as port:
        await answering(port)
        return statistics.median(await get(port, "/", _VISITS))


async def _acks(setting: Setting, orders: Orders, long: Path) -> float:
    requests = [each.ours for each in orders.take(setting.counts.acks)]
    with setting.database() as empty:
        without = await acks(partial(ours, empty, name=STANDARD, engine=False), requests)
    many = await acks(partial(ours, long, name=STANDARD, engine=False), requests)
    with closing(sqlite3.connect(long)) as connection, connection:
        # Nobody is to read them: the engine that comes next would, in the time of what it is measured by.
        connection.execute("UPDATE deliveries SET state = 'skipped' WHERE state = 'received'")
    return many / without


async def _runs(setting: Setting, orders: Orders, long: Path) -> float:
    requests = [each.ours for each in orders.take(setting.counts.orders)]
    with setting.database() as empty:
        without = await runs(partial(ours, empty, name=STANDARD), requests)
    return await runs(partial(ours, long, name=STANDARD), requests) / without
