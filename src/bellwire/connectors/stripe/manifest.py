"""What is declared about Stripe."""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.kit import Bearer, Connection, Credential, Level, Limit, Manifest, Settings
from bellwire.connectors.stripe.signature import StripeSignature
from bellwire.events import Environment

_ORIGIN = "https://api.stripe.com"
# What changes within one name (`dahlia`) is added to, and breaks nothing.
_VERSION = "2026-06-24.dahlia"

PERMISSIONS = {
    "PaymentIntents: Read": "payment_intents",
    "Charges: Read": "charges",
    "Refunds: Write": "refunds",
    "Invoices: Write": "invoices",
    "Subscriptions: Read": "subscriptions",
    "Events: Read": "events",
    "Webhook Endpoints: Write": "webhook_endpoints",
}
"""What a restricted key needs, as the Dashboard calls it → the list that shows whether it has it."""


class StripeSettings(Settings):
    reference: str = Field(default="order_id", min_length=1, max_length=40)
    """The key under which your shop writes the order's number into a payment's metadata: Stripe Dashboard › Payments ›
    a payment › Metadata."""


MANIFEST = Manifest(
    name="stripe",
    title="Stripe",
    capabilities=("payments",),
    # Test and live are told apart by the key.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/v1",
    auth=Bearer("access_token"),
    credentials=(
        Credential(
            "access_token",
            "Stripe Dashboard › Developers › API keys › Create restricted key (rk_test_… or rk_live_…), with the "
            "permissions that `bellwire check` names",
        ),
        Credential(
            "webhook_secret",
            "comes of itself when Bellwire makes the endpoint; else Stripe Dashboard › Developers › Webhooks "
            "› your endpoint › Signing secret (whsec_…)",
            required=False,
        ),
    ),
    settings=StripeSettings,
    api_version=_VERSION,
    version_echo="Stripe-Version",
    headers={"Stripe-Version": _VERSION},
    scopes=tuple(PERMISSIONS),
    # https://docs.stripe.com/rate-limits: 25 a second for the sandbox, and for each endpoint of a live account.
    limits=(Limit(25, per=timedelta(seconds=1)),),
    webhook=StripeSignature(),
    docs="https://docs.stripe.com/api",
    level=Level.GOLD,
)


def settings_of(connection: Connection) -> StripeSettings:
    assert isinstance(connection.settings, StripeSettings)
    return connection.settings
