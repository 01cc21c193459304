"""The desk: read-only pages of the ledger, made on the server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any

import orjson
import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bellwire.clock import Clock, duration, system_clock
from bellwire.connectors.kit import Connection
from bellwire.desk import drawing, words
from bellwire.desk.about import about
from bellwire.desk.answers import Answers
from bellwire.desk.assets import Assets
from bellwire.desk.guard import Guard
from bellwire.desk.history import History, ends_at, history, steps
from bellwire.desk.repeats import repeats
from bellwire.desk.today import Day, day, speed, with_events
from bellwire.errors import ConfigurationError
from bellwire.events import DICTIONARY
from bellwire.flows import Flow, picture, pinned_flow
from bellwire.ledger import Database, Rows, RunState, figures

log = structlog.get_logger()

_KINDS = (RunState.DONE, RunState.SKIPPED, RunState.WAITING, RunState.DEAD)
_LARGEST_ID = 2**63 - 1
_RUNS_OF_FLOW = 15
View = Callable[[Request], Awaitable[Response]]


class Desk:
    """`host` is the address that the server is bound to; `zone` is the one that times are shown in."""

    def __init__(
        self,
        ledger: Database,
        flows: Sequence[Flow],
        connections: Mapping[str, Connection],
        *,
        clock: Clock = system_clock,
        business: str = "",
        zone: tzinfo = UTC,
        host: str = "127.0.0.1",
    ) -> None:
        self._ledger = ledger
        self._flows = {flow.id: flow for flow in flows}
        self._connections = connections
        self._clock = clock
        self._words = words.Words(zone)
        self._host = host
        self._assets = Assets()
        self._templates = _templates()
        self._templates.globals.update(
            business=business,
            flows=self._flows,
            asset=self._assets.url,
            words=self._words,
            about=about,
            system=self._system,
            environment=self._environment,
        )

    def routes(self) -> list[BaseRoute]:
        """Everything that no earlier route answers."""
        answers = Answers(self._ledger, self._clock, self._templates, self._assets, self._words)
        pages = Starlette(
            routes=[
                Route("/", self._shown(self._today)),
                Route("/runs/{number:int}", self._shown(self._run)),
                Route("/flows/{flow}", self._shown(self._flow)),
                Route("/static/{version}/{name}", self._shown(self._asset)),
            ],
            exception_handlers={HTTPException: self._failed},
        )
        return [*answers.routes(), Mount("", app=Guard(pages, self._refused(), self._host))]

    # Pages

    async def _today(self, _: Request) -> Response:
        now = self._clock()
        found = await self._ledger.read(self._day(now))
        return self._page(
            "today.html",
            now=now,
            day=found,
            pictures={flow.id: _drawings(flow) for flow in self._flows.values()},
            columns=drawing.columns(found.hours, _KINDS),
            hours=[found.since + timedelta(hours=hour) for hour in range(len(found.hours))],
        )

    async def _flow(self, request: Request) -> Response:
        flow = self._flows.get(request.path_params["flow"])
        if flow is None:
            raise HTTPException(404)
        now = self._clock()
        today = self._day(now)

        def read(rows: Rows) -> tuple[Day, Any, Any]:
            found = today(rows)
            times = figures.processing_times(rows, found.since, now + timedelta(seconds=1), flow=flow.id)
            newest = figures.newest_of_flow(rows, flow.id, limit=_RUNS_OF_FLOW)
            return found, times, with_events(rows, newest)

        found, times, latest = await self._ledger.read(read)
        within = flow.success.within if flow.success else None
        return self._page(
            "flow.html",
            now=now,
            flow=flow,
            day=found,
            latest=latest,
            speed=speed(times),
            minutes=timedelta(minutes=float(flow.manual_minutes or 0)),
            in_time=sum(time <= within for time in times) if within else 0,
            drawings=_drawings(flow),
        )

    async def _run(self, request: Request) -> Response:
        number = request.path_params["number"]
        found = await self._ledger.read(partial(history, number=number)) if number <= _LARGEST_ID else None
        if found is None:
            raise HTTPException(404)
        now = self._clock()
        pinned = await self._pinned(found)
        boxes = {box.name: box for box in picture(pinned).boxes} if pinned else {}
        names = list(pinned.actions) if pinned else []
        entry = DICTIONARY.get(found.event.type)
        return self._page(
            "run.html",
            now=now,
            found=found,
            run=found.run,
            event=found.event,
            subject=about(found.event),
            meaning=entry.meaning if entry else found.event.type,
            flow=pinned,
            boxes=boxes,
            steps=steps(found, names, now),
            ends=ends_at(found.run, now),
            data=_pretty(found.event.data),
            repeats=repeats(found, pinned, self._connections) if pinned else [],
        )

    async def _asset(self, request: Request) -> Response:
        found = self._assets.find(request.path_params["version"], request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    # What they share

    def _day(self, now: datetime) -> Callable[[Rows], Day]:
        since = self._words.midnight(now)
        tomorrow = self._words.midnight(since + timedelta(hours=36))
        return partial(
            day,
            since=since,
            now=now,
            hours=ceil((tomorrow - since) / timedelta(hours=1)),
            flows=self._flows.values(),
            environments={name: connection.environment for name, connection in self._connections.items()},
        )

    async def _pinned(self, found: History) -> Flow | None:
        """The flow as it was when the run started; as it is now, if that can no longer be read."""
        current = self._flows.get(found.run.flow)
        if found.source is None or (current and current.hash == found.run.flow_hash):
            return current
        try:
            return await asyncio.to_thread(pinned_flow, found.source, found.run.flow)
        except ConfigurationError:
            return current

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._templates.get_template(template).render(values), status)

    def _message(self, status: int, title: str, text: str) -> HTMLResponse:
        return self._page("message.html", status, title=title, text=text)

    def _shown(self, view: View) -> View:
        """A fault of ours is logged, and told without its details."""

        async def shown(request: Request) -> Response:
            try:
                return await view(request)
            except HTTPException:
                raise
            except Exception:
                log.exception("a page could not be shown", path=request.url.path)
                return self._message(
                    500,
                    "This page can’t be shown just now",
                    "Nothing is lost: orders are still taken in and worked on. Try again in a minute; if it stays"
                    " like this, ask your developer to look into the log.",
                )

        return shown

    async def _failed(self, _: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 404:
            return self._message(404, "There is no such page", "The address may be mistyped, or out of date.")
        return self._message(status, "That isn’t possible here", "The desk can be looked at; it changes nothing.")

    @staticmethod
    def _refused() -> ASGIApp:
        return HTMLResponse(
            "<!doctype html><html lang=en><title>Not from here</title><p>The desk has no sign-in yet. So it opens only"
            " on the machine that Bellwire runs on, at http://localhost, and not through a proxy or tunnel.",
            403,
        )

    def _system(self, connection: str) -> str:
        """The vendor's name of a connection; the connection's own when it is no longer there."""
        found = self._connections.get(connection)
        return found.manifest.title if found else connection

    def _environment(self, connection: str) -> str:
        found = self._connections.get(connection)
        return found.environment.value if found else ""


def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(
        duration=duration, number=words.number, plural=words.plural, joined=words.joined, ordinal=words.ordinal
    )
    return environment


def _drawings(flow: Flow) -> tuple[drawing.Drawing, drawing.Drawing]:
    drawn = picture(flow)
    return drawing.across(drawn), drawing.down(drawn)


def _pretty(data: str) -> str:
    try:
        return orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return data or "It has been purged."
