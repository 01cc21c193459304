"""`bellwire purge`, in a project with a day behind it that has grown old."""

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def grown_old(shop: Path) -> Path:
    """All of it happened 40 days earlier."""
    back = timedelta(days=40) // timedelta(microseconds=1)
    with sqlite3.connect(shop / "data" / "ledger.db") as ledger:
        ledger.execute("UPDATE deliveries SET received_at = received_at - ?", (back,))
        ledger.execute("UPDATE events SET recorded_at = recorded_at - ?", (back,))
    ledger.close()
    return shop


def keep(project: Path, words: str) -> None:
    path = project / "bellwire.toml"
    path.write_text(f"{path.read_text()}\n[keep]\n{words}\n")


def test_a_dry_run_says_what_would_go_and_takes_nothing(at: Run, grown_old: Path) -> None:
    for _ in range(2):
        result = at("purge", "--dry-run")
        assert result.exit_code == 0, result.output
        assert "Would purge 5 webhooks older than 30 days" in result.stdout
        assert "the data of 0 events older than 90 days" in result.stdout


def test_what_is_old_goes_and_the_listings_go_on(at: Run, grown_old: Path) -> None:
    keep(grown_old, "details = 35")
    result = at("purge")
    assert result.exit_code == 0, result.output
    # Two orders are stuck: their data is still needed.
    assert "Purged 5 webhooks" in result.stdout and "the data of 2 events" in result.stdout
    assert "Would purge" not in result.stdout and "less of the disk" in result.stdout
    assert "Purged 0 webhooks" in at("purge").stdout
    listed = json.loads(at("event", "list", "--json").stdout)
    assert len(listed) == 4


def test_a_purged_event_says_so_and_why_it_cant_be_replayed(at: Run, grown_old: Path) -> None:
    keep(grown_old, "details = 35")
    before = at("event", "show", "1").stdout.splitlines()
    at("purge")
    shown = at("event", "show", "1")
    assert shown.exit_code == 0
    assert "Its data was purged" in shown.stdout
    assert shown.stdout.splitlines()[:3] == before[:3], "that it came, how often, and what became of it"
    described = json.loads(at("event", "show", "1", "--json").stdout)
    assert (described["purged"], described["data"]) == (True, {})
    replayed = at("event", "replay", "1")
    assert replayed.exit_code == 1
    assert "can't be replayed" in replayed.output and "purged" in replayed.output
    assert at("run", "show", "1").exit_code == 0


def test_an_event_whose_webhook_is_purged_can_still_be_replayed(at: Run, grown_old: Path) -> None:
    at("purge")
    shown = at("event", "show", "1").stdout
    assert "The webhook as it arrived was purged" in shown and "Its data was purged" not in shown
    assert at("event", "replay", "1").exit_code == 0


@pytest.mark.parametrize("words", ["payloads = 0", "details = -1", 'payloads = "a month"', "payload = 30"])
def test_a_time_that_makes_no_sense_is_refused(at: Run, grown_old: Path, words: str) -> None:
    keep(grown_old, words)
    result = at("purge")
    assert result.exit_code == 2 and "bellwire.toml" in result.output
