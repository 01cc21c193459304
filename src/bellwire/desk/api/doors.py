"""Who may call what, and what every call has in common."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Header, HTTPException, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bellwire.access import Right, token_rights
from bellwire.desk.api.problems import problem, told
from bellwire.desk.site import Site
from bellwire.errors import BellwireError
from bellwire.ledger import Rows, tokens
from bellwire.ledger.tokens import AnswerRow

MOST_BYTES = 1024 * 1024
"""Of a request."""
_SECONDS = 30.0
"""For all of it to arrive."""
_KEPT = timedelta(days=1)
"""For how long the answer to a write is kept."""
_NOTED_EVERY = timedelta(minutes=5)
_BEARER = HTTPBearer(auto_error=False, description="A token: `bellwire token new`, or the desk's settings.")

DESCRIPTION = "/openapi.json"
"""Whoever wants to call may read it."""

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="A text of your own, for each write another one. Sent again within a day, the write isn't done"
        " again: the first answer comes back.",
    ),
]


@dataclass(frozen=True)
class Caller:
    token: int
    name: str
    """As it stands in the audit."""
    rights: frozenset[Right]


def _needs(right: Right) -> Any:
    """The description names the right, as https://spec.openapis.org/oas/v3.1.0.html#security-requirement-object
    has it."""

    async def caller(request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Caller:
        found = request.scope["caller"]
        assert isinstance(found, Caller)
        if right not in found.rights:
            raise HTTPException(403, f"This token doesn't have the right '{right}'.")
        if b"\\u" in await request.body() and not _is_text(await request.json()):
            raise HTTPException(422, "A text in the request holds what isn't text.")
        return found

    return Security(caller, scopes=[right.value])


See = Annotated[Caller, _needs(Right.SEE)]
"""Whoever has the right to see; an operation that takes one needs the right. The same for the others."""
Work = Annotated[Caller, _needs(Right.WORK)]
Manage = Annotated[Caller, _needs(Right.MANAGE)]


@dataclass(frozen=True)
class Write:
    """Something that a caller wants done: once for each key of theirs."""

    doors: "Doors"
    request: Request
    caller: Caller
    key: str

    @property
    def who(self) -> str:
        return self.caller.name

    async def __call__(self, work: Callable[[Rows], BaseModel], status: int = 200) -> Response:
        """Do `work` in one transaction with keeping its answer. Raises what it raises."""
        return await self.doors.write(self.request, self.caller, self.key, work, status)

    async def beyond(self, work: Callable[[], Awaitable[BaseModel]], status: int = 200) -> Response:
        """The same for work that goes beyond the ledger: to a vendor, to a file, to a process. Its answer is kept right
        after it."""
        return await self.doors.write_beyond(self.request, self.caller, self.key, work, status)


def _writes(right: Right) -> Any:
    async def write(request: Request, caller: Annotated[Caller, _needs(right)], key: Key = "") -> Write:
        return Write(request.scope["doors"], request, caller, key)

    return Depends(write)


Working = Annotated[Write, _writes(Right.WORK)]
"""A write by whoever has the right to work; the same for the other one."""
Managing = Annotated[Write, _writes(Right.MANAGE)]


class Doors:
    """What the routes of the API are made with."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._under_way: set[tuple[int, str]] = set()
        """Writes that go beyond the ledger: token and key."""

    async def caller(self, request: Request) -> Caller | None:
        """Who calls; None: there is no token, or it isn't good."""
        given = await _BEARER(request)
        if given is None:
            return None
        token = given.credentials
        now = self.site.clock()
        found = await self.site.ledger.read(lambda rows: token_rights(rows, token, now))
        if found is None:
            return None
        row, rights = found
        if row.used_at is None or row.used_at + _NOTED_EVERY <= now:
            await self.site.ledger.write(lambda rows: tokens.use(rows, row.id, now))
        return Caller(row.id, f"{row.name} (token {row.id})", rights)

    async def write(
        self, request: Request, caller: Caller, key: str, work: Callable[[Rows], BaseModel], status: int = 200
    ) -> Response:
        """Do `work` in one transaction with keeping its answer, once for each key. Raises what it raises."""
        asked, now = await _digest(request), self.site.clock()

        def once(rows: Rows) -> AnswerRow:
            if key and (kept := tokens.answer(rows, caller.token, key)):
                return kept
            answer = AnswerRow(asked, status, work(rows).model_dump_json())
            if key:
                tokens.forget_answers(rows, now - _KEPT)
                tokens.keep_answer(rows, caller.token, key, answer, now)
            return answer

        return _answered(await self.site.ledger.write(once), asked)

    async def write_beyond(
        self, request: Request, caller: Caller, key: str, work: Callable[[], Awaitable[BaseModel]], status: int
    ) -> Response:
        """Do `work`, then keep its answer, once for each key. Raises what it raises."""
        asked, mine = await _digest(request), (caller.token, key)
        kept = await self.site.ledger.read(lambda rows: tokens.answer(rows, *mine)) if key else None
        if kept is not None:
            return _answered(kept, asked)
        if key and mine in self._under_way:
            raise HTTPException(409, "This is being done since it was sent first: ask again in a moment.")
        self._under_way.add(mine)
        try:
            answer = AnswerRow(asked, status, (await work()).model_dump_json())
            now = self.site.clock()
            if key:
                await self.site.ledger.write(lambda rows: tokens.keep_answer(rows, *mine, answer, now))
        finally:
            self._under_way.discard(mine)
        return _answered(answer, asked)


class Entrance:
    """Before anything of a request is read: who calls has a good token, and no more is read than the bounds allow."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
        else:
            await self._app(scope, _bounded(receive), send)

    async def _refusal(self, request: Request) -> Response | None:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        if path == DESCRIPTION:
            return None
        try:
            caller = await self._doors.caller(request)
        except BellwireError as error:
            return told(error)
        if caller is None:
            return problem(401, "A token is needed.", headers={"WWW-Authenticate": "Bearer"})
        if "\0" in path or b"%00" in request.scope["query_string"]:
            return problem(404, "There is no such thing.")
        request.scope["caller"], request.scope["doors"] = caller, self._doors
        return None


async def _digest(request: Request) -> str:
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).hexdigest()


def _answered(answer: AnswerRow, asked: str) -> Response:
    if answer.asked != asked:
        raise HTTPException(409, "This Idempotency-Key was used for another request.")
    return Response(answer.body, answer.status, media_type="application/json")


def _bounded(receive: Receive) -> Receive:
    """Raises HTTPException, which FastAPI tells, when a body is too large or too slow."""
    size, deadline = 0, asyncio.get_running_loop().time() + _SECONDS
    complete = False

    async def bounded() -> Message:
        nonlocal size, complete
        if complete:  # What comes now is that the caller has gone: that may take its time.
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, "The request took too long to arrive.") from None
        size += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if size > MOST_BYTES:
            raise HTTPException(413, "The request is too large.")
        return message

    return bounded


def _is_text(value: Any) -> bool:
    """Whether all its texts can be kept: PostgreSQL knows no NUL, and no UTF-8 has half of a pair of surrogates."""
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
        case list():
            return all(map(_is_text, value))
        case dict():
            return all(_is_text(each) for pair in value.items() for each in pair)
        case _:
            return True
