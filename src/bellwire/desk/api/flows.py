"""Flows: what they are, how they do, their mode, their versions and pilots."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, Key, See, Work
from bellwire.desk.api.paging import Listed
from bellwire.desk.api.shapes import KEPT, Body
from bellwire.desk.flows import Line, environments, lines, standing
from bellwire.desk.site import Site
from bellwire.engine import Standing, switch_to
from bellwire.errors import NotFound
from bellwire.events import Environment
from bellwire.flows import Flow, picture
from bellwire.ledger import FlowMode, Rows, modes, pilots, versions

Id = Annotated[str, Path(max_length=200, description="As the list gives it.")]
Most = Annotated[int, Query(ge=1, le=50, description="How many at the most, the newest first.")]


class Figures(BaseModel):
    """Of what came in today. The numbers balance: received = done + waiting + dead + skipped."""

    received: int
    done: int
    waiting: int
    dead: int
    skipped: int
    late: int = Field(description="Done, but later than the flow calls good.")
    error_rate: Decimal | None = Field(description="The share that needs a person; null: nothing has come in.")
    good: bool | None = Field(description="Within its success criteria; null: it has none, or nothing has come in.")


class Pilot(BaseModel):
    at: datetime
    flow_hash: str = Field(description="Which text of the flow was tried.")
    ran_on: str = Field(description="practice or sandbox.")
    ready: bool
    as_expected: int = Field(description="Of so many `records`.")
    records: int
    who: str


class Mode(BaseModel):
    mode: FlowMode
    decided: bool = Field(description="False while nobody has switched the flow.")
    waits: bool = Field(description="Real accounts, and nobody has said yet that it may act.")
    environment: Environment
    needs_reason: bool = Field(description="Whether it goes live only with a reason: no pilot of its text passed.")
    since: datetime | None
    reason: str


class AFlow(BaseModel):
    id: str
    name: str
    trigger: str
    hash: str
    owner: str | None
    mode: FlowMode
    waits: bool
    exceptions: int = Field(description="Open ones.")
    out_of_order: list[str] = Field(description="Its connections that are.")
    last_run: int | None
    today: Figures
    pilot: Pilot | None = Field(description="The last one of its present text.")


class Box(BaseModel):
    """A box of the picture; `column` counts from 0, the trigger's."""

    name: str
    connection: str
    meaning: str
    column: int
    row: int
    conditional: bool
    repeated: bool


class Arrow(BaseModel):
    begins: str
    ends: str


class WholeFlow(AFlow):
    source: str = Field(description="The text of its file.")
    boxes: list[Box] = Field(description="The trigger first, then the actions.")
    arrows: list[Arrow]


class Version(BaseModel):
    hash: str
    first_seen: datetime
    runs: int = Field(
        description=f"{versions.MOST_COUNTED + 1}: more than {versions.MOST_COUNTED}; they aren't counted."
    )
    last_run: datetime | None
    source: str


class Switch(Body):
    mode: FlowMode
    reason: str = Field(default="", max_length=500, pattern=KEPT, description="It stays on record.")


def router(doors: Doors) -> APIRouter:
    routes = APIRouter(tags=["flows"])
    site = doors.site

    @routes.get("/flows")
    async def list_flows(caller: See) -> Listed[AFlow]:
        """All flows, by name: there is one page."""
        now = site.clock()
        found = await site.ledger.read(lambda rows: lines(rows, site, now))
        return Listed(items=[_flow(line) for line in found])

    @routes.get("/flows/{flow}")
    async def read_flow(caller: See, flow: Id) -> WholeFlow:
        """One, with its text, and its picture as data."""
        wanted, now = _find(site, flow), site.clock()
        (line,) = await site.ledger.read(lambda rows: lines(rows, site, now, [wanted]))
        drawn = picture(wanted)
        return WholeFlow(
            **_flow(line).model_dump(),
            source=wanted.source,
            boxes=[Box(**asdict(box)) for box in drawn.boxes],
            arrows=[Arrow(begins=begins, ends=ends) for begins, ends in drawn.arrows],
        )

    @routes.get("/flows/{flow}/mode")
    async def read_flow_mode(caller: See, flow: Id) -> Mode:
        """In which mode it is, and since when."""
        wanted = _find(site, flow)
        return await site.ledger.read(lambda rows: _mode(rows, site, wanted))

    @routes.put("/flows/{flow}/mode", response_model=Mode)
    async def switch_flow(
        caller: Work,
        request: Request,
        flow: Id,
        to: Switch,
        key: Key = "",
    ) -> Response:
        """Switch it; it holds at once. 409, if it is to go live and needs a reason."""
        wanted, now, accounts = _find(site, flow), site.clock(), environments(site)

        def work(rows: Rows) -> Mode:
            switch_to(rows, wanted, to.mode, accounts, now, who=caller.name, reason=to.reason)
            return _mode(rows, site, wanted)

        return await doors.write(request, caller, key, work)

    @routes.get("/flows/{flow}/versions")
    async def list_flow_versions(
        caller: See,
        flow: Id,
        limit: Most = 20,
    ) -> Listed[Version]:
        """The texts that it has had, the newest first."""
        wanted = _find(site, flow)
        found = await site.ledger.read(lambda rows: versions.of_flow(rows, wanted.id, limit=limit))
        return Listed(items=[Version.model_validate(each, from_attributes=True) for each in found])

    @routes.get("/flows/{flow}/pilots")
    async def list_flow_pilots(
        caller: See,
        flow: Id,
        limit: Most = 20,
    ) -> Listed[Pilot]:
        """Its last pilots, of all its texts."""
        wanted = _find(site, flow)
        found = await site.ledger.read(lambda rows: pilots.of_flow(rows, wanted.id, limit=limit))
        return Listed(items=[Pilot.model_validate(each, from_attributes=True) for each in found])

    return routes


def _find(site: Site, flow: str) -> Flow:
    found = site.flows.get(flow)
    if found is None:
        raise NotFound(f"There is no flow '{flow}'.", remedy="GET /flows lists them.")
    return found


def _flow(line: Line) -> AFlow:
    flow, stands = line.flow, line.stands
    return AFlow(
        id=flow.id,
        name=flow.name,
        trigger=flow.trigger,
        hash=flow.hash,
        owner=flow.owner.name if flow.owner else None,
        mode=stands.mode,
        waits=stands.waits,
        exceptions=line.stuck,
        out_of_order=list(line.out),
        last_run=line.last.id if line.last else None,
        today=Figures(
            received=line.entry.received,
            done=line.entry.done,
            waiting=line.entry.waiting,
            dead=line.entry.dead,
            skipped=line.entry.skipped,
            late=line.late,
            error_rate=None if line.error_rate is None else round(line.error_rate, 4),
            good=line.good,
        ),
        pilot=_pilot(stands),
    )


def _pilot(stands: Standing) -> Pilot | None:
    return Pilot.model_validate(stands.pilot, from_attributes=True) if stands.pilot else None


def _mode(rows: Rows, site: Site, flow: Flow) -> Mode:
    stands = standing(rows, site, flow)
    reason, since = modes.decision(rows, flow.id) or ("", None)
    return Mode(
        mode=stands.mode,
        decided=stands.decided is not None,
        waits=stands.waits,
        environment=stands.environment,
        needs_reason=stands.needs_reason,
        since=since,
        reason=reason,
    )
