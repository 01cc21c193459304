"""Signing in and out, and the first account."""

from collections.abc import Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bellwire.access import (
    Role,
    add_person,
    begin_session,
    end_session,
    failed,
    fits,
    hashed,
    is_setup_code,
    may_try,
    nobodys,
    succeeded,
    too_weak,
)
from bellwire.clock import duration
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import SESSION, Gate, in_thread
from bellwire.desk.site import Page, Site, local
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError
from bellwire.ledger import PersonRow, Rows, people

_FROM_ELSEWHERE = "from elsewhere"


def pages(site: Site, gate: Gate) -> Sequence[Page]:
    desk = _SigningIn(site, gate)
    return [
        Page("/sign-in", desk.ask, needs=None),
        Page("/sign-in", desk.sign_in, needs=None, method="POST"),
        Page("/sign-out", desk.sign_out, needs=None, method="POST"),
        Page("/setup", desk.ask_for_owner, needs=None),
        Page("/setup", desk.make_owner, needs=None, method="POST"),
    ]


class _SigningIn:
    def __init__(self, site: Site, gate: Gate) -> None:
        self._site = site
        self._gate = gate

    async def ask(self, request: Request) -> Response:
        if visitor_of(request).known:
            return self._site.go(request.query_params.get("next", "/"))
        if not await self._site.ledger.read(people.is_anybody):
            return RedirectResponse("/setup", 303)
        return self._asked(request, "", request.query_params.get("next", "/"))

    async def sign_in(self, request: Request) -> Response:
        form, visitor = form_of(request), visitor_of(request)
        email, password, to = form.get("email").lower(), form.text("password"), local(form.get("next", "/"))
        place, now = _place(request), self._site.clock()

        def look(rows: Rows) -> tuple[PersonRow | None, timedelta | None]:
            wait = may_try(rows, email, place, now)
            if wait is None:  # Counted before it is tried, so that of many at once no more are tried.
                failed(rows, email, place, now)
            return people.by_email(rows, email), wait

        person, wait = await self._site.ledger.write(look)
        if wait is not None:
            text = f"That was wrong too often. Try again in {duration(wait)}."
            return self._asked(request, text, to, email, status=429)
        right = await in_thread(fits, person.password if person else await in_thread(nobodys), password)
        if person is None or person.disabled_at is not None or not right:
            return self._asked(request, "The address or the password is wrong.", to, email, status=403)
        number, name, agent = person.id, person.name, request.headers.get("user-agent", "")

        def begin(rows: Rows) -> str:
            succeeded(rows, email, place, now, who=name)
            return begin_session(rows, number, now, agent, instead_of=visitor.secret)

        request.scope["new_secret"] = await self._site.ledger.write(begin)
        return self._site.go(to)

    async def sign_out(self, request: Request) -> Response:
        secret = visitor_of(request).secret
        await self._site.ledger.write(lambda rows: end_session(rows, secret))
        response = self._site.go("/sign-in", "You are signed out.")
        response.delete_cookie(SESSION, httponly=True, samesite="lax")
        return response

    async def ask_for_owner(self, request: Request) -> Response:
        if await self._site.ledger.read(people.is_anybody):
            return RedirectResponse("/sign-in", 303)
        return self._asked_for_owner(request, "")

    async def make_owner(self, request: Request) -> Response:
        form, now = form_of(request), self._site.clock()
        name, email, place = form.get("name"), form.get("email").lower(), _place(request)
        near = self._gate.near(request)

        def look(rows: Rows) -> tuple[bool, timedelta | None, bool]:
            code = near or is_setup_code(rows, form.get("code"))
            return people.is_anybody(rows), may_try(rows, "", place, now), code

        anybody, wait, code_is_right = await self._site.ledger.read(look)
        if anybody:
            return RedirectResponse("/sign-in", 303)
        if wait is not None and not near:
            text = f"That was wrong too often. Try again in {duration(wait)}."
            return self._asked_for_owner(request, text, form, status=429)
        if not code_is_right:
            await self._site.ledger.write(lambda rows: failed(rows, "", place, now))
            return self._asked_for_owner(request, "That isn’t the code.", form, status=403)
        if wrong := too_weak(form.text("password"), name, email):
            return self._asked_for_owner(request, wrong, form, status=400)
        password = await in_thread(hashed, form.text("password"))
        agent, secret = request.headers.get("user-agent", ""), visitor_of(request).secret

        def make(rows: Rows) -> str:
            if people.is_anybody(rows):
                raise BellwireError("Somebody was quicker: there is an account already.", remedy="Sign in with it.")
            person = add_person(rows, name=name, email=email, role=Role.OWNER, password=password, now=now, who=name)
            return begin_session(rows, person.id, now, agent, instead_of=secret)

        try:
            request.scope["new_secret"] = await self._site.ledger.write(make)
        except BellwireError as error:
            return self._asked_for_owner(request, str(error), form, status=400)
        return self._site.go("/", f"Welcome, {name}. From now on, one signs in here.")

    def _asked(self, request: Request, wrong: str, to: str, email: str = "", *, status: int = 200) -> Response:
        return self._site.page(request, "sign_in.html", status, wrong=wrong, to=local(to), email=email)

    def _asked_for_owner(
        self, request: Request, wrong: str, form: Form | None = None, *, status: int = 200
    ) -> Response:
        given = {name: form.get(name) if form else "" for name in ("name", "email", "code")}
        return self._site.page(
            request, "setup.html", status, wrong=wrong, given=given, with_code=not self._gate.near(request)
        )


def _place(request: Request) -> str:
    """Where a request comes from, for the throttle. A proxy on this machine says it; nobody else is believed."""
    client = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded[:60] if forwarded and client in ("127.0.0.1", "::1") else client or _FROM_ELSEWHERE
