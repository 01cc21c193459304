"""What is declared about Calendly."""

from datetime import timedelta
from enum import StrEnum

from bellwire.connectors.kit import (
    Consent,
    Credential,
    Level,
    Limit,
    Manifest,
    OAuth2,
    Settings,
    TimedSignature,
)
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery, Environment

AUTH = "https://auth.calendly.com/oauth"
_ORIGIN = "https://api.calendly.com"


class Whose(StrEnum):
    ORGANIZATION = "organization"
    USER = "user"


class CalendlySettings(Settings):
    whose: Whose = Whose.ORGANIZATION
    """Whose bookings: `organization` for those of everybody (the sign-in has to be an owner's or admin's), `user` for
    those with the person alone whose sign-in it is."""


def _delivery_id(delivery: Delivery) -> str:
    """Calendly names no delivery: what happened to which invitee, and when."""
    body = delivery.json
    try:
        return f"{body['event']} {body['payload']['uri']} {body['created_at']}"
    except (KeyError, TypeError):
        return body_hash(delivery)


MANIFEST = Manifest(
    name="calendly",
    title="Calendly",
    capabilities=("booking",),
    # There is no sandbox: an account of one's own, for trying things out, is one.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    # Each refresh token is good for one use.
    auth=OAuth2(f"{AUTH}/token", consent=Consent(f"{AUTH}/authorize")),
    credentials=(
        Credential(
            "access_token",
            "calendly.com › Integrations & apps › API and webhooks › Personal access tokens: the short way, without "
            "the three below. With them it is renewed",
            required=False,
        ),
        Credential("client_id", "developer.calendly.com › My apps › your app › Client ID", required=False),
        Credential("client_secret", "developer.calendly.com › My apps › your app › Client secret", required=False),
        Credential("refresh_token", "what Calendly gives your app after a consent", required=False),
        Credential(
            "webhook_secret",
            "With a personal access token Bellwire makes it up; with an app: developer.calendly.com › My apps › your "
            "app › Webhook signing key. Only for webhooks",
            required=False,
        ),
    ),
    settings=CalendlySettings,
    scopes=(
        "users:read",
        "event_types:read",
        "scheduled_events:read",
        "scheduled_events:write",
        "scheduling_links:write",
        "webhooks:read",
        "webhooks:write",
    ),
    # Of the paid plans, without which there are no webhooks either; what a free one leaves, the answers tell.
    limits=(Limit(500, per=timedelta(minutes=1), remaining="X-RateLimit-Remaining", resets_in="X-RateLimit-Reset"),),
    parallel=4,
    webhook=TimedSignature(
        "Calendly-Webhook-Signature",
        encoding="hex",
        # As in Calendly's own examples.
        tolerance=timedelta(minutes=3),
        identify=_delivery_id,
    ),
    docs="https://developer.calendly.com/api-docs",
    level=Level.GOLD,
    exempt={
        "sdk": "Calendly has no official SDK for Python.",
        "spec": "Calendly's own description isn't among those that the tests hold requests against.",
        "version": "Calendly has one version of its API, and neither takes nor tells one.",
        "environments": "Calendly has no sandbox, and nothing in an account tells what it is used for.",
    },
)
