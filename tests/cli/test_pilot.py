"""`bellwire pilot`, as it is called."""

import fcntl
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from bellwire.practice import Books, Practice
from bellwire.practice.project import write_project
from tests.cli.conftest import Run, outcome
from tests.practice.pilots import ORDER_TO_CASH, SHORT, roles


@dataclass(frozen=True)
class Shop:
    """A project on practice vendors, which stand for its sandbox accounts."""

    folder: Path
    secrets: dict[str, str]
    practice: Practice

    def booked(self) -> int:
        """How many documents the books hold."""
        return sum(len(each.booked()) for each in self.practice.simulators.values() if isinstance(each, Books))

    async def bellwire(self, *words: str, **environ: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the real command."""
        return await outcome(*words, cwd=self.folder, environ=self.secrets | environ)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    vendors = roles()
    async with Practice(set(vendors.values())) as practice:
        flows = {"order_to_cash.yaml": ORDER_TO_CASH, "short.yaml": SHORT}
        yield Shop(tmp_path, write_project(tmp_path, practice, vendors, flows), practice)


async def test_a_flow_that_is_ready_ends_with_0_and_leaves_a_report_and_calls_nothing_real(shop: Shop) -> None:
    """The project's own addresses lead nowhere, and its credentials aren't set."""
    shop.change("connections.toml", "127.0.0.1", "127.0.0.2")
    code, out, err = await replace(shop, secrets={}).bellwire("pilot", "short")
    assert (code, err) == (0, "")
    assert out.count("✓") == 12, "ten records and two criteria"
    assert "✓  1 " in out and "✓ 10 " in out
    assert "READY: 10 of 10 as expected." in out
    assert "a person 1 h" in out
    (page,) = (shop.folder / "reports").iterdir()
    assert re.fullmatch(r"pilot-short-\d{4}-\d\d-\d\d\.html", page.name)
    assert "<strong>Ready.</strong>" in page.read_text()


async def test_a_flow_that_is_not_ready_ends_with_1_and_json_says_why(shop: Shop) -> None:
    shop.change(
        "flows/short.yaml", 'with: {order: "{{ event }}"}', 'with: {order: "{{ event }}"}\n    retry: {attempts: 1}'
    )
    code, out, err = await shop.bellwire("pilot", "short", "--json", "--report", "here/out.html")
    assert (code, err) == (1, "")
    told = json.loads(out)
    assert told["ready"] is False
    assert [record["position"] for record in told["records"] if not record["as_expected"]] == [9]
    (why,) = told["why_not"]
    assert why.startswith("Record 9 (the same webhook three times")
    assert told["report"] == str(shop.folder / "here/out.html")
    assert "Not ready." in (shop.folder / "here/out.html").read_text()


async def test_each_record_can_be_told_in_a_line_as_it_ends_and_on_record_is_who_wanted_it(shop: Shop) -> None:
    code, out, err = await shop.bellwire("pilot", "short", "--lines", "--who", "Dana Hill")
    assert (code, err) == (0, "")
    *records, whole = [json.loads(line) for line in out.splitlines()]
    assert [each["position"] for each in records] == list(range(1, 11))
    assert whole["records"] == records and whole["ready"] is True
    with closing(sqlite3.connect(shop.folder / "data" / "ledger.db")) as ledger:
        assert ledger.execute("SELECT who, ready FROM pilots").fetchall() == [("Dana Hill", 1)]


async def test_a_flow_that_begins_by_the_clock_is_tried_in_shadow(shop: Shop) -> None:
    shop.change("flows/short.yaml", "trigger: shop.order.paid", 'trigger: {every: "0 7 * * *", zone: Europe/Berlin}')
    code, out, err = await shop.bellwire("pilot", "short")
    assert (code, out) == (2, "")
    assert "'short' begins by the clock" in err and "At 07:00 every day (Europe/Berlin)" in err
    assert "bellwire flow mode short shadow" in err and "bellwire flow mode short live --reason" in err


async def test_on_sandbox_the_own_connections_take_and_do_it(shop: Shop) -> None:
    with (shop.folder / "data" / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # as `bellwire up` does: a pilot may run beside it
        code, out, err = await shop.bellwire("pilot", "order_to_cash", "--on", "sandbox", "--json")
    told = json.loads(out)
    assert (code, err) == (0, ""), told["why_not"]
    assert {record["checks"][0]["actual"] for record in told["records"]} == {
        "done",
        "done, but for the shop",
        "as expected",
    }
    assert "can't look into them" in told["notes"][0]
    assert [len(record["exceptions"]) for record in told["records"]] == [0] * 9 + [1]

    assert shop.booked() == 9

    # Once more, with what the owner has mapped since: the accounts take the new orders for new ones. For them, nobody
    # begins a second pilot within the second in which the first one ended, whose requests the books still count.
    for simulator in shop.practice.simulators.values():
        simulator.recover(timedelta(minutes=1))
    await shop.bellwire("records", "map", "books", "product", "TEA-500-NEW", "Other goods")
    code, out, _ = await shop.bellwire("pilot", "order_to_cash", "--on", "sandbox", "--json")
    assert [len(record["exceptions"]) for record in json.loads(out)["records"]] == [0] * 10
    assert (code, shop.booked()) == (0, 9 + 10)

    _, runs, _ = await shop.bellwire("run", "list", "--json")
    assert json.loads(runs) == [], "the project's own ledger knows nothing of it"


async def test_production_is_refused(shop: Shop) -> None:
    shop.change("connections.toml", '[books]\nconnector = "', '[books]\nenvironment = "production"\nconnector = "')
    path = shop.folder / "connections.toml"
    head, tail = path.read_text().split("[books]")
    path.write_text(head + "[books]" + tail.replace('environment = "sandbox"\n', "", 1))
    code, _, err = await shop.bellwire("pilot", "short", "--on", "sandbox")
    assert code == 2
    assert err.startswith("'books': a production account.")
    assert "bellwire pilot short" in err


def test_a_misspelt_flow_gets_a_suggestion(bellwire: Run, project: Path) -> None:
    result = bellwire("pilot", "order-to-cahs", "--project", project)
    assert result.exit_code == 2
    assert "Did you mean 'order_to_cash'?" in result.stderr


def test_a_shop_without_a_practice_server_is_said(bellwire: Run, filled_in: Path) -> None:
    result = bellwire("pilot", "order_to_cash", "--project", filled_in)
    assert result.exit_code == 2
    assert "there is no practice server of it" in result.stderr
    assert "bellwire send-test shop order.paid" in result.stderr


async def test_a_flow_that_starts_with_something_else_is_told_what_to_do(shop: Shop) -> None:
    (shop.folder / "flows/late.yaml").write_text(
        "name: Late\ntrigger: shop.order.cancelled\nactions:\n  bench:\n    do: chat.post_message\n"
        '    with: {channel: packing, text: "{{ event.number }}"}\n'
    )
    code, _, err = await shop.bellwire("pilot", "late")
    assert code == 2
    assert "starts with shop.order.cancelled" in err and "bellwire send-test shop order.cancelled" in err


async def test_a_flow_that_is_wrong_is_shown_where(shop: Shop) -> None:
    shop.change("flows/short.yaml", "event.number", "event.nmber")
    code, _, err = await shop.bellwire("pilot", "short")
    assert code == 2
    assert f"{shop.folder}/flows/short.yaml:" in err and "did you mean 'number'" in err.lower()
