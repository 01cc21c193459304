"""The flow as a DBOS workflow of three steps: https://docs.dbos.dev

python on_dbos.py fill|work DATABASE VENDOR_URL COUNT
"""

import asyncio
import sys

import aiohttp
from dbos import DBOS, DBOSClient, DBOSConfig

_AT_ONCE = 64
_session: aiohttp.ClientSession
_vendor = ""


async def _call(step: int, order: str) -> None:
    async with _session.post(f"{_vendor}/{step}", json={"order": order}) as response:
        await response.json()


@DBOS.step()
async def label(order: str) -> None:
    await _call(0, order)


@DBOS.step()
async def stock(order: str) -> None:
    await _call(1, order)


@DBOS.step()
async def tell(order: str) -> None:
    await _call(2, order)


@DBOS.workflow()
async def order_to_cash(order: str) -> None:
    await label(order)
    await stock(order)
    await tell(order)


def fill(url: str, count: int) -> None:
    DBOS(config=_config(url))
    DBOS.launch()
    DBOS.register_queue("orders", worker_concurrency=_AT_ONCE, polling_interval_sec=0.1)
    DBOS.destroy()
    client = DBOSClient(system_database_url=url)
    for number in range(count):
        client.enqueue({"queue_name": "orders", "workflow_name": order_to_cash.__qualname__}, str(number))


async def work(url: str) -> None:
    global _session
    _session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE))
    DBOS(config=_config(url))
    DBOS.launch()
    await DBOS.register_queue_async("orders", worker_concurrency=_AT_ONCE, polling_interval_sec=0.1)
    await asyncio.Event().wait()


def _config(url: str) -> DBOSConfig:
    return {
        "name": "bench",
        "system_database_url": url,
        "log_level": "WARNING",
        "run_admin_server": False,
        "application_version": "1",
    }


if __name__ == "__main__":
    mode, database, _vendor, number_of = sys.argv[1:]
    if mode == "fill":
        fill(database, int(number_of))
    else:
        asyncio.run(work(database))
