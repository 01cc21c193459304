"""What a ledger's database does, whichever it is: one writer with group commit, and readers beside it.

A write is a function of a transaction. The writer takes all that are waiting, runs them in one transaction, commits
once (that is where the fsync is) and only then lets their callers go on. So durability costs a fraction of an fsync
for each write, and while one commit is under way the next batch gathers.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import structlog

from bellwire.errors import LedgerBusy
from bellwire.ledger.jobs import Kind, Queue

T = TypeVar("T")
log = structlog.get_logger()

HEAD = "0008"
"""The newest migration. A ledger that says so is opened without loading the migration tool."""
BATCH = 128
_SAID_EVERY = 5.0
"""Seconds between two words in the log about a ledger that can't be written: it may stand on the same full disk."""


class Write(NamedTuple):
    """An operation, and what to do with its result or its failure."""

    operation: Callable[["Rows"], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]
    lane: str | None
    """See `Database.write`."""


class Rows(ABC):
    """A transaction: runs SQL with `:name` parameters. What the databases say differently is a method here."""

    queued: ClassVar[bool]
    """Whether a queue brings work to processes."""

    @abstractmethod
    def run(self, sql: str, values: Mapping[str, Any] = {}) -> int:
        """How many rows it changed."""

    @abstractmethod
    def insert(self, sql: str, values: Mapping[str, Any]) -> int | None:
        """Into a table with numbered rows: the new row's id; None when `ON CONFLICT DO NOTHING` did nothing."""

    @abstractmethod
    def one(self, sql: str, values: Mapping[str, Any] = {}) -> tuple[Any, ...] | None:
        """The first row."""

    @abstractmethod
    def all(self, sql: str, values: Mapping[str, Any] = {}) -> list[tuple[Any, ...]]:
        """Every row."""

    @abstractmethod
    def enqueue(self, kind: Kind, numbers: Sequence[tuple[int, int]]) -> None:
        """Have work brought to a process with room, once this is committed: deliveries or runs, each with its turn.
        Nothing where there is no queue, and the engine looks by itself."""

    def job(self, number: str) -> str:
        """A query for the job of the queue with the number that this expression gives."""
        raise NotImplementedError

    def job_for(self, kind: Kind, number: str, turn: str) -> str:
        """A query for the job of the queue about what these expressions give."""
        raise NotImplementedError

    @abstractmethod
    def numbers(self, name: str) -> str:
        """A subquery with one column, `value`: the numbers in parameter `name`, which is a JSON list."""

    @abstractmethod
    def json_text(self, column: str, field: str) -> str:
        """An expression: a field of the JSON object in `column`, such as `customer.name`, as text; NULL when there is
        none, or no JSON."""

    @abstractmethod
    def count_all(self, table: str) -> int:
        """How many rows a table with numbered rows has, from which none is ever taken out."""

    @abstractmethod
    def empty(self, table: str, which: str, values: Mapping[str, Any], **emptied: str | None) -> None:
        """Give columns of the rows that fit `which` a shorter value, so that the room can be used again."""

    @abstractmethod
    def give_back(self, pages: int) -> bool:
        """Give at most `pages` free pages back to the disk. False when there is none left to give."""


@dataclass(frozen=True)
class Size:
    """In bytes."""

    file: int
    log: int
    """What is committed and not yet taken over into the file, and what was and isn't overwritten yet."""

    @property
    def total(self) -> int:
        return self.file + self.log


