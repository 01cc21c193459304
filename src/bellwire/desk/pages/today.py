"""Today: all well, or what needs you."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk import drawing
from bellwire.desk.site import Page, Site
from bellwire.desk.today import of_today
from bellwire.ledger import RunState

_KINDS = (RunState.DONE, RunState.SKIPPED, RunState.WAITING, RunState.DEAD)


def pages(site: Site) -> Sequence[Page]:
    return [Page("/", partial(_today, site))]


async def _today(site: Site, request: Request) -> Response:
    found = await site.ledger.read(of_today(site, site.clock()))
    return site.page(
        request,
        "today.html",
        day=found,
        pictures={flow.id: drawing.of_flow(flow) for flow in site.flows.values()},
        columns=drawing.columns(found.hours, _KINDS),
        hours=[found.since + timedelta(hours=hour) for hour in range(len(found.hours))],
    )
