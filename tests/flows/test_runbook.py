"""A runbook: made from the flow and its connectors, and nothing else."""

from pathlib import Path

from bellwire.connectors import slack, xero
from bellwire.connectors.refusals import known_refusals
from bellwire.flows import as_markdown, parse_flow, runbook
from tests.desk.story import the_connections, the_flow

FLOW = """
name: Reminders
trigger: shop.order.payment_failed
ends_on: [{event: shop.order.paid}]
actions:
  pause: {wait: 3d}
  note:
    do: chat.post_message
    needs: [pause]
    approve: {ask: "Shall we?", by: Ada, within: 2h}
    retry: {attempts: 3}
    with: {channel: office, text: hello}
"""


def book(flow: str = "") -> str:
    connectors = {name: connection.connector for name, connection in the_connections().items()}
    return as_markdown(runbook(parse_flow(flow, Path("x.yaml")) if flow else the_flow(), connectors))


def test_it_says_who_is_called_what_starts_it_and_what_counts_as_good() -> None:
    text = book()
    assert "Who looks after it, and is called: Dana, dana@example.com." in text
    assert "It starts when: An order is paid in full: it can be invoiced and sent. (Corner Store)" in text
    assert "- A run is done within 2 min." in text and "- At most 1% of the runs need a person." in text


def test_each_action_is_told_in_words_with_its_conditions() -> None:
    text = book()
    assert (
        "3. **label**: Buy the shipping label, in Parcel Hub.\n   - Only on a condition. Else: Nothing in this" in text
    )
    assert "4. **receipt**: Record that the invoice is paid, in Tidy Books.\n   - After invoice." in text
    assert "**bench**: Post a message to the team, in Team Chat. With:\n\n- Channel: The channel's name" in text


def test_waits_endings_questions_and_tries_are_told_and_what_isnt_named_too() -> None:
    text = book(FLOW)
    assert "is called: nobody is named in the flow." in text
    assert "While it waits, it ends when: An order is paid in full: it can be invoiced and sent. (Corner Store)" in text
    assert "It waits for 3 days first." in text
    assert "It may ask first: Ada has 2 h to say yes." in text
    assert "Tried up to 3 times while the system is unwell." in text
    assert "The flow doesn't say." in text


def test_known_refusals_come_from_the_connectors_with_what_to_do() -> None:
    found = {refusal.cause: refusal for refusal in known_refusals(xero.CONNECTOR)}
    assert found["another-customer"].sentence == "Invoice … in Xero is of another contact than …."
    assert found["another-customer"].remedy == "See whose return it is, and book it by hand."
    assert all(refusal.sentence and refusal.remedy for refusal in known_refusals(slack.CONNECTOR))
    sentences = [refusal.sentence for refusal in known_refusals(xero.CONNECTOR)]
    assert len(sentences) == len(set(sentences)) > 15
