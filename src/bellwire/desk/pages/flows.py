"""All flows, a row each; the mode of one, with its consequences before a switch; the texts that it has had."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.flows import CONSEQUENCES, environments, lines, standing, under_way
from bellwire.desk.forms import form_of
from bellwire.desk.site import Page, Site
from bellwire.desk.versions import differences
from bellwire.desk.visitor import visitor_of
from bellwire.engine import switch_to
from bellwire.flows import Flow
from bellwire.ledger import FlowMode, Rows, modes, versions

_VERSIONS_SHOWN = 50
_LONGEST_REASON = 500
_BY_MODE = {each.mode: each for each in CONSEQUENCES}


def pages(site: Site) -> Sequence[Page]:
    return [
        Page("/flows", partial(_list, site)),
        Page("/flows/{flow}/mode", partial(_mode, site)),
        Page("/flows/{flow}/mode", partial(_switch, site), needs=Right.WORK, method="POST"),
        Page("/flows/{flow}/versions", partial(_versions, site)),
    ]


async def _list(site: Site, request: Request) -> Response:
    now = site.clock()
    found = await site.ledger.read(lambda rows: lines(rows, site, now))
    return site.page(request, "flows.html", lines=found)


async def _mode(site: Site, request: Request) -> Response:
    wanted = request.query_params.get("to", "")
    return await _shown(site, request, FlowMode(wanted) if wanted in [*FlowMode] else None)


async def _switch(site: Site, request: Request) -> Response:
    flow, form, now = flow_of(site, request), form_of(request), site.clock()
    wanted, reason, who = form.get("mode"), form.get("reason"), visitor_of(request).name
    if wanted not in [*FlowMode]:
        return await _shown(site, request, None, wrong="Choose a mode.")
    mode = FlowMode(wanted)
    if len(reason) > _LONGEST_REASON:
        wrong = f"Give the reason in at most {_LONGEST_REASON} characters."
        return await _shown(site, request, mode, wrong=wrong, reason=reason)
    accounts = environments(site)

    def write(rows: Rows) -> bool:
        if mode is FlowMode.LIVE and not reason and standing(rows, site, flow).needs_reason:
            return False
        switch_to(rows, flow, mode, accounts, now, who=who, reason=reason)
        return True

    if not await site.ledger.write(write):
        return await _shown(site, request, mode, wrong="Say why it is to go live without a pilot that passed.")
    return site.go(f"/flows/{flow.id}", f"{flow.name} is switched: {_BY_MODE[mode].title.lower()}.")


async def _shown(site: Site, request: Request, to: FlowMode | None, *, wrong: str = "", reason: str = "") -> Response:
    flow = flow_of(site, request)

    def read(rows: Rows) -> dict[str, Any]:
        return {
            "stands": standing(rows, site, flow),
            "decision": modes.decision(rows, flow.id),
            "under_way": under_way(rows, flow.id),
        }

    values = await site.ledger.read(read)
    return site.page(
        request,
        "flow_mode.html",
        400 if wrong else 200,
        flow=flow,
        modes=CONSEQUENCES,
        now_in=_BY_MODE[values["stands"].mode],
        to=_BY_MODE[to] if to and to is not values["stands"].mode else None,
        wrong=wrong,
        reason=reason,
        longest=_LONGEST_REASON,
        **values,
    )


async def _versions(site: Site, request: Request) -> Response:
    flow = flow_of(site, request)
    found = await site.ledger.read(partial(versions.of_flow, flow=flow.id, limit=_VERSIONS_SHOWN + 1))
    shown = found[:_VERSIONS_SHOWN]
    chosen = request.query_params.get("version", "") or (str(shown[0].id) if shown else "")
    place = next((index for index, each in enumerate(shown) if str(each.id) == chosen), None)
    if place is None and chosen:
        raise HTTPException(404)
    before = found[place + 1] if place is not None and place + 1 < len(found) else None
    version = shown[place] if place is not None else None
    return site.page(
        request,
        "flow_versions.html",
        flow=flow,
        versions=shown,
        version=version,
        before=before,
        differences=differences(before.source, version.source) if before and version else [],
        most=versions.MOST_COUNTED,
    )


def flow_of(site: Site, request: Request) -> Flow:
    """The flow of an address. Raises HTTPException."""
    flow = site.flows.get(request.path_params["flow"])
    if flow is None:
        raise HTTPException(404)
    return flow
