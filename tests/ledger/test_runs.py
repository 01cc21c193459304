"""Runs change hands by guarded updates: whoever lost a run writes nothing any more, and what is final stays final."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.events import Environment, Event
from bellwire.ledger import (
    AttemptRow,
    Database,
    Job,
    Kind,
    Outcome,
    Queue,
    Rows,
    RunRow,
    RunState,
    Wanted,
    events,
    finding,
    open_ledger,
    runs,
)
from tests.ledger.stuck import begin
from tests.ledgers import change
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
            waiting = finding.newest_runs(rows, Wanted(state=RunState.WAITING), limit=10)
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
    assert await desk.ledger.write(lambda rows: runs.retry(rows, desk.run, NOW, hurry=True))
    await desk.claim()
    await desk.leave(SECOND, state)
    assert not await desk.ledger.write(lambda rows: runs.retry(rows, desk.run, NOW, hurry=True))
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


async def test_what_a_crash_cut_off_has_an_unknown_outcome(desk: Desk) -> None:
    assert await desk.checkpoint(FIRST, Outcome.STARTED)
    await desk.ledger.write(lambda rows: runs.settle_cut_off(rows, desk.run, NOW))
    assert await desk.outcomes() == [Outcome.UNKNOWN]


async def test_after_a_crash_what_was_going_on_is_due(desk: Desk) -> None:
    assert await desk.ledger.write(lambda rows: runs.recover(rows, NOW)) == 1
    assert len(await desk.claim()) == 1


# Where a queue brings them


@dataclass(frozen=True)
class Shared:
    """A ledger that several processes share, and this one's end of its queue."""

    url: str
    ledger: Database
    queue: Queue

    async def begin(self, *numbers: str, running: bool = False) -> list[int]:
        return await self.ledger.write(lambda rows: [begin(rows, number, running=running) for number in numbers])

    async def jobs(self) -> list[Job]:
        return await self.queue.take(100)

    async def take(self, job: Job) -> RunRow | None:
        return await self.ledger.write(lambda rows: runs.take(rows, job.number, job.id, NOW))

    async def taken(self, number: str = "1001") -> tuple[Job, RunRow]:
        """A run that this process has by a job."""
        await self.begin(number)
        (job,) = await self.jobs()
        run = await self.take(job)
        assert run is not None
        return job, run

    async def run(self, number: int) -> RunRow:
        found = await self.ledger.read(lambda rows: runs.find(rows, number))
        assert found is not None
        return found


@pytest.fixture
async def shared(url: str) -> AsyncIterator[Shared]:
    async with open_ledger(url) as opened:
        queue = opened.queue()
        assert queue is not None
        yield Shared(url, opened, queue)
        await queue.close()


async def test_a_run_that_is_due_is_brought_once(shared: Shared) -> None:
    first, second = await shared.begin("1001", "1002")
    assert [(job.kind, job.number) for job in await shared.jobs()] == [(Kind.CARRY, first), (Kind.CARRY, second)]
    assert await shared.ledger.write(lambda rows: runs.bring_due(rows, LATER)) == 0
    assert await shared.jobs() == []


async def test_a_run_that_waits_for_its_time_is_brought_then(shared: Shared) -> None:
    _, run = await shared.taken()
    await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence, RunState.WAITING, now=NOW, due_at=LATER))
    before = LATER - timedelta(seconds=1)
    assert not await shared.ledger.read(lambda rows: runs.any_due(rows, before))
    assert await shared.ledger.write(lambda rows: runs.bring_due(rows, before)) == 0
    assert await shared.jobs() == []
    assert await shared.ledger.read(lambda rows: runs.any_due(rows, LATER))
    assert await shared.ledger.write(lambda rows: runs.bring_due(rows, LATER)) == 1
    assert not await shared.ledger.read(lambda rows: runs.any_due(rows, LATER))
    assert [job.number for job in await shared.jobs()] == [run.id]


async def test_more_than_a_portion_is_brought_portion_by_portion(shared: Shared) -> None:
    numbers = await shared.begin("1001", "1002", "1003")
    change(shared.url, "DELETE FROM pgqueuer")
    change(shared.url, "UPDATE runs SET due_at = 1")
    for brought in (2, 1, 0):
        assert await shared.ledger.write(lambda rows: runs.bring_due(rows, NOW, limit=2)) == brought
    assert [job.number for job in await shared.jobs()] == numbers


