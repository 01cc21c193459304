"""`bellwire event`, in a project with a day behind it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run


def listed(at: Run, *words: object) -> list[dict[str, Any]]:
    result = at(*words, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_the_list_says_what_came_and_what_became_of_it(at: Run) -> None:
    result = at("event", "list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [column in lines[0] for column in ("Event", "Came in", "What became of it")] == [True] * 3
    assert any("order.paid" in line and "run 1 done" in line for line in lines)
    assert any("order.paid" in line and "dead" in line for line in lines)
    assert any("order.updated" in line and "No flow listens to it." in line for line in lines)


def test_the_list_as_json_holds_everything_but_the_data(at: Run) -> None:
    events = listed(at, "event", "list")
    assert [event["type"] for event in events] == ["order.paid", "order.paid", "order.updated", "order.paid"]
    assert {"id", "connection", "environment", "subject", "business_key", "recorded_at", "copies"} <= set(events[0])
    assert not any("data" in event for event in events)
    assert events[-1]["copies"] >= 2, "several deliveries told of it"
    assert events[0]["recorded_at"].endswith("Z")


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--type", "order.updated"), 1),
        (("--connection", "shop"), 4),
        (("--connection", "books"), 0),
        (("--limit", "2"), 2),
        (("--type", "order.paid", "--limit", "1"), 1),
    ],
)
def test_the_list_can_be_narrowed(at: Run, words: tuple[str, ...], count: int) -> None:
    assert len(listed(at, "event", "list", *words)) == count


def test_the_list_of_one_subject(at: Run) -> None:
    subject = listed(at, "event", "list")[-1]["subject"]
    assert {event["type"] for event in listed(at, "event", "list", "--subject", subject)} == {
        "order.paid",
        "order.updated",
    }


def test_an_empty_list_says_so(at: Run) -> None:
    assert at("event", "list", "--connection", "books").stdout == "No event fits.\n"
    assert listed(at, "event", "list", "--connection", "books") == []


def test_one_event_in_words(at: Run) -> None:
    shown = at("event", "show", 1)
    assert shown.exit_code == 0
    assert "Event 1: order.paid of order/" in shown.stdout and "from 'shop' (sandbox)" in shown.stdout
    assert ", 4 times in all." in shown.stdout, "twice in one delivery, once in another, and once with a later state"
    assert "Run 1 of flow 'order_to_cash': done." in shown.stdout
    assert "No flow listens to it." in at("event", "show", 2).stdout


def test_one_event_as_cloudevents_has_it(at: Run) -> None:
    shown = json.loads(at("event", "show", 1, "--json").stdout)
    assert (shown["specversion"], shown["type"], shown["runs"]) == ("1.0", "order.paid", [1])
    assert shown["data"]["number"] == "1001"


@pytest.mark.parametrize("words", [("show", 99), ("replay", 99)])
def test_an_unknown_number_is_said(at: Run, words: tuple[object, ...]) -> None:
    result = at("event", *words)
    assert result.exit_code == 2
    assert result.stderr == "There is no event 99.\n`bellwire event list` shows them.\n"


def test_a_replay_is_a_run_of_its_own(at: Run) -> None:
    result = at("event", "replay", 1)
    assert result.exit_code == 0
    assert result.stdout == "Run 4 does it again; `bellwire run show 4` tells how it goes.\n"
    (run, *_) = listed(at, "run", "list")
    assert (run["id"], run["event"], run["state"]) == (4, 1, "waiting") and run["nonce"]
    assert at("event", "replay", 1).exit_code == 0
    assert len({run["nonce"] for run in listed(at, "run", "list")}) == 3


@pytest.mark.parametrize("name", ["order_to_cash", "Order to cash"])
def test_a_replay_of_one_flow(at: Run, name: str) -> None:
    assert at("event", "replay", 2, "--flow", name).exit_code == 0
    assert listed(at, "run", "list")[0]["event"] == 2


def test_a_replay_of_an_unknown_flow_is_said(at: Run) -> None:
    result = at("event", "replay", 1, "--flow", "nosuch")
    assert result.exit_code == 2
    assert "There is no flow 'nosuch'." in result.stderr and "order_to_cash" in result.stderr


def test_a_replay_that_nothing_listens_to_is_said(at: Run) -> None:
    result = at("event", "replay", 2)
    assert result.exit_code == 2
    assert "No flow listens to shop.order.updated." in result.stderr and "--flow" in result.stderr


def test_a_number_that_isnt_one_is_wrong_use(at: Run) -> None:
    assert at("event", "show", "one").exit_code == 2
    assert at("event", "list", "--limit", "0").exit_code == 2


def test_a_damaged_ledger_comes_back_from_the_backup(at: Run, shop: Path) -> None:
    for left in shop.glob("data/ledger.db-*"):
        left.unlink()
    (shop / "data/ledger.db").write_text("no database at all\n" * 99)
    result = at("event", "list")
    assert result.exit_code == 2
    assert "can't be opened" in result.stderr and "Put it back from your backup." in result.stderr
