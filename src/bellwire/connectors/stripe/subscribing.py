"""Webhook endpoints: where Stripe sends its events. https://docs.stripe.com/api/webhook_endpoints"""

from collections.abc import Mapping, Sequence

from bellwire.connectors.kit import Call, Subscribing, Subscription
from bellwire.connectors.stripe.api import Record, listed, write
from bellwire.connectors.stripe.topics import TOPICS
from bellwire.errors import OutcomeUnknown, Refused

_PATH = "webhook_endpoints"
_ALL = "*"


async def _listing(call: Call) -> list[Subscription]:
    known = call.connection.credentials.find("webhook_secret") is not None
    return [_subscription(call, each, known=known) async for each in listed(call, _PATH)]


async def _create(call: Call, url: str, topics: Sequence[str]) -> Mapping[str, str]:
    """An endpoint that is well gets the topics that it lacks: it keeps its secret, which Stripe shows only once."""
    before = await _listing(call)
    for each in before:
        if each.url == url and not each.trouble:
            await write(call, f"{_PATH}/{each.id}", {"enabled_events": sorted({*each.topics, *topics})})
            return {}
    form = {
        "url": url,
        "enabled_events": topics,
        "api_version": call.connection.manifest.api_version,
        "description": f"Bellwire, connection {call.connection.name}",
    }
    try:
        return {"webhook_secret": (await write(call, _PATH, form))["secret"]}
    except OutcomeUnknown:
        # If it was made, nobody will ever know its secret.
        known = {each.id for each in before}
        for each in await _listing(call):
            if each.url == url and each.id not in known:
                await _remove(call, each)
        raise


async def _remove(call: Call, subscription: Subscription) -> None:
    try:
        await call.api.request("DELETE", f"{_PATH}/{subscription.id}")
    except Refused as error:
        if error.cause != "unknown-id":
            raise


def _subscription(call: Call, endpoint: Record, *, known: bool) -> Subscription:
    events = endpoint["enabled_events"]
    return Subscription(
        endpoint["id"],
        endpoint["url"],
        TOPICS if _ALL in events else tuple(events),
        _trouble(call.connection.manifest.api_version, endpoint, known=known),
    )


def _trouble(version: str, endpoint: Record, *, known: bool) -> str:
    if endpoint["status"] != "enabled":
        return "Stripe sends nothing there: the endpoint is disabled."
    if endpoint["api_version"] != version:
        written = endpoint["api_version"] or "the account's default version"
        return f"Its events are written in {written}, not in {version}."
    return "" if known else "Its signing secret isn't known here, and Stripe doesn't show it again."


SUBSCRIBING = Subscribing(_listing, _create, _remove)
