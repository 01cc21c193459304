"""Google Calendar, declared: https://developers.google.com/workspace/calendar/api/v3/reference"""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.google_calendar.channels import ChannelToken
from bellwire.connectors.kit import (
    AnyBody,
    Connection,
    Consent,
    Credential,
    Level,
    Limit,
    Manifest,
    OAuth2,
    Settings,
    SignedGrant,
)
from bellwire.events import Environment

_ORIGIN = "https://www.googleapis.com"
_TOKENS = "https://oauth2.googleapis.com/token"
# freeBusy isn't covered by the scope of events.
_SCOPES = ("https://www.googleapis.com/auth/calendar.events", "https://www.googleapis.com/auth/calendar.freebusy")
_PERSON = "console.cloud.google.com › APIs & Services › Credentials › your OAuth client"
_SERVICE = "console.cloud.google.com › IAM & Admin › Service accounts › your account › Keys › the JSON file"


class GoogleCalendarSettings(Settings):
    calendar: str = Field(default="primary", min_length=1)
    """The calendar's id: calendar.google.com › the calendar's settings › Integrate calendar. `primary` is the main one
    of who signed in. A service account needs the id of a calendar that was shared with it ('Make changes to events').
    There is no sandbox: try things out in a calendar of their own."""


def settings_of(connection: Connection) -> GoogleCalendarSettings:
    """The settings of a connection to a calendar, typed."""
    assert isinstance(connection.settings, GoogleCalendarSettings)
    return connection.settings


MANIFEST = Manifest(
    name="google_calendar",
    title="Google Calendar",
    capabilities=("calendar",),
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/calendar/v3/",
    auth=OAuth2(
        token_url=_TOKENS,
        client_auth_basic=False,
        consent=Consent(
            "https://accounts.google.com/o/oauth2/v2/auth",
            # Without these there is no refresh token, or only the first time.
            params={"access_type": "offline", "prompt": "consent"},
        ),
        service=SignedGrant(_TOKENS, issuer="service_email", scope=" ".join(_SCOPES)),
    ),
    credentials=(
        Credential("client_id", f"{_PERSON} › Client ID; not with a service account", required=False),
        Credential("client_secret", f"{_PERSON} › Client secret; not with a service account", required=False),
        Credential(
            "refresh_token",
            "what Google gives after your consent in the browser; not with a service account",
            required=False,
        ),
        Credential("service_email", f"{_SERVICE}, client_email; only with a service account", required=False),
        Credential("private_key", f"{_SERVICE}, private_key; only with a service account", required=False),
        Credential("access_token", "renewed by itself", required=False),
        Credential("webhook_secret", "made up when Google is asked to tell of changes", required=False),
        Credential("channel", "kept by itself: which channel Google tells of changes by", required=False),
    ),
    settings=GoogleCalendarSettings,
    api_version="v3",
    scopes=_SCOPES,
    # Of each user; a project may have less, which answers tell: https://developers.google.com/workspace/calendar/api/guides/quota
    limits=(Limit(600, per=timedelta(minutes=1)),),
    parallel=5,
    webhook=ChannelToken(),
    webhook_body=AnyBody(),
    docs="https://developers.google.com/workspace/calendar/api/v3/reference",
    level=Level.GOLD,
    exempt={"environments": "Google has no sandbox, and nothing tells a calendar for trying out from any other."},
)
