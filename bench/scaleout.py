"""Several processes on PostgreSQL: what more workers bring, and the same flow in other engines."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.postgres import Server

from bellwire.events import Delivery, Environment
from bellwire.ledger import Rows, deliveries, open_ledger
from bench import peers
from bench.load import start_vendor
from bench.orders import STANDARD, Orders
from bench.processes import process
from bench.setting import Setting

_TAKES = 0.2
"""Seconds that a call to a vendor takes who isn't next door."""
_AT_ONCE = 16
"""Runs of one worker beside such vendors: the waiting is shared out, not the machine."""
_TRIMMED = 0.15
"""Of all calls at the start and at the end, while processes start and run out of work."""
_PEERS = {"dbos": "on_dbos.py", "procrastinate": "on_procrastinate.py"}


async def measure(setting: Setting) -> None:
    server = Server(durable=True)
    server.start()
    try:
        for number in range(setting.counts.rounds):
            await _round(setting, server, number)
    finally:
        server.close()


async def _round(setting: Setting, server: Server, number: int) -> None:
    count = setting.counts.shared
    alone = await _ours(server, f"slow_1_{number}", count // 4, workers=1, at_once=_AT_ONCE, takes=_TAKES)
    four = await _ours(server, f"slow_4_{number}", count, workers=4, at_once=_AT_ONCE, takes=_TAKES)
    setting.figures.add(scaleout_4=four / alone)
    one = await _ours(server, f"fast_1_{number}", count, workers=1, at_once=64)
    two = await _ours(server, f"fast_2_{number}", count, workers=2, at_once=64)
    setting.figures.add(postgres_runs_per_s=one, postgres_runs_per_s_2=two)
    theirs = {name: await _theirs(server, f"{name}_{number}", count // 2, name) for name in _PEERS}
    setting.figures.add(**{f"{name}_runs_per_s": rate for name, rate in theirs.items()})
    setting.figures.add(vs_dbos=one / theirs["dbos"], vs_procrastinate=one / theirs["procrastinate"])


async def _ours(server: Server, name: str, count: int, *, workers: int, at_once: int, takes: float = 0.0) -> float:
    server.run(f"CREATE DATABASE {name}")
    url = server.url(name)
    await deliver(url, count)
    start = ("-m", "bench.ours", url)
    return await _rate(
        count, takes, [lambda vendor: (sys.executable, *start, vendor, str(at_once), "worker", STANDARD)] * workers
    )


async def _theirs(server: Server, name: str, count: int, peer: str) -> float:
    server.run(f"CREATE DATABASE {name}")
    program = (peers.python(), str(Path(peers.__file__).parent / _PEERS[peer]))
    filling = await asyncio.create_subprocess_exec(
        *program, "fill", server.url(name), "", str(count), stdout=subprocess.DEVNULL
    )
    assert await filling.wait() == 0
    return await _rate(count, 0.0, [lambda vendor: (*program, "work", server.url(name), vendor, "0")])


async def _rate(count: int, takes: float, commands: Sequence[Callable[[str], Sequence[str]]]) -> float:
    """Runs a second that these processes do together, by the calls that come to the vendor."""
    async with start_vendor(takes) as vendor:
        with contextlib.ExitStack() as stack:
            for command in commands:
                stack.enter_context(_running(command(vendor.url)))
            await vendor.until(3 * count, 300)
    first, last = round(3 * count * _TRIMMED), round(3 * count * (1 - _TRIMMED)) - 1
    return (last - first) / 3 / (vendor.times[last] - vendor.times[first])


@contextlib.contextmanager
def _running(command: Sequence[str]) -> Iterator[None]:
    with process(*command[1:], program=command[0]):
        yield


async def deliver(url: str, count: int) -> None:
    """What an intake has taken in."""
    arriving = Orders(STANDARD).arriving(count)
    async with open_ledger(url) as ledger:
        for first in range(0, count, 200):
            await ledger.write(partial(_accept, first=first, arriving=arriving[first : first + 200]))


def _accept(rows: Rows, first: int, arriving: list[Delivery]) -> None:
    for number, delivery in enumerate(arriving, first):
        deliveries.accept(rows, delivery, str(number), Environment.SANDBOX)
