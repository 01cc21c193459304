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
        self._changed = asyncio.Condition()
        self._mark: object = None
        self._looking: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def stream(self, _: Request) -> Response:
        if self._listeners >= _MOST or self._closed.is_set():
            return PlainTextResponse("Too many pages are open.", 503, headers={"Retry-After": "10"})
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(self._told(), media_type="text/event-stream", headers=headers)

    def close(self) -> None:
        """All lines end."""
        self._closed.set()
        if self._looking is not None:
            self._looking.cancel()

    async def _told(self) -> AsyncIterator[str]:
        self._listeners += 1
        try:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look(), name="live")
            yield "retry: 5000\n\n"
            while not self._closed.is_set():
                yield "event: changed\ndata: 1\n\n" if await self._next() else ": still here\n\n"
        finally:
            self._listeners -= 1

    async def _next(self) -> bool:
        """Whether something has changed; False after a while without."""
        waiting = {
            asyncio.ensure_future(self._change()),
            asyncio.ensure_future(self._closed.wait()),
        }
        try:
            done, _ = await asyncio.wait(waiting, timeout=_SAID_EVERY, return_when=asyncio.FIRST_COMPLETED)
            return bool(done) and not self._closed.is_set()
        finally:
            for each in waiting:
                each.cancel()

    async def _change(self) -> None:
        async with self._changed:
            await self._changed.wait()

    async def _look(self) -> None:
        while self._listeners:
            with suppress(LedgerBusy):
                mark = await self._ledger.read(pulse.mark), self._beside()
                if self._mark not in (None, mark):
                    async with self._changed:
                        self._changed.notify_all()
                self._mark = mark
            await asyncio.sleep(_EVERY)
