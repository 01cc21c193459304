"""Long work that people ask for on a page: done in the background, one at a time, to its end whoever looks.

The ledger has all of it: what a process that dies leaves undone is gone on with by the next, or by another beside it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from bellwire.clock import Clock
from bellwire.engine import deal_with, prepared
from bellwire.errors import BellwireError, LedgerBusy, NotFound
from bellwire.ledger import Database, ErrandRow, ErrandState, Rows, errands

log = structlog.get_logger()

_MOST_GOING_ON = 20
_AT_ONCE = 200
"""Exceptions that are dealt with in one transaction."""
_EVERY = 0.5
"""Seconds between two looks for what another process asked for, or did."""


@dataclass(frozen=True)
class Steps:
    """How each exception of an errand is dealt with: `look` finds out, without changing anything, whether it can be;
    `act` does it, in a transaction. Both raise BellwireError when it can't."""

    look: Callable[[Rows, int], None]
    act: Callable[[Rows, int], None]


How = Callable[[ErrandRow, datetime], Steps]
"""Of an errand, for the portion that is dealt with at that time."""


class Errands:
    def __init__(self, ledger: Database, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._asked = asyncio.Event()
        self._moved = asyncio.Event()
        """Set at the next portion that is done here; then there is another one."""

    def ask(self, rows: Rows, what: str, given: str, who: str, exceptions: Sequence[int]) -> ErrandRow:
        """In a transaction; then `hurry`. Raises BellwireError when too much is asked for already."""
        if sum(each.state is ErrandState.GOING_ON for each in errands.unfinished(rows)) >= _MOST_GOING_ON:
            raise BellwireError("Too much is being worked on already.", remedy="Do it again in a minute.")
        return found(rows, errands.plan(rows, what, given, who, exceptions, self._clock()))

    def go_on(self, rows: Rows, errand: int) -> ErrandRow:
        """Have one that was stopped go on: in a transaction; then `hurry`. Raises NotFound, BellwireError when it
        wasn't."""
        found(rows, errand)
        if not errands.go_on(rows, errand):
            raise BellwireError("It wasn’t stopped: there is nothing to go on with.")
        return found(rows, errand)

    def hurry(self) -> None:
        """Have looked at once for what was asked, or goes on."""
        self._asked.set()

    async def wait(self, errand: int, seconds: float) -> ErrandRow:
        """It, once it doesn't go on any more, or after so long. Raises NotFound."""
        until = asyncio.get_running_loop().time() + seconds
        while True:
            moved = self._moved
            row = await self._ledger.read(partial(found, errand=errand))
            left = until - asyncio.get_running_loop().time()
            if row.state is not ErrandState.GOING_ON or left <= 0:
                return row
            await _either(moved, min(left, _EVERY))

    async def carry(self, how: How) -> None:
        """Do what is asked for, by whichever process, until it is cancelled. Nothing is done twice if several do."""
        while True:
            self._asked.clear()
            try:
                row = await self._ledger.read(_next)
                if row is not None:
                    await self._portion(row, how)
                    self._moved.set()
                    self._moved = asyncio.Event()
                    continue
            except LedgerBusy:
                pass  # That is told by the ledger; it goes on once that can be written again.
            await _either(self._asked, _EVERY)

    async def _portion(self, errand: ErrandRow, how: How) -> None:
        """Raises LedgerBusy."""
        try:
            now = self._clock()
            steps = how(errand, now)
            ready = await self._ledger.read(partial(_ready, errand=errand.id, look=steps.look))

            def write(rows: Rows) -> None:
                taken = errands.take(rows, errand.id, [*ready])
                if not taken:
                    return
                failed = deal_with(rows, {number: ready[number] for number in taken}, now, steps.act)
                refused = [(number, str(error)) for number, error in failed]
                errands.forward(rows, errand.id, len(taken) - len(refused), refused, now)

            await self._ledger.write(write)
        except LedgerBusy:
            raise
        except Exception:
            log.exception("an errand failed", errand=errand.id, what=errand.what)
            why = "There is a fault in Bellwire; the log has the details."
            await self._ledger.write(lambda rows: errands.stop(rows, errand.id, why))


def found(rows: Rows, errand: int) -> ErrandRow:
    """Raises NotFound."""
    row = errands.find(rows, errand)
    if row is None:
        raise NotFound(
            f"There is no such work, or it was long ago: {errand}.",
            remedy="What couldn't be done is still open, and can be done again.",
        )
    return row


def _next(rows: Rows) -> ErrandRow | None:
    return next((each for each in errands.unfinished(rows) if each.state is ErrandState.GOING_ON), None)


def _ready(rows: Rows, errand: int, look: Callable[[Rows, int], None]) -> dict[int, BellwireError | None]:
    return prepared(rows, errands.portion(rows, errand, _AT_ONCE), look)


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Until it is set, or for so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
