"""Signing in and out, and the first account."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bellwire.access import (
    CodeSecrets,
    Role,
    Try,
    add_person,
    begin_half,
    begin_session,
    end_session,
    failed,
    find_half,
    fits,
    hashed,
    is_setup_code,
    may_try,
    nobodys,
    succeeded,
    take_back,
    too_weak,
    use_code,
)
from bellwire.clock import duration
from bellwire.desk.forms import Form, form_of
from bellwire.desk.gate import SESSION, Gate, in_thread
from bellwire.desk.site import Page, Site, local
from bellwire.desk.visitor import visitor_of
from bellwire.errors import BellwireError, ConfigurationError
from bellwire.ledger import PersonRow, Rows, people

log = structlog.get_logger()

_FROM_ELSEWHERE = "from elsewhere"


def pages(site: Site, gate: Gate) -> Sequence[Page]:
    desk = _SigningIn(site, gate)
    return [
        Page("/sign-in", desk.ask, needs=None),
        Page("/sign-in", desk.sign_in, needs=None, method="POST"),
        Page("/sign-in/code", desk.ask_for_code, needs=None),
        Page("/sign-in/code", desk.take_code, needs=None, method="POST"),
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
        place, now = place_of(request), self._site.clock()

        def look(rows: Rows) -> tuple[PersonRow | None, timedelta | Try]:
            return people.by_email(rows, email), may_try(rows, email, place, now) or failed(rows, email, place, now)

        person, tried = await self._site.ledger.write(look)
        if isinstance(tried, timedelta):
            text = f"That was wrong too often. Try again in {duration(tried)}."
            return self._asked(request, text, to, email, status=429)
        right = await in_thread(fits, person.password if person else await in_thread(nobodys), password)
        if person is None or person.disabled_at is not None or not right:
            return self._asked(request, "The address or the password is wrong.", to, email, status=403)
        number, name, agent = person.id, person.name, request.headers.get("user-agent", "")

        with_code = person.codes_since is not None

        def begin(rows: Rows) -> str:
            if with_code:
                take_back(rows, tried)
                return begin_half(rows, number, now, agent, instead_of=visitor.secret)
            succeeded(rows, email, place, now, who=name)
            return begin_session(rows, number, now, agent, instead_of=visitor.secret)

        request.scope["new_secret"] = await self._site.ledger.write(begin)
        return self._site.go(f"/sign-in/code?next={quote(to, safe='')}" if with_code else to)

    async def ask_for_code(self, request: Request) -> Response:
        secret, now = visitor_of(request).secret, self._site.clock()
        if await self._site.ledger.read(lambda rows: find_half(rows, secret, now)) is None:
            return self._site.go("/sign-in")
        return self._asked_for_code(request, "", request.query_params.get("next", "/"))

    async def take_code(self, request: Request) -> Response:
        """The second step. What was failed in it counts as much as a wrong password."""
        form, half, now = form_of(request), visitor_of(request).secret, self._site.clock()
        given, to, place = form.get("code"), form.get("next", "/"), place_of(request)
        person = await self._site.ledger.read(lambda rows: find_half(rows, half, now))
        if person is None:
            return self._site.go("/sign-in", "That took too long. Sign in again.")
        found = person
        secret, agent = await in_thread(self._codes_of, person.id), request.headers.get("user-agent", "")

        def take(rows: Rows) -> timedelta | str | None:
            wait = may_try(rows, found.email, place, now)
            if wait is not None:
                return wait
            if not use_code(rows, found.id, secret, given, now):
                failed(rows, found.email, place, now)
                return None
            succeeded(rows, found.email, place, now, who=found.name)
            return begin_session(rows, found.id, now, agent, instead_of=half)

        done = await self._site.ledger.write(take)
        if isinstance(done, timedelta):
            return self._asked_for_code(request, f"That was wrong too often. Try again in {duration(done)}.", to, 429)
        if done is None:
            return self._asked_for_code(request, "That isn’t the code of this moment, or it was used already.", to, 403)
        request.scope["new_secret"] = done
        return self._site.go(to)

    def _codes_of(self, person: int) -> str:
        """A vault that can't be opened leaves the recovery codes."""
        try:
            return CodeSecrets(self._site.vault).find(person) if self._site.vault else ""
        except ConfigurationError as error:
            log.error("one-time codes can't be checked", error=str(error))
            return ""

    def _asked_for_code(self, request: Request, wrong: str, to: str, status: int = 200) -> Response:
        return self._site.page(request, "code.html", status, wrong=wrong, to=local(to))

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
        name, email, place = form.get("name"), form.get("email").lower(), place_of(request)
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


def place_of(request: Request) -> str:
    """Where a request comes from, for the throttle. A proxy on this machine says it; nobody else is believed."""
    client = request.client.host if request.client else ""
    forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return forwarded[:60] if forwarded and client in ("127.0.0.1", "::1") else client or _FROM_ELSEWHERE
