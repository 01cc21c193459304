"""What each page of the desk and each reading operation of its API takes in the server, with a million events behind it
and with those of one day, one right after the other: as `Desk.all_pages()` and the API's description list them, and
lists with what people look for. Whoever visits is an owner who is signed in.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

import httpx
from tests.desk.addresses import address, is_page, newest, operations
from tests.desk.callers import Guest, pages_of, somebody
from tests.desk.story import Place, open_desk

from bellwire.access import Right, Role, issue_token
from bench.figures import Took
from bench.history import make_history
from bench.lived_in import CAUSES, RARE_CONNECTION, RARE_FLOW, RARE_TYPE, lived_in
from bench.orders import STANDARD, Orders
from bench.setting import Setting

_DAY = 1_440
"""Events: the history has one a minute."""
_VISITS = 7
_API = "/api/v1"
_FREQUENT, *_, _RARE = CAUSES


@dataclass(frozen=True)
class Visit:
    seconds: float
    processor: float
    """Of those, as many as the processor was at work for it: on a machine with other work, much less."""


async def measure(setting: Setting) -> None:
    orders, count = Orders(STANDARD), setting.counts.history
    with setting.database() as long, setting.database() as short:
        print(f"Writing a history of {count:,} events …", flush=True)
        await make_history(long, count, orders, lived_in())
        await make_history(short, _DAY, orders, lived_in())
        for _ in range(setting.counts.rounds):
            few = await visits(setting.folder, f"sqlite:///{short}", _DAY)
            many = await visits(setting.folder, f"sqlite:///{long}", count)
            for page, seen in many.items():
                if page in few:
                    worked = statistics.median(each.processor for each in seen)
                    took = Took(_median(few[page]), _median(seen), _largest(seen), 1000 * worked)
                    setting.figures.page(page, took)
            both = few.keys() & many.keys()
            setting.figures.add(
                desk_slowest_ms=max(map(_median, many.values())),
                desk_largest_ms=max(map(_largest, many.values())),
                growth_pages=sum(_median(many[each]) for each in both) / sum(_median(few[each]) for each in both),
            )


def _median(seen: Sequence[Visit]) -> float:
    """Milliseconds."""
    return 1000 * statistics.median(each.seconds for each in seen)


def _largest(seen: Sequence[Visit]) -> float:
    """Milliseconds."""
    return 1000 * max(each.seconds for each in seen)


async def visits(within: Path, ledger_url: str, events: int) -> dict[str, list[Visit]]:
    """By page; without those where there is nothing to see, as of something that no history has."""
    now, folder = datetime.now(UTC), Path(tempfile.mkdtemp(dir=within))
    async with open_desk(folder, ledger_url=ledger_url, editing=True, business="Hill & Leaf Tea") as place:
        place.now = now
        _, secret = await place.ledger.write(partial(somebody, name=f"dana {folder.name}", role=Role.OWNER, now=now))
        _, token = await place.ledger.write(lambda rows: issue_token(rows, "bench", tuple(Right), now, who="bench"))
        await place.desk.get_ready()  # as it is by itself soon after a start
        owner = Guest("dana", secret=secret, headers={"Authorization": f"Bearer {token}"})
        async with owner.window(place) as window:
            found = {each: await _visited(window, each, where) for each, where in (await _all(place, events)).items()}
        return {page: seen for page, seen in found.items() if seen}


async def _all(place: Place, events: int) -> dict[str, str]:
    """Addresses, by how they are listed."""
    listed = {page.path: page.path for page in pages_of(place, "GET") if page.needs}
    listed |= {_API + path: path for method, path, _ in await operations(place.url) if method == "GET"}
    found = {}
    for page, path in listed.items():
        samples = await place.ledger.read(partial(newest, path=path))
        found[page] = address(page, samples)
    return found | {page: page for page in _looking(events)}


def _looking(events: int) -> list[str]:
    """What people look for, and how far they leaf back."""
    middle, order = events // 2, 1_000_000 + events // 2
    found = [
        *(f"/{page}/{middle}" for page in ("runs", "events", "deliveries")),
        *(f"/{page}?before={middle}" for page in ("runs", "deliveries")),
        *(
            f"/runs?q={quote(text)}"
            for text in ("gwen okafor", "okafor", "gw", "g", str(order), str(order)[:3], "42.00")
        ),
        *(f"/runs?state={state}" for state in ("dead", "skipped", "held", "waiting", "done")),
        *(f"/runs?state={state}&flow=order_to_cash&q=okafor" for state in ("dead", "skipped")),
        *(f"/runs?flow={flow}" for flow in ("order_to_cash", RARE_FLOW, "nope")),
        f"/runs?flow={RARE_FLOW}&state=skipped",
        "/runs?from=2001-01-01&to=2001-01-02",
        *(f"/deliveries?state={state}" for state in ("dead", "skipped", "received")),
        f"/deliveries?connection={RARE_CONNECTION}",
        f"/deliveries?connection={RARE_CONNECTION}&state=dead",
        *(f"/exceptions?cause={cause}&connection={name}" for cause, name, *_ in (_FREQUENT, _RARE)),
        "/exceptions?state=closed",
        *(f"/exceptions?state=closed&{what}" for what in ("cause=permission", "cause=nope", "search=okafor")),
        *(f"/exceptions?search={text}" for text in ("okafor", str(order), "nobody")),
        "/exceptions?assignee=1",
        "/asks?kind=to-do",
        "/asks?flow=order_to_cash",
        *(f"/settings/audit?{what}" for what in ("who=Dana", "what=approve", "target=exception+7", "who=nobody")),
    ]
    api = [
        *(f"/events?type={name}" for name in ("order.paid", RARE_TYPE, "nope")),
        *(f"/events?connection={name}" for name in (RARE_CONNECTION, "nope")),
        f"/events?connection={RARE_CONNECTION}&type={RARE_TYPE}",
        f"/events?q=okafor&type={RARE_TYPE}",
        f"/events?after={middle}&type={RARE_TYPE}",
        "/runs?limit=200",
        "/events?limit=200",
        "/runs?q=okafor&limit=200",
        "/runs?state=skipped",
        f"/runs?after={middle}&state=skipped",
        "/deliveries?state=dead",
        "/exceptions?limit=200",
        "/exceptions?state=closed&limit=200",
        "/exceptions?search=okafor",
        "/asks?state=closed&limit=200",
        "/audit?limit=200&who=Sam",
    ]
    return found + [_API + each for each in api]


async def _visited(window: httpx.AsyncClient, page: str, where: str) -> list[Visit]:
    found = []
    for _ in range(_VISITS):
        began, worked = time.perf_counter(), time.process_time()
        answer = await window.get(where)
        found.append(Visit(time.perf_counter() - began, time.process_time() - worked))
        if answer.status_code >= 500:
            raise RuntimeError(f"{page} is answered by {answer.status_code}")
        if answer.status_code >= 300 or not (where.startswith(_API) or is_page(answer)):
            return []
    return found
