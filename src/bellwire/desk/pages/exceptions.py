"""Exceptions: by cause, one by one, and what is done about them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right
from bellwire.desk import deeds, exceptions
from bellwire.desk.deeds import Deed, Kind
from bellwire.desk.errands import found as errand_of
from bellwire.desk.filling import groups_of
from bellwire.desk.forms import Form, form_of
from bellwire.desk.remedies import remedy_of, unknown_of
from bellwire.desk.site import Page, Site, local
from bellwire.desk.today import stuck
from bellwire.desk.visitor import visitor_of
from bellwire.engine import Input, comment, edit, edited, input_of, leaves, retry, still_open
from bellwire.errors import BellwireError
from bellwire.ledger import ErrandRow, ErrandState, Rows, errands, figures
from bellwire.ledger import exceptions as kept
from bellwire.ledger.exceptions import Choice

_LARGEST = 2**63 - 1
_WAITED = 1.5
"""Seconds that a person waits for a thing to be done before a page shows how far it is."""
_LONGEST = 2_000
"""Characters of a reason or a comment."""
_ERRAND = "/exceptions/work/{number:int}"
_FILTERS = ("cause", "connection", "flow", "search")


def pages(site: Site) -> Sequence[Page]:
    one = "/exceptions/{number:int}"
    work = partial(Page, needs=Right.WORK, method="POST")
    return [
        Page("/exceptions", partial(_list, site)),
        Page(_ERRAND, partial(_errand, site)),
        work(f"{_ERRAND}/go-on", partial(_go_on, site)),
        work("/exceptions/many", partial(_many, site)),
        Page(one, partial(_one, site)),
        *(work(f"{one}/{kind}", partial(_deed, site, kind)) for kind in Kind),
        work(f"{one}/comment", partial(_comment, site)),
        work(f"{one}/map", partial(_map, site)),
        Page(f"{one}/edit", partial(_edit, site), Right.WORK),
        work(f"{one}/edit", partial(_edited, site)),
    ]


# What is shown


async def _list(site: Site, request: Request) -> Response:
    asked = request.query_params
    choice, closed = _choice(asked), asked.get("state") == "closed"
    beyond = _number(asked.get("after", ""))

    def read(rows: Rows) -> dict[str, Any]:
        shown: dict[str, Any] = {"people": exceptions.colleagues(rows), "whose": exceptions.looking_after(rows)}
        if closed:
            return shown | {"listed": exceptions.closed_ones(rows, choice, beyond)}
        if choice.cause:
            found = figures.open_groups(rows, choice=choice, limit=1)
            return shown | {"listed": exceptions.open_ones(rows, choice, beyond), "groups": found}
        return shown | {"found": exceptions.causes(rows, choice), "errands": errands.unfinished(rows)}

    shown = await site.ledger.read(read)
    filters = {name: getattr(choice, name) for name in _FILTERS}
    values = {**filters, "assignee": asked.get("assignee", ""), "state": "closed" if closed else ""}
    given = {name: value for name, value in values.items() if value}
    common: dict[str, Any] = {"given": given, "address": _address}
    if "groups" in shown:
        group = shown["groups"][0] if shown["groups"] else None
        first = shown["listed"].shown[0] if shown["listed"].shown else None
        thing = exceptions.thing_of(first) if first else "thing"
        return site.page(request, "exception_group.html", **shown, **common, group=group, thing=thing)
    template = "exceptions_closed.html" if closed else "exceptions.html"
    return site.page(request, template, **shown, **common)


async def _one(site: Site, request: Request) -> Response:
    return await _shown(site, request)


async def _shown(site: Site, request: Request, wrong: str = "", status: int = 200) -> Response:
    number = _of(request)
    filled = form_of(request) if request.method == "POST" else Form({})

    def read(rows: Rows) -> tuple[Any, Any]:
        return exceptions.one(rows, site, number), exceptions.colleagues(rows)

    found, people = await site.ledger.read(read)
    if found is None:
        raise HTTPException(404)
    return site.page(
        request,
        "exception.html",
        status,
        found=found,
        row=found.row,
        people=people,
        wrong=wrong,
        filled=filled,
        thing=exceptions.thing_of(found.stuck),
        unknown=unknown_of(found.row),
        remedy=remedy_of(found.row, site.system(found.row.connection)),
        of_cause=_address(cause=found.row.cause, connection=found.row.connection),
    )


async def _errand(site: Site, request: Request) -> Response:
    number = _of(request)
    errand, refused = await site.ledger.read(lambda rows: (errand_of(rows, number), errands.refused(rows, number)))
    back = local(request.query_params.get("back", "/exceptions"))
    return site.page(request, "errand.html", errand=errand, refused=refused, back=back)


# What is done


async def _deed(site: Site, kind: Kind, request: Request) -> Response:
    form, number, who = form_of(request), _of(request), visitor_of(request).name
    deed = _deed_of(form, kind)

    def work(rows: Rows) -> None:
        deed.check()
        if kind is Kind.RESOLVE and still_open(rows, number).action:
            deeds.enough_told(rows, site, number, deed.result)
        deeds.do(site, deed, site.clock(), who)(rows, number)

    if refusal := await _refused(site, request, work):
        return refusal
    name = await site.ledger.read(lambda rows: _whose(rows, number))
    said = {
        Kind.RETRY: "It is sent again.",
        Kind.RESOLVE: "Noted as done by hand. What comes later goes on.",
        Kind.DISMISS: "It is left as it is.",
        Kind.ASSIGN: f"{name} looks after it now." if name else "Nobody looks after it now.",
    }
    return site.go(f"/exceptions/{number}", said[kind])


async def _many(site: Site, request: Request) -> Response:
    form, who = form_of(request), visitor_of(request).name
    kind = next((each for each in Kind if each == form.get("do")), None)
    if kind is None:
        raise HTTPException(400)
    by_choice = form.get("which") == "all"
    choice = _choice({name: form.get(name) for name in (*_FILTERS, "assignee", "until")})
    within = Choice(cause=form.get("cause")[:500], connection=form.get("connection")[:500])
    wanted = choice if by_choice else form.numbers("number")
    if not wanted:
        back = _address(cause=within.cause, connection=within.connection)
        return site.go(back, "Nothing is ticked, so nothing was done.")
    deed = _deed_of(form, kind)
    errand = await site.ledger.write(lambda rows: deeds.ask(rows, site, deed, who, wanted))
    return await _begun(site, errand, within)


async def _begun(site: Site, errand: ErrandRow, within: Choice) -> Response:
    """Say what came of it when it is soon over, and show how far it is otherwise. `within` is the group that the page
    is about."""
    back = _address(cause=within.cause, connection=within.connection)
    site.errands.hurry()
    errand = await site.errands.wait(errand.id, _WAITED)
    if errand.state is ErrandState.DONE and not errand.failed:
        left = await site.ledger.read(lambda rows: kept.count(rows, within))
        return site.go(back if left else "/exceptions", deeds.told(errand))
    return site.go(f"/exceptions/work/{errand.id}?{urlencode({'back': back})}")


async def _go_on(site: Site, request: Request) -> Response:
    """With work that was stopped."""
    number = _of(request)
    await site.ledger.write(lambda rows: site.errands.go_on(rows, number))
    site.errands.hurry()
    back = local(form_of(request).get("back")[:_LONGEST] or "/exceptions")
    return site.go(f"/exceptions/work/{number}?{urlencode({'back': back})}", "It goes on.")


async def _comment(site: Site, request: Request) -> Response:
    number, who, text = _of(request), visitor_of(request).name, form_of(request).text("text").strip()[:_LONGEST]
    if not text:
        return await _shown(site, request, "Write something first.", 400)
    if refusal := await _refused(site, request, lambda rows: comment(rows, number, text, site.clock(), who=who)):
        return refusal
    return site.go(f"/exceptions/{number}#comments", "Your comment is kept.")


async def _map(site: Site, request: Request) -> Response:
    """Say what it is called there; then all that wait for that are sent again."""
    number, who, theirs = _of(request), visitor_of(request).name, form_of(request).get("theirs")[:500]
    if not theirs:
        return await _shown(site, request, "Say what it is called there.", 400)

    def work(rows: Rows) -> tuple[ErrandRow, Choice]:
        waiting = deeds.name(rows, site, number, theirs, who)
        return deeds.ask(rows, site, Deed(Kind.RETRY), who, waiting), waiting

    return await _begun(site, *await site.ledger.write(work))


async def _edit(site: Site, request: Request) -> Response:
    return await _filling(site, request)


async def _filling(site: Site, request: Request, wrong: str = "", status: int = 200) -> Response:
    number = _of(request)
    filled = form_of(request) if request.method == "POST" else None

    def read(rows: Rows) -> tuple[Any, Input]:
        row = still_open(rows, number)
        return stuck(rows, row), input_of(rows, site.means, row)

    found, seen = await site.ledger.read(read)
    groups, more = groups_of(leaves(seen), {} if filled is None else _texts(filled))
    return site.page(
        request, "exception_edit.html", status, stuck=found, seen=seen, groups=groups, more=more, wrong=wrong
    )


async def _edited(site: Site, request: Request) -> Response:
    number, who, texts, now = _of(request), visitor_of(request).name, _texts(form_of(request)), site.clock()
    seen = await site.ledger.read(lambda rows: input_of(rows, site.means, still_open(rows, number)))
    try:
        given = edited(seen, texts)
    except BellwireError as error:
        return await _filling(site, request, error.sentence, 400)

    def work(rows: Rows) -> None:
        edit(rows, number, given, now, who=who)
        retry(rows, number, now, who=who)

    await site.ledger.write(work)
    return site.go(f"/exceptions/{number}", "It is sent again with what you changed.")


async def _refused(site: Site, request: Request, work: Callable[[Rows], None]) -> Response | None:
    """The page once more, with why it can't be done; None: it is done."""
    try:
        await site.ledger.write(work)
    except BellwireError as error:
        return await _shown(site, request, str(error), 400)
    return None


