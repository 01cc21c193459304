"""Who may call what, and what every call has in common."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from bellwire.access import Right, token_rights
from bellwire.desk.site import Site
from bellwire.ledger import Rows, tokens
from bellwire.ledger.tokens import AnswerRow

MOST_BYTES = 1024 * 1024
"""Of a request."""
_KEPT = timedelta(days=1)
"""For how long the answer to a write is kept."""
_NOTED_EVERY = timedelta(minutes=5)
_BEARER = HTTPBearer(auto_error=False, description="A token: `bellwire token new`, or the desk's settings.")

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


class Doors:
    """What the routes of the API are made with."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.see = Annotated[Caller, Depends(self._needs(Right.SEE))]
        self.work = Annotated[Caller, Depends(self._needs(Right.WORK))]
        self.manage = Annotated[Caller, Depends(self._needs(Right.MANAGE))]

    def _needs(self, right: Right) -> Callable[..., Awaitable[Caller]]:
        async def caller(
            request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
        ) -> Caller:
            if int(request.headers.get("content-length") or 0) > MOST_BYTES:
                raise HTTPException(413, "The request is too large.")
            found = await self._caller(given.credentials) if given else None
            if found is None:
                raise HTTPException(401, "A token is needed.", {"WWW-Authenticate": "Bearer"})
            if right not in found.rights:
                raise HTTPException(403, f"This token doesn't have the right '{right}'.")
            return found

        return caller

    async def _caller(self, token: str) -> Caller | None:
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
        asked = hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + await request.body()).hexdigest()
        now = self.site.clock()

        def once(rows: Rows) -> AnswerRow:
            if key and (kept := tokens.answer(rows, caller.token, key)):
                return kept
            answer = AnswerRow(asked, status, work(rows).model_dump_json())
            if key:
                tokens.forget_answers(rows, now - _KEPT)
                tokens.keep_answer(rows, caller.token, key, answer, now)
            return answer

        answer = await self.site.ledger.write(once)
        if answer.asked != asked:
            raise HTTPException(422, "This Idempotency-Key was used for another request.")
        return Response(answer.body, answer.status, media_type="application/json")
