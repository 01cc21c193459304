"""How each flow does today, and what its modes mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bellwire.desk.site import Site
from bellwire.desk.today import Entry
from bellwire.engine import Standing, standings
from bellwire.events import Environment
from bellwire.flows import Flow, picture
from bellwire.ledger import FlowMode, Rows, RunRow, asks, figures, health

_NOTHING = figures.FlowLoad(0, 0, {}, {})


@dataclass(frozen=True)
class Line:
    """A flow, today. `late`: runs that were done later than is good, of `done_in_time` + `late`."""

    stands: Standing
    entry: Entry
    load: figures.FlowLoad
    last: RunRow | None
    out: Sequence[str]
    """Connections of it that are out of order."""
    times: Sequence[timedelta]

    @property
    def flow(self) -> Flow:
        return self.stands.flow

    @property
    def begins(self) -> str:
        """What it begins with, as a sentence."""
        return picture(self.flow).boxes[0].meaning

    @property
    def stuck(self) -> int:
        """Open exceptions, of all days."""
        return sum(self.load.stuck.values())

    @property
    def error_rate(self) -> Decimal | None:
        """Of what came in today, the share that needs a person; None when nothing has come in."""
        return Decimal(self.entry.dead) / self.entry.received if self.entry.received else None

    @property
    def late(self) -> int:
        within = self.flow.success.within if self.flow.success else None
        return sum(time > within for time in self.times) if within else 0

    @property
    def too_many_errors(self) -> bool:
        most = self.flow.success.error_rate if self.flow.success else None
        return most is not None and self.error_rate is not None and self.error_rate > most

    @property
    def good(self) -> bool | None:
        """Whether it is within its success criteria today; None: it has none, or nothing has come in."""
        success = self.flow.success
        if success is None or (success.within is None and success.error_rate is None) or not self.entry.received:
            return None
        return not self.late and not self.too_many_errors


def lines(rows: Rows, site: Site, now: datetime, only: Sequence[Flow] | None = None) -> list[Line]:
    """Of all flows, or `only` these, by name."""
    since, until = site.words.midnight(now), now + timedelta(seconds=1)
    loads, times = figures.flow_loads(rows), figures.times_by_flow(rows, since, until)
    entries: dict[str, Entry] = {}
    for each in figures.balances(rows, since, until):
        entry = Entry("", each.flow, each.received, each.done, each.waiting, each.dead, each.skipped)
        entries[each.flow] = entries.get(each.flow, Entry("", each.flow, 0)) + entry
    out = {row.connection for row in health.out_of_order(rows)}
    wanted = site.flows.values() if only is None else only
    return [
        Line(
            stands,
            entries.get(stands.flow.id, Entry("", "", 0)),
            loads.get(stands.flow.id, _NOTHING),
            next(iter(figures.newest_of_flow(rows, stands.flow.id, limit=1)), None),
            sorted(out & stands.flow.connections),
            times.get(stands.flow.id, []),
        )
        for stands in sorted(
            standings(rows, wanted, environments(site)), key=lambda each: (each.flow.name, each.flow.id)
        )
    ]


def standing(rows: Rows, site: Site, flow: Flow) -> Standing:
    (found,) = standings(rows, [flow], environments(site))
    return found


def environments(site: Site) -> Mapping[str, Environment]:
    """Of each connection."""
    return {name: connection.environment for name, connection in site.connections.items()}


TITLES = {
    FlowMode.LIVE: "Live",
    FlowMode.MANUAL: "People do it",
    FlowMode.SHADOW: "Only noted",
    FlowMode.OFF: "Off",
}


@dataclass(frozen=True)
class Consequences:
    """What a mode means: for what comes in from now on, and for the runs that have begun."""

    mode: FlowMode
    title: str
    short: str
    comes: str
    under_way: str
    back: str


CONSEQUENCES = (
    Consequences(
        FlowMode.LIVE,
        TITLES[FlowMode.LIVE],
        "It does everything by itself.",
        "Whatever comes in is worked on at once: what the flow says is booked, sent and changed in the other systems.",
        "Runs that have begun go on by themselves from where they are. To-dos that are open stay to-dos: somebody has"
        " to tick them off, and then their runs go on by themselves. What was only noted isn’t done afterwards.",
        "You can switch back at any time; what was done by then stays done.",
    ),
    Consequences(
        FlowMode.MANUAL,
        TITLES[FlowMode.MANUAL],
        "Each action becomes a to-do for a person, with every value ready to copy.",
        "Whatever comes in begins a run. Each action that changes something becomes a to-do on the page To-dos; nothing"
        " is sent. What only reads is done.",
        "Runs that have begun go on as to-dos from their next step; nothing is lost, and nothing is done twice. What is"
        " being sent at this moment may still arrive.",
        "You can switch back at any time.",
    ),
    Consequences(
        FlowMode.SHADOW,
        TITLES[FlowMode.SHADOW],
        "What it would do is noted, and nothing is sent.",
        "Whatever comes in begins a run that notes what it would send, field by field. Nobody does it: people have to"
        " do the work as before.",
        "Runs that have begun only note the rest of what they would do: nobody does that, unless people do. What is"
        " being sent at this moment may still arrive.",
        "You can switch back at any time. What was only noted isn’t done afterwards: a replay of its event does it.",
    ),
    Consequences(
        FlowMode.OFF,
        TITLES[FlowMode.OFF],
        "Nothing begins.",
        "Whatever comes in is kept and shown as skipped, and starts nothing.",
        "Runs that have begun go on to their end.",
        "You can switch back at any time. What came in meanwhile isn’t worked on afterwards: a replay of its event does"
        " it.",
    ),
)


@dataclass(frozen=True)
class UnderWay:
    """What of a flow isn't finished now, of all days."""

    running: int
    waiting: int
    stuck: int
    asked: int
    """Open approvals and to-dos."""


def under_way(rows: Rows, flow: str) -> UnderWay:
    load = figures.flow_loads(rows).get(flow, _NOTHING)
    asked = dict(asks.count_open(rows)).get(flow, 0)
    return UnderWay(load.running, load.waiting, sum(load.stuck.values()), asked)
