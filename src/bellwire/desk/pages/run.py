"""A run: what came in, what was done about it, and every try; and what a person may do about it."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.about import about
from bellwire.desk.exchanges import talks
from bellwire.desk.forms import form_of
from bellwire.desk.history import History, Step, ends_at, history, steps
from bellwire.desk.repeats import does, repeats
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.desk.words import plural, pretty
from bellwire.engine import cancel, retry_run, send_again
from bellwire.errors import ConfigurationError
from bellwire.events import DICTIONARY
from bellwire.flows import Flow, picture, pinned_flow
from bellwire.ledger import Rows, runs

_LARGEST_ID = 2**63 - 1
_OVER = ("done", "skipped", "by hand", "noted")


def pages(site: Site) -> Sequence[Page]:
    return [
        Page("/runs/{number:int}", partial(_run, site)),
        Page("/runs/{number:int}/retry", partial(_retry, site), needs=Right.WORK, method="POST"),
        Page("/runs/{number:int}/cancel", partial(_cancel, site), needs=Right.WORK, method="POST"),
        Page("/runs/{number:int}/again", partial(_again, site), needs=Right.WORK, method="POST"),
    ]


async def _run(site: Site, request: Request) -> Response:
    number = request.path_params["number"]
    found = await site.ledger.read(partial(history, number=number)) if number <= _LARGEST_ID else None
    if found is None:
        raise HTTPException(404)
    return await _shown(site, request, found)


async def _shown(site: Site, request: Request, found: History, mistake: str = "") -> Response:
    """With what is wrong in the form that was sent."""
    now = site.clock()
    pinned = await _pinned(site, found)
    boxes = {box.name: box for box in picture(pinned).boxes} if pinned else {}
    names = list(pinned.actions) if pinned else []
    entry = DICTIONARY.get(found.event.type)
    parts = steps(found, names, now)
    current = site.flows.get(found.run.flow)
    return site.page(
        request,
        "run.html",
        400 if mistake else 200,
        mistake=mistake,
        progress=_progress(parts),
        talks=talks(found, pinned),
        does=does(current) if current else [],
        found=found,
        run=found.run,
        event=found.event,
        subject=about(found.event),
        meaning=entry.meaning if entry else found.event.type,
        flow=pinned,
        boxes=boxes,
        steps=parts,
        ends=ends_at(found.run, now),
        data=pretty(found.event.data) or "It has been purged.",
        repeats=repeats(found, pinned, site.connections) if pinned else [],
    )


async def _retry(site: Site, request: Request) -> Response:
    number, now, who = _number(request), site.clock(), visitor_of(request).name
    today = site.flows if form_of(request).get("with") == "today" else None
    await site.ledger.write(lambda rows: retry_run(rows, number, now, who=who, today=today))
    return site.go(f"/runs/{number}", "It goes on now. What is done already isn’t done again.")


async def _cancel(site: Site, request: Request) -> Response:
    number, now, who = _number(request), site.clock(), visitor_of(request).name
    reason = form_of(request).get("reason")
    if not reason:
        found = await site.ledger.read(partial(history, number=number))
        if found is None:
            raise HTTPException(404)
        return await _shown(site, request, found, "Say why: it stays on record.")
    await site.ledger.write(lambda rows: cancel(rows, number, now, who=who, reason=reason))
    return site.go(f"/runs/{number}", "It is given up. What it did stays done.")


async def _again(site: Site, request: Request) -> Response:
    number, now, who, nonce = _number(request), site.clock(), visitor_of(request).name, secrets.token_hex(8)

    def write(rows: Rows) -> int:
        run = runs.find(rows, number)
        if run is None:
            raise HTTPException(404)
        flows = list(site.flows.values())
        return send_again(rows, run.event, flows, now, who=who, nonce=nonce, flow=run.flow)[0]

    run = await site.ledger.write(write)
    return site.go(f"/runs/{run}", "This run does all of it once more.")


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if number > _LARGEST_ID:
        raise HTTPException(404)
    return number


def _progress(parts: Sequence[Step]) -> str:
    """`4 of 6 steps are done.`"""
    over = sum(part.state in _OVER for part in parts)
    if not parts or over == len(parts):
        return ""
    return f"{over} of {plural(len(parts), 'step')} {'is' if over == 1 else 'are'} done."


async def _pinned(site: Site, found: History) -> Flow | None:
    """The flow as it was when the run started; as it is now, if that can no longer be read."""
    current = site.flows.get(found.run.flow)
    if found.source is None or (current and current.hash == found.run.flow_hash):
        return current
    try:
        return await asyncio.to_thread(pinned_flow, found.source, found.run.flow)
    except ConfigurationError:
        return current
