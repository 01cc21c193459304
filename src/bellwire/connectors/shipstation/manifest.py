"""What is declared about ShipStation.

API V2, which the vendor tells new integrations to use: its `external_shipment_id` is what V1 called `orderKey`.
"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from bellwire.connectors.kit import Credential, HeaderToken, Level, Limit, Manifest, Settings
from bellwire.connectors.shipstation.signature import RsaSignature
from bellwire.events import Environment

_ORIGIN = "https://api.shipstation.com"
_ID = r"^se(-[a-z0-9]+)+$"


class ShipStationSettings(Settings):
    warehouse_id: str = Field(pattern=_ID)
    """The ship-from location, e.g. se-123456; `bellwire check` lists them."""
    carrier_id: str = Field(pattern=_ID)
    """The carrier account that labels are bought from, e.g. se-654321; `bellwire check` lists them."""
    service_code: str = Field(min_length=1)
    """The carrier's service, e.g. usps_ground_advantage."""
    package_code: str = "package"
    """What the goods are packed in; `package` is a box of one's own."""
    packaging_grams: int = Field(default=0, ge=0)
    """The weight of box and padding, added to that of the goods."""
    label_format: Literal["pdf", "png", "zpl"] = "pdf"
    label_layout: Literal["4x6", "letter"] = "4x6"
    number_prefix: str = Field(default="", max_length=20)
    """Put before each order's number, when several shops send to one account. Don't change it later: orders are found
    again by it."""


MANIFEST = Manifest(
    name="shipstation",
    title="ShipStation",
    capabilities=("shipping",),
    # One server for both: the key says which it is, where the plan has test keys at all.
    base_urls={Environment.SANDBOX: _ORIGIN, Environment.PRODUCTION: _ORIGIN},
    root="/v2",
    auth=HeaderToken("api-key", "api_key"),
    credentials=(
        Credential(
            "api_key", "ShipStation › Settings › Account › API Settings › V2 API; a sandbox's begins with TEST_"
        ),
        Credential(
            "webhook_secret",
            "the public keys that ShipStation signs with; only for webhooks. Where Bellwire sets them up "
            "by itself, it fetches these, too",
            required=False,
        ),
    ),
    settings=ShipStationSettings,
    api_version="v2",
    # https://docs.shipstation.com/rate-limits
    limits=(Limit(200, per=timedelta(minutes=1)),),
    # The carrier is asked while we wait.
    timeout=timedelta(minutes=1),
    webhook=RsaSignature(),
    docs="https://docs.shipstation.com/openapi",
    level=Level.GOLD,
    exempt={
        "access": "A key may do everything and doesn't end, and ShipStation has no other way to sign in.",
        "sdk": "There is no official library: the package of that name is somebody else's, and for the old API.",
    },
)
