"""The pilot of a flow: what the last ones brought, and a new one, with its progress and its report."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.flows import standing
from bellwire.desk.pages.flows import flow_of
from bellwire.desk.piloting import RECORDS
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import Rows, pilots

_SHOWN = 20


def pages(site: Site) -> Sequence[Page]:
    path = "/flows/{flow}/pilot"
    return [
        Page(path, partial(_show, site)),
        Page(path, partial(_begin, site), needs=Right.WORK, method="POST"),
    ]


async def _show(site: Site, request: Request) -> Response:
    flow = flow_of(site, request)

    def read(rows: Rows) -> dict[str, Any]:
        return {"stands": standing(rows, site, flow), "past": pilots.of_flow(rows, flow.id, limit=_SHOWN)}

    return site.page(
        request,
        "flow_pilot.html",
        flow=flow,
        attempt=site.pilots.last(flow.id),
        possible=site.pilots.possible,
        total=RECORDS,
        **await site.ledger.read(read),
    )


async def _begin(site: Site, request: Request) -> Response:
    flow = flow_of(site, request)
    try:
        site.pilots.begin(flow.id, visitor_of(request).name)
    except BellwireError as error:
        return site.go(f"/flows/{flow.id}/pilot", str(error))
    return site.go(f"/flows/{flow.id}/pilot")
