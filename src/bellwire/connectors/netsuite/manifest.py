"""NetSuite, declared.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540391670.html
"""

from pydantic import Field, computed_field

from bellwire.connectors.kit import (
    Connection,
    Credential,
    HmacSignature,
    Level,
    Manifest,
    Settings,
    SignedGrant,
)
from bellwire.events import Environment

_ORIGIN = "https://{host}.suitetalk.api.netsuite.com"
_M2M = "NetSuite › Setup › Integration › OAuth 2.0 Client Credentials (M2M) Setup"


class NetSuiteSettings(Settings):
    account: str = Field(pattern=r"^[A-Z0-9]+(_(SB|RP)[0-9]*)?$")
    """The account's id: Setup › Company › Company Information › Account ID, e.g. 1234567, or 1234567_SB1 for a sandbox.
    """
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """The currency of the account, e.g. USD."""
    multicurrency: bool = False
    """Whether suppliers may have currencies of their own (Setup › Company › Enable Features › Multiple Currencies)."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def host(self) -> str:
        """The account's part of its address."""
        return self.account.lower().replace("_", "-")

    @property
    def environment(self) -> Environment:
        """Sandboxes, release previews and test drives are told by the account's id."""
        tried_out = "_" in self.account or self.account.startswith("TSTDRV")
        return Environment.SANDBOX if tried_out else Environment.PRODUCTION


def settings_of(connection: Connection) -> NetSuiteSettings:
    """The settings of a connection to an account, typed."""
    assert isinstance(connection.settings, NetSuiteSettings)
    return connection.settings


MANIFEST = Manifest(
    name="netsuite",
    title="NetSuite",
    capabilities=("purchasing",),
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/services/rest/",
    auth=SignedGrant(
        "/services/rest/auth/oauth2/v1/token",
        scope="rest_webservices",
        key_id="certificate_id",
        as_client=True,
        pss=True,
    ),
    credentials=(
        Credential("client_id", "NetSuite › Setup › Integration › Manage Integrations › yours › Client ID, shown once"),
        Credential("certificate_id", f"{_M2M} › the row of your certificate › Certificate ID"),
        Credential(
            "private_key",
            f"the key of the certificate that was uploaded in {_M2M}: RSA, or EC on P-256; it is several lines: "
            "take it from a file",
        ),
        Credential("access_token", "renewed by itself", required=False),
        Credential(
            "webhook_secret", "the API secret custsecret_bellwire in NetSuite; only for webhooks", required=False
        ),
    ),
    settings=NetSuiteSettings,
    api_version="v1",
    # A field's misspelt name would otherwise be passed over in silence.
    headers={"X-NetSuite-PropertyNameValidation": "Error"},
    scopes=("rest_webservices",),
    # How many at once is all that NetSuite counts: 5 for the whole account in the smallest tier.
    parallel=2,
    webhook=HmacSignature("X-Signature", encoding="hex", prefix="sha256="),
    webhook_setup="NetSuite › Customization › Scripting › Scripts › New: upload `receipts.js`, which lies beside the "
    "connector, with the address in its first lines, and deploy it on Item Receipt. The secret goes to Setup › Company "
    "› API Secrets, with the id _bellwire",
    docs="https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540391670.html",
    level=Level.GOLD,
    exempt={
        "spec": "NetSuite publishes no description of its API: each account describes its own.",
        "sdk": "There is no official library for Python.",
        "subscriptions": "NetSuite sends nothing by itself: a script does, which a person deploys.",
    },
)
