"""The purge: what goes, what stays, and that the file really shrinks while work goes on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bellwire.events import Delivery, Environment, Event, FreeForm
from bellwire.ledger import (
    AskKind,
    AskState,
    AttemptRow,
    CheckRow,
    ConsentRow,
    Database,
    DeliveryState,
    ExceptionState,
    Housekeeping,
    Keep,
    Outcome,
    Purged,
    Rows,
    RunState,
    asks,
    checks,
    consents,
    deliveries,
    errands,
    events,
    exceptions,
    runs,
    sales,
)
from bellwire.ledger import purge as removal
from tests.ledger.stuck import dealt_with
from tests.samples import NOW

KEEP = Keep.days(30, 90)
BODY = b"x" * 5_000
DATA = '{"name": "Robin", "told": "%s"}' % ("a" * 1_500)
RESULT = '{"id": "7", "told": "%s"}' % ("b" * 700)


@dataclass(frozen=True)
class Done:
    """What one delivery came to."""

    delivery: int
    event: int
    run: int


def come(rows: Rows, name: str, age: timedelta, *, run: RunState = RunState.DONE) -> Done:
    """A delivery of that age, with one event and its run, in which one action was tried."""
    then = NOW - age
    accepted = accept(rows, name, then)
    deliveries.settle(rows, accepted.id, DeliveryState.DONE)
    fact = Event(
        type="form.submitted",
        connection="site",
        environment=Environment.SANDBOX,
        business_key=f"form/{name}",
        subject=f"form/{name}",
        time=then,
        data=FreeForm(),
    )
    event = events.record(rows, fact, DATA, delivery=accepted.id, now=then)
    assert event is not None
    number = runs.start(
        rows, event, "lead", "hash", subject=f"site/form/{name}", received_at=then, now=then, state=RunState.RUNNING
    )
    assert number is not None
    tried = AttemptRow(number, "tell", 0, 1, Outcome.DONE, then, then, result=RESULT, detail="Robin is told")
    runs.checkpoint(rows, tried, 1)
    if run is RunState.DEAD:
        open_exception(rows, run=number, now=then)
    if run is not RunState.RUNNING:
        runs.leave(rows, number, 1, run, now=then, due_at=then if run is RunState.WAITING else None)
    return Done(accepted.id, event, number)


def start(rows: Rows, event: int, name: str, then: datetime, state: RunState, *, nonce: str = "") -> int | None:
    return runs.start(
        rows,
        event,
        "lead",
        "hash",
        subject=f"site/form/{name}",
        received_at=then,
        now=then,
        state=state,
        nonce=nonce,
    )


def accept(rows: Rows, name: str, then: datetime) -> deliveries.Accepted:
    return deliveries.accept(rows, Delivery("site", {"x": "y"}, BODY, then), name, Environment.SANDBOX)


def open_exception(rows: Rows, *, now: datetime, run: int | None = None, delivery: int | None = None) -> None:
    exceptions.open_one(
        rows,
        run=run,
        delivery=delivery,
        connection="site",
        cause="c",
        sentence="s",
        remedy="",
        detail="Robin's words",
        now=now,
    )


async def purge(ledger: Database, *, trial: bool = False) -> Purged:
    return await Housekeeping(ledger, lambda: KEEP, clock=lambda: NOW).purge(trial=trial)


async def has_payload(ledger: Database, done: Done) -> bool:
    return await ledger.read(lambda rows: deliveries.payload(rows, done.delivery)) is not None


async def data(ledger: Database, done: Done) -> str:
    row = await ledger.read(lambda rows: events.find(rows, done.event))
    assert row is not None
    return row.data


async def attempt(ledger: Database, done: Done) -> AttemptRow:
    (row,) = await ledger.read(lambda rows: runs.attempts(rows, done.run))
    return row


async def test_what_is_old_goes_and_what_is_young_stays(ledger: Database) -> None:
    ages = [timedelta(days=1), timedelta(days=31), timedelta(days=91)]
    young, middle, old = [await ledger.write(lambda rows, age=age: come(rows, str(age), age)) for age in ages]  # type: ignore[misc]
    purged = await purge(ledger)
    assert (purged.payloads, purged.events) == (2, 1)
    assert [await has_payload(ledger, each) for each in (young, middle, old)] == [True, False, False]
    assert [bool(await data(ledger, each)) for each in (young, middle, old)] == [True, True, False]
    kept, emptied = await attempt(ledger, middle), await attempt(ledger, old)
    assert (kept.result, kept.detail) == (RESULT, "Robin is told")
    assert (emptied.result, emptied.detail, emptied.outcome) == (None, "", Outcome.DONE)
    assert await purge(ledger) == Purged()


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.WAITING, RunState.DEAD])
async def test_what_isnt_finished_keeps_its_data_however_old(ledger: Database, state: RunState) -> None:
    old = await ledger.write(lambda rows: come(rows, "1", timedelta(days=900), run=state))
    assert (await purge(ledger)).events == 0
    assert await data(ledger, old) and (await attempt(ledger, old)).result
    await ledger.write(lambda rows: rows.run("UPDATE runs SET state = 'skipped'"))
    await ledger.write(lambda rows: exceptions.close_of_run(rows, old.run, ExceptionState.DISMISSED, NOW))
    assert (await purge(ledger)).events == 1
    assert await ledger.read(lambda rows: rows.all("SELECT detail FROM exceptions WHERE detail <> ''")) == []


async def test_what_came_together_with_others_keeps_its_data_until_their_run_is_finished(ledger: Database) -> None:
    age = timedelta(days=900)
    first = await ledger.write(lambda rows: come(rows, "1", age, run=RunState.WAITING))
    second = await ledger.write(lambda rows: come(rows, "2", age))
    values = {"run": first.run, "event": second.event}
    await ledger.write(lambda rows: rows.run("INSERT INTO gathered (run, event) VALUES (:run, :event)", values))
    assert (await purge(ledger)).events == 0
    assert await data(ledger, second)
    await ledger.write(lambda rows: rows.run("UPDATE runs SET state = 'done'"))
    assert (await purge(ledger)).events == 2


async def test_what_people_were_asked_goes_with_the_rest(ledger: Database) -> None:
    old = await ledger.write(lambda rows: come(rows, "1", timedelta(days=900)))

    def ask(rows: Rows) -> None:
        asks.ask(
            rows,
            run=old.run,
            flow="lead",
            action="tell",
            item=0,
            kind=AskKind.APPROVAL,
            text="Tell Robin?",
            given='{"name": "Robin"}',
            asked="Dana",
            now=NOW,
            expires_at=None,
        )
        asks.close(rows, 1, AskState.APPROVED, NOW, who="Dana")

    await ledger.write(ask)
    await purge(ledger)
    (row,) = await ledger.read(lambda rows: asks.of_run(rows, old.run))
    assert (row.text, row.given, row.state, row.who) == ("", "", AskState.APPROVED, "Dana")


async def test_a_replay_that_began_meanwhile_keeps_the_data(ledger: Database) -> None:
    """Between the look and the removal."""
    old = await ledger.write(lambda rows: come(rows, "1", timedelta(days=900)))

    def both(rows: Rows) -> int:
        runs.start(
            rows,
            old.event,
            "lead",
            "hash",
            subject="site/form/1",
            received_at=NOW,
            now=NOW,
            state=RunState.WAITING,
            nonce="again",
        )
        return removal.empty_events(rows, [old.event])

    assert await ledger.write(both) == 0
    assert await data(ledger, old)


async def test_what_couldnt_be_read_keeps_its_payload_until_it_is_dealt_with(ledger: Database) -> None:
    def dead(rows: Rows) -> int:
        accepted = accept(rows, "1", NOW - timedelta(days=900))
        deliveries.settle(rows, accepted.id, DeliveryState.DEAD, "Not to be read.")
        return accepted.id

    number = await ledger.write(dead)
    still_to_read = await ledger.write(lambda rows: accept(rows, "2", NOW - timedelta(days=900)))
    assert (await purge(ledger)).payloads == 0
    await ledger.write(lambda rows: deliveries.dismiss(rows, number, "Spam."))
    assert (await purge(ledger)).payloads == 1
    assert [n for n, _ in await ledger.read(lambda rows: deliveries.waiting(rows, after=0, limit=9))] == [
        still_to_read.id
    ]


async def test_a_payload_that_is_still_to_be_read_isnt_removed_even_if_asked(ledger: Database) -> None:
    waiting = await ledger.write(lambda rows: accept(rows, "1", NOW))
    assert await ledger.write(lambda rows: removal.remove_payloads(rows, [waiting.id])) == 0


async def test_what_was_sold_on_a_day_is_kept_for_ten_weeks(ledger: Database) -> None:
    def sold(rows: Rows) -> None:
        for days in range(60, 400):
            sales.add(rows, "sandbox", "TEA-100", NOW.date() - timedelta(days=days), 1)

    await ledger.write(sold)
    await purge(ledger, trial=True)
    assert len(await ledger.read(lambda rows: sales.since(rows, "sandbox", "TEA-100", date.min))) == 340
    await purge(ledger)
    left = await ledger.read(lambda rows: sales.since(rows, "sandbox", "TEA-100", date.min))
    assert [(NOW.date() - each.day).days for each in left] == list(range(70, 59, -1))


async def test_what_the_desk_keeps_over_a_restart_goes_in_its_time(ledger: Database) -> None:
    """Work in bulk with the details of events, what vendors said with payloads, sign-ins after ten minutes."""

    def keep(rows: Rows) -> None:
        for number, age in enumerate((timedelta(days=91), timedelta(days=89), timedelta(days=900)), 1):
            errands.plan(rows, "retry", "{}", "Dana", [1], NOW - age)
            if number != 3:
                dealt_with(rows, number, [1], (1, "no"))
        for name, days in (("shop", 31), ("books", 29)):
            checks.put(rows, CheckRow(name, "[]", NOW - timedelta(days=days)))
        consents.ask(rows, ConsentRow("old", "shop", "s", ""), NOW - timedelta(minutes=15))
        consents.ask(rows, ConsentRow("new", "books", "s", ""), NOW - timedelta(minutes=9))

    def left(rows: Rows) -> list[list[tuple[object, ...]]]:
        return [
            rows.all(f"SELECT {name} FROM {table} ORDER BY 1")  # noqa: S608
            for table, name in (
                ("errands", "id"),
                ("errand_steps", "errand"),
                ("checks", "connection"),
                ("consents", "state"),
            )
        ]

    await ledger.write(keep)
    everything = [[(1,), (2,), (3,)]] * 2 + [[("books",), ("shop",)], [("new",), ("old",)]]
    await purge(ledger, trial=True)
    assert await ledger.read(left) == everything
    await purge(ledger)
    assert await ledger.read(left) == [[(2,), (3,)], [(2,), (3,)], [("books",)], [("new",)]], "the third goes on"


async def test_a_repeat_is_recognised_after_the_purge(ledger: Database) -> None:
    old = await ledger.write(lambda rows: come(rows, "1", timedelta(days=900)))
    await purge(ledger)
    assert await ledger.write(lambda rows: accept(rows, "1", NOW)) == deliveries.Accepted(old.delivery, True)
    fact = Event(
        type="form.submitted",
        connection="site",
        environment=Environment.SANDBOX,
        business_key="form/1",
        subject="form/1",
        time=NOW,
        data=FreeForm(),
    )
    assert await ledger.write(lambda rows: events.record(rows, fact, "{}", delivery=None, now=NOW)) is None


async def test_for_how_long_things_are_kept_is_asked_at_each_purge(ledger: Database) -> None:
    done = await ledger.write(lambda rows: come(rows, "a", timedelta(days=8)))
    kept = [Keep.days(30, 90), Keep.days(7, 90)]
    housekeeping = Housekeeping(ledger, lambda: kept.pop(0), clock=lambda: NOW)
    assert [(await housekeeping.purge()).payloads for _ in range(2)] == [0, 1]
    assert not await has_payload(ledger, done)


async def test_a_trial_only_looks(ledger: Database) -> None:
    old = await ledger.write(lambda rows: come(rows, "1", timedelta(days=900)))
    before = await purge(ledger, trial=True)
    assert (before.payloads, before.events, before.given_back) == (1, 1, 0)
    assert before.size >= len(BODY)
    assert await has_payload(ledger, old) and await data(ledger, old)
    after = await purge(ledger)
    assert (after.payloads, after.events, after.size) == (before.payloads, before.events, before.size)


async def filled(ledger: Database, count: int) -> None:
    for first in range(0, count, 500):

        def fill(rows: Rows, first: int = first) -> None:
            for number in range(first, first + 500):
                come(rows, str(number), timedelta(days=900))

        await ledger.write(fill)


async def test_the_file_shrinks_by_what_was_taken_out(ledger: Database, path: Path) -> None:
    await filled(ledger, 2_000)
    assert await ledger.begin_log_anew()
    before = await ledger.size()
    purged = await purge(ledger)
    after = await ledger.size()
    assert purged.payloads == purged.events == 2_000
    assert after.file < before.file - 2_000 * (len(BODY) + len(DATA) + len(RESULT)) * 0.9
    assert purged.given_back == before.file - after.file and before.log == 0
    assert await ledger.read(lambda rows: rows.one("PRAGMA freelist_count")) == (0,)
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_nobody_waits_long_while_it_purges(ledger: Database) -> None:
    """Each transaction of the purge is small, so what comes meanwhile is written between two of them."""
    await filled(ledger, 2_000)
    await ledger.write(lambda rows: None)
    loop = asyncio.get_running_loop()
    purging = asyncio.create_task(purge(ledger))
    waits: list[float] = []
    while not purging.done():
        began = loop.time()
        await ledger.write(lambda rows: accept(rows, f"new-{len(waits)}", NOW))
        waits.append(loop.time() - began)
        await asyncio.sleep(0.002)
    assert (await purging).payloads == 2_000
    assert len(waits) > 50
    assert sorted(waits)[len(waits) * 9 // 10] < 1


@asynccontextmanager
async def kept(ledger: Database, *, log_bound: int) -> AsyncIterator[None]:
    task = asyncio.create_task(Housekeeping(ledger, lambda: KEEP, clock=lambda: NOW, log_bound=log_bound).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


BOUND = 4_000_000


@asynccontextmanager
async def a_reader_at_any_time(path: Path) -> AsyncIterator[None]:
    """Two that take turns so that the log is never unread: it can't begin anew by itself."""
    readers = [sqlite3.connect(path, isolation_level=None, check_same_thread=False) for _ in range(2)]

    async def read() -> None:
        turn = 0
        while True:
            readers[turn % 2].execute("BEGIN")
            readers[turn % 2].execute("SELECT COUNT(*) FROM crosswalk").fetchone()
            if readers[(turn + 1) % 2].in_transaction:
                readers[(turn + 1) % 2].execute("COMMIT")
            turn += 1
            await asyncio.sleep(0.01)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()
        for each in readers:
            each.close()


