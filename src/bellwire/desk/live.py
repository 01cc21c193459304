"""Tells open pages that something has changed, so that they fetch themselves anew: server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bellwire.errors import LedgerBusy
from bellwire.ledger import Database, pulse

_EVERY = 1.0
"""Seconds between two looks, however many pages are open."""
_MOST = 100
"""Pages that are told; the others look by themselves."""
_SAID_EVERY = 20.0
"""Seconds after which something is said even if nothing has changed, so that a lost line shows."""


class Live:
    def __init__(self, ledger: Database, beside: Callable[[], object] = lambda: None) -> None:
        """`beside` gives another value whenever something has changed that isn't in the ledger."""
        self._ledger = ledger
        self._beside = beside
        self._listeners = 0
        self._turn = asyncio.Event()
        """Set at the next change; then there is another one."""
        self._mark: object = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = False

    async def stream(self, _: Request) -> Response:
        if self._listeners >= _MOST or self._closed:
            return PlainTextResponse("Too many pages are open.", 503, headers={"Retry-After": "10"})
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._told(), media_type="text/event-stream", headers=headers)

    def close(self) -> None:
        """All lines end."""
        self._closed = True
        self._turn.set()
        if self._looking is not None:
            self._looking.cancel()

    async def _told(self) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="live")
            turn = self._turn
            yield "retry: 5000\n\n"
            while not self._closed:
                try:
                    async with asyncio.timeout(_SAID_EVERY):
                        await turn.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                turn = self._turn  # Before it is told: what changes meanwhile is told after it.
                if not self._closed:
                    yield "event: changed\ndata: 1\n\n"
        finally:
            self._listeners -= 1

    async def _look(self) -> None:
        while self._listeners:
            with suppress(LedgerBusy):
                mark = await self._ledger.read(pulse.mark), self._beside()
                if self._mark not in (None, mark):
                    turn, self._turn = self._turn, asyncio.Event()
                    turn.set()
                self._mark = mark
            await asyncio.sleep(_EVERY)
