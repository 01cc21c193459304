"""`bellwire migrate`, in a project with a day behind it."""

import fcntl
import json
import re
import sqlite3
from pathlib import Path

import psycopg
import pytest

from bellwire.ledger.database import HEAD
from bellwire.ledger.schema import metadata
from tests.cli.conftest import Run
from tests.ledgers import Ledgers

SECRET = "s3cret-of-the-database"


@pytest.fixture
def url(ledgers: Ledgers) -> str:
    """The address of an empty database, with a password that its server doesn't ask for."""
    return ledgers.database().replace("bellwire@", f"bellwire:{SECRET}@")


def test_the_newest_schema_is_said(at: Run) -> None:
    assert at("migrate").stdout == f"The ledger has the newest schema, {HEAD}.\n"
    assert json.loads(at("migrate", "--json").stdout) == {"schema": HEAD}


def test_a_ledger_moves_and_it_says_what_to_set(at: Run, shop: Path, url: str) -> None:
    result = at("migrate", "--to", url)
    assert result.exit_code == 0, result.output
    assert re.match(rf"Moved \d+ rows of {len(metadata.tables)} tables in \d+ s, and compared each\.\n", result.stdout)
    shown = url.replace(SECRET, "PASSWORD")
    assert f"\nSet BELLWIRE_LEDGER_URL={shown} where `bellwire up` has its environment from, then" in result.stdout
    assert "in place of PASSWORD" in result.stdout
    assert SECRET not in result.output


@pytest.mark.parametrize(
    "words",
    [("event", "list"), ("run", "list"), ("exception", "list", "--each"), ("audit",), ("alert", "list")],
    ids=" ".join,
)
def test_the_commands_show_there_what_they_showed_here(
    at: Run, url: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    before = at(*words, "--json")
    assert before.exit_code == 0 and (json.loads(before.stdout) or words == ("alert", "list"))
    assert at("migrate", "--to", url).exit_code == 0
    monkeypatch.setenv("BELLWIRE_LEDGER_URL", url)
    assert at(*words, "--json").stdout == before.stdout


def test_json_says_what_was_moved(at: Run, shop: Path, url: str) -> None:
    result = at("migrate", "--to", url, "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    with sqlite3.connect(shop / "data" / "ledger.db") as ledger:
        counts = {
            name: ledger.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in metadata.tables
        }
    ledger.close()
    assert said["tables"] == counts
    assert said["rows"] == said["copied"] == sum(counts.values())
    assert said["set"] == {"BELLWIRE_LEDGER_URL": url.replace(SECRET, "PASSWORD")}


def test_what_came_before_is_told_apart(at: Run, url: str) -> None:
    assert at("migrate", "--to", url).exit_code == 0
    with psycopg.connect(url) as ledger:
        ledger.execute("DELETE FROM attempts")
        ledger.execute("UPDATE ledger_move SET complete = false")
    result = at("migrate", "--to", url)
    assert result.exit_code == 0, result.output
    assert re.search(r", [1-9]\d* of them before, and compared each\.", result.stdout)


def test_a_running_bellwire_is_in_the_way(at: Run, shop: Path, url: str) -> None:
    with (shop / "data" / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = at("migrate", "--to", url)
    assert result.exit_code == 2
    assert "Bellwire is running already" in result.output and "Stop it first" in result.output
    assert at("migrate", "--to", url).exit_code == 0


def test_a_project_that_is_on_postgresql_already_has_nothing_to_move(
    at: Run, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELLWIRE_LEDGER_URL", url)
    result = at("migrate", "--to", url)
    assert result.exit_code == 2 and "on PostgreSQL already" in result.output
    assert SECRET not in result.output


def test_a_half_moved_ledger_is_opened_by_no_command(at: Run, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at("migrate", "--to", url).exit_code == 0
    with psycopg.connect(url) as ledger:
        ledger.execute("UPDATE ledger_move SET complete = false")
    with monkeypatch.context() as set_:
        set_.setenv("BELLWIRE_LEDGER_URL", url)
        for words in (("up",), ("run", "list"), ("migrate",)):
            result = at(*words)
            assert result.exit_code == 2
            assert "only half moved" in result.output and "run the same `bellwire migrate` again" in result.output
            assert SECRET not in result.output
    assert at("migrate", "--to", url).exit_code == 0
