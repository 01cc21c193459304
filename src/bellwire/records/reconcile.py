"""What happened since, as the vendors list it: so that a webhook that never came costs nothing but time.

A record becomes a delivery like one that was sent, and goes the same way from there. What is known already, by its
business keys, is left alone. How far a list has been read is written in the transaction that keeps a page's records, so
that it goes on there after a restart.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bellwire.clock import Clock
from bellwire.connectors.kit import POLLED, Call, Connection, FormBody, Listed, Poll
from bellwire.connectors.kit.limits import backlog
from bellwire.errors import BellwireError, CannotNormalise, LedgerBusy, Transient
from bellwire.events import Delivery
from bellwire.intake import redact, redact_fields
from bellwire.ledger import Database, PollRow, Rows, deliveries, events, polls

log = structlog.get_logger()

_LOOK = 2.0
"""Seconds between two looks at what is due."""
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)
_PAGES = 10_000
"""The most that one listing may have."""


@dataclass(frozen=True)
class Found:
    """What one listing brought."""

    listed: int = 0
    new: int = 0
    """Those that weren't known."""


Arrived = Callable[[int, Delivery], None]
"""Told of each delivery that was taken in, once it is durable."""


def not_told(_number: int, _delivery: Delivery) -> None:
    """For a process that has no engine: whoever has one looks by itself."""


class Reconciler:
    """Reads the lists of a project's vendors."""

    def __init__(self, ledger: Database, clock: Clock, arrived: Arrived = not_told) -> None:
        self._ledger = ledger
        self._clock = clock
        self._arrived = arrived

    async def catch_up(
        self, connection: Connection, poll: Poll, since: datetime, progress: Callable[[Found], None] = lambda _: None
    ) -> Found:
        """Take in all that changed since a time and isn't known. Raises VendorError, LedgerBusy."""
        row = PollRow(connection.name, poll.name, since, "", self._clock(), self._clock())
        return (await self._read(connection, poll, row, progress, kept=False))[0]

    async def go_on(self, connection: Connection, poll: Poll, row: PollRow) -> Found:
        """Take in what changed since the last time, and keep how far it is. Raises VendorError, LedgerBusy."""
        begun = row if row.begun_at else replace(row, begun_at=self._clock())
        found, last = await self._read(connection, poll, begun, lambda _: None, kept=True)
        assert last.begun_at is not None
        done = replace(
            last,
            since=max(last.since, last.begun_at - poll.overlap),
            begun_at=None,
            due_at=self._clock() + poll.every,
            failures=0,
            reason="",
            failing_since=None,
        )
        await self._ledger.write(lambda rows: polls.keep(rows, done, row.due_at))
        return found

    async def _read(
        self, connection: Connection, poll: Poll, row: PollRow, progress: Callable[[Found], None], *, kept: bool
    ) -> tuple[Found, PollRow]:
        call = Call.asking(connection, self._clock)
        found, seen = Found(), set[str]()
        for _ in range(_PAGES):
            page = await poll.page(call, row.since, row.cursor)
            row = replace(row, cursor=page.next_cursor or page.resume)
            new = await self._take_in(connection, poll, page.records, row if kept else None)
            found = Found(found.listed + len(page.records), found.new + new)
            progress(found)
            if not page.next_cursor:
                return found, row
            if page.next_cursor in seen:
                break
            seen.add(page.next_cursor)
        title = connection.manifest.title
        raise Transient(f"{title} lists the same page again and again.", cause="endless-list", detail=poll.name)

    async def _take_in(self, connection: Connection, poll: Poll, records: Sequence[Listed], row: PollRow | None) -> int:
        """Keep the records that aren't known, and in the same transaction how far the list is read."""
        made = [(record, _delivery(connection, poll, record, self._clock())) for record in records]
        told = {record.id: _keys(connection, delivery) for record, delivery in made}
        keys = {key for each in told.values() for key in each or ()}
        known = await self._ledger.read(lambda rows: events.known(rows, connection.name, keys))
        new = [(record, delivery) for record, delivery in made if _is_new(told[record.id], known)]

        def write(rows: Rows) -> list[tuple[int, Delivery]]:
            taken = []
            for record, delivery in new:
                name = f"{POLLED}/{poll.name}/{record.id}"
                accepted = deliveries.accept(rows, delivery, name, connection.environment)
                if not accepted.duplicate:
                    taken.append((accepted.id, delivery))
            if row is not None:
                polls.keep(rows, row, row.due_at)
            return taken

        taken = await self._ledger.write(write) if new or row is not None else []
        for number, delivery in taken:
            self._arrived(number, delivery)
        return len(taken)


