"""`bellwire alert`: what people were told, whether it arrived, and a test."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

from bellwire.ledger import Database, Rows, alerts, open_ledger
from tests.cli.conftest import Run
from tests.watch.conftest import SECRET, Receiver, environ, receivers

__all__ = ["receivers"]

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def tell(project: Path) -> None:
    """One alert that reached the first of two channels."""

    def write(rows: Rows) -> None:
        alerts.open_one(rows, "t", "Tidy Books no longer lets us in", "Sign in.", opened_at=NOW, next_at=NOW)
        (alert,) = alerts.open_ones(rows)
        alerts.tell(rows, alert, ["json", "json 2"], NOW, NOW)
        first, second = alerts.messages(rows, alert.id)
        alerts.settle(rows, [first.id], NOW, "")
        alerts.settle(rows, [second.id], NOW, "It answered with status 500.")

    async def do() -> None:
        async with open_ledger(f"sqlite:///{project}/data/ledger.db") as ledger:
            await ledger.write(write)

    asyncio.run(do())


def tried(project: Path) -> list[tuple[str, str]]:
    """Channel and error of the test messages on record."""

    async def do() -> list[tuple[str, str]]:
        async with open_ledger(f"sqlite:///{project}/data/ledger.db") as ledger:
            return await _recorded(ledger)

    return asyncio.run(do())


async def _recorded(ledger: Database) -> list[tuple[str, str]]:
    found = await ledger.read(lambda rows: rows.all("SELECT channel, error FROM messages WHERE kind = 'test'"))
    return [(channel, error) for channel, error in found]


def test_the_list_shows_what_was_told_where_it_arrived_and_where_not(project: Path, bellwire: Run) -> None:
    tell(project)
    shown = bellwire("alert", "list", "--project", project, **environ("json://127.0.0.1:9"))
    assert shown.exit_code == 0
    for words in ("Tidy Books no longer lets us in", "1 time, last 2026", "json 2: It answered with status 500."):
        assert words in shown.stdout
    (row,) = json.loads(bellwire("alert", "list", "--json", "--project", project).stdout)
    assert (row["state"], row["reached"]) == ("open", "json")
    assert [(each["channel"], each["kind"], each["error"]) for each in row["messages"]] == [
        ("json", "opened", ""),
        ("json 2", "opened", "It answered with status 500."),
    ]


def test_nothing_open_and_nobody_to_tell_are_both_said(project: Path, bellwire: Run) -> None:
    result = bellwire("alert", "list", "--project", project)
    assert result.exit_code == 0
    assert (
        "Nothing is open.\nAlerts reach nobody: no channel is set. `bellwire secrets set alerts urls` sets them; "
        in (result.stdout)
    )


def test_a_test_tells_for_each_channel_whether_it_went_through(
    project: Path, bellwire: Run, receivers: list[Receiver]
) -> None:
    good, bad = receivers
    bad.status = 500
    words = ("alert", "test", "--project", project)
    result = bellwire(*words, **environ(good.url, bad.url))
    assert result.exit_code == 1
    assert result.stdout == "json: It went through.\njson 2: It answered with status 500.\n"
    assert good.titles == bad.titles == ["Bellwire: a test"]
    assert tried(project) == [("json", ""), ("json 2", "It answered with status 500.")]
    assert SECRET not in result.output
    bad.status = 200
    result = bellwire(*words, "--json", **environ(good.url, bad.url))
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"channel": "json", "went_through": True, "error": ""},
        {"channel": "json 2", "went_through": True, "error": ""},
    ]


def test_a_test_without_a_channel_fails_and_says_what_to_do(project: Path, bellwire: Run) -> None:
    result = bellwire("alert", "test", "--project", project)
    assert result.exit_code == 1
    assert "bellwire secrets set alerts urls" in result.stdout
