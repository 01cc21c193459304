"""A run: what came in, what was done about it, and every try."""

import asyncio
from collections.abc import Sequence
from functools import partial

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk.about import about
from bellwire.desk.history import History, ends_at, history, steps
from bellwire.desk.repeats import repeats
from bellwire.desk.site import Page, Site
from bellwire.errors import ConfigurationError
from bellwire.events import DICTIONARY
from bellwire.flows import Flow, picture, pinned_flow

_LARGEST_ID = 2**63 - 1


def pages(site: Site) -> Sequence[Page]:
    return [Page("/runs/{number:int}", partial(_run, site))]


async def _run(site: Site, request: Request) -> Response:
    number = request.path_params["number"]
    found = await site.ledger.read(partial(history, number=number)) if number <= _LARGEST_ID else None
    if found is None:
        raise HTTPException(404)
    now = site.clock()
    pinned = await _pinned(site, found)
    boxes = {box.name: box for box in picture(pinned).boxes} if pinned else {}
    names = list(pinned.actions) if pinned else []
    entry = DICTIONARY.get(found.event.type)
    return site.page(
        request,
        "run.html",
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
        repeats=repeats(found, pinned, site.connections) if pinned else [],
    )


async def _pinned(site: Site, found: History) -> Flow | None:
    """The flow as it was when the run started; as it is now, if that can no longer be read."""
    current = site.flows.get(found.run.flow)
    if found.source is None or (current and current.hash == found.run.flow_hash):
        return current
    try:
        return await asyncio.to_thread(pinned_flow, found.source, found.run.flow)
    except ConfigurationError:
        return current


def _pretty(data: str) -> str:
    try:
        return orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return data or "It has been purged."
