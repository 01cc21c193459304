"""What is declared about Square."""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.kit import (
    Connection,
    Consent,
    Credential,
    HmacSignature,
    Level,
    Limit,
    Manifest,
    OAuth2,
    Settings,
)
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery, Environment

# The newest version whose description is at hand to hold requests and answers against. Newer ones exist; an endpoint
# stays for at least a year after it was deprecated: https://developer.squareup.com/docs/build-basics/versioning-overview
VERSION = "2025-08-20"

_CONSOLE = "developer.squareup.com › Console › your application"


class SquareSettings(Settings):
    location_id: str = Field(min_length=1, max_length=32)
    """The location that is meant, by its id: Square Dashboard › Settings › Locations; `bellwire check` lists them. What
    happens at other locations is left alone: give each a connection of its own."""
    merchant_id: str = Field(default="", max_length=32)
    """The seller, by the id that `bellwire check` shows: needed where several sellers signed in to your application,
    since Square sends the webhooks of all of them to one address. Empty: they are taken from any."""


def settings_of(connection: Connection) -> SquareSettings:
    settings = connection.settings
    assert isinstance(settings, SquareSettings)
    return settings


def _signed(delivery: Delivery) -> bytes:
    return delivery.url.encode() + delivery.body


def _event_id(delivery: Delivery) -> str:
    """The same each time that Square tries again."""
    try:
        return str(delivery.json["event_id"])
    except (ValueError, TypeError, KeyError):
        return body_hash(delivery)


MANIFEST = Manifest(
    name="square",
    title="Square",
    capabilities=("payments", "stock"),
    base_urls={
        Environment.SANDBOX: "https://connect.squareupsandbox.com",
        Environment.PRODUCTION: "https://connect.squareup.com",
    },
    root="/v2",
    # A token is good for 30 days. Square asks to renew it each week, so that it doesn't end while nobody notices.
    # https://developer.squareup.com/docs/oauth-api/best-practices
    auth=OAuth2(
        token_url="/oauth2/token",  # noqa: S106 - an address
        refresh_ahead=timedelta(days=23),
        client_auth_basic=False,
        json=True,
        consent=Consent("/oauth2/authorize", pkce=False, params={"session": "false"}),
    ),
    credentials=(
        Credential(
            "access_token",
            f"{_CONSOLE} › Credentials › Access token, of the sandbox or of production: that is all that your own "
            "account needs. A consent in the browser gives one, too",
        ),
        Credential(
            "client_id", f"{_CONSOLE} › OAuth › Application ID; only for a consent in the browser", required=False
        ),
        Credential(
            "client_secret",
            f"{_CONSOLE} › OAuth › Application secret; only for a consent in the browser",
            required=False,
        ),
        Credential("refresh_token", "what Square gives after a consent in the browser", required=False),
        Credential(
            "webhook_secret",
            f"{_CONSOLE} › Webhooks › Subscriptions › Signature key; only for webhooks. Where Bellwire "
            "sets them up by itself, it gets this, too",
            required=False,
        ),
    ),
    settings=SquareSettings,
    api_version=VERSION,
    version_echo="Square-Version",
    headers={"Square-Version": VERSION},
    scopes=(
        "DISPUTES_READ",
        "INVENTORY_READ",
        "INVENTORY_WRITE",
        "INVOICES_READ",
        "ITEMS_READ",
        "MERCHANT_PROFILE_READ",
        "ORDERS_READ",
        "PAYMENTS_READ",
        "PAYMENTS_WRITE",
        "SUBSCRIPTIONS_READ",
    ),
    # Square publishes no numbers, nor how long to wait after a 429: so few that a shop should never meet one.
    limits=(Limit(10, per=timedelta(seconds=1)),),
    parallel=4,
    # https://developer.squareup.com/docs/webhooks/step3validate
    webhook=HmacSignature("x-square-hmacsha256-signature", signed=_signed, identify=_event_id),
    docs="https://developer.squareup.com/reference/square",
    level=Level.GOLD,
)
