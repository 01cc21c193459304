"""The practice server: simulated vendors on one port, each below its own path, with an index page.

/                         what there is, for people
/VENDOR/…                 the vendor's API
/practice/VENDOR/calls    the requests it received, as JSON
/practice/VENDOR/state    all it holds, as JSON
/practice/VENDOR/faults   POST a Fault to make it fail; DELETE takes them back
/practice/VENDOR/webhooks POST a Sending to have a shop take an order and send its webhooks
"""

import asyncio
import importlib
import pkgutil
import socket
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache
from importlib.util import find_spec
from typing import Any, Self

import aiohttp
import orjson
import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import bellwire.practice
from bellwire.connectors.registry import own_connector_names
from bellwire.errors import NotFound
from bellwire.practice.faults import Fault, FaultKind
from bellwire.practice.quota import take
from bellwire.practice.roles import Shop
from bellwire.practice.sending import Sending, send
from bellwire.practice.simulator import Received, Simulator

_MACHINERY = {
    "assertions",
    "bygone",
    "catalogue",
    "driving",
    "faults",
    "pilot",
    "practising",
    "project",
    "quota",
    "roles",
    "sending",
    "server",
    "simulator",
    "stage",
    "stories",
    "tokens",
}


@cache
def _our_names() -> list[str]:
    return [m.name for m in pkgutil.iter_modules(bellwire.practice.__path__) if m.name not in _MACHINERY]


def simulator_names() -> list[str]:
    """The vendors that can be practised with. A project's own connector brings its simulator along."""
    own = [name for name in own_connector_names() if find_spec(f"bellwire.connectors.{name}.practice")]
    return sorted({*_our_names(), *own})


def find_simulator(vendor: str) -> type[Simulator]:
    """The simulator of a connector. Raises NotFound."""
    if vendor not in simulator_names():
        raise NotFound(
            f"There is no practice server for '{vendor}'.", remedy=f"There are: {', '.join(simulator_names())}."
        )
    own = vendor in own_connector_names()
    module = f"bellwire.connectors.{vendor}.practice" if own else f"bellwire.practice.{vendor}"
    found: type[Simulator] = importlib.import_module(module).SIMULATOR
    return found


