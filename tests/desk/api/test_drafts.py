"""Drafts of flows over the API: check, try, publish."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bellwire.access import Right, issue_token
from tests.desk.story import FLOW, NOW, Place, open_desk

NEWER = FLOW.replace("name: Order to cash", "name: Paid orders")
WRONG = FLOW.replace("event.number", "event.nummer")


class Program:
    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self.place = place
        self._session = session

    async def ask(self, method: str, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
        address = f"/api/v1/drafts/{path}".rstrip("/")
        async with self._session.request(method, address, json=body or None) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status == status, found
            return found


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with open_desk(tmp_path, editing=True) as place:
        _, secret = await place.ledger.write(lambda rows: issue_token(rows, "Editor", list(Right), NOW, who="Dana"))
        async with aiohttp.ClientSession(place.url, headers={"Authorization": f"Bearer {secret}"}) as session:
            yield Program(place, session)


async def test_a_text_is_checked_with_line_and_place(program: Program) -> None:
    assert (await program.ask("POST", "order_to_cash/check", text=FLOW))["findings"] == []
    (found,) = (await program.ask("POST", "order_to_cash/check", text=WRONG))["findings"]

    assert found["line"] == WRONG[: WRONG.index("nummer")].count("\n") + 1
    assert found["where"] == ["actions", "bench", "with", "text"]
    assert found["suggestion"] == "did you mean 'number'?"

    (found,) = (await program.ask("POST", "order_to_cash/check", text="name: ["))["findings"]
    assert found["severity"] == "error"


async def test_a_text_is_tried_with_a_past_event(program: Program) -> None:
    await program.place.write(lambda story: story.done(NOW, number="1077"))
    found = await program.ask("POST", "order_to_cash/preview", text=NEWER)
    actions = {action["name"]: action for action in found["actions"]}

    assert found["event"] == 1
    assert actions["bench"]["inputs"]["text"].startswith("Order 1077, tracking SP")
    assert actions["receipt"]["inputs"]["amount"] == "24.40 USD"
    assert actions["bench"]["problems"] == {}


async def test_a_draft_is_put_published_and_thrown_away(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "flows" / "order_to_cash.yaml"
    before = await program.ask("GET", "order_to_cash")
    assert (before["state"], before["text"], before["base"]) == (0, FLOW, before["file"])

    await program.ask("PUT", "order_to_cash", text=NEWER)
    assert file.read_text() == FLOW
    done = await program.ask("POST", "order_to_cash/publish")
    assert file.read_text() == NEWER
    assert done["version"] == (await program.ask("GET", "order_to_cash"))["file"] != before["file"]

    await program.ask("PUT", "order_to_cash", text=WRONG)
    refused = await program.ask("POST", "order_to_cash/publish", 409)
    assert "no field 'nummer'" in refused["title"]
    await program.ask("DELETE", "order_to_cash")
    assert (await program.ask("GET", "order_to_cash"))["text"] == NEWER
    await program.ask("DELETE", "order_to_cash", 409)


async def test_what_is_no_flow_isnt_there_and_a_new_one_is_a_new_file(program: Program, tmp_path: Path) -> None:
    await program.ask("GET", "other", 404)
    await program.ask("GET", "..%2Fsecret", 404)
    await program.ask("GET", "Other", 422)
    await program.ask("PUT", "other", text=NEWER)
    await program.ask("POST", "other/publish")
    assert (tmp_path / "flows" / "other.yaml").read_text() == NEWER


async def test_a_draft_is_undone_redone_and_brought_up_to_a_file_that_changed(program: Program, tmp_path: Path) -> None:
    await program.ask("POST", "order_to_cash/undo", 409)
    first = await program.ask("PUT", "order_to_cash", text=NEWER, state=0)
    assert (await program.ask("GET", ""))["items"] == [{"flow": "order_to_cash"}]
    assert (first["undoable"], first["redoable"], first["overtaken"]) == (True, False, False)
    refused = await program.ask("PUT", "order_to_cash", 409, text=WRONG, state=0)
    assert "changed this flow meanwhile" in refused["title"]
    assert (await program.ask("POST", "order_to_cash/undo"))["text"] == FLOW
    await program.ask("POST", "order_to_cash/undo", 409)
    again = await program.ask("POST", "order_to_cash/redo")
    assert again["text"] == NEWER
    await program.ask("POST", "order_to_cash/redo", 409)

    file = tmp_path / "flows" / "order_to_cash.yaml"
    file.write_text(FLOW + "# by hand\n")
    assert (await program.ask("GET", "order_to_cash"))["overtaken"]
    await program.ask("POST", "order_to_cash/publish", 409)
    await program.ask("POST", f"order_to_cash/publish?state={again['state'] + 1}", 409)
    assert not (await program.ask("POST", "order_to_cash/rebase"))["overtaken"]
    await program.ask("POST", f"order_to_cash/publish?state={again['state']}")
    assert file.read_text() == NEWER
