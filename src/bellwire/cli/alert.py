"""`bellwire alert`: what people are told of, and whether it reaches them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from bellwire.cli.base import FAILED, HERE, Json, Project, counted, new_group, print_json, print_rows, say

if TYPE_CHECKING:
    from bellwire.ledger import AlertRow, Database, MessageRow, Rows
    from bellwire.settings import Settings
    from bellwire.watch import Channel

group = new_group("What people are told of: the alerts.")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="alert")


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show the open alerts, when and through which channels people were told, and what didn't arrive.

    Example: bellwire alert list
    """
    from bellwire.cli.lasting import with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import alerts

    async def read(ledger: "Database", settings: "Settings") -> tuple[list[dict[str, Any]], list[str]]:
        def query(rows: "Rows") -> list[dict[str, Any]]:
            over = {alert.id: alert for alert, _ in alerts.owed(rows, system_clock())}
            found = over | {alert.id: alert for alert in alerts.open_ones(rows)}
            return [_row(found[number], alerts.messages(rows, number)) for number in sorted(found)]

        return await ledger.read(query), [channel.name for channel in _channels(settings)]

    found, channels = with_ledger(project, read)
    columns = {
        "number": "No.",
        "since": "Since",
        "title": "Alert",
        "told": "Told",
        "reached": "Through",
        "missed": "Didn't arrive",
    }
    print_rows(found, columns, as_json=as_json, empty="Nothing is open.")
    if not as_json and not channels:
        _say_nobody()


@group.command("test")
def test(project: Project = HERE, as_json: Json = False) -> None:
    """Send a test message to every channel now, and say for each whether it went through.

    Example: bellwire alert test

    Ends with exit code 1 when one failed, or when there is none.
    """
    from bellwire.cli.lasting import with_ledger
    from bellwire.clock import system_clock
    from bellwire.watch import try_channels

    async def send(ledger: "Database", settings: "Settings") -> Mapping[str, str]:
        return await try_channels(ledger, _channels(settings), settings.business, system_clock())

    errors = with_ledger(project, send)
    if as_json:
        print_json([{"channel": name, "went_through": not error, "error": error} for name, error in errors.items()])
    else:
        for name, error in errors.items():
            say(f"{name}: {error or 'It went through.'}")
        if not errors:
            _say_nobody()
    if not errors or any(errors.values()):
        raise typer.Exit(FAILED)


def _channels(settings: "Settings") -> "Sequence[Channel]":
    from bellwire.vault import Vault
    from bellwire.watch import read_channels

    return read_channels(Vault.open(settings.data, os.environ), os.environ)


def _row(alert: "AlertRow", messages: "Sequence[MessageRow]") -> dict[str, Any]:
    from bellwire.cli.lasting import when

    newest = {message.channel: message for message in messages}
    arrived = [message for message in messages if not message.error]
    last = max((message.at for message in arrived), default=None)
    failed = [message for message in newest.values() if message.error]
    return {
        "number": alert.id,
        "topic": alert.topic,
        "title": alert.title,
        "text": alert.text,
        "state": "over" if alert.resolved_at else "open",
        "opened_at": alert.opened_at,
        "resolved_at": alert.resolved_at,
        "next_at": alert.next_at,
        "messages": [asdict(message) for message in messages],
        "since": when(alert.opened_at),
        "told": f"{counted(alert.told, 'time')}, last {when(last)}" if last else "not yet",
        "reached": ", ".join(dict.fromkeys(message.channel for message in arrived)),
        "missed": " ".join(f"{message.channel}: {message.error}" for message in failed),
    }


def _say_nobody() -> None:
    from bellwire.watch import REMEDY

    say(f"Alerts reach nobody: no channel is set. {REMEDY}")
