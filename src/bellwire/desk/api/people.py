"""Who may use the desk. Passwords go in, and never come out."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from bellwire.access import (
    Role,
    add_person,
    change_person,
    close_account,
    hashed,
    open_account,
    set_password,
    sign_out,
    switch_codes_off,
    too_weak,
)
from bellwire.desk.api.doors import Doors, Manage, Managing, Write
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import KEPT, LARGEST, Body
from bellwire.desk.gate import in_thread
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import PersonRow, Rows, SessionRow, people

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=KEPT)]
Password = Annotated[str, Field(min_length=12, max_length=200, pattern=KEPT, description="At least 12 characters.")]


class Person(BaseModel):
    id: int
    name: str
    email: str
    role: Role
    created_at: datetime
    closed_at: datetime | None = Field(description="Since when they can't sign in; null: they can.")
    signed_in_at: datetime | None
    one_time_codes: bool

    @classmethod
    def of(cls, row: PersonRow) -> "Person":
        return cls(
            id=row.id,
            name=row.name,
            email=row.email,
            role=Role(row.role),
            created_at=row.created_at,
            closed_at=row.disabled_at,
            signed_in_at=row.signed_in_at,
            one_time_codes=row.codes_since is not None,
        )


class NewPerson(Body):
    name: Name
    email: Annotated[str, Field(max_length=100, pattern=KEPT)]
    role: Role
    password: Password


class Change(Body):
    """What isn't given stays."""

    name: Name | None = None
    role: Role | None = None


class NewPassword(Body):
    password: Password


class Session(BaseModel):
    id: str = Field(description="To end it by.")
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    agent: str = Field(description="What the browser calls itself.")

    @classmethod
    def of(cls, row: SessionRow) -> "Session":
        return cls(
            id=row.key, **{name: getattr(row, name) for name in ("created_at", "seen_at", "expires_at", "agent")}
        )


class Ended(Body):
    session: Annotated[str, Field(max_length=100, pattern=KEPT)] | None = Field(None, description="Null: all of them.")


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["people"], prefix="/people")
    site = doors.site

    async def changed(write: Write, number: int, act: Callable[..., object], **given: object) -> Response:
        now = site.clock()

        def work(rows: Rows) -> Person:
            act(rows, number, now=now, who=write.who, **given)
            return Person.of(_found(rows, number))

        return await write(work)

    @routes.get("")
    async def list_people(_: Manage, limit: Limit = 50, after: After = None) -> Listed[Person]:
        """Everybody who has an account, also a closed one, in the order of the accounts."""
        found = await site.ledger.read(people.everybody)
        later = [Person.of(row) for row in found if row.id > (after or 0)]
        return Listed(items=later[:limit], next=later[limit - 1].id if len(later) > limit else None)

    @routes.get("/{number}")
    async def read_person(_: Manage, number: Number) -> Person:
        """One of them."""
        return Person.of(await site.ledger.read(lambda rows: _found(rows, number)))

    @routes.post("", status_code=201, response_model=Person)
    async def add(request: Request, caller: Manage, given: NewPerson) -> Response:
        """Give somebody an account. Sent again it is refused, as the address is taken."""
        kept, now = await _hash(given.password, given.name, given.email), site.clock()

        def work(rows: Rows) -> Person:
            return Person.of(
                add_person(
                    rows,
                    name=given.name,
                    email=given.email,
                    role=given.role,
                    password=kept,
                    now=now,
                    who=caller.name,
                )
            )

        # Without a key: nothing that hangs on a password is kept with the answer.
        return await doors.write(request, caller, "", work, 201)

    @routes.patch("/{number}", response_model=Person)
    async def change(number: Number, given: Change, write: Managing) -> Response:
        """Change a name or a role. Somebody has to stay an owner."""

        def act(rows: Rows, number: int, *, now: datetime, who: str) -> None:
            row = _found(rows, number)
            name, role = given.name or row.name, given.role or Role(row.role)
            change_person(rows, number, name=name, role=role, now=now, who=who)

        return await changed(write, number, act)

    @routes.put("/{number}/password", response_model=Person)
    async def set_a_password(request: Request, caller: Manage, number: Number, given: NewPassword) -> Response:
        """They are signed out everywhere."""
        kept = await _hash(given.password)
        return await changed(Write(doors, request, caller, ""), number, partial(set_password, password=kept))

    @routes.post("/{number}/close", response_model=Person)
    async def close(number: Number, write: Managing) -> Response:
        """They are signed out everywhere, and can't sign in; tokens that they made are no longer good."""
        return await changed(write, number, close_account)

    @routes.post("/{number}/open", response_model=Person)
    async def open_again(number: Number, write: Managing) -> Response:
        """They may sign in again."""
        return await changed(write, number, open_account)

    @routes.post("/{number}/codes-off", response_model=Person)
    async def stop_asking_for_codes(number: Number, write: Managing) -> Response:
        """They sign in without a one-time code, as when somebody has lost the phone."""
        return await changed(write, number, switch_codes_off)

    @routes.get("/{number}/sessions")
    async def list_sessions(_: Manage, number: Number) -> Listed[Session]:
        """Where they are signed in, last seen first: there is one page."""

        def read(rows: Rows) -> list[SessionRow]:
            return people.sessions_of(rows, _found(rows, number).id)

        return Listed(items=[Session.of(row) for row in await site.ledger.read(read)])

    @routes.post("/{number}/sessions/end", response_model=Person)
    async def end_session(number: Number, given: Ended, write: Managing) -> Response:
        """Sign them out in one place, or everywhere."""

        def act(rows: Rows, number: int, *, now: datetime, who: str) -> None:
            sign_out(rows, _found(rows, number).id, now, who=who, session=given.session)

        return await changed(write, number, act)

    return routes


async def _hash(password: str, *about: str) -> str:
    if wrong := too_weak(password, *about):
        raise BellwireError(wrong)
    kept: str = await in_thread(hashed, password)
    return kept


def _found(rows: Rows, number: int) -> PersonRow:
    row = people.find(rows, number)
    if row is None:
        raise NotFound(f"There is no person {number}.")
    return row
