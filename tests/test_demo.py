"""`bellwire demo`: it tells its story, and it can fail."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.practice import Chat, Sale, SaleLine, Shop, find_simulator, simulator_names, story
from tests.running import ended, start

SHOPS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Shop)]
OTHER_CHATS = [name for name in simulator_names() if isinstance(find_simulator(name)(), Chat)][1:]


@pytest.mark.parametrize("shop", SHOPS)
async def test_the_demo_tells_its_story_and_every_promise_holds(tmp_path: Path, shop: str) -> None:
    process = start("demo", "--once", "--shop", shop, cwd=tmp_path, environ={"COLUMNS": "200"})
    assert await ended(process, 120) == 0, (tmp_path / "err.txt").read_text()
    told = (tmp_path / "out.txt").read_text()
    assert (tmp_path / "err.txt").read_text() == ""
    for sentence in (
        "Order to cash, on a bad day.",
        "order 1001  accepted as delivery 1",
        "the same delivery again",
        "the same fact, a new delivery",
        "asked to slow down",
        "broke off before it answered",
        "What needs a person",
        "no item with the SKU TEA-500-NEW",
        "what to do:",
        "The owner maps TEA-500-NEW",
        "10 events for the flow = 10 done + 0 waiting + 0 exceptions + 0 skipped",
        "Every promise held.",
    ):
        assert sentence in told, sentence
    assert "duplicate of delivery" in told
    assert "✗" not in told
    assert told.count("✓") == 15


@pytest.mark.parametrize("chat", OTHER_CHATS)
async def test_every_promise_holds_with_another_chat(tmp_path: Path, chat: str) -> None:
    process = start("demo", "--once", "--chat", chat, cwd=tmp_path, environ={"COLUMNS": "200"})
    assert await ended(process, 120) == 0, (tmp_path / "err.txt").read_text()
    assert "Every promise held." in (tmp_path / "out.txt").read_text()


def test_a_promise_that_is_broken_is_shown_and_ends_in_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more order that the books can't take: more exceptions than the story promises, and an invoice too few."""
    told = story.chapters()
    more = story.Chapter(Sale("1011", [SaleLine(story.UNKNOWN_SKU)]), "one more that the books don't know")
    monkeypatch.setattr(story, "chapters", lambda: [*told, more])
    result = CliRunner().invoke(app, ["demo", "--once"], env={"COLUMNS": "200"})
    assert result.exit_code == 1, result.output
    assert "A promise was broken." in result.stdout and "Every promise held." not in result.stdout
    assert "missing: 1011" in result.stdout
    assert "Not every promise held" in result.stderr
