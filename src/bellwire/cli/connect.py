"""`bellwire connect`: everything that makes a connection work, one step after the other."""

import asyncio
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.cli.base import HERE, Project, counted, read_project, say
from bellwire.cli.browser import PORT
from bellwire.errors import BellwireError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bellwire.connectors.kit import Connection
    from bellwire.settings import Settings
    from bellwire.vault import Vault


def register(app: typer.Typer) -> None:
    app.command()(connect)


def connect(
    name: Annotated[str, typer.Argument(metavar="CONNECTION", help="As connections.toml names it.")],
    project: Project = HERE,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Where the browser is sent back to, on this machine.")
    ] = PORT,
    paste: Annotated[
        bool, typer.Option("--paste", help="The browser is on another machine: paste the address it ends at.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Sign in anew, though there is a sign-in already.")] = False,
) -> None:
    """Sign in to a vendor, show what may be done there, and have its webhooks sent here.

    Example: bellwire connect shop

    Asks for the credentials that are missing, in the browser where the vendor has that. It can be given again at any
    time: what is as it should be is left alone.
    """
    from bellwire.connectors.opening import open_connection
    from bellwire.vault import Vault

    settings = read_project(project)
    if name not in settings.connections:
        raise NotFound(f"There is no connection '{name}'.", remedy=f"There are: {', '.join(settings.connections)}.")
    vault = Vault.open(settings.data, os.environ)
    connection = open_connection(settings.connections[name], vault, os.environ)
    asyncio.run(_Connecting(project, settings, vault, connection).all(port, paste=paste, again=again))


class _Connecting:
    """One connection, on its way to working."""

    def __init__(self, project: Path, settings: "Settings", vault: "Vault", connection: "Connection") -> None:
        self._project = project
        self._settings = settings
        self._vault = vault
        self._connection = connection

    async def all(self, port: int, *, paste: bool, again: bool) -> None:
        try:
            await self._ask_for(self._needed_first())
            await self._consent(port, paste=paste, again=again)
            await self._ask_for(self._needed_to_sign_in())
            await self._sign_in()
            await self._webhooks()
        finally:
            await self._connection.api.close()

    # Credentials

    def _needed_first(self) -> "Iterator[str]":
        """What has to be there before the owner can consent."""
        return (field for field in self._missing() if self._in_browser and field in ("client_id", "client_secret"))

    def _needed_to_sign_in(self) -> "Iterator[str]":
        return (field for field in self._missing() if field != self._connection.manifest.webhook_credential)

    def _missing(self) -> list[str]:
        from bellwire.connectors.opening import missing_credentials

        return [error.field for error in missing_credentials(self._connection)]

    @property
    def _in_browser(self) -> bool:
        from bellwire.connectors.kit import OAuth2

        auth = self._connection.manifest.auth
        return isinstance(auth, OAuth2) and auth.consent is not None

    async def _ask_for(self, fields: "Iterator[str]") -> None:
        """Ask for credentials, and keep each as soon as it is there."""
        from bellwire.cli.secrets import ask_value

        meanings = {each.field: each.meaning for each in self._connection.manifest.credentials}
        for field in list(fields):
            if not sys.stdin.isatty():
                raise BellwireError(
                    f"'{self._connection.name}' has no {field}.",
                    remedy=f"Set it first: `bellwire secrets set {self._connection.name} {field}`.",
                )
            say(f"\n{field} of {self._connection.manifest.title}:")
            await self._keep({field: ask_value(meanings.get(field, ""))})

    async def _keep(self, values: "Mapping[str, str]") -> None:
        from bellwire.cli.secrets import audited

        name = self._connection.name
        store = partial(self._vault.store, name, values)
        # In a thread: it has a loop of its own.
        await asyncio.to_thread(audited, self._project, "set", f"{name} {' '.join(values)}", store)

    async def _consent(self, port: int, *, paste: bool, again: bool) -> None:
        from bellwire.cli.browser import consent

        known = self._connection.credentials.find
        if not self._in_browser or (not again and (known("refresh_token") or known("access_token"))):
            return
        told = await consent(self._connection, port, paste=paste)
        for what, value in told.items():
            say(f"{self._connection.manifest.title} says: {what} = {value}")

    # What can be done with them

    async def _sign_in(self) -> None:
        from bellwire.cli.base import FAILED
        from bellwire.clock import system_clock
        from bellwire.watch.accounts import sign_in
        from bellwire.watch.finding import Level

        findings = await sign_in(self._connection, system_clock)
        for finding in findings:
            say(finding.sentence)
            if finding.remedy:
                say(f"  {finding.remedy}")
        if any(finding.level is Level.ERROR for finding in findings):
            raise typer.Exit(FAILED)

    async def _webhooks(self) -> None:
        connection = self._connection
        triggers, manifest = connection.connector.triggers, connection.manifest
        if triggers is None or connection.webhook is None:
            return
        address = self._settings.hook_url(connection.name)
        if triggers.subscribing is not None:
            await self._subscribe(address)
        else:
            say(f"Enter this address at {manifest.title}: {address}")
            if manifest.webhook_setup:
                say(f"  {manifest.webhook_setup}")
        await self._ask_for(field for field in self._missing() if field == manifest.webhook_credential)

    async def _subscribe(self, address: str) -> None:
        from bellwire.clock import system_clock
        from bellwire.watch.accounts import subscribe

        connection = self._connection
        triggers = connection.connector.triggers
        assert triggers is not None
        before = await subscribe(connection, address, system_clock, self._keep)
        if before.well:
            say(f"Its webhooks come to {address}: {counted(len(triggers.topics), 'topic')}.")
            return
        for each in before.broken:
            say(f"Made anew: {', '.join(each.topics)}. {each.trouble}")
        say(f"{connection.manifest.title} now sends to {address}: {', '.join(before.missing)}.")
