"""What is declared about Square."""

from datetime import timedelta

from pydantic import Field

from bellwire.connectors.kit import Bearer, Credential, Limit, Manifest, Settings
from bellwire.events import Environment

# The newest version whose description is at hand to hold requests and answers against. Newer ones exist; an endpoint
# stays for at least a year after it was deprecated: https://developer.squareup.com/docs/build-basics/versioning-overview
_VERSION = "2025-08-20"


class SquareSettings(Settings):
    location_id: str = Field(min_length=1, max_length=32)
    """The location whose stock is meant: Square Dashboard › Settings › Locations; `bellwire check` lists them."""


MANIFEST = Manifest(
    name="square",
    title="Square",
    capabilities=("stock",),
    base_urls={
        Environment.SANDBOX: "https://connect.squareupsandbox.com",
        Environment.PRODUCTION: "https://connect.squareup.com",
    },
    root="/v2",
    auth=Bearer("access_token"),
    credentials=(
        Credential(
            "access_token",
            "developer.squareup.com › Console › your application › Credentials › Access token, of the sandbox or of "
            "production",
        ),
    ),
    settings=SquareSettings,
    api_version=_VERSION,
    headers={"Square-Version": _VERSION},
    scopes=("INVENTORY_READ", "INVENTORY_WRITE", "ITEMS_READ", "MERCHANT_PROFILE_READ"),
    # Square publishes no numbers, nor how long to wait after a 429: so few that a shop should never meet one.
    limits=(Limit(10, per=timedelta(seconds=1)),),
    parallel=4,
    docs="https://developer.squareup.com/docs/inventory-api/what-it-does",
)
