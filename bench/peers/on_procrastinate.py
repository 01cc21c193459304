"""The flow as three Procrastinate tasks, each of which defers the next: https://procrastinate.readthedocs.io

python on_procrastinate.py fill|work DATABASE VENDOR_URL COUNT
"""

import sys

import aiohttp
from procrastinate import App, PsycopgConnector

_AT_ONCE = 64
_session: aiohttp.ClientSession
_vendor = ""
app = App(connector=PsycopgConnector())


@app.task(name="step")
async def step(number: int, order: str) -> None:
    async with _session.post(f"{_vendor}/{number}", json={"order": order}) as response:
        await response.json()
    if number < 2:
        await step.defer_async(number=number + 1, order=order)


async def fill(url: str, count: int) -> None:
    with app.replace_connector(PsycopgConnector(conninfo=url)) as here:
        async with here.open_async():
            await here.schema_manager.apply_schema_async()
            await here.tasks["step"].batch_defer_async(
                *({"number": 0, "order": str(number)} for number in range(count))
            )


async def work(url: str) -> None:
    global _session
    _session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE))
    with app.replace_connector(PsycopgConnector(conninfo=url, max_size=16)) as here:
        async with here.open_async():
            await here.run_worker_async(concurrency=_AT_ONCE, delete_jobs="always", install_signal_handlers=False)


if __name__ == "__main__":
    import uvloop

    mode, database, _vendor, number_of = sys.argv[1:]
    uvloop.run(fill(database, int(number_of)) if mode == "fill" else work(database))
