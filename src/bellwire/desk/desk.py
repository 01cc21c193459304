"""The desk, put together: the pages behind their gate, the API, what needs no gate."""

from contextlib import suppress
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from bellwire.desk import deeds
from bellwire.desk.answers import Answers
from bellwire.desk.gate import Gate, in_thread
from bellwire.desk.guard import Headed
from bellwire.desk.live import Live
from bellwire.desk.mounting import Below, OnceAsked
from bellwire.desk.pages import (
    asks,
    events,
    exceptions,
    flow,
    flow_editor,
    flows,
    handbook,
    pilot,
    run,
    runs,
    settings,
    signing_in,
    today,
)
from bellwire.desk.pages import connections as connection_pages
from bellwire.desk.site import Page, Site
from bellwire.errors import LedgerBusy


class Desk:
    def __init__(self, site: Site) -> None:
        self._site = site
        if site.folder is not None:
            site.folder.follow(site.use)
        self._gate = Gate(self._site)
        self._live = Live(site.ledger, self._gate.stays, site.pilots.mark)

    def all_pages(self) -> list[Page]:
        """Everything that the gate lets people to."""
        site = self._site
        return [
            *today.pages(site),
            *asks.pages(site),
            *flows.pages(site),
            *pilot.pages(site),
            *flow_editor.pages(site),
            *exceptions.pages(site),
            *flow.pages(site),
            *run.pages(site),
            *connection_pages.pages(site),
            *runs.pages(site),
            *events.pages(site),
            *signing_in.pages(site, self._gate),
            *settings.pages(site, self._gate),
            *handbook.pages(site),
            Page("/live", self._live.stream),
            Page("/{rest:path}", _nothing, needs=None),
        ]

    def routes(self) -> list[BaseRoute]:
        """Everything that no earlier route answers."""
        site = self._site
        answers = Answers(site.ledger, site.clock, site.templates, site.assets, site.words)
        pages = Starlette(
            routes=[
                Route("/static/{version}/{name}", self._asset),
                *(self._gate.route(page) for page in self.all_pages()),
            ],
            exception_handlers={HTTPException: self._failed},
        )
        return [*answers.routes(), Below("/api/v1", Headed(OnceAsked(self._api))), Below("", Headed(pages))]

    async def work(self) -> None:
        """Do what people ask for in bulk, on one desk of those that share the ledger, until it is cancelled."""
        site = self._site
        await site.ledger.alone("errands", partial(site.errands.carry, partial(deeds.steps, site)))

    async def get_ready(self) -> None:
        """Do what whoever looks first would have to wait for: two weeks are read for Today, and what its page is made
        of is compiled. Not to be done while more urgent things begin."""
        for name in today.TEMPLATES:
            await in_thread(self._site.templates.get_template, name)
        with suppress(LedgerBusy):  # Whoever looks is told of that.
            await self._site.trends.read(self._site.clock())

    def close(self) -> None:
        """End what goes on for as long as somebody looks."""
        self._live.close()
        self._site.pilots.close()

    def _api(self) -> ASGIApp:
        """To load it and put it together takes as long as all else of a start, and many never ask for it."""
        from bellwire.desk.api import api

        return api(self._site)

    async def _asset(self, request: Request) -> Response:
        found = self._site.assets.find(request.path_params["version"], request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    async def _failed(self, request: Request, error: Exception) -> Response:
        return self._gate.failed(request, error)


async def _nothing(_: Request) -> Response:
    raise HTTPException(404)
