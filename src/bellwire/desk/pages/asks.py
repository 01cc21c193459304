"""Approvals and to-dos: what flows ask of people, and the answers."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk.about import about
from bellwire.desk.asking import LONGEST, do_by_hand, lists, told_of, whole
from bellwire.desk.forms import form_of
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.engine import approve, decline, leave_out, values_of
from bellwire.errors import BellwireError
from bellwire.flows import picture
from bellwire.ledger import AskKind, AskState, Rows

_LARGEST_ID = 2**63 - 1
_SAID = {
    "approve": "Noted: yes. The run goes on.",
    "decline": "Noted: no. The run goes on without it.",
    "done": "Ticked off. The run goes on.",
    "skip": "Left out. The run goes on without it.",
}


def pages(site: Site) -> Sequence[Page]:
    return [
        Page("/asks", partial(_list, site)),
        Page("/asks/{number:int}", partial(_one, site)),
        Page("/asks/{number:int}", partial(_answer, site), needs=Right.WORK, method="POST"),
    ]


async def _list(site: Site, request: Request) -> Response:
    flow, kind = request.query_params.get("flow", ""), request.query_params.get("kind", "")
    found = await site.ledger.read(partial(lists, now=site.clock(), flow=flow, kind=kind))
    names = sorted({*found.flows, *site.flows}, key=lambda each: _name(site, each))
    return site.page(
        request,
        "asks.html",
        found=found,
        chosen={"flow": flow, "kind": kind},
        names=[(each, _name(site, each)) for each in names],
    )


async def _one(site: Site, request: Request) -> Response:
    return await _shown(site, request)


async def _answer(site: Site, request: Request) -> Response:
    """`answer` says which of the buttons it was."""
    number, form = _number(request), form_of(request)
    answer, reason = form.get("answer"), form.get("reason")
    given = {name: form.get(name) for name in form.fields}
    if wrong := _what_is_wrong(answer, reason, given):
        return await _shown(site, request, wrong=wrong, given=given)
    now, who, means = site.clock(), visitor_of(request).name, site.means

    def write(rows: Rows) -> None:
        match answer:
            case "approve":
                approve(rows, number, now, who=who, reason=reason)
            case "decline":
                decline(rows, number, now, who=who, reason=reason)
            case "skip":
                leave_out(rows, number, now, who=who, reason=reason)
            case _:
                found = whole(rows, means, number)
                result = told_of(given, found.fields if found else ())
                do_by_hand(rows, number, now, means=means, who=who, result=result)

    try:
        await site.ledger.write(write)
    except BellwireError as error:
        if answer != "done":
            raise
        return await _shown(site, request, wrong=str(error), given=given)
    return site.go("/asks", _SAID[answer])


def _what_is_wrong(answer: str, reason: str, given: Mapping[str, str]) -> str:
    if answer not in _SAID:
        return "Choose one of the buttons."
    if any(len(value) > LONGEST for value in given.values()):
        return f"Write at most {LONGEST} characters in each field."
    if not reason and answer == "decline":
        return "Say why not: it stays on record, and the team reads it."
    if not reason and answer == "skip":
        return "Say why nobody is to do it: it stays on record."
    return ""


async def _shown(site: Site, request: Request, *, wrong: str = "", given: Mapping[str, str] = {}) -> Response:
    number, means = _number(request), site.means
    found = await site.ledger.read(partial(whole, means=means, number=number))
    if found is None:
        raise HTTPException(404)
    ask, flow = found.ask, site.flows.get(found.ask.flow)
    boxes = {box.name: box for box in picture(flow).boxes} if flow else {}
    values: dict[str, Any] = {
        "found": found,
        "ask": ask,
        "open": ask.state is AskState.OPEN,
        "to_do": ask.kind is AskKind.TODO,
        "subject": about(found.event) if found.event else None,
        "values": values_of(ask.given) if ask.given else [],
        "does": {name: box.meaning for name, box in boxes.items()},
        "in_system": site.system(boxes[ask.action].connection) if ask.action in boxes else "",
        "after": [name for name, action in flow.actions.items() if ask.action in action.needs] if flow else [],
        "name": _name(site, ask.flow),
        "wrong": wrong,
        "given": given,
        "longest": LONGEST,
    }
    return site.page(request, "ask.html", 400 if wrong else 200, **values)


def _number(request: Request) -> int:
    number = int(request.path_params["number"])
    if number > _LARGEST_ID:
        raise HTTPException(404)
    return number


def _name(site: Site, flow: str) -> str:
    found = site.flows.get(flow)
    return found.name if found else flow
