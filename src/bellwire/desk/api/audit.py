"""Who did what."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bellwire.desk.api.doors import Doors, See
from bellwire.desk.api.paging import After, Limit, Listed
from bellwire.desk.api.shapes import Moment
from bellwire.ledger import audit
from bellwire.ledger.audit import Wanted

Text = Annotated[str, Query(max_length=200)]


class Act(BaseModel):
    id: int
    at: datetime
    who: str
    what: str
    target: str
    detail: str


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["audit"])

    @routes.get("/audit")
    async def list_acts(
        caller: See,
        who: Text = "",
        what: Text = "",
        target: Text = "",
        since: Moment | None = None,
        until: Moment | None = None,
        limit: Limit = 50,
        after: After = None,
    ) -> Listed[Act]:
        """What people and programs did, the newest first. `until` itself isn't among it."""
        wanted = Wanted(who, what, target, since, until)
        found = await doors.site.ledger.read(lambda rows: audit.page(rows, wanted, limit=limit + 1, before=after))
        items = [Act(**vars(act)) for act in found[:limit]]
        return Listed(items=items, next=items[-1].id if len(found) > limit else None)

    return routes
