"""An app's webhooks: where PayPal sends its events. https://developer.paypal.com/docs/api/webhooks/v1/#webhooks"""

from collections.abc import Mapping, Sequence

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.paypal.topics import TOPICS
from bellwire.connectors.paypal.words import read_words
from bellwire.errors import Refused

_PATH = "v1/notifications/webhooks"
_ALL = "*"


async def _listing(call: Call) -> list[Subscription]:
    """Those of the app: there are ten at most, in one answer."""
    known = read_words(_words(call)).webhooks
    found = (await call.api.get(_PATH)).json().get("webhooks", [])
    return [_subscription(each, known) for each in found]


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """A webhook that is known gets the topics that it lacks: PayPal takes each address once."""
    for each in await _listing(call):
        if each.url == url and not each.trouble:
            wanted = [{"name": name} for name in sorted({*each.topics, *topics})]
            patch = [{"op": "replace", "path": "/event_types", "value": wanted}]
            await call.api.request("PATCH", f"{_PATH}/{each.id}", json=patch)
            return {}
    made = (await call.api.post(_PATH, {"url": url, "event_types": [{"name": name} for name in topics]})).json()
    # What was signed for the webhook before may still be on its way.
    words = _words(call)
    earlier = read_words(words).webhooks[:1]
    certificates = [word for word in words if word not in read_words(words).webhooks]
    return {"webhook_secret": " ".join([made["id"], *earlier, *certificates])}


async def _remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"{_PATH}/{subscription.id}")
    except Refused as error:
        if error.cause != "unknown-id":
            raise


def _words(call: Call) -> list[str]:
    return (call.connection.credentials.find("webhook_secret") or "").split()


def _subscription(webhook: Mapping[str, object], known: Sequence[str]) -> Subscription:
    types = webhook["event_types"]
    assert isinstance(types, list)
    topics = tuple(each["name"] for each in types if each.get("status") != "DISABLED")
    trouble = "" if webhook["id"] in known else "Its id isn't known here, so what it sends can't be verified."
    return Subscription(str(webhook["id"]), str(webhook["url"]), TOPICS if _ALL in topics else topics, trouble)


SUBSCRIBING = Subscribing(_listing, _create, _remove)
