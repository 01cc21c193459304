"""`bellwire demo`: a template's flows on practice vendors, told as it happens."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.using import Use, wanted_of
from bellwire.errors import BellwireError

if TYPE_CHECKING:
    from rich.console import Console

    from bellwire.practice import Practice
    from bellwire.practice.stage import Stage
    from bellwire.practice.stories import Promises, Story


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    flow: Annotated[
        str, typer.Argument(metavar="[FLOW]", help="A template, as `bellwire init` has them.")
    ] = "order-to-cash",
    once: Annotated[bool, typer.Option("--once", help="Exit at the end, instead of keeping the desk open.")] = False,
    shop: Annotated[str | None, typer.Option(help="The connector of the shop.")] = None,
    books: Annotated[str | None, typer.Option(help="The connector of the accounting.")] = None,
    stock: Annotated[str | None, typer.Option(help="The connector of the stock.")] = None,
    shipping: Annotated[str | None, typer.Option(help="The connector of the shipping.")] = None,
    chat: Annotated[str | None, typer.Option(help="The connector of the chat.")] = None,
    mail: Annotated[str | None, typer.Option(help="The connector of the mail.")] = None,
    use: Use = None,
) -> None:
    """Show a template's flows on simulated vendors, on a bad day: with repeats, disorder and failures.

    Example: bellwire demo --once

    Nothing real is called. It ends with exit code 0 only if every promise held.
    """
    import uvloop

    from bellwire.cli.logs import set_up
    from bellwire.practice.stories import find_story

    set_up(os.environ.get("BELLWIRE_LOG_LEVEL", "error"))
    wanted = wanted_of(use, shop=shop, books=books, stock=stock, shipping=shipping, chat=chat, mail=mail)
    if not uvloop.run(_demo(find_story(flow), wanted, once=once)):
        raise BellwireError("Not every promise held: see above.")


async def _demo(story: "Story", wanted: Mapping[str, str | None], *, once: bool) -> bool:
    from rich.console import Console

    console = Console(highlight=False, emoji=False, soft_wrap=True)
    async with _stage(story, wanted, port="0" if once else "8787") as (stage, practice, url):
        held = await _tell(console, story, stage)
        if not once:
            console.print(f"\nThe desk stays open at [bold]{url}/[/], the practice vendors at {practice.url}/")
            console.print("Ctrl-C ends it all; nothing of it is kept.")
            await _interrupted()
    return held


@asynccontextmanager
async def _stage(
    story: "Story", wanted: Mapping[str, str | None], *, port: str
) -> "AsyncIterator[tuple[Stage, Practice, str]]":
    """A temporary project of the template, at work on practice vendors; and where its desk is."""
    import aiohttp

    from bellwire.app import running
    from bellwire.cli.roles import choose_connectors, fit_triggers
    from bellwire.cli.staging import stage_of
    from bellwire.flows import template
    from bellwire.practice import Practice
    from bellwire.practice.project import write_project
    from bellwire.practice.stage import Passing
    from bellwire.settings import load_settings

    flows = fit_triggers(template(story.template), wanted)
    chosen = choose_connectors(flows, wanted)
    roles = {name: connector.name for name, connector in chosen.items()}
    clock = Passing()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bellwire-demo-")))
        practice = await stack.enter_async_context(Practice(set(roles.values())))
        texts = {f"{flow}.yaml": text for flow, text in flows.items()}
        secrets = write_project(folder, practice, roles, texts, story.files)
        settings = load_settings(folder, {"BELLWIRE_PORT": os.environ.get("BELLWIRE_PORT", port)})
        bellwire = await stack.enter_async_context(running(settings, secrets, clock))
        simulators = {name: practice.simulators[vendor] for name, vendor in roles.items()}
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stage = stage_of(bellwire, simulators, session, clock=clock)
        yield stage, practice, bellwire.url


async def _interrupted() -> None:
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def _tell(console: "Console", story: "Story", stage: "Stage") -> bool:
    """Whether every promise held."""
    from bellwire.practice.stories import Act, Promises

    titles = [f"{stage.connections[name].manifest.title} ({name})" for name in stage.simulators]
    first, *others = story.summary
    console.print(f"[bold]{story.title}[/] {first}")
    for line in others:
        console.print(line)
    console.print(f"Simulated here, over real HTTP: {', '.join(titles)}.")
    held = True
    with console.status("It begins …") if console.is_terminal else nullcontext() as status:
        if status is not None:
            stage.show = lambda left: status.update(f"{left} still under way …")
        async for told in story.tell(stage):
            match told:
                case Act():
                    console.print(f"\n[bold]{told.title}[/]")
                case Promises():
                    _show(console, told)
                    held = held and all(verdict.held for verdict in told.verdicts)
                case str():
                    console.print(f"  {told}", markup=False)
    console.print("\n[bold green]Every promise held.[/]" if held else "\n[bold red]A promise was broken.[/]")
    return held


def _show(console: "Console", promises: "Promises") -> None:
    from rich.table import Table

    table = Table("", "Promise", "Found", title=f"\n{promises.title}", title_justify="left", title_style="bold")
    for verdict in promises.verdicts:
        table.add_row("[green]✓[/]" if verdict.held else "[red]✗[/]", verdict.promise, verdict.found)
    console.print(table)
