"""What is declared about Zendesk."""

from datetime import date, timedelta

from pydantic import Field

from bellwire.connectors.kit import (
    Basic,
    ClientCredentials,
    Connection,
    Credential,
    Level,
    Limit,
    Manifest,
    Settings,
    TimedSignature,
)
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery, Environment

API_TOKENS_END = date(2027, 4, 30)
"""From then on no API token signs in any more."""
SCOPES = ("tickets:read", "tickets:write", "users:read", "webhooks:read", "webhooks:write")

_MINUTE = timedelta(minutes=1)
_TICKETS = "tickets/*"


class ZendeskSettings(Settings):
    subdomain: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """The account's name at Zendesk: what comes before `.zendesk.com`. A sandbox has one of its own."""
    user_id: str = Field(default="", pattern=r"^\d*$")
    """The id of the user as whom the connection signs in (`bellwire check` shows it): what that user does starts no
    flow, so that a flow never answers itself. Empty: it may."""


def settings_of(connection: Connection) -> ZendeskSettings:
    assert isinstance(connection.settings, ZendeskSettings)
    return connection.settings


def _delivery_id(delivery: Delivery) -> str:
    """An event's own id; what an account's own trigger sends has none, and is known by its invocation."""
    body = delivery.json
    known = body.get("id") if isinstance(body, dict) and "zendesk_event_version" in body else None
    return str(known or delivery.headers.get("x-zendesk-webhook-invocation-id") or body_hash(delivery))


_ORIGIN = "https://{subdomain}.zendesk.com"

MANIFEST = Manifest(
    name="zendesk",
    title="Zendesk",
    capabilities=("helpdesk",),
    # A sandbox is an account of its own, at a subdomain of its own.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/api/v2/",
    auth=ClientCredentials("/oauth/tokens", scope=" ".join(SCOPES), instead=Basic("api_user", "api_token")),
    credentials=(
        Credential(
            "client_id",
            "Admin Center › Apps and integrations › APIs › OAuth clients › Add, kind Confidential, made by a user who "
            "is there for Bellwire alone: its unique identifier",
            required=False,
        ),
        Credential("client_secret", "Shown once, when the OAuth client is saved", required=False),
        Credential("access_token", "bought with the client, and renewed", required=False),
        Credential(
            "api_user",
            "Only without an OAuth client: the e-mail address of the token's user followed by /token, "
            "e.g. robin@example.com/token",
            required=False,
        ),
        Credential(
            "api_token",
            f"Only without an OAuth client: an API token made earlier. All of them end on {API_TOKENS_END:%d %B %Y}",
            required=False,
        ),
        Credential(
            "webhook_secret",
            "Fetched when Bellwire makes the webhook; by hand: Admin Center › Apps and integrations › Webhooks › the "
            "webhook › Signing secret. Only for webhooks",
            required=False,
        ),
    ),
    settings=ZendeskSettings,
    api_version="v2",
    scopes=SCOPES,
    # The smallest plan has 200 a minute; what a larger one leaves, the answers tell. A ticket may be changed 30 times
    # in ten minutes, all of them a hundred times a minute; reading them is counted here too, which is on the safe side.
    # https://developer.zendesk.com/api-reference/introduction/rate-limits/
    limits=(
        Limit(200, per=_MINUTE, remaining="X-Rate-Limit-Remaining"),
        Limit(100, per=_MINUTE, of=_TICKETS),
        Limit(30, per=timedelta(minutes=10), of=_TICKETS, apart=True),
        Limit(10, per=_MINUTE, of="incremental/tickets/cursor"),
    ),
    parallel=4,
    webhook=TimedSignature(
        "X-Zendesk-Webhook-Signature",
        time_header="X-Zendesk-Webhook-Signature-Timestamp",
        between=b"",
        iso=True,
        identify=_delivery_id,
    ),
    docs="https://developer.zendesk.com/api-reference/",
    level=Level.GOLD,
    exempt={
        "sdk": "Zendesk has no official SDK for Python.",
        "spec": "Zendesk's own description isn't among those that the tests hold requests against.",
        "environments": "Zendesk doesn't tell a sandbox from a real account: each is an account of its own with its "
        "own subdomain, client and secret, and signing in says so.",
    },
)
