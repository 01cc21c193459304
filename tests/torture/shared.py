"""The same campaign where an intake and several workers share a ledger on PostgreSQL: any of them dies or stands still,
and now and then the database dies."""

import asyncio
import signal
from dataclasses import dataclass, field
from random import Random

from tests.postgres import Server
from tests.reliability.several import Several
from tests.torture.campaign import Campaign


@dataclass(kw_only=True)
class SharedCampaign(Campaign):
    server: Server
    workers: int
    crashes: int = 0
    """Of the database."""
    stalls: int = 0
    """Of workers, for longer than what they hold lapses."""
    _stalled: set[str] = field(default_factory=set)

    async def _lives(self, *going_on: "asyncio.Task[None]") -> None:
        self.server.start()
        self.server.run("CREATE DATABASE ledger")
        self.place.ledger_url = self.server.url("ledger")
        random = self.plan.random("kills")
        several = Several(self.place, tuple(f"worker-{number}" for number in range(1, self.workers + 1)))
        async with several.open(), asyncio.TaskGroup() as waking:
            while not self._over:
                await asyncio.sleep(random.uniform(0, 2 * self.plan.between_kills))
                if random.random() < 0.7:
                    await self._an_order()
                    await asyncio.sleep(random.uniform(0, 0.4))
                self.wrong += several.tend()
                self._harm_one(several, random, waking)
            for task in going_on:
                await task
        # Whoever was left is killed too; now they begin anew, and all comes to its end.
        async with several.open():
            await self._bring_to_its_end()
            self.wrong += await several.stop()

    def _harm_one(self, several: Several, random: Random, waking: asyncio.TaskGroup) -> None:
        name, chance = random.choice(several.names), random.random()
        if chance < 0.1:
            self.server.crash()
            self.server.start()
            self.crashes += 1
        elif chance < 0.3 and name in several.workers and name not in self._stalled:
            waking.create_task(self._stall(several, name, random.uniform(32, 40)))
        elif name not in self._stalled:
            self.in_the_middle += self._under_way()
            several.signal(name, signal.SIGKILL)
            several.running[name].wait()
            several.begin(name)
            self.kills += 1

    def _under_way(self) -> bool:
        return self.place.look(lambda rows: rows.one("SELECT 1 FROM runs WHERE state = 'running'")) is not None

    async def _stall(self, several: Several, name: str, seconds: float) -> None:
        self._stalled.add(name)
        self.stalls += 1
        several.signal(name, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        several.signal(name, signal.SIGCONT)
        self._stalled.remove(name)

    def _harm(self) -> list[tuple[str, object]]:
        return [
            ("workers, beside an intake", self.workers),
            ("kills -9", self.kills),
            ("… while runs were under way", self.in_the_middle),
            ("workers that stood still for longer than their lapse", self.stalls),
            ("immediate stops of the database", self.crashes),
        ]
