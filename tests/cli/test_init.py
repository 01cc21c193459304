"""`bellwire init`: a folder that the other commands take as it is."""

import tomllib
from pathlib import Path

import pytest

from bellwire.connectors import find_connector
from bellwire.connectors.registry import connector_names
from bellwire.flows import check_flow, load_flows
from bellwire.settings import load_settings
from bellwire.settings.model import SettingsTable
from tests.cli.conftest import ALL_OF_ACME, Run


def test_a_new_project_can_be_read_and_its_flow_fits_its_connections(project: Path) -> None:
    settings = load_settings(project, {})
    assert list(settings.connections) == ["shop", "books", "stock", "shipping", "mail", "chat"]
    assert {connection.environment for connection in settings.connections.values()} == {"sandbox"}
    connectors = {name: find_connector(read.connector) for name, read in settings.connections.items()}
    (flow,) = load_flows(settings.flows)
    assert flow.id == "order_to_cash"
    assert [finding for finding in check_flow(flow, connectors) if finding.severity == "error"] == []


def test_every_setting_stands_in_the_file_with_its_default_and_is_valid_when_uncommented(project: Path) -> None:
    lines = (project / "bellwire.toml").read_text().splitlines()
    live = [line.removeprefix("# ") if " = " in line and line.startswith("# ") else line for line in lines]
    shown = tomllib.loads("\n".join(line for line in live if not line.startswith("#")))
    assert set(shown) == set(SettingsTable.model_fields)
    (project / "bellwire.toml").write_text("\n".join(line for line in live if not line.startswith("#")))
    assert load_settings(project, {}).port == 8787


def test_what_an_account_needs_is_explained_where_it_is_written(project: Path) -> None:
    text = (project / "connections.toml").read_text()
    assert '# The name of the store, as in its address.\nstore = "<fill in>"' in text
    assert "# Where the goods are.\n# location = 1" in text
    assert "# Acme Shop: https://acme.example/docs" in text
    assert "# bellwire secrets set shop webhook_secret: Acme › Settings › Webhooks › Secret" in text
    assert "# bellwire secrets set shop backup_token (optional): " in text


def test_the_readme_says_where_webhooks_go(project: Path) -> None:
    text = (project / "README.md").read_text()
    assert "| Acme Shop | `http://127.0.0.1:8787/hooks/shop` |" in text
    assert "/hooks/books" not in text
    assert "bellwire secrets set shop webhook_secret" in text


def test_data_stays_out_of_git_and_the_key_is_the_owners_alone(project: Path) -> None:
    assert "data/" in (project / ".gitignore").read_text().splitlines()
    assert (project / "data/vault.key").stat().st_mode & 0o777 == 0o600
    assert (project / "data").stat().st_mode & 0o777 == 0o700


def test_the_next_steps_come_in_order(tmp_path: Path, bellwire: Run) -> None:
    output = bellwire("init", tmp_path / "new", *ALL_OF_ACME).output
    steps = ["Back it up", "cd ", "edit connections.toml", "secrets set shop webhook_secret", "check", "bellwire up"]
    assert [output.index(step) for step in steps] == sorted(output.index(step) for step in steps)
    assert "1 × <fill in>" in output
    assert "backup_token" not in output


def test_without_names_the_first_connector_that_can_do_it_is_taken(tmp_path: Path, bellwire: Run) -> None:
    result = bellwire("init", tmp_path / "new", "--environment", "production")
    assert result.exit_code == 0, result.output
    read = load_settings(tmp_path / "new", {}).connections
    assert {connection.connector for connection in read.values()} == {
        name for name in connector_names() if "acme_" in name and name != "acme_desk"
    }
    assert {connection.environment for connection in read.values()} == {"production"}


def test_a_choice_that_was_made_for_the_owner_is_said(tmp_path: Path, bellwire: Run) -> None:
    output = bellwire("init", tmp_path / "new").output
    assert "Nothing was said of mail; acme_mail is taken. Also possible: smtp." in output
    assert "--mail" not in bellwire("init", tmp_path / "newer", "--mail", "smtp").output


@pytest.mark.parametrize(("shop", "told_by"), [("woocommerce", "forms"), ("shopify", "shop")])
def test_what_the_shop_never_tells_of_a_form_does(tmp_path: Path, bellwire: Run, shop: str, told_by: str) -> None:
    result = bellwire("init", tmp_path / "new", "--template", "returns", "--shop", shop)
    assert result.exit_code == 0, result.output
    settings = load_settings(tmp_path / "new", {})
    assert ("forms" in settings.connections) is (told_by == "forms")
    assert {(flow.connection, flow.id) for flow in load_flows(settings.flows)} == {
        (told_by, "return_created"),
        (told_by, "return_received"),
    }


def test_what_nobody_tells_of_is_refused(tmp_path: Path, bellwire: Run) -> None:
    result = bellwire("init", tmp_path / "new", "--template", "order-to-cash", "--shop", "slack")
    assert result.exit_code == 2
    assert "slack can't be the shop of this flow." in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--shop", "acme_shopp"], "There is no connector 'acme_shopp'.\nDid you mean 'acme_shop'?"),
        (["--books", "acme_chat"], "acme_chat can't be the books of this flow.\n"),
        (["--template", "order-to-cush"], "There is no template 'order-to-cush'.\n"),
        (["--environment", "test"], "'sandbox', 'production'"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    tmp_path: Path, bellwire: Run, words: list[str], says: str
) -> None:
    result = bellwire("init", tmp_path / "new", *words)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path, bellwire: Run) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = bellwire("init", tmp_path, *ALL_OF_ACME)
    assert result.exit_code == 2
    assert "isn't empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_that_is_there_is_fine(tmp_path: Path, bellwire: Run) -> None:
    assert bellwire("init", tmp_path, *ALL_OF_ACME).exit_code == 0


def test_a_folder_that_cant_be_made_is_said(tmp_path: Path, bellwire: Run) -> None:
    (tmp_path / "file").write_text("in the way")
    result = bellwire("init", tmp_path / "file" / "new", *ALL_OF_ACME)
    assert result.exit_code == 1
    assert f"{tmp_path}/file/new" in result.stderr and "can't be used: Not a directory." in result.stderr


def test_a_key_from_the_environment_needs_no_file(tmp_path: Path, bellwire: Run) -> None:
    result = bellwire("init", tmp_path / "new", *ALL_OF_ACME, BELLWIRE_VAULT_KEY="x")
    assert result.exit_code == 0
    assert not (tmp_path / "new/data/vault.key").exists()
    assert "Back it up" not in result.output


def test_a_template_that_watches_stock_comes_with_a_file_to_fill_in(tmp_path: Path, bellwire: Run) -> None:
    made = bellwire("init", tmp_path / "new", "--template", "inventory")
    assert made.exit_code == 0 and "edit stock.csv" in made.output
    assert (tmp_path / "new/stock.csv").read_text() == "sku,reorder_point,target,rearm,name,location\n"
    assert "| `stock.csv` |" in (tmp_path / "new/README.md").read_text()
    assert load_settings(tmp_path / "new", {}).stock.connections == ("stock",)


def test_a_template_that_doesnt_has_none(project: Path) -> None:
    assert not (project / "stock.csv").exists() and "stock.csv" not in (project / "README.md").read_text()
    assert load_settings(project, {}).stock.connections == ()
