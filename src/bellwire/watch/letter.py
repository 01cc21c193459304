"""The wording of a message: all that one channel is to be told at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bellwire.clock import duration
from bellwire.ledger import AlertRow, MessageKind

_SHOWN = 10
"""Of each kind; a flood of alerts is counted beyond."""
_HEADINGS = {MessageKind.OPENED: "New", MessageKind.REMINDER: "Still open", MessageKind.RESOLVED: "Over"}


Rewording = Callable[[str], str]
"""Of a text that names commands, for somebody who may have no command line."""


@dataclass(frozen=True)
class Letter:
    title: str
    text: str


def write_letter(
    news: Sequence[tuple[AlertRow, MessageKind]], now: datetime, business: str, reword: Rewording = str
) -> Letter:
    """One for all of it. `business` says whose Bellwire it is, if it has a name."""
    sender = f"Bellwire, {business}" if business else "Bellwire"
    by_kind = {kind: [alert for alert, each in news if each is kind] for kind in _HEADINGS}
    paragraphs = [
        "\n".join([f"{_HEADINGS[kind]}:", *_lines(kind, found, now)]) for kind, found in by_kind.items() if found
    ]
    return Letter(f"{sender}: {_title(news, by_kind)}", reword("\n\n".join(paragraphs)))


def trial_letter(business: str) -> Letter:
    sender = f"Bellwire, {business}" if business else "Bellwire"
    return Letter(f"{sender}: a test", "Alerts arrive here. Nothing is wrong; somebody tried it.")


def _title(news: Sequence[tuple[AlertRow, MessageKind]], by_kind: "dict[MessageKind, list[AlertRow]]") -> str:
    if len(news) == 1:
        ((alert, kind),) = news
        return {MessageKind.REMINDER: "still: ", MessageKind.RESOLVED: "over: "}.get(kind, "") + alert.title
    return ", ".join(f"{len(found)} {_HEADINGS[kind].lower()}" for kind, found in by_kind.items() if found)


def _lines(kind: MessageKind, found: Sequence[AlertRow], now: datetime) -> list[str]:
    lines = [_line(kind, alert, now) for alert in found[:_SHOWN]]
    more = len(found) - _SHOWN
    return [*lines, f"- and {more} more: `bellwire alert list` shows them all."] if more > 0 else lines


def _line(kind: MessageKind, alert: AlertRow, now: datetime) -> str:
    if kind is MessageKind.RESOLVED:
        return f"- {alert.title}: it took {duration((alert.resolved_at or now) - alert.opened_at)}."
    since = f", for {duration(now - alert.opened_at)}" if kind is MessageKind.REMINDER else ""
    return f"- {alert.title}{since}. {alert.text}"
