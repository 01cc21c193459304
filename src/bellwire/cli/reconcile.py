"""`bellwire reconcile`: what happened at the vendors, and no webhook brought."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Project, counted, print_rows, say
from bellwire.errors import BellwireError, NotFound

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connection, Poll
    from bellwire.ledger import Database
    from bellwire.records import Reconciler
    from bellwire.settings import Settings

_USUALLY = timedelta(days=1)


def register(app: typer.Typer) -> None:
    app.command()(reconcile)


def reconcile(
    connection: Annotated[
        str, typer.Argument(metavar="[CONNECTION]", help="As connections.toml names it; all of them by default.")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From when on: 2h, 3d, or a day such as 2026-01-31; a day by default.")
    ] = "",
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Ask the vendors what happened since, and take in what no webhook brought.

    Example: bellwire reconcile shop --since 3d

    What is known already is left alone, so it can be given at any time. `bellwire up` asks by itself too.
    """
    from bellwire.cli.lasting import moment, with_ledger
    from bellwire.clock import system_clock

    start = moment(since) or system_clock() - _USUALLY

    async def read(ledger: "Database", settings: "Settings") -> list[dict[str, Any]]:
        return await _reconcile(ledger, settings, connection, start, tell=not as_json)

    rows = with_ledger(project, read)
    columns = {"connection": "Connection", "list": "List", "listed": "Listed", "new": "Not known", "problem": "Problem"}
    print_rows(rows, columns, as_json=as_json, empty="None of the connections lists what happened.")
    new, failed = sum(row["new"] for row in rows), [row for row in rows if row["problem"]]
    if not as_json and rows:
        say(f"{counted(new, 'record')} taken in that no webhook had brought." if new else "Nothing was missing.")
    if failed:
        raise typer.Exit(1)


async def _reconcile(
    ledger: "Database", settings: "Settings", wanted: str, since: datetime, *, tell: bool
) -> list[dict[str, Any]]:
    from bellwire.clock import system_clock
    from bellwire.connectors.opening import open_connections
    from bellwire.records import Reconciler
    from bellwire.vault import Vault

    connections = open_connections(settings, Vault.open(settings.data, os.environ), os.environ)
    if wanted and wanted not in connections:
        raise NotFound(f"There is no connection '{wanted}'.", remedy=f"There are: {', '.join(connections)}.")
    reconciler = Reconciler(ledger, system_clock)
    chosen = [connections[wanted]] if wanted else list(connections.values())
    async with AsyncExitStack() as stack:
        for connection in connections.values():
            stack.push_async_callback(connection.api.close)
        rows = [
            await _one(reconciler, connection, poll, since, tell=tell)
            for connection in chosen
            for poll in _polls(connection)
        ]
    if wanted and not rows:
        title = connections[wanted].manifest.title
        raise NotFound(f"{title} doesn't list what happened.", remedy="Its webhooks are all there is.")
    return rows


async def _one(
    reconciler: "Reconciler", connection: "Connection", poll: "Poll", since: datetime, *, tell: bool
) -> dict[str, Any]:
    row = {"connection": connection.name, "list": poll.name, "listed": 0, "new": 0, "problem": ""}
    with _progress(f"{connection.name}: {poll.name}", shown=tell) as forward:
        try:
            found = await reconciler.catch_up(connection, poll, since, lambda so_far: forward(so_far.listed))
        except BellwireError as error:
            return row | {"problem": str(error)}
    return row | vars(found)


@contextmanager
def _progress(doing: str, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """How much was listed so far, on standard error; only for who sits at a terminal."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,}"), TimeElapsedColumn()
    away = not shown or not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=away) as progress:
        task = progress.add_task(doing, total=None)
        yield lambda listed: progress.update(task, completed=listed)


def _polls(connection: "Connection") -> "tuple[Poll, ...]":
    triggers = connection.connector.triggers
    return triggers.polls if triggers else ()
