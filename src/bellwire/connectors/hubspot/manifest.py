"""HubSpot, declared."""

from datetime import date, timedelta

from pydantic import Field

from bellwire.connectors.hubspot.signature import SignatureV3
from bellwire.connectors.kit import Consent, Credential, Level, Limit, Manifest, OAuth2, Settings
from bellwire.events import Environment

VERSION = "2026-09"
"""Stands in each path: https://developers.hubspot.com/docs/api-reference/latest/overview"""
_ORIGIN = "https://api.hubapi.com"
_SECOND = timedelta(seconds=1)


class HubSpotSettings(Settings):
    portal_id: str = Field(pattern=r"^[0-9]+$")
    """The account's Hub ID: HubSpot shows it in the menu at the top right, below your name."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """The account's own currency, e.g. USD: that of deals which don't say another."""
    pipeline: str = "default"
    """The pipeline that new deals go into, by its id or name."""


MANIFEST = Manifest(
    name="hubspot",
    title="HubSpot",
    capabilities=("crm",),
    # Sandboxes and test accounts are accounts of their own at the same address.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root=f"/crm/objects/{VERSION}/",
    auth=OAuth2(
        token_url=f"{_ORIGIN}/oauth/{VERSION}/token",
        client_auth_basic=False,
        consent=Consent("https://app.hubspot.com/oauth/authorize"),
    ),
    credentials=(
        Credential(
            "access_token",
            "HubSpot › Development › Keys › Service keys, or the access token of your private app (pat-…); not with "
            "refresh_token",
            required=False,
        ),
        Credential(
            "client_id", "HubSpot › Development › your app › Auth › Client ID; only with refresh_token", required=False
        ),
        Credential("client_secret", "The same page › Client secret; only with refresh_token", required=False),
        Credential("refresh_token", "what a consent in the browser gives your app", required=False),
        Credential(
            "webhook_secret",
            "The app's client secret (Development › your app › Auth), which signs webhooks; only for webhooks",
            required=False,
        ),
    ),
    settings=HubSpotSettings,
    api_version=VERSION,
    # Each version is supported for 18 months at least.
    sunset=date(2028, 3, 1),
    scopes=(
        "oauth",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "crm.objects.owners.read",
    ),
    # https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines: searches share 5 a second.
    limits=(
        Limit(100, per=timedelta(seconds=10), remaining="X-HubSpot-RateLimit-Remaining"),
        Limit(3, per=_SECOND, of="contacts/search"),
        Limit(2, per=_SECOND, of="deals/search"),
    ),
    webhook=SignatureV3(),
    webhook_setup="HubSpot › Development › your app › Webhooks: target URL, and subscriptions to contacts and deals "
    "(created, changed, deleted, merged, restored)",
    docs="https://developers.hubspot.com/docs/api-reference/latest/overview",
    level=Level.GOLD,
    exempt={
        "spec": "HubSpot's description of its API may not be copied; its SDK holds the practice server to it instead.",
        "subscriptions": "HubSpot has no API for the webhooks of private and project apps: they are set in the app.",
    },
)
