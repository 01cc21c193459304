"""`bellwire purge`: takes out what is older than it is to be kept."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import HERE, Project, counted, say

if TYPE_CHECKING:
    from bellwire.ledger import Purged


def register(app: typer.Typer) -> None:
    app.command()(purge)


def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken out.")] = False,
    project: Project = HERE,
) -> None:
    """Take out what is older than [keep] in bellwire.toml says, and make the ledger's file smaller.

    Example: bellwire purge --dry-run

    `bellwire up` does so every day. What isn't finished stays, and so does what recognises a repeat.
    """
    from bellwire.cli.lasting import with_ledger
    from bellwire.ledger import Database, Housekeeping, Keep, Purged
    from bellwire.settings import Settings

    async def work(ledger: Database, settings: Settings) -> tuple[Keep, Purged]:
        keep = Keep.days(settings.keep.payloads, settings.keep.details)
        return keep, await Housekeeping(ledger, lambda: keep).purge(trial=dry_run, progress=_show)

    keep, purged = with_ledger(project, work)
    if sys.stderr.isatty():
        typer.echo("\r\033[K", nl=False, err=True)
    verb = "Would purge" if dry_run else "Purged"
    webhooks = counted(purged.payloads, "webhook")
    say(f"{verb} {webhooks} older than {counted(keep.payloads.days, 'day')}, headers and body.")
    say(f"{verb} the data of {counted(purged.events, 'event')} older than {counted(keep.details.days, 'day')}.")
    say(f"That {'is' if dry_run else 'was'} {_size(purged.size)}.")
    if not dry_run:
        say(f"The ledger takes {_size(purged.given_back)} less of the disk now.")


def _show(purged: "Purged") -> None:
    """How far it is, on a line that is written over."""
    if sys.stderr.isatty():
        typer.echo(f"\r{purged.payloads:,} webhooks, {purged.events:,} events", nl=False, err=True)


def _size(count: int) -> str:
    """`0.3 MB`."""
    return f"{count / 1_000_000:,.1f} MB"
