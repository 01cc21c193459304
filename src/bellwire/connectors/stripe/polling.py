"""The list of what happened, which Stripe keeps for 30 days. https://docs.stripe.com/api/events/list"""

from datetime import datetime, timedelta

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll
from bellwire.connectors.stripe.api import PAGE, Record, read
from bellwire.connectors.stripe.topics import INTENT_TOPICS, TOPICS
from bellwire.errors import Refused


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """Newest first, as Stripe has them: the cursor is the oldest event of the page before."""
    wanted = {"types": TOPICS, "created": {"gte": int(since.timestamp())}, "limit": PAGE}
    try:
        found = await read(call, "events", **wanted, **({"starting_after": cursor} if cursor else {}))
    except Refused as error:
        if not cursor or error.cause != "unknown-id":
            raise
        found = await read(call, "events", **wanted)
    events: list[Record] = found["data"]
    records = [
        Listed(f"event/{event['id']}", orjson.dumps(event))
        for event in reversed(events)
        if event["type"] not in INTENT_TOPICS or not await _pays_an_invoice(call, event["data"]["object"])
    ]
    return Page(tuple(records), events[-1]["id"] if events and found["has_more"] else "")


async def _pays_an_invoice(call: Call, intent: Record) -> bool:
    """Events that the account's default version writes may still say it themselves, as until 2025."""
    if "invoice" in intent:
        return intent["invoice"] is not None
    of_it = {"type": "payment_intent", "payment_intent": intent["id"]}
    return bool((await read(call, "invoice_payments", payment=of_it, limit=1))["data"])


EVENTS = Poll(
    name="events",
    page=_page,
    event_types=(
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
        "payment.disputed",
        "subscription.updated",
        "subscription.renewed",
        "subscription.ended",
    ),
    every=timedelta(minutes=15),
)
