"""`bellwire exception`, in a project with a day behind it: two orders with a SKU that the books don't know."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine import many
from bellwire.ledger import Rows, exceptions, open_ledger
from tests.cli.conftest import Run
from tests.ledger.stuck import begin, stuck
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


async def _whole_run(shop: Path) -> None:
    async with open_ledger(f"sqlite:///{shop}/data/ledger.db") as ledger:
        await ledger.write(lambda rows: stuck(rows, 2, cause="flow-unreadable:order_to_cash", connection="", action=""))
        # Its flow's text is another by now: one that no release can read.
        await ledger.write(lambda rows: rows.run("UPDATE flow_versions SET source = 'name: [', hash = 'old'"))
        await ledger.write(lambda rows: rows.run("UPDATE runs SET flow_hash = 'old' WHERE id = 2"))


def test_one_that_stopped_its_whole_run_offers_what_can_be_done_about_a_run(at: Run, shop: Path) -> None:
    asyncio.run(_whole_run(shop))
    text = at("exception", "show", 3).stdout
    assert "It stopped run 2 as a whole." in text and "Done already:" in text
    assert "exception retry 3 --as-now" in text and "exception dismiss 3" in text
    assert "resolve" not in text and "--edit" not in text
    for words in (("resolve", 3, "--id", "5"), ("retry", 3, "--set", "reference=x")):
        result = at("exception", *words)
        assert result.exit_code == 1
        assert result.stderr.startswith("Exception 3 is about a run as a whole, not about an action.\n")
    assert shown(at, 3)["state"] == "open"
    assert at("exception", "retry", 3, "--as-now").exit_code == 0
    assert run(at, 2)["flow_hash"] != "old"


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
    assert "'invoice' is tried again, then receipt and gift_card." in told
    assert "bellwire exception resolve 1 --id ID --with customer_id=…" in told
    assert "--reason WHY\n      The run ends as skipped: invoice, receipt and gift_card not done, what is done" in told


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


# By filter


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("--all",), [1, 2]),
        (("--flow", "order-to-cash"), [1, 2]),
        (("--connection", "books"), [1, 2]),
        (("--connection", "shop"), []),
        (("--about", "1003"), [2]),
        (("--about", "1001"), []),
        (("--newer-than", "1d"), [1, 2]),
        (("--older-than", "1d"), []),
        (("--older-than", "2020-01-31"), []),
        (("--cause", CAUSE, "--about", "1002"), [1]),
    ],
)
def test_every_filter_chooses_the_same_for_what_is_shown_and_what_is_done(
    at: Run, words: tuple[str, ...], numbers: list[int]
) -> None:
    if words != ("--all",):
        listed = json.loads(at("exception", "list", "--each", *words, "--json").stdout)
        assert [each["id"] for each in listed] == numbers
    assert at("exception", "dismiss", *words, "--reason", "a test").exit_code == 0
    assert [number for number in (1, 2) if shown(at, number)["state"] == "dismissed"] == numbers


@pytest.mark.parametrize("verb", ["retry", "resolve", "dismiss"])
def test_nothing_is_done_to_all_unless_it_is_said(at: Run, verb: str) -> None:
    result = at("exception", verb, *(["--reason", "x"] if verb == "dismiss" else []))
    assert result.exit_code == 2 and "--all" in result.stderr
    assert states(at) == ["open", "open"]


def test_a_time_that_is_none_is_wrong_use(at: Run) -> None:
    result = at("exception", "list", "--older-than", "yesterday")
    assert result.exit_code == 2 and "write e.g. 2h, 3d" in " ".join(result.stderr.split())


def test_what_could_not_be_done_says_why_and_the_rest_is_done(at: Run) -> None:
    at("exception", "dismiss", 1, "--reason", "first")
    result = at("exception", "retry", 1, 2, 99)
    assert result.exit_code == 1
    assert result.stdout.startswith("1 tried again")
    assert result.stderr.splitlines() == [
        "2 exceptions couldn't be done:",
        "  1: Exception 1 is closed already (dismissed).",
        "  99: There is no exception 99. `bellwire exception list` shows them.",
    ]
    assert states(at) == ["dismissed", "retried"]


def test_many_are_done_in_transactions_of_at_most_two_hundred(
    at: Run, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a running `bellwire up` can write in between."""
    asyncio.run(_many(shop, 450))
    portions: list[int] = []
    inner = many.deal_with

    def counted(rows: Rows, ready: dict[int, object], **more: object) -> object:
        portions.append(len(ready))
        return inner(rows, ready, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(many, "deal_with", counted)
    result = at("exception", "dismiss", "--cause", "many", "--reason", "a test")
    assert result.stdout == "450 dismissed.\n"
    assert portions == [200, 200, 50]
    assert len(json.loads(at("audit", "log", "--limit", 1000, "--json").stdout)) == 450


async def _many(shop: Path, count: int) -> None:
    async with open_ledger(f"sqlite:///{shop}/data/ledger.db") as ledger:
        await ledger.write(lambda rows: [stuck(rows, begin(rows, f"m{n}"), cause="many") for n in range(count)])


# Edit and retry


def test_an_edited_input_is_kept_and_shown(at: Run) -> None:
    result = at("exception", "retry", 1, "--set", "order.lines[0].sku=TEA-100", "--set", "order.customer.name=Robin H.")
    assert (result.exit_code, result.stderr) == (0, "")
    (edit,) = run(at, 2)["edits"]
    assert (edit["action"], edit["fields"]) == ("invoice", ["order.customer.name", "order.lines[0].sku"])
    for words in (("run", "show", 2), ("exception", "show", 1)):
        assert re.search(r"The input of 'invoice' was edited by \w+, 20.*: order\.", at(*words).stdout)
    acts = json.loads(at("audit", "log", "--json").stdout)
    assert [(act["what"], act["target"]) for act in acts] == [("retry", "exception 1"), ("edit", "run 2")]


def test_an_edit_that_does_not_fit_changes_nothing_and_says_what_was_meant(at: Run) -> None:
    result = at("exception", "retry", 1, "--set", "customer.email=robin@example.com")
    assert result.exit_code == 1
    assert result.stderr == "There is no field 'customer'.\nDid you mean 'order.customer'?\n"
    assert states(at) == ["open", "open"] and run(at, 2)["edits"] == []


def test_a_group_can_be_edited_together(at: Run) -> None:
    result = at("exception", "retry", "--cause", CAUSE, "--set", "order.lines[0].sku=TEA-100")
    assert result.stdout.startswith("2 tried again")
    assert [run(at, number)["edits"][0]["fields"] for number in (2, 3)] == [["order.lines[0].sku"]] * 2


def test_of_two_of_one_run_only_the_one_that_has_the_field_is_edited(at: Run, shop: Path) -> None:
    asyncio.run(_one_more(shop))
    assert at("exception", "retry", 1, 3, "--set", "reference=by Dana").exit_code == 1
    (edit,) = run(at, 2)["edits"]
    assert edit["action"] == "stock", "the invoice has no such field"


@pytest.mark.parametrize("words", [(1, 2), ("--all",), (1, "--set", "a=b")])
def test_the_editor_is_for_one(at: Run, words: tuple[object, ...]) -> None:
    assert at("exception", "retry", *words, "--edit").exit_code == 2


def test_the_input_is_changed_in_the_editor(at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\ncp "$1" "$0.seen"\nsed -i s/TEA-500-NEW/TEA-100/ "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    result = at("exception", "retry", 1, "--edit")
    assert (result.exit_code, result.stderr) == (0, "")
    seen = (tmp_path / "editor.seen").read_text()
    assert seen.startswith("# Create the invoice in the books: its input.") and "sku: TEA-500-NEW" in seen
    assert run(at, 2)["edits"][0]["fields"] == ["order.lines[0].sku"]


def test_what_was_spoilt_in_the_editor_can_be_mended_there(
    at: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first time it spoils the name of a field, the second time it puts it right and changes a value."""
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\nif grep -q nmae: "$1"; then sed -i "s/nmae:/name:/; s/TEA-500-NEW/TEA-100/" "$1"\n'
        'else sed -i "s/name:/nmae:/" "$1"; fi\n'
    )
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    result = at("exception", "retry", 1, "--edit", stdin="y\n")
    assert result.exit_code == 0, result.stderr
    assert "There is no field 'order." in result.stderr and "Did you mean" in result.stderr
    assert run(at, 2)["edits"][0]["fields"] == ["order.lines[0].sku"]


@pytest.mark.parametrize("editor", ["/no/such/editor", "false"])
def test_an_editor_that_fails_changes_nothing(at: Run, editor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor)
    result = at("exception", "retry", 1, "--edit")
    assert result.exit_code == 1 and "editor" in result.stderr
    assert states(at) == ["open", "open"]


def test_a_retry_with_the_flow_as_it_is_now(at: Run, shop: Path) -> None:
    before = run(at, 2)["flow_hash"]
    flow = shop / "flows" / "order_to_cash.yaml"
    flow.write_text(flow.read_text().replace("manual_minutes: 11", "manual_minutes: 12"))
    assert "--as-now" in at("exception", "show", 1).stdout
    assert at("exception", "retry", 1, "--as-now").exit_code == 0
    assert run(at, 2)["flow_hash"] != before


# Done by hand


def test_what_the_later_actions_need_is_asked_for_before_anything_is_noted(at: Run) -> None:
    result = at("exception", "resolve", 1, "--id", "1045")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "What comes later (receipt) can't be done without more of what 'invoice' gives.",
        "Add --with customer_id=…",
    ]
    assert states(at) == ["open", "open"]


def test_an_id_is_told_for_one_alone(at: Run) -> None:
    result = at("exception", "resolve", "--cause", CAUSE, "--id", "1045")
    assert result.exit_code == 2 and "one by one" in result.stderr
