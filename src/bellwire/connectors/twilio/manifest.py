"""What is declared about Twilio."""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.kit import Basic, Credential, FixedReply, FormBody, Level, Limit, Manifest, Settings
from bellwire.connectors.twilio.signature import TwilioSignature
from bellwire.events import Environment

_ORIGIN = "https://api.twilio.com"
VERSION = "2010-04-01"


class TwilioSettings(Settings):
    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$")
    """Twilio Console › Account Info › Account SID. For the sandbox: the one of the test credentials."""
    sender: str = Field(pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32})$")
    """Who sends: one of your Twilio numbers, e.g. `+15125550100`, or the SID of a Messaging Service (MG…). For the
    sandbox: `+15005550006`."""
    reports_to: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Where Twilio reports what became of each message: this connection's address for webhooks. A Messaging Service has
    one of its own, which this takes the place of. Empty: only that."""


MANIFEST = Manifest(
    name="twilio",
    title="Twilio",
    capabilities=("sms",),
    # Test credentials are an account of their own at the same address: it sends nothing.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root=f"/{VERSION}/Accounts/{{account_sid}}/",
    auth=Basic("api_key", "api_key_secret"),
    credentials=(
        Credential(
            "api_key",
            "Twilio Console › Account › API keys & tokens › Create API key: its SID (SK…); for the sandbox the Account "
            "SID of the test credentials, on the same page",
        ),
        Credential(
            "api_key_secret", "Shown once, beside the key; for the sandbox the Auth Token of the test credentials"
        ),
        Credential(
            "auth_token",
            "Twilio Console › Account › API keys & tokens › Auth Tokens › Primary: what webhooks are signed with, "
            "whatever key signs in. Only for webhooks",
            required=False,
        ),
    ),
    settings=TwilioSettings,
    api_version=VERSION,
    # Twilio queues what a sender can't send at once, and publishes no number for asking: so few that a shop should
    # never meet it.
    limits=(Limit(10, per=timedelta(seconds=1)),),
    parallel=4,
    webhook=TwilioSignature(),
    webhook_credential="auth_token",
    webhook_body=FormBody(),
    # An answer without a message: what else Twilio is told, it would text to the customer, or complain about.
    webhook_reply=FixedReply(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml"),
    docs="https://www.twilio.com/docs/messaging/api/message-resource",
    level=Level.GOLD,
    exempt={
        "access": "An API key has no end, and Twilio doesn't say what one may do; there is no consent in the browser.",
    },
)
