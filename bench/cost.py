"""What an event costs on PostgreSQL: processor time of each process, time in the ledger's one writing place, bytes."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from statistics import median

import psutil
import psycopg
from tests.postgres import Server

from bellwire.events import Delivery, Environment
from bellwire.ledger import Database, Rows, deliveries, open_ledger
from bench.load import send_all, start_vendor
from bench.orders import STANDARD, Orders
from bench.processes import answering, free_port, process
from bench.scaleout import deliver
from bench.setting import Setting

_TOGETHER = 100
"""Writes that share a commit."""
_STATEMENTS = 3
"""Of a write that takes a delivery in; nothing a run writes has more than five."""
_COMMITS = 40


async def measure(setting: Setting) -> None:
    server = Server(durable=True)
    server.start()
    try:
        for number in range(setting.counts.rounds):
            await _acks(setting, server, f"acks_{number}")
            await _runs(setting, server, f"runs_{number}")
            await _writes(setting, server, f"writes_{number}")
    finally:
        server.close()


async def _acks(setting: Setting, server: Server, name: str) -> None:
    server.run(f"CREATE DATABASE {name}")
    sent = [each.ours for each in Orders(STANDARD).take(setting.counts.acks)]
    port = free_port()
    with process("-m", "bench.ours", server.url(name), "http://127.0.0.1:9", str(port), "ack", STANDARD) as intake:
        await answering(port)
        await send_all(port, sent[:50], connections=8)
        before, used = _used(server), _time_of(psutil.Process(intake.pid))
        seconds = await send_all(port, sent[50:])
        count = len(sent) - 50
        setting.figures.add(
            postgres_acks_per_s=count / seconds,
            intake_ms=(_time_of(psutil.Process(intake.pid)) - used) * 1000 / count,
            server_ack_ms=(_used(server) - before) * 1000 / count,
        )


async def _runs(setting: Setting, server: Server, name: str) -> None:
    server.run(f"CREATE DATABASE {name}")
    url, count = server.url(name), setting.counts.shared
    size, written = _size(url), _written(url)
    await deliver(url, count)
    async with start_vendor() as vendor:
        with process("-m", "bench.ours", url, vendor.url, "64", "worker", STANDARD) as worker:
            await vendor.until(3)
            before, used = _used(server), _time_of(psutil.Process(worker.pid))
            begun = len(vendor.times) // 3
            await vendor.until(3 * count, 300)
            setting.figures.add(
                worker_ms=(_time_of(psutil.Process(worker.pid)) - used) * 1000 / (count - begun),
                server_run_ms=(_used(server) - before) * 1000 / (count - begun),
            )
    setting.figures.add(
        postgres_bytes_per_event=(_size(url) - size) / count, written_per_event=(_written(url) - written) / count
    )


async def _writes(setting: Setting, server: Server, name: str) -> None:
    """A transaction's own time, and that of each further statement; with nothing else going on."""
    server.run(f"CREATE DATABASE {name}")
    arriving = iter(Orders(STANDARD).arriving(_COMMITS * (_TOGETHER + 1)))
    async with open_ledger(server.url(name)) as ledger:
        for _ in range(10):  # until its statements are prepared
            await _one(ledger, next(arriving))
        alone = await _timed(lambda: _one(ledger, next(arriving)), _COMMITS - 10)
        together = await _timed(
            lambda: asyncio.gather(*(_one(ledger, next(arriving)) for _ in range(_TOGETHER))), _COMMITS // 2 - 2
        )
        await ledger.write(partial(_history, count=setting.counts.history))
        long_after = await _timed(
            lambda: asyncio.gather(*(_one(ledger, next(arriving)) for _ in range(_TOGETHER))), _COMMITS // 2 - 2
        )
    setting.figures.add(growth_write=long_after / together)
    statement = (together - alone) / (_TOGETHER - 1) / _STATEMENTS
    setting.figures.add(statement_ms=statement * 1000, commit_ms=(alone - _STATEMENTS * statement) * 1000)


def _history(rows: Rows, count: int) -> None:
    """So many deliveries with ids as senders make them: at random."""
    rows.run(
        "INSERT INTO deliveries (connection, environment, delivery_id, received_at, state)"
        " SELECT 'shop', 'sandbox', md5(CAST(n AS text)), n, 'done' FROM generate_series(1, :count) AS n",
        {"count": count},
    )


async def _one(ledger: Database, delivery: Delivery) -> None:
    name = delivery.headers["webhook-id"]
    await ledger.write(partial(_accept, delivery=delivery, name=name), lane=name)


def _accept(rows: Rows, delivery: Delivery, name: str) -> None:
    deliveries.accept(rows, delivery, name, Environment.SANDBOX)


async def _timed(what: Callable[[], Awaitable[object]], times: int) -> float:
    """Its median, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        await what()
        found.append(time.perf_counter() - began)
    return median(found)


def _time_of(one: psutil.Process) -> float:
    times = one.cpu_times()
    return times.user + times.system


def _used(server: Server) -> float:
    """Processor seconds of the server's processes that live."""
    return sum(_spent(server.pid))


def _spent(pid: int) -> Iterator[float]:
    main = psutil.Process(pid)
    for one in (main, *main.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            yield _time_of(one)


def _size(url: str) -> int:
    return _asked(url, "SELECT pg_database_size(current_database())")


def _written(url: str) -> int:
    """Bytes in the write-ahead log, ever."""
    return _asked(url, "SELECT pg_current_wal_lsn() - '0/0'")


def _asked(url: str, what: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(what.encode()).fetchone()
        assert row is not None
        return int(row[0])
