"""`bellwire todo`, in a project whose flow is in the mode `manual`: an order is paid, and people do what follows."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import Result

from bellwire.app import running
from bellwire.practice import Sale, SaleLine
from bellwire.practice.driving import until_quiet
from bellwire.practice.stories.order_to_cash import Chapter
from tests.cli.conftest import Run
from tests.running import Town, town


class Desk:
    """The command in that project; `go_on` is what a running `bellwire up` does meanwhile."""

    def __init__(self, place: Town, bellwire: Run, runner: asyncio.Runner) -> None:
        self.place = place
        self._bellwire = bellwire
        self._runner = runner

    def __call__(self, *words: object) -> Result:
        return self._bellwire(*words, "--project", self.place.folder, **self.place.environ)

    def go_on(self, *chapters: Chapter) -> None:
        self._runner.run(self._go_on(*chapters))

    async def _go_on(self, *chapters: Chapter) -> None:
        async with running(self.place.settings, self.place.secrets) as bellwire, aiohttp.ClientSession() as session:
            for chapter in chapters:
                letter = self.place.paid(chapter)
                await session.post(bellwire.hook_url("shop"), data=letter.body, headers=dict(letter.headers))
            await until_quiet(bellwire.ledger, bellwire.engine, 30)

    def todos(self) -> dict[str, dict[str, Any]]:
        """By action."""
        found = json.loads(self("todo", "list", "--json").stdout)
        return {each["action"]: each for each in found}


@pytest.fixture(autouse=True)
def _acme_is_installed() -> None:
    """Not here: the vendors of this story are practised."""


@pytest.fixture
def desk(tmp_path: Path, bellwire: Run) -> Iterator[Desk]:
    with asyncio.Runner() as runner:
        entered = town(tmp_path)
        place = runner.run(entered.__aenter__())
        made = Desk(place, _elsewhere(bellwire), runner)
        assert made("flow", "mode", "order_to_cash", "manual", "--reason", "a new start").exit_code == 0
        made.go_on(Chapter(Sale("1001", [SaleLine("TEA-100", 2)]), ""))
        yield made
        runner.run(entered.__aexit__(None, None, None))


def _elsewhere(bellwire: Run) -> Run:
    """In a thread that has no loop: the command brings its own."""

    def run(*words: object, **environ: str) -> Result:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as threads:
            return threads.submit(bellwire, *words, **environ).result()

    return run


def test_every_action_that_can_begin_is_a_to_do_with_its_values(desk: Desk) -> None:
    todos = desk.todos()
    assert {"invoice", "stock", "label"} <= todos.keys() and "receipt" not in todos
    assert all(each["kind"] == "to-do" and each["flow"] == "order_to_cash" for each in todos.values())
    shown = desk("todo", "show", todos["stock"]["id"]).stdout
    assert shown.startswith("Change the stock, in ")
    assert "lines 1 › sku" in shown and "TEA-100" in shown and "reason" in shown and "{" not in shown
    assert f"bellwire todo done {todos['stock']['id']}" in shown
    assert "Nobody has anything to do." not in desk("todo", "list").stdout


def test_what_is_ticked_off_lets_the_run_go_on_with_what_was_told(desk: Desk) -> None:
    invoice = desk.todos()["invoice"]["id"]
    told = desk("todo", "done", invoice, "--id", "1045", "--with", "customer_id=58")
    assert told.exit_code == 0 and "Ticked off" in told.stdout
    desk.go_on()
    receipt = desk.todos()["receipt"]
    assert receipt["given"]["invoice_id"] == "1045" and receipt["given"]["customer_id"] == "58"
    again = desk("todo", "done", invoice, "--id", "1")
    assert again.exit_code == 1 and "isn't open any more" in again.stderr


def test_what_later_actions_need_has_to_be_told(desk: Desk) -> None:
    invoice = desk.todos()["invoice"]["id"]
    told = desk("todo", "done", invoice)
    assert told.exit_code == 1
    assert "can't be done without more of what 'invoice' gives" in told.stderr
    assert "--with customer_id=…" in told.stderr and "--id …" in told.stderr
    assert invoice == desk.todos()["invoice"]["id"]


def test_all_to_dos_bring_the_run_to_its_end(desk: Desk) -> None:
    fields = {"label": ["--with", "tracking_number=ZX-9", "--with", "carrier=post", "--with", "tracking_url=https://x"]}
    fields["invoice"] = ["--with", "customer_id=58"]
    for _ in range(4):
        for action, ask in desk.todos().items():
            if action == "bench":
                told = desk("todo", "skip", ask["id"], "--reason", "said aloud")
            else:
                told = desk("todo", "done", ask["id"], "--id", "7", *fields.get(action, []))
            assert told.exit_code == 0, told.output
        desk.go_on()
    (run,) = json.loads(desk("run", "list", "--json").stdout)
    assert run["state"] == "done"
    assert "Nobody has anything to do." in desk("todo", "list").stdout
    assert desk("audit").exit_code == 0
    assert desk.place.holdings.books.booked() == []
    attempts = json.loads(desk("run", "show", run["id"], "--json").stdout)["attempts"]
    assert any(each["sentence"].endswith("left it out: said aloud") for each in attempts)


def test_a_to_do_is_neither_approved_nor_declined(desk: Desk) -> None:
    number = desk.todos()["stock"]["id"]
    for words in (["approve", number], ["decline", number, "--reason", "no"]):
        told = desk("todo", *words)
        assert told.exit_code == 1 and "wants to be done" in told.stderr
    missing = desk("todo", "show", 99)
    assert missing.exit_code == 2 and "There is no to-do 99." in missing.stderr
