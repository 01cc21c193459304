"""`bellwire run`, in a project with a day behind it: run 1 is done, 2 and 3 are stuck at the invoice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

CAUSE = "unknown-sku:TEA-500-NEW"


def listed(at: Run, *words: object) -> list[dict[str, Any]]:
    result = at("run", "list", *words, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def states(at: Run) -> dict[int, str]:
    return {run["id"]: run["state"] for run in listed(at)}


def test_the_list_says_how_each_run_stands(at: Run) -> None:
    result = at("run", "list")
    assert result.exit_code == 0
    head, *lines = result.stdout.splitlines()
    assert "Run" in head and "State" in head and "Took" in head
    assert [word in "".join(lines) for word in ("order_to_cash", "done", "dead")] == [True] * 3


def test_the_list_as_json(at: Run) -> None:
    runs = listed(at)
    assert states(at) == {1: "done", 2: "dead", 3: "dead"}
    assert {"id", "event", "flow", "flow_hash", "state", "subject", "created_at", "finished_at"} <= set(runs[0])


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("--state", "dead"), [3, 2]),
        (("--state", "done"), [1]),
        (("--flow", "order_to_cash", "--limit", "1"), [3]),
        (("--flow", "another"), []),
    ],
)
def test_the_list_can_be_narrowed(at: Run, words: tuple[str, ...], numbers: list[int]) -> None:
    assert [run["id"] for run in listed(at, *words)] == numbers


def test_a_state_that_doesnt_exist_is_wrong_use(at: Run) -> None:
    result = at("run", "list", "--state", "failed")
    assert result.exit_code == 2
    assert "dead" in result.stderr and "skipped" in result.stderr


def test_one_run_in_words(at: Run) -> None:
    shown = at("run", "show", 2)
    assert shown.exit_code == 0
    assert "Run 2 of flow 'order_to_cash' for order/" in shown.stdout
    assert "The webhook arrived 20" in shown.stdout
    assert any("invoice" in line and "failed" in line for line in shown.stdout.splitlines())
    assert any("label" in line and "done" in line and "tracking number" in line for line in shown.stdout.splitlines())
    assert "Exception 1: " in shown.stdout and "TEA-500-NEW" in shown.stdout


def test_one_run_as_json(at: Run) -> None:
    shown = json.loads(at("run", "show", 2, "--json").stdout)
    assert {attempt["action"] for attempt in shown["attempts"]} >= {"invoice", "label", "stock", "bench", "notice"}
    (exception,) = shown["exceptions"]
    assert (exception["action"], exception["cause"], exception["state"]) == ("invoice", CAUSE, "open")


@pytest.mark.parametrize("words", [("show", 99), ("retry", 99), ("cancel", 99, "--reason", "x")])
def test_an_unknown_number_is_said(at: Run, words: tuple[object, ...]) -> None:
    result = at("run", *words)
    assert result.exit_code == 2
    assert result.stderr == "There is no run 99.\n`bellwire run list` shows them.\n"


def test_a_retry_opens_a_dead_run_again(at: Run) -> None:
    result = at("run", "retry", 2)
    assert result.exit_code == 0
    assert "with the flow as it was when they began" in result.stdout
    assert states(at) == {1: "done", 2: "waiting", 3: "dead"}
    (exception,) = json.loads(at("run", "show", 2, "--json").stdout)["exceptions"]
    assert exception["state"] == "retried"


@pytest.mark.parametrize("words", [("--cause", CAUSE), ("--flow", "order_to_cash"), (2, 3), (2, 3, "--cause", CAUSE)])
def test_a_retry_of_many(at: Run, words: tuple[object, ...]) -> None:
    result = at("run", "retry", *words)
    assert result.stdout.startswith("2 runs go on"), result.output
    assert states(at) == {1: "done", 2: "waiting", 3: "waiting"}


def test_a_retry_with_the_flow_as_it_is_now(at: Run, shop: Path) -> None:
    before = {run["id"]: run["flow_hash"] for run in listed(at)}
    flow = shop / "flows" / "order_to_cash.yaml"
    flow.write_text(flow.read_text().replace("manual_minutes: 11", "manual_minutes: 12"))
    assert "with the flow as it is now" in at("run", "retry", 2, "--as-now").stdout
    after = {run["id"]: run["flow_hash"] for run in listed(at)}
    assert [number for number in before if before[number] != after[number]] == [2]


def test_a_retry_of_nothing_is_said(at: Run) -> None:
    assert at("run", "retry", "--cause", "another").stdout == "No dead run fits.\n"
    assert at("run", "retry").exit_code == 2


def test_a_run_that_is_done_cant_be_retried_and_then_none_is(at: Run) -> None:
    result = at("run", "retry", 2, 1)
    assert result.exit_code == 1
    assert "Run 1 is done: there is nothing to retry." in result.stderr
    assert states(at)[2] == "dead", "all or nothing"


def test_a_cancelled_run_is_skipped_for_good(at: Run) -> None:
    result = at("run", "cancel", 2, "--reason", "sent by hand")
    assert (result.exit_code, result.stdout) == (0, "Run 2 is cancelled.\n")
    shown = json.loads(at("run", "show", 2, "--json").stdout)
    assert (shown["state"], shown["reason"]) == ("skipped", "sent by hand")
    assert [exception["state"] for exception in shown["exceptions"]] == ["dismissed"]
    again = at("run", "cancel", 2, "--reason", "x")
    assert again.exit_code == 1 and "Run 2 is skipped" in again.stderr


def test_a_run_that_waits_can_be_cancelled(at: Run) -> None:
    at("event", "replay", 1)
    assert at("run", "cancel", 4, "--reason", "a mistake").exit_code == 0
    assert states(at)[4] == "skipped"


def test_a_cancel_asks_why(at: Run) -> None:
    assert at("run", "cancel", 2, stdin="no stock\n").exit_code == 0
    assert json.loads(at("run", "show", 2, "--json").stdout)["reason"] == "no stock"
