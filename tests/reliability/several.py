"""An intake and workers on one PostgreSQL ledger, each a process of its own."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.running import Town, ended, start, until

INTAKE = "intake"


@dataclass
class Several:
    """By name: the intake, and `workers`. Whoever was killed can be begun again."""

    place: Town
    workers: tuple[str, ...]
    program: str = "bellwire"
    running: "dict[str, subprocess.Popen[str]]" = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return (INTAKE, *self.workers)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """All of them at work; whoever still runs at the end is killed."""
        self.begin(INTAKE)  # it brings the ledger to its schema
        try:
            await until(self.all_ready, 60)
            for name in self.workers:
                self.begin(name)
            await until(self.all_ready, 60)
            yield
        finally:
            for name in self.running:
                await self.kill(name)
            self.running.clear()

    def begin(self, name: str) -> None:
        folder = self.place.folder / name
        folder.mkdir(exist_ok=True)
        words = ("up", "--no-engine") if name == INTAKE else ("worker",)
        self.running[name] = start(
            *words, "--project", self.place.folder, cwd=folder, environ=self.place.environ, program=self.program
        )

    async def kill(self, name: str) -> None:
        self.signal(name, signal.SIGKILL)
        await ended(self.running[name])

    def signal(self, name: str, number: signal.Signals) -> None:
        if self.running[name].poll() is None:
            os.killpg(self.running[name].pid, number)

    def tend(self) -> list[str]:
        """Begin those again that found no ledger when they began. Gives what is wrong: who ended when at work."""
        ends = [name for name, process in self.running.items() if process.poll() is not None]
        wrong = [f"{name} ended by itself: {self.errors(name)}" for name in ends if self._said_ready(name)]
        for name in ends:
            self.begin(name)
        return wrong

    async def stop(self) -> list[str]:
        """As they should end. Gives what is wrong with how they did."""
        for name in self.running:
            self.signal(name, signal.SIGTERM)
        ends = {name: await ended(process) for name, process in self.running.items()}
        return [f"{name} ended with {code}: {self.errors(name)}" for name, code in ends.items() if code]

    def errors(self, name: str) -> str:
        return (self.place.folder / name / "err.txt").read_text()[-500:]

    async def all_ready(self) -> bool:
        return all(self._ready(name) for name in self.running)

    def _ready(self, name: str) -> bool:
        assert self.running[name].poll() is None, f"{name} ended: {self.errors(name)}"
        return self._said_ready(name)

    def _said_ready(self, name: str) -> bool:
        return "Ready." in (self.place.folder / name / "out.txt").read_text()
