"""What each page of the desk and each reading operation of its API takes, with a million events behind it and with
those of one day, one right after the other: as `Desk.all_pages()` and the API's description list them."""

import re
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bellwire.access import Right, issue_token
from bellwire.desk import Desk, Site
from bellwire.ledger import open_ledger
from bench.history import make_history
from bench.orders import STANDARD, Orders
from bench.ours import flow
from bench.processes import answering, ours
from bench.setting import Setting

_DAY = 1_440
"""Events: the history has one a minute."""
_VISITS = 5
_API = "/api/v1"


async def measure(setting: Setting) -> None:
    orders, count = Orders(STANDARD), setting.counts.history
    with setting.database() as long, setting.database() as short:
        print(f"Writing a history of {count:,} events …", flush=True)
        tokens = {}
        for path, events in ((long, count), (short, _DAY)):
            await make_history(path, events, orders)
            tokens[path], pages = await _prepared(path)
        for _ in range(setting.counts.rounds):
            few, many = await _times(short, pages, tokens[short], _DAY), await _times(long, pages, tokens[long], count)
            for address, seconds in many.items():
                setting.figures.page(address, 1000 * few[address], 1000 * seconds)
            growth = sum(many.values()) / sum(few[address] for address in many)
            setting.figures.add(desk_slowest_ms=1000 * max(many.values()), growth_pages=growth)


async def _prepared(path: Path) -> tuple[str, list[str]]:
    """A token for the API; the paths of all pages."""
    async with open_ledger(f"sqlite:///{path}") as ledger:
        now = datetime.now(UTC)
        _, token = await ledger.write(lambda rows: issue_token(rows, "bench", tuple(Right), now, who="bench"))
        pages = Desk(Site(ledger, [flow()], {})).all_pages()
        return token, [page.path for page in pages if page.method == "GET" and page.needs and page.path != "/live"]


async def _times(path: Path, pages: list[str], token: str, events: int) -> dict[str, float]:
    """Seconds of each that answers: the median visit."""
    headers = {"Authorization": f"Bearer {token}"}
    with ours(path, "http://127.0.0.1:9", STANDARD, engine=False) as port:
        await answering(port)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            async with session.get(f"{_API}/openapi.json") as got:
                described = (await got.json())["paths"]
            reading = [_API + each for each, operations in described.items() if "get" in operations]
            found = {}
            for page in [*pages, *reading]:
                seconds = await _visits(session, _address(page, events), headers if page in reading else {})
                if seconds:
                    found[page] = statistics.median(seconds)
            return found


def _address(page: str, events: int) -> str:
    """In the middle of the history; of what isn't a number, the one that there is."""
    samples = {"flow": flow().id, "connection": "shop"}
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: samples.get(found[1], str(events // 2)), page)


async def _visits(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> list[float]:
    """How long each took; nothing where there is nothing to see, as of something that no history has."""
    found = []
    for _ in range(_VISITS + 1):
        began = time.perf_counter()
        async with session.get(address, headers=headers, allow_redirects=False) as got:
            await got.read()
            if got.status >= 500:
                raise RuntimeError(f"{address} is answered by {got.status}")
            if got.status != 200:
                return []
        found.append(time.perf_counter() - began)
    return found[1:]
