"""What is kept outside of the vault's file, encrypted with its key."""

from pathlib import Path

import pytest

from bellwire.errors import ConfigurationError
from bellwire.vault import Vault, create_key_file


def test_it_is_opened_for_the_purpose_it_was_sealed_for_and_isnt_readable(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    vault = Vault.open(tmp_path, {})
    sealed = vault.seal("a consent", "t0p-s3cret")
    assert "t0p-s3cret" not in sealed and sealed != vault.seal("a consent", "t0p-s3cret")
    assert Vault.open(tmp_path, {}).unseal("a consent", sealed) == "t0p-s3cret"
    assert vault.unseal("another", sealed) is None
    for changed in (sealed[:-3] + "AAA", "", "é", sealed[1:]):
        assert vault.unseal("a consent", changed) is None


def test_with_another_key_it_is_no_good(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    vault = Vault.open(tmp_path, {})
    sealed = vault.seal("a consent", "t0p-s3cret")
    vault.change_key()
    assert vault.unseal("a consent", sealed) is None


def test_without_a_key_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="The vault has no key"):
        Vault.open(tmp_path, {}).seal("a consent", "x")
