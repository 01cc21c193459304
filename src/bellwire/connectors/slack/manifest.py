"""What is declared about Slack."""

from datetime import timedelta
from enum import StrEnum

from pydantic import Field

from bellwire.connectors.kit import (
    Connection,
    Consent,
    Credential,
    Handshake,
    Level,
    Limit,
    Manifest,
    OAuth2,
    Settings,
    TimedSignature,
)
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery, Environment

_ORIGIN = "https://slack.com"
_MINUTE = timedelta(minutes=1)
_VERIFICATION = "url_verification"


class Heard(StrEnum):
    MENTIONS = "mentions"
    ALL = "all"


class SlackSettings(Settings):
    team_id: str = Field(default="", pattern=r"^([TE][A-Z0-9]+)?$")
    """The workspace's id (T…; `bellwire check` shows it): what comes from another one is refused. Empty: whichever the
    token is for."""
    messages: Heard = Heard.MENTIONS
    """Which messages are events: `mentions` for those that mention the app, and what is written to it directly; `all`
    for every message in the channels that it is a member of."""


def settings_of(connection: Connection) -> SlackSettings:
    assert isinstance(connection.settings, SlackSettings)
    return connection.settings


def _event_id(delivery: Delivery) -> str:
    """The same for each of Slack's tries."""
    body = delivery.json
    return str((isinstance(body, dict) and body.get("event_id")) or body_hash(delivery))


def _verification(delivery: Delivery) -> Handshake | None:
    """Slack tries the address when it is entered, and wants to read its challenge."""
    if _VERIFICATION.encode() not in delivery.body:
        return None
    try:
        body = delivery.json
    except ValueError:
        return None
    if not isinstance(body, dict) or body.get("type") != _VERIFICATION:
        return None
    return Handshake(str(body.get("challenge", ""))[:200].encode())


MANIFEST = Manifest(
    name="slack",
    title="Slack",
    capabilities=("chat",),
    # There is no sandbox: a workspace of one's own, for trying things out, is one.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/api",
    # A token lasts until it is revoked; where token rotation is turned on, for 12 hours, and each refresh token is good
    # for one use.
    auth=OAuth2(
        f"{_ORIGIN}/api/oauth.v2.access",
        consent=Consent(f"{_ORIGIN}/oauth/v2/authorize", pkce=False, scope_separator=","),
    ),
    credentials=(
        Credential(
            "access_token",
            "api.slack.com/apps › your app › OAuth & Permissions › Bot User OAuth Token (xoxb-…); "
            "then invite the app to each channel it posts in: /invite @app",
        ),
        Credential(
            "webhook_secret",
            "api.slack.com/apps › your app › Basic Information › App Credentials › Signing Secret; only for events",
            required=False,
        ),
        Credential("client_id", "the same page › Client ID; only for a consent or token rotation", required=False),
        Credential("client_secret", "the same page › Client Secret; likewise", required=False),
        Credential("refresh_token", "given with the token where token rotation is turned on", required=False),
    ),
    settings=SlackSettings,
    # The second and third to look whether a message is there already, when an answer was lost, and what events didn't
    # bring; for private channels `groups:read` and `groups:history` take their place.
    scopes=("chat:write", "channels:read", "channels:history", "app_mentions:read"),
    # Each method has its own. Posting: one message a second in a channel, with bursts, and "several hundred" a minute
    # in the workspace, of which 200 is a careful reading; tier 3 of the others: 50.
    # https://docs.slack.dev/apis/web-api/rate-limits
    limits=(
        Limit(10, per=timedelta(seconds=10), of="chat.postMessage", apart=True),
        Limit(200, per=_MINUTE, of="chat.postMessage"),
        Limit(50, per=_MINUTE, of="conversations.list"),
        Limit(50, per=_MINUTE, of="conversations.history"),
        Limit(50, per=_MINUTE, of="users.conversations"),
    ),
    parallel=4,
    webhook=TimedSignature(
        "X-Slack-Signature",
        time_header="X-Slack-Request-Timestamp",
        lead=b"v0:",
        between=b":",
        prefix="v0=",
        encoding="hex",
        identify=_event_id,
        test=_verification,
    ),
    webhook_setup="api.slack.com/apps › your app › Event Subscriptions: turn it on, enter the address as Request URL, "
    "and add the bot events app_mention and message.im; with `messages` set to all, message.channels too",
    docs="https://docs.slack.dev/reference/methods/chat.postMessage",
    level=Level.GOLD,
    exempt={
        "subscriptions": "What an app is told of is entered on Slack's pages: a bot's token can't read or change it.",
        "version": "Slack's methods and events have no versions.",
    },
)
