"""Where the vault's keys come from: the environment, a keyring, or a file."""

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from cryptography.fernet import Fernet
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring

from bellwire.errors import ConfigurationError
from bellwire.vault import Vault
from bellwire.vault.keys import KEY_FILE, Keys

IN_KEYRING = {"BELLWIRE_VAULT_KEY": "keyring:tea-shop"}


class Chest(KeyringBackend):
    """A keyring, as an operating system offers one."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def chest() -> Iterator[Chest]:
    before, made = keyring.get_keyring(), Chest()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def test_a_vault_whose_key_is_in_the_keyring_has_no_key_file(tmp_path: Path, chest: Chest) -> None:
    assert Keys(tmp_path, IN_KEYRING).create()
    Vault.open(tmp_path, IN_KEYRING).store("shop", {"access_token": "s3cret"})
    assert chest.kept.keys() == {("bellwire", "tea-shop")}
    assert not (tmp_path / KEY_FILE).exists()
    found = Vault.open(tmp_path, IN_KEYRING).find("shop", "access_token")
    assert found is not None and found.value == "s3cret"


def test_a_key_that_is_in_the_keyring_already_is_kept(tmp_path: Path, chest: Chest) -> None:
    Keys(tmp_path, IN_KEYRING).create()
    before = dict(chest.kept)
    assert not Keys(tmp_path, IN_KEYRING).create()
    assert chest.kept == before


def test_the_key_in_the_keyring_can_be_changed(tmp_path: Path, chest: Chest) -> None:
    Keys(tmp_path, IN_KEYRING).create()
    vault, before = Vault.open(tmp_path, IN_KEYRING), dict(chest.kept)
    vault.store("shop", {"access_token": "s3cret"})
    vault.change_key()
    assert chest.kept != before and len(chest.kept["bellwire", "tea-shop"].split()) == 1
    found = Vault.open(tmp_path, IN_KEYRING).find("shop", "access_token")
    assert found is not None and found.value == "s3cret"


@pytest.mark.usefixtures("chest")
def test_a_keyring_without_the_key_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="The keyring has no key called tea-shop") as caught:
        Keys(tmp_path, IN_KEYRING).read()
    assert "keyring set bellwire tea-shop" in caught.value.remedy


def test_a_machine_without_a_keyring_says_so(tmp_path: Path, chest: Chest) -> None:
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    with pytest.raises(ConfigurationError, match="this machine has none"):
        Keys(tmp_path, IN_KEYRING).read()


def test_what_isnt_a_key_is_said_with_where_it_stands(tmp_path: Path, chest: Chest) -> None:
    chest.kept["bellwire", "tea-shop"] = "nonsense"
    places = ((IN_KEYRING, "the keyring, as bellwire/tea-shop"), ({"BELLWIRE_VAULT_KEY": "x"}, "BELLWIRE_VAULT_KEY"))
    for environ, place in places:
        with pytest.raises(ConfigurationError, match=f"{place} isn't a vault key"):
            Keys(tmp_path, environ).cipher()


def test_the_environment_itself_may_say_it(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    keys = Keys(tmp_path, {"BELLWIRE_VAULT_KEY": key})
    assert (keys.read(), keys.given, keys.create()) == ([key], True, False)
