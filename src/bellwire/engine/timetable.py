"""The flows that begin by the clock."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bellwire.connectors.kit import Connection
from bellwire.engine.going_live import environment_of
from bellwire.engine.starting import Listeners
from bellwire.engine.watching import announce
from bellwire.events import OWN, Due, Environment, Event
from bellwire.flows import Flow
from bellwire.ledger import Database, Rows, schedules


class Timetable:
    """Of a project. What several processes see at once, one of them begins."""

    def __init__(
        self,
        ledger: Database,
        flows: Sequence[Flow],
        connections: Mapping[str, Connection],
        listeners: Listeners,
    ) -> None:
        self._ledger = ledger
        self._flows = {flow.id: flow for flow in flows if flow.schedule is not None}
        self._environments = {name: connection.environment for name, connection in connections.items()}
        self._listeners = listeners

    def prepare(self, rows: Rows, now: datetime) -> None:
        """A flow that is new begins at its next time; so does one whose schedule has changed."""
        for flow in self._flows.values():
            assert flow.schedule is not None
            schedule = f"{flow.schedule.every} {flow.schedule.zone}"
            schedules.put(rows, flow.id, schedule, flow.schedule.next(now))

    async def look(self, now: datetime) -> None:
        """Begin what is due. Of times that passed while nothing ran, the flow begins once."""
        if not self._flows:
            return
        for flow, due_at in (await self._ledger.read(schedules.all_of_them)).items():
            if due_at <= now and flow in self._flows:
                await self._begin(self._flows[flow], due_at, now)

    async def _begin(self, flow: Flow, due_at: datetime, now: datetime) -> None:
        event = due_event(flow, due_at, self._environments)

        def write(rows: Rows) -> None:
            assert flow.schedule is not None
            if not schedules.take(rows, flow.id, due_at, flow.schedule.next(now)):
                return
            announce(rows, [event], self._listeners, now)

        await self._ledger.write(write)


def due_event(flow: Flow, due_at: datetime, environments: Mapping[str, Environment]) -> Event:
    """What a flow that begins by the clock begins with at this time. `environments`: of the connections."""
    assert flow.schedule is not None
    return Event(
        type=flow.event_type,
        connection=OWN,
        environment=environment_of(flow, environments),
        business_key=f"{OWN}/schedule/{flow.id}/{due_at.isoformat()}",
        subject=f"schedule/{flow.id}",
        time=due_at,
        data=Due(at=due_at, day=due_at.astimezone(ZoneInfo(flow.schedule.zone)).date()),
    )
