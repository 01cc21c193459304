"""The vault: credentials, encrypted at rest under keys that can be changed, and what the environment says instead."""

from bellwire.vault.credentials import ConnectionCredentials, Origin, variable_name
from bellwire.vault.keys import KEY_FILE, KEY_VARIABLE, Keys, create_key_file
from bellwire.vault.vault import VAULT_FILE, Entry, Vault

__all__ = [
    "KEY_FILE",
    "KEY_VARIABLE",
    "VAULT_FILE",
    "ConnectionCredentials",
    "Entry",
    "Keys",
    "Origin",
    "Vault",
    "create_key_file",
    "variable_name",
]
