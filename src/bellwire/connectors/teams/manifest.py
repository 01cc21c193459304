"""What is declared about Microsoft Teams.

Messages go out by workflows (Power Automate), one for each channel: the connectors of Microsoft 365 have ended. They
come in by an outgoing webhook, which a team has for itself.
"""

from datetime import timedelta

from bellwire.connectors.kit import Credential, Level, Limit, Manifest
from bellwire.connectors.teams.signature import SecurityToken
from bellwire.connectors.teams.workflows import CREDENTIAL
from bellwire.events import Environment

MANIFEST = Manifest(
    name="teams",
    title="Microsoft Teams",
    capabilities=("chat",),
    # The addresses of the workflows are whole ones, and there is no sandbox: a channel for trying things out is one.
    base_urls={Environment.SANDBOX: "", Environment.PRODUCTION: ""},
    credentials=(
        Credential(
            CREDENTIAL,
            "Teams › Workflows › Send webhook alerts to a channel: the URL that it shows at the end, after the "
            "channel's name and =, as in packing=https://…; several, separated by spaces; one without a name takes the "
            "messages to all other channels. Give the workflow a second owner: else it ends with its owner's account",
        ),
        Credential(
            "webhook_secret",
            "Teams › your team › Manage team › Apps › Create an outgoing webhook: the security token that it shows "
            "once; only to take messages that mention it",
            required=False,
        ),
    ),
    # What a channel takes: https://learn.microsoft.com/en-us/graph/throttling-limits#microsoft-teams-service-limits
    # Power Automate itself counts by the day and the licence, and answers 429.
    limits=(Limit(1, per=timedelta(seconds=1), apart=True),),
    parallel=4,
    webhook=SecurityToken("Authorization", prefix="HMAC "),
    # Without a message in the answer, Teams shows the person an error.
    webhook_reply={"type": "message", "text": "Accepted."},
    webhook_setup="Teams › your team › Manage team › Apps › Create an outgoing webhook › Callback URL.",
    level=Level.GOLD,
    exempt={
        "spec": "Microsoft publishes no description of what workflows take, but that of cards.",
        "sdk": "Microsoft's library for workflows' webhooks has ended with the connectors of Microsoft 365.",
        "paging": "A workflow takes messages and shows nothing.",
        "reconcile": "Messages can't be listed but by an application of one's own at Microsoft, with rights over all.",
        "subscriptions": "Outgoing webhooks are made by hand, in the team that they are for.",
        "version": "Each workflow's own URL has the version that it was made with.",
        "environments": "There is no sandbox: a channel for trying things out is one, with a workflow of its own.",
        "access": "Nobody signs in: who has a workflow's URL may post to its channel, and no more.",
    },
    docs="https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using",
)
