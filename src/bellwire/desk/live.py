"""Tells open pages that something has changed, so that they fetch themselves anew: server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bellwire.desk.visitor import Visitor, visitor_of
from bellwire.errors import LedgerBusy
from bellwire.ledger import Database, Rows, pulse

_EVERY = 1.0
"""Seconds between two looks, however many pages are open."""
_MOST = 100
"""Pages that are told; the others look by themselves."""
_SAID_EVERY = 20.0
"""Seconds after which something is said even if nothing has changed, so that a lost line shows: the page knows this."""
_ON_ITS_WAY = 10.0
"""Seconds that a page may take from its being made to its line: what changed meanwhile is told at once."""


@dataclass(eq=False)
class _Line:
    """To one open page."""

    visitor: Visitor
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something has changed, and when it is over."""
    over: bool = False

    def end(self) -> None:
        self.over = True
        self.stirred.set()


class Live:
    def __init__(
        self,
        ledger: Database,
        stays: Callable[[Rows, Visitor], bool],
        beside: Callable[[], object] = lambda: None,
    ) -> None:
        """`stays` says whether who was let in would still be: else their lines end. `beside` gives another value
        whenever something has changed that isn't in the ledger."""
        self._ledger = ledger
        self._stays = stays
        self._beside = beside
        self._lines: set[_Line] = set()
        self._mark: object = None
        self._changed_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def stream(self, request: Request) -> Response:
        if len(self._lines) >= _MOST or self._closed:
            return PlainTextResponse("Too many pages are open.", 503, headers={"Retry-After": "10"})
        headers = {"X-Accel-Buffering": "no"}
        told = self._told(_Line(visitor_of(request)))
        return StreamingResponse(told, media_type="text/event-stream", headers=headers)

    def close(self) -> None:
        """All lines end."""
        self._closed = True
        for line in self._lines:
            line.end()
        if self._looking is not None:
            self._looking.cancel()

    async def _told(self, line: _Line) -> AsyncIterator[str]:
        self._lines.add(line)
        try:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="live")
            if asyncio.get_running_loop().time() - self._changed_at < _ON_ITS_WAY:
                line.stirred.set()
            yield "retry: 5000\n\n"
            while not (self._closed or line.over):
                try:
                    async with asyncio.timeout(_SAID_EVERY):
                        await line.stirred.wait()
                except TimeoutError:
                    yield "event: here\ndata: 1\n\n"
                    continue
                line.stirred.clear()  # Before it is told: what changes meanwhile is told after it.
                if not line.over:
                    yield "event: changed\ndata: 1\n\n"
        finally:
            self._lines.discard(line)

    async def _look(self) -> None:
        while self._lines:
            with suppress(LedgerBusy):
                mark, gone = await self._ledger.read(
                    partial(self._seen, visitors={line.visitor for line in self._lines})
                )
                now = mark, self._beside()
                if self._mark not in (None, now):
                    self._changed_at = asyncio.get_running_loop().time()
                    for line in self._lines:
                        line.stirred.set()
                self._mark = now
                for line in self._lines:
                    if line.visitor in gone:
                        line.end()
            await asyncio.sleep(_EVERY)

    def _seen(self, rows: Rows, visitors: Collection[Visitor]) -> tuple[object, Collection[Visitor]]:
        """What is compared, and those of the visitors who wouldn't be let in any more."""
        return pulse.mark(rows), {each for each in visitors if not self._stays(rows, each)}
