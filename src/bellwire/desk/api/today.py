"""Today: the figures of the day, and of the two weeks before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bellwire.desk.api.doors import Doors, See
from bellwire.desk.api.figures import Balance, Speed, balance_of, speed_of
from bellwire.desk.site import Site
from bellwire.desk.today import Day, of_today
from bellwire.desk.trends import DayFigures
from bellwire.ledger import RunState, Trouble
from bellwire.money import Money


class Line(Balance):
    connection: str = Field(description="Empty: of all, as far as they couldn't be read.")
    flow: str = Field(description="Empty: no flow took it up.")


class Counted(BaseModel):
    reason: str
    count: int


class Hour(BaseModel):
    """What began in an hour of the day, by what became of it."""

    begins: datetime
    done: int
    waiting: int
    dead: int
    skipped: int


class OutOfOrder(BaseModel):
    connection: str
    state: Trouble
    reason: str
    since: datetime
    tried_again_at: datetime | None
    runs_waiting: int


class Unheard(BaseModel):
    channel: str
    error: str
    count: int = Field(description="Messages that didn't arrive.")


class Sum(BaseModel):
    kind: str = Field(description="Such as sold, paid or given back.")
    total: Money
    count: int


class Process(BaseModel):
    name: str
    work: str = Field(description="In the words of its command.")
    version: str
    started_at: datetime
    seen_at: datetime
    carrying: int = Field(description="How many runs it carries.")


class OneDay(BaseModel):
    since: datetime
    received: int
    exceptions: int = Field(description="That began on it, whatever became of them.")
    error_rate: float | None = Field(description="The share that needed a person; null: nothing came in.")
    speed: Speed | None


class Today(BaseModel):
    since: datetime = Field(description="When the day began, at the business.")
    now: datetime
    total: Balance = Field(description="Of what came in today.")
    lines: list[Line] = Field(description="The same, by connection and flow.")
    hours: list[Hour]
    speed: Speed | None = Field(description="Null: nothing was done yet.")
    duplicates: int = Field(description="What came once more, and was known.")
    refused: list[Counted]
    skipped: list[Counted]
    needs_a_person: int = Field(description="Open exceptions, and connections that have to be signed in again.")
    open_exceptions: int
    running: int
    unfinished_of_before: int = Field(description="What came before today and isn't finished.")
    out_of_order: list[OutOfOrder] = Field(description="Connections.")
    unheard: list[Unheard] = Field(description="Channels that alerts don't arrive through.")
    not_live_yet: list[str] = Field(description="Flows that do nothing until somebody says that they may.")
    nobody_runs_flows: bool = Field(description="Whether all that comes in only waits, as no process carries it.")
    money: list[Sum] = Field(description="What was moved, by kind and currency.")
    minutes_saved: float = Field(description="What people would have spent on it, as far as the flows say.")
    processes: list[Process] | None = Field(description="Those at work; null: the ledger is one process's own.")
    days: list[OneDay] = Field(description="The last two weeks, the oldest first; the last one is today.")


def router(doors: Doors) -> APIRouter:
    routes, site = APIRouter(tags=["today"]), doors.site

    @routes.get("/today")
    async def read_today(_: See) -> Today:
        """The figures of the day, as they are at this moment, and of each of the last days."""
        now = site.clock()
        return _today(site, await site.ledger.read(of_today(site, now)), await site.trends.read(now))

    return routes


def _today(site: Site, day: Day, days: Sequence[DayFigures]) -> Today:
    saved = sum((day.saved(flow) for flow in site.flows.values()), timedelta())
    return Today(
        since=day.since,
        now=day.now,
        total=balance_of(day.total),
        lines=[
            Line(connection=each.connection, flow=each.flow, **balance_of(each).model_dump()) for each in day.entries
        ],
        hours=[_hour(day, number) for number in range(len(day.hours))],
        speed=speed_of(day.speed),
        duplicates=day.duplicates,
        refused=[Counted(reason=reason, count=count) for reason, count in day.refusals],
        skipped=[Counted(reason=reason, count=count) for reason, count in day.reasons],
        needs_a_person=day.need_a_person,
        open_exceptions=day.open_exceptions,
        running=day.running,
        unfinished_of_before=day.still_open,
        out_of_order=[
            OutOfOrder(
                connection=each.health.connection,
                state=each.health.state,
                reason=each.health.reason,
                since=each.health.since,
                tried_again_at=each.health.probe_at,
                runs_waiting=each.held,
            )
            for each in day.out
        ],
        unheard=[Unheard(channel=channel, error=error, count=count) for channel, error, count in day.unheard],
        not_live_yet=[each.flow.id for each in day.not_live_yet],
        nobody_runs_flows=day.nobody_runs_flows,
        money=[Sum(kind=each.kind, total=each.total, count=each.count) for each in day.money],
        minutes_saved=saved / timedelta(minutes=1),
        processes=None
        if day.processes is None
        else [Process.model_validate(each, from_attributes=True) for each in day.processes],
        days=[_day(each) for each in days],
    )


def _hour(day: Day, number: int) -> Hour:
    kinds = (RunState.DONE, RunState.WAITING, RunState.DEAD, RunState.SKIPPED)
    counts = {kind.value: day.hours[number].get(kind, 0) for kind in kinds}
    return Hour.model_validate({"begins": day.since + timedelta(hours=number), **counts})


def _day(found: DayFigures) -> OneDay:
    return OneDay(
        since=found.since,
        received=found.received,
        exceptions=found.exceptions,
        error_rate=found.error_rate,
        speed=speed_of(found.speed),
    )
