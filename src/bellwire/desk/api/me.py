"""Who calls: to try a token."""

from fastapi import APIRouter
from pydantic import BaseModel

from bellwire.access import Right
from bellwire.desk.api.doors import Doors, See


class Me(BaseModel):
    name: str
    rights: list[Right]


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["me"])

    @routes.get("/me")
    async def read_me(caller: See) -> Me:
        """What the token may do."""
        return Me(name=caller.name, rights=sorted(caller.rights))

    return routes
