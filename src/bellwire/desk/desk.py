"""The desk, put together: the pages behind their gate, the API, what needs no gate."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from bellwire.clock import Clock, system_clock
from bellwire.connectors.kit import Connection
from bellwire.desk.answers import Answers
from bellwire.desk.api import api
from bellwire.desk.gate import Gate
from bellwire.desk.guard import Headed
from bellwire.desk.live import Live
from bellwire.desk.pages import events, flow, run, runs, signing_in, today
from bellwire.desk.site import Page, Site
from bellwire.flows import Flow
from bellwire.ledger import Database


class Desk:
    """What `Site` says."""

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
        public_url: str = "",
    ) -> None:
        self._site = Site(ledger, flows, connections, clock, business, zone, host, public_url)
        self._gate = Gate(self._site)
        self._live = Live(ledger)

    def all_pages(self) -> list[Page]:
        """Everything that the gate lets people to."""
        site = self._site
        return [
            *today.pages(site),
            *flow.pages(site),
            *run.pages(site),
            *runs.pages(site),
            *events.pages(site),
            *signing_in.pages(site, self._gate),
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
        return [*answers.routes(), Mount("/api/v1", app=Headed(api(site))), Mount("", app=Headed(pages))]

    def close(self) -> None:
        """End what goes on for as long as somebody looks."""
        self._live.close()

    async def _asset(self, request: Request) -> Response:
        found = self._site.assets.find(request.path_params["version"], request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        return found

    async def _failed(self, request: Request, error: Exception) -> Response:
        return self._gate.failed(request, error)


async def _nothing(_: Request) -> Response:
    raise HTTPException(404)
