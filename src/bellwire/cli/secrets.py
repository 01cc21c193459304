"""`bellwire secrets`: the credentials of the connections, and where alerts go. They go in, and never come out."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bellwire.cli.base import HERE, Json, Project, new_group, print_rows, read_project, say
from bellwire.errors import BellwireError, NotFound

if TYPE_CHECKING:
    from bellwire.connectors.kit import Credential, Manifest
    from bellwire.settings import Settings
    from bellwire.vault import Vault

group = new_group("Keep the credentials of the connections.")

ConnectionName = Annotated[str, typer.Argument(metavar="CONNECTION", help="As connections.toml names it.")]
SecretOf = Annotated[
    str, typer.Argument(metavar="CONNECTION", help="As connections.toml names it; `alerts` for where alerts go.")
]
FieldName = Annotated[str, typer.Argument(metavar="FIELD", help="As `bellwire secrets list` names it.")]


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="secrets")


@group.command("list")
def list_(project: Project = HERE, as_json: Json = False) -> None:
    """Show which credentials are needed, and which are there.

    Example: bellwire secrets list

    Says where each comes from, the environment or the vault, and by when to replace it; never its value.
    """
    settings = read_project(project)
    vault = _open_vault(settings)
    rows = [row for name in _holders(settings) for row in _rows(name, _credentials(settings, name), vault)]
    columns = {
        "connection": "Connection",
        "field": "Credential",
        "from": "From",
        "age": "Set",
        "by": "Replace by",
        "meaning": "What it is",
    }
    print_rows(rows, columns, as_json=as_json)


@group.command("set")
def set_(connection: SecretOf, field: FieldName, project: Project = HERE) -> None:
    """Put a credential into the vault.

    Example: bellwire secrets set shop webhook_secret

    Its value is asked for without showing it, or read from a pipe; it is never written on the command line.
    """
    from bellwire.connectors.kit import earlier, settled

    settings = read_project(project)
    meaning = _meaning(settings, connection, field)
    vault = _open_vault(settings)
    values = {field: ask_value(meaning)}
    if vault.find(connection, earlier(field)):
        values = settled(field, values[field])
    audited(project, "set", f"{connection} {field}", partial(vault.store, connection, values))
    say(f"The {field} of '{connection}' is in the vault.")
    _warn_of_variable(connection, field)


@group.command()
def rotate(
    connection: ConnectionName,
    old_for: Annotated[
        str, typer.Option(metavar="TIME", help="How long the one before is accepted, e.g. 2h or 3d.")
    ] = "24h",
    project: Project = HERE,
) -> None:
    """Accept a new webhook secret beside the one before.

    Example: bellwire secrets rotate shop

    So no delivery is refused while the sender changes over. After --old-for, the one before is refused again.
    """
    from bellwire.clock import parse_length, system_clock
    from bellwire.connectors.kit import rotated

    try:
        until = system_clock() + parse_length(old_for)
    except ValueError:
        raise typer.BadParameter(f"'{old_for}' is no length of time: write e.g. 2h or 3d") from None
    settings = read_project(project)
    field = _manifest(settings, connection).webhook_credential
    meaning, vault = _meaning(settings, connection, field), _open_vault(settings)
    before = vault.find(connection, field)
    values = rotated(field, ask_value(meaning), before.value if before else None, until)
    audited(project, "rotate", f"{connection} {field}", partial(vault.store, connection, values))
    too = f" or, until {until:%Y-%m-%d %H:%M} UTC, the one before" if before else ""
    say(f"'{connection}' now accepts deliveries signed with the new secret{too}.")
    if before:
        say(f"To end the one before sooner: bellwire secrets set {connection} {field}")
    _warn_of_variable(connection, field)


@group.command()
def rekey(project: Project = HERE) -> None:
    """Encrypt the vault anew, with a new key.

    Example: bellwire secrets rekey

    Where BELLWIRE_VAULT_KEY holds several keys, separated by spaces, the first of them is the new one.
    """
    from bellwire.vault import KEY_VARIABLE, Keys

    settings = read_project(project)
    audited(project, "rekey", "the vault", _open_vault(settings).change_key)
    keys = Keys(settings.data, os.environ)
    if keys.given:
        say(f"The vault is encrypted with the first key of {KEY_VARIABLE}; the others aren't needed any more.")
    else:
        say(f"The vault has a new key. Back it up: {keys.place}")


def audited(project: Path, what: str, target: str, change: Callable[[], None]) -> None:
    """Change the vault, and record who did. If the ledger can't be opened, nothing is changed."""
    from bellwire.cli.lasting import person, with_ledger
    from bellwire.clock import system_clock
    from bellwire.ledger import Database, audit

    async def do(ledger: Database, _: object) -> None:
        change()
        now = system_clock()
        await ledger.write(lambda rows: audit.record(rows, person(), what, target, now))

    with_ledger(project, do)


