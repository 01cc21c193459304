"""The `bellwire` command. One file a group of verbs; each adds itself with `register`."""

import gc
from typing import Annotated

import typer

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


def main() -> None:
    """The entry point of the `bellwire` script."""
    # What modules bring stays: to look at it again and again for garbage takes a tenth of a command's start.
    gc.set_threshold(20_000, 20, 100)
    app(prog_name="bellwire")
