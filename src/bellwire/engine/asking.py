"""What a run asks of people: to decide on an action, or (in the mode `manual`) to do it themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from bellwire.capabilities import Effect
from bellwire.engine.means import Means
from bellwire.engine.progress import Part
from bellwire.errors import FlowError
from bellwire.flows import FlowAction, Scope
from bellwire.ledger import AskKind, AttemptRow, FlowMode, Rows, asks


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


def question_about(means: Means, part: Part, scope: Scope, mode: FlowMode, now: datetime) -> Question | None:
    """What a person is asked before an action is done; None: nothing. Raises FlowError."""
    action, approval = part.action, part.action.approval
    if approval is not None and not part.approved and approval.needed(scope):
        return Question(AskKind.APPROVAL, approval.text(scope), approval.by, now + approval.within)
    # An event begins other flows, which have modes of their own.
    if mode is FlowMode.MANUAL and action.connection and changes_something(means, action):
        connection, act = means.of(action)
        return Question(AskKind.TODO, f"{act.operation.meaning}, in {connection.manifest.title}")
    return None


def changes_something(means: Means, action: FlowAction) -> bool:
    """Whether an action does more than to wait, to read or to work something out."""
    return bool(action.emits) or (
        bool(action.connection) and means.of(action)[1].operation.effect is not Effect.NOTHING
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
