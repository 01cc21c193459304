"""`bellwire token`: shown once, listed without it, revoked."""

import json
from pathlib import Path

import pytest

from bellwire.access import token_rights
from bellwire.clock import system_clock
from tests.cli.conftest import Run
from tests.cli.test_people import ask


@pytest.fixture
def at(project: Path, bellwire: Run) -> Run:
    return lambda *words: bellwire("token", *words, "--project", project)


def test_a_token_is_made_listed_and_revoked(project: Path, at: Run) -> None:
    assert "There is none" in at("list").stdout
    token = at("new", "the till", "--may", "see", "--may", "work").stdout.strip()
    _, rights = ask(project, lambda rows: token_rights(rows, token, system_clock()))
    assert rights == {"see", "work"}
    plain = at("new", "lasting", "--days", "0", "--json")
    assert json.loads(plain.stdout)["expires_at"] is None
    listed = at("list", "--json")
    rows = json.loads(listed.stdout)
    assert [(row["name"], row["may"], row["state"], row["used"]) for row in rows] == [
        ("lasting", "see", "good", "never"),
        ("the till", "see, work", "good", "never"),
    ]
    assert token not in listed.output
    assert at("revoke", 1).stdout == "Token 1 is no longer good.\n"
    assert ask(project, lambda rows: token_rights(rows, token, system_clock())) is None
    assert json.loads(at("list", "--json").stdout)[1]["state"] == "revoked"


def test_what_cant_be_done_says_why(at: Run) -> None:
    odd = at("new", "x", "--may", "fly")
    assert odd.exit_code == 2 and "no right" in odd.output
    assert at("new", "").exit_code == 1
    assert at("revoke", 9).exit_code == 2
