"""The `bellwire` command. One file a group of verbs; each adds itself with `register`."""

import gc
from functools import cache
from typing import Annotated, Any

import typer
import typer.main

from bellwire import __version__
from bellwire.cli import (
    alert,
    audit,
    check,
    connect,
    connector,
    demo,
    dictionary,
    event,
    exception,
    flow,
    init,
    migrate,
    people,
    pilot,
    practice,
    purge,
    reconcile,
    records,
    run,
    runbook,
    secrets,
    send_test,
    status,
    todo,
    token,
    up,
)
from bellwire.cli.base import Commands

app = typer.Typer(
    cls=Commands,
    help="Webhooks in, API calls out: keeps a small business's systems in step.\n\nExample: bellwire init my-shop",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for commands in (
    *(demo, init, secrets, connect, connector, check, practice, pilot, up, status),
    *(flow, event, run, todo, exception, alert, send_test, reconcile, records, runbook, dictionary),
    *(people, token, audit, purge, migrate),
):
    commands.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bellwire {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...


@cache
def command() -> Any:
    """All commands, ready to be called: to read what each of them takes is a matter of 30 ms."""
    return typer.main.get_command(app)


def main() -> None:
    """The entry point of the `bellwire` script."""
    # What modules bring stays: to look at it again and again for garbage takes a tenth of a command's start.
    gc.set_threshold(20_000, 20, 100)
    command()(prog_name="bellwire")
