"""The HTTP server: uvicorn, with bounds on what a sender may make it hold."""

import asyncio
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
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._deadline is not None:
            self._head += len(data)
        super().data_received(data)
        if self._deadline is not None and self._head > _LONGEST_HEAD:
            self._give_up()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._deadline is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head = 0
        self._deadline = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _head_is_there(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._head_is_there()
        self.transport.close()


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
        raise ConfigurationError(
            f"Bellwire can't listen on {host}:{port}: {error.strerror or error}.",
            remedy="Is another Bellwire running? Stop it, or set BELLWIRE_PORT.",
        ) from error
    listening.listen(2048)
    return listening
