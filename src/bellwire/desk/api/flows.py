"""Flows: what they are, how they do, their mode, their versions and pilots."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See, Working
from bellwire.desk.api.figures import Balance, Speed, balance_of, speed_of
from bellwire.desk.api.paging import After, Listed
from bellwire.desk.api.shapes import KEPT, Body, like
from bellwire.desk.flows import Line, environments, lines, standing, under_way
from bellwire.desk.site import Site
from bellwire.desk.speed import speed
from bellwire.engine import Standing, switch_to
from bellwire.errors import NotFound
from bellwire.events import Environment
from bellwire.flows import Flow, picture
from bellwire.ledger import FlowMode, PilotRow, Rows, VersionRow, figures, modes, pilots, versions
from bellwire.ledger.figures import ActionCount

T = TypeVar("T", bound=BaseModel)
Id = Annotated[str, Path(max_length=200, description="As the list gives it.")]
Most = Annotated[int, Query(ge=1, le=50, description="How many at the most, the newest first.")]


class Figures(Balance):
    """Of what came in today."""

    late: int = Field(description="Done, but later than the flow calls good.")
    error_rate: Decimal | None = Field(description="The share that needs a person; null: nothing has come in.")
    good: bool | None = Field(description="Within its success criteria; null: it has none, or nothing has come in.")


class Pilot(BaseModel):
    id: int
    at: datetime
    flow_hash: str = Field(description="Which text of the flow was tried.")
    ran_on: str = Field(description="practice or sandbox.")
    ready: bool
    as_expected: int = Field(description="Of so many `records`.")
    records: int
    who: str


class UnderWay(BaseModel):
    """What of a flow isn't finished, of all days: a switch holds for that, too."""

    running: int
    waiting: int
    stuck: int
    asked: int = Field(description="Open approvals and to-dos.")


class Mode(BaseModel):
    mode: FlowMode
    decided: bool = Field(description="False while nobody has switched the flow.")
    waits: bool = Field(description="Real accounts, and nobody has said yet that it may act.")
    environment: Environment
    needs_reason: bool = Field(description="Whether it goes live only with a reason: no pilot of its text passed.")
    since: datetime | None
    reason: str
    under_way: UnderWay


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


class Steps(BaseModel):
    """What became of an action: `done` and `skipped` today, the others now."""

    action: str
    done: int
    skipped: int
    waiting: int
    stuck: int


class Arrow(BaseModel):
    begins: str
    ends: str


class WholeFlow(AFlow):
    source: str = Field(description="The text of its file.")
    boxes: list[Box] = Field(description="The trigger first, then the actions.")
    arrows: list[Arrow]
    steps: list[Steps] = Field(description="Of each action, in their order.")
    speed: Speed | None = Field(description="Today; null: nothing was done yet.")
    minutes_saved: float = Field(description="Today, as far as the flow says.")


class Version(BaseModel):
    id: int
    hash: str
    since: datetime = Field(description="When it was put in force.")
    runs: int = Field(
        description="That are pinned to it and began from then on."
        f" {versions.MOST_COUNTED + 1}: more than {versions.MOST_COUNTED}; they aren't counted."
    )
    last_run: datetime | None
    source: str


class Switch(Body):
    model_config = like({"mode": "manual", "reason": "the books are moved"})
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
        """One, with its text, its picture as data, and what became of each action."""
        wanted, now = find_flow(site, flow), site.clock()
        since, until, drawn = site.words.midnight(now), now + timedelta(seconds=1), picture(wanted)

        def read(rows: Rows) -> tuple[Line, list[ActionCount]]:
            (line,) = lines(rows, site, now, [wanted])
            return line, figures.action_counts(rows, since, until)

        line, counted = await site.ledger.read(read)
        done = {each.action: each for each in counted if each.flow == wanted.id}
        return WholeFlow(
            **_flow(line).model_dump(),
            source=wanted.source,
            boxes=[Box(**asdict(box)) for box in drawn.boxes],
            arrows=[Arrow(begins=begins, ends=ends) for begins, ends in drawn.arrows],
            steps=[_steps(action, done.get(action), line) for action in wanted.actions],
            speed=speed_of(speed(line.times)),
            minutes_saved=float(wanted.manual_minutes or 0) * line.entry.done,
        )

    @routes.get("/flows/{flow}/mode")
    async def read_flow_mode(caller: See, flow: Id) -> Mode:
        """In which mode it is, since when, and what a switch would hold for."""
        wanted = find_flow(site, flow)
        return await site.ledger.read(lambda rows: _mode(rows, site, wanted))

    @routes.put("/flows/{flow}/mode", response_model=Mode)
    async def switch_flow(flow: Id, to: Switch, write: Working) -> Response:
        """Switch it; it holds at once. 409, if it is to go live and needs a reason."""
        wanted, now, accounts = find_flow(site, flow), site.clock(), environments(site)

        def work(rows: Rows) -> Mode:
            switch_to(rows, wanted, to.mode, accounts, now, who=write.who, reason=to.reason)
            return _mode(rows, site, wanted)

        return await write(work)

    @routes.get("/flows/{flow}/versions")
    async def list_flow_versions(caller: See, flow: Id, limit: Most = 20, after: After = None) -> Listed[Version]:
        """The texts that it has had, the newest first: one that it went back to stands there each time."""
        wanted = find_flow(site, flow).id
        found = await site.ledger.read(lambda rows: versions.of_flow(rows, wanted, limit=limit + 1, before=after))
        return _page(Version, found, limit)

    @routes.get("/flows/{flow}/pilots")
    async def list_flow_pilots(caller: See, flow: Id, limit: Most = 20, after: After = None) -> Listed[Pilot]:
        """Its last pilots, of all its texts, the newest first."""
        wanted = find_flow(site, flow).id
        found = await site.ledger.read(lambda rows: pilots.of_flow(rows, wanted, limit=limit + 1, before=after))
        return _page(Pilot, found, limit)

    return routes


def _page(kind: type[T], found: Sequence[VersionRow | PilotRow], limit: int) -> Listed[T]:
    items = [kind.model_validate(each, from_attributes=True) for each in found[:limit]]
    return Listed(items=items, next=found[limit - 1].id if len(found) > limit else None)


def _steps(action: str, counted: ActionCount | None, line: Line) -> Steps:
    done, skipped = (counted.done, counted.skipped) if counted else (0, 0)
    waiting, stuck = line.load.to_retry.get(action, 0), line.load.stuck.get(action, 0)
    return Steps(action=action, done=done, skipped=skipped, waiting=waiting, stuck=stuck)


def find_flow(site: Site, flow: str) -> Flow:
    """Raises NotFound."""
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
            **balance_of(line.entry).model_dump(),
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
        under_way=UnderWay(**asdict(under_way(rows, flow.id))),
    )
