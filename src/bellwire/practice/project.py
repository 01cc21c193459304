"""A project whose every connection is a practice server: for the demo, pilots and tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bellwire.practice.server import Practice
from bellwire.vault import create_key_file


def write_project(
    folder: Path,
    practice: Practice,
    roles: Mapping[str, str],
    flows: Mapping[str, str],
    files: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Write the project's files; returns the environment that holds its credentials.

    `roles` is connection → vendor, `flows` is file name → text, and so are `files`, which are beside the settings.
    """
    (folder / "flows").mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(mode=0o700)
    create_key_file(folder / "data")
    # As `bellwire init` does it: the shop's counts aren't meant where there is a stock.
    counting = '[stock]\nconnections = ["stock"]\n' if "stock" in roles else ""
    (folder / "bellwire.toml").write_text(f"port = 0\n{counting}", encoding="utf-8")
    tables = (_table(name, vendor, practice) for name, vendor in roles.items())
    (folder / "connections.toml").write_text("\n".join(tables), encoding="utf-8")
    for name, text in flows.items():
        (folder / "flows" / name).write_text(text, encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {
        f"BELLWIRE_{name.upper()}_{field.upper()}": value
        for name, vendor in roles.items()
        for field, value in practice.simulators[vendor].credentials.items()
    }


def _table(name: str, vendor: str, practice: Practice) -> str:
    lines = [
        f"[{name}]",
        f"connector = {json.dumps(vendor)}",
        'environment = "sandbox"',
        f"base_url = {json.dumps(practice.base_url(vendor))}",
        f"[{name}.settings]",
        *(f"{key} = {_toml(value)}" for key, value in practice.simulators[vendor].settings.items()),
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """Texts, numbers, truth values and lists of them: what settings are made of reads the same in JSON and TOML."""
    return json.dumps(value)
