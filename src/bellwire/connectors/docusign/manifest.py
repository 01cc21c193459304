"""DocuSign, declared: https://developers.docusign.com/docs/esign-rest-api/"""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.docusign.signature import SIGNATURE
from bellwire.connectors.kit import Connection, Credential, Level, Limit, Manifest, Settings, SignedGrant
from bellwire.events import Environment

_APP = "DocuSign › Settings › Apps and Keys"
SCOPES = ("signature", "impersonation")


class DocuSignSettings(Settings):
    account_id: str = Field(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
    """The account: DocuSign › Settings › Apps and Keys › API Account ID. `bellwire check` lists those that the sign-in
    reaches; until you know it, write 00000000-0000-0000-0000-000000000000."""
    role: str = Field(default="Signer", min_length=1)
    """The role in your templates that is played by who signs."""


def settings_of(connection: Connection) -> DocuSignSettings:
    """The settings of a connection to an account, typed."""
    assert isinstance(connection.settings, DocuSignSettings)
    return connection.settings


MANIFEST = Manifest(
    name="docusign",
    title="DocuSign",
    capabilities=("esign",),
    # Where accounts sign in. Which server an account lives on, that tells.
    base_urls={
        Environment.SANDBOX: "https://account-d.docusign.com",
        Environment.PRODUCTION: "https://account.docusign.com",
    },
    auth=SignedGrant("/oauth/token", subject="user_id", audience="{host}", scope=" ".join(SCOPES)),
    credentials=(
        Credential("client_id", f"{_APP} › your app › Integration Key"),
        Credential("user_id", f"{_APP} › User ID: in whose name contracts are sent"),
        Credential(
            "private_key",
            f"{_APP} › your app › RSA Keypairs › Generate RSA › Private Key; it is several lines: take it from a file",
        ),
        Credential("access_token", "renewed by itself", required=False),
        Credential(
            "webhook_secret",
            "DocuSign › Settings › Connect › Connect Keys › Add secret key; only for webhooks",
            required=False,
        ),
    ),
    settings=DocuSignSettings,
    api_version="v2.1",
    scopes=SCOPES,
    # https://developers.docusign.com/platform/resource-limits/
    limits=(
        Limit(3000, per=timedelta(hours=1), remaining="X-RateLimit-Remaining"),
        Limit(500, per=timedelta(seconds=30), remaining="X-BurstLimit-Remaining"),
    ),
    parallel=5,
    webhook=SIGNATURE,
    docs="https://developers.docusign.com/docs/esign-rest-api/",
    level=Level.GOLD,
)
