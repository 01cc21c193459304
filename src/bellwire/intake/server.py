"""The HTTP server: uvicorn, with bounds on what a sender may make it hold."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bellwire.errors import ConfigurationError

_LONGEST_HEAD = 65_536
"""Bytes of request line and headers; what is longer is cut off."""
_HEAD_SECONDS = 10.0
"""For request line and headers to arrive."""


class _Bounded(HttpToolsProtocol):
    """The parser itself bounds neither the length of the headers nor the time they take."""

    _head = 0
    _since: float | None = None
    """When the head that is awaited began; None while none is."""
    _watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()
        self._look()

    def data_received(self, data: bytes) -> None:
        if self._since is not None:
            self._head += len(data)
        super().data_received(data)
        if self._since is not None and self._head > _LONGEST_HEAD:
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._since is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._since = None
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head, self._since = 0, self.loop.time()

    def _look(self) -> None:
        """One timer for a connection, not one for a request: that costs nothing while all goes well."""
        now = self.loop.time()
        left = _HEAD_SECONDS if self._since is None else self._since + _HEAD_SECONDS - now
        if left <= 0:
            self.transport.close()
            return
        self._watch = self.loop.call_later(left, self._look)


@asynccontextmanager
async def serve(app: ASGIApp, host: str, port: int, *, stop_seconds: int = 5) -> AsyncIterator[int]:
    """Serve `app` for the length of the block; gives the port (a free one when `port` is 0).

    Raises ConfigurationError when the address can't be had.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_Bounded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=stop_seconds,
        backlog=2048,
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]  # signals are the command's
    serving = asyncio.create_task(server.serve([listening]), name="http")
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers nothing to wait for
            await asyncio.sleep(0.002)
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # Naming TCP makes asyncio switch off Nagle's delay.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError as error:
        in_use = "Is another Bellwire running? Stop it, or set BELLWIRE_PORT."
        elsewhere = "Set `host` and `port` in bellwire.toml to an address of this machine and a port that it may use."
        raise ConfigurationError(
            f"Bellwire can't listen on {host}:{port}: {error.strerror or error}.",
            remedy=in_use if error.errno == errno.EADDRINUSE else elsewhere,
        ) from error
    listening.listen(2048)
    return listening
