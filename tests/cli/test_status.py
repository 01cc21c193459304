"""`bellwire status`: what runs, and what waits."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bellwire.clock import system_clock
from bellwire.ledger import HealthRow, Rows, Trouble, health, open_ledger, processes
from tests.cli.conftest import Run
from tests.ledgers import Ledgers


@pytest.fixture
def moved(at: Run, ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch) -> str:
    """The project's ledger is on PostgreSQL now, at this address."""
    url = ledgers.database()
    assert at("migrate", "--to", url).exit_code == 0
    monkeypatch.setenv("BELLWIRE_LEDGER_URL", url)
    return url


def write(url: str, operation: Callable[[Rows], Any]) -> None:
    async def do() -> None:
        async with open_ledger(url) as ledger:
            await ledger.write(operation)

    asyncio.run(do())


def test_on_a_file_it_says_that_one_process_has_it_and_what_waits(at: Run) -> None:
    result = at("status")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "The ledger is a file, which one process has to itself.",
        "To be read: 0 webhooks.",
        "Runs that aren't at their end: none.",
        "Open exceptions: 2.",
    ]


def test_a_connection_that_is_out_of_order_is_told(at: Run, shop: Path) -> None:
    row = HealthRow("books", Trouble.DOWN, "QuickBooks can't be reached.", 1, system_clock(), None)
    write(f"sqlite:///{shop}/data/ledger.db", lambda rows: health.set_out(rows, row))
    told = at("status").stdout.splitlines()[-1]
    assert told.startswith("Out of order since 20") and told.endswith(": books. QuickBooks can't be reached.")
    (said,) = json.loads(at("status", "--json").stdout)["out_of_order"]
    assert (said["connection"], said["state"]) == ("books", "down")


@pytest.mark.usefixtures("moved")
def test_where_nobody_is_at_work_it_says_so(at: Run) -> None:
    assert at("status").stdout.startswith("No process is at work on this ledger.\n")


def test_each_process_is_shown_with_what_it_does_and_none_that_has_gone(at: Run, moved: str) -> None:
    def enter(rows: Rows) -> None:
        now = system_clock()
        processes.enter(rows, "shed 11", "up --no-engine", "1.2", now)
        worker = processes.enter(rows, "attic 12", "worker", "1.2", now)
        processes.stay(rows, worker, 7, now)
        processes.enter(rows, "cellar 13", "worker", "1.2", now - timedelta(minutes=1))

    write(moved, enter)
    lines = [line.split() for line in at("status").stdout.splitlines()]
    (intake,) = [line for line in lines if line[:2] == ["shed", "11"]]
    (worker,) = [line for line in lines if line[:2] == ["attic", "12"]]
    assert (intake[2:5], intake[-1]) == (["up", "--no-engine", "0"], "1.2")
    assert worker[2:4] == ["worker", "7"]
    assert not [line for line in lines if line[:1] == ["cellar"]]
    shown = json.loads(at("status", "--json").stdout)["processes"]
    assert [(each["process"], each["carrying"]) for each in shown] == [("shed 11", 0), ("attic 12", 7)]
