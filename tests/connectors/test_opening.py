"""From connections.toml to connections: what is wrong has file, line and suggestion."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellwire.connectors.kit import Connection
from bellwire.connectors.opening import open_connections
from bellwire.errors import ConfigurationError
from bellwire.events import Environment
from bellwire.settings import load_settings
from bellwire.vault import Vault, create_key_file

ACME = Path(__file__).parents[1] / "cli/acme"
SHOP = '[shop]\nconnector = "acme_shop"\nenvironment = "sandbox"\n'


@pytest.fixture(autouse=True)
def _acme_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ACME)


def opened(folder: Path, connections: str) -> dict[str, Connection]:
    (folder / "bellwire.toml").write_text("")
    (folder / "connections.toml").write_text(connections)
    create_key_file(folder)
    return open_connections(load_settings(folder, {}), Vault.open(folder, {}), os.environ)


def test_a_connection_is_what_its_table_says(tmp_path: Path) -> None:
    text = SHOP + 'base_url = "http://127.0.0.1:9"\nsince = 2026-01-31T00:00:00Z\n[shop.settings]\nstore = "tea"\n'
    shop = opened(tmp_path, text)["shop"]
    assert (shop.name, shop.manifest.title, shop.environment) == ("shop", "Acme Shop", Environment.SANDBOX)
    assert shop.base_url == "http://127.0.0.1:9"
    assert shop.since == datetime(2026, 1, 31, tzinfo=UTC)
    assert shop.settings.model_dump() == {"store": "tea", "location": 1}


def test_the_environment_chooses_the_vendors_server(tmp_path: Path) -> None:
    text = (
        '[a]\nconnector = "acme_chat"\nenvironment = "sandbox"\n[b]\nconnector = "acme_chat"\nenvironment="production"'
    )
    connections = opened(tmp_path, text)
    assert connections["a"].base_url == "https://sandbox.acme.example"
    assert connections["b"].base_url == "https://acme.example"


@pytest.mark.parametrize(
    ("text", "line", "says", "remedy"),
    [
        (
            SHOP.replace("acme_shop", "acme_shopp"),
            2,
            "There is no connector 'acme_shopp'.",
            "Did you mean 'acme_shop'?",
        ),
        (SHOP, 1, "[shop.settings] doesn't say its store.", "The name of the store"),
        (
            SHOP + "\n[shop.settings]\nstroe = 'tea'",
            6,
            "[shop.settings] has no setting 'stroe'.",
            "Did you mean 'store'?",
        ),
        (
            SHOP + "\n[shop.settings]\nstore = 'tea'\nlocatoin = 2",
            7,
            "[shop.settings] has no setting 'locatoin'.",
            "Did you mean 'location'?",
        ),
        (
            SHOP + "settings = {store = 'tea', location = 'x'}",
            4,
            "'location' must be a whole number.",
            "Where the goods",
        ),
        (
            SHOP + "\n[shop.settings]\nstore = '<fill in>'",
            6,
            "'store' of connection 'shop' is still to be filled in.",
            "The name of the store",
        ),
        (
            '[post]\nconnector = "acme_shipping"\nenvironment = "sandbox"',
            3,
            "Acme Shipping has no sandbox of its own.",
            "base_url",
        ),
        (
            '[chat]\nconnector = "acme_chat"\nenvironment = "sandbox"\n[chat.settings]\nroom = 1',
            5,
            "[chat.settings] has no setting 'room'.",
            "Take it out.",
        ),
    ],
)
def test_what_is_wrong_has_line_cause_and_suggestion(
    tmp_path: Path, text: str, line: int, says: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/connections.toml:{line}: {says}")
    assert remedy in caught.value.remedy
