"""What a run asks of people: to decide on an action, or (in the mode `manual`) to do it themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from bellwire.errors import FlowError
from bellwire.flows import FlowAction
from bellwire.ledger import AskKind, AttemptRow, Rows, asks


@dataclass(frozen=True)
class Question:
    kind: AskKind
    text: str
    asked: str = ""
    """Who is; empty: the flow's owner."""
    expires_at: datetime | None = None

    def ask(self, rows: Rows, *, flow: str, attempt: AttemptRow, given: str) -> None:
        """In the transaction that writes the `attempt`. `given`: what the action is given, as JSON."""
        asks.ask(
            rows,
            run=attempt.run,
            flow=flow,
            action=attempt.action,
            item=attempt.item,
            kind=self.kind,
            text=self.text,
            given=given,
            asked=self.asked,
            now=attempt.started_at,
            expires_at=self.expires_at,
        )


def not_decided(action: FlowAction) -> FlowError:
    """For an action on which nobody decided in time."""
    who = action.approval.by if action.approval and action.approval.by else "Nobody"
    sentence = f"{who} didn't decide in time" if who != "Nobody" else "Nobody decided in time"
    return FlowError(
        f"{sentence} whether '{action.name}' is to be done.",
        cause=f"not-decided:{action.name}",
        remedy="Retry it to ask again; or do it by hand and resolve this; or dismiss it.",
    )


def values_of(given: str) -> list[tuple[str, str]]:
    """What an action is given (JSON), field by field in words, ready to copy; without what is empty."""
    return _fields(orjson.loads(given), "")


def _fields(value: Any, where: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        if value.keys() == {"amount", "currency"}:
            return [(where, f"{value['amount']} {value['currency']}")]
        return [row for name, inner in value.items() for row in _fields(inner, _within(where, name))]
    if isinstance(value, list):
        return [row for index, inner in enumerate(value, 1) for row in _fields(inner, f"{where} {index}")]
    shown = "yes" if value is True else "no" if value is False else str(value)
    return [] if value in (None, "") else [(where, shown)]


def _within(where: str, name: str) -> str:
    name = name.replace("_", " ")
    return f"{where} › {name}" if where else name
