"""Long work in the background: one at a time, to its end, whoever dies on the way, and each step once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random

import pytest

from bellwire.clock import system_clock
from bellwire.desk import errands as module
from bellwire.desk.errands import Errands, Steps
from bellwire.errors import BellwireError
from bellwire.ledger import (
    Database,
    ErrandRow,
    ErrandState,
    ExceptionState,
    Rows,
    audit,
    errands,
    exceptions,
    open_ledger,
)
from tests.ledger.stuck import begin, stuck
from tests.ledgers import Ledgers
from tests.samples import NOW

SECONDS = 20.0


@dataclass
class Here:
    """A process at a ledger, as far as errands know it."""

    ledger: Database
    errands: Errands

    async def ask(self, what: str = "dismiss", *numbers: int) -> int:
        row = await self.ledger.write(lambda rows: self.errands.ask(rows, what, "", "Dana", numbers or (1,)))
        self.errands.hurry()
        return row.id

    async def go_on(self, errand: int) -> None:
        await self.ledger.write(lambda rows: self.errands.go_on(rows, errand))

    async def over(self, errand: int) -> ErrandRow:
        row = await self.errands.wait(errand, SECONDS)
        assert row.state is not ErrandState.GOING_ON
        return row

    async def acts(self) -> list[str]:
        """In the order in which they were done."""
        return [act.target for act in reversed(await self.ledger.read(lambda rows: audit.newest(rows, limit=10_000)))]


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Database]:
    async with open_ledger(ledger_url) as opened:
        yield opened


@pytest.fixture
def here(ledger: Database) -> Here:
    return Here(ledger, Errands(ledger, system_clock))


def note(errand: ErrandRow, now: datetime) -> Steps:
    """It is done by noting it."""
    return Steps(lambda *_: None, lambda rows, number: audit.record(rows, "Dana", errand.what, f"{number}", now))


def fails(error: Exception) -> Callable[[ErrandRow, datetime], Steps]:
    def act(*_: object) -> None:
        raise error

    return lambda *_: Steps(lambda *_: None, act)


@asynccontextmanager
async def carrying(*work: Awaitable[None]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_one_is_begun_when_the_one_before_is_over(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    await here.ask("first", 1, 2, 3)
    second = await here.ask("second", 4, 5)
    async with carrying(here.errands.carry(note)):
        assert (await here.over(second)).done == 2
    assert await here.acts() == ["1", "2", "3", "4", "5"]


async def test_one_that_fails_says_why_and_the_next_is_done_and_then_it_goes_on_when_asked(here: Here) -> None:
    first, second = await here.ask("first", 1, 2), await here.ask("second", 3)

    def how(errand: ErrandRow, now: datetime) -> Steps:
        return fails(RuntimeError("oh"))(errand, now) if errand.what == "first" else note(errand, now)

    async with carrying(here.errands.carry(how)):
        await here.over(second)
    stopped = await here.over(first)
    assert (stopped.state, stopped.done) == (ErrandState.STOPPED, 0) and "a fault in Bellwire" in stopped.stopped
    await here.go_on(first)
    with pytest.raises(BellwireError, match="It wasn’t stopped"):
        await here.go_on(first)
    async with carrying(here.errands.carry(note)):
        assert (await here.over(first)).done == 2
    assert await here.acts() == ["3", "1", "2"]


async def test_what_cant_be_done_is_told_with_its_reason(here: Here) -> None:
    errand = await here.ask("dismiss", 1, 2)
    async with carrying(here.errands.carry(fails(BellwireError("It is closed already.")))):
        row = await here.over(errand)
    assert (row.state, row.done, row.failed) == (ErrandState.DONE, 0, 2)
    reasons = await here.ledger.read(lambda rows: errands.refused(rows, errand))
    assert reasons == [(1, "It is closed already."), (2, "It is closed already.")]


async def test_too_many_at_once_are_refused(here: Here) -> None:
    for _ in range(20):
        await here.ask()
    with pytest.raises(BellwireError, match="Too much is being worked on already"):
        await here.ask()


async def test_nothing_is_lost_or_done_twice_however_often_who_does_it_dies(
    here: Here, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time, which there aren't unless one is thought dead; each is cut off at any moment."""
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    random = Random(11)  # noqa: S311
    numbers = await here.ledger.write(lambda rows: [stuck(rows, None) for _ in range(300)])
    errand = await here.ask("dismiss", *numbers)
    async with AsyncExitStack() as stack:
        there = here
        if ledger_url.startswith("postgresql"):
            ledger = await stack.enter_async_context(open_ledger(ledger_url))
            there = Here(ledger, Errands(ledger, system_clock))
        lives = 0
        while (row := await here.errands.wait(errand, 0)).state is ErrandState.GOING_ON:
            async with carrying(here.errands.carry(note), there.errands.carry(note)):
                lives += 1
                for _ in range(random.randrange(1, 60)):
                    await asyncio.sleep(0)
                await here.errands.wait(errand, random.random() / 50)
    assert lives > 2
    assert (row.done, row.failed) == (300, 0)
    assert sorted(map(int, await here.acts())) == numbers


async def test_what_one_process_asks_for_another_does_and_the_first_sees_it(ledgers: Ledgers) -> None:
    url = ledgers.postgres()
    async with open_ledger(url) as ledger, open_ledger(url) as other:
        here = Here(ledger, Errands(ledger, system_clock))
        async with carrying(other.alone("errands", lambda: Errands(other, system_clock).carry(note))):
            assert (await here.over(await here.ask("dismiss", 1, 2))).done == 2


def one_run(rows: Rows) -> list[int]:
    run = begin(rows, "a")
    return [stuck(rows, run, action=f"{number}", at=NOW) for number in range(3)]


async def test_one_decision_about_a_run_counts_for_all_of_its_exceptions(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    errand = await here.ask("dismiss", *await here.ledger.write(one_run))

    def close_run(_: ErrandRow, now: datetime) -> Steps:
        def act(rows: Rows, number: int) -> None:
            row = exceptions.find(rows, number)
            assert row is not None and row.run is not None
            if not exceptions.close_of_run(rows, row.run, ExceptionState.DISMISSED, now):
                raise BellwireError("It is closed already.")

        return Steps(lambda *_: None, act)

    async with carrying(here.errands.carry(close_run)):
        row = await here.over(errand)
    assert (row.done, row.failed) == (3, 0)
