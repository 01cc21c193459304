"""`bellwire people`: who may use the desk, by the hand of whoever runs Bellwire."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bellwire.access import fits
from bellwire.ledger import Database, PersonRow, Rows, asks, audit, open_ledger, people
from tests.cli.conftest import Run
from tests.samples import NOW

PASSWORD = "four words that fit"


def ask(project: Path, question: Callable[[Rows], Any]) -> Any:
    async def do() -> Any:
        async with open_ledger(f"sqlite:///{project}/data/ledger.db") as ledger:
            return await _write(ledger, question)

    return asyncio.run(do())


async def _write(ledger: Database, question: Callable[[Rows], Any]) -> Any:
    return await ledger.write(question)


def person(project: Path, email: str) -> PersonRow:
    found = ask(project, lambda rows: people.by_email(rows, email))
    assert isinstance(found, PersonRow)
    return found


@pytest.fixture
def at(project: Path, bellwire: Run) -> Run:
    """`bellwire people` in a project; a password comes by the pipe."""

    def run(*words: object, password: str | None = None) -> Any:
        piped = ["--password-stdin"] if password is not None else []
        stdin = None if password is None else f"{password}\n"
        return bellwire("people", *words, *piped, "--project", project, stdin=stdin)

    return run


def test_people_are_added_changed_closed_and_opened(project: Path, at: Run) -> None:
    assert "Nobody has an account yet" in at("list").stdout
    made = at("add", "Dana@example.com", "owner", "--name", "Dana", password=PASSWORD)
    assert (made.exit_code, made.stdout) == (0, "Dana may do everything, also change flows, connections and people.\n")
    assert fits(person(project, "dana@example.com").password, PASSWORD)
    assert at("add", "ada@example.com", "viewer", password=PASSWORD).exit_code == 0
    assert at("role", "ada@example.com", "operator").exit_code == 0
    assert at("close", "ADA@example.com").exit_code == 0
    rows = json.loads(at("list", "--json").stdout)
    assert [(row["name"], row["role"], row["state"]) for row in rows] == [
        ("Dana", "owner", "open"),
        ("ada", "operator", "closed"),
    ]
    assert "password" not in rows[0]
    assert at("open", "ada@example.com").exit_code == 0
    assert person(project, "ada@example.com").disabled_at is None
    for words in (("close", "dana@example.com"), ("role", "dana@example.com", "viewer")):
        refused = at(*words)
        assert refused.exit_code == 1 and "Make somebody else an owner first." in refused.output


def test_a_new_password_can_switch_one_time_codes_off(project: Path, at: Run) -> None:
    at("add", "dana@example.com", "owner", password=PASSWORD)
    ask(project, lambda rows: people.want_codes(rows, 1, NOW, 1))
    assert at("password", "dana@example.com", password="other words that fit").exit_code == 0
    assert person(project, "dana@example.com").codes_since == NOW
    assert at("password", "dana@example.com", "--codes-off", password="other words that fit").exit_code == 0
    found = person(project, "dana@example.com")
    assert found.codes_since is None and fits(found.password, "other words that fit")
    acts = ask(project, lambda rows: audit.newest(rows, limit=2))
    assert {act.what for act in acts} == {"set the password of", "switch off one-time codes"}


@pytest.mark.parametrize(
    ("words", "password", "code", "told"),
    [
        (("add", "dana@example.com", "owner"), "short", 1, "at least 12"),
        (("add", "dana@example.com", "owner"), None, 1, "--password-stdin"),
        (("add", "dana@example.com", "king"), PASSWORD, 2, "no role"),
        (("add", "dana", "owner"), PASSWORD, 1, "isn't an e-mail address"),
        (("password", "nobody@example.com"), PASSWORD, 2, "Nobody has the address"),
        (("close", "nobody@example.com"), None, 2, "bellwire people list"),
    ],
)
def test_what_cant_be_done_says_why(
    project: Path, at: Run, words: tuple[str, ...], password: str | None, code: int, told: str
) -> None:
    result = at(*words, password=password)
    assert result.exit_code == code
    assert told in result.output
    assert ask(project, people.everybody) == []


def test_the_code_for_the_first_account_is_shown_until_there_is_one(project: Path, at: Run) -> None:
    early = at("code")
    assert early.exit_code == 1 and "bellwire up" in early.output
    ask(project, lambda rows: asks.keep_link_key(rows, "a key"))
    shown = at("code")
    assert shown.exit_code == 0 and len(shown.stdout.strip()) == 14
    at("add", "dana@example.com", "owner", password=PASSWORD)
    late = at("code")
    assert late.exit_code == 1 and "an account already" in late.output
