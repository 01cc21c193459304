"""What is declared about Lightspeed Retail (X-Series)."""

from datetime import date, timedelta

from pydantic import Field

from bellwire.connectors.kit import Connection, Consent, Credential, FormBody, Level, Limit, Manifest, OAuth2, Settings
from bellwire.connectors.lightspeed.signature import StoreSignature
from bellwire.events import Environment

_VERSION = "2026-07"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class StoreSettings(Settings):
    domain_prefix: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    """The store's short name: the part of its address before .retail.lightspeed.app, e.g. `hill-tea`."""
    outlet_id: str = Field(pattern=_UUID)
    """The outlet whose stock is meant: Setup › Outlets and registers › the outlet, the last part of its page's address;
    `bellwire check` lists them."""


def settings_of(connection: Connection) -> StoreSettings:
    """The settings of a connection to a store, typed."""
    assert isinstance(connection.settings, StoreSettings)
    return connection.settings


_STORE = "https://{domain_prefix}.retail.lightspeed.app"

MANIFEST = Manifest(
    name="lightspeed",
    title="Lightspeed Retail",
    capabilities=("stock",),
    # A trial store is a sandbox; its address looks like any other.
    base_urls={Environment.SANDBOX: _STORE, Environment.PRODUCTION: _STORE},
    root=f"/api/{_VERSION}/",
    auth=OAuth2(
        token_url="/api/1.0/token",  # noqa: S106 - an address
        client_auth_basic=False,
        consent=Consent("https://secure.retail.lightspeed.app/connect", pkce=False),
    ),
    credentials=(
        Credential(
            "client_secret",
            "developers.retail.lightspeed.app › Applications › your application › Client secret; deliveries are signed "
            "with it. Not with a personal token, whose webhooks can't be verified",
            required=False,
        ),
        Credential(
            "client_id",
            "developers.retail.lightspeed.app › Applications › your application › Client ID; not with a personal token",
            required=False,
        ),
        Credential(
            "refresh_token",
            "`bellwire connect` gets it, once the store's owner allows it in the browser; not with a personal token",
            required=False,
        ),
        Credential(
            "access_token",
            "Renewed from the refresh token; or a personal token (the store's Setup › Personal tokens, Plus plan)",
            required=False,
        ),
    ),
    settings=StoreSettings,
    api_version=_VERSION,
    # A version is supported for at least 12 months: https://x-series-api.lightspeedhq.com/docs/versioning_strategy
    sunset=date(2027, 7, 1),
    # Without a User-Agent that names the integration requests may be blocked.
    headers={"User-Agent": "Bellwire"},
    scopes=(
        "retailer:read",
        "payment_types:read",  # The retailer isn't shown without.
        "outlets:read",
        "products:read",
        "inventory:read",
        "inventory:write",
        "webhooks",
    ),
    # 50, and 300 for each register: this is what a store with one has.
    # https://x-series-api.lightspeedhq.com/docs/rate_limiting
    limits=(Limit(350, per=timedelta(minutes=5), remaining="X-RateLimit-Remaining"),),
    parallel=4,
    webhook=StoreSignature(),
    webhook_credential="client_secret",
    webhook_body=FormBody("payload"),
    level=Level.GOLD,
    exempt={
        "sdk": "Lightspeed offers no client library for Python.",
        "environments": "A trial store has addresses and keys like any other's, and doesn't say that it is one.",
    },
    docs="https://x-series-api.lightspeedhq.com/",
)