def _open_vault(settings: "Settings") -> "Vault":
    from bellwire.vault import Vault

    return Vault.open(settings.data, os.environ)


def _holders(settings: "Settings") -> list[str]:
    """Who has credentials: the connections, and the alerts."""
    from bellwire.watch import ALERTS

    return [*settings.connections, ALERTS]


def _credentials(settings: "Settings", name: str) -> "Sequence[Credential]":
    from bellwire.watch import ALERTS, CHANNELS

    return [CHANNELS] if name == ALERTS else _manifest(settings, name).credentials


def _rows(name: str, wanted: "Sequence[Credential]", vault: "Vault") -> Iterator[dict[str, Any]]:
    from bellwire.clock import system_clock
    from bellwire.vault import ConnectionCredentials, variable_name
    from bellwire.watch import SECRET_DAYS, expires

    credentials = ConnectionCredentials(vault, name, os.environ)
    for credential in wanted:
        found = credentials.look(credential.field)
        days = (system_clock() - found.set_at).days if found and found.set_at else None
        replace_by = (
            found.set_at + timedelta(SECRET_DAYS) if found and found.set_at and expires(credential.field) else None
        )
        yield {
            "connection": name,
            "field": credential.field,
            "required": credential.required,
            "from": found.origin.value if found else "missing" if credential.required else "not set (optional)",
            "set_at": found.set_at if found else None,
            "by": f"{replace_by:%Y-%m-%d}" if replace_by else None,
            "age": None if days is None else "today" if days == 0 else f"{days} days ago",
            "variable": variable_name(name, credential.field),
            "meaning": credential.meaning,
        }


def _manifest(settings: "Settings", connection: str) -> "Manifest":
    from bellwire.connectors.opening import connector_of

    if connection not in settings.connections:
        raise NotFound(
            f"There is no connection '{connection}'.", remedy=f"There are: {', '.join(settings.connections)}."
        )
    return connector_of(settings.connections[connection]).manifest


def _meaning(settings: "Settings", connection: str, field: str) -> str:
    from bellwire.settings import suggestion

    meanings = {credential.field: credential.meaning for credential in _credentials(settings, connection)}
    if field not in meanings:
        remedy = suggestion(field, list(meanings)) if meanings else ""
        raise NotFound(f"Connection '{connection}' has no credential '{field}'.", remedy=remedy)
    return meanings[field]


def ask_value(meaning: str) -> str:
    """The value, hidden at a terminal."""
    value = ""
    if sys.stdin.isatty():
        say(meaning)
        # Not typer's prompt: that asks first and hides then, so that a quick paste is shown, and lost.
        with suppress(EOFError):
            value = getpass("Value (hidden): ")
    else:
        value = sys.stdin.read()
    if not value.strip():
        raise BellwireError("No value was given, so nothing was changed.")
    return value.strip()


def _warn_of_variable(connection: str, field: str) -> None:
    from bellwire.vault import variable_name

    variable = variable_name(connection, field)
    if variable in os.environ or f"{variable}_FILE" in os.environ:
        typer.echo(f"But {variable} is set and goes before the vault; unset it to use the new value.", err=True)
