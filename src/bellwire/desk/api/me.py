"""Who calls: to try a token."""

from fastapi import APIRouter
from pydantic import BaseModel

from bellwire.access import Right
from bellwire.desk.api.doors import Doors


class Me(BaseModel):
    name: str
    rights: list[Right]


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["me"])

    @routes.get("/me")
    async def read_me(caller: doors.see) -> Me:  # type: ignore[name-defined]
        """What the token may do."""
        return Me(name=caller.name, rights=sorted(caller.rights))

    return routes
