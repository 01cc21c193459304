"""`bellwire runbook`: a page for the day on which it matters."""

from pathlib import Path

from tests.cli.conftest import Run


def test_the_runbook_of_a_flow_says_what_where_and_who(filled_in: Path, bellwire: Run) -> None:
    result = bellwire("runbook", "order-to-cash", "--project", filled_in)
    assert result.exit_code == 0, result.output
    for words in (
        "# Runbook: Order to cash",
        "It starts when: An order is paid in full",
        "## When something goes wrong",
        "`bellwire flow mode order_to_cash manual`",
    ):
        assert words in result.stdout, words


def test_a_flow_that_isnt_there_is_told(filled_in: Path, bellwire: Run) -> None:
    result = bellwire("runbook", "order_to_csh", "--project", filled_in)
    assert result.exit_code == 2
    assert "order_to_cash" in result.output
