"""Sending, by Standard Webhooks 1.0.0:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""

from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

import orjson

from bellwire.capabilities.subscriber import SEND_EVENT, SendEvent, SentEvent
from bellwire.connectors.kit import Answer, ByKey, Call, StandardWebhooks, action
from bellwire.connectors.subscriber.manifest import SubscriberSettings
from bellwire.errors import Refused, SignedOut, VendorError

_SCHEME = StandardWebhooks()


@action(SEND_EVENT, repeat=ByKey("the header webhook-id"))
async def send_event(call: Call, given: SendEvent) -> SentEvent:
    """`{"type", "timestamp", "data"}`; every attempt says the same under the same id, with a signature of its own."""
    settings: SubscriberSettings = call.settings
    now = call.clock()
    told = {"type": given.type, "timestamp": _iso(call.since or now), "data": given.model_dump(mode="json")["data"]}
    body, event_id = orjson.dumps(told), f"msg_{call.key}"
    headers = {"Content-Type": "application/json", **_signed(call, body, event_id, now)}
    url = urlsplit(settings.url)
    await call.api.request(
        "POST",
        url._replace(path=url.path or "/", query="").geturl(),
        params=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers=headers,
        body=body,
    )
    return SentEvent(id=event_id)


def _signed(call: Call, body: bytes, event_id: str, now: datetime) -> dict[str, str]:
    """The three headers, with a signature for each secret. Raises MissingCredential, Refused."""
    try:
        signed = [
            _SCHEME.sign(body, secret, delivery_id=event_id, now=now)
            for secret in call.connection.credentials.get("signing_secret").split()
        ]
        return {**signed[0], "webhook-signature": " ".join(each["webhook-signature"] for each in signed)}
    except (ValueError, IndexError) as error:
        name = call.connection.name
        raise Refused(
            f"The signing_secret of connection '{name}' isn't one of Standard Webhooks.",
            cause="bad-secret",
            remedy=f"It is `whsec_` and 24 to 64 bytes in Base64. Make one, and give it to the subscriber too; "
            f"`bellwire secrets set {name} signing_secret` takes it. Then retry.",
        ) from error


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def explain(answer: Answer) -> VendorError | None:
    """Only 2xx is success; a redirect isn't followed, since nobody asked us to send events there."""
    detail = f"{answer.status} {answer.text[:300]}"
    if answer.status == 410:
        return Refused(
            "The subscriber wants no more events (410 Gone).",
            cause="gone",
            detail=detail,
            remedy="Switch the flow off, or take this action out of it; if that is a mistake, ask the subscriber.",
        )
    if answer.status in (401, 403):
        return SignedOut(
            "The subscriber doesn't accept our signature.",
            detail=detail,
            remedy="Give the subscriber the secret with which this connection signs; or `bellwire secrets set NAME "
            "signing_secret` takes the one that it knows. If the secret is right, one of the two clocks is wrong.",
        )
    if 300 <= answer.status < 400:
        return Refused(
            f"The subscriber's address has moved ({answer.status}), and events don't follow.",
            cause="moved",
            detail=f"{answer.status} to {urlsplit(answer.headers.get('location', '')).netloc or 'nowhere'}",
            remedy="Ask the subscriber for the new address, set url in connections.toml, then retry.",
        )
    return None