class Polling:
    """Asks all vendors of a project in turn, for as long as it runs: each list when it is due, those of one connection
    one after the other."""

    def __init__(self, connections: Mapping[str, Connection], ledger: Database, reconciler: Reconciler, clock: Clock):
        self._polls = {
            (name, poll.name): (connection, poll)
            for name, connection in connections.items()
            if connection.connector.triggers is not None
            for poll in connection.connector.triggers.polls
        }
        self._ledger = ledger
        self._reconciler = reconciler
        self._clock = clock
        self._busy: dict[str, asyncio.Task[None]] = {}

    async def begin(self) -> dict[tuple[str, str], PollRow]:
        """New connections are asked for what happens from now on: to be said before webhooks are let in, as what one of
        them hints at is to be listed. Gives what had been begun before. Raises LedgerBusy."""
        now, rows = self._clock(), await self._ledger.read(polls.everything)
        begun = {(row.connection, row.name): row for row in rows}
        if unknown := self._polls.keys() - begun.keys():
            await self._ledger.write(lambda written: self._begin(written, unknown, now))
        return begun

    async def run(self) -> None:
        """Until it is cancelled."""
        if not self._polls:
            return
        try:
            while True:
                try:
                    await self.look()
                except LedgerBusy as error:
                    log.warning("what is to be polled could not be looked up", error=str(error))
                await asyncio.sleep(_LOOK)
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def look(self) -> None:
        """Ask for what is due."""
        now, rows = self._clock(), await self.begin()
        self._busy = {name: task for name, task in self._busy.items() if not task.done()}
        for (name, poll_name), row in rows.items():
            known = self._polls.get((name, poll_name))
            if known and row.due_at <= now and name not in self._busy:
                self._busy[name] = asyncio.create_task(self._poll(*known, row), name=f"poll of {name}")

    async def settled(self) -> None:
        """All that was begun has come to its end."""
        await asyncio.gather(*self._busy.values())

    def _begin(self, rows: Rows, unknown: set[tuple[str, str]], now: datetime) -> None:
        """What was before the connection came about isn't its business, unless it says since when it is."""
        for name, poll_name in sorted(unknown):
            connection, poll = self._polls[name, poll_name]
            since = min(connection.since or now, now)
            polls.begin(rows, name, poll_name, since, now if connection.since else now + poll.every)

    async def _poll(self, connection: Connection, poll: Poll, row: PollRow) -> None:
        backlog.set(True)  # Runs that go on go before it.
        try:
            found = await self._reconciler.go_on(connection, poll, row)
        except LedgerBusy as error:
            log.warning("a poll could not be kept", connection=connection.name, poll=poll.name, error=str(error))
        except Exception as error:
            await self._failed(connection, poll, row, error)
        else:
            if found.new:
                log.info(
                    "a poll found what no webhook brought", connection=connection.name, poll=poll.name, **vars(found)
                )

    async def _failed(self, connection: Connection, poll: Poll, row: PollRow, error: Exception) -> None:
        names = {"connection": connection.name, "poll": poll.name}
        if isinstance(error, BellwireError):
            log.warning("a poll failed", **names, error=str(error))
            reason = error.sentence
        else:
            log.error("a poll failed", **names, exc_info=error)
            reason = f"Bellwire could not read what {connection.manifest.title} lists: a fault in the program."
        wait = min(_FIRST_RETRY * 2 ** min(row.failures, 16), _LAST_RETRY)
        asked = error.retry_after if isinstance(error, Transient) else None

        def write(rows: Rows) -> None:
            # How far it is has been kept with each page.
            now_kept = next(
                each for each in polls.everything(rows) if (each.connection, each.name) == (row.connection, row.name)
            )
            failed = replace(
                now_kept,
                due_at=self._clock() + max(wait, asked or wait),
                failures=row.failures + 1,
                reason=reason,
                failing_since=row.failing_since or self._clock(),
            )
            polls.keep(rows, failed, row.due_at)

        try:
            await self._ledger.write(write)
        except LedgerBusy as busy:
            log.warning("a poll could not be kept", **names, error=str(busy))


def _delivery(connection: Connection, poll: Poll, record: Listed, now: datetime) -> Delivery:
    as_form = connection.manifest.webhook_body == FormBody()
    content_type = "application/x-www-form-urlencoded" if as_form else "application/json"
    headers = {POLLED: poll.name, "content-type": content_type}
    whole = Delivery(connection.name, headers, record.body, now)
    body = redact_fields(record.body, whole.form) if as_form else redact(record.body, whole.json)
    return whole if body is record.body else Delivery(connection.name, headers, body, now)


def _keys(connection: Connection, delivery: Delivery) -> list[str] | None:
    """The facts that are in it; None when it can't be read, which a person has to see."""
    assert connection.connector.triggers is not None
    try:
        normalised = connection.connector.triggers.normalise(delivery, connection)
    except CannotNormalise:
        return None
    return [event.business_key for event in normalised.events]


def _is_new(keys: list[str] | None, known: set[str]) -> bool:
    return keys is None or bool(set(keys) - known)
