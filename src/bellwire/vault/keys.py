"""The vault's keys: from the environment, from the keyring of the operating system, or from a file beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, MultiFernet

from bellwire.errors import ConfigurationError
from bellwire.files import replace
from bellwire.settings import read_variable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

KEY_VARIABLE = "BELLWIRE_VAULT_KEY"
KEY_FILE = "vault.key"
IN_KEYRING = "keyring:"
"""What the variable begins with when the keys are in the keyring; the rest is their name there."""
_SERVICE = "bellwire"


class Keys:
    """The first key encrypts, all of them decrypt. Several stand in one value, separated by white space."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._file = folder / KEY_FILE
        self._variable = read_variable(environ, KEY_VARIABLE)

    @property
    def given(self) -> bool:
        """Whether the environment itself says them, so that whoever set it has to change them."""
        return self._variable is not None and not self._variable.startswith(IN_KEYRING)

    @property
    def place(self) -> str:
        """Where they are, for people."""
        if self._variable is None:
            return str(self._file)
        return f"the keyring, as {_SERVICE}/{self._name}" if not self.given else KEY_VARIABLE

    def read(self) -> list[str]:
        """The keys as they are now. Raises ConfigurationError when there is none."""
        if self._variable is not None:
            return self._variable.split() if self.given else self._from_keyring()
        try:
            return self._file.read_text(encoding="ascii").split()
        except FileNotFoundError:
            raise ConfigurationError(
                "The vault has no key.",
                path=self._file,
                remedy=f"Put the file back from your backup, or set {KEY_VARIABLE}.",
            ) from None
        except (OSError, ValueError):
            raise ConfigurationError("The vault's key can't be read.", path=self._file) from None

    def cipher(self) -> MultiFernet:
        """Raises ConfigurationError when there is no key, or one isn't a key."""
        try:
            return MultiFernet([Fernet(key) for key in self.read()])
        except ValueError:
            raise ConfigurationError(
                f"What stands in {self.place} isn't a vault key.",
                path=self._file if self._variable is None else None,
                remedy="A key is 44 characters that `bellwire init` made; put it back from your backup.",
            ) from None

    def write(self, keys: list[str]) -> None:
        """Put these in place of those that there are: not where the environment itself says them."""
        assert not self.given
        if self._variable is None:
            replace(self._file, "".join(f"{key}\n" for key in keys).encode(), private=True)
        else:
            _keyring().set_password(_SERVICE, self._name, " ".join(keys))

    def create(self) -> bool:
        """Make a key for a new vault. False where the environment says one, or the keyring has one already."""
        if self.given or (self._variable is not None and _keyring().get_password(_SERVICE, self._name)):
            return False
        self.write([Fernet.generate_key().decode()])
        return True

    @property
    def _name(self) -> str:
        assert self._variable is not None
        return self._variable.removeprefix(IN_KEYRING).strip() or "vault"

    def _from_keyring(self) -> list[str]:
        found = _keyring().get_password(_SERVICE, self._name)
        if not found:
            raise ConfigurationError(
                f"The keyring has no key called {self._name}.",
                remedy=f"Put it back from your backup: `keyring set {_SERVICE} {self._name}`.",
            )
        return found.split()


def create_key_file(folder: Path) -> Path:
    """Make a key for a new vault; the file is readable by its owner only."""
    Keys(folder, {}).create()
    return folder / KEY_FILE


def _keyring() -> "KeyringBackend":
    """The keyring of the operating system. Raises ConfigurationError when there is none that can be used."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring
    except ImportError:
        raise ConfigurationError(
            f"{KEY_VARIABLE} names the keyring, but the package for it isn't installed.",
            remedy="`pip install 'bellwire[keyring]'`.",
        ) from None
    found = keyring.get_keyring()
    if isinstance(found, NoKeyring):
        raise ConfigurationError(
            f"{KEY_VARIABLE} names the keyring, but this machine has none that is open.",
            remedy="On a server without one, use the key file, or give the key itself in the variable.",
        )
    return found
