"""The queue brings each job to one process, and again if that doesn't keep it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from bellwire.errors import LedgerBusy
from bellwire.ledger import Database, Job, Kind, Queue, open_ledger
from bellwire.ledger.queue import PgQueue
from tests.ledgers import change
from tests.postgres import Server


@pytest.fixture
async def ends(here: Database) -> AsyncIterator[tuple[Queue, Queue]]:
    """Those of two processes."""
    one, other = here.queue(), here.queue()
    assert one is not None and other is not None
    yield one, other
    await one.close()
    await other.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """One that a test may stop."""
    made = Server(durable=False)
    made.start()
    yield made
    made.close()


async def enqueue(ledger: Database, *numbers: int, kind: Kind = Kind.CARRY, turn: int = 0) -> None:
    await ledger.write(lambda rows: rows.enqueue(kind, [(number, turn) for number in numbers]))


def lapse(url: str) -> None:
    """As if nobody had said a word about any job for so long."""
    change(url, f"UPDATE pgqueuer SET heartbeat = NOW() - interval '{Queue.lapse + 1} seconds'")  # noqa: S608


def left(url: str, table: str = "pgqueuer") -> int:
    with psycopg.connect(url) as other:
        row = other.execute(f"SELECT COUNT(*) FROM {table}".encode()).fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


def numbers(jobs: list[Job]) -> list[int]:
    return [job.number for job in jobs]


async def test_each_job_comes_to_one_process_the_oldest_first(here: Database, ends: tuple[Queue, Queue]) -> None:
    await enqueue(here, 3, 1)
    await enqueue(here, 2, kind=Kind.READ)
    one, other = ends
    first = await one.take(2)
    assert [(job.kind, job.number) for job in first] == [(Kind.CARRY, 3), (Kind.CARRY, 1)]
    assert [(job.kind, job.number) for job in await other.take(5)] == [(Kind.READ, 2)]
    assert await one.take(5) == []


async def test_a_job_is_there_once_its_transaction_is_committed_and_not_without(
    here: Database, ends: tuple[Queue, Queue]
) -> None:
    def fail(rows: object) -> None:
        rows.enqueue(Kind.CARRY, [(1, 0)])  # type: ignore[attr-defined]
        raise KeyError

    with pytest.raises(KeyError):
        await here.write(fail)
    assert await ends[0].take(1) == []


async def test_what_is_in_the_queue_isnt_enqueued_again_until_it_is_finished(
    here: Database, ends: tuple[Queue, Queue]
) -> None:
    one, other = ends
    await enqueue(here, 1)
    await enqueue(here, 1)
    await enqueue(here, 1, kind=Kind.READ)
    await enqueue(here, 1, turn=1)
    taken = await one.take(5)
    assert len(taken) == 3, "of one kind, number and turn there is one"
    await enqueue(here, 1)
    assert await other.take(5) == []
    await one.finish([job.id for job in taken])
    await enqueue(here, 1)
    assert numbers(await other.take(5)) == [1]


async def test_a_job_that_isnt_kept_comes_to_another_and_its_first_holder_hears_of_it(
    here: Database, ends: tuple[Queue, Queue], url: str
) -> None:
    await enqueue(here, 1, 2)
    one, other = ends
    first, second = await one.take(2)
    lapse(url)
    assert await one.keep([first.id]) == {first.id}
    assert await other.take(5) == [second]
    assert await one.keep([first.id, second.id]) == {first.id}
    assert await other.keep([first.id, second.id]) == {second.id}


async def test_who_has_lost_a_job_neither_keeps_nor_finishes_it(
    here: Database, ends: tuple[Queue, Queue], url: str
) -> None:
    await enqueue(here, 1)
    one, other = ends
    (job,) = await one.take(1)
    lapse(url)
    assert await other.take(1) == [job]
    await one.finish([job.id])
    assert await other.keep([job.id]) == {job.id}
    lapse(url)
    await one.keep([job.id])
    assert await one.take(1) == [job], "its holder hasn't kept it, whatever others said"


async def test_what_is_finished_leaves_nothing_behind(here: Database, ends: tuple[Queue, Queue], url: str) -> None:
    await enqueue(here, *range(20))
    jobs = await ends[0].take(20)
    await ends[0].finish([job.id for job in jobs[1:]])
    assert left(url) == 1
    await ends[0].finish([jobs[0].id])
    assert (left(url), left(url, "pgqueuer_log")) == (0, 0)


async def test_nothing_to_keep_or_to_finish_asks_nothing(ends: tuple[Queue, Queue]) -> None:
    assert await ends[0].keep([]) == set()
    await ends[0].finish([])


async def test_waiting_ends_when_something_comes_or_when_the_time_is_over(
    here: Database, ends: tuple[Queue, Queue]
) -> None:
    queue = ends[0]
    assert await queue.take(1) == []
    await queue.wait(0.01)
    waiting = asyncio.create_task(queue.wait(60))
    await enqueue(here, 1)
    await asyncio.wait_for(waiting, 30)
    assert numbers(await queue.take(1)) == [1]


@pytest.mark.parametrize("later", range(4))
async def test_who_is_cancelled_waits_no_more_even_if_something_comes_at_that_moment(
    here: Database, ends: tuple[Queue, Queue], later: int
) -> None:
    queue = ends[0]
    await queue.take(1)

    async def wait_for_ever() -> None:
        while True:
            await queue.wait(60)

    waiting = asyncio.create_task(wait_for_ever())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert isinstance(queue, PgQueue)
    queue._changed.set()
    for _ in range(later):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(waiting, 30)


async def test_a_server_that_was_away_is_told_and_asked_again_once_it_is_back(server: Server) -> None:
    async with open_ledger(server.url("postgres")) as ledger:
        queue = ledger.queue()
        assert queue is not None
        await enqueue(ledger, 1, 2)
        (first,) = await queue.take(1)
        server.stop()
        with pytest.raises(LedgerBusy, match="queue can't be reached"):
            await queue.keep([first.id])
        server.start()
        assert await queue.keep([first.id]) == {first.id}, "it is the same process still"
        assert numbers(await queue.take(1)) == [2]
        waiting = asyncio.create_task(queue.wait(60))
        await enqueue(ledger, 3)
        await asyncio.wait_for(waiting, 30)
        await queue.close()


async def test_a_listener_that_is_cut_off_is_replaced(here: Database, ends: tuple[Queue, Queue], url: str) -> None:
    queue = ends[0]
    assert await queue.take(1) == []
    with psycopg.connect(url, autocommit=True) as other:

        def listeners() -> set[int]:
            found = other.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle'")
            return {row[0] for row in found}

        (first,) = listeners()
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        async with asyncio.timeout(30):
            while not listeners():
                assert await queue.take(1) == []
    waiting = asyncio.create_task(queue.wait(60))
    await enqueue(here, 1)
    await asyncio.wait_for(waiting, 30)
