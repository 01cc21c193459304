"""The vault file: connection → field → an encrypted value."""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from bellwire.clock import Clock, system_clock
from bellwire.errors import ConfigurationError
from bellwire.files import locked, replace, taking_turns
from bellwire.vault.keys import Keys

VAULT_FILE = "vault.json"
_VERSION = 1
_LONGEST_RENEWAL = 60.0
"""Seconds for which others wait while one process renews a sign-in."""

Tokens = dict[str, dict[str, dict[str, str]]]
"""Connection → field → `token` and `set_at`."""


@dataclass(frozen=True)
class Entry:
    """One credential."""

    value: str = field(repr=False)
    set_at: datetime
    instead_of: str | None = field(default=None, repr=False)
    """What the environment said when a newer value was stored (a rotated refresh token, say)."""


class Vault:
    """The credentials of a project. Other processes may write meanwhile: what they wrote is seen at the next `find`."""

    def __init__(self, folder: Path, keys: Keys, clock: Clock) -> None:
        self._path = folder / VAULT_FILE
        self._lock = folder / f"{VAULT_FILE}.lock"
        self._keys = keys
        self._clock = clock
        self._seen: object = None
        self._entries: dict[tuple[str, str], Entry] = {}

    @classmethod
    def open(cls, folder: Path, environ: Mapping[str, str], clock: Clock = system_clock) -> Self:
        """The vault in the project's data `folder`. No file yet is an empty vault.

        Raises ConfigurationError when the file is damaged, or its key is missing or not the one it was written with.
        """
        vault = cls(folder, Keys(folder, environ), clock)
        vault._refresh()
        return vault

    def find(self, connection: str, field: str) -> Entry | None:
        """The credential, or None. Raises ConfigurationError as `open` does."""
        self._refresh()
        return self._entries.get((connection, field))

    def store(self, connection: str, values: Mapping[str, str], instead_of: Mapping[str, str] | None = None) -> None:
        """Keep values durably before returning; the connection's other fields stay."""
        replaced = instead_of or {}
        now = self._clock()
        entries = {(connection, name): Entry(value, now, replaced.get(name)) for name, value in values.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._lock):
            cipher, tokens = self._keys.cipher(), self._read()
            self._decrypt(tokens, cipher)  # Never write beside what another key encrypted.
            self._write(tokens, entries, cipher)

    def renewing(self, connection: str) -> AbstractAsyncContextManager[None]:
        """One process at a time renews the sign-in of a connection: the others, which wait a minute at the longest,
        find in the vault what it was given."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return taking_turns(self._path.with_name(f"{VAULT_FILE}.{connection}.lock"), _LONGEST_RENEWAL)

    def seal(self, purpose: str, text: str) -> str:
        """Encrypted with the vault's key, to be kept elsewhere for as long as the key isn't changed. Raises
        ConfigurationError when there is no key."""
        return self._keys.cipher().encrypt(json.dumps({"for": purpose, "value": text}).encode()).decode()

    def unseal(self, purpose: str, sealed: str) -> str | None:
        """What was sealed for this purpose. None: it was sealed with another key, or for something else. Raises
        ConfigurationError when there is no key."""
        try:
            opened = json.loads(self._keys.cipher().decrypt(sealed.encode()))
        except InvalidToken:
            return None
        return str(opened["value"]) if opened["for"] == purpose else None

    def change_key(self) -> None:
        """Encrypt everything anew: with a new key that takes the place of the one in the file or the keyring, or, where
        the environment says the keys, with the first of them. Whenever it is interrupted, the vault can be read."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self._lock):
            entries = self._decrypt(self._read(), self._keys.cipher())
            if self._keys.given:
                self._write({}, entries, self._keys.cipher())
                return
            new = Fernet.generate_key().decode()
            self._keys.write([new, *self._keys.read()])
            self._write({}, entries, self._keys.cipher())
            self._keys.write([new])

    def _refresh(self) -> None:
        try:
            now = self._path.stat()
        except FileNotFoundError:
            self._entries, self._seen = {}, None
            return
        seen = (now.st_ino, now.st_mtime_ns, now.st_size)
        if seen == self._seen:
            return
        with locked(self._lock):  # Else the key could change between the reading of one file and of the other.
            tokens = self._read()
            self._entries, self._seen = self._decrypt(tokens, self._keys.cipher()) if tokens else {}, seen

    def _read(self) -> Tokens:
        try:
            content = json.loads(self._path.read_bytes())
            if content["version"] != _VERSION:
                raise ConfigurationError(
                    "The vault was written by a newer Bellwire.", path=self._path, remedy="Update Bellwire here too."
                )
            tokens: Tokens = content["connections"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError):
            raise self._damaged() from None
        return tokens

    def _decrypt(self, tokens: Tokens, cipher: MultiFernet) -> dict[tuple[str, str], Entry]:
        try:
            return {
                (connection, name): self._entry(connection, name, kept, cipher)
                for connection, fields in tokens.items()
                for name, kept in fields.items()
            }
        except InvalidToken:
            raise ConfigurationError(
                "The vault can't be opened with this key.",
                path=self._path,
                remedy="Use the key it was written with (from your backup), or move the file away and set each "
                "credential again with `bellwire secrets set`.",
            ) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._damaged() from None

    @staticmethod
    def _entry(connection: str, name: str, kept: Mapping[str, str], cipher: MultiFernet) -> Entry:
        opened: dict[str, Any] = json.loads(cipher.decrypt(kept["token"]))
        if opened["for"] != [connection, name]:
            raise ValueError("a token was moved to another place of the file")
        return Entry(opened["value"], datetime.fromisoformat(kept["set_at"]), opened["instead_of"])

    def _write(self, tokens: Tokens, entries: Mapping[tuple[str, str], Entry], cipher: MultiFernet) -> None:
        for (connection, name), entry in entries.items():
            # The place is sealed in, so that a token can't be passed off as another connection's.
            sealed = json.dumps({"for": [connection, name], "value": entry.value, "instead_of": entry.instead_of})
            token = cipher.encrypt(sealed.encode()).decode()
            tokens.setdefault(connection, {})[name] = {"token": token, "set_at": entry.set_at.isoformat()}
        content = json.dumps({"version": _VERSION, "connections": tokens}, indent=2).encode() + b"\n"
        replace(self._path, content, private=True)

    def _damaged(self) -> ConfigurationError:
        return ConfigurationError("The vault is damaged.", path=self._path, remedy="Put it back from your backup.")
