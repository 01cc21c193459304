"""What came in: the deliveries as they arrived, the events that they became, and sending one again."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.about import about
from bellwire.desk.arrivals import REFUSALS, arrival, known, verdict
from bellwire.desk.forms import form_of
from bellwire.desk.looking import PAGE, Filters, stands
from bellwire.desk.repeats import does
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.desk.words import pretty
from bellwire.engine import listening_to, send_again
from bellwire.events import DICTIONARY
from bellwire.ledger import DeliveryState, Rows, deliveries, finding

_LARGEST_ID = 2**63 - 1
_REFUSED_SINCE = timedelta(days=6)
"""Before today."""


def pages(site: Site) -> Sequence[Page]:
    return [
        Page("/deliveries", partial(_deliveries, site)),
        Page("/deliveries/{number:int}", partial(_delivery, site)),
        Page("/events/{number:int}", partial(_event, site)),
        Page("/events/{number:int}/again", partial(_again, site), needs=Right.WORK, method="POST"),
    ]


async def _deliveries(site: Site, request: Request) -> Response:
    filters = Filters.of(request.query_params)
    wanted, now = filters.wanted(DeliveryState, site.zone), site.clock()
    since = wanted.since or now - _REFUSED_SINCE

    def read(rows: Rows) -> tuple[Any, list[tuple[str, str, int]]]:
        found = finding.find_deliveries(rows, wanted, before=filters.before, limit=PAGE)
        return found, [each for each in deliveries.refusals(rows, since) if each[2]]

    found, refused = await site.ledger.read(read)
    return site.page(
        request,
        "deliveries.html",
        filters=filters,
        filtered=not wanted.everything,
        found=[(row, verdict(row)) for row in found.items],
        further=filters.page_before(found.next) if found.next else "",
        refused=[each for each in refused if filters.connection in ("", each[0])],
        since=since,
        reasons=REFUSALS,
        names=sorted(site.connections),
    )


async def _delivery(site: Site, request: Request) -> Response:
    number = _number(request)
    found = await site.ledger.read(partial(arrival, number=number))
    if found is None:
        raise HTTPException(404)
    return site.page(
        request,
        "delivery.html",
        found=found,
        row=found.row,
        verdict=verdict(found.row),
        canonical=[(event, pretty(event.data)) for event in found.events],
    )


async def _event(site: Site, request: Request) -> Response:
    number, now = _number(request), site.clock()

    def read(rows: Rows) -> Any:
        found = known(rows, number)
        return found, [(run, stands(rows, run, site.words, now)) for run in found.runs] if found else []

    found, started = await site.ledger.read(read)
    if found is None:
        raise HTTPException(404)
    event = found.event
    entry = DICTIONARY.get(event.type)
    listening = listening_to(event, site.flows.values())
    return site.page(
        request,
        "event.html",
        found=found,
        event=event,
        subject=about(event),
        meaning=entry.meaning if entry else event.type,
        runs=started,
        canonical=pretty(event.data),
        listening=[(flow, does(flow)) for flow in listening],
    )


async def _again(site: Site, request: Request) -> Response:
    number, now, who = _number(request), site.clock(), visitor_of(request).name
    nonce, flow = secrets.token_hex(8), form_of(request).get("flow")
    flows = list(site.flows.values())
    made = await site.ledger.write(lambda rows: send_again(rows, number, flows, now, who=who, nonce=nonce, flow=flow))
    if len(made) == 1:
        return site.go(f"/runs/{made[0]}", "This run does all of it once more.")
    return site.go(f"/events/{number}", f"Runs {', '.join(map(str, made))} do all of it once more.")


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if number > _LARGEST_ID:
        raise HTTPException(404)
    return number
