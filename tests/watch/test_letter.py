"""One letter says all that a channel is to be told, the worst first, and no more than can be read."""

from datetime import UTC, datetime, timedelta

from bellwire.ledger import AlertRow, MessageKind
from bellwire.watch.letter import write_letter

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def alert(number: int, *, hours: int = 0) -> AlertRow:
    since = NOW - timedelta(hours=hours)
    return AlertRow(number, f"t{number}", f"Thing {number}", f"Do {number}.", since, 0, None, None)


def test_a_single_alert_has_its_own_title() -> None:
    letter = write_letter([(alert(1), MessageKind.OPENED)], NOW, "Hill & Leaf")
    assert letter.title == "Bellwire, Hill & Leaf: Thing 1"
    assert letter.text == "New:\n- Thing 1. Do 1."


def test_several_are_counted_and_told_by_kind() -> None:
    news = [
        (alert(1, hours=30), MessageKind.RESOLVED),
        (alert(2, hours=5), MessageKind.REMINDER),
        (alert(3), MessageKind.OPENED),
    ]
    letter = write_letter(news, NOW, "")
    assert letter.title == "Bellwire: 1 new, 1 still open, 1 over"
    assert letter.text == (
        "New:\n- Thing 3. Do 3.\n\nStill open:\n- Thing 2, for 5 h. Do 2.\n\nOver:\n- Thing 1: it took 1 day 6 h."
    )


def test_a_flood_is_counted() -> None:
    letter = write_letter([(alert(number), MessageKind.OPENED) for number in range(200)], NOW, "")
    assert letter.text.endswith("- and 190 more: `bellwire alert list` shows them all.")
    assert len(letter.text.splitlines()) == 12
