"""What flows ask of people: approvals and to-dos."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See, Working, Write
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT, KEPT_WORDS, LARGEST, Body, like
from bellwire.desk.asking import LONGEST, do_by_hand, whole
from bellwire.engine import Means, approve, decline, leave_out, values_of
from bellwire.errors import NotFound
from bellwire.ledger import AskKind, AskRow, AskState, Rows, asks

Number = Annotated[int, Path(ge=1, le=LARGEST, description="Of the approval or to-do.")]
Told = Annotated[str, Field(max_length=LONGEST, pattern=KEPT)]
Why = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=KEPT_WORDS, description="It stays on record.")]


class Ask(BaseModel):
    id: int
    kind: AskKind
    state: AskState
    text: str = Field(description="The question, or what is to be done.")
    flow: str
    action: str
    item: int = Field(description="Of an action that is done for each of several things: which one, from 0.")
    run: int
    asked: str = Field(description="Who is; empty: the flow's owner.")
    asked_at: datetime
    expires_at: datetime | None
    who: str = Field(description="Who answered.")
    decided_at: datetime | None
    reason: str


class Wanted(BaseModel):
    """A field of the result that later actions refer to."""

    name: str
    wanted_by: list[str] = Field(description="Actions.")
    needed: bool = Field(description="Whether one of them can't be done without it.")


class Value(BaseModel):
    field: str
    value: str


class Link(BaseModel):
    action: str
    address: str


class WholeAsk(Ask):
    values: list[Value] = Field(description="What the action is given, in words.")
    given: Any = Field(description="The same, as the flow gives it.")
    result: list[Wanted] = Field(description="Of a to-do: what may be told when it is done.")
    links: list[Link] = Field(description="What earlier actions of the run made in other systems.")


class Approving(Body):
    reason: Told = ""


class Refusing(Body):
    reason: Why


class Done(Body):
    model_config = like({"result": {"id": "1045", "customer_id": "58"}})
    result: dict[Told, Told] = Field(
        default={},
        max_length=100,
        json_schema_extra={"additionalProperties": False},
        description="What the other system gave, such as the id: by field.",
    )


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["asks"])
    site = doors.site

    @routes.get("/asks")
    async def list_asks(
        caller: See,
        state: Annotated[Literal["open", "closed"], Query(description="Closed ones come newest first.")] = "open",
        flow: Annotated[str, Query(max_length=200)] = "",
        kind: AskKind | None = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[Ask]:
        """Approvals and to-dos: open ones oldest first."""

        def read(rows: Rows) -> list[AskRow]:
            if state == "open":
                return asks.open_ones(rows, flow=flow, kind=kind or "", after=after or 0, limit=limit + 1)
            return asks.closed_ones(rows, flow=flow, kind=kind or "", before=after, limit=limit + 1)

        found = await site.ledger.read(read)
        more = len(found) > limit
        return Listed(items=[_ask(row) for row in found[:limit]], next=found[limit - 1].id if more else None)

    @routes.get("/asks/{number}")
    async def read_ask(caller: See, number: Number) -> WholeAsk:
        """One, with every value."""
        means = site.means
        return await site.ledger.read(lambda rows: _whole(rows, means, number))

    async def answered(write: Write, number: int, act: Callable[..., None], **given: object) -> Response:
        means, now = site.means, site.clock()

        def work(rows: Rows) -> WholeAsk:
            act(rows, number, now, who=write.who, **given)
            return _whole(rows, means, number)

        return await write(work)

    @routes.post("/asks/{number}/approve", response_model=WholeAsk)
    async def approve_ask(number: Number, told: Approving, write: Working) -> Response:
        """Say yes: the action is done."""
        return await answered(write, number, approve, reason=told.reason)

    @routes.post("/asks/{number}/decline", response_model=WholeAsk)
    async def decline_ask(number: Number, told: Refusing, write: Working) -> Response:
        """Say no: the action is left out."""
        return await answered(write, number, decline, reason=told.reason)

    @routes.post("/asks/{number}/done", response_model=WholeAsk)
    async def tick_ask_off(number: Number, told: Done, write: Working) -> Response:
        """A to-do was done: the run goes on with what is told. 409, if a later action can't be done without more."""
        return await answered(write, number, partial(do_by_hand, means=site.means), result=told.result)

    @routes.post("/asks/{number}/skip", response_model=WholeAsk)
    async def skip_ask(number: Number, told: Refusing, write: Working) -> Response:
        """Nobody is to do a to-do: the action is left out."""
        return await answered(write, number, leave_out, reason=told.reason)

    return routes


def _ask(row: AskRow) -> Ask:
    return Ask.model_validate(row, from_attributes=True)


def _whole(rows: Rows, means: Means, number: int) -> WholeAsk:
    found = whole(rows, means, number)
    if found is None:
        raise NotFound(f"There is no to-do {number}.", remedy="GET /asks lists them.")
    row = found.ask
    wanted = found.fields if row.state is AskState.OPEN else ()
    return WholeAsk(
        **_ask(row).model_dump(),
        values=[Value(field=field, value=value) for field, value in (values_of(row.given) if row.given else [])],
        given=orjson.loads(row.given) if row.given else None,
        result=[Wanted(name=each.name, wanted_by=list(each.wanted_by), needed=each.needed) for each in wanted],
        links=[Link(action=action, address=address) for action, address in found.links],
    )
