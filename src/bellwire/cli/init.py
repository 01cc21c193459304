"""`bellwire init`: a new project folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import say
from bellwire.errors import ConfigurationError

if TYPE_CHECKING:
    from bellwire.connectors.kit import Connector

_CAPABILITIES = {
    "shop": "storefront",
    "books": "accounting",
    "stock": "stock",
    "shipping": "shipping",
    "chat": "chat",
    "mail": "email",
}
"""What the connection of each name is there for."""


class _Environment(StrEnum):
    SANDBOX = "sandbox"
    PRODUCTION = "production"


@dataclass(frozen=True)
class _Role:
    """A connection that a flow needs, and what it has to be able to do."""

    name: str
    capability: str
    operations: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()

    def filled_by(self, connector: "Connector") -> bool:
        brings = connector.triggers.event_types if connector.triggers else ()
        does = {f"{self.capability}.{operation}" for operation in self.operations}
        return (
            self.capability in connector.manifest.capabilities
            and does <= set(connector.actions)
            and self.event_types <= set(brings)
        )


def register(app: typer.Typer) -> None:
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="A folder that is new or empty.")],
    template: Annotated[str, typer.Option(help="The flow to begin with.")] = "order-to-cash",
    shop: Annotated[str | None, typer.Option(help="The connector of the shop.")] = None,
    books: Annotated[str | None, typer.Option(help="The connector of the accounting.")] = None,
    stock: Annotated[str | None, typer.Option(help="The connector of the stock.")] = None,
    shipping: Annotated[str | None, typer.Option(help="The connector of the shipping.")] = None,
    chat: Annotated[str | None, typer.Option(help="The connector of the chat.")] = None,
    mail: Annotated[str | None, typer.Option(help="The connector of the mail.")] = None,
    environment: Annotated[
        _Environment, typer.Option(help="The vendors' test systems, or the real accounts.")
    ] = _Environment.SANDBOX,
) -> None:
    """Make a new project folder, with comments that say what to fill in.

    Example: bellwire init my-shop --template order-to-cash

    A connector that isn't named is chosen: the first one, by name, that can do what the template needs.
    """
    wanted = {"shop": shop, "books": books, "stock": stock, "shipping": shipping, "chat": chat, "mail": mail}
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"The folder {folder} isn't empty.", remedy="Name a new or an empty folder.")
    stem, text = _template(template)
    chosen = {role.name: _choose(role, wanted.get(role.name)) for role in _roles(text, stem, wanted)}
    _write(folder, f"flows/{stem}.yaml", text, chosen, environment.value)
    _show_next_steps(folder, chosen)


def _template(name: str) -> tuple[str, str]:
    """The flow's name and text."""
    from bellwire.flows import template

    return name.replace("-", "_"), template(name)


def _roles(text: str, stem: str, wanted: Mapping[str, str | None]) -> list[_Role]:
    """What the template needs, and what was asked for beside it."""
    from bellwire.flows import parse_flow

    flow = parse_flow(text, Path(f"{stem}.yaml"))
    used = [flow.connection, *(action.connection for action in flow.actions.values())]
    asked = [name for name, connector in wanted.items() if connector]
    return [
        _Role(
            name,
            _CAPABILITIES[name],
            frozenset(action.operation_name for action in flow.actions.values() if action.connection == name),
            frozenset([flow.event_type] if flow.connection == name else []),
        )
        for name in dict.fromkeys([*used, *asked])
    ]


def _choose(role: _Role, wanted: str | None) -> "Connector":
    """The connector that was asked for, or the first that can do it. Says so when there was a choice."""
    from bellwire.connectors import all_connectors, find_connector
    from bellwire.settings import suggestion

    if wanted and role.filled_by(connector := find_connector(wanted)):
        return connector
    able = [connector for connector in all_connectors() if role.filled_by(connector)]
    names = [connector.name for connector in able]
    if wanted:
        remedy = suggestion(wanted, names) if names else ""
        raise ConfigurationError(f"{wanted} can't be the {role.name} of this flow.", remedy=remedy)
    if not able:
        raise ConfigurationError(f"There is no connector yet for the {role.name} of this flow.")
    if len(able) > 1:
        say(f"--{role.name} wasn't given; {names[0]} is taken. Also possible: {', '.join(names[1:])}.")
    return able[0]


def _write(folder: Path, flow: str, text: str, chosen: Mapping[str, "Connector"], environment: str) -> None:
    from bellwire.cli import new_project
    from bellwire.settings import load_settings
    from bellwire.vault import KEY_VARIABLE, create_key_file

    (folder / "flows").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(mode=0o700)
    files = {
        "bellwire.toml": new_project.settings_file(),
        "connections.toml": new_project.connections_file(chosen, environment),
        flow: text,
        ".gitignore": new_project.GITIGNORE,
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    settings = load_settings(folder, {})
    hooks = {
        name: settings.hook_url(name) for name, connector in chosen.items() if new_project.takes_webhooks(connector)
    }
    (folder / "README.md").write_text(new_project.readme(settings.project.name, chosen, hooks), encoding="utf-8")
    if KEY_VARIABLE not in os.environ and f"{KEY_VARIABLE}_FILE" not in os.environ:
        key = create_key_file(settings.data)
        say(f"The vault's key is {key}. Back it up in a safe place: without it nobody can read the vault.")


def _show_next_steps(folder: Path, chosen: Mapping[str, "Connector"]) -> None:
    from bellwire.cli import new_project
    from bellwire.settings import TO_FILL_IN

    say(f"\n{folder} is ready. Next:\n")
    open_places = (folder / "connections.toml").read_text(encoding="utf-8").count(f'= "{TO_FILL_IN}"')
    say(f"  cd {folder}")
    if open_places:
        say(f"  edit connections.toml     # {open_places} × {TO_FILL_IN}")
    for command in new_project.secret_commands(chosen):
        say(f"  {command}")
    say("  bellwire check            # what is still missing")
    say("  bellwire up")
