"""Pilots that are wanted in the desk: `bellwire pilot` in a process of its own, one at a time.

A pilot has vendors, an engine and a ledger of its own: beside the business's own work it would be in the way. The
command puts it on record in the project's ledger, as it does when somebody types it.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import structlog

from bellwire.clock import Clock
from bellwire.errors import BellwireError

log = structlog.get_logger()

RECORDS = 10
_LONGEST = 600.0
"""Seconds."""
_MOST_BYTES = 1024 * 1024
"""Of a line."""
_MOST_LINES = 100
_MOST_TOLD = 4_000
"""Bytes of what it says when it fails."""
_GRACE = 10.0


@dataclass
class Attempt:
    """A pilot of one flow, since the server began. `records` and `report` are what the command tells in JSON."""

    flow: str
    who: str
    began: datetime
    running: bool = True
    records: list[Mapping[str, Any]] = field(default_factory=list)
    report: Mapping[str, Any] | None = None
    wrong: str = ""
    """Why there is no report."""


class Pilots:
    def __init__(self, project: Path | None, clock: Clock) -> None:
        self._project = project
        self._clock = clock
        self._attempts: dict[str, Attempt] = {}
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def possible(self) -> bool:
        return self._project is not None

    def last(self, flow: str) -> Attempt | None:
        return self._attempts.get(flow)

    def mark(self) -> object:
        """Another one whenever there is more to see."""
        return [(each.flow, each.began, len(each.records), each.running) for each in self._attempts.values()]

    def begin(self, flow: str, who: str) -> Attempt:
        """Raises BellwireError when one is under way, or none can be run here."""
        if self._project is None:
            raise BellwireError("Pilots can’t be run from here.", remedy=f"`bellwire pilot {flow}` runs one.")
        under_way = next((each for each in self._attempts.values() if each.running), None)
        if under_way is not None:
            raise BellwireError(
                f"A pilot of {under_way.flow} is under way: there is one at a time.", remedy="Try it when that is over."
            )
        attempt = self._attempts[flow] = Attempt(flow, who, self._clock())
        self._task = asyncio.create_task(self._run(attempt, self._project), name="pilot")
        return attempt

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._interrupt(signal.SIGINT)

    async def _run(self, attempt: Attempt, project: Path) -> None:
        words = ["pilot", attempt.flow, "--project", str(project), "--lines", f"--who={attempt.who}"]
        try:
            attempt.wrong = await self._tried(attempt, words)
        except OSError as error:
            attempt.wrong = f"It couldn’t be begun: {error.strerror}."
        except Exception:
            log.exception("a pilot failed", flow=attempt.flow)
            attempt.wrong = "It broke off: a fault in Bellwire. The log has the details."
        finally:
            attempt.running = False

    async def _tried(self, attempt: Attempt, words: Sequence[str]) -> str:
        """Why there is no report; empty when there is."""
        # With a session of its own, all of it can be ended together, and Ctrl-C at the server isn't for it.
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bellwire", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=_MOST_BYTES,
            start_new_session=True,
        )
        assert process.stdout is not None and process.stderr is not None
        said = asyncio.create_task(_first(process.stderr))
        try:
            async with asyncio.timeout(_LONGEST):
                await _follow(process.stdout, attempt)
                await process.wait()
        except TimeoutError:
            return f"It was ended after {_LONGEST / 60:.0f} minutes."
        except ValueError:
            return "It said more than a pilot does, and was ended."
        finally:
            await self._end(process)
        told = (await said).strip()
        return "" if attempt.report is not None else told or "It ended without a report."

    async def _end(self, process: Process) -> None:
        """Interrupted, it takes its temporary folder away."""
        for number in (signal.SIGINT, signal.SIGKILL):
            if process.returncode is not None:
                break
            self._interrupt(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await process.wait()
        self._process = None

    def _interrupt(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


async def _follow(lines: asyncio.StreamReader, attempt: Attempt) -> None:
    """Raises ValueError when there are more of them than a pilot tells, or a longer one."""
    for _ in range(_MOST_LINES):
        line = await lines.readline()
        if not line:
            return
        told = orjson.loads(line)
        if "position" in told:
            attempt.records.append(told)
        else:
            attempt.report = told
    raise ValueError("too many lines")


async def _first(stream: asyncio.StreamReader) -> str:
    """What is said first; the rest is read, and forgotten."""
    kept = b""
    while part := await stream.read(4_096):
        kept = (kept + part)[:_MOST_TOLD]
    return kept.decode("utf-8", "replace")
