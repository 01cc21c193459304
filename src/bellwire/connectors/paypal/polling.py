"""The list of what PayPal told, or tried to tell, its app's webhooks.

https://developer.paypal.com/docs/api/webhooks/v1/#webhooks-events_list
"""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import orjson

from bellwire.connectors.kit import Call, Listed, Page, Poll
from bellwire.connectors.paypal.certificates import learn
from bellwire.connectors.paypal.reading import link
from bellwire.connectors.paypal.topics import TOPICS
from bellwire.errors import Refused

_PATH = "v1/notifications/webhooks-events"
_SIZE = "100"
_KEPT = timedelta(days=30) - timedelta(hours=1)
"""How far back may be asked, by clocks that differ: https://developer.paypal.com/api/rest/webhooks/events-dashboard/"""


async def _page(call: Call, since: datetime, cursor: str) -> Page:
    """Newest first, as PayPal has them. The cursor is the query of the address that it gives for the next page."""
    if not cursor:
        # Deliveries wait for certificates that nobody knew; a new poll is the time to fetch them.
        await learn(call)
    now = call.clock()
    first = {"start_time": _text(max(since, now - _KEPT)), "end_time": _text(now), "page_size": _SIZE}
    try:
        answer = await call.api.get(_PATH, params=dict(parse_qsl(cursor)) or first)
    except Refused as error:
        if not cursor or error.cause == "no-permission":
            raise
        answer = await call.api.get(_PATH, params=first)
    found = answer.json()
    events = [each for each in reversed(found.get("events") or []) if each["event_type"] in TOPICS]
    records = tuple(Listed(f"event/{each['id']}", orjson.dumps(each)) for each in events)
    # Some of PayPal's links are written as in a web page.
    return Page(records, urlsplit(link(found, "next").replace("&amp;", "&")).query)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
