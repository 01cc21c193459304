"""Parts of the desk below a path."""

import asyncio
import re
from collections.abc import Callable

from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send


class Below(Mount):
    """Everything below a path, also what has the end of a line in it: a Mount leaves that to nobody."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app=app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


class WhenAsked:
    """What takes long to put together, and may never be asked: made at the first request, beside all that goes on."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._made: asyncio.Future[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            self._made = asyncio.ensure_future(asyncio.to_thread(self._make))
        app = await asyncio.shield(self._made)
        await app(scope, receive, send)
