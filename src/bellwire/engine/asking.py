"""What a run asks of people: to decide on an action, or (in the mode `manual`) to do it themselves."""

from dataclasses import dataclass
from datetime import datetime

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
