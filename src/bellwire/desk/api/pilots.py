"""Pilots that are wanted by the API: begun, followed, and what they brought."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See, Working
from bellwire.desk.api.flows import Id, find_flow
from bellwire.desk.piloting import RECORDS, Attempt
from bellwire.errors import NotFound


class Check(BaseModel):
    what: str
    expected: str
    actual: str
    held: bool


class Trouble(BaseModel):
    """What failed in a record: it was tried again, or needed a person."""

    action: str
    sentence: str


class Record(BaseModel):
    """A made-up record that went through the flow."""

    position: int
    about: str
    as_expected: bool
    seconds: float | None
    checks: list[Check]
    retried: list[Trouble]
    exceptions: list[Trouble]


class Report(BaseModel):
    hash: str = Field(description="Which text of the flow was tried.")
    ready: bool
    why_not: list[str]
    seconds: float
    criteria: list[Check] = Field(description="What the flow calls good, and what was measured.")
    notes: list[str] = Field(description="What a pilot can't show.")


class UnderWay(BaseModel):
    flow: str
    who: str
    began: datetime
    state: Literal["going on", "done", "failed"]
    total: int = Field(description="How many records there are.")
    records: list[Record] = Field(description="Those that came to their end by now.")
    report: Report | None
    wrong: str = Field(description="Why there is no report.")


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["flows"]), doors.site

    @routes.post("/flows/{flow}/pilots", status_code=202, response_model=UnderWay)
    async def begin_pilot(flow: Id, write: Working) -> Response:
        """Have ten made-up records, good and bad, go through the flow on simulated systems, in the background. How far
        it is can be read where `Location` says. 409, while another one is under way."""
        wanted = find_flow(site, flow).id

        async def begin() -> UnderWay:
            return _told(site.pilots.begin(wanted, write.who))

        answer = await write.beyond(begin, 202)
        answer.headers["Location"] = f"/api/v1/flows/{wanted}/pilots/newest"
        return answer

    @routes.get("/flows/{flow}/pilots/newest")
    async def read_newest_pilot(_: See, flow: Id) -> UnderWay:
        """The one that was begun last, by the API or on the desk: how far it is, and what it brought. It is known for
        as long as Bellwire isn't started anew; `GET /flows/{flow}/pilots` has all that came to their end."""
        found = site.pilots.last(find_flow(site, flow).id)
        if found is None:
            raise NotFound("No pilot of this flow was begun since Bellwire was started.")
        return _told(found)

    return routes


def _told(found: Attempt) -> UnderWay:
    return UnderWay(
        flow=found.flow,
        who=found.who,
        began=found.began,
        state="going on" if found.running else "failed" if found.wrong else "done",
        total=RECORDS,
        records=[Record.model_validate(each) for each in found.records],
        report=None if found.report is None else Report.model_validate(found.report),
        wrong=found.wrong,
    )
