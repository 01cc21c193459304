"""Today: all well, or what needs you."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from bellwire.desk import drawing
from bellwire.desk.site import Page, Site
from bellwire.desk.today import of_today
from bellwire.desk.trends import DayFigures
from bellwire.ledger import RunState

_KINDS = (RunState.DONE, RunState.SKIPPED, RunState.WAITING, RunState.DEAD)


TEMPLATES = ("base.html", "parts.html", "today.html")


def pages(site: Site) -> Sequence[Page]:
    return [Page("/", partial(_today, site))]


async def _today(site: Site, request: Request) -> Response:
    now = site.clock()
    found, days = await site.ledger.read(of_today(site, now)), await site.trends.read(now)
    return site.page(
        request,
        "today.html",
        day=found,
        saved=sum((found.saved(flow) for flow in site.flows.values()), timedelta()),
        connections=site.connections,
        days=days,
        plots=_plots(days),
        columns=drawing.columns(found.hours, _KINDS),
        hours=[found.since + timedelta(hours=hour) for hour in range(len(found.hours))],
    )


@dataclass(frozen=True)
class _Plots:
    slowest: timedelta
    """What is at the top of the plot of processing times."""
    median: drawing.Curve
    slowest_twentieth: drawing.Curve
    rate: float
    """What is at the top of the plot of error rates."""
    rates: drawing.Curve
    most: int
    """What is at the top of the plot of exceptions."""
    exceptions: Sequence[drawing.Bar]


def _plots(days: Sequence[DayFigures]) -> _Plots:
    speeds = [day.speed for day in days]
    slowest = max((speed.slowest_twentieth for speed in speeds if speed), default=timedelta())
    rate = max((day.error_rate or 0.0 for day in days), default=0.0)
    return _Plots(
        slowest,
        drawing.curve([speed.median.total_seconds() if speed else None for speed in speeds], slowest.total_seconds()),
        drawing.curve(
            [speed.slowest_twentieth.total_seconds() if speed else None for speed in speeds], slowest.total_seconds()
        ),
        rate,
        drawing.curve([day.error_rate for day in days], rate or 0.01),
        max((day.exceptions for day in days), default=0),
        drawing.columns([{RunState.DEAD: day.exceptions} for day in days], [RunState.DEAD]),
    )
