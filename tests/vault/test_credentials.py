"""A connection's credentials: the environment before the vault, and a rotated value before the one it replaced."""

from pathlib import Path

import pytest

from bellwire.errors import ConfigurationError, MissingCredential
from bellwire.vault import ConnectionCredentials, Origin, Vault, create_key_file, variable_name
from tests.samples import NOW


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    create_key_file(tmp_path)
    return Vault.open(tmp_path, {}, lambda: NOW)


def test_the_vault_is_asked_when_the_environment_says_nothing(vault: Vault) -> None:
    credentials = ConnectionCredentials(vault, "books", {})
    assert credentials.find("access_token") is None
    credentials.store({"access_token": "kept"})
    assert credentials.get("access_token") == "kept"
    found = credentials.look("access_token")
    assert found is not None
    assert (found.origin, found.set_at) == (Origin.VAULT, NOW)


def test_the_environment_goes_first(vault: Vault, tmp_path: Path) -> None:
    vault.store("books", {"access_token": "kept", "client_id": "kept"})
    (tmp_path / "id").write_text("from a file\n")
    environ = {"BELLWIRE_BOOKS_ACCESS_TOKEN": "given", "BELLWIRE_BOOKS_CLIENT_ID_FILE": str(tmp_path / "id")}
    credentials = ConnectionCredentials(vault, "books", environ)
    assert credentials.get("access_token") == "given"
    assert credentials.get("client_id") == "from a file"
    found = credentials.look("access_token")
    assert found is not None and found.origin is Origin.ENVIRONMENT


def test_a_rotated_token_goes_before_the_variable_that_it_replaced_until_that_changes(vault: Vault) -> None:
    environ = {"BELLWIRE_BOOKS_REFRESH_TOKEN": "first"}
    ConnectionCredentials(vault, "books", environ).store({"refresh_token": "second"})
    assert ConnectionCredentials(vault, "books", environ).get("refresh_token") == "second"
    signed_in_again = {"BELLWIRE_BOOKS_REFRESH_TOKEN": "third"}
    assert ConnectionCredentials(vault, "books", signed_in_again).get("refresh_token") == "third"


def test_a_missing_credential_names_variable_and_command(vault: Vault) -> None:
    with pytest.raises(MissingCredential) as caught:
        ConnectionCredentials(vault, "shop", {}).get("webhook_secret")
    assert "BELLWIRE_SHOP_WEBHOOK_SECRET" in caught.value.remedy
    assert "bellwire secrets set shop webhook_secret" in caught.value.remedy


@pytest.mark.parametrize("environ", [{"BELLWIRE_SHOP_TOKEN": " "}, {"BELLWIRE_SHOP_TOKEN_FILE": "/nowhere"}])
def test_a_variable_that_says_nothing_is_an_error_not_the_vaults_turn(vault: Vault, environ: dict[str, str]) -> None:
    vault.store("shop", {"token": "kept"})
    with pytest.raises(ConfigurationError, match="BELLWIRE_SHOP_TOKEN"):
        ConnectionCredentials(vault, "shop", environ).find("token")


def test_no_representation_shows_a_secret(vault: Vault) -> None:
    credentials = ConnectionCredentials(vault, "shop", {"BELLWIRE_SHOP_TOKEN": "s3cret"})
    assert "s3cret" not in repr(credentials) + repr(credentials.look("token"))


def test_variables_are_named_after_connection_and_field() -> None:
    assert variable_name("books_eu", "access_token") == "BELLWIRE_BOOKS_EU_ACCESS_TOKEN"
