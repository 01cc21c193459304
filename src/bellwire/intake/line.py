"""One connection of the HTTP server.

Requests below `/hooks/` are answered right here: parsed, handed to the intake, and answered in one write. All others
take uvicorn's way to the application. What a sender may make the server hold is bounded: the length and the time of
request line and headers, the time of the body, and the time for which an idle line stays open.
"""

import asyncio
from enum import Enum, auto
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bellwire.intake.hooks import Hooks, Incoming, Reply

_LONGEST_HEAD = 65_536
"""Bytes of request line and headers; what is longer is cut off."""
_HEAD_SECONDS = 10.0
"""For request line and headers to arrive."""
_IDLE_SECONDS = 30.0
"""Between two requests."""


class _Phase(Enum):
    HEAD = auto()
    """Request line and headers are awaited, or arriving."""
    BODY = auto()
    """A request of the intake is arriving."""
    STORING = auto()
    """It is complete, and waits for its answer."""
    UNREAD = auto()
    """It is answered already; the rest of its body is thrown away."""
    IDLE = auto()
    """Answered; the next request may come."""
    ELSEWHERE = auto()
    """A request of the application's is going on: uvicorn's business."""


class Line(HttpToolsProtocol):
    """Answers one request at a time. A sender that doesn't wait for its answer before it sends the next request
    (pipelining) finds the line closed after that answer, as RFC 9112, 9.3.2, allows."""

    hooks: Hooks | None = None
    """Set by the server, on a class of its own."""

    _phase = _Phase.HEAD
    _head = 0
    """Bytes of it so far."""
    _incoming: Incoming | None = None
    _last = False
    """The line is closed after the next answer."""
    _deaf = False
    """Nothing more is read from it."""
    _deadline: float | None = None
    """Of the phase, on the loop's clock."""
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._enter(_Phase.HEAD, _HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._phase is _Phase.BODY:
            assert self.hooks is not None and self._incoming is not None
            self.hooks.gone(self._incoming)
        self._incoming, self._deaf = None, True
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self._phase in (_Phase.BODY, _Phase.STORING):
            self._last = True
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._phase is _Phase.IDLE:
            self._enter(_Phase.HEAD, _HEAD_SECONDS)
        if self._phase is _Phase.HEAD:
            self._head += len(data)
        super().data_received(data)
        if self._phase is _Phase.HEAD and self._head > _LONGEST_HEAD:
            self.transport.close()

    # What the parser finds

    def on_message_begin(self) -> None:
        if self._phase is _Phase.STORING:
            self._deaf = self._last = True
        if self._deaf:
            return
        super().on_message_begin()
        if self._phase is not _Phase.HEAD:
            self._enter(_Phase.HEAD, _HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        if self._deaf:
            return
        self._head = 0
        path = self._path() if self.hooks is not None else None
        if path is None:
            self._enter(_Phase.ELSEWHERE, None)
            super().on_headers_complete()
        elif self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive, self._deaf = False, True
        else:
            self._begin(path)

    def on_body(self, body: bytes) -> None:
        if self._phase is _Phase.BODY and not self._deaf:
            assert self.hooks is not None and self._incoming is not None
            refusal = self.hooks.more(self._incoming, body)
            if refusal is not None:
                self._refuse(refusal)
        elif self._phase is _Phase.ELSEWHERE:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        if self._phase is _Phase.BODY:
            assert self.hooks is not None and self._incoming is not None
            self._phase, incoming = _Phase.STORING, self._incoming
            self.hooks.take(incoming, lambda reply: self._answer(incoming, reply))
        elif self._phase is _Phase.UNREAD:
            self._rest()
        elif self._phase is _Phase.ELSEWHERE:
            super().on_message_complete()

    # A request of the intake

    def _path(self) -> str | None:
        """With its query, if it is below `/hooks/`."""
        url: bytes = self.url
        if not url.startswith(b"/"):
            # The absolute form: RFC 9112, 3.2.2.
            parsed = httptools.parse_url(url)
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        return url.decode("latin-1") if url.startswith(b"/hooks/") else None

    def _begin(self, path: str) -> None:
        assert self.hooks is not None
        self._last = not self.parser.should_keep_alive()
        self._enter(_Phase.BODY, self.hooks.limits.seconds)
        begun = self.hooks.begin(self.parser.get_method(), path, self.headers)
        if isinstance(begun, Reply):
            self._refuse(begun)
            return
        self._incoming = begun
        if self.expect_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, reply: Reply) -> None:
        """Without reading the rest. It is thrown away: cut off in the middle, a sender may not see the answer."""
        self._incoming, self._phase = None, _Phase.UNREAD
        self._write(reply)

    def _answer(self, incoming: Incoming, reply: Reply) -> None:
        if self._incoming is incoming:  # else it came too late
            self._incoming = None
            self._write(reply)
            self._rest()

    def _rest(self) -> None:
        if self._last:
            self.transport.close()
        else:
            self._enter(_Phase.IDLE, _IDLE_SECONDS)

    def _write(self, reply: Reply) -> None:
        head = [STATUS_LINE[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            head += (name, b": ", value, b"\r\n")
        if self._last:
            head.append(b"connection: close\r\n")
        head.append(b"content-type: %b\r\ncontent-length: %d\r\n\r\n" % (reply.content_type, len(reply.body)))
        head.append(reply.body)
        self.transport.write(b"".join(head))
        self.server_state.total_requests += 1

    # Time

    def _enter(self, phase: _Phase, seconds: float | None) -> None:
        self._phase = phase
        if seconds is None:
            self._deadline = None
            return
        self._deadline = self.loop.time() + seconds
        # One timer for a line, not one for a phase: it looks when it fires, and that costs nothing while all goes well.
        if self._watch is None or self._watch.when() > self._deadline:
            if self._watch is not None:
                self._watch.cancel()
            self._watch = self.loop.call_at(self._deadline, self._look)

    def _look(self) -> None:
        self._watch = None
        if self._deadline is None:
            return
        if self.loop.time() < self._deadline:
            self._watch = self.loop.call_at(self._deadline, self._look)
        else:
            self._too_late()

    def _too_late(self) -> None:
        incoming = self._incoming
        if incoming is None or self.hooks is None:
            self.transport.close()
            return
        arrived = self._phase is _Phase.STORING
        # Nobody waits for the rest of a body that may never end.
        self._last = self._last or not arrived
        reply = self.hooks.late(incoming, arrived=arrived)
        self._phase = _Phase.STORING
        self._answer(incoming, reply)
