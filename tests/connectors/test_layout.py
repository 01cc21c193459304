"""A vendor is its own files and nothing else: adding or removing one touches no other."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bellwire.capabilities import CAPABILITIES
from bellwire.connectors import find_connector
from bellwire.connectors.kit import ByKey, LookUp, Unkeyed, Upsert

ROOT = Path(__file__).parents[2]
WORDS = {"bellwire", "form", "http", "smtp", "subscriber", "webhook"}
"""Connectors that are named for what they speak, and ourselves: ordinary words, which anyone may use."""

CONNECTORS = sorted(
    path.parent.name for path in ROOT.glob("src/bellwire/connectors/*/__init__.py") if path.parent.name != "kit"
)
VENDORS = [name for name in CONNECTORS if name not in WORDS]


@cache
def sources() -> dict[str, str]:
    """Path below the root → text, in lower case, of everything that ships or measures."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_bytes().decode(errors="replace").lower()
        for folder in ("src", "bench")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def strangers(name: str, files: dict[str, str]) -> Iterator[str]:
    """Files that speak of a vendor though their path doesn't; `_` counts as a border of words."""
    word = re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])")
    return (path for path, text in files.items() if name not in path and word.search(text))


def test_there_are_vendors_and_sources_to_look_at() -> None:
    assert len(VENDORS) >= 6
    assert f"src/bellwire/connectors/{VENDORS[0]}/manifest.py" in sources()


@pytest.mark.parametrize(
    ("text", "found"), [("from acme import x", True), ("acme_shop", True), ("acmeism", False), ("tacme", False)]
)
def test_a_vendors_name_is_found_as_a_whole_word(text: str, found: bool) -> None:
    assert bool(list(strangers("acme", {"src/x.py": text}))) is found
    assert not list(strangers("acme", {"src/acme.py": text}))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_is_named_in_its_own_files_only(vendor: str) -> None:
    assert list(strangers(vendor, sources())) == []


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_loads_and_brings_or_does_something(name: str) -> None:
    connector = find_connector(name)
    assert connector.name == name
    assert connector.manifest.capabilities or connector.triggers


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_action_says_how_it_survives_a_repeat(name: str) -> None:
    for key, action in find_connector(name).actions.items():
        assert key == str(action.operation)
        match action.repeat:
            case ByKey(text) | Upsert(text) | Unkeyed(text):
                assert text, f"{name}: {key} doesn't say how or why"
            case LookUp(find):
                assert callable(find)


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_does_all_that_its_capabilities_ask(name: str) -> None:
    """So that a flow can change vendors without a look at what the new one leaves out. Extras bear its own name."""
    connector = find_connector(name)
    asked = {str(op) for capability in connector.manifest.capabilities for op in CAPABILITIES[capability].values()}
    extras = {key for key, action in connector.actions.items() if action.operation.capability == name}
    assert set(connector.actions) == asked | extras
