"""The vault's keys: from the environment, or from a file beside it."""

from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet

from bellwire.errors import ConfigurationError
from bellwire.settings import read_variable
from bellwire.vault.files import replace

KEY_VARIABLE = "BELLWIRE_VAULT_KEY"
KEY_FILE = "vault.key"


class Keys:
    """The first key encrypts, all of them decrypt. Several stand in one value, separated by white space."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._file = folder / KEY_FILE
        self._variable = read_variable(environ, KEY_VARIABLE)

    @property
    def from_file(self) -> bool:
        return self._variable is None

    def read(self) -> list[str]:
        """The keys as they are now. Raises ConfigurationError when there is none."""
        if self._variable is not None:
            return self._variable.split()
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
            place = self._file if self.from_file else None
            raise ConfigurationError(
                f"{'This' if place else KEY_VARIABLE} isn't a vault key.",
                path=place,
                remedy="A key is 44 characters that `bellwire init` made; put it back from your backup.",
            ) from None

    def write(self, keys: list[str]) -> None:
        replace(self._file, "".join(f"{key}\n" for key in keys).encode())


def create_key_file(folder: Path) -> Path:
    """Make a key for a new vault; the file is readable by its owner only."""
    replace(folder / KEY_FILE, Fernet.generate_key() + b"\n")
    return folder / KEY_FILE
