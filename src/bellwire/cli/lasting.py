"""Commands that look into the ledger of a project, or write a decision into it, whether `bellwire up` runs or not."""

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from bellwire.cli.base import read_project
from bellwire.clock import parse_length, system_clock
from bellwire.ledger import Database, open_ledger
from bellwire.settings import Settings

if TYPE_CHECKING:
    from bellwire.engine import Means

T = TypeVar("T")


def with_ledger(project: Path, work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Do `work` with the project's ledger. Raises what it raises, and ConfigurationError."""
    settings = read_project(project)

    async def do() -> T:
        async with open_ledger(settings.ledger_url) as ledger:
            return await work(ledger, settings)

    return asyncio.run(do())


def person() -> str:
    """Who gives this command, for the audit: the user of the machine; of `sudo`, the one who asked for it."""
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = f"user {number}"
    asked_by = os.environ.get("SUDO_USER", user)
    return user if asked_by == user else f"{asked_by} as {user}"


def means(ledger: Database, settings: Settings) -> "Means":
    """What an engine of this project would carry runs out with; nothing is sent. Raises ConfigurationError."""
    from random import Random

    from bellwire.connectors.opening import open_connections
    from bellwire.engine import Means
    from bellwire.records import LedgerCrosswalk
    from bellwire.vault import Vault

    connections = open_connections(settings, Vault.open(settings.data, os.environ), os.environ)
    random = Random()  # noqa: S311 - for waits
    return Means.make(ledger, connections, LedgerCrosswalk(ledger), system_clock, random, settings.calendar)


def moment(text: str) -> datetime | None:
    """What an option says about a time: `2h` or `3d` ago, or a day or time in the machine's zone; None for nothing."""
    if not text:
        return None
    try:
        return system_clock() - parse_length(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no time: write e.g. 2h, 3d, 2026-01-31 or 2026-01-31T14:00") from None


def when(time: object) -> str:
    """A time for a table: to the second, in the machine's zone."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if isinstance(time, datetime) else ""