async def test_a_run_is_taken_by_one_job(shared: Shared) -> None:
    job, run = await shared.taken()
    assert (run.state, run.fence) == (RunState.RUNNING, SECOND)
    assert await shared.take(Job(job.id + 1, Kind.CARRY, run.id)) is None


async def test_a_run_that_isnt_due_yet_isnt_taken(shared: Shared) -> None:
    """As after a retry that was put off: its job had come before."""
    job, run = await shared.taken()
    await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence, RunState.WAITING, now=NOW, due_at=LATER))
    assert await shared.take(job) is None
    assert (await shared.run(run.id)).state is RunState.WAITING


@pytest.mark.parametrize("state", [*FINAL, RunState.DEAD, RunState.HELD])
async def test_a_run_that_nothing_is_to_be_done_about_isnt_taken(shared: Shared, state: RunState) -> None:
    job, run = await shared.taken()
    await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence, state, now=NOW))
    assert await shared.take(job) is None


async def test_who_is_brought_a_job_again_takes_over_what_is_going_on_by_it_and_the_other_has_lost_it(
    shared: Shared,
) -> None:
    job, run = await shared.taken()
    _, another = await shared.taken("1002")
    over = await shared.ledger.write(lambda rows: runs.take_over(rows, job.id))
    assert [(each.id, each.fence) for each in over] == [(run.id, run.fence + 1)]
    assert (await shared.run(another.id)).fence == another.fence
    lost = await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence, RunState.DONE, now=NOW))
    assert not lost
    assert await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence + 1, RunState.DONE, now=NOW))
    assert await shared.ledger.write(lambda rows: runs.take_over(rows, job.id)) == []


async def test_what_is_given_back_is_brought_at_once(shared: Shared) -> None:
    job, run = await shared.taken()
    _, another = await shared.taken("1002")
    assert await shared.ledger.write(lambda rows: runs.give_back(rows, job.id, NOW)) == 1
    (again,) = await shared.jobs()
    assert again.number == run.id and again.id != job.id
    taken = await shared.take(again)
    assert taken is not None and taken.fence == run.fence + 1
    assert (await shared.run(another.id)).state is RunState.RUNNING


async def test_what_is_going_on_by_a_job_that_is_there_isnt_swept(shared: Shared) -> None:
    _, run = await shared.taken()
    assert await shared.ledger.write(lambda rows: runs.sweep(rows, LATER, timedelta())) == 0
    assert await shared.run(run.id) == run
    assert await shared.jobs() == []


async def test_what_is_going_on_by_no_job_is_brought_anew(shared: Shared) -> None:
    _, run = await shared.taken()
    (moved,) = await shared.begin("1002", running=True)
    change(shared.url, "DELETE FROM pgqueuer")
    assert await shared.ledger.write(lambda rows: runs.sweep(rows, LATER, timedelta())) == 2
    assert [job.number for job in await shared.jobs()] == [run.id, moved]


async def test_what_waits_and_was_lost_from_the_queue_is_brought_anew_and_what_is_in_it_isnt(shared: Shared) -> None:
    lost, there = await shared.begin("1001", "1002")
    change(shared.url, f"DELETE FROM pgqueuer WHERE dedupe_key LIKE 'carry:{lost}:%'")  # noqa: S608
    assert await shared.ledger.write(lambda rows: runs.sweep(rows, LATER, timedelta())) == 0
    assert sorted(job.number for job in await shared.jobs()) == [lost, there]


async def test_what_waits_for_its_time_isnt_swept_into_the_queue(shared: Shared) -> None:
    job, run = await shared.taken()
    await shared.ledger.write(lambda rows: runs.leave(rows, run.id, run.fence, RunState.WAITING, now=NOW, due_at=LATER))
    await shared.queue.finish([job.id])
    assert await shared.ledger.write(lambda rows: runs.sweep(rows, NOW, timedelta())) == 0
    assert await shared.jobs() == []


async def test_where_there_is_no_queue_nothing_is_brought_or_swept(path: Path) -> None:
    async with open_ledger(f"sqlite:///{path}") as ledger:
        await ledger.write(lambda rows: begin(rows, "1001"))
        assert await ledger.write(lambda rows: (runs.bring_due(rows, LATER), runs.sweep(rows, LATER, timedelta()))) == (
            0,
            0,
        )
        assert await ledger.read(lambda rows: runs.any_due(rows, LATER))
