"""A resource of the tests' own: it writes as every other does, so that what they have in common is tested by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from starlette.applications import Starlette

from bellwire.desk.api import api, me
from bellwire.desk.api.doors import Working
from bellwire.desk.api.shapes import Body, Text, Value
from bellwire.desk.mounting import Below
from bellwire.errors import BellwireError, LedgerBusy, NotFound
from bellwire.intake import serve
from bellwire.ledger import Rows, audit
from tests.desk.story import Place


class Note(Body):
    text: Text
    more: dict[Text, Value] = Field(default={}, json_schema_extra={"additionalProperties": False})


class Kept(BaseModel):
    number: int


def _count(rows: Rows, what: str) -> int:
    found = rows.one("SELECT count(*) FROM audit WHERE what = :what", {"what": what})
    assert found is not None
    return int(found[0])


@asynccontextmanager
async def keeping_notes(place: Place) -> AsyncIterator[str]:
    """An API beside the desk that keeps notes, and has little else; gives its address."""
    site = place.desk._site
    routes = APIRouter()

    @routes.post("/notes", status_code=201, response_model=Kept)
    async def keep(note: Note, write: Working) -> Response:
        def work(rows: Rows) -> Kept:
            for kind in (NotFound, LedgerBusy, BellwireError):
                if note.text == kind.__name__:
                    raise kind("It isn't possible.", remedy="Do something else.")
            if note.text == "fault":
                raise ValueError("secret detail")
            audit.record(rows, write.who, "note", "notes", site.clock(), note.text)
            return Kept(number=_count(rows, "note"))

        return await write(work, 201)

    @routes.post("/letters", status_code=201, response_model=Kept)
    async def send(note: Note, write: Working) -> Response:
        """A write that goes beyond the ledger; `wait` is under way until there is a note."""

        async def work() -> Kept:
            await site.ledger.write(lambda rows: audit.record(rows, write.who, "letter", "letters", site.clock()))
            while note.text == "wait":
                if await site.ledger.read(lambda rows: _count(rows, "note")):
                    break
                await asyncio.sleep(0.01)
            return Kept(number=await site.ledger.read(lambda rows: _count(rows, "letter")))

        return await write.beyond(work, 201)

    app = api(site, [me])
    app.include_router(routes)
    async with serve(Starlette(routes=[Below("/api/v1", app)]), "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/api/v1"