def _whose(rows: Rows, number: int) -> str:
    row = kept.find(rows, number)
    return row.assignee.name if row and row.assignee else ""


# Addresses and forms


def _choice(asked: Any) -> Choice:
    """What the address of a page, or a form, chooses."""
    whose = asked.get("assignee") or ""
    named: dict[str, Any] = {name: (asked.get(name) or "").strip()[:500] for name in _FILTERS}
    return Choice(
        **named,
        assignee=0 if whose == "-" else _number(whose) or None,
        until=_number(asked.get("until") or ""),
    )


def _deed_of(form: Form, kind: Kind) -> Deed:
    given = {name.removeprefix("result."): form.get(name)[:500] for name in form.fields if name.startswith("result.")}
    return Deed(
        kind,
        reason=form.get("reason")[:_LONGEST],
        assignee=_number(form.get("assignee")) or None,
        as_now="as_now" in form,
        result={name: value for name, value in given.items() if value},
    )


def _texts(form: Form) -> dict[str, str]:
    return {name.removeprefix("at."): form.text(name) for name in form.fields if name.startswith("at.")}


def _address(**filters: str) -> str:
    given = {name: value for name, value in filters.items() if value}
    return "/exceptions" + (f"?{urlencode(given)}" if given else "")


def _of(request: Request) -> int:
    number: int = request.path_params["number"]
    if not 0 < number <= _LARGEST:
        raise HTTPException(404)
    return number


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= _LARGEST else 0
