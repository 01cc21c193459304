"""kill -9 at random, under load, on a bad day; afterwards every id is accounted for.

The vendors and the shop's customers live in this process and survive. `bellwire up` is a child: it is killed, and
started again, until the time is over. Then all has to come to its end, and to be right.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

import aiohttp

from bellwire.clock import system_clock
from bellwire.ledger import Rows, deliveries, exceptions, figures
from bellwire.practice import CATALOGUE, Fault, FaultKind, Sale, SaleLine, Webhook
from bellwire.practice.driving import Answer, post
from bellwire.practice.shipstation import ShipStationSimulator
from bellwire.practice.stories.order_to_cash import Chapter
from bellwire.practice.stories.order_to_cash import deliveries as webhooks_of
from tests.reliability.proof import broken
from tests.running import Town, Up, ended, start, until, up

_SKUS = [good.sku for good in CATALOGUE if good.ships and good.in_books]
_FAULTS = (FaultKind.RATE_LIMITED, FaultKind.FAILED, FaultKind.SLOW, FaultKind.LOST_ANSWER)
_UNANSWERED = 0.3
"""Seconds until a sender that got no acknowledgement tries again: much more eager than a real one."""
_LONGEST = 4
"""Times as long as planned: so long a campaign goes on where too little has happened, as it does on a slow machine."""


@dataclass(frozen=True)
class Plan:
    """How much of everything. Times are seconds; what happens at random does so with this mean."""

    seconds: float
    seed: int
    between_orders: float = 3.0
    """The vendors' own limits are obeyed here too: the mail server takes 30 a minute, the chat one a second, and after
    each kill it is asked what was posted. What comes faster piles up, and only the end takes longer."""
    between_kills: float = 5.0
    between_faults: float = 1.5
    patience: float = 600.0
    """For all to come to its end afterwards."""
    fewest_kills: float = 3.0
    """A minute. A campaign in which too little happened proves nothing."""
    fewest_orders: float = 10.0
    """A minute."""

    def random(self, what: str) -> Random:
        """For one thing that goes on: so that it is the same for a seed, whatever goes on beside it."""
        return Random(f"{self.seed}/{what}")  # noqa: S311 - to be repeated, not to be secret


@dataclass
class Campaign:
    """One campaign in one town. `run` it, then ask for `violations` and `table`."""

    place: Town
    plan: Plan
    show: Callable[[str], None] = lambda _: None
    kills: int = 0
    in_the_middle: int = 0
    """Starts that found interrupted runs."""
    faults: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    unanswered: int = 0
    acknowledged: dict[int, str] = field(default_factory=dict)
    """The order of each delivery, by the number that its sender was told."""
    duplicates: int = 0
    forged: int = 0
    retried: int = 0
    """Exceptions that the owner had tried again."""
    wrong: list[str] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1001))
    _taken: asyncio.Event = field(default_factory=asyncio.Event)
    _began: float = field(default_factory=time.monotonic)

    async def run(self) -> None:
        for simulator in self.place.practice.simulators.values():
            if isinstance(simulator, ShipStationSimulator):
                simulator.balance = Decimal(1_000_000)  # however long it goes on, the postage isn't what ends it
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            customers = asyncio.create_task(self._customers(session))
            weather = asyncio.create_task(self._weather())
            telling = asyncio.create_task(self._tell())
            try:
                await self._lives(weather, customers)
            except TimeoutError:
                self.wrong.append(f"It didn't come to its end within {self.plan.patience:.0f} seconds.")
            finally:
                for task in (customers, weather, telling):
                    task.cancel()
                await asyncio.gather(customers, weather, telling, return_exceptions=True)

    # What goes on

    async def _lives(self, *going_on: "asyncio.Task[None]") -> None:
        """Die, again and again; then bring all to its end, once what is `going_on` is over."""
        await self._deaths()
        async with up(self.place) as last:
            self.in_the_middle += "interrupted" in last.output
            await self._bring_to_its_end(*going_on)
            if await last.stop() != 0:
                self.wrong.append(f"It didn't end as it should: {last.errors[-300:]}")

    async def _bring_to_its_end(self, *going_on: "asyncio.Task[None]") -> None:
        async with asyncio.timeout(self.plan.patience):
            for task in going_on:
                await task
            await self._settle()

    @property
    def _over(self) -> bool:
        gone, planned = time.monotonic() - self._began, self.plan.seconds
        return gone > _LONGEST * planned or (gone > planned and not self._lacking())

    async def _customers(self, session: aiohttp.ClientSession) -> None:
        """They order, and the shop sends its webhooks, each order's by themselves."""
        random = self.plan.random("orders")
        async with asyncio.TaskGroup() as shop:
            while not self._over:
                shop.create_task(self._sell(session, self._order(random), Random(random.random())))  # noqa: S311
                await asyncio.sleep(random.expovariate(1 / self.plan.between_orders))

    def _order(self, random: Random) -> Chapter:
        lines = [SaleLine(sku, random.randint(1, 2)) for sku in random.sample(_SKUS, random.randint(1, 3))]
        sale = Sale(str(next(self._numbers)), lines, taxes_included=random.random() < 0.2)
        return Chapter(sale, "", copies=random.choice((1, 1, 2, 3)), overtaken=random.random() < 0.2)

    async def _sell(self, session: aiohttp.ClientSession, chapter: Chapter, random: Random) -> None:
        self.place.chapters.append(chapter)
        taken: dict[bytes, int] = {}
        for delivery in webhooks_of(self.place.holdings.shop, [chapter], self.place.placed):
            webhook = delivery.webhook
            if random.random() < 0.2:
                await self._forge(session, webhook)
            answer = await self._until_acknowledged(session, webhook)
            self.acknowledged[answer.delivery] = delivery.number
            self._taken.set()
            self.duplicates += answer.duplicate
            identity = repr(sorted(webhook.headers.items())).encode()
            first = taken.setdefault(identity, answer.delivery)
            if first != answer.delivery:
                self.wrong.append(f"Delivery {first} came again and was taken for a new one, {answer.delivery}.")

    async def _until_acknowledged(self, session: aiohttp.ClientSession, webhook: Webhook) -> Answer:
        while True:
            answer = await self._post(session, webhook)
            if answer.taken:
                return answer
            if answer.status not in (0, 503):
                self.wrong.append(f"A good webhook was refused: {answer.status} {answer.message}")
            self.unanswered += 1
            await asyncio.sleep(_UNANSWERED)

    async def _forge(self, session: aiohttp.ClientSession, webhook: Webhook) -> None:
        """One blank too many, and the signature doesn't fit any more."""
        answer = await self._post(session, Webhook(webhook.topic, webhook.headers, webhook.body + b" "))
        self.forged += answer.status == 401
        if answer.status not in (0, 401):
            self.wrong.append(f"A forged webhook was answered with {answer.status}.")

    async def _post(self, session: aiohttp.ClientSession, webhook: Webhook) -> Answer:
        self.sent += 1
        try:
            return await post(session, f"{self.place.url}/hooks/shop", webhook.headers, webhook.body)
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0)

    async def _weather(self) -> None:
        """The vendors have a bad day."""
        random = self.plan.random("faults")
        while not self._over:
            await asyncio.sleep(random.expovariate(1 / self.plan.between_faults))
            role, kind = random.choice(sorted(self.place.roles)), random.choice(_FAULTS)
            seconds = 1.0 if kind is FaultKind.RATE_LIMITED else random.uniform(0.1, 0.6)
            fault = Fault(kind=kind, times=random.randint(1, 3), seconds=seconds)
            self.place.practice.simulators[self.place.roles[role]].faults.add(fault)
            self.faults[kind] += 1
        for simulator in self.place.practice.simulators.values():
            simulator.faults.clear()

    async def _deaths(self) -> None:
        random = self.plan.random("kills")
        while not self._over:
            if random.random() < 0.15:
                await self._die_at_start(random.uniform(0, 1.5))
                continue
            async with up(self.place) as running:
                await asyncio.sleep(random.uniform(0, 2 * self.plan.between_kills))
                if random.random() < 0.7:
                    await self._an_order()
                    await asyncio.sleep(random.uniform(0, 0.4))
                await self._kill(running)

    async def _an_order(self) -> None:
        """The next acknowledgement, if one comes soon: it is then that there is most to interrupt."""
        self._taken.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._taken.wait(), 5)

    async def _kill(self, running: Up) -> None:
        if running.process.poll() is not None:
            self.wrong.append(f"It ended by itself: {running.errors[-300:]}")
        await running.kill()
        self.kills += 1
        self.in_the_middle += "interrupted" in running.output

    async def _die_at_start(self, seconds: float) -> None:
        place = self.place
        process = start("up", "--project", place.folder, cwd=place.folder, environ=place.environ)
        await asyncio.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
        await ended(process)
        self.kills += 1

    async def _settle(self) -> None:
        """Until nothing is left to do; the owner retries what needs a person."""
        while True:
            await until(self._nothing_left, self.plan.patience)
            stuck = self.place.look(exceptions.open_ones)
            if not stuck:
                return
            self.retried += len(stuck)
            folder = self.place.folder / "owner"
            folder.mkdir(exist_ok=True)
            words = ["exception", "retry", *(each.id for each in stuck)]
            await ended(start(*words, "--project", self.place.folder, cwd=folder, environ=self.place.environ))

    async def _nothing_left(self) -> bool:
        return self.place.look(figures.unfinished) == 0

    # What came of it

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(5)
            through = min(found.total() for found in self.effects().values())
            self.show(
                f"{time.monotonic() - self._began:5.0f} s: {self.kills} kills, {self.sent} webhooks sent,"
                f" {len(self.place.placed)} orders, {through} through"
            )

    def effects(self) -> dict[str, Counter[str]]:
        """What the vendors hold, by order."""
        held, numbers = self.place.holdings, {order_id: number for number, order_id in self.place.placed.items()}
        shown = {mail.id: mail.reference for mail in held.mailbox.mails()}
        return {
            "invoices": Counter(each.reference for each in held.books.booked()),
            "labels": Counter(each.reference for each in held.carrier.labels()),
            "chat messages": Counter(each.reference for each in held.chat.messages()),
            "mails, by Message-ID": Counter(shown.values()),
            "orders shown as sent": Counter(numbers[order_id] for order_id in held.shop.fulfilled()),
        }

    @property
    def lost(self) -> int:
        """Effects that were not had, of orders that were acknowledged."""
        owed = set(self.acknowledged.values())
        return sum(len(owed - found.keys()) for found in self.effects().values())

    @property
    def doubled(self) -> int:
        """Effects that were had once too often."""
        return sum(found.total() - len(found) for found in self.effects().values())

    def violations(self) -> list[str]:
        """Every promise that was broken; and what was too little for the campaign to mean anything."""
        held = [
            (not self.lost, f"{self.lost} effects are lost."),
            (not self.doubled, f"{self.doubled} effects were had twice."),
            (self._refused() > 0, "No refusal of a forged webhook is in the ledger."),
        ]
        unkept = [words for holds, words in held if not holds]
        return self.wrong + broken(self.place, self.acknowledged) + unkept + self._lacking()

    def _lacking(self) -> list[str]:
        """What there was too little of."""
        minutes = self.plan.seconds / 60
        had = [
            (self.kills >= self.plan.fewest_kills * minutes, f"Only {self.kills} kills."),
            (self.in_the_middle > 0, "No kill interrupted a run."),
            (len(self.place.placed) >= self.plan.fewest_orders * minutes, f"Only {len(self.place.placed)} orders."),
            (self.duplicates > 0, "No duplicate was acknowledged as such."),
            (self.forged > 0, "No forged webhook was refused."),
            (self.faults.total() > 0, "No vendor had a fault."),
        ]
        return [words for enough, words in had if not enough]

    def table(self) -> list[tuple[str, object]]:
        """What happened, in rows."""
        arrived, balances = self.place.look(_balance)
        done, copies = sum(each.done for each in balances), self.place.look(_copies)
        balanced = arrived.balanced and all(each.balanced for each in balances)
        return [
            *self._harm(),
            ("faults at the vendors", ", ".join(f"{kind} {n}" for kind, n in sorted(self.faults.items()))),
            ("orders", len(self.place.placed)),
            ("webhooks sent", self.sent),
            ("… acknowledged", len(self.acknowledged) + self.duplicates),
            ("    of them again, in the same delivery", self.duplicates),
            ("    of them again, in a new delivery", copies),
            ("… forged, and refused", f"{self.forged}, of them {self._refused()} counted in the ledger"),
            ("… without an answer, and sent again", self.unanswered),
            ("runs done", done),
            ("exceptions, retried by the owner", self.retried),
            *((name, found.total()) for name, found in self.effects().items()),
            ("mails, with copies", len(self.place.holdings.mailbox.mails())),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("the books balance", "yes" if balanced else "no"),
        ]

    def _harm(self) -> list[tuple[str, object]]:
        return [("kills -9", self.kills), ("starts that found interrupted runs", self.in_the_middle)]

    def _refused(self) -> int:
        counts = self.place.look(lambda rows: deliveries.refusals(rows, system_clock() - timedelta(days=1)))
        return sum(number for _, reason, number in counts if reason == "signature")


def _balance(rows: Rows) -> tuple[figures.Deliveries, list[figures.Balance]]:
    since, until = _period()
    return figures.delivery_counts(rows, since, until), figures.balances(rows, since, until)


def _copies(rows: Rows) -> int:
    return figures.event_copies(rows, *_period())


def _period() -> tuple[datetime, datetime]:
    now = system_clock()
    return now - timedelta(days=1), now + timedelta(hours=1)
