"""Questions and to-dos in a ledger, as the engine leaves them."""

from datetime import datetime, timedelta

from bellwire.ledger import AskKind, AttemptRow, Outcome, RunState, asks, runs
from tests.desk.story import NOW, Story

LATER = NOW + timedelta(days=2)
INVOICE = '{"order": {"number": "1001", "total": {"amount": "24.40", "currency": "USD"}, "note": ""}, "memo": "Net 30"}'


def question(story: Story, at: datetime = NOW, text: str = "Send 1001 for $24.40?") -> int:
    """A yes or a no, about the label."""
    return _asked(story, "label", AskKind.APPROVAL, text, '{"order": {"number": "1001"}}', at, LATER, "Dana")


def to_do(story: Story, at: datetime = NOW, text: str = "Make an invoice, in Tidy Books") -> int:
    """An invoice; the receipt wants to know its number and whose it is."""
    return _asked(story, "invoice", AskKind.TODO, text, INVOICE, at, None, "")


def _asked(
    story: Story, action: str, kind: AskKind, text: str, given: str, at: datetime, until: datetime | None, who: str
) -> int:
    """Its number."""
    run = story.starts(at)
    assert runs.checkpoint(story.rows, AttemptRow(run, action, 0, 1, Outcome.ASKED, at, at, next_at=until), 1)
    asks.ask(
        story.rows,
        run=run,
        flow=story.flow.id,
        action=action,
        item=0,
        kind=kind,
        text=text,
        given=given,
        asked=who,
        now=at,
        expires_at=until,
    )
    state = RunState.WAITING if until else RunState.HELD
    assert runs.leave(story.rows, run, 1, state, now=at, due_at=until, held_for=runs.A_PERSON)
    found = asks.of_action(story.rows, run, action)
    assert found is not None
    return found.id
