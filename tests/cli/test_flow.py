"""`bellwire flow`: what the files say."""

import json
from pathlib import Path

from tests.cli.conftest import Run


def test_the_flows_are_listed(project: Path, bellwire: Run) -> None:
    (row,) = json.loads(bellwire("flow", "list", "--json", "--project", project).stdout)
    assert (row["flow"], row["trigger"]) == ("order_to_cash", "shop.order.paid")
    assert "Order to cash" in bellwire("flow", "list", "--project", project).stdout


def test_a_project_without_flows_says_where_they_go(project: Path, bellwire: Run) -> None:
    (project / "flows/order_to_cash.yaml").unlink()
    assert "flows/" in bellwire("flow", "list", "--project", project).stdout


def test_a_flow_is_shown_step_by_step(project: Path, bellwire: Run) -> None:
    shown = json.loads(bellwire("flow", "show", "order-to-cash", "--json", "--project", project).stdout)
    needs = {step["action"]: step["needs"] for step in shown["actions"]}
    assert needs["invoice"] == []
    assert needs["receipt"] == ["asked", "invoice"]
    assert "on a condition" in bellwire("flow", "show", "order_to_cash", "--project", project).stdout


def test_an_unknown_flow_gets_a_suggestion(project: Path, bellwire: Run) -> None:
    result = bellwire("flow", "show", "order_to_cush", "--project", project)
    assert result.exit_code == 2
    assert "Did you mean 'order_to_cash'?" in result.stderr


def test_a_flow_that_fits_passes_the_check(project: Path, bellwire: Run) -> None:
    result = bellwire("flow", "check", "--project", project)
    assert result.exit_code == 0, result.output
    assert "1 checked" in result.stdout


def test_a_wrong_reference_is_found_with_its_line(project: Path, bellwire: Run) -> None:
    path = project / "flows/order_to_cash.yaml"
    path.write_text(path.read_text().replace("event.total |", "event.totl |"))
    line = path.read_text()[: path.read_text().index("event.totl")].count("\n") + 1
    result = bellwire("flow", "check", "order_to_cash", "--project", project)
    assert result.exit_code == 1
    assert f"flows/order_to_cash.yaml:{line}: " in result.stdout
    (finding, *_) = json.loads(bellwire("flow", "check", "--json", "--project", project).stdout)
    assert (finding["line"], finding["level"]) == (line, "error")


def test_a_file_that_is_no_flow_is_said_with_its_line(project: Path, bellwire: Run) -> None:
    (project / "flows/bad.yaml").write_text("name: Bad\n\ttrigger: x\n")
    result = bellwire("flow", "list", "--project", project)
    assert result.exit_code == 2
    assert "flows/bad.yaml:2: " in result.stderr


def test_a_flow_is_live_until_it_is_switched_off(project: Path, bellwire: Run) -> None:
    assert bellwire("flow", "mode", "order_to_cash", "--project", project).stdout == "Order to cash is live.\n"
    switched = bellwire("flow", "mode", "order_to_cash", "off", "--reason", "stock-taking", "--project", project)
    assert switched.stdout == "Order to cash is off.\n"
    assert bellwire("flow", "mode", "order_to_cash", "--project", project).stdout == "Order to cash is off.\n"
    (row,) = json.loads(bellwire("flow", "list", "--json", "--project", project).stdout)
    assert row["mode"] == "off"


def test_a_mode_that_is_none_is_wrong_use(project: Path, bellwire: Run) -> None:
    result = bellwire("flow", "mode", "order_to_cash", "sideways", "--project", project)
    assert result.exit_code == 2
    assert "write live, manual, shadow, off" in result.output
