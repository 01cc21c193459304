"""`bellwire up`: intake, engine and desk in one process. `bellwire worker`: one more engine."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import HERE, Project, counted, read_project, say

if TYPE_CHECKING:
    from bellwire.app import Bellwire
    from bellwire.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(worker)


def up(
    no_engine: Annotated[
        bool, typer.Option("--no-engine", help="Only take in webhooks and show the desk; workers run the flows.")
    ] = False,
    project: Project = HERE,
) -> None:
    """Take in webhooks, run the flows, show the desk; until Ctrl-C or SIGTERM.

    Example: bellwire up

    Where the ledger is on PostgreSQL, any number of these and of `bellwire worker` share the work.
    """
    from bellwire.ledger import NO_ENGINE, UP

    _run(read_project(project), NO_ENGINE if no_engine else UP)


def worker(project: Project = HERE) -> None:
    """Run flows beside other processes, on a ledger on PostgreSQL; until Ctrl-C or SIGTERM.

    Example: bellwire worker

    What it can't bring to its end within 10 seconds after that goes on in another process.
    """
    from bellwire.ledger import WORKER

    _run(read_project(project), WORKER)


def _run(settings: "Settings", work: str) -> None:
    import uvloop

    from bellwire.cli.logs import set_up

    set_up(settings.log_level)
    uvloop.run(_until_stopped(settings, work))


async def _until_stopped(settings: "Settings", work: str) -> None:
    import asyncio
    import signal

    from bellwire.app import running
    from bellwire.errors import BellwireError

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings, os.environ, work=work) as bellwire:
        await _tell(bellwire, work)
        ends = [asyncio.create_task(each.wait()) for each in (stop, bellwire.outdated)]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for each in ends:
            each.cancel()
        say("Stopping: no more is taken in, what is going on is brought to its end.")
        outdated = bellwire.outdated.is_set()
    if outdated:
        raise BellwireError(
            "A newer Bellwire has changed the ledger, whose new form this one doesn't know: it has stopped.",
            remedy="Update this one too, and start it again. Nothing is lost.",
        )


async def _tell(bellwire: "Bellwire", work: str) -> None:
    from bellwire.cli.going_live import say_what_waits, standings_of
    from bellwire.connectors.opening import missing_credentials
    from bellwire.ledger import NO_ENGINE, WORKER

    connections = bellwire.project.connections
    if work != WORKER:
        say(f"Desk:     {bellwire.url}/")
        await _say_how_to_begin(bellwire)
        for name, connection in connections.items():
            if connection.webhook is not None:
                say(f"Webhooks: {bellwire.hook_url(name)}")
    for connection in connections.values():
        for missing in missing_credentials(connection):
            say(str(missing))
    if not bellwire.project.flows:
        say("There is no flow yet: events are kept, and nothing is done about them.")
    project = bellwire.project
    say_what_waits(await bellwire.ledger.read(lambda rows: standings_of(rows, project.settings, project.flows)))
    if bellwire.interrupted:
        runs = counted(bellwire.interrupted, "run that was", "runs that were")
        say(f"Going on with {runs} interrupted.")
    if work == NO_ENGINE:
        say("Flows are run by other processes: `bellwire worker`.")
    say("Ready. Ctrl-C stops it.")


async def _say_how_to_begin(bellwire: "Bellwire") -> None:
    """Where other machines may reach the desk and nobody has an account, whoever reads this may make the first."""
    from bellwire.access import keep_setup_code
    from bellwire.desk import is_exposed
    from bellwire.ledger import people

    settings = bellwire.project.settings
    if not is_exposed(settings.host, settings.public_url):
        return
    anybody, code = await bellwire.ledger.write(lambda rows: (people.is_anybody(rows), keep_setup_code(rows)))
    if not anybody:
        say(f"Nobody has an account yet. Make the owner's: {bellwire.url}/setup, with the code {code}")
