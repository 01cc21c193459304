"""`bellwire exception`, in a project with a day behind it: two orders with a SKU that the books don't know."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bellwire.ledger import exceptions, open_ledger
from tests.cli.conftest import Run
from tests.samples import NOW

CAUSE = "unknown-sku:TEA-500-NEW"


def shown(at: Run, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(at("exception", "show", number, "--json").stdout)
    return found


def states(at: Run) -> list[str]:
    return [shown(at, number)["state"] for number in (1, 2)]


def run(at: Run, number: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(at("run", "show", number, "--json").stdout)
    return found


def test_the_list_says_what_happened_and_where_to_read_on(at: Run) -> None:
    result = at("exception", "list")
    assert result.exit_code == 0
    assert any(re.fullmatch(r" 2 .* books .*TEA-500-NEW.* 1 to 2", line) for line in result.stdout.splitlines())
    assert "`bellwire exception show NO.` says what to do." in result.stdout


def test_the_list_as_json(at: Run) -> None:
    found = json.loads(at("exception", "list", "--each", "--json").stdout)
    assert [(each["id"], each["run"], each["action"], each["cause"]) for each in found] == [
        (1, 2, "invoice", CAUSE),
        (2, 3, "invoice", CAUSE),
    ]
    assert all(each["sentence"] and each["remedy"] and each["opened_at"] for each in found)


def test_the_list_goes_by_cause_and_says_what_mends_all_of_a_group(at: Run) -> None:
    (group,) = json.loads(at("exception", "list", "--json").stdout)
    assert (group["connection"], group["cause"], group["count"]) == ("books", CAUSE, 2)
    assert (group["oldest"], group["newest"]) == (1, 2)
    assert "TEA-500-NEW" in group["sentence"] and group["remedy"] and group["since"]


def test_the_list_of_one_cause(at: Run) -> None:
    assert len(json.loads(at("exception", "list", "--each", "--cause", CAUSE, "--json").stdout)) == 2
    assert at("exception", "list", "--cause", "another").stdout == "None has this cause.\n"


def test_one_of_them_says_what_to_do_and_what_is_done(at: Run) -> None:
    result = at("exception", "show", 1)
    assert result.exit_code == 0
    told = result.stdout
    assert "TEA-500-NEW" in told.splitlines()[0] and "What to do: " in told
    assert "It stopped run 2 at the action 'invoice'." in told
    done = told[told.index("Done already:") : told.index("What happens next")]
    assert re.search(r"^  label  .+ \(shipping\): tracking number \S+, id \S+", done, re.MULTILINE)
    assert re.search(r"^  stock  Change the stock", done, re.MULTILINE) and "  invoice" not in done
    assert "'invoice' is tried again, then receipt." in told
    assert "bellwire exception resolve 1 --id ID --with customer_id=…" in told
    assert "--reason WHY\n      The run ends as skipped: invoice and receipt not done, what is done stays done." in told


@pytest.mark.parametrize("words", [("show", 99), ("retry", 99), ("resolve", 99), ("dismiss", 99, "--reason", "x")])
def test_an_unknown_number_is_said(at: Run, words: tuple[object, ...]) -> None:
    result = at("exception", *words)
    assert result.exit_code == 2
    assert result.stderr == "There is no exception 99.\n`bellwire exception list` shows them.\n"


@pytest.mark.parametrize("words", [(1, 2), (1, 1, 2), ("--cause", CAUSE), (1, "--cause", CAUSE)])
def test_a_retry_opens_its_runs_again(at: Run, words: tuple[object, ...]) -> None:
    result = at("exception", "retry", *words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("2 tried again")
    assert states(at) == ["retried", "retried"]
    assert [run(at, number)["state"] for number in (2, 3)] == ["waiting", "waiting"]


@pytest.mark.parametrize("words", [(1, 3), (3, 1), ("--cause", CAUSE), (3, "--cause", CAUSE)])
def test_two_of_one_run_are_retried_together(at: Run, shop: Path, words: tuple[object, ...]) -> None:
    asyncio.run(_one_more(shop))
    assert at("exception", "retry", *words).exit_code == 0
    assert (shown(at, 1)["state"], shown(at, 3)["state"]) == ("retried", "retried")
    assert run(at, 2)["state"] == "waiting"


async def _one_more(shop: Path) -> None:
    """Another action of run 2 is stuck as well."""
    told = {"cause": CAUSE, "sentence": "x", "remedy": "", "detail": "", "now": NOW, "run": 2, "action": "stock"}
    async with open_ledger(f"sqlite:///{shop}/data/ledger.db") as ledger:
        await ledger.write(lambda rows: exceptions.open_one(rows, connection="stock", **told))  # type: ignore[arg-type]


def test_a_retry_of_nothing_is_said(at: Run) -> None:
    assert at("exception", "retry", "--cause", "another").stdout == "None has this cause.\n"
    assert at("exception", "retry").exit_code == 2


def test_a_resolved_one_lets_its_run_go_on_with_what_was_told(at: Run) -> None:
    result = at("exception", "resolve", 1, "--id", "1045", "--with", "number=R-7", "--with", "customer_id=58")
    assert (result.exit_code, result.stdout) == (0, "Noted. The run goes on.\n")
    assert shown(at, 1)["state"] == "resolved" and shown(at, 1)["reason"] == "Done by hand."
    found = run(at, 2)
    assert found["state"] == "waiting"
    (by_hand,) = [attempt for attempt in found["attempts"] if attempt["outcome"] == "by hand"]
    assert by_hand["action"] == "invoice"
    assert json.loads(by_hand["result"]) == {"number": "R-7", "customer_id": "58", "id": "1045"}


def test_a_field_without_value_is_wrong_use(at: Run) -> None:
    result = at("exception", "resolve", 1, "--with", "number")
    assert result.exit_code == 2 and "FIELD=VALUE" in result.stderr
    assert states(at) == ["open", "open"]


def test_a_dismissed_one_skips_its_run_with_the_reason(at: Run) -> None:
    result = at("exception", "dismiss", 1, "--reason", "the customer cancelled")
    assert (result.exit_code, result.stdout) == (0, "Dismissed.\n")
    assert shown(at, 1)["reason"] == "the customer cancelled"
    assert (run(at, 2)["state"], run(at, 2)["reason"]) == ("skipped", "the customer cancelled")


@pytest.mark.parametrize("words", [("retry", 1), ("resolve", 1), ("dismiss", 1, "--reason", "x")])
def test_a_closed_one_stays_closed(at: Run, words: tuple[object, ...]) -> None:
    at("exception", "dismiss", 1, "--reason", "first")
    result = at("exception", *words)
    assert result.exit_code == 1
    assert "Exception 1 is closed already (dismissed)." in result.stderr
    assert shown(at, 1)["reason"] == "first"
