"""`bellwire demo`: each template tells its story, whatever the vendors, and it can fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bellwire.cli import app
from bellwire.practice import Sale, SaleLine
from bellwire.practice.stories import order_to_cash, story_names
from tests.flows.templates import able_to_fill
from tests.running import ended, start


def casts() -> Iterator[tuple[str, list[str]]]:
    """For each story, casts in which every vendor that can be chosen has a part."""
    for name in story_names():
        able = able_to_fill(name)
        for position in range(max(map(len, able.values()))):
            chosen = {role: vendors[position % len(vendors)].name for role, vendors in able.items()}
            yield name, [part for role, vendor in chosen.items() for part in ("--use", f"{role}={vendor}")]


@pytest.mark.parametrize(("name", "cast"), list(casts()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_promise_holds(name: str, cast: list[str]) -> None:
    result = CliRunner().invoke(app, ["demo", name, "--once", *cast], env={"COLUMNS": "200"})
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert "Every promise held." in result.stdout and "✗" not in result.stdout
    assert result.stdout.count("✓") > 5
    for act in ("on a bad day.", "What arrives", "What was tried again, and why", "What each system holds"):
        assert act in result.stdout


async def test_order_to_cash_is_what_is_told_if_nothing_is_said(tmp_path: Path) -> None:
    process = start("demo", "--once", cwd=tmp_path, environ={"COLUMNS": "200"})
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
        "10 events = 10 done + 0 waiting + 0 exceptions + 0 skipped",
        "Every promise held.",
    ):
        assert sentence in told, sentence
    assert "duplicate of delivery" in told
    assert told.count("✓") == 16


def test_a_promise_that_is_broken_is_shown_and_ends_in_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more order that the books can't take: more exceptions than the story promises, and an invoice too few."""
    told = order_to_cash.chapters()
    more = order_to_cash.Chapter(
        Sale("1011", [SaleLine(order_to_cash.UNKNOWN_SKU)]), "one more that the books don't know"
    )
    monkeypatch.setattr(order_to_cash, "chapters", lambda: [*told, more])
    result = CliRunner().invoke(app, ["demo", "--once"], env={"COLUMNS": "200"})
    assert result.exit_code == 1, result.output
    assert "A promise was broken." in result.stdout and "Every promise held." not in result.stdout
    assert "missing: 1011" in result.stdout
    assert "Not every promise held" in result.stderr


def test_a_story_that_isnt_there_is_said() -> None:
    result = CliRunner().invoke(app, ["demo", "no-such-story", "--once"])
    assert result.exit_code == 2
    assert "There is no demo of 'no-such-story'" in result.stderr and "order-to-cash" in result.stderr
