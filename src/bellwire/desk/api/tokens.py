"""The tokens themselves."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from bellwire.access import Right, issue_token, revoke_token
from bellwire.desk.api.doors import Doors, Manage, Managing
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT, LARGEST, WHOLE, Body, like
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import Rows, TokenRow, tokens

Number = Annotated[int, Path(ge=1, le=LARGEST)]


class Token(BaseModel):
    id: int
    name: str
    rights: list[Right]
    person: int | None = Field(description="Whose rights it can't go beyond; null: it was made at the machine.")
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: TokenRow) -> "Token":
        return cls(**vars(row) | {"rights": [Right(right) for right in row.rights]})


class NewToken(Body):
    model_config = like({"name": "the till", "rights": ["see"], "days": 90})
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=KEPT, description="What it is for.")]
    rights: Annotated[list[Right], Field(min_length=1, description="None that the caller doesn't have.")]
    days: Annotated[int, Field(ge=0, le=3650, description="When it ends; 0: never."), WHOLE] = 90


class Issued(Token):
    token: str = Field(description="It is told this once.")


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["tokens"], prefix="/tokens")
    site = doors.site

    @routes.get("")
    async def list_tokens(_: Manage, limit: Limit = 50, after: After = None) -> Listed[Token]:
        """The newest first, the revoked ones too."""
        found = await site.ledger.read(tokens.all_of_them)
        earlier = [Token.of(row) for row in found if after is None or row.id < after]
        return Listed(items=earlier[:limit], next=earlier[limit - 1].id if len(earlier) > limit else None)

    @routes.post("", status_code=201, response_model=Issued)
    async def issue(request: Request, caller: Manage, given: NewToken) -> Response:
        """Make a token. Its answer isn't kept, so it can't be sent again without making another one."""
        now = site.clock()
        beyond = sorted(set(given.rights) - caller.rights)
        if beyond:
            raise BellwireError(f"This token doesn't have the right '{beyond[0]}', so it can't give it.")

        def work(rows: Rows) -> Issued:
            own = tokens.find(rows, caller.token)
            number, token = issue_token(
                rows,
                given.name,
                given.rights,
                now,
                who=caller.name,
                person=own.person if own else None,
                expires_at=now + timedelta(days=given.days) if given.days else None,
            )
            return Issued(**vars(Token.of(_found(rows, number))), token=token)

        return await doors.write(request, caller, "", work, 201)

    @routes.post("/{number}/revoke", response_model=Token)
    async def revoke(number: Number, write: Managing) -> Response:
        """It is no longer good from the next request on; the caller's own may be it."""
        now = site.clock()

        def work(rows: Rows) -> Token:
            revoke_token(rows, number, now, who=write.who)
            return Token.of(_found(rows, number))

        return await write(work)

    return routes


def _found(rows: Rows, number: int) -> TokenRow:
    row = tokens.find(rows, number)
    if row is None:
        raise NotFound(f"There is no token {number}.")
    return row
