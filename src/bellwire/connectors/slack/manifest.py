"""What is declared about Slack."""

from datetime import timedelta

from bellwire.connectors.kit import Bearer, Credential, Limit, Manifest
from bellwire.events import Environment

_ORIGIN = "https://slack.com"
_MINUTE = timedelta(minutes=1)

MANIFEST = Manifest(
    name="slack",
    title="Slack",
    capabilities=("chat",),
    # There is no sandbox: a workspace of one's own, for trying things out, is one.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/api",
    auth=Bearer("access_token"),
    credentials=(
        Credential(
            "access_token",
            "api.slack.com/apps › your app › OAuth & Permissions › Bot User OAuth Token (xoxb-…); "
            "then invite the app to each channel it posts in: /invite @app",
        ),
    ),
    # The last two only to look whether a message is there already, when an answer was lost; for private channels
    # `groups:read` and `groups:history` take their place.
    scopes=("chat:write", "channels:read", "channels:history"),
    # Each method has its own. Posting: one message a second in a channel, with bursts, and "several hundred" a minute
    # in the workspace, of which 200 is a careful reading; tier 3 of the others: 50.
    # https://docs.slack.dev/apis/web-api/rate-limits
    limits=(
        Limit(10, per=timedelta(seconds=10), of="chat.postMessage", apart=True),
        Limit(200, per=_MINUTE, of="chat.postMessage"),
        Limit(50, per=_MINUTE, of="conversations.list"),
        Limit(50, per=_MINUTE, of="conversations.history"),
    ),
    parallel=4,
    docs="https://docs.slack.dev/reference/methods/chat.postMessage",
)
