"""Open pages are told that something has changed, over real HTTP, whatever ledger it is in."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bellwire.access import Role, begin_session, change_person, close_account
from bellwire.desk import live
from bellwire.errors import LedgerBusy
from bellwire.ledger import (
    AttemptRow,
    CheckRow,
    ExceptionState,
    HealthRow,
    Outcome,
    PersonRow,
    Rows,
    RunState,
    Trouble,
    checks,
    errands,
    exceptions,
    health,
    people,
    pulse,
    runs,
)
from tests.desk.story import NOW, Place, Story, open_desk
from tests.desk.visiting import give_account

MINUTE = timedelta(minutes=1)
CHANGED, NOTHING = "event: changed", "event: here"


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
async def listening(place: Place, session: str = "") -> AsyncIterator[aiohttp.ClientResponse]:
    """The line of a page that is open in a session, which has begun; or the refusal."""
    timeout, cookies = aiohttp.ClientTimeout(total=None, sock_read=30), {"bellwire_session": session} if session else {}
    async with (
        aiohttp.ClientSession(timeout=timeout, cookies=cookies) as opened,
        opened.get(f"{place.url}/live") as got,
    ):
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
    async with asyncio.timeout(30):
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


async def test_what_changes_in_a_run_or_beside_the_runs_is_told_too(
    place: Place, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these leaves as many runs in each state as there were."""
    monkeypatch.setattr(live, "_EVERY", 0.02)
    run, waits = await place.write(lambda story: (story.starts(NOW), story.waits(NOW, NOW + MINUTE)))
    errand = await place.ledger.write(lambda rows: errands.plan(rows, "retry", "{}", "Dana", [1, 2], NOW))
    await place.ledger.write(lambda rows: errands.stop(rows, errand, "a fault"))
    tried = {"cause": "busy", "sentence": "It is busy."}

    def waits_again(story: Story) -> None:
        (taken,) = runs.claim(story.rows, NOW + MINUTE, limit=1)
        assert runs.leave(story.rows, waits, taken.fence, RunState.WAITING, now=NOW, due_at=NOW + 3 * MINUTE)

    changes: dict[str, Callable[[Story], object]] = {
        "an attempt begins": lambda story: runs.checkpoint(story.rows, _attempt(run, 1, Outcome.STARTED), 1),
        "it ends": lambda story: runs.checkpoint(story.rows, _attempt(run, 1, Outcome.FAILED, **tried), 1),
        "a further attempt": lambda story: runs.checkpoint(story.rows, _attempt(run, 2, Outcome.DONE), 1),
        "one that waits was tried in vain, and waits again": waits_again,
        "a connection is tried in vain": lambda story: _out(story.rows, 1),
        "and again": lambda story: _out(story.rows, 2),
        "a vendor was asked": lambda story: checks.put(story.rows, CheckRow("shop", "[]", NOW)),
        "work in bulk goes on": lambda story: errands.go_on(story.rows, errand),
    }
    async with listening(place) as line:
        await until(lambda: bool(looks))
        for what, change in changes.items():
            seen = len(looks)
            await until(lambda seen=seen: len(looks) > seen)  # type: ignore[misc]
            await place.write(change)
            async with asyncio.timeout(30):
                assert await told(line) == CHANGED, what


def _attempt(run: int, number: int, outcome: Outcome, **more: Any) -> AttemptRow:
    end = None if outcome is Outcome.STARTED else NOW
    return AttemptRow(run, "label", 0, number, outcome, NOW, end, **more)


def _out(rows: Rows, failures: int) -> None:
    health.set_out(rows, HealthRow("shop", Trouble.DOWN, "It doesn't answer.", failures, NOW, None))


# Who is told


async def _close(place: Place, person: PersonRow) -> None:
    await place.ledger.write(lambda rows: close_account(rows, person.id, NOW, who="Olive"))


async def _sign_out(place: Place, person: PersonRow) -> None:
    await place.ledger.write(lambda rows: people.end_all(rows, person.id))


async def _demote(place: Place, person: PersonRow) -> None:
    await place.ledger.write(
        lambda rows: change_person(rows, person.id, name=person.name, role=Role.VIEWER, now=NOW, who="Olive")
    )


async def _let_time_pass(place: Place, _: PersonRow) -> None:
    place.now += timedelta(days=7)


@pytest.mark.parametrize("end", [_close, _sign_out, _demote, _let_time_pass])
async def test_a_line_ends_with_the_session_that_it_is_for_and_others_stay(
    place: Place, end: Callable[[Place, PersonRow], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    olive, dana = await give_account(place.ledger, "Olive"), await give_account(place.ledger, "Dana", Role.OPERATOR)
    secrets = [
        await place.ledger.write(partial(begin_session, person=olive.id, now=place.now + timedelta(hours=1), agent="")),
        await place.ledger.write(partial(begin_session, person=dana.id, now=place.now, agent="")),
    ]
    async with listening(place, secrets[0]) as hers, listening(place, secrets[1]) as line:
        await end(place, dana)
        said = [each async for each in _rest(line)]
        assert {*said} <= {CHANGED}
        await place.write(lambda story: story.done(NOW))
        async with asyncio.timeout(30):
            assert await told(hers) == CHANGED


async def _rest(line: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """What is said until it ends."""
    async with asyncio.timeout(30):
        while said := await told(line):
            yield said


async def test_the_line_of_who_needed_no_account_ends_when_there_is_one(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    async with listening(place) as line:
        await give_account(place.ledger, "Olive")
        assert {each async for each in _rest(line)} <= {CHANGED}


async def test_a_page_whose_line_comes_late_is_told_of_what_changed_meanwhile(
    place: Place, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_EVERY", 0.02)
    async with listening(place) as other:
        await until(lambda: bool(looks))
        await place.write(lambda story: story.done(NOW))
        assert await told(other) == CHANGED
        async with listening(place) as line:
            assert await told(line) == CHANGED


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
    assert not working._lines
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
        await until(lambda: len(place.desk._live._lines) < 100)
        async with listening(place) as line:
            assert line.status == 200
