"""`bellwire migrate`: brings the ledger to the newest schema, or moves it to PostgreSQL."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import HERE, Json, Project, counted, print_json, read_project, say

if TYPE_CHECKING:
    from bellwire.ledger import Database
    from bellwire.ledger.moving import Tell


def register(app: typer.Typer) -> None:
    app.command()(migrate)


def migrate(
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="An empty PostgreSQL database: postgresql://USER@HOST/DATABASE.")
    ] = "",
    project: Project = HERE,
    as_json: Json = False,
) -> None:
    """Bring the ledger to the newest schema; with --to, move it from SQLite to PostgreSQL.

    Example: bellwire migrate --to postgresql://bellwire@db.example.com/bellwire

    Stop `bellwire up` before a move. The SQLite file is only read, and stays as it was. A move that was broken off goes
    on where it was when it is run again. A password can also come from PGPASSWORD or ~/.pgpass.
    """
    if to:
        _move(project, to, as_json=as_json)
    else:
        _upgrade(project, as_json=as_json)


def _upgrade(project: Project, *, as_json: bool) -> None:
    from bellwire.cli.lasting import with_ledger
    from bellwire.ledger.database import HEAD

    async def opened(_: "Database", __: object) -> None:
        """That does it."""

    with_ledger(project, opened)
    if as_json:
        print_json({"schema": HEAD})
    else:
        say(f"The ledger has the newest schema, {HEAD}.")


def _move(project: Project, to: str, *, as_json: bool) -> None:
    from bellwire.app import only_one
    from bellwire.ledger import move_ledger

    settings = read_project(project)
    began = time.monotonic()
    with only_one(settings), _bar() as tell:
        moved = move_ledger(settings.ledger_url, to, tell)
    seconds = time.monotonic() - began
    rows = sum(moved.rows.values())
    if as_json:
        print_json(
            {
                "rows": rows,
                "copied": moved.copied,
                "tables": moved.rows,
                "seconds": round(seconds, 1),
                "set": {"BELLWIRE_LEDGER_URL": moved.address},
            }
        )
        return
    before = f", {rows - moved.copied:,} of them before" if moved.copied < rows else ""
    say(f"Moved {rows:,} rows of {counted(len(moved.rows), 'table')} in {seconds:,.0f} s{before}, and compared each.")
    say(f"Set BELLWIRE_LEDGER_URL={moved.address} where `bellwire up` has its environment from, then start it.")
    if "PASSWORD" in moved.address:
        say("Write the password in place of PASSWORD.")
    say("The SQLite file is as it was. Don't start Bellwire on it again: it would do what is open a second time.")


@contextmanager
def _bar() -> Iterator["Tell"]:
    """How far it is, on standard error; only for who sits at a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    away = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=away) as progress:
        task = progress.add_task("Looking", total=None)
        stage = ""

        def tell(doing: str, done: int, total: int) -> None:
            nonlocal stage
            if doing != stage:
                progress.reset(task, description=doing, total=total)
                stage = doing
            progress.update(task, completed=done)

        yield tell
