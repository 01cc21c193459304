"""A flow: its picture with live counts, and what it did."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk import drawing
from bellwire.desk.site import Page, Site
from bellwire.desk.speed import speed
from bellwire.desk.today import Day, of_today, with_events
from bellwire.ledger import Rows, figures

_RUNS_SHOWN = 15


def pages(site: Site) -> Sequence[Page]:
    return [Page("/flows/{flow}", partial(_flow, site))]


async def _flow(site: Site, request: Request) -> Response:
    flow = site.flows.get(request.path_params["flow"])
    if flow is None:
        raise HTTPException(404)
    now = site.clock()
    today = of_today(site, now)

    def read(rows: Rows) -> tuple[Day, Any, Any]:
        found = today(rows)
        times = figures.processing_times(rows, found.since, now + timedelta(seconds=1), flow=flow.id)
        newest = figures.newest_of_flow(rows, flow.id, limit=_RUNS_SHOWN)
        return found, times, with_events(rows, newest)

    found, times, latest = await site.ledger.read(read)
    within = flow.success.within if flow.success else None
    return site.page(
        request,
        "flow.html",
        flow=flow,
        day=found,
        latest=latest,
        speed=speed(times),
        minutes=timedelta(minutes=float(flow.manual_minutes or 0)),
        in_time=sum(time <= within for time in times) if within else 0,
        drawings=drawing.of_flow(flow),
    )
