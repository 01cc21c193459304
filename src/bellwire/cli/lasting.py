"""Commands that look into the ledger of a project, or write a decision into it, whether `bellwire up` runs or not."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bellwire.cli.base import read_project
from bellwire.ledger import Database, open_ledger
from bellwire.settings import Settings

T = TypeVar("T")


def with_ledger(project: Path, work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Do `work` with the project's ledger. Raises what it raises, and ConfigurationError."""
    settings = read_project(project)

    async def do() -> T:
        async with open_ledger(settings.ledger_url) as ledger:
            return await work(ledger, settings)

    return asyncio.run(do())


def when(time: object) -> str:
    """A time for a table: to the second, in the machine's zone."""
    from datetime import datetime

    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if isinstance(time, datetime) else ""
