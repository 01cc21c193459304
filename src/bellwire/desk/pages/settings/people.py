"""Who may use the desk, and as what."""

from collections.abc import Sequence
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import (
    Right,
    Role,
    add_person,
    change_person,
    close_account,
    hashed,
    made_up,
    open_account,
    set_password,
    switch_codes_off,
    too_weak,
)
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import Gate, in_thread
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import PersonRow, Rows, people

_LARGEST_ID = 2**63 - 1
_PLACE = "/settings/people"


def pages(site: Site, _: Gate) -> Sequence[Page]:
    one = _PLACE + "/{number:int}"
    return [
        Page(_PLACE, partial(_list, site), needs=Right.MANAGE),
        Page(_PLACE, partial(_add, site), needs=Right.MANAGE, method="POST"),
        Page(one, partial(_one, site), needs=Right.MANAGE),
        Page(one, partial(_change, site), needs=Right.MANAGE, method="POST"),
        Page(f"{one}/password", partial(_set_password, site), needs=Right.MANAGE, method="POST"),
        Page(f"{one}/close", partial(_close, site), needs=Right.MANAGE, method="POST"),
        Page(f"{one}/open", partial(_open, site), needs=Right.MANAGE, method="POST"),
        Page(f"{one}/codes-off", partial(_codes_off, site), needs=Right.MANAGE, method="POST"),
    ]


async def _list(site: Site, request: Request) -> Response:
    return await _listed(site, request)


async def _listed(
    site: Site, request: Request, wrong: str = "", form: Form | None = None, *, status: int = 200
) -> Response:
    everybody = await site.ledger.read(people.everybody)
    given = {name: form.get(name) if form else "" for name in ("name", "email", "role")}
    return site.page(
        request, "settings_people.html", status, everybody=everybody, roles=list(Role), wrong=wrong, given=given
    )


async def _add(site: Site, request: Request) -> Response:
    form, now, who = form_of(request), site.clock(), visitor_of(request).name
    name, email, typed = form.get("name"), form.get("email").lower(), form.text("password")
    if typed and (wrong := too_weak(typed, name, email)):
        return await _listed(site, request, wrong, form, status=400)
    password = typed or made_up()
    kept = await in_thread(hashed, password)

    def add(rows: Rows) -> PersonRow:
        return add_person(rows, name=name, email=email, role=_role(form), password=kept, now=now, who=who)

    try:
        person = await site.ledger.write(add)
    except BellwireError as error:
        return await _listed(site, request, str(error), form, status=400)
    if typed:
        return site.go(_PLACE, f"{person.name} has an account now.")
    return _shown(site, request, person, password, f"{person.name} has an account now")


async def _one(site: Site, request: Request) -> Response:
    return site.page(request, "settings_person.html", person=await _found(site, request), roles=list(Role), wrong="")


async def _change(site: Site, request: Request) -> Response:
    form, now, who, number = form_of(request), site.clock(), visitor_of(request).name, _number(request)
    await site.ledger.write(
        lambda rows: change_person(rows, number, name=form.get("name"), role=_role(form), now=now, who=who)
    )
    return site.go(_PLACE, f"{form.get('name')} is now: {_role(form)}.")


async def _set_password(site: Site, request: Request) -> Response:
    form, now, who, number = form_of(request), site.clock(), visitor_of(request).name, _number(request)
    person, typed = await _found(site, request), form.text("password")
    if typed and (wrong := too_weak(typed, person.name, person.email)):
        return site.page(request, "settings_person.html", 400, person=person, roles=list(Role), wrong=wrong)
    password = typed or made_up()
    kept = await in_thread(hashed, password)
    await site.ledger.write(lambda rows: set_password(rows, number, kept, now, who=who))
    if typed:
        return site.go(_PLACE, f"{person.name} has a new password, and is signed out everywhere.")
    return _shown(site, request, person, password, f"{person.name} has a new password, and is signed out everywhere")


async def _close(site: Site, request: Request) -> Response:
    now, who, person = site.clock(), visitor_of(request).name, await _found(site, request)
    await site.ledger.write(lambda rows: close_account(rows, person.id, now, who=who))
    return site.go(_PLACE, f"{person.name} can’t sign in any more, and is signed out everywhere.")


async def _open(site: Site, request: Request) -> Response:
    now, who, person = site.clock(), visitor_of(request).name, await _found(site, request)
    await site.ledger.write(lambda rows: open_account(rows, person.id, now, who=who))
    return site.go(_PLACE, f"{person.name} may sign in again.")


async def _codes_off(site: Site, request: Request) -> Response:
    now, who, person = site.clock(), visitor_of(request).name, await _found(site, request)
    await site.ledger.write(lambda rows: switch_codes_off(rows, person.id, now, who=who))
    return site.go(_PLACE, f"{person.name} signs in without a one-time code now.")


def _shown(site: Site, request: Request, person: PersonRow, password: str, title: str) -> Response:
    """The one page that a password is ever on: not behind a redirect, which would have to carry it."""
    return site.page(request, "settings_secret.html", title=title, kind="password", person=person, secrets=[password])


async def _found(site: Site, request: Request) -> PersonRow:
    number = _number(request)
    person = await site.ledger.read(lambda rows: people.find(rows, number))
    if person is None:
        raise HTTPException(404)
    return person


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    if number > _LARGEST_ID:
        raise HTTPException(404)
    return number


def _role(form: Form) -> Role:
    try:
        return Role(form.get("role"))
    except ValueError:
        raise BellwireError("There is no such role.", remedy="Choose one of the list.") from None
