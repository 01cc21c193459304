"""Tells people what needs them: once when it comes up, again after growing gaps, and when it is over.

What is open, what was told and what is still to be sent stands in the ledger, so that a restart forgets nothing, and
after a crash in the middle of sending at most that one message comes twice. Only that the ledger itself can't be
written is remembered here, until it can.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

import structlog

from bellwire.clock import Clock
from bellwire.errors import ConfigurationError, LedgerBusy
from bellwire.ledger import AlertRow, Database, MessageKind, Rows, alerts, deliveries
from bellwire.settings import AlertSettings
from bellwire.watch.channels import Channel
from bellwire.watch.concerns import Concern, concerns, disk_concern
from bellwire.watch.letter import Rewording, write_letter
from bellwire.watch.outage import Outage
from bellwire.watch.post import Post

log = structlog.get_logger()

_EVERY = 5.0
"""Seconds between two looks."""
GATHERING = timedelta(seconds=10)
"""What comes up within this time goes out as one message: one cause often has many effects."""
SETTLED = timedelta(seconds=30)
"""Something is over when it has been for so long: what was retried and fails again at once never was."""
_PROBE = timedelta(minutes=1)
"""How often it is tried whether the ledger can be written, if nobody else would notice."""


class Alerts:
    """`start` it, and `stop` it. `channels` and `settings` give them as they are set just now; `systems`: connection →
    what its vendor is called; `others`: what people have to be told of that the ledger doesn't know."""

    def __init__(
        self,
        ledger: Database,
        channels: Callable[[], Sequence[Channel]],
        settings: Callable[[], AlertSettings],
        *,
        systems: Mapping[str, str],
        others: Callable[[datetime], Sequence[Concern]] = lambda _: (),
        clock: Clock,
        zone: tzinfo,
        business: str = "",
        reword: Rewording = str,
    ) -> None:
        self._ledger = ledger
        self._channels = channels
        self._settings = settings
        self._systems = systems
        self._others = others
        self._clock = clock
        self._zone = zone
        self._business = business
        self._reword = reword
        self._post = Post()
        self._gone: dict[str, datetime] = {}
        """Topic of an open alert → since when there has been nothing of it."""
        self._sent: list[tuple[list[int], datetime, str]] = []
        """What became of messages, as long as that isn't in the ledger."""
        self._problem = ""
        """Why the channels can't be read; logged once."""
        self._outage: Outage | None = None
        self._probed = clock()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._forever(), name="alerts")

    async def stop(self, grace: float = 5.0) -> None:
        """Give a message that is being sent `grace` seconds to arrive."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=grace)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Compare what is with what was told, and send what is due."""
        now = self._clock()
        quiet = self._settings().quiet_hours
        channels = [] if quiet is not None and quiet.cover(now, self._zone) else self._reachable()
        try:
            await self._record()
            await self._probe(now)
            await self._notice(now)
            await self._plan(channels, now)
        except LedgerBusy:
            await self._tell_of_outage(channels, now)
        else:
            await self._send(channels, now)

    async def _forever(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except Exception:
                log.exception("the alerts stumbled and go on")
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY):
                    await self._stopping.wait()

    def _reachable(self) -> Sequence[Channel]:
        try:
            channels, problem = self._channels(), ""
        except ConfigurationError as error:
            channels, problem = (), str(error)
        if problem and problem != self._problem:
            log.error("alerts reach nobody", reason=problem)
        self._problem = problem
        return channels

    # What there is to tell

    async def _notice(self, now: datetime) -> None:
        """Open an alert for what is new, reword what has changed, resolve what is over."""
        disk, others = disk_concern(self._ledger.folder), self._others(now)

        def compare(rows: Rows) -> _Changes:
            return _compare(rows, [*concerns(rows, now, self._systems), *others, *([disk] if disk else [])])

        changes = await self._ledger.read(compare)
        self._gone = {topic: min(self._gone.get(topic, now), now) for topic in changes.gone}
        over = [changes.gone[topic] for topic, since in self._gone.items() if now - since >= SETTLED]
        if not (changes.new or changes.reworded or over):
            return

        def write(rows: Rows) -> None:
            for concern, text in changes.new:
                alerts.open_one(rows, concern.topic, concern.title, text, opened_at=now, next_at=now + GATHERING)
            for alert, concern, text in changes.reworded:
                alerts.reword(rows, alert, concern.title, text)
            for alert in over:
                alerts.resolve(rows, alert, now)

        await self._ledger.write(write)

    async def _plan(self, channels: Sequence[Channel], now: datetime) -> None:
        """Write a message to each channel for every alert that is due. While there are no channels, it stays due."""
        if not channels:
            return
        found = await self._ledger.read(alerts.open_ones)
        there = [alert for alert in found if alert.topic not in self._gone]
        if not _due(there, now):
            return
        names = [channel.name for channel in channels]

        def write(rows: Rows) -> None:
            for alert in _due(there, now + GATHERING):  # What would be due in a moment goes along.
                alerts.tell(rows, alert, names, now, self._next(alert.told, now))

        await self._ledger.write(write)

    def _next(self, told: int, now: datetime) -> datetime | None:
        """When to remind of what is told now, and was `told` so many times before."""
        gaps = self._settings().reminders
        return now + gaps[min(told, len(gaps) - 1)] if gaps else None

    # Sending

    async def _send(self, channels: Sequence[Channel], now: datetime) -> None:
        """Each channel gets all that it is owed, as one message."""
        ready = {channel.name: channel for channel in self._post.ready(channels, now)}
        if not ready:
            return
        owed: dict[str, list[tuple[AlertRow, MessageKind]]] = {}
        messages: dict[str, list[int]] = {}
        for alert, message in await self._ledger.read(lambda rows: alerts.owed(rows, now)):
            if message.channel in ready:
                owed.setdefault(message.channel, []).append((alert, message.kind))
                messages.setdefault(message.channel, []).append(message.id)
        letters = [(ready[name], write_letter(news, now, self._business, self._reword)) for name, news in owed.items()]
        errors = await self._post.deliver(letters, now)
        self._sent += [(messages[name], now, error) for name, error in errors.items()]
        with suppress(LedgerBusy):
            await self._record()

    async def _record(self) -> None:
        """Write what became of messages. Nothing else is sent before: it might be the same again."""
        if not self._sent:
            return
        sent = list(self._sent)

        def write(rows: Rows) -> None:
            for messages, at, error in sent:
                alerts.settle(rows, messages, at, error)

        await self._ledger.write(write)
        self._sent.clear()

    # While the ledger can't be written

    async def _probe(self, now: datetime) -> None:
        """Raises LedgerBusy while it can't be written. What was told of that before is stored once it can."""
        outage = self._outage
        if outage is not None and outage.told:
            await self._ledger.write(lambda rows: outage.keep(rows, now))
        elif outage is not None or abs(now - self._probed) >= _PROBE:
            await self._ledger.write(deliveries.probe)
            self._probed = now
        self._outage = None

    async def _tell_of_outage(self, channels: Sequence[Channel], now: datetime) -> None:
        outage = self._outage = self._outage or Outage(now)
        ready = self._post.ready(channels, now)
        if ready and outage.is_due(now):
            letter = write_letter([outage.news()], now, self._business, self._reword)
            errors = await self._post.deliver([(channel, letter) for channel in ready], now)
            heard = [name for name, error in errors.items() if not error]
            outage.heard(heard, self._next(outage.told, now))


@dataclass
class _Changes:
    """What is, against what the open alerts say."""

    new: list[tuple[Concern, str]] = field(default_factory=list)
    """With its text."""
    reworded: list[tuple[int, Concern, str]] = field(default_factory=list)
    gone: dict[str, int] = field(default_factory=dict)
    """Topic → the alert of which there is nothing any more."""


def _compare(rows: Rows, found: Sequence[Concern]) -> _Changes:
    told = {alert.topic: alert for alert in alerts.open_ones(rows)}
    changes = _Changes(gone={topic: alert.id for topic, alert in told.items()})
    for concern in found:
        changes.gone.pop(concern.topic, None)
        alert = told.get(concern.topic)
        if alert is None:
            changes.new.append((concern, concern.describe(rows)))
        elif alert.title != concern.title:
            changes.reworded.append((alert.id, concern, concern.describe(rows)))
    return changes


def _due(found: Sequence[AlertRow], now: datetime) -> list[AlertRow]:
    return [alert for alert in found if alert.next_at is not None and alert.next_at <= now]
