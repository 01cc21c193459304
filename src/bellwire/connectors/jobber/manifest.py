"""Jobber, declared."""

from datetime import date, timedelta

from pydantic import Field

from bellwire.connectors.kit import (
    Call,
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
from bellwire.events import Environment

VERSION = "2026-09-25"
_ORIGIN = "https://api.getjobber.com"


class JobberSettings(Settings):
    account_id: str = Field(min_length=1)
    """The account's id at Jobber, e.g. MQ==: `bellwire check` tells it; until you know it, write 0."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """The account's currency, e.g. CAD: Jobber's amounts don't say it."""


def settings_of(place: Call | Connection) -> JobberSettings:
    assert isinstance(place.settings, JobberSettings)
    return place.settings


MANIFEST = Manifest(
    name="jobber",
    title="Jobber",
    capabilities=("field_service",),
    # A developer's test account is an account like any other.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/api/",
    # Each refresh token is good for one use.
    auth=OAuth2(
        token_url=f"{_ORIGIN}/api/oauth/token",
        client_auth_basic=False,
        consent=Consent(f"{_ORIGIN}/api/oauth/authorize", pkce=False),
    ),
    credentials=(
        Credential("client_id", "developer.getjobber.com › Apps › your app › Client ID"),
        Credential("client_secret", "The same page › Client secret"),
        Credential("refresh_token", "what a consent in the browser gives your app"),
        Credential("access_token", "renewed from the refresh token", required=False),
        Credential(
            "webhook_secret", "The app's client secret again, which signs webhooks; only for webhooks", required=False
        ),
    ),
    settings=JobberSettings,
    api_version=VERSION,
    headers={"X-JOBBER-GRAPHQL-VERSION": VERSION},
    # A version is supported for 12 months at least.
    # https://developer.getjobber.com/docs/using_jobbers_api/api_versioning
    sunset=date(2027, 9, 25),
    scopes=("read_clients", "write_clients", "read_jobs", "write_jobs", "read_users", "read_time_sheets"),
    # Besides, each query costs points, and answers say how many are left.
    # https://developer.getjobber.com/docs/using_jobbers_api/api_rate_limits
    limits=(Limit(2500, per=timedelta(minutes=5)),),
    parallel=4,
    webhook=HmacSignature("X-Jobber-Hmac-SHA256"),
    webhook_setup="developer.getjobber.com › Apps › your app › Webhooks: the address, for each of the topics",
    docs="https://developer.getjobber.com/docs",
    level=Level.GOLD,
    exempt={
        "spec": "Jobber shows its schema only to apps that are signed in; the practice server has what is used of it.",
        "sdk": "There is no official SDK.",
        "subscriptions": "Jobber has no API for webhooks: they are set in its Developer Center.",
        "environments": "A test account can't be told from another; `account_id` holds a connection to one.",
    },
)
