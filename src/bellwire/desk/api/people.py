"""Who may use the desk. Passwords go in, and never come out."""

from datetime import datetime
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
    too_weak,
)
from bellwire.desk.api.doors import Doors, Key, Manage
from bellwire.desk.api.shapes import KEPT, LARGEST, Body
from bellwire.desk.gate import in_thread
from bellwire.errors import BellwireError, NotFound
from bellwire.ledger import PersonRow, Rows, people

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


class People(BaseModel):
    items: list[Person]


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


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["people"], prefix="/people")
    site = doors.site

    @routes.get("")
    async def list_people(caller: Manage) -> People:
        """Everybody who has an account, also a closed one."""
        return People(items=[Person.of(row) for row in await site.ledger.read(people.everybody)])

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
    async def change(
        request: Request,
        caller: Manage,
        number: Number,
        given: Change,
        key: Key = "",
    ) -> Response:
        """Change a name or a role. Somebody has to stay an owner."""
        now = site.clock()

        def work(rows: Rows) -> Person:
            row = _found(rows, number)
            name, role = given.name or row.name, given.role or Role(row.role)
            change_person(rows, number, name=name, role=role, now=now, who=caller.name)
            return Person.of(_found(rows, number))

        return await doors.write(request, caller, key, work)

    @routes.put("/{number}/password", response_model=Person)
    async def set_a_password(
        request: Request,
        caller: Manage,
        number: Number,
        given: NewPassword,
    ) -> Response:
        """They are signed out everywhere."""
        kept, now = await _hash(given.password), site.clock()

        def work(rows: Rows) -> Person:
            set_password(rows, number, kept, now, who=caller.name)
            return Person.of(_found(rows, number))

        return await doors.write(request, caller, "", work)

    @routes.post("/{number}/close", response_model=Person)
    async def close(
        request: Request,
        caller: Manage,
        number: Number,
        key: Key = "",
    ) -> Response:
        """They are signed out everywhere, and can't sign in; tokens that they made are no longer good."""
        now = site.clock()

        def work(rows: Rows) -> Person:
            close_account(rows, number, now, who=caller.name)
            return Person.of(_found(rows, number))

        return await doors.write(request, caller, key, work)

    @routes.post("/{number}/open", response_model=Person)
    async def open_again(
        request: Request,
        caller: Manage,
        number: Number,
        key: Key = "",
    ) -> Response:
        """They may sign in again."""
        now = site.clock()

        def work(rows: Rows) -> Person:
            open_account(rows, number, now, who=caller.name)
            return Person.of(_found(rows, number))

        return await doors.write(request, caller, key, work)

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
