"""The owner's consent in the browser: this machine waits for the vendor to send the browser back."""

import asyncio
import socket
import sys
import webbrowser
from contextlib import nullcontext
from typing import TYPE_CHECKING

from bellwire.cli.base import say
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connection

PORT = 8788
"""Where the answer is waited for, unless the command says otherwise: it is entered at the vendor beforehand."""
PATH = "/oauth/callback"
_PATIENCE = 600.0
"""Seconds that an owner may take."""


async def consent(connection: "Connection", port: int, *, paste: bool) -> dict[str, str]:
    """Have the owner consent, and keep the tokens that come of it. Gives what else the vendor said. Raises SignedOut,
    Transient, BellwireError."""
    from bellwire.connectors.kit import ask_consent, redeem_consent

    asked = ask_consent(connection, f"http://localhost:{port}{PATH}")
    listening = None if paste else _listen(port)
    say(f"Allow it in the browser: {asked.url}")
    say(f"({connection.manifest.title} has to know this address of your app beforehand: {asked.redirect_uri})")
    if listening is None:
        say("In the end the browser shows an address that begins with that one, and maybe that it can't be reached.")
        answer = await asyncio.to_thread(_pasted)
    else:
        answer = await _awaited(asked.url, listening)
    return await redeem_consent(connection, asked, answer)


def _pasted() -> str:
    if sys.stdin.isatty():
        say("Paste that address here:")
    return sys.stdin.readline().strip()


def _listen(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise BellwireError(
            f"Port {port} is taken: {error.strerror}.", remedy="Choose another one with --port, or use --paste."
        ) from error
    listening.listen()
    return listening


async def _awaited(url: str, listening: socket.socket) -> str:
    """The address that the browser is sent to in the end."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def callback(request: Request) -> HTMLResponse:
        if not answered.done():
            answered.set_result(str(request.url))
        return HTMLResponse(_PAGE)

    app = Starlette(routes=[Route(PATH, callback)])
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False))
    server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve([listening]))
    try:
        webbrowser.open(url)
        async with asyncio.timeout(_PATIENCE):
            return await answered
    except TimeoutError:
        raise BellwireError(f"Nobody answered within {_PATIENCE / 60:.0f} minutes.", remedy="Begin again.") from None
    finally:
        server.should_exit = True
        await serving


_PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Bellwire</title>
<meta name=viewport content="width=device-width,initial-scale=1">
<style>:root{color-scheme:light dark}
body{font:18px/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto;padding:0 1rem}
</style><h1>Thank you</h1><p>Bellwire goes on in the window where you began. You can close this one.</p></html>"""