async def write_for(ledger: Database, path: Path, seconds: float) -> list[int]:
    """Write as much as goes; gives how large the log was, again and again."""
    loop, lengths = asyncio.get_running_loop(), []
    end, number = loop.time() + seconds, 0
    while loop.time() < end:
        await asyncio.gather(
            *(ledger.write(lambda rows, n=n: accept(rows, f"{seconds}-{n}", NOW)) for n in range(number, number + 20))  # type: ignore[misc]
        )
        number += 20
        lengths.append(ledger.log_bytes())
    return lengths


async def test_the_log_stays_bounded_though_somebody_reads_at_any_time(ledger: Database, path: Path) -> None:
    async with kept(ledger, log_bound=BOUND), a_reader_at_any_time(path):
        lengths = await write_for(ledger, path, 4)
    assert max(lengths) > BOUND, "nothing was proved"
    assert sum(later < earlier / 2 for earlier, later in pairwise(lengths)) >= 2, "it didn't begin anew again and again"
    written = sum(max(0, later - earlier) for earlier, later in pairwise(lengths))
    assert max(lengths) < written / 2


async def test_the_log_begins_anew_once_a_long_reader_has_gone(ledger: Database, path: Path) -> None:
    async with kept(ledger, log_bound=BOUND):
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM crosswalk").fetchone()
        lengths = await write_for(ledger, path, 2.5)
        assert lengths[-1] > BOUND, "as long as it reads, the log has to keep what it sees"
        reader.close()
        async with asyncio.timeout(30):
            while ledger.log_bytes() > BOUND:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
