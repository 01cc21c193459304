"""The credentials of one connection: the environment first, then the vault."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bellwire.errors import MissingCredential
from bellwire.settings import read_variable
from bellwire.vault.vault import Vault


class Origin(StrEnum):
    """Where a credential comes from."""

    ENVIRONMENT = "environment"
    VAULT = "vault"


@dataclass(frozen=True)
class Found:
    """A credential, and where it was. `set_at`: when it came into the vault."""

    value: str = field(repr=False)
    origin: Origin
    set_at: datetime | None = None


def variable_name(connection: str, field: str) -> str:
    """The environment variable that holds a credential; with `_FILE` behind it, one that names a file."""
    return f"BELLWIRE_{connection}_{field}".upper()


class ConnectionCredentials:
    """What a connection signs in with. A variable goes before the vault, except that a value which was stored since
    (the vendor rotated it) goes before that same, outdated value of the variable."""

    def __init__(self, vault: Vault, connection: str, environ: Mapping[str, str]) -> None:
        self._vault = vault
        self._connection = connection
        self._environ = environ

    def __repr__(self) -> str:
        return f"ConnectionCredentials({self._connection!r})"

    def look(self, field: str) -> Found | None:
        """The credential with its origin. Raises ConfigurationError when the vault or a variable can't be read."""
        given = self._variable(field)
        kept = self._vault.find(self._connection, field)
        if given is not None and (kept is None or kept.instead_of != given):
            return Found(given, Origin.ENVIRONMENT)
        return Found(kept.value, Origin.VAULT, kept.set_at) if kept else None

    def find(self, field: str) -> str | None:
        """The credential, or None."""
        found = self.look(field)
        return found.value if found else None

    def get(self, field: str) -> str:
        """The credential. Raises MissingCredential, which names the variable and the command that set it."""
        value = self.find(field)
        if value is None:
            raise MissingCredential(self._connection, field, variable_name(self._connection, field))
        return value

    def store(self, values: Mapping[str, str]) -> None:
        """Keep new values durably before returning."""
        replaced = {name: given for name in values if (given := self._variable(name)) is not None}
        self._vault.store(self._connection, values, replaced)

    def renewing(self) -> AbstractAsyncContextManager[None]:
        """For the length of the block, no other process renews this connection's sign-in."""
        return self._vault.renewing(self._connection)

    def _variable(self, field: str) -> str | None:
        return read_variable(self._environ, variable_name(self._connection, field))
