"""The one place that lets people in: who asks, what the page needs, and that a form came from one of our own pages."""

import asyncio
import secrets
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bellwire.access import LONGEST, Right, Role, find_session, note_session
from bellwire.desk.forms import read_form
from bellwire.desk.guard import Near, is_exposed
from bellwire.desk.site import Page, Site, View
from bellwire.desk.visitor import Visitor
from bellwire.errors import BellwireError, LedgerBusy, NotFound
from bellwire.ledger import Rows, asks, figures, people

log = structlog.get_logger()

SESSION = "bellwire_session"
FORM_TOKEN = "form_token"  # noqa: S105 - the name of a field
NOBODY = Visitor("", frozenset())
_AT_THIS_MACHINE = "somebody at this machine"
_LONGEST_COOKIE = 200
_FAILURES = {
    404: ("There is no such page", "The address may be mistyped, or out of date."),
    408: ("That took too long", "It didn’t arrive in time, and nothing was changed. Send it again."),
    413: ("That was too much", "Nothing was changed. Make it shorter, and send it again."),
}
_OTHER_FAILURE = ("That isn’t possible here", "The page doesn’t know what to do with this.")


class Gate:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._near = Near(site.host)

    def route(self, page: Page) -> Route:
        return Route(page.path, self._let_in(page), methods=[page.method])

    def near(self, request: Request) -> bool:
        """Whether it surely comes from this machine: what others may reach can't tell."""
        return self._near(request.scope) and not is_exposed(self._site.host, self._site.reach.public)

    def stays(self, rows: Rows, visitor: Visitor) -> bool:
        """Whether somebody who was let in would be now, with the same rights."""
        if visitor.person is None:
            return not people.is_anybody(rows)
        session = find_session(rows, visitor.secret, self._site.clock())
        return session is not None and Role(session.person.role).rights == visitor.rights

    def keep_signed_in(self, request: Request, response: Response, secret: str) -> None:
        response.set_cookie(
            SESSION,
            secret,
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=self._is_encrypted(request),
        )

    def _let_in(self, page: Page) -> View:
        async def answered(request: Request) -> Response:
            try:
                visitor = await self._visitor(request)
                request.scope["visitor"] = visitor
                if "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]:
                    raise HTTPException(404)  # A ledger on PostgreSQL can't be asked for it.
                refusal = await self._refusal(page, request, visitor)
                response = refusal or await page.view(request)
            except HTTPException as error:
                response = self.failed(request, error)
            except LedgerBusy as error:
                response = self._site.message(request, 503, "Just a moment", str(error), "Try again in a minute.")
            except NotFound as error:
                response = self._site.message(request, 404, "That isn’t there", error.sentence, error.remedy)
            except BellwireError as error:
                response = self._site.message(request, 400, "That isn’t possible", error.sentence, error.remedy)
            except Exception:
                log.exception("a page could not be shown", path=request.url.path)
                response = self._site.message(
                    request,
                    500,
                    "This page can’t be shown just now",
                    "Nothing is lost: orders are still taken in and worked on. Try again in a minute; if it stays"
                    " like this, ask your developer to look into the log.",
                )
            secret = request.scope.get("new_secret")
            if secret:
                self.keep_signed_in(request, response, secret)
            return response

        return answered

    def failed(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        response = self._site.message(request, status, *_FAILURES.get(status, _OTHER_FAILURE))
        response.headers.update((error.headers if isinstance(error, HTTPException) else None) or {})
        return response

    async def _refusal(self, page: Page, request: Request, visitor: Visitor) -> Response | None:
        """Why the page isn't shown; None: it is."""
        site = self._site
        if page.needs is not None and not visitor.may(page.needs):
            if visitor.known:
                text = "Your role doesn’t include this. An owner can change that in the settings."
                return site.message(request, 403, "You can’t do that", text)
            return await self._sign_in_first(request)
        if page.method != "GET":
            form = await read_form(request)
            if not self._same_origin(request) or not visitor.made(form.get(FORM_TOKEN)):
                text = "The page was open for too long, or the form came from elsewhere. Nothing was changed."
                return site.message(
                    request, 403, "Please do that again", text, "Go back, reload the page, and try again."
                )
            request.scope["form"] = form
        return None

    async def _sign_in_first(self, request: Request) -> Response:
        site = self._site
        anybody = await site.ledger.read(people.is_anybody)
        if not anybody:
            return RedirectResponse("/setup", 303)
        if request.method != "GET":
            return site.message(request, 401, "Please sign in again", "You were signed out. Nothing was changed.")
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse("/sign-in" + (f"?next={quote(wanted, safe='')}" if wanted != "/" else ""), 303)

    async def _visitor(self, request: Request) -> Visitor:
        """Everybody has a secret, so that their forms can be told from those of others."""
        secret, now = request.cookies.get(SESSION, "")[:_LONGEST_COOKIE], self._site.clock()

        def query(rows: Rows) -> tuple[Any, ...]:
            open_ones = figures.open_exceptions(rows), sum(count for _, count in asks.count_open(rows))
            return find_session(rows, secret, now) if secret else None, people.is_anybody(rows), open_ones

        session, anybody, (exceptions, open_asks) = await self._site.ledger.read(query)
        if session is not None:
            if session.to_note:
                await self._site.ledger.write(lambda rows: note_session(rows, secret, now))
            person = session.person
            visitor = Visitor(person.name, Role(person.role).rights, secret, person)
            return replace(visitor, exceptions=exceptions, asks=open_asks)
        if not secret:
            secret = request.scope["new_secret"] = secrets.token_urlsafe(32)
        if anybody or not self.near(request):
            return replace(NOBODY, secret=secret)
        return Visitor(_AT_THIS_MACHINE, frozenset(Right), secret, exceptions=exceptions, asks=open_asks)

    @staticmethod
    def _same_origin(request: Request) -> bool:
        """What browsers say of where a form comes from; older ones and other programs say nothing.

        https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site
        """
        return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")

    def _is_encrypted(self, request: Request) -> bool:
        """Whether the browser speaks HTTPS, to Bellwire or to the proxy before it."""
        forwarded = request.headers.get("x-forwarded-proto", "") == "https"
        return request.url.scheme == "https" or (forwarded and self._site.reach.public.startswith("https:"))


async def in_thread(work: Any, *values: Any) -> Any:
    """What takes long and isn't the ledger's, such as hashing a password."""
    return await asyncio.to_thread(work, *values)
