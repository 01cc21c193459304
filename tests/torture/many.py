"""Many runs for workers that share one queue: each action once, whoever had it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event

from bellwire.events import Delivery, Environment
from bellwire.ledger import Database, deliveries, figures, open_ledger
from tests.engine.conftest import FLOW, House
from tests.running import until
from tests.samples import NOW, order

_SPAWN = get_context("spawn")
_AT_ONCE = 500
ACTIONS = FLOW.count("do:")


@dataclass(frozen=True)
class Found:
    seconds: float
    """From the first run's beginning to the last one's end; all webhooks were in the queue before."""
    by_worker: list[int]
    """How many actions each did."""
    missing: int
    doubled: int


def _work(url: str, ready: "Queue[int]", over: Event, sent: "Queue[list[tuple[str, str]]]") -> None:
    async def work() -> None:
        house = House(url)
        async with house.open():
            ready.put(1)
            await asyncio.to_thread(over.wait)
        sent.put(house.vendor.sent)

    asyncio.run(work())


async def many(url: str, workers: int, runs: int, show: Callable[[str], None], patience: float) -> Found:
    """Raises TimeoutError."""
    over, ready, sent = _SPAWN.Event(), _SPAWN.Queue(), _SPAWN.Queue()
    async with open_ledger(url) as ledger:
        for start in range(0, runs, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, runs))
            await asyncio.gather(*(_deliver(ledger, number) for number in some))
        show(f"{runs} webhooks wait for {workers} workers")
        began = time.monotonic()
        processes = [_SPAWN.Process(target=_work, args=(url, ready, over, sent), daemon=True) for _ in range(workers)]
        for process in processes:
            process.start()

        async def nothing_left() -> bool:
            left = await ledger.read(figures.unfinished)
            show(f"{time.monotonic() - began:5.0f} s: {left} left")
            await asyncio.sleep(2)
            return left == 0

        await until(nothing_left, patience)
        times = await ledger.read(lambda rows: rows.one("SELECT MIN(created_at), MAX(finished_at) FROM runs"))
    assert times is not None
    over.set()
    each = [await asyncio.to_thread(sent.get, True, 60) for _ in processes]
    for process in processes:
        process.join(30)
    counts = Counter(one for found in each for one in found)
    missing, doubled = ACTIONS * runs - len(counts), counts.total() - len(counts)
    return Found((times[1] - times[0]) / 1e6, sorted(map(len, each)), missing, doubled)


async def _deliver(ledger: Database, number: int) -> None:
    body = json.dumps({"type": "order.paid", "order": order(id=str(number)).model_dump(mode="json")}).encode()
    delivery = Delivery("till", {}, body, NOW)
    await ledger.write(lambda rows: deliveries.accept(rows, delivery, f"delivery-{number}", Environment.SANDBOX))
