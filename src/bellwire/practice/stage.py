"""A business on simulated vendors, at work: what demos and pilots play on."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import aiohttp

from bellwire.clock import system_clock
from bellwire.connectors.kit import BadSignature, Connection
from bellwire.engine import Engine, approve, decline, edit, input_of, retry
from bellwire.events import Delivery
from bellwire.flows import Flow
from bellwire.ledger import AskRow, Database, ExceptionRow, Rows, asks, figures, polls, schedules
from bellwire.practice.driving import Answer, in_role, post, sign
from bellwire.practice.simulator import Simulator, Webhook
from bellwire.records import Polling

R = TypeVar("R")

_LOOK_EVERY = 0.05
_STEPS = 1_000


class Passing:
    """The machine's clock, and ahead of it by as much time as was let pass."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self._ahead

    def go_on_to(self, moment: datetime) -> None:
        self._ahead = max(self._ahead, moment - system_clock())


@dataclass
class Stage:
    """What is at work, and the simulated vendors behind its connections. Connections and simulators are by the
    connection's name."""

    ledger: Database
    engine: Engine
    flows: Mapping[str, Flow]
    """By id."""
    connections: Mapping[str, Connection]
    """Bellwire's own among them."""
    simulators: Mapping[str, Simulator]
    address: Callable[[str], str]
    """Where a connection's webhooks go."""
    session: aiohttp.ClientSession
    polling: Polling
    clock: Passing = field(default_factory=Passing)
    """The one that the business goes by."""
    patience: float = 120.0
    """Seconds until what goes on has to be done."""
    show: Callable[[int], None] = lambda _: None
    """Is told how much there is still to do."""
    signs: Callable[[str, Webhook], Webhook] | None = None
    """Makes of a connection's practice webhook one that its own vendor could have sent."""

    def part(self, connection: str, kind: type[R]) -> R:
        """The simulated vendor behind a connection as what it has to be, such as a `Shop`."""
        return in_role(self.simulators[connection], kind)

    async def send(self, connection: str, webhook: Webhook) -> Answer:
        """A webhook as its vendor sends it by now. Raises aiohttp.ClientError, TimeoutError."""
        return (await self.send_often(connection, webhook, 1))[0]

    async def send_often(self, connection: str, webhook: Webhook, times: int) -> list[Answer]:
        """The same delivery, several times."""
        signed = self._signed(connection, webhook)
        return [await post(self.session, self.address(connection), signed.headers, signed.body) for _ in range(times)]

    def _signed(self, connection: str, webhook: Webhook) -> Webhook:
        if self.signs is not None:
            return self.signs(connection, webhook)
        known, now, url = self.connections[connection], self.clock(), self.address(connection)
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        sent = Delivery(connection, headers, webhook.body, now, url)
        assert known.webhook is not None
        try:
            known.webhook.verify(sent, known.secrets, now)
        except BadSignature:
            # The simulators go by the machine's clock, and don't know where we are. A signature of a while ago, or for
            # another address, would rightly be refused.
            delivery_id = known.webhook.delivery_id(sent)
            signed = sign(known, webhook.headers, webhook.body, url, now=now, delivery_id=delivery_id)
            return replace(webhook, headers=signed)
        return webhook

    async def settle(self) -> None:
        """Until nothing goes on: what is left waits for its time, or for a person. Raises TimeoutError."""
        async with asyncio.timeout(self.patience):
            while left := await self.left():
                self.show(left)
                await asyncio.sleep(_LOOK_EVERY)

    async def left(self) -> int:
        """How many deliveries and runs can go on by themselves now."""
        now = self.clock()
        due = await self.ledger.read(partial(figures.unfinished, now=now))
        begins = sum(due_at <= now for due_at in await self._timetable())
        return due or begins or int(self.engine.busy)

    async def look_at(self, connection: str) -> None:
        """A vendor's lists are read, as they would be in a while anyway, and what is new there is carried out. Raises
        TimeoutError."""
        triggers, now = self.connections[connection].connector.triggers, self.clock()
        names = [poll.name for poll in triggers.polls] if triggers else []
        await self.ledger.write(lambda rows: polls.wake(rows, connection, names, now))
        await self.look_up(connection)

    async def look_up(self, connection: str = "") -> None:
        """What webhooks only hinted at is read from the vendors' lists (or those of one connection), and carried out.
        Raises TimeoutError."""
        await self.settle()
        async with asyncio.timeout(self.patience):
            unread = True
            while unread:
                await self.polling.look()
                if connection:
                    await asyncio.sleep(_LOOK_EVERY)  # Others may have to wait for their limits.
                else:
                    await self.polling.settled()
                now, rows = self.clock(), await self.ledger.read(polls.everything)
                unread = any(row.due_at <= now and connection in ("", row.connection) for row in rows)
        await self.settle()

    async def let_pass(self, length: timedelta) -> None:
        """So much time goes by, with all that becomes due in it, one after the other. Raises TimeoutError."""
        end = self.clock() + length
        for _ in range(_STEPS):
            await self.settle()
            due = await self.next_due()
            if due is None or due > end:
                break
            self.go_on_to(due)
        self.go_on_to(end)
        await self.settle()

    def go_on_to(self, moment: datetime) -> None:
        """All time until then passes at once."""
        length = max(moment - self.clock(), timedelta())
        self.clock.go_on_to(moment)
        self.recover(length)

    def recover(self, length: timedelta) -> None:
        """The vendors, which go by the machine's clock, have had so much time to recover; and so have we, who count
        what is left of their limits."""
        for name, simulator in self.simulators.items():
            simulator.recover(length)
            self.connections[name].api.gate.recover(length)

    async def next_due(self) -> datetime | None:
        """When the next run goes on that waits for a time, or a flow begins by the clock; None: nothing does."""
        waiting = await self.ledger.read(figures.next_due)
        return min([*await self._timetable(), *([waiting] if waiting else [])], default=None)

    async def _timetable(self) -> list[datetime]:
        """When flows begin by the clock."""
        known = await self.ledger.read(schedules.all_of_them)
        return [due_at for flow, due_at in known.items() if flow in self.flows and self.flows[flow].schedule]

    async def asked(self) -> list[AskRow]:
        """What people are asked just now, oldest first."""
        return await self.ledger.read(asks.open_ones)

    async def correct(self, exception: ExceptionRow, field: str, value: str, *, who: str) -> None:
        """What an action is given is put right, and it is tried again."""
        await self.put_right(exception, field, value, who=who)
        now = self.clock()
        await self.ledger.write(lambda rows: retry(rows, exception.id, now, who=who))
        await self.settle()

    async def put_right(self, exception: ExceptionRow, field: str, value: str, *, who: str) -> None:
        """What an action will be given when it is tried again."""
        now = self.clock()

        def change(rows: Rows) -> None:
            changed = input_of(rows, self.engine.means, exception).with_changes([(field, value)])
            edit(rows, exception.id, changed, now, who=who)

        await self.ledger.write(change)

    async def answer(self, question: AskRow, *, yes: bool, who: str, reason: str = "") -> None:
        now = self.clock()
        say = approve if yes else decline
        await self.ledger.write(lambda rows: say(rows, question.id, now, who=who, reason=reason))
        await self.settle()
