"""The HTTP server: uvicorn, with lines that hand webhooks straight to the intake."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

import uvicorn
from starlette.types import ASGIApp

from bellwire.errors import ConfigurationError
from bellwire.intake.hooks import Hooks
from bellwire.intake.line import Line


@asynccontextmanager
async def serve(
    app: ASGIApp, host: str, port: int, *, hooks: Hooks | None = None, stop_seconds: int = 5
) -> AsyncIterator[int]:
    """Serve `app`, and `hooks` below `/hooks/`, for the length of the block; gives the port (a free one when `port`
    is 0).

    Raises ConfigurationError when the address can't be had.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=type("Line", (Line,), {"hooks": hooks}),
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
