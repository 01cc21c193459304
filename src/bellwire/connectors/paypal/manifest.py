"""What is declared about PayPal."""

from datetime import timedelta
from typing import Literal

from bellwire.connectors.kit import ClientCredentials, Connection, Credential, Level, Limit, Manifest, Settings
from bellwire.connectors.paypal.signature import TransmissionSignature
from bellwire.events import Environment

_SERVICES = "https://uri.paypal.com/services"


class PayPalSettings(Settings):
    reference: Literal["invoice_id", "custom_id"] = "invoice_id"
    """Where your shop writes the order's number: PayPal › Activity › a payment › Invoice ID (invoice_id) or Custom
    (custom_id). Where that one is empty, the other counts."""
    certificates: tuple[str, ...] = ()
    """Addresses of certificates that PayPal signs with, for a Bellwire of several processes: the log names one that is
    missing. `bellwire check` fetches them. One process alone needs none."""


MANIFEST = Manifest(
    name="paypal",
    title="PayPal",
    capabilities=("payments",),
    base_urls={
        Environment.SANDBOX: "https://api-m.sandbox.paypal.com",
        Environment.PRODUCTION: "https://api-m.paypal.com",
    },
    auth=ClientCredentials("/v1/oauth2/token", client_auth_basic=True),
    credentials=(
        Credential("client_id", "developer.paypal.com › Apps & Credentials › Sandbox or Live › your app › Client ID"),
        Credential("client_secret", "in the same place, Secret key 1"),
        Credential(
            "webhook_secret",
            "comes of itself when Bellwire makes the webhook; else the webhook's ID, which the same page of "
            "your app shows below Webhooks. Bellwire adds the certificates that it has fetched",
            required=False,
        ),
    ),
    settings=PayPalSettings,
    # Each API has its version in its path.
    api_version="payments v2, webhooks v1",
    scopes=(
        f"{_SERVICES}/payments/payment/authcapture",
        f"{_SERVICES}/payments/refund",
        f"{_SERVICES}/applications/webhooks",
    ),
    # PayPal publishes no numbers: so few that a shop should never meet one.
    limits=(Limit(10, per=timedelta(seconds=1)),),
    parallel=4,
    webhook=lambda _settings: TransmissionSignature(),
    docs="https://developer.paypal.com/api/rest/",
    level=Level.GOLD,
)


def settings_of(connection: Connection) -> PayPalSettings:
    assert isinstance(connection.settings, PayPalSettings)
    return connection.settings
