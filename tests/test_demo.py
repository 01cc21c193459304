"""`bellwire demo`: it tells its story, and it can fail."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.practice import Books, Chat, Sale, SaleLine, Shop, Till, story
from tests.practice.pilots import able
from tests.running import ended, start

ROLES = {"--shop": Shop, "--books": Books, "--stock": Till, "--chat": Chat}
CASTS = [
    [part for option, vendors in ROLES.items() for part in (option, able(vendors)[position % len(able(vendors))])]
    for position in range(max(len(able(vendors)) for vendors in ROLES.values()))
]
"""Every vendor that a demo can choose is in one of them."""


@pytest.mark.parametrize("cast", CASTS, ids=lambda cast: " ".join(cast[1::2]))
async def test_the_demo_tells_its_story_and_every_promise_holds(tmp_path: Path, cast: list[str]) -> None:
    process = start("demo", "--once", *cast, cwd=tmp_path, environ={"COLUMNS": "200"})
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
