"""`bellwire up`: intake, engine and desk in one process."""

import os
from typing import TYPE_CHECKING

import typer

from bellwire.cli.base import HERE, Project, counted, read_project, say

if TYPE_CHECKING:
    from bellwire.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(up)


def up(project: Project = HERE) -> None:
    """Take in webhooks, run the flows, show the desk; until Ctrl-C or SIGTERM.

    Example: bellwire up
    """
    import uvloop

    from bellwire.cli.logs import set_up

    settings = read_project(project)
    set_up(settings.log_level)
    uvloop.run(_up(settings))


async def _up(settings: "Settings") -> None:
    import asyncio
    import signal

    from bellwire.app import running
    from bellwire.connectors.opening import missing_credentials

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings, os.environ) as bellwire:
        say(f"Desk:     {bellwire.url}/")
        for name, connection in bellwire.project.connections.items():
            if connection.webhook is not None:
                say(f"Webhooks: {bellwire.hook_url(name)}")
        for connection in bellwire.project.connections.values():
            for missing in missing_credentials(connection):
                say(str(missing))
        if not bellwire.project.flows:
            say("There is no flow yet: events are kept, and nothing is done about them.")
        if bellwire.interrupted:
            runs = counted(bellwire.interrupted, "run that was", "runs that were")
            say(f"Going on with {runs} interrupted.")
        say("Ready. Ctrl-C stops it.")
        await stop.wait()
        say("Stopping: no more is taken in, what is going on is brought to its end.")