class _Droppable(HttpToolsProtocol):
    """HTTP as usual, and a way to break a connection off without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"bellwire.drop": {"now": self.transport.abort}}


class Practice:
    """Simulators, listening on loopback. Use as an asynchronous context manager."""

    def __init__(self, vendors: Iterable[str] | None = None, *, port: int = 0) -> None:
        self.simulators: dict[str, Simulator] = {name: find_simulator(name)() for name in vendors or simulator_names()}
        self._port = port
        self._server: uvicorn.Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def base_url(self, vendor: str) -> str:
        """What a connection's `base_url` has to be to reach the simulator."""
        return self.simulators[vendor].address or f"{self.url}/{vendor}"

    async def __aenter__(self) -> Self:
        # With its protocol named, asyncio turns Nagle's algorithm off; else each answer may take 40 ms.
        listening = socket.socket(proto=socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        for simulator in self.simulators.values():
            await simulator.start()
        config = uvicorn.Config(
            self.app(),
            http=_Droppable,
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            timeout_keep_alive=60,  # seconds, as vendors do: longer than a client keeps a line that is idle
        )
        self._server = uvicorn.Server(config)
        # Ctrl-C belongs to whoever started us.
        self._server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        self._serving = asyncio.create_task(self._server.serve([listening]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
            await asyncio.sleep(0.005)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None and self._serving is not None
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving
        for simulator in self.simulators.values():
            await simulator.stop()

    def app(self) -> Starlette:
        mounts = [
            Mount(f"/{name}", _Recorder(simulator, Starlette(routes=list(simulator.routes()))))
            for name, simulator in self.simulators.items()
        ]
        control = [
            Route("/practice/{vendor}/calls", self._calls),
            Route("/practice/{vendor}/state", self._state),
            Route("/practice/{vendor}/faults", self._faults, methods=["POST", "DELETE"]),
            Route("/practice/{vendor}/webhooks", self._webhooks, methods=["POST"]),
            Route("/", self._index),
        ]
        return Starlette(routes=[*control, *mounts])

    def _simulator(self, request: Request) -> Simulator | None:
        return self.simulators.get(request.path_params["vendor"])

    async def _calls(self, request: Request) -> Response:
        if (simulator := self._simulator(request)) is None:
            return _unknown(request)
        return _json([asdict(call) for call in simulator.received])

    async def _state(self, request: Request) -> Response:
        if (simulator := self._simulator(request)) is None:
            return _unknown(request)
        return _json(simulator.state())

    async def _faults(self, request: Request) -> Response:
        if (simulator := self._simulator(request)) is None:
            return _unknown(request)
        if request.method == "DELETE":
            simulator.faults.clear()
            return Response(status_code=204)
        try:
            simulator.faults.add(Fault.model_validate_json(await request.body()))
        except ValidationError as error:
            return _not_understood(error)
        return Response(status_code=204)

    async def _webhooks(self, request: Request) -> Response:
        if (simulator := self._simulator(request)) is None:
            return _unknown(request)
        if not isinstance(simulator, Shop):
            return JSONResponse({"error": f"The practice '{simulator.vendor}' sends no webhooks."}, 422)
        try:
            wanted = Sending.model_validate_json(await request.body())
            return _json(await send(simulator, wanted))
        except ValidationError as error:
            return _not_understood(error)
        except (aiohttp.ClientError, TimeoutError) as error:
            return JSONResponse({"error": f"Nobody answers at {wanted.to}: {error}"}, 502)

    async def _index(self, request: Request) -> Response:
        rows = "".join(
            f"<tr><th scope=row>{name}<td><code>{self.base_url(name)}</code><td>{len(simulator.received)} requests"
            f'<td><a href="/practice/{name}/calls">what it received</a>,'
            f' <a href="/practice/{name}/state">what it holds</a></tr>'
            for name, simulator in self.simulators.items()
        )
        return HTMLResponse(_PAGE.replace("ROWS", rows))


class _Recorder:
    """Around one simulator: notes each request and its end, keeps its quotas, and produces the faults."""

    def __init__(self, simulator: Simulator, app: ASGIApp) -> None:
        self._simulator = simulator
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        simulator = self._simulator
        request = Request(scope, receive)
        body = await request.body()
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        asked = f"{request.method} {path} {body.decode(errors='replace')}"
        wait = take(simulator.quotas, asked)
        fault = None if wait else simulator.faults.next(asked)
        kind = fault.kind if fault else None
        statuses: list[int] = []
        answered = bytearray()
        delivered = False

        async def replay() -> Message:
            nonlocal delivered
            if delivered:
                return await receive()
            delivered = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            answered.extend(message.get("body", b""))
            if kind is not FaultKind.LOST_ANSWER:
                await send(message)

        app: ASGIApp = self._app
        if wait:
            app = simulator.over_quota(wait)
        elif fault and kind is FaultKind.RATE_LIMITED:
            app = simulator.rate_limited(fault.seconds)
        elif kind is FaultKind.FAILED:
            app = simulator.failed()
        elif kind is FaultKind.SIGNED_OUT:
            app = simulator.signed_out()
        elif fault and kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        try:
            await app(scope, replay, note)
        finally:
            status = None if kind is FaultKind.LOST_ANSWER or not statuses else statuses[0]
            answer = None if status is None else _readable(bytes(answered))
            query = {k: v for k, v in request.query_params.items() if k not in simulator.secret_params}
            simulator.received.append(
                Received(request.method, path, query, _readable(body), status, kind or "", answer=answer)
            )
        if kind is FaultKind.LOST_ANSWER:
            scope["extensions"]["bellwire.drop"]["now"]()


def _readable(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return body.decode(errors="replace")


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS), media_type="application/json")


def _not_understood(error: ValidationError) -> Response:
    return JSONResponse({"error": error.errors(include_url=False, include_context=False)}, 422)


def _unknown(request: Request) -> Response:
    return JSONResponse({"error": f"There is no practice server for '{request.path_params['vendor']}'."}, 404)


_PAGE = """<!doctype html><html lang=en><meta charset=utf-8><title>Bellwire practice</title>
<meta name=viewport content="width=device-width,initial-scale=1">
<style>:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.5rem;border-bottom:1px solid #8884}
code{overflow-wrap:anywhere}
@media(max-width:40rem){thead{display:none}tr{display:block;padding:.5rem 0;border-bottom:1px solid #8884}
th,td{display:inline-block;padding:.2rem .5rem .2rem 0;border:0}}</style>
<h1>Practice vendors</h1><p>Each speaks its vendor's API and moves no real money or goods.
Point a connection's <code>base_url</code> at the address.</p>
<p>POST <code>{"kind": "failed", "match": "POST .*1001"}</code> to <code>/practice/VENDOR/faults</code> makes it fail
(<code>rate-limited</code>, <code>failed</code>, <code>slow</code>, <code>lost-answer</code>, <code>signed-out</code>).
POST <code>{"to": "http://127.0.0.1:8787/hooks/shop", "copies": 3, "overtaken": true}</code> to
<code>/practice/VENDOR/webhooks</code> has a shop take an order and send its webhooks: repeated, and out of order.</p>
<table><thead><tr><th>Vendor<th>base_url<th>So far<th>As JSON</tr></thead><tbody>ROWS</tbody></table></html>"""
