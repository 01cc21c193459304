"""`bellwire init`: a new project folder."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import say
from bellwire.cli.using import Use, wanted_of
from bellwire.errors import ConfigurationError

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connector


class _Environment(StrEnum):
    SANDBOX = "sandbox"
    PRODUCTION = "production"


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder that is new or empty.")],
    template: Annotated[
        list[str] | None, typer.Option(help="What to begin with, once or more: order-to-cash if nothing is said.")
    ] = None,
    shop: Annotated[str | None, typer.Option(help="The connector of the shop.")] = None,
    books: Annotated[str | None, typer.Option(help="The connector of the accounting.")] = None,
    stock: Annotated[str | None, typer.Option(help="The connector of the stock.")] = None,
    shipping: Annotated[str | None, typer.Option(help="The connector of the shipping.")] = None,
    chat: Annotated[str | None, typer.Option(help="The connector of the chat.")] = None,
    mail: Annotated[str | None, typer.Option(help="The connector of the mail.")] = None,
    use: Use = None,
    environment: Annotated[
        _Environment, typer.Option(help="The vendors' test systems, or the real accounts.")
    ] = _Environment.SANDBOX,
) -> None:
    """Make a new project folder.

    Example: bellwire init my-shop --template order-to-cash

    Its files say in comments what to fill in. A connector that isn't named is chosen: of those that can do what the
    templates need, the one that repeats most surely.
    """
    from bellwire.cli.roles import choose_connectors, fit_triggers
    from bellwire.flows import template as flows_of

    wanted = wanted_of(use, shop=shop, books=books, stock=stock, shipping=shipping, chat=chat, mail=mail)
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"The folder {folder} isn't empty.", remedy="Name a new or an empty folder.")
    flows = {flow: text for name in template or ["order-to-cash"] for flow, text in flows_of(name).items()}
    flows = fit_triggers(flows, wanted)
    chosen = choose_connectors(flows, wanted, say)
    _write(folder, flows, chosen, environment.value)
    _show_next_steps(folder, chosen)


def _write(folder: Path, flows: Mapping[str, str], chosen: Mapping[str, "Connector"], environment: str) -> None:
    from bellwire.cli import new_project
    from bellwire.settings import STOCK_FILE, load_settings
    from bellwire.vault import Keys

    (folder / "flows").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(mode=0o700)
    watches_stock = any(_listens_to_low_stock(flow, text) for flow, text in flows.items())
    general = new_project.settings_file()
    files = {
        "bellwire.toml": new_project.counted_by_stock(general) if watches_stock and "stock" in chosen else general,
        "connections.toml": new_project.connections_file(chosen, environment),
        **{f"flows/{flow}.yaml": text for flow, text in flows.items()},
        ".gitignore": new_project.GITIGNORE,
        **({STOCK_FILE: new_project.stock_file()} if watches_stock else {}),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    settings = load_settings(folder, {})
    hooks = {
        name: settings.hook_url(name) for name, connector in chosen.items() if new_project.takes_webhooks(connector)
    }
    text = new_project.readme(settings.project.name, chosen, hooks, watches_stock=watches_stock)
    (folder / "README.md").write_text(text, encoding="utf-8")
    keys = Keys(settings.data.resolve(), os.environ)
    if keys.create():
        say(f"The vault's key is {keys.place}. Back it up in a safe place: without it nobody can read the vault.")


def _listens_to_low_stock(flow: str, text: str) -> bool:
    from bellwire.events import OWN
    from bellwire.flows import parse_flow
    from bellwire.insight import LOW

    read = parse_flow(text, Path(f"{flow}.yaml"))
    return (read.connection, read.event_type) == (OWN, LOW)


def _show_next_steps(folder: Path, chosen: Mapping[str, "Connector"]) -> None:
    from bellwire.cli import new_project
    from bellwire.settings import STOCK_FILE, TO_FILL_IN

    say(f"\n{folder} is ready. Next:\n")
    open_places = (folder / "connections.toml").read_text(encoding="utf-8").count(f'= "{TO_FILL_IN}"')
    say(f"  cd {folder}")
    if open_places:
        say(f"  edit connections.toml     # {open_places} × {TO_FILL_IN}")
    for command in new_project.secret_commands(chosen):
        say(f"  {command}")
    if (folder / STOCK_FILE).exists():
        say(f"  edit {STOCK_FILE}            # with how many left each item is low")
    say("  bellwire check            # what is still missing")
    say("  bellwire up")
