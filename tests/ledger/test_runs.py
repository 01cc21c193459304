"""Runs change hands by guarded updates: whoever lost a run writes nothing any more, and what is final stays final."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bellwire.events import Environment, Event
from bellwire.ledger import AttemptRow, Database, Outcome, Rows, RunRow, RunState, events, runs
from tests.samples import NOW, order

LATER = NOW + timedelta(hours=1)
FINAL = [RunState.DONE, RunState.SKIPPED]
FIRST, SECOND = 1, 2
"""The fence of the run's first holder, and of the one after it."""


@dataclass(frozen=True)
class Desk:
    """A ledger with one event, and a run that is held with the first fence."""

    ledger: Database
    event: int
    run: int

    async def start(self, flow: str = "test", nonce: str = "") -> int | None:
        return await self.ledger.write(
            lambda rows: runs.start(
                rows,
                self.event,
                flow,
                "hash",
                subject="till/order/1",
                received_at=NOW,
                now=NOW,
                state=RunState.RUNNING,
                nonce=nonce,
            )
        )

    async def leave(self, fence: int, state: RunState) -> bool:
        due = NOW if state is RunState.WAITING else None
        return await self.ledger.write(lambda rows: runs.leave(rows, self.run, fence, state, now=NOW, due_at=due))

    async def claim(self) -> list[RunRow]:
        """As the engine of this ledger does: what is due, or what a job is about."""

        def claim(rows: Rows) -> list[RunRow]:
            if not rows.queued:
                return runs.claim(rows, LATER, 10)
            waiting = runs.newest(rows, limit=10, state=RunState.WAITING)
            return [taken for run in waiting if (taken := runs.take(rows, run.id, 7, LATER))]

        return await self.ledger.write(claim)

    async def checkpoint(self, fence: int, outcome: Outcome = Outcome.DONE) -> bool:
        attempt = AttemptRow(self.run, "stock", 0, 1, outcome, NOW, NOW)
        return await self.ledger.write(lambda rows: runs.checkpoint(rows, attempt, fence))

    async def row(self) -> RunRow:
        found = await self.ledger.read(lambda rows: runs.find(rows, self.run))
        assert found is not None
        return found

    async def outcomes(self) -> list[Outcome]:
        return [each.outcome for each in await self.ledger.read(lambda rows: runs.attempts(rows, self.run))]


@pytest.fixture
async def desk(ledger: Database) -> AsyncIterator[Desk]:
    event = Event(
        type="order.paid",
        connection="till",
        environment=Environment.SANDBOX,
        business_key="till/order/1/paid",
        subject="order/1",
        time=NOW,
        data=order(),
    )
    number = await ledger.write(lambda rows: events.record(rows, event, "{}", delivery=None, now=NOW))
    assert number is not None
    run = await Desk(ledger, number, 0).start()
    assert run is not None
    yield Desk(ledger, number, run)


async def test_a_flow_runs_once_for_a_fact(desk: Desk) -> None:
    assert await desk.start() is None
    assert await desk.start(flow="another") is not None


async def test_a_replay_is_a_run_of_its_own_once(desk: Desk) -> None:
    assert await desk.start(nonce="again") is not None
    assert await desk.start(nonce="again") is None


async def test_a_run_is_claimed_by_one_worker_with_a_new_fence(desk: Desk) -> None:
    await desk.leave(FIRST, RunState.WAITING)
    assert [(run.id, run.fence) for run in await desk.claim()] == [(desk.run, SECOND)]
    assert await desk.claim() == []


async def test_a_run_that_is_going_on_is_not_claimed(desk: Desk) -> None:
    assert await desk.claim() == []


async def test_whoever_lost_a_run_writes_no_checkpoint_and_doesnt_end_it(desk: Desk) -> None:
    await desk.leave(FIRST, RunState.WAITING)
    await desk.claim()
    assert not await desk.checkpoint(FIRST)
    assert not await desk.leave(FIRST, RunState.DEAD)
    assert (await desk.outcomes(), (await desk.row()).state) == ([], RunState.RUNNING)
    assert await desk.checkpoint(SECOND)
    assert await desk.leave(SECOND, RunState.DONE)


async def test_whoever_lost_a_run_doesnt_release_it(desk: Desk) -> None:
    await desk.leave(FIRST, RunState.WAITING)
    await desk.claim()
    assert not await desk.ledger.write(lambda rows: runs.release(rows, desk.run, FIRST, NOW))
    assert (await desk.row()).state is RunState.RUNNING


@pytest.mark.parametrize("state", [*FINAL, RunState.DEAD, RunState.WAITING])
async def test_no_checkpoint_is_written_to_a_run_that_isnt_going_on(desk: Desk, state: RunState) -> None:
    await desk.leave(FIRST, state)
    assert not await desk.checkpoint(FIRST)
    assert await desk.outcomes() == []


@pytest.mark.parametrize("state", [*FINAL, RunState.DEAD])
async def test_a_final_state_is_not_left_by_its_old_holder(desk: Desk, state: RunState) -> None:
    await desk.leave(FIRST, state)
    assert not await desk.leave(FIRST, RunState.WAITING)
    assert (await desk.row()).state is state


@pytest.mark.parametrize("state", FINAL)
async def test_a_final_state_is_not_retried_but_a_dead_run_is(desk: Desk, state: RunState) -> None:
    await desk.leave(FIRST, RunState.DEAD)
    assert await desk.ledger.write(lambda rows: runs.retry(rows, desk.run, NOW))
    await desk.claim()
    await desk.leave(SECOND, state)
    assert not await desk.ledger.write(lambda rows: runs.retry(rows, desk.run, NOW))
    assert (await desk.row()).state is state


@pytest.mark.parametrize("state", FINAL)
async def test_what_has_come_to_its_end_is_not_skipped(desk: Desk, state: RunState) -> None:
    await desk.leave(FIRST, state)
    assert not await desk.ledger.write(lambda rows: runs.give_up(rows, desk.run, NOW, "called off"))
    assert (await desk.row()).state is state


async def test_an_attempt_that_has_its_outcome_keeps_it(desk: Desk) -> None:
    assert await desk.checkpoint(FIRST, Outcome.STARTED)
    assert await desk.checkpoint(FIRST, Outcome.DONE)
    assert not await desk.checkpoint(FIRST, Outcome.FAILED)
    assert await desk.outcomes() == [Outcome.DONE]


@pytest.mark.parametrize(
    ("state", "left"), [(RunState.DONE, Outcome.UNKNOWN), (RunState.DEAD, Outcome.STARTED)], ids=["done", "dead"]
)
async def test_once_a_run_is_done_no_attempt_says_that_it_is_still_going_on(
    desk: Desk, state: RunState, left: Outcome
) -> None:
    assert await desk.checkpoint(FIRST, Outcome.STARTED)
    assert not await desk.leave(SECOND, state)
    assert await desk.outcomes() == [Outcome.STARTED]
    assert await desk.leave(FIRST, state)
    assert await desk.outcomes() == [left]


async def test_after_a_crash_what_was_going_on_is_due(desk: Desk) -> None:
    assert await desk.ledger.write(lambda rows: runs.recover(rows, NOW)) == 1
    assert len(await desk.claim()) == 1
