"""Open pages are told that something has changed, over real HTTP, whatever ledger it is in."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from bellwire.desk import live
from bellwire.errors import LedgerBusy
from bellwire.ledger import ExceptionState, Rows, exceptions, pulse
from tests.desk.story import NOW, Place, Story, open_desk

CHANGED, NOTHING = "event: changed", ": still here"


@pytest.fixture
async def place(tmp_path: Path, ledger_url: str) -> AsyncIterator[Place]:
    async with open_desk(tmp_path, ledger_url=ledger_url) as place:
        yield place


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the ledger was looked at."""
    found: list[float] = []
    mark = pulse.mark

    def noted(rows: Rows) -> tuple[object, ...]:
        found.append(time.monotonic())
        return mark(rows)

    monkeypatch.setattr(pulse, "mark", noted)
    return found


@asynccontextmanager
async def listening(place: Place) -> AsyncIterator[aiohttp.ClientResponse]:
    """The line of an open page, which has begun; or the refusal."""
    timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{place.url}/live") as got:
        if got.status == 200:
            assert got.content_type == "text/event-stream" and got.headers["Cache-Control"] == "no-store"
            assert await got.content.readline() == b"retry: 5000\n"
        yield got


async def told(line: aiohttp.ClientResponse) -> str:
    """What is said next; empty at the end."""
    async for each in line.content:
        if each.startswith((b"event", b":")):
            return each.decode().strip()
    return ""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)


async def test_every_open_page_is_told_of_a_change_at_the_next_look(place: Place, looks: list[float]) -> None:
    """There is one look a second, however many pages are open: so each is told within two."""
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(listening(place)) for _ in range(5)]
        await until(lambda: bool(looks))
        for change in (lambda story: story.dies(NOW), _puts_right):
            before = len(looks)
            await place.write(change)
            assert [await told(line) for line in lines] == [CHANGED] * 5
            assert len(looks) - before <= 2
    assert all(later - earlier > 0.9 * live._EVERY for earlier, later in pairwise(looks))
    assert live._EVERY <= 1


def _puts_right(story: Story) -> None:
    assert exceptions.close(story.rows, 1, ExceptionState.DISMISSED, NOW)


async def test_without_a_change_nothing_is_told_but_that_the_line_is_there(
    place: Place, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    monkeypatch.setattr(live, "_SAID_EVERY", 0.3)
    await place.write(lambda story: story.done(NOW))
    async with listening(place) as line:
        assert [await told(line) for _ in range(3)] == [NOTHING] * 3
    assert len(looks) > 3


async def test_a_ledger_that_is_busy_for_a_while_ends_no_line(
    place: Place, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    mark, failures = pulse.mark, 0

    def busy(rows: Rows) -> tuple[object, ...]:
        nonlocal failures
        if len(looks) >= 1 and failures < 3:
            failures += 1
            raise LedgerBusy("It is busy.")
        return mark(rows)

    monkeypatch.setattr(pulse, "mark", busy)
    async with listening(place) as line:
        await until(lambda: failures == 3)
        await place.write(lambda story: story.done(NOW))
        assert await told(line) == CHANGED


async def test_when_nobody_listens_the_ledger_isnt_looked_at(
    place: Place, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    working = place.desk._live
    async with listening(place), listening(place):
        await until(lambda: bool(looks))
    await until(lambda: working._looking is not None and working._looking.done())
    assert working._listeners == 0
    async with listening(place) as line:
        seen = len(looks)
        await until(lambda: len(looks) > seen)
        await place.write(lambda story: story.done(NOW))
        assert await told(line) == CHANGED


async def test_at_the_end_all_lines_end_so_that_the_server_stops_at_once(tmp_path: Path, ledger_url: str) -> None:
    async with AsyncExitStack() as stack, open_desk(tmp_path, ledger_url=ledger_url) as place:
        lines = [await stack.enter_async_context(listening(place)) for _ in range(5)]
        place.desk.close()
        assert [await told(line) for line in lines] == [""] * 5
        async with listening(place) as late:
            assert late.status == 503
    # Cut off by the server, a line would have ended with an error, and only after its patience.


async def test_one_page_too_many_is_asked_to_come_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as place, AsyncExitStack() as others:
        for _ in range(99):
            assert (await others.enter_async_context(listening(place))).status == 200
        async with listening(place), listening(place) as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        await until(lambda: place.desk._live._listeners < 100)
        async with listening(place) as line:
            assert line.status == 200
