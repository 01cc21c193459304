"""`bellwire connector`: what can be connected, how well, and a new one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.capabilities import CAPABILITIES
from bellwire.connectors import all_connectors, look_in
from bellwire.connectors.levels import RULES
from tests.cli.conftest import Run, environment


@pytest.fixture(autouse=True)
def _afterwards_as_before() -> Iterator[None]:
    yield
    look_in(None)


def test_all_are_listed_with_level_and_capabilities(bellwire: Run, tmp_path: Path) -> None:
    rows = json.loads(bellwire("connector", "list", "--json", "--project", tmp_path).stdout)
    assert [row["name"] for row in rows] == [connector.name for connector in all_connectors()]
    for row, connector in zip(rows, all_connectors(), strict=True):
        assert (row["level"], row["capabilities"]) == (
            connector.manifest.level.value,
            list(connector.manifest.capabilities),
        )
        assert row["actions"].keys() == connector.actions.keys()


def test_the_page_says_all_of_each(bellwire: Run, tmp_path: Path) -> None:
    page = bellwire("connector", "list", "--page", "--project", tmp_path).stdout
    for connector in all_connectors():
        assert f"## {connector.name}\n" in page
        assert all(f"`{name}`" in page for name in connector.actions)


def test_one_is_shown_with_its_rules(bellwire: Run, tmp_path: Path) -> None:
    result = bellwire("connector", "show", "acme_desk", "--project", tmp_path)
    assert result.exit_code == 0, result.output
    assert all(f"{rule.name}: {rule.meaning}" in result.stdout for rule in RULES)
    told = json.loads(bellwire("connector", "show", "acme_desk", "--json", "--project", tmp_path).stdout)
    rules = {rule["name"]: rule for rule in told["rules"]}
    assert rules["complete"]["kept"] and not rules["reconcile"]["kept"]
    assert rules["limits"]["why_not"] == "It states no limits."


def test_an_unknown_one_gets_a_suggestion(bellwire: Run, tmp_path: Path) -> None:
    result = bellwire("connector", "show", "shoppify", "--project", tmp_path)
    assert (result.exit_code, "Did you mean 'shopify'?" in result.stderr) == (2, True)


def test_a_new_one_loads_is_listed_and_passes_its_tests_whatever_it_is_good_for(project: Path, bellwire: Run) -> None:
    wanted = [word for capability in CAPABILITIES for word in ("--capability", capability)]
    made = bellwire("connector", "new", "hill", "--title", "Hill Systems", *wanted, "--project", project)
    assert made.exit_code == 0, made.output
    rows = json.loads(bellwire("connector", "list", "--json", "--project", project).stdout)
    (row,) = [row for row in rows if row["name"] == "hill"]
    assert (row["title"], row["level"], row["capabilities"]) == ("Hill Systems", "bronze", list(CAPABILITIES))
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        str(project / "connectors"),
    ]
    done = subprocess.run(tests, cwd=project, env=environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_connection_can_use_it_and_its_practice_server(project: Path, bellwire: Run) -> None:
    bellwire("connector", "new", "hill", "--capability", "chat", "--project", project)
    (project / "connections.toml").write_text('[team]\nconnector = "hill"\nenvironment = "sandbox"\n')
    checked = bellwire("check", "--offline", "--project", project)
    assert "ok      team: Version 1 of Hill is spoken." in checked.stdout


def test_what_is_there_already_is_left_alone(project: Path, bellwire: Run) -> None:
    bellwire("connector", "new", "hill", "--project", project)
    (project / "connectors/hill/manifest.py").write_text("mine")
    again = bellwire("connector", "new", "hill", "--project", project)
    assert (again.exit_code, "already" in again.stderr) == (2, True)
    assert (project / "connectors/hill/manifest.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Hill",), "can't be the name"),
        (("hill-systems",), "can't be the name"),
        (("hill", "--capability", "chatt"), "Did you mean 'chat'?"),
        (("acme_desk",), "There is a connector 'acme_desk' already."),
    ],
)
def test_a_wrong_name_is_refused(project: Path, bellwire: Run, words: tuple[str, ...], said: str) -> None:
    result = bellwire("connector", "new", *words, "--project", project)
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert not (project / "connectors").exists()