class Database(ABC):
    """A ledger. `max_waiting` writes may wait; one more raises LedgerBusy."""

    folder: Path | None
    """Where it is kept, if that is on this machine."""

    def queue(self) -> Queue | None:
        """An end of the queue that brings work to processes; None where there is none, and one process has all."""
        return None

    def __init__(self, *, max_waiting: int, readers: int) -> None:
        self._max_waiting = max_waiting
        self._waiting: deque[Write] = deque()
        self._wake = asyncio.Event()
        self._committing: Executor = ThreadPoolExecutor(1, "ledger-commit")
        self._reading: Executor = ThreadPoolExecutor(readers, "ledger-read")
        self._writer: asyncio.Task[None] | None = None
        self._said_at = -_SAID_EVERY

    def start(self) -> None:
        """Begin to write. Call it with the event loop running."""
        self._writer = asyncio.create_task(self._write_forever(), name="ledger-writer")

    async def close(self) -> None:
        """Take no more, write what is waiting, then close."""
        self._max_waiting = 0
        if self._writer is not None:
            with suppress(LedgerBusy):
                last: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._put(Write(lambda _: None, *_settling(last), None))
                await last
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        self._committing.shutdown()
        self._reading.shutdown()
        self._disconnect()

    @property
    def waiting(self) -> int:
        """How many writes wait for the next commit."""
        return len(self._waiting)

    async def write(self, operation: Callable[[Rows], T], *, lane: str | None = None) -> T:
        """Run `operation` in a transaction and return what it returned once that is on disk.

        Operations of one `lane` run one after the other. Those of several may run beside each other: a lane is for what
        looks at, and changes, nothing that those of other lanes do. One without runs while no other does.

        It may be run twice (when another operation of its batch fails), and in another thread, so it changes nothing
        but rows. Raises what it raises, and LedgerBusy when the ledger can't be written now.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(operation, *_settling(future), lane=lane)
        return await future

    def submit(
        self,
        operation: Callable[[Rows], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        *,
        lane: str | None = None,
    ) -> None:
        """The same for callers that don't wait: `done` gets what it returned, or `failed` what it raised. Neither may
        raise. Raises LedgerBusy when too much waits already."""
        if len(self._waiting) >= self._max_waiting:
            raise LedgerBusy("The ledger has too much waiting to be written.")
        self._put(Write(operation, done, failed, lane))

    def _put(self, write: Write) -> None:
        self._waiting.append(write)
        self._wake.set()

    async def read(self, query: Callable[[Rows], T]) -> T:
        """Run `query` in a thread on a connection that can't write; it sees everything committed so far. Raises
        LedgerBusy when the ledger can't be reached."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, query)

    async def alone(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do something that only one process at a time may do, as soon as no other does it."""
        await work()

    @abstractmethod
    async def size(self) -> Size:
        """How much room it takes. Raises OSError, LedgerBusy."""

    def log_bytes(self) -> int:
        """How large the log is that `begin_log_anew` cuts off; 0 when there is none."""
        return 0

    async def begin_log_anew(self) -> bool:
        """Have the log given back to the disk. False when somebody was in the way. Raises LedgerBusy."""
        return True

    @abstractmethod
    async def _write_batch(self, batch: list[Write]) -> None:
        """Run and commit, then tell each what it returned. Raises what an operation raises; then nothing is written."""

    @abstractmethod
    def _read(self, query: Callable[[Rows], T]) -> T:
        """In one of the threads for that."""

    @abstractmethod
    def _abandon(self) -> None:
        """Roll back what a failure left open."""

    @abstractmethod
    def _explained(self, error: Exception) -> Exception:
        """LedgerBusy in its place, if it is the database's own."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Close every connection."""

    async def _between_batches(self) -> None:  # noqa: B027 - there may be nothing
        """What only the writer can do."""

    async def _write_forever(self) -> None:
        while True:
            await self._wake.wait()
            await self._between_batches()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting:
                self._wake.clear()
            if not batch:
                continue
            try:
                await self._write_batch(batch)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._abandon()
                if len(batch) == 1 or isinstance(error, LedgerBusy):
                    self._fail(batch, error)
                else:
                    await self._one_by_one(batch)

    async def _one_by_one(self, batch: list[Write]) -> None:
        """One of them failed: each on its own, so that the others don't suffer."""
        for entry in batch:
            try:
                await self._write_batch([entry])
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._abandon()
                self._fail([entry], error)

    def _fail(self, batch: list[Write], error: Exception) -> None:
        error = self._explained(error)
        now = asyncio.get_running_loop().time()
        if isinstance(error, LedgerBusy) and now >= self._said_at + _SAID_EVERY:
            self._said_at = now
            log.error("the ledger can't be written", error=str(error))
        for write in batch:
            write.failed(error)


def _settling(future: "asyncio.Future[T]") -> tuple[Callable[[T], None], Callable[[Exception], None]]:
    """What settles a future, unless its caller has given up."""

    def done(result: T) -> None:
        if not future.done():
            future.set_result(result)

    def failed(error: Exception) -> None:
        if not future.done():
            future.set_exception(error)

    return done, failed
