"""The tokens that programs show to the API."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bellwire.access import Right, issue_token, revoke_token
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import Gate
from bellwire.desk.site import Page, Site
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import Rows, people, tokens

_PLACE = "/settings/tokens"
_LARGEST_ID = 2**63 - 1
_ENDS = {"30": "in 30 days", "90": "in 90 days", "365": "in a year", "": "never"}
_MEANINGS = {
    Right.SEE: "look at everything",
    Right.WORK: "deal with exceptions and to-dos, and switch flows",
    Right.MANAGE: "change flows, connections, people and settings",
}


def pages(site: Site, _: Gate) -> Sequence[Page]:
    return [
        Page(_PLACE, partial(_list, site), needs=Right.MANAGE),
        Page(_PLACE, partial(_issue, site), needs=Right.MANAGE, method="POST"),
        Page(_PLACE + "/{number:int}/revoke", partial(_revoke, site), needs=Right.MANAGE, method="POST"),
    ]


async def _list(site: Site, request: Request) -> Response:
    return await _listed(site, request)


async def _listed(
    site: Site, request: Request, wrong: str = "", form: Form | None = None, *, status: int = 200
) -> Response:
    def query(rows: Rows) -> tuple[list[tokens.TokenRow], dict[int, str]]:
        return tokens.all_of_them(rows), {person.id: person.name for person in people.everybody(rows)}

    found, names = await site.ledger.read(query)
    given = {
        "name": form.get("name") if form else "",
        "rights": form.all("right") if form else [Right.SEE.value],
        "days": form.get("days") if form else "90",
    }
    return site.page(
        request,
        "settings_tokens.html",
        status,
        tokens=found,
        names=names,
        meanings=_MEANINGS,
        ends=_ENDS,
        wrong=wrong,
        given=given,
    )


async def _issue(site: Site, request: Request) -> Response:
    form, now, visitor = form_of(request), site.clock(), visitor_of(request)
    rights = [right for right in Right if right.value in form.all("right")]
    days = form.get("days")
    ends = now + timedelta(days=int(days)) if days in _ENDS and days else None
    person = visitor.person.id if visitor.person else None

    def issue(rows: Rows) -> tuple[int, str]:
        return issue_token(rows, form.get("name"), rights, now, who=visitor.name, person=person, expires_at=ends)

    try:
        _, token = await site.ledger.write(issue)
    except BellwireError as error:
        return await _listed(site, request, str(error), form, status=400)
    return site.page(
        request,
        "settings_secret.html",
        title=f"The token for {form.get('name')}",
        kind="token",
        person=None,
        secrets=[token],
    )


async def _revoke(site: Site, request: Request) -> Response:
    number, now, who = request.path_params["number"], site.clock(), visitor_of(request).name
    if number > _LARGEST_ID:
        raise HTTPException(404)
    await site.ledger.write(lambda rows: revoke_token(rows, number, now, who=who))
    return site.go(_PLACE, "The token is no longer good.")
