"""What is declared about Shopify."""

from datetime import date, timedelta

from pydantic import Field, field_validator

from bellwire.connectors.kit import (
    ClientCredentials,
    Connection,
    Credential,
    HmacSignature,
    Level,
    Limit,
    Manifest,
    Settings,
)
from bellwire.connectors.kit.webhooks import body_hash
from bellwire.events import Delivery, Environment

API_VERSION = "2026-07"
_DOMAIN = ".myshopify.com"


class ShopifySettings(Settings):
    shop: str = Field(default="", pattern=r"^[a-z0-9-]*$")
    """The shop's name at Shopify: the part before `.myshopify.com`."""
    location_id: str = Field(default="", pattern=r"^[0-9]*$")
    """The location that this connection is about; empty: all of them."""

    @field_validator("shop", mode="before")
    @classmethod
    def _name_only(cls, value: object) -> object:
        """People copy the whole address."""
        if not isinstance(value, str):
            return value
        return value.strip().lower().removeprefix("https://").rstrip("/").removesuffix(_DOMAIN)

    @property
    def domain(self) -> str:
        return self.shop + _DOMAIN


def settings_of(connection: Connection) -> ShopifySettings:
    assert isinstance(connection.settings, ShopifySettings)
    return connection.settings


def header(delivery: Delivery, name: str) -> str:
    """`X-Shopify-NAME`, or `Shopify-NAME` as newer deliveries spell it; empty when there is neither."""
    return delivery.headers.get(f"x-shopify-{name}") or delivery.headers.get(f"shopify-{name}") or ""


def _delivery_id(delivery: Delivery) -> str:
    return header(delivery, "webhook-id") or body_hash(delivery)


_ORIGIN = "https://{shop}" + _DOMAIN

MANIFEST = Manifest(
    name="shopify",
    title="Shopify",
    capabilities=("storefront",),
    # There is no sandbox host: a development store is one.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root=f"/admin/api/{API_VERSION}/",
    auth=ClientCredentials("/admin/oauth/access_token", header="X-Shopify-Access-Token", prefix=""),
    credentials=(
        Credential(
            "client_id",
            "dev.shopify.com › Apps › your app › Settings › Client ID; not with access_token",
            required=False,
        ),
        Credential(
            "client_secret",
            "dev.shopify.com › Apps › your app › Settings › Secret; not with access_token",
            required=False,
        ),
        Credential(
            "access_token",
            "Only of a custom app made in the shop's admin before 2026: its Admin API access token (shpat_…)",
            required=False,
        ),
        Credential(
            "webhook_secret", "What deliveries are signed with: the app's secret (Client secret, API secret key)"
        ),
    ),
    settings=ShopifySettings,
    api_version=API_VERSION,
    # A version is supported for at least 12 months: https://shopify.dev/docs/api/usage/versioning
    sunset=date(2027, 7, 1),
    # A version that has ended is answered by the oldest that hasn't.
    version_echo="X-Shopify-API-Version",
    notices=("X-Shopify-API-Deprecated-Reason",),
    scopes=(
        "read_orders",
        "read_customers",
        "read_inventory",
        "read_locations",
        "read_returns",
        "write_products",
        "write_merchant_managed_fulfillment_orders",
    ),
    # The real limit counts points, and every answer says how many are left; this only breaks bursts.
    limits=(Limit(40, per=timedelta(seconds=1)),),
    parallel=4,
    webhook=HmacSignature(
        "X-Shopify-Hmac-Sha256",
        id_header="X-Shopify-Webhook-Id",
        also_headers=("Shopify-Hmac-Sha256",),
        identify=_delivery_id,
    ),
    docs="https://shopify.dev/docs/api/admin-graphql",
    level=Level.GOLD,
)
