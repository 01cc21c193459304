"""WooCommerce, declared: https://woocommerce.github.io/woocommerce-rest-api-docs/ (version wc/v3)."""

import hashlib
import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import field_validator

from bellwire.connectors.kit import Basic, Connection, Credential, Handshake, HmacSignature, Level, Manifest, Settings
from bellwire.events import Delivery, Environment


class ShopSettings(Settings):
    url: str
    """The shop's own address, e.g. `https://shop.example` or `https://example.com/shop`. It begins with https."""
    digital_skus: tuple[str, ...] = ()
    """SKUs of services and downloads, which aren't sent. Orders don't say it line by line, only when all of an order is
    for download; whatever isn't named here is taken for something to send."""
    tip_fees: tuple[str, ...] = ("Tip",)
    """Names of the extra fees that are tips for the staff, whatever their case."""

    paid_statuses: tuple[str, ...] = ("processing", "completed")
    """Statuses of orders that are paid, if they have a day of payment. Add those of your plugins that an order can have
    right after it was paid, e.g. `packing`; without, it would never count as paid."""

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
            raise ValueError(f"url has to be the shop's address, such as https://shop.example, not {url!r}")
        if parts.scheme == "http" and not _loopback(parts.hostname):
            raise ValueError(f"url has to begin with https: over {parts.scheme} anyone on the way could read the keys")
        return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def settings_of(connection: Connection) -> ShopSettings:
    """The settings of a connection to a shop, typed."""
    assert isinstance(connection.settings, ShopSettings)
    return connection.settings


def identify(delivery: Delivery) -> str:
    """Site, topic, resource, its time of change and the body's hash.

    The shop's own X-WC-Webhook-Delivery-ID is made of the webhook and the second, so two deliveries can share it.
    """
    try:
        body = delivery.json
    except ValueError:
        body = None
    named = body if isinstance(body, dict) else {}
    source, topic = (delivery.headers.get(f"x-wc-webhook-{name}", "") for name in ("source", "topic"))
    digest = hashlib.sha256(delivery.body).hexdigest()
    return f"{source} {topic} {named.get('id', '')} {named.get('date_modified_gmt', '')} {digest}"


def ping(delivery: Delivery) -> Handshake | None:
    """The unsigned form `webhook_id=<n>` that a shop posts when a webhook is switched on; it wants a plain 200."""
    form = delivery.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return Handshake() if form and re.fullmatch(rb"webhook_id=\d+", delivery.body.strip()) else None


MANIFEST = Manifest(
    name="woocommerce",
    title="WooCommerce",
    capabilities=("storefront",),
    base_urls={Environment.SANDBOX: "{url}", Environment.PRODUCTION: "{url}"},
    root="/wp-json/wc/v3/",
    auth=Basic("consumer_key", "consumer_secret"),
    credentials=(
        Credential(
            "consumer_key",
            "WooCommerce › Settings › Advanced › REST API › Add key, for a user with the role Shop manager, "
            "permission Read/Write: the key that begins with ck_",
        ),
        Credential("consumer_secret", "Shown once, beside the key: it begins with cs_"),
        Credential(
            "webhook_secret",
            "Bellwire makes it up with the webhooks; if you make those yourself: WooCommerce › Settings › Advanced › "
            "Webhooks › your webhook › Secret, letters and digits only, the same for all of them",
        ),
    ),
    settings=ShopSettings,
    api_version="wc/v3",
    scopes=("read_write",),
    parallel=2,  # The software has no limit of its own, but small hosts block clients that press harder.
    webhook=HmacSignature("X-WC-Webhook-Signature", identify=identify, test=ping),
    level=Level.GOLD,
    exempt={
        "spec": "WooCommerce publishes no description of its API that a program could hold requests against.",
        "sdk": "Its library for Python only puts address and key before a path, and leaves paths and bodies to us.",
        "limits": "WooCommerce has no limits: what single hosts ask for is obeyed when they ask.",
    },
    docs="https://woocommerce.github.io/woocommerce-rest-api-docs/",
)
