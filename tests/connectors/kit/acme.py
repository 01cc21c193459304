"""A vendor that answers as a test tells it to, over real HTTP."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

import orjson
from aiohttp import web

from bellwire.connectors.kit import Auth, Connection, Limit, Manifest, NoAuth, NoSettings, connect, connector
from bellwire.connectors.kit.answer import Explain
from bellwire.events import Environment
from tests.connecting import Secrets
from tests.samples import NOW

Reply = Callable[[web.Request], Awaitable[web.Response]]


def reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """An answer; header names are written with underscores."""
    content = body if isinstance(body, bytes) else orjson.dumps(body if body is not None else {})

    async def answer(_: web.Request) -> web.Response:
        return web.Response(
            status=status, body=content, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    return answer


async def lost(request: web.Request) -> web.Response:
    """Breaks off without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


@dataclass(frozen=True)
class Seen:
    method: str
    url: str
    headers: Mapping[str, str]
    body: str


@dataclass
class Acme:
    """Gives the `script` one reply after the other, then 200."""

    script: list[Reply] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    _opened: list[Any] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._opened.append(runner.cleanup)
        return self

    async def __aexit__(self, *_: object) -> None:
        for close in reversed(self._opened):
            await close()

    async def _answer(self, request: web.Request) -> web.Response:
        self.seen.append(
            Seen(request.method, str(request.rel_url), dict(request.headers), (await request.read()).decode())
        )
        step = self.script.pop(0) if self.script else reply()
        return await step(request)

    def connection(
        self,
        auth: Auth | None = None,
        secrets: Secrets | None = None,
        *,
        limits: tuple[Limit, ...] = (),
        explain: Explain = lambda _answer: None,
        timeout: timedelta = timedelta(seconds=5),
        base_url: str | None = None,
        **manifest: Any,
    ) -> Connection:
        made = connect(
            "books",
            connector(
                Manifest(
                    name="acme",
                    title="Acme",
                    capabilities=(),
                    base_urls={Environment.SANDBOX: self.url},
                    auth=auth or NoAuth(),
                    limits=limits,
                    **manifest,
                ),
                explain=explain,
            ),
            Environment.SANDBOX,
            NoSettings(),
            secrets or Secrets({}),
            base_url=self.url if base_url is None else base_url,
            timeout=timeout,
            clock=lambda: NOW,
        )
        self._opened.append(made.api.close)
        return made

    def paths(self) -> Iterator[str]:
        return (request.url for request in self.seen)
